//! Signals become the wish to stop that everything that waits looks at.
//!
//! A second Ctrl-C within two seconds, while the same command runs, ends the process at once: whoever does not listen any more
//! is left no choice.

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::live::clock::Stopwatch;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::time::Duration;

/// Two Ctrl-C within this time end the process at once.
const TWICE: Duration = Duration::from_secs(2);

/// Lets SIGINT, SIGTERM and SIGHUP raise `interrupt` from now on, from a thread of their own.
///
/// # Errors
/// `local` when the system does not let us.
pub fn install(interrupt: Interrupt) -> Result<()> {
    let refused = |e: std::io::Error| Error::local("cannot listen to signals").source(e);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(refused)?;
    let listen = move || {
        let mut last: Option<(Stopwatch, u64)> = None;
        for signal in signals.forever() {
            let command = interrupt.command();
            if signal == SIGINT && last.is_some_and(|(last, at)| at == command && last.elapsed() < TWICE) {
                signal_hook::low_level::exit(128 + SIGINT);
            }
            last = (signal == SIGINT).then(|| (Stopwatch::start(), command));
            interrupt.raise(signal);
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(listen).map_err(refused)?;
    Ok(())
}
