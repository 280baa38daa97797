//! Real processes that hold the lock and are stopped or killed: this test binary again, with one test that is the
//! process.

use super::{FIRST, SECOND, Setup, TTL, etcd, is_locked, rounds, until_locked};
use binlogsh::world::{LOCK_KEY, Notice};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The variable that says what the process does, and where.
const WORK: &str = "BINLOGSH_TEST_LOCK_WORK";

/// A process of this test binary. It is killed when it is dropped.
pub(super) struct Process {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(super) fn start(work: &str, url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "lock::process::the_process", "--nocapture"])
            .env(WORK, format!("{work} {url}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, input, lines: BufReader::new(output).lines() }
    }

    /// The next line that begins with `> `; what the test harness says is left out.
    #[track_caller]
    pub(super) fn says(&mut self) -> String {
        loop {
            let Some(line) = self.lines.next() else { panic!("the process ended") };
            let line = line.unwrap();
            // The harness writes the name of the test before it, on the same line.
            if let Some((_, said)) = line.split_once("> ") {
                return said.to_owned();
            }
        }
    }

    fn tell(&mut self) {
        writeln!(self.input).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other process of the tests beside it; by itself it does nothing.
#[test]
fn the_process() {
    let Ok(work) = std::env::var(WORK) else { return };
    let (work, url) = work.split_once(' ').unwrap();
    match work {
        "hold" => hold(url),
        "rounds" => rounds::go(url, &format!("process {}", std::process::id()), |line| say(&line)),
        other => panic!("{other}"),
    }
}

fn say(line: &str) {
    std::io::stdout().write_all(format!("> {line}\n").as_bytes()).unwrap();
}

/// Two changes, and between them it waits until it is told to go on.
fn hold(url: &str) {
    let mut ann = Setup::new(url.into(), "ann").start();
    ann.delete(FIRST).unwrap();
    say("held");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    match ann.delete(SECOND) {
        Ok(_) => say("done"),
        Err(error) => say(error.kind.name()),
    }
    std::io::stdin().read_line(&mut String::new()).unwrap();
}

#[test]
fn a_process_that_was_stopped_for_longer_than_its_lease_stops_before_its_next_write() {
    let (etcd, mut kv) = etcd();
    let mut process = Process::start("hold", &etcd.url());
    assert_eq!(process.says(), "held");
    let before = kv.get(SECOND);
    process.signal(Signal::STOP);
    until_locked(&mut kv, false);
    // Another one takes it meanwhile, and has it when the first wakes.
    let mut bob = Setup::new(etcd.url(), "bob").start();
    kv.put("/tidb-binlog/v1/pumps/third", "{");
    bob.delete("/tidb-binlog/v1/pumps/third").unwrap();
    let lock = kv.get(LOCK_KEY);
    process.signal(Signal::CONT);
    process.tell();
    assert_eq!(process.says(), "lock_lost");
    assert_eq!(kv.get(SECOND), before, "nothing was written");
    process.tell();
    assert!(process.child.wait().unwrap().success());
    assert_eq!(kv.get(LOCK_KEY), lock, "the lock of the other one is as it was");
}

#[test]
fn a_process_that_was_stopped_for_less_than_its_lease_goes_on() {
    let (etcd, mut kv) = etcd();
    let mut process = Process::start("hold", &etcd.url());
    assert_eq!(process.says(), "held");
    process.signal(Signal::STOP);
    std::thread::sleep(TTL / 4);
    process.signal(Signal::CONT);
    process.tell();
    assert_eq!(process.says(), "done");
    assert!(is_locked(&mut kv));
}

#[test]
fn whoever_waits_gets_the_lock_of_a_killed_process_when_its_lease_ends() {
    let (etcd, mut kv) = etcd();
    let mut process = Process::start("hold", &etcd.url());
    assert_eq!(process.says(), "held");
    let who = format!("held by ann@here, pid {}", process.child.id());
    process.signal(Signal::KILL);
    process.child.wait().unwrap();
    assert!(is_locked(&mut kv), "nobody gave it back");
    let mut bob = Setup::new(etcd.url(), "bob").waiting(60).start();
    bob.delete(SECOND).unwrap();
    let shown = |notice: &Notice| matches!(notice, Notice::Progress(progress) if progress.to_string().contains(&who));
    assert!(bob.heard().iter().any(shown), "{:?}", bob.heard());
}
