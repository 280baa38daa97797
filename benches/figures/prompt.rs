//! The prompt in a pty: how soon it is there, and how soon a key is on the screen.

use crate::process::{Records, ours};
use crate::row::{Row, median};
use rexpect::process::PtyProcess;
use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const ROUNDS: usize = 15;

/// What the editor writes when it has drawn.
const DRAWN: &str = "\x1b[?2026l";

/// How long a row waits for what it is about to see.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program in a terminal, and what it has written that nobody has read yet.
pub(crate) struct Terminal {
    _process: PtyProcess,
    keys: File,
    /// Read by a thread of its own: a program whose output nobody takes reads no keys either.
    output: Receiver<String>,
    written: String,
}

impl Terminal {
    pub(crate) fn open(command: Command, (columns, rows): (u16, u16)) -> Self {
        let mut process = PtyProcess::new(command).unwrap();
        // An interactive shell ignores SIGTERM.
        process.set_kill_timeout(Some(50));
        let keys = process.get_file_handle().unwrap();
        let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&keys, size).unwrap();
        let (sender, output) = channel();
        let mut screen = keys.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(count @ 1..) = screen.read(&mut buffer) {
                if sender.send(String::from_utf8_lossy(&buffer[..count]).into_owned()).is_err() {
                    break;
                }
            }
        });
        Self { _process: process, keys, output, written: String::new() }
    }

    /// The process that has it.
    pub(crate) fn pid(&self) -> i32 {
        rustix::termios::tcgetpgrp(&self.keys).unwrap().as_raw_pid()
    }

    /// Reads until `is_there`, and returns how long that took.
    pub(crate) fn until(&mut self, is_there: impl Fn(&str) -> bool) -> f64 {
        let begin = Instant::now();
        while !is_there(&self.written) {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            match self.output.recv_timeout(left) {
                Ok(more) => self.written.push_str(&more),
                Err(_) => panic!("never: {}", self.written),
            }
        }
        self.written.clear();
        begin.elapsed().as_secs_f64() * 1000.0
    }

    /// Types, and returns the milliseconds until the screen is so.
    fn typed(&mut self, keys: &str, is_there: impl Fn(&str) -> bool) -> f64 {
        let begin = Instant::now();
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.until(is_there);
        begin.elapsed().as_secs_f64() * 1000.0
    }
}

/// The first prompt, with the cluster gone and the background at work, against `bash --norc -i`.
pub(crate) fn prompt_vs_bash() -> Row {
    let open = |command: Command, prompt: &'static str| {
        let begin = Instant::now();
        let mut terminal = Terminal::open(command, (80, 24));
        terminal.until(|written| written.contains(prompt));
        begin.elapsed().as_secs_f64() * 1000.0
    };
    let ours_opens = || {
        let mut command = ours();
        command.args(["--pd-urls", "http://127.0.0.1:9"]);
        open(command, "????> ")
    };
    let bash_opens = || {
        let mut command = Command::new("bash");
        command.env_clear().env("TERM", "xterm").env("PS1", "bash> ").args(["--norc", "-i"]);
        open(command, "bash> ")
    };
    ours_opens();
    bash_opens();
    let pairs: Vec<(f64, f64)> = (0..ROUNDS).map(|_| (ours_opens(), bash_opens())).collect();
    let of = |figure: fn(&(f64, f64)) -> f64| median(pairs.iter().map(figure).collect());
    Row::paired("prompt_vs_bash", "ms", (of(|(ours, _)| *ours), of(|(_, bash)| *bash), of(|(ours, bash)| ours / bash)))
        .at_most(1.3)
}

/// Tab in the argument of a function, with 10,000 nodes known from the background.
pub(crate) fn completion_10000() -> Row {
    let cluster = Records::start(10_000);
    let mut command = ours();
    command.arg("--pd-urls").arg(cluster.url());
    let mut terminal = Terminal::open(command, (100, 30));
    terminal.until(|written| written.contains("> "));
    terminal.typed("pump(\"", |written| written.ends_with(DRAWN));
    let begin = Instant::now();
    let mut seen = String::new();
    while !seen.contains("more") {
        assert!(begin.elapsed() < PATIENCE, "the nodes never came: {seen}");
        terminal.keys.write_all(b"\t").unwrap();
        std::thread::sleep(Duration::from_millis(100));
        seen.extend(terminal.output.try_iter());
    }
    std::thread::sleep(Duration::from_millis(300));
    terminal.written.extend(terminal.output.try_iter());
    terminal.written.clear();
    terminal.typed("\x0c", |written| written.ends_with(DRAWN));
    let times = (0..ROUNDS).map(|_| terminal.typed("\t", |written| written.contains("more")));
    Row::time("completion_10000", "ms", median(times.collect())).at_most(5.0)
}

fn entry(lines: usize) -> String {
    format!("{{\r{}", (0..lines).map(|n| format!("  let line_{n} = pump(\"pump-{n}\");\r")).collect::<String>())
}

/// A key in an entry of 200 lines on a screen of 250 rows.
pub(crate) fn keystroke_200_lines() -> Row {
    let mut command = ours();
    command.arg("--sandbox");
    let mut terminal = Terminal::open(command, (100, 250));
    terminal.until(|written| written.contains("sandbox> "));
    terminal.typed(&format!("\x1b[200~{}\x1b[201~", entry(200)), |written| written.contains("line_199"));
    std::thread::sleep(Duration::from_millis(200));
    terminal.typed("x", |written| written.ends_with(DRAWN));
    let times = (0..ROUNDS).map(|_| terminal.typed("x", |written| written.ends_with(DRAWN)));
    Row::time("keystroke_200_lines", "ms", median(times.collect())).at_most(2.0)
}

/// A thousand lines that are pasted, until they are shown.
pub(crate) fn paste_1000_lines() -> Row {
    let paste = |_| {
        let mut command = ours();
        command.arg("--sandbox");
        let mut terminal = Terminal::open(command, (100, 50));
        terminal.until(|written| written.contains("sandbox> "));
        terminal.typed(&format!("\x1b[200~{}\x1b[201~", entry(1000)), |written| written.contains("line_999"))
    };
    Row::time("paste_1000_lines", "ms", median((0..5).map(paste).collect())).at_most(300.0)
}
