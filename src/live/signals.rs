//! Signals become the wish to stop that everything that waits looks at.
//!
//! A second signal, of whichever kind, while the same command runs, ends the process shortly after: whoever does not listen any
//! more is left no choice. It is not at once, since a closed terminal and a service manager send two that mean one.

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::time::Duration;

/// How long a command that was told to stop twice still has.
const GRACE: Duration = Duration::from_millis(500);

/// Lets SIGINT, SIGTERM and SIGHUP raise `interrupt` from now on, from a thread of their own. Before it ends the process itself
/// it calls `give_back`, which leaves the terminal as it was.
///
/// # Errors
/// `local` when the system does not let us.
#[expect(clippy::disallowed_methods, reason = "the grace of a signal is real time")]
pub fn install(interrupt: Interrupt, give_back: impl Fn() + Send + 'static) -> Result<()> {
    let refused = |e: std::io::Error| Error::local("cannot listen to signals").source(e);
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(refused)?;
    let listen = move || {
        let mut told = None;
        for signal in signals.forever() {
            let command = interrupt.command();
            if told != Some(command) {
                told = Some(command);
                interrupt.raise(signal);
                continue;
            }
            std::thread::sleep(GRACE);
            if interrupt.command() == command {
                give_back();
                signal_hook::low_level::exit(128 + signal);
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(listen).map_err(refused)?;
    Ok(())
}
