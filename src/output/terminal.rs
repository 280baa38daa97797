//! The two streams, and the one line of progress that comes and goes between them.
#![expect(clippy::disallowed_methods, reason = "this room owns the standard streams")]

use super::Color;
use super::line::ProgressLine;
use super::patient::Patient;
use crate::interrupt::Interrupt;
use crate::text::on_one_line;
use crate::time::show_whole_seconds;
use crate::world::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// How often the time of a wait is drawn anew.
const SECOND: Duration = Duration::from_secs(1);

/// How often in a second the line of progress is drawn at most.
const FRAMES: u8 = 20;

/// After how long a wait of which nothing new is seen is told again where nobody watches.
const TOLD_AGAIN: Duration = Duration::from_secs(10);

/// After how long it is said how long the rest of some work takes.
const SOME_TIME: Duration = Duration::from_secs(2);

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
    /// Those of this process, in which a wait for their readers ends when `interrupt` is raised.
    pub fn standard(color: Color, interrupt: &Interrupt) -> Self {
        let (out, err) = (io::stdout(), io::stderr());
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = is_dumb();
        let colors = |is_terminal| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !dumb && !set("NO_COLOR"),
        };
        let (out_is_terminal, err_is_terminal) = (out.is_terminal(), err.is_terminal());
        Self {
            out: Box::new(Patient::new(out, interrupt.clone())),
            err: Box::new(Patient::new(err, interrupt.clone())),
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

/// Whether the terminal can show no more than lines.
pub(super) fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// The columns of a terminal; `None` if it is none or does not know.
fn columns_of(stream: impl std::os::fd::AsFd) -> Option<u16> {
    rustix::termios::tcgetwinsize(stream).ok().map(|size| size.ws_col).filter(|columns| *columns > 0)
}

/// The streams and what stands on the screen just now.
pub(super) struct Terminal {
    streams: Streams,
    /// The last progress told in a line, and when in its wait.
    progress: Option<(Progress, Duration)>,
    /// Since when work goes on that does not tell its time itself.
    since: Option<ProgressBar>,
    /// The one that stands on the screen.
    bar: Option<ProgressBar>,
    /// The first thing that could not be written.
    fault: Option<io::Error>,
    /// What ends the waits for whoever reads.
    interrupt: Interrupt,
}

impl Terminal {
    pub(super) fn new(streams: Streams, interrupt: Interrupt) -> Self {
        Self { streams, progress: None, since: None, bar: None, fault: None, interrupt }
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

    /// Takes the `^C` away that the terminal has echoed where the next line begins.
    pub(super) fn forget_echo(&mut self) {
        if self.streams.err_is_terminal {
            self.err("\r\x1b[K");
        }
    }

    /// Shows how far it is: on a terminal in one line that changes, elsewhere as a line when it is news.
    pub(super) fn progress(&mut self, progress: Progress) {
        let progress = match progress.share {
            Some(share) => with_rest(progress, share, self.worked()),
            None => progress,
        };
        if self.streams.err_is_terminal {
            return self.draw(&progress);
        }
        if self.is_news(&progress) {
            let time = progress.time.map_or(String::new(), |time| of(time.waited, time.of));
            let text = on_one_line(&progress.without_time()).into_owned();
            self.err(&format!("{time}{text}\n"));
        }
    }

    /// How long work goes on by now that does not tell its time.
    fn worked(&mut self) -> Duration {
        self.since.get_or_insert_with(ProgressBar::hidden).elapsed()
    }

    /// Whether a line is to be told of it where lines are: more than its numbers differ, or it took ten seconds more. From now
    /// on it counts as told then.
    pub(super) fn is_news(&mut self, progress: &Progress) -> bool {
        let waited = match (progress.time, progress.share) {
            (Some(time), _) => time.waited,
            (None, Some(_)) => self.worked(),
            (None, None) => Duration::ZERO,
        };
        let is_told = |(told, at): &(Progress, Duration)| told.stands_as(progress) && waited < *at + TOLD_AGAIN;
        let is_news = !self.progress.as_ref().is_some_and(is_told);
        if is_news {
            self.progress = Some((progress.clone(), waited));
        }
        is_news
    }

    /// The wait is over of which something was told, if that is so.
    pub(super) fn forget_progress(&mut self) -> bool {
        self.since = None;
        self.progress.take().is_some()
    }

    /// One line at the bottom, whose time goes on by itself.
    fn draw(&mut self, progress: &Progress) {
        let bar = self.bar.take().unwrap_or_else(|| {
            let bar = ProgressBar::with_draw_target(None, self.place());
            bar.enable_steady_tick(SECOND);
            bar
        });
        let style =
            ProgressStyle::with_template("{time}{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let (most, is_work) = (progress.time.map(|time| time.of), progress.share.is_some());
        bar.set_style(style.with_key("time", move |state: &ProgressState, line: &mut dyn std::fmt::Write| {
            let time = match most {
                Some(most) => of(state.elapsed().min(most), most),
                None if is_work => format!("{}: ", show_whole_seconds(state.elapsed().as_secs())),
                None => String::new(),
            };
            // There is nobody to tell of a line that cannot be put together.
            let _ = line.write_str(&time);
        }));
        let bar = match progress.time {
            Some(time) => bar.with_elapsed(time.waited),
            None => bar,
        };
        bar.set_message(on_one_line(&progress.without_time()).into_owned());
        self.bar = Some(bar);
    }

    /// The signal after which nobody who does not read is waited for.
    pub(super) fn stopped_by(&self) -> Option<i32> {
        self.interrupt.pending()
    }

    /// Where the line of progress goes.
    fn place(&self) -> ProgressDrawTarget {
        if !io::stderr().is_terminal() {
            return ProgressDrawTarget::hidden();
        }
        ProgressDrawTarget::term_like_with_hz(Box::new(ProgressLine::new(self.interrupt.clone())), FRAMES)
    }

    pub(super) fn end_progress(&mut self) {
        self.clear_progress();
        self.forget_progress();
    }

    fn clear_progress(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Ends the progress and returns the first thing that could not be written.
    pub(super) fn finish(&mut self) -> Option<io::Error> {
        self.end_progress();
        self.fault.take()
    }
}

/// How fast it goes, and how long what is left takes if it goes on as it did for the seconds that it took so far.
fn with_rest(progress: Progress, (done, all): (u64, u64), worked: Duration) -> Progress {
    if done == 0 || worked < SOME_TIME {
        return progress;
    }
    let rate = done as f64 / worked.as_secs_f64();
    let left = show_whole_seconds((all.saturating_sub(done) as f64 / rate).round() as u64);
    let rate = if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") };
    let figures = format!("{}, {rate} per second, about {left} left", progress.figures);
    progress.figures(figures)
}

/// How long it takes so far, and how long it may, before what is to be said of it.
fn of(waited: Duration, most: Duration) -> String {
    format!("{} of {}: ", show_whole_seconds(waited.as_secs()), show_whole_seconds(most.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_some_work_is_told_once_it_can_be_seen() {
        let told = |done, seconds| {
            let progress = Progress::of("playing").done((done, 100), "futures");
            with_rest(progress, (done, 100), Duration::from_secs(seconds)).to_string()
        };
        assert_eq!(told(0, 60), "playing (0 of 100 futures)");
        assert_eq!(told(10, 1), "playing (10 of 100 futures)");
        assert_eq!(told(10, 20), "playing (10 of 100 futures, 0.5 per second, about 3m00s left)");
        assert_eq!(told(90, 3), "playing (90 of 100 futures, 30 per second, about 0s left)");
    }
}
