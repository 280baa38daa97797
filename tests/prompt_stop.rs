//! What ends the prompt from outside.

use crate::harness::Shell;
use rexpect::process::Signal;
use rexpect::process::WaitStatus;
use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};

fn prompt(shell: &Shell) -> PtySession {
    let options = Options::new().timeout_ms(Some(20_000)).strip_ansi_escape_codes(true);
    let mut pty = spawn_with_options(shell.command(), options).unwrap();
    pty.exp_string("sandbox> ").unwrap();
    pty
}

#[track_caller]
fn ends_with_143(mut pty: PtySession) {
    pty.process_mut().signal(Signal::SIGTERM).unwrap();
    pty.exp_eof().unwrap();
    let status = pty.process().wait().unwrap();
    assert!(matches!(status, WaitStatus::Exited(_, 143)), "{status:?}");
}

#[test]
fn a_signal_while_nothing_is_under_way_ends_it_at_once() {
    let shell = Shell::sandbox("default");
    ends_with_143(prompt(&shell));
}

#[test]
fn a_signal_during_an_evaluation_ends_the_evaluation_and_the_prompt() {
    let shell = Shell::sandbox("default");
    let mut pty = prompt(&shell);
    pty.send_line("print(\"under\" + \"way\"); loop { }").unwrap();
    pty.exp_string("underway").unwrap();
    ends_with_143(pty);
}
