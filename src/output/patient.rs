//! Writing to a standard stream so that a signal can end it: whoever has its other end may never read.

use crate::interrupt::{Interrupt, signal_name};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// What a pipe with room takes at once.
const PIECE: usize = 4096;

/// How often a wait looks whether it should end.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };

/// How often it looks after a signal: whoever reads slowly gets the last words all the same.
const LAST_LOOKS: usize = 10;

/// A stream that is written as its reader takes it.
#[derive(Debug)]
pub(super) struct Patient<S> {
    stream: S,
    interrupt: Interrupt,
    /// Nobody reads: after the same signal nobody is waited for again.
    has_given_up: bool,
}

impl<S: AsFd> Patient<S> {
    pub(super) fn new(stream: S, interrupt: Interrupt) -> Self {
        Self { stream, interrupt, has_given_up: false }
    }

    /// Waits until something can be written.
    fn wait(&mut self) -> io::Result<()> {
        let mut looks = 0;
        loop {
            match poll(&mut [PollFd::new(&self.stream, PollFlags::OUT)], Some(&LOOK)) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(errno) => return Err(errno.into()),
            }
            let Some(signal) = self.interrupt.pending() else {
                self.has_given_up = false;
                continue;
            };
            looks += 1;
            if self.has_given_up || looks == LAST_LOOKS {
                self.has_given_up = true;
                return Err(io::Error::other(format!("nobody has read it until {}", signal_name(signal))));
            }
        }
    }
}

impl<S: AsFd> AsFd for Patient<S> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl<S: AsFd> Write for Patient<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let piece = &bytes[..bytes.len().min(PIECE)];
        loop {
            self.wait()?;
            match rustix::io::write(&self.stream, piece) {
                Err(Errno::INTR | Errno::AGAIN) => {}
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
