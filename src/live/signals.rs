//! Signals become the wish to stop that everything that waits looks at.
//!
//! A second signal, of whichever kind, while the same command runs, ends the process shortly after: whoever does not listen any
//! more is left no choice. It is not at once, since a closed terminal and a service manager send two that mean one.

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::live::clock::rest;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a command that was told to stop twice still has.
const GRACE: Duration = Duration::from_millis(500);

/// How long giving the terminal back may take then.
const LAST: Duration = Duration::from_millis(200);

/// Does `work` on a thread of its own, whose end is told by what is returned: a terminal that takes nothing (Ctrl-S, a dead ssh) holds
/// up whoever writes to it, and nobody who listens to signals may be held up. `None` if the system gives no thread.
fn beside(work: impl FnOnce() + Send + 'static) -> Option<Receiver<()>> {
    let (end, ended) = channel();
    let begun = std::thread::Builder::new().spawn(move || {
        work();
        drop(end);
    });
    begun.is_ok().then_some(ended)
}

/// Lets SIGINT, SIGTERM and SIGHUP raise `interrupt` from now on, from a thread of their own. Before it ends the process itself
/// it calls `give_back`, which leaves the terminal as it was.
///
/// # Errors
/// `local` when the system does not let us.
pub fn install(interrupt: Interrupt, give_back: impl Fn() + Send + Sync + 'static) -> Result<()> {
    let refused = |e: std::io::Error| Error::local("cannot listen to signals").source(e);
    let give_back = Arc::new(give_back);
    // A file that may grow no further (`ulimit -f`) is an error of whoever writes it. A handler and not SIG_IGN, which the
    // programs that we begin would inherit.
    signal_hook::flag::register(SIGXFSZ, Arc::default()).map_err(refused)?;
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(refused)?;
    let listen = move || {
        let mut told = None;
        for signal in signals.forever() {
            let command = interrupt.command();
            if told != Some(command) {
                told = Some(command);
                let wish = interrupt.clone();
                if beside(move || wish.raise(signal)).is_none() {
                    interrupt.raise(signal);
                }
                continue;
            }
            rest(GRACE);
            if interrupt.command() == command {
                let give_back = Arc::clone(&give_back);
                if let Some(given_back) = beside(move || give_back()) {
                    // A terminal that takes nothing is left as it is.
                    let _ = given_back.recv_timeout(LAST);
                }
                signal_hook::low_level::exit(128 + signal);
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(listen).map_err(refused)?;
    Ok(())
}
