//! SIGTERM and SIGHUP at the prompt. Nothing is under way while a line is typed, and nobody looks at a wish to stop then:
//! so the process ends at once, with the terminal as it was. Elsewhere the wish is found when the next line is read.

use crate::interrupt::Interrupt;
use crate::output::TerminalState;
use signal_hook::consts::{SIGHUP, SIGTERM};
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// It hears of signals as long as this lives.
pub(super) struct Listening {
    stop: Arc<Stop>,
    interrupt: Interrupt,
}

impl Listening {
    /// Listens from now on to who raises `interrupt`. The terminal must not be in the hands of an editor yet.
    pub(super) fn begin(interrupt: Interrupt) -> Self {
        let stop = Arc::new(Stop {
            is_reading: AtomicBool::new(false),
            signal: AtomicI32::new(0),
            terminal: TerminalState::now(),
        });
        let hears = Arc::clone(&stop);
        interrupt.tell(Some(Box::new(move |signal| hears.heard(signal))));
        Self { stop, interrupt }
    }

    /// What it knows, for other threads.
    pub(super) fn stop(&self) -> Arc<Stop> {
        Arc::clone(&self.stop)
    }
}

impl Deref for Listening {
    type Target = Stop;

    fn deref(&self) -> &Stop {
        &self.stop
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.interrupt.tell(None);
    }
}

/// Whether a line is being typed, and whether to stop.
pub(super) struct Stop {
    is_reading: AtomicBool,
    signal: AtomicI32,
    terminal: Option<TerminalState>,
}

impl Stop {
    /// Whether a line is being typed.
    pub(super) fn is_reading(&self) -> bool {
        self.is_reading.load(Ordering::SeqCst)
    }

    /// The signal is noted before the flag is looked at, and the reader does it the other way round: one of them sees
    /// the other.
    fn heard(&self, signal: i32) {
        // Ctrl-C is a key here; sent by somebody else it is found when the line is there.
        if ![SIGTERM, SIGHUP].contains(&signal) {
            return;
        }
        self.signal.store(signal, Ordering::SeqCst);
        if self.is_reading.load(Ordering::SeqCst) {
            if let Some(terminal) = &self.terminal {
                terminal.restore_from_editor();
            }
            signal_hook::low_level::exit(128 + signal);
        }
    }

    /// A line is being typed from now on, unless a signal came before.
    pub(super) fn begin_reading(&self) -> Option<i32> {
        self.is_reading.store(true, Ordering::SeqCst);
        Some(self.signal.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }

    /// The line is there.
    pub(super) fn end_reading(&self) {
        self.is_reading.store(false, Ordering::SeqCst);
    }
}
