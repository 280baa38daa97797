//! The line of progress, written as patiently as everything else: the library that draws it would wait for its reader without an end.

use super::patient::Patient;
use crate::interrupt::Interrupt;
use indicatif::TermLike;
use std::io::{self, Stderr, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a terminal has that does not say.
const USUAL: (u16, u16) = (24, 80);

/// Standard error, which is a terminal, as progress is drawn on it. What is drawn at a time goes out at once.
#[derive(Debug)]
pub(super) struct ProgressLine(Mutex<Drawn>);

#[derive(Debug)]
struct Drawn {
    text: String,
    err: Patient<Stderr>,
}

impl ProgressLine {
    #[expect(clippy::disallowed_methods, reason = "this room owns the standard streams")]
    pub(super) fn new(interrupt: Interrupt) -> Self {
        Self(Mutex::new(Drawn { text: String::new(), err: Patient::new(io::stderr(), interrupt) }))
    }

    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, text: &str) -> io::Result<()> {
        self.drawn().text.push_str(text);
        Ok(())
    }

    /// Moves the cursor by so many places; a terminal takes 0 for 1.
    fn moves(&self, by: usize, direction: char) -> io::Result<()> {
        if by == 0 { Ok(()) } else { self.add(&format!("\x1b[{by}{direction}")) }
    }

    /// Its rows and columns.
    fn size(&self) -> (u16, u16) {
        let size = rustix::termios::tcgetwinsize(&self.drawn().err).ok();
        size.map(|size| (size.ws_row, size.ws_col)).filter(|size| size.0 > 0 && size.1 > 0).unwrap_or(USUAL)
    }
}

impl TermLike for ProgressLine {
    fn width(&self) -> u16 {
        self.size().1
    }

    fn height(&self) -> u16 {
        self.size().0
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.moves(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.moves(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.moves(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.moves(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.add(text)?;
        self.add("\n")
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.add(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.add("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        let mut drawn = self.drawn();
        let text = std::mem::take(&mut drawn.text);
        drawn.err.write_all(text.as_bytes())
    }
}
