//! Programs that a script runs on this host: started, listened to, and ended when it is time.
//!
//! One thread does it all: it polls both pipes, and looks every few milliseconds whether the program has ended, its
//! time is over or we are to stop. The program leads a process group of its own, so that it can be ended with all that
//! it started. Until it is reaped its number belongs to nobody else, so the group is killed before that.

use crate::error::{Error, ErrorKind, Result};
use crate::live::Live;
use crate::live::clock::{Deadline, TICK, rest};
use crate::time::show_seconds;
use crate::world::{Answer, Exec, Notice, Notices, OutputStream, ProgramEnd};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, test_kill_process_group, waitid};
use std::ffi::OsStr;
use std::fmt::{Display, Formatter};
use std::fs::File;
use std::io::{ErrorKind as Io, Read};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How much of what it says is kept of each stream.
const KEPT: usize = 64 << 10;
/// A longer line is shown in pieces.
const LONGEST_LINE: usize = 4 << 10;
/// How long it has to end by itself once it was told to.
const GRACE: Duration = Duration::from_secs(2);
/// How long one that was killed may take to be gone.
const KILLED: Duration = Duration::from_secs(1);
/// How long we listen at most to what is still in the pipes once it has ended.
const LAST_WORDS: Duration = Duration::from_secs(1);

impl Live {
    /// Runs the program and waits for its end.
    ///
    /// # Errors
    /// `refused` where programs must not be run; `not_found` or `local` when it cannot be started; `timeout` and
    /// `interrupted` after it was killed with all that it started, or with what still runs since it may not be ended.
    pub(super) fn exec(&mut self, exec: &Exec) -> Result<Answer> {
        if !self.programs {
            return Err(exec.not_allowed());
        }
        let notices = self.notices.clone();
        self.run_program(exec, &notices).map(Answer::Ran)
    }

    /// Runs a program to its end, whatever its exit status; what it says goes to `notices` as it comes.
    ///
    /// # Errors
    /// As [`Live::exec`].
    pub(super) fn run_program(&mut self, exec: &Exec, notices: &Notices) -> Result<ProgramEnd> {
        self.interrupt.check()?;
        let deadline = Deadline::after(exec.limit());
        let mut running = Running::start(exec, &self.kept_back, notices)?;
        loop {
            running.listen(TICK);
            if running.has_ended() {
                return running.finish();
            }
            if let Err(error) = self.interrupt.check() {
                return Err(stopped(exec, error, running.kill()));
            }
            if deadline.is_over() {
                return Err(took_too_long(exec, running.kill()));
            }
        }
    }
}

fn took_too_long(exec: &Exec, left: Option<LeftRunning>) -> Error {
    let begin = format!("{exec} had not ended after {}", show_seconds(exec.limit().as_secs_f64()));
    match left {
        None => Error::new(ErrorKind::Timeout, format!("{begin} and was killed with all that it started"))
            .hint("what it had done by then stays done: look, then run it again or give it a longer `timeout`"),
        Some(left) => Error::new(ErrorKind::Timeout, format!("{begin} and {left}")).hint(left.hint()),
    }
}

fn stopped(exec: &Exec, error: Error, left: Option<LeftRunning>) -> Error {
    let begin = format!("{}; {exec}", error.message);
    match left {
        None => Error { message: format!("{begin} was killed, and what it had done by then stays done"), ..error },
        Some(left) => Error { message: format!("{begin} {left}"), ..error }.hint(left.hint()),
    }
}

/// What still runs of a program that was to be ended: one that runs as somebody else, as by sudo, is not ours to end.
enum LeftRunning {
    /// The program itself, and why.
    Program(Pid, &'static str),
    /// Something that it started, in its process group.
    Started(Pid),
}

impl LeftRunning {
    fn hint(&self) -> String {
        let (Self::Program(group, _) | Self::Started(group)) = self;
        let group = group.as_raw_nonzero();
        format!(
            "it may still do what it was to do: wait for its end and look, or have whoever may end it: `kill -- -{group}`"
        )
    }
}

impl Display for LeftRunning {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Program(pid, why) => {
                write!(f, "could not be ended ({why}): it still runs, pid {}", pid.as_raw_nonzero())
            }
            Self::Started(group) => write!(
                f,
                "has ended, but what it started could not be ended (permission denied): that still runs, process group {}",
                group.as_raw_nonzero()
            ),
        }
    }
}

