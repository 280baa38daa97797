//! Text that is longer than the screen, in the pager that people are used to.
#![expect(clippy::disallowed_methods, reason = "this room owns the standard streams")]

use super::screen;
use crate::interrupt::Interrupt;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{IsTerminal, Write, stdin, stdout};
use std::process::{Child, Command, Stdio};
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
    // It is a command line, such as `less -R`. What is typed without having seen that it is there must write no files.
    let Ok(mut child) = Command::new("sh").arg("-c").arg(&pager).env("LESSSECURE", "1").stdin(Stdio::piped()).spawn()
    else {
        return false;
    };
    // A pager takes a screen at a time: a signal is not to wait until all is taken. Whoever has seen enough closes it, and what
    // the pager leaves running may keep it open for ever: nobody waits for this.
    let (input, text) = (child.stdin.take(), text.to_owned());
    std::thread::spawn(move || input.map(|mut input| input.write_all(text.as_bytes())));
    loop {
        match child.try_wait() {
            // A shell that has no such pager says so with 127: then the text is still to be shown.
            Ok(Some(status)) => return status.code() != Some(127),
            Ok(None) if interrupt.pending().is_some_and(|signal| signal != SIGINT) => end(&child),
            Ok(None) => {}
            Err(_) => end(&child),
        }
        std::thread::sleep(LOOK);
    }
}

/// Asks the pager to end, so that it leaves the terminal as it found it. A shell gives its place to a single command.
fn end(pager: &Child) {
    // Whoever has gone needs no signal.
    let _ = kill_process(Pid::from_child(pager), Signal::TERM);
}
