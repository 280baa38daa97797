//! A terminal as people see it: a real pty whose bytes a terminal emulator turns into a screen.

use super::Shell;
use rexpect::process::{PtyProcess, WaitStatus};
use std::fs::File;
use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long a screen is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// The program in a terminal.
pub(crate) struct Screen {
    process: PtyProcess,
    keys: File,
    emulator: Arc<Mutex<vt100::Parser>>,
    /// Everything that was written to the terminal.
    shown: Arc<Mutex<Vec<u8>>>,
    /// Kept, for the home it lives in.
    pub(crate) shell: Shell,
}

impl Screen {
    /// Opens `shell` in a terminal of so many columns and rows.
    pub(crate) fn open(shell: Shell, columns: u16, rows: u16) -> Self {
        let command = shell.command();
        Self::of(shell, command, columns, rows)
    }

    /// Opens another program in the home of `shell`.
    pub(crate) fn of(shell: Shell, command: Command, columns: u16, rows: u16) -> Self {
        let mut process = PtyProcess::new(command).unwrap();
        // An interactive shell ignores SIGTERM.
        process.set_kill_timeout(Some(500));
        let keys = process.get_file_handle().unwrap();
        set_size(&keys, columns, rows);
        let emulator = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 2000)));
        let (mut bytes, screen) = (process.get_file_handle().unwrap(), Arc::clone(&emulator));
        let shown = Arc::<Mutex<Vec<u8>>>::default();
        let written = Arc::clone(&shown);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = bytes.read(&mut buffer) {
                written.lock().unwrap().extend(&buffer[..count]);
                screen.lock().unwrap().process(&buffer[..count]);
            }
        });
        Self { process, keys, emulator, shown, shell }
    }

    /// The prompt of the sandbox `name`, as wide as most people's.
    pub(crate) fn sandbox(name: &str) -> Self {
        let screen = Self::open(Shell::sandbox(name), 100, 30);
        screen.until(|text| text.ends_with("sandbox>"));
        screen
    }

    /// Types.
    pub(crate) fn keys(&mut self, keys: &str) -> &mut Self {
        self.bytes(keys.as_bytes())
    }

    /// Sends these bytes, whatever they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.keys.write_all(bytes).unwrap();
        self.keys.flush().unwrap();
        self
    }

    /// Everything on the screen, without what is empty at its end and at the end of its lines.
    pub(crate) fn text(&self) -> String {
        let emulator = self.emulator.lock().unwrap();
        let text: Vec<String> = emulator.screen().rows(0, u16::MAX).map(|row| row.trim_end().to_owned()).collect();
        text.join("\n").trim_end().to_owned()
    }

    /// Everything that was written to the terminal, as it came.
    pub(crate) fn bytes_shown(&self) -> Vec<u8> {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until the cursor stands in this column, from 0.
    #[track_caller]
    pub(crate) fn cursor_comes_to(&self, column: usize) {
        let begin = Instant::now();
        loop {
            let (row, at) = self.emulator.lock().unwrap().screen().cursor_position();
            if usize::from(at) == column {
                return;
            }
            assert!(begin.elapsed() < PATIENCE, "the cursor is at {row}, {at}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// How the text `part` is drawn that is on the screen: its colour, and whether it is bold.
    pub(crate) fn look_of(&self, part: &str) -> (vt100::Color, bool) {
        let emulator = self.emulator.lock().unwrap();
        let rows: Vec<String> = emulator.screen().rows(0, u16::MAX).collect();
        let (row, column) = rows.iter().enumerate().rev().find_map(|(at, row)| Some((at, row.find(part)?))).unwrap();
        let cell = emulator.screen().cell(u16::try_from(row).unwrap(), u16::try_from(column).unwrap()).unwrap();
        (cell.fgcolor(), cell.bold())
    }

    /// Waits until the screen is so.
    #[track_caller]
    pub(crate) fn until(&self, is_so: impl Fn(&str) -> bool) -> String {
        let begin = Instant::now();
        loop {
            let text = self.text();
            if is_so(&text) {
                return text;
            }
            assert!(begin.elapsed() < PATIENCE, "the screen never came; it shows\n{text}\n");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until `part` is on the screen. A line break at its end waits for what comes below: `text` has none there.
    #[track_caller]
    pub(crate) fn shows(&mut self, part: &str) -> &mut Self {
        self.until(|text| text.contains(part));
        self
    }

    /// Asks for candidates until `part` is among them: they may be learnt a moment later.
    #[track_caller]
    pub(crate) fn tabs(&mut self, part: &str) -> &mut Self {
        let begin = Instant::now();
        while !self.text().contains(part) {
            assert!(begin.elapsed() < PATIENCE, "it never came; the screen shows\n{}\n", self.text());
            self.keys(key::TAB);
            std::thread::sleep(Duration::from_millis(50));
        }
        self
    }

    /// Waits until the last line is `line`, how long the last command took left out of it: that is the machine's.
    #[track_caller]
    pub(crate) fn ends(&mut self, line: &str) -> &mut Self {
        self.until(|text| text.lines().last().is_some_and(|last| without_time(last) == line));
        self
    }

    /// Gives the terminal another size, of which the program hears by a signal.
    pub(crate) fn resize(&mut self, columns: u16, rows: u16) -> &mut Self {
        self.emulator.lock().unwrap().screen_mut().set_size(rows, columns);
        set_size(&self.keys, columns, rows);
        self
    }

    /// The process id of the program that has the terminal.
    pub(crate) fn pid(&self) -> i32 {
        rustix::termios::tcgetpgrp(&self.keys).unwrap().as_raw_pid()
    }

    /// Waits until the program has ended, in whichever way.
    #[track_caller]
    pub(crate) fn is_over(&self) {
        ended(&self.process);
    }

    /// Waits until the program has ended, and says with which code.
    #[track_caller]
    pub(crate) fn code(&self) -> i32 {
        match ended(&self.process) {
            WaitStatus::Exited(_, code) => code,
            other => panic!("{other:?}"),
        }
    }
}

/// Waits until a process in a terminal has ended, and says how.
#[track_caller]
pub(crate) fn ended(process: &PtyProcess) -> WaitStatus {
    let begin = Instant::now();
    loop {
        let status = process.status().unwrap();
        if status != WaitStatus::StillAlive {
            return status;
        }
        assert!(begin.elapsed() < PATIENCE, "it has not ended");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A prompt's line without ` [1.2s]`.
fn without_time(line: &str) -> String {
    let time = line.split_once(" [").and_then(|(before, rest)| Some((before, rest.split_once("s]>")?)));
    match time {
        Some((before, (seconds, behind))) if seconds.parse::<f64>().is_ok() => format!("{before}>{behind}"),
        _ => line.to_owned(),
    }
}

/// Gives a terminal a size.
pub(crate) fn set_size(terminal: &File, columns: u16, rows: u16) {
    let size = rustix::termios::Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    rustix::termios::tcsetwinsize(terminal, size).unwrap();
}

/// Keys by name.
pub(crate) mod key {
    pub(crate) const UP: &str = "\x1b[A";
    pub(crate) const DOWN: &str = "\x1b[B";
    pub(crate) const LEFT: &str = "\x1b[D";
    pub(crate) const RIGHT: &str = "\x1b[C";
    pub(crate) const CTRL_C: &str = "\x03";
    pub(crate) const CTRL_D: &str = "\x04";
    pub(crate) const CTRL_R: &str = "\x12";
    pub(crate) const END: &str = "\x05";
    pub(crate) const CTRL_Z: &str = "\x1a";
    pub(crate) const EDIT: &str = "\x18\x05";
    pub(crate) const ENTER: &str = "\r";
    pub(crate) const TAB: &str = "\t";
}