/// A process, and what it says.
struct Running {
    child: Child,
    group: Pid,
    stdout: Listener,
    stderr: Listener,
}

impl Running {
    fn start(exec: &Exec, kept_back: &[String], notices: &Notices) -> Result<Self> {
        let mut command = Command::new(&exec.program);
        command.args(&exec.args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
        // What is ours, the key of `encrypt` above all, is no affair of other programs, and no secret is.
        let is_ours = |name: &OsStr| {
            name.as_encoded_bytes().starts_with(b"BINLOG") || kept_back.iter().any(|kept| name == kept.as_str())
        };
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_ours(name)) {
            if !exec.env.iter().any(|handed| name == handed.as_str()) {
                command.env_remove(name);
            }
        }
        if let Some(unset) = exec.env.iter().find(|name| std::env::var_os(name).is_none()) {
            return Err(Error::invalid(format!("{exec} is to get the variable {unset}, which is not set"))
                .hint("set it where binlogsh is started, or leave it out of `env`"));
        }
        let mut child = command.spawn().map_err(|fault| not_started(exec, &fault))?;
        let stdout = Listener::new(child.stdout.take().map(OwnedFd::from), OutputStream::Stdout, notices);
        let stderr = Listener::new(child.stderr.take().map(OwnedFd::from), OutputStream::Stderr, notices);
        Ok(Self { group: Pid::from_child(&child), child, stdout, stderr })
    }

    /// Waits at most `time` for it to say something, and takes what it says. Returns whether it said anything.
    fn listen(&mut self, time: Duration) -> bool {
        let mut listeners: Vec<&mut Listener> =
            [&mut self.stdout, &mut self.stderr].into_iter().filter(|listener| listener.pipe.is_some()).collect();
        let ready: Vec<bool> = {
            let pipes = listeners.iter().filter_map(|listener| listener.pipe.as_ref());
            let mut polled: Vec<PollFd<'_>> = pipes.map(|pipe| PollFd::new(pipe, PollFlags::IN)).collect();
            let time = Timespec { tv_sec: 0, tv_nsec: i64::from(time.subsec_nanos()) };
            // Whatever goes wrong here is temporary, and the next look is near.
            match poll(&mut polled, Some(&time)) {
                Ok(_) => polled.iter().map(|fd| !fd.revents().is_empty()).collect(),
                Err(_) => Vec::new(),
            }
        };
        let mut any = false;
        for (listener, _) in listeners.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            any |= listener.take();
        }
        any
    }

    /// Whether it has ended. It is not reaped yet.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.group), options) {
            Ok(status) => status.is_some(),
            // Nobody else reaps it; if it is gone all the same, there is nothing to wait for.
            Err(error) => error == Errno::CHILD,
        }
    }

    /// How it ended, with its last words. What it left behind in the background goes on.
    fn finish(mut self) -> Result<ProgramEnd> {
        let enough = Deadline::after(LAST_WORDS);
        while self.listen(Duration::ZERO) && !enough.is_over() {}
        let status = self.child.wait().map_err(|e| Error::local("cannot learn how the program ended").source(e))?;
        let status = status.code().or(status.signal().map(|signal| -signal)).unwrap_or(i32::MAX);
        Ok(ProgramEnd { status, stdout: self.stdout.end(), stderr: self.stderr.end() })
    }

    /// Ends it and all that it started: it is told to, and what is still there after a while is killed. Says what runs on all
    /// the same.
    fn kill(mut self) -> Option<LeftRunning> {
        // A group that is empty already cannot be told anything; no fault.
        let _ = kill_process_group(self.group, Signal::TERM);
        self.await_end(Deadline::after(GRACE));
        let killed = kill_process_group(self.group, Signal::KILL);
        let enough = Deadline::after(KILLED);
        let has_ended = self.await_end(enough);
        self.stdout.end();
        self.stderr.end();
        let Self { mut child, group, .. } = self;
        if has_ended {
            // It is reaped at once.
            let _ = child.wait();
            return has_left(group, enough).then_some(LeftRunning::Started(group));
        }
        // Whenever it ends, it is reaped; without a thread for that it waits for our own end.
        drop(std::thread::Builder::new().name("reaper".into()).spawn(move || child.wait()));
        let why = match killed {
            Err(Errno::PERM) => "permission denied",
            Ok(()) | Err(_) => "it was killed and has not gone",
        };
        Some(LeftRunning::Program(group, why))
    }

    /// Listens until it has ended, for no longer than `enough`. Returns whether it has.
    fn await_end(&mut self, enough: Deadline) -> bool {
        while !self.has_ended() {
            if enough.is_over() {
                return false;
            }
            self.listen(TICK);
        }
        true
    }
}

