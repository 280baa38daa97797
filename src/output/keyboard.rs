//! Reading lines from standard input in a way that a signal can end at once.
//!
//! Bytes are read one by one, so that what stands behind the line is left to whoever reads next.
#![expect(clippy::disallowed_methods, reason = "this room owns the standard streams")]

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{LocalModes, OptionalActions, QueueSelector, Termios, tcflush, tcgetattr, tcsetattr};
use signal_hook::SigId;
use signal_hook::consts::SIGCONT;
use std::io::{IsTerminal, Write, stderr, stdin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How often a wait looks whether it should end.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// Longer lines are nobody's answer.
const LONGEST: usize = 64 * 1024;

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line, without its end.
    Text(String),
    /// Nothing: the input has ended.
    End,
    /// Nothing yet: the process was stopped meanwhile (Ctrl-Z), and what it asked is no longer before anybody's eyes.
    Resumed,
}

/// Whether the process was stopped and goes on, as long as this lives.
pub(super) struct GoingOn(Arc<AtomicBool>, SigId);

impl GoingOn {
    /// Whether it has gone on since this was asked last.
    pub(super) fn take(&self) -> bool {
        self.0.swap(false, Ordering::Relaxed)
    }

    /// Listens from now on.
    ///
    /// # Errors
    /// `local` when the system does not let us.
    pub(super) fn listen() -> Result<Self> {
        let flag = Arc::new(AtomicBool::new(false));
        let id = signal_hook::flag::register(SIGCONT, Arc::clone(&flag))
            .map_err(|fault| Error::local("cannot listen to signals").source(fault))?;
        Ok(Self(flag, id))
    }
}

impl Drop for GoingOn {
    fn drop(&mut self) {
        signal_hook::low_level::unregister(self.1);
    }
}

/// Whether the terminal shows what is typed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    /// It does.
    Shown,
    /// It does not, for secrets.
    Hidden,
}

/// Whether standard input is a terminal.
pub(super) fn is_terminal() -> bool {
    stdin().is_terminal()
}

/// Whether somebody sees a question and can answer it.
pub(super) fn can_ask() -> bool {
    is_terminal() && stderr().is_terminal()
}

/// Drops what was typed ahead: nobody can have meant it for a question not yet asked. Whether there was anything.
pub(super) fn forget_typed() -> bool {
    let typed = is_terminal() && rustix::io::ioctl_fionread(stdin()).is_ok_and(|bytes| bytes > 0);
    // A terminal that cannot do it has nothing to forget.
    let _ = tcflush(stdin(), QueueSelector::IFlush);
    typed
}

/// A line of standard input that is about to be read: from now on what is typed shows or not, and a stop (Ctrl-Z) is noticed.
pub(super) struct ReadingLine {
    _hidden: Option<Hidden>,
    resumed: GoingOn,
}

impl ReadingLine {
    /// To be begun before whoever types is told to.
    ///
    /// # Errors
    /// `local` when the terminal or the system does not let us.
    pub(super) fn begin(echo: Echo) -> Result<Self> {
        let hidden = (echo == Echo::Hidden && is_terminal()).then(Hidden::begin).transpose()?;
        Ok(Self { _hidden: hidden, resumed: GoingOn::listen()? })
    }

    /// The line.
    ///
    /// # Errors
    /// `interrupted` when `interrupt` is raised meanwhile, `local` when it cannot be read.
    pub(super) fn line(self, interrupt: &Interrupt) -> Result<Line> {
        read_line(interrupt, &self.resumed)
    }
}

fn read_line(interrupt: &Interrupt, resumed: &GoingOn) -> Result<Line> {
    let mut bytes = Vec::new();
    loop {
        interrupt.check()?;
        if resumed.take() && bytes.is_empty() {
            return Ok(Line::Resumed);
        }
        let input = stdin();
        match poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&LOOK)) {
            Ok(0) | Err(Errno::INTR) => continue,
            Ok(_) => {}
            Err(errno) => return Err(unreadable(errno)),
        }
        let mut byte = [0];
        match rustix::io::read(&input, &mut byte) {
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(unreadable(errno)),
            Ok(0) if bytes.is_empty() => return Ok(Line::End),
            Ok(0) => break,
            Ok(_) if byte == *b"\n" => break,
            Ok(_) if bytes.len() == LONGEST => {
                return Err(Error::local("the line read from standard input has no end"));
            }
            Ok(_) => bytes.push(byte[0]),
        }
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map(Line::Text).map_err(|_| Error::local("the line read from standard input is not UTF-8"))
}

fn unreadable(errno: Errno) -> Error {
    Error::local("standard input cannot be read").source(errno)
}

/// The rows and columns of the terminal; 24 and 80 where it does not say.
pub fn screen() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(stdin()) {
        Ok(size) if size.ws_row > 0 && size.ws_col > 0 => (size.ws_row.into(), size.ws_col.into()),
        _ => (24, 80),
    }
}

/// How the terminal was set, to be set again by whoever ends the program while a prompt or a hidden question has changed
/// it. May be used from any thread.
#[derive(Clone, Debug)]
pub struct TerminalState(Termios);

impl TerminalState {
    /// As it is just now; `None` if standard input is no terminal.
    pub fn now() -> Option<Self> {
        tcgetattr(stdin()).ok().map(Self)
    }

    /// Sets it again.
    pub fn restore(&self) {
        // Nothing better can be done where this fails.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }

    /// Sets it again from within a line editor: pasted text is no longer bracketed, and the cursor leaves the line.
    pub fn restore_from_editor(&self) {
        self.restore();
        if stderr().is_terminal() {
            drop(stderr().write_all(b"\x1b[?2004l\r\n"));
        }
    }
}

/// The terminal while it shows nothing; as it was before once this is dropped.
struct Hidden {
    before: TerminalState,
}

impl Hidden {
    fn begin() -> Result<Self> {
        let silent = |errno| Error::local("the terminal cannot be kept from showing what is typed").source(errno);
        let before = tcgetattr(stdin()).map_err(silent)?;
        let mut without = before.clone();
        without.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Now, &without).map_err(silent)?;
        Ok(Self { before: TerminalState(before) })
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        self.before.restore();
    }
}
