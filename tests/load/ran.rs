//! A process that was run to its end: what it said, how long it took, and the most memory that it had.

use crate::harness::Shell;
use crate::support::eventually;
use rustix::process::{Pid, Signal, kill_process};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// No process takes longer.
const LONGEST: Duration = Duration::from_secs(300);

/// What a process did.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) code: Option<i32>,
    pub(super) time: Duration,
    /// In bytes.
    pub(super) peak: u64,
}

/// Runs `shell` to its end, without standard input.
pub(super) fn measured(shell: &Shell) -> Measured {
    run(shell.command())
}

/// Runs `command` to its end, without standard input.
pub(super) fn run(mut command: Command) -> Measured {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (pid, mut out, mut err) = (Pid::from_child(&child), child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let ended = Arc::<AtomicBool>::default();
    let peak = std::thread::spawn({
        let ended = ended.clone();
        move || peak_of(pid.as_raw_pid(), &ended)
    });
    let errors = std::thread::spawn(move || {
        let mut stderr = String::new();
        err.read_to_string(&mut stderr).map(|_| stderr).unwrap()
    });
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let limit = std::thread::spawn(move || {
        if is_done.recv_timeout(LONGEST) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            let _ = kill_process(pid, Signal::KILL); // it may just have ended
        }
    });
    let mut stdout = String::new();
    out.read_to_string(&mut stdout).unwrap();
    let stderr = errors.join().unwrap();
    let status = child.wait().unwrap();
    let time = begun.elapsed();
    drop(done);
    limit.join().unwrap();
    ended.store(true, Ordering::SeqCst);
    Measured { stdout, stderr, code: status.code(), time, peak: peak.join().unwrap() }
}

/// The most memory that the process `pid` has had, as it was last seen before it `ended`. What the kernel tells of one that has ended counts
/// the process that it was forked from.
fn peak_of(pid: i32, ended: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !ended.load(Ordering::SeqCst) {
        peak = number(pid, "VmHWM").map_or(peak, |kib| kib << 10);
        std::thread::sleep(Duration::from_millis(3));
    }
    peak
}

/// The number behind `name:` in what the kernel says of a process that lives.
pub(super) fn number(pid: i32, name: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How many files a process has open.
pub(super) fn open_files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// The process `pid` comes to have no more files open than `most`.
#[track_caller]
pub(super) fn comes_to_have(pid: u32, most: usize) {
    let is_so = eventually(Duration::from_secs(20), || open_files(pid) <= most);
    assert!(is_so, "process {pid} has {} files open, and had {most}", open_files(pid));
}
