//! The wish that we stop, as whoever keeps something alive for others to respect heeds it.

use crate::interrupt::Interrupt;
use crate::live::clock::{pause, since_boot};
use std::time::Duration;

/// How long whoever is asked to stop may take until what we hold is left to its end.
const HEEDED: Duration = Duration::from_secs(5);

/// How often is looked whether somebody is asked to.
const LOOKED_EVERY: Duration = Duration::from_millis(500);

/// The wish that we stop, and since when it is known.
pub(super) struct WishToStop {
    interrupt: Interrupt,
    /// The command that it belongs to, and when it was seen, in time since the host was started.
    known: Option<(u64, Duration)>,
}

impl WishToStop {
    /// Not known yet.
    pub(super) fn new(interrupt: Interrupt) -> Self {
        Self { interrupt, known: None }
    }

    /// Waits for `time`, and longer while it has not been heeded for [`HEEDED`]: what does not listen keeps nobody else out for ever.
    pub(super) async fn rest(&mut self, time: Duration) {
        let until = since_boot().saturating_add(time);
        loop {
            let left = until.saturating_sub(since_boot());
            if !self.is_ignored() && left.is_zero() {
                return;
            }
            pause(if left.is_zero() { LOOKED_EVERY } else { left.min(LOOKED_EVERY) }).await;
        }
    }

    fn is_ignored(&mut self) -> bool {
        let command = self.interrupt.command();
        self.known = match (self.interrupt.pending(), self.known) {
            (None, _) => None,
            (Some(_), Some(known @ (of, _))) if of == command => Some(known),
            (Some(_), _) => Some((command, since_boot())),
        };
        self.known.is_some_and(|(_, since)| since_boot().saturating_sub(since) >= HEEDED)
    }
}
