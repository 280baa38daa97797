//! What ends the prompt from outside.

use crate::harness::Shell;
use crate::harness::screen::ended;
use crate::support::{eventually, processor_time};
use rexpect::process::{PtyProcess, Signal, WaitStatus};
use rexpect::reader::Options;
use rexpect::session::{PtySession, spawn_with_options};
use rustix::fs::OFlags;
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

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
    let status = ended(pty.process());
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

#[test]
fn a_signal_belongs_to_the_command_that_runs_and_not_to_the_next() {
    let shell = Shell::sandbox("default");
    let mut pty = prompt(&shell);
    for _ in 0..3 {
        pty.send_line("print(\"under\" + \"way\"); loop { }").unwrap();
        pty.exp_string("underway").unwrap();
        pty.process_mut().signal(Signal::SIGINT).unwrap();
        pty.exp_string("stopped by Ctrl-C").unwrap();
        // What took long is told with its time.
        pty.exp_regex("sandbox[^>]*> ").unwrap();
    }
    // Sent while a line is typed it stops nothing that is entered later.
    pty.process_mut().signal(Signal::SIGINT).unwrap();
    pty.send_line("40 + 2").unwrap();
    pty.exp_string("42").unwrap();
    ends_with_143(pty);
}

#[test]
fn a_second_signal_of_whichever_kind_ends_what_does_not_listen() {
    let shell = Shell::sandbox("default").env("EDITOR", "echo editing; read line; true");
    let mut pty = prompt(&shell);
    pty.send_line(".edit").unwrap();
    pty.exp_string("editing").unwrap();
    pty.process_mut().signal(Signal::SIGTERM).unwrap();
    // Two that come at once are one for whoever they are sent to.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(pty.process().status(), Some(WaitStatus::StillAlive), "the first is found when the editor has ended");
    pty.process_mut().signal(Signal::SIGHUP).unwrap();
    let begun = Instant::now();
    let status = ended(pty.process());
    assert!(matches!(status, WaitStatus::Exited(_, 129)), "{status:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_progress_that_nobody_reads_holds_up_no_signal() {
    let shell = Shell::sandbox("default").file("s.rhai", "pumps()");
    let shell = shell.arg("rehearse").arg("s.rhai").arg("--futures=100000000").arg("--jobs=2");
    let mut process = PtyProcess::new(shell.command()).unwrap();
    process.set_kill_timeout(Some(0));
    let terminal = process.get_file_handle().unwrap();
    let begins = eventually(Duration::from_secs(30), || rustix::io::ioctl_fionread(&terminal).unwrap() > 0);
    assert!(begins, "nothing is told");
    let pid = rustix::termios::tcgetpgrp(&terminal).unwrap().as_raw_pid();
    let mut screen = File::options();
    let screen =
        screen.write(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed() | OFlags::NOCTTY.bits().cast_signed());
    let mut screen = screen.open(format!("/proc/{pid}/fd/2")).unwrap();
    while screen.write(&[b'x'; 1000]).is_ok() {}
    // Everybody waits for whoever waits for the terminal.
    let mut stood = (0, Instant::now());
    let stands = eventually(Duration::from_secs(30), || {
        let now = processor_time(pid);
        if now > stood.0 + 1 {
            stood = (now, Instant::now());
        }
        stood.1.elapsed() > Duration::from_millis(500)
    });
    assert!(stands, "it goes on");
    process.signal(Signal::SIGTERM).unwrap();
    let begun = Instant::now();
    assert!(matches!(ended(&process), WaitStatus::Exited(_, 143)));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_terminal_that_takes_nothing_holds_up_no_signal() {
    for code in [&["-e", "loop { print(\"a line that nobody reads\"); }"][..], &["watch"]] {
        let shell = code.iter().fold(Shell::sandbox("default"), |shell, arg| shell.arg(*arg));
        let mut process = PtyProcess::new(shell.command()).unwrap();
        process.set_kill_timeout(Some(0));
        let mut terminal = process.get_file_handle().unwrap();
        // What is written is not taken away, so that a terminal is full after some KiB; the key has the view drawn again.
        let full = eventually(Duration::from_secs(30), || {
            terminal.write_all(b"?").unwrap();
            rustix::io::ioctl_fionread(&terminal).unwrap() > 3_000
        });
        assert!(full, "{code:?}");
        process.signal(Signal::SIGTERM).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        // It may have ended already.
        let _ = process.signal(Signal::SIGHUP);
        let begun = Instant::now();
        assert!(matches!(ended(&process), WaitStatus::Exited(_, 143 | 129)), "{code:?}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}
