//! The one harness: a line says the cluster, the script and the answer.
//!
//! Runs the real binary with a home of its own, so that nothing of this host is read or written.

pub(crate) mod screen;

use binlogsh::error::ErrorKind;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A call of the program that is being put together.
pub(crate) struct Shell {
    home: tempfile::TempDir,
    args: Vec<String>,
    env: Vec<(String, String)>,
}

/// What the program did.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Everything it said on standard output.
    pub(crate) stdout: String,
    /// Everything it said on standard error.
    pub(crate) stderr: String,
    /// Its exit code; 128 plus the signal if one ended it.
    pub(crate) code: i32,
    /// Its home, kept until the assertions are over.
    home: tempfile::TempDir,
}

impl Shell {
    /// The program, with these first arguments.
    pub(crate) fn new(args: &[&str]) -> Self {
        let args = args.iter().map(|arg| (*arg).to_owned()).collect();
        Self { home: tempfile::tempdir().unwrap(), args, env: Vec::new() }
    }

    /// On the sample cluster `name`.
    pub(crate) fn sandbox(name: &str) -> Self {
        Self::new(&[&format!("--sandbox={name}")])
    }

    /// On a cluster whose PD is at `url`.
    pub(crate) fn live(url: &str) -> Self {
        Self::new(&["--pd-urls", url])
    }

    /// Says yes to questions.
    pub(crate) fn yes(self) -> Self {
        self.arg("--yes")
    }

    /// One more argument.
    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// A variable of the environment.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// A file in its working directory.
    pub(crate) fn file(self, name: &str, text: &str) -> Self {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Its working directory, which is its home as well.
    pub(crate) fn dir(&self) -> &Path {
        self.home.path()
    }

    /// Runs `-e code`.
    pub(crate) fn eval(self, code: &str) -> Ran {
        self.arg("-e").arg(code).go()
    }

    /// Runs a script file with `--param`s.
    pub(crate) fn run(self, script: impl AsRef<Path>, params: &[&str]) -> Ran {
        let mut shell = self.arg("run").arg(script.as_ref().display().to_string());
        for param in params {
            shell = shell.arg("--param").arg(*param);
        }
        shell.go()
    }

    /// Runs it with no standard input.
    pub(crate) fn go(self) -> Ran {
        self.pipe("")
    }

    /// Runs it under another name, with no standard input.
    pub(crate) fn go_as(self, program: impl AsRef<OsStr>) -> Ran {
        let command = self.command_as(program);
        self.run_to_its_end(command, "", |_| {})
    }

    /// Runs it with no standard input, as `change` leaves the process that is begun.
    pub(crate) fn go_with(self, change: impl FnOnce(&mut Command)) -> Ran {
        let mut command = self.command();
        change(&mut command);
        self.run_to_its_end(command, "", |_| {})
    }

    /// Runs it with `text` on standard input.
    pub(crate) fn pipe(self, text: &str) -> Ran {
        let command = self.command();
        self.run_to_its_end(command, text, |_| {})
    }

    /// Runs it with no standard input, and hands each line of standard error to `watch` as it comes.
    pub(crate) fn watched(self, watch: impl FnMut(&str)) -> Ran {
        let command = self.command();
        self.run_to_its_end(command, "", watch)
    }

    fn run_to_its_end(self, mut command: Command, text: &str, mut watch: impl FnMut(&str)) -> Ran {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdin, text) = (child.stdin.take().unwrap(), text.to_owned());
        let writer = std::thread::spawn(move || {
            // A program that does not read its input closes the pipe: no fault.
            let _ = stdin.write_all(text.as_bytes());
        });
        let mut out = child.stdout.take().unwrap();
        let reader = std::thread::spawn(move || {
            let mut stdout = String::new();
            out.read_to_string(&mut stdout).unwrap();
            stdout
        });
        let errors = BufReader::new(child.stderr.take().unwrap());
        let child = Arc::new(Mutex::new(child));
        let (finished, limit) = (Arc::<AtomicBool>::default(), child.clone());
        let guard = std::thread::spawn({
            let finished = finished.clone();
            move || end_after(&limit, &finished)
        });
        let mut stderr = String::new();
        for line in errors.lines() {
            let line = line.unwrap();
            watch(&line);
            stderr += &line;
            stderr.push('\n');
        }
        let stdout = reader.join().unwrap();
        let status = wait(&child);
        finished.store(true, Ordering::SeqCst);
        writer.join().unwrap();
        guard.join().unwrap();
        Ran { stdout, stderr, code: code_of(status), home: self.home }
    }

    /// The process itself, for tests that talk to it while it runs. The home lives as long as `self`.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_binlogsh"));
        self.prepare(&mut command);
        command
    }

    /// The process under another name.
    pub(crate) fn command_as(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        let home = self.home.path();
        command.args(&self.args).current_dir(home).env_clear();
        command.env("HOME", home).env("TZ", "UTC").env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("TERM", "xterm").env("PAGER", "cat").envs(self.env.iter().map(|(name, value)| (name, value)));
    }
}

/// No call of a test takes longer.
const LONGEST: Duration = Duration::from_secs(300);

/// Ends a process that takes too long.
fn end_after(child: &Mutex<Child>, finished: &AtomicBool) {
    let begin = Instant::now();
    while !finished.load(Ordering::SeqCst) {
        if begin.elapsed() > LONGEST {
            let _ = child.lock().unwrap().kill();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits without keeping the process from being ended meanwhile.
fn wait(child: &Mutex<Child>) -> ExitStatus {
    loop {
        if let Some(status) = child.lock().unwrap().try_wait().unwrap() {
            return status;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The exit code; 128 plus the signal if one ended it.
fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

impl Ran {
    /// Its home, where it wrote its files.
    pub(crate) fn dir(&self) -> &Path {
        self.home.path()
    }

    /// It exits with 0.
    #[track_caller]
    pub(crate) fn succeeds(self) -> Self {
        self.exits(0)
    }

    /// It exits with `code`.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, code, "exit code\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// It fails with an error of this kind: its exit code, and its name on standard error.
    #[track_caller]
    pub(crate) fn fails(self, kind: ErrorKind) -> Self {
        self.exits(i32::from(kind.exit_code())).stderr_contains(kind.name())
    }

    /// Standard output is just this.
    #[track_caller]
    pub(crate) fn stdout(self, expected: &str) -> Self {
        assert_eq!(self.stdout.trim_end(), expected.trim_end(), "--- stderr\n{}", self.stderr);
        self
    }

    /// Standard output has this in it.
    #[track_caller]
    pub(crate) fn stdout_contains(self, part: &str) -> Self {
        assert!(self.stdout.contains(part), "no `{part}` in\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// Standard error has this in it.
    #[track_caller]
    pub(crate) fn stderr_contains(self, part: &str) -> Self {
        assert!(self.stderr.contains(part), "no `{part}` in\n{}\n--- stdout\n{}", self.stderr, self.stdout);
        self
    }
}

/// A file of this project.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
