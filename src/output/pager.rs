//! Text that is longer than the screen, in the pager that people are used to.
#![expect(clippy::disallowed_methods, reason = "this room owns the standard streams")]

use super::screen;
use crate::interrupt::Interrupt;
use std::io::{IsTerminal, Write, stdin, stdout};
use std::process::{Command, Stdio};
use std::time::Duration;

/// How often it is looked whether the pager has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Ctrl-C.
const SIGINT: i32 = 2;

/// What is used where nobody says otherwise: it ends by itself if all fits, keeps colours, and leaves the text on the screen.
const USUAL: &str = "less -FRX";

/// Shows `text` in the pager, if it is longer than the screen and there is a terminal; otherwise nothing is shown, and false.
/// A signal that ends us ends the pager, too; Ctrl-C is the pager's own affair.
pub(super) fn shown(text: &str, interrupt: &Interrupt) -> bool {
    let is_short = text.lines().count() < screen().0;
    if is_short || !stdout().is_terminal() || !stdin().is_terminal() {
        return false;
    }
    let pager = std::env::var("PAGER").ok().filter(|pager| !pager.is_empty()).unwrap_or_else(|| USUAL.to_owned());
    // It is a command line, such as `less -R`.
    let Ok(mut child) = Command::new("sh").arg("-c").arg(&pager).stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut input) = child.stdin.take() {
        // Whoever has seen enough closes it: no fault.
        drop(input.write_all(text.as_bytes()));
    }
    loop {
        match child.try_wait() {
            // A shell that has no such pager says so with 127: then the text is still to be shown.
            Ok(Some(status)) => return status.code() != Some(127),
            Ok(None) if interrupt.pending().is_some_and(|signal| signal != SIGINT) => drop(child.kill()),
            Ok(None) => std::thread::sleep(LOOK),
            Err(_) => return true,
        }
    }
}
