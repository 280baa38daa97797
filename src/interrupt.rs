//! The wish of the operator or the system that we stop: a flag that everything that waits looks at.

use crate::error::{Error, Result};
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Shared by whoever raises it (signals, the prompt) and whoever waits. Cheap to clone and to look at.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<Wish>);

/// The signal, how often it was forgotten again, and who wants to hear of it at once.
#[derive(Default)]
struct Wish {
    signal: AtomicI32,
    command: AtomicU64,
    hears: Mutex<Option<Hears>>,
}

/// Is called with each signal, by the thread that raises it.
pub type Hears = Box<dyn Fn(i32) + Send>;

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wish").field("signal", &self.signal).field("command", &self.command).finish_non_exhaustive()
    }
}

impl Interrupt {
    /// Asks everybody to stop because of `signal`.
    pub fn raise(&self, signal: i32) {
        self.0.signal.store(signal, Ordering::Relaxed);
        if let Some(hears) = &*self.0.hears.lock().unwrap_or_else(PoisonError::into_inner) {
            hears(signal);
        }
    }

    /// From now on `hears` is told of each signal at once, or nobody; who was told before is returned.
    pub fn tell(&self, hears: Option<Hears>) -> Option<Hears> {
        std::mem::replace(&mut *self.0.hears.lock().unwrap_or_else(PoisonError::into_inner), hears)
    }

    /// The signal, if one was raised since the last `clear`.
    pub fn pending(&self) -> Option<i32> {
        Some(self.0.signal.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
    }

    /// Forgets it: the next line at the prompt starts afresh.
    pub fn clear(&self) {
        self.0.command.fetch_add(1, Ordering::Relaxed);
        self.0.signal.store(0, Ordering::Relaxed);
    }

    /// Which command it is that is asked to stop: another number after each `clear`.
    pub fn command(&self) -> u64 {
        self.0.command.load(Ordering::Relaxed)
    }

    /// Goes on unless it was raised.
    ///
    /// # Errors
    /// `interrupted`, with the signal.
    pub fn check(&self) -> Result<()> {
        match self.pending() {
            None => Ok(()),
            Some(signal) => Err(Error::interrupted(Some(signal), format!("stopped by {}", signal_name(signal)))),
        }
    }
}

/// The name of the signals that we stop for.
pub fn signal_name(signal: i32) -> String {
    match signal {
        1 => "SIGHUP".into(),
        2 => "Ctrl-C (SIGINT)".into(),
        15 => "SIGTERM".into(),
        other => format!("signal {other}"),
    }
}