/// Whether anybody is left by `enough` in a process group that was killed, and is not ours to end. What is ours was killed, and
/// may wait to be reaped by whoever does that here.
fn has_left(group: Pid, enough: Deadline) -> bool {
    loop {
        match test_kill_process_group(group) {
            Ok(()) | Err(Errno::PERM) if !enough.is_over() => rest(TICK),
            left => return left == Err(Errno::PERM),
        }
    }
}

fn not_started(exec: &Exec, fault: &std::io::Error) -> Error {
    let program = &exec.program;
    let (kind, hint) = match fault.kind() {
        Io::NotFound if program.contains('/') => {
            (ErrorKind::NotFound, "give the path of a program whose interpreter is there too")
        }
        Io::NotFound => (ErrorKind::NotFound, "it is looked for in PATH: install it, or give its whole path"),
        Io::PermissionDenied => (ErrorKind::Local, "make it executable, and see that it is no directory"),
        Io::InvalidInput => (ErrorKind::Invalid, "neither a program nor an argument can hold a NUL character"),
        _ => (ErrorKind::Local, "run it by hand to see what is wrong with it"),
    };
    Error::new(kind, format!("cannot run the program {program:?}")).source(fault).hint(hint)
}

/// Takes what comes out of one pipe: shows it line by line, and keeps the end of it.
struct Listener {
    pipe: Option<File>,
    stream: OutputStream,
    notices: Notices,
    /// What has been read of the line that has not ended.
    line: Vec<u8>,
    kept: Vec<u8>,
    cut: usize,
}

impl Listener {
    fn new(pipe: Option<OwnedFd>, stream: OutputStream, notices: &Notices) -> Self {
        let pipe = pipe.map(File::from);
        Self { pipe, stream, notices: notices.clone(), line: Vec::new(), kept: Vec::new(), cut: 0 }
    }

    /// Takes what is there. Returns whether that was anything; at its end the pipe is closed.
    fn take(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        let read = match self.pipe.as_mut().map(|pipe| pipe.read(&mut buffer)) {
            Some(Ok(read)) => read,
            Some(Err(fault)) if fault.kind() == Io::Interrupted => return true,
            Some(Err(_)) | None => 0,
        };
        if read == 0 {
            self.pipe = None;
            return false;
        }
        self.keep(&buffer[..read]);
        for piece in buffer[..read].split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") || self.line.len() >= LONGEST_LINE {
                self.show();
            }
        }
        true
    }

    fn keep(&mut self, said: &[u8]) {
        self.kept.extend_from_slice(said);
        // Not at every piece: moving what is kept costs as much as it is long.
        if self.kept.len() > 2 * KEPT {
            self.cut_to_size();
        }
    }

    fn cut_to_size(&mut self) {
        let beyond = self.kept.len().saturating_sub(KEPT);
        self.kept.drain(..beyond);
        self.cut += beyond;
    }

    fn show(&mut self) {
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_end_matches(['\n', '\r']).to_owned();
        self.line.clear();
        (self.notices)(Notice::Said { stream: self.stream, line });
    }

    /// Shows a last line without an end, and gives what was kept.
    fn end(&mut self) -> String {
        if !self.line.is_empty() {
            self.show();
        }
        self.cut_to_size();
        let text = String::from_utf8_lossy(&self.kept);
        match self.cut {
            0 => text.into_owned(),
            cut => format!("[{cut} bytes before this are cut]\n{text}"),
        }
    }
}
