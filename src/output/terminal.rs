//! The two streams, and the one line of progress that comes and goes between them.
#![expect(clippy::disallowed_methods, reason = "this room owns the standard streams")]

use super::Color;
use crate::text::on_one_line;
use crate::world::Progress;
use std::io::{self, IsTerminal, Write};
use unicode_width::UnicodeWidthChar;

/// Where text goes, and what the places are like.
pub struct Streams {
    /// For results.
    pub out: Box<dyn Write + Send>,
    /// For everything else.
    pub err: Box<dyn Write + Send>,
    /// Whether `out` is this process's terminal: tables then fit its width.
    pub out_is_terminal: bool,
    /// How many columns tables have where `out` is no terminal, or one that does not know its width.
    pub columns: Option<u16>,
    /// Whether `err` is a terminal: progress is then one line that changes.
    pub err_is_terminal: bool,
    /// Whether `out` shows colours.
    pub out_colors: bool,
    /// Whether `err` shows colours.
    pub err_colors: bool,
}

impl Streams {
    /// Those of this process.
    pub fn standard(color: Color) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colors = |is_terminal| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !dumb && !set("NO_COLOR"),
        };
        let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
        Self {
            out: Box::new(out),
            err: Box::new(err),
            out_is_terminal,
            columns: std::env::var("COLUMNS")
                .ok()
                .and_then(|columns| columns.parse().ok())
                .filter(|columns| *columns > 0),
            err_is_terminal: err_is_terminal && !dumb,
            out_colors: colors(out_is_terminal),
            err_colors: colors(err_is_terminal),
        }
    }

    /// How many columns results have: those of the terminal just now, else what `COLUMNS` says.
    pub(super) fn width(&self) -> Option<u16> {
        self.out_is_terminal.then(|| columns_of(io::stdout())).flatten().or(self.columns)
    }

    /// How many columns questions have.
    pub(super) fn err_width(&self) -> Option<u16> {
        self.err_is_terminal.then(|| columns_of(io::stderr())).flatten()
    }
}

/// The columns of a terminal; `None` if it is none or does not know.
fn columns_of(stream: impl std::os::fd::AsFd) -> Option<u16> {
    rustix::termios::tcgetwinsize(stream).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

/// The streams and what stands on the screen just now.
pub(super) struct Terminal {
    streams: Streams,
    /// The last progress shown.
    progress: Option<Progress>,
    /// Whether it stands on the screen, to be overwritten.
    is_on_screen: bool,
    /// The first thing that could not be written.
    fault: Option<io::Error>,
}

impl Terminal {
    pub(super) fn new(streams: Streams) -> Self {
        Self { streams, progress: None, is_on_screen: false, fault: None }
    }

    pub(super) fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(super) fn out(&mut self, text: &str) {
        self.clear_progress();
        let written = self.streams.out.write_all(text.as_bytes()).and_then(|()| self.streams.out.flush());
        if let Err(fault) = written
            && fault.kind() != io::ErrorKind::BrokenPipe
        {
            self.fault.get_or_insert(fault);
        }
    }

    /// What cannot be written to standard error can be told to nobody.
    pub(super) fn err(&mut self, text: &str) {
        self.clear_progress();
        drop(self.streams.err.write_all(text.as_bytes()).and_then(|()| self.streams.err.flush()));
    }

    /// Shows how far it is: on a terminal in one line that changes, elsewhere as a line when more than its numbers differ.
    pub(super) fn progress(&mut self, progress: Progress) {
        let is_shown = |shown: &Progress| match self.streams.err_is_terminal {
            true => *shown == progress && self.is_on_screen,
            false => shown.stands_as(&progress),
        };
        if self.progress.as_ref().is_some_and(is_shown) {
            return;
        }
        let text = on_one_line(&progress.to_string()).into_owned();
        self.progress = Some(progress);
        if !self.streams.err_is_terminal {
            return self.err(&format!("{text}\n"));
        }
        let width = columns_of(io::stderr()).unwrap_or(80);
        let line = format!("\r\x1b[K{}", cut(&text, width.saturating_sub(1)));
        drop(self.streams.err.write_all(line.as_bytes()).and_then(|()| self.streams.err.flush()));
        self.is_on_screen = true;
    }

    pub(super) fn end_progress(&mut self) {
        self.clear_progress();
        self.progress = None;
    }

    fn clear_progress(&mut self) {
        if std::mem::take(&mut self.is_on_screen) {
            drop(self.streams.err.write_all(b"\r\x1b[K").and_then(|()| self.streams.err.flush()));
        }
    }

    /// Ends the progress and returns the first thing that could not be written.
    pub(super) fn finish(&mut self) -> Option<io::Error> {
        self.end_progress();
        self.fault.take()
    }
}

/// As much of `text` as fits into `width` columns.
fn cut(text: &str, width: u16) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > usize::from(width) {
            return &text[..at];
        }
    }
    text
}
