//! Whole processes: ours against `etcdctl`, both against the same port.

use crate::row::{Row, median};
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::record;
use rexpect::reader::Options;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const PAIRS: usize = 15;
/// No process of a bench takes longer.
const LONGEST: Duration = Duration::from_secs(60);
const PREFIX: &str = "/tidb-binlog/v1/";

/// A cluster of records without processes behind them: PD's double on a real etcd.
pub(crate) struct Records {
    _etcd: Etcd,
    _pd: PdDouble,
    url: String,
}

impl Records {
    /// With the records of `count` Pumps.
    pub(crate) fn start(count: usize) -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let ts = pd.now();
        let pair = |i: usize| {
            let id = format!("pump-{i:05}");
            (format!("{PREFIX}pumps/{id}"), record(&id, &format!("{id}.example:8250"), "online", ts, ts))
        };
        etcd.kv().put_all(&(0..count).map(pair).collect::<Vec<_>>());
        Self { url: pd.url(), _etcd: etcd, _pd: pd }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn etcdctl(&self, args: &[&str]) -> Command {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").arg("--endpoints").arg(&self.url).args(args);
        command
    }

    fn ours(&self, args: &[&str]) -> Command {
        let mut command = ours();
        command.arg("--pd-urls").arg(&self.url).args(args);
        command
    }
}

pub(crate) fn ours() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_binlogsh"));
    command.env_clear().env("HOME", std::env::temp_dir()).env("TERM", "xterm");
    command
}

/// Seconds that a whole process takes, with somebody who reads what it says to its end.
pub(crate) fn time(mut command: Command) -> f64 {
    let begin = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    // A thread that waits costs less than looking again and again; one that is too slow is ended from here.
    let (done, is_done) = std::sync::mpsc::channel();
    let id = Pid::from_child(&child);
    let limit = std::thread::spawn(move || {
        if is_done.recv_timeout(LONGEST).is_err() {
            let _ = kill_process(id, Signal::KILL); // it may just have ended
        }
    });
    let said = std::io::copy(&mut child.stdout.take().unwrap(), &mut std::io::sink()).unwrap();
    let status = child.wait().unwrap();
    let took = begin.elapsed().as_secs_f64();
    done.send(()).unwrap();
    limit.join().unwrap();
    assert!(status.success(), "{command:?} failed after {said} bytes");
    took
}

/// Both commands in turn after a warm-up: the medians in milliseconds, and the median of the ratios ours / peer.
fn pairs(count: usize, ours: impl Fn() -> Command, peer: impl Fn() -> Command) -> (f64, f64, f64) {
    time(ours());
    time(peer());
    let figures: Vec<(f64, f64)> = (0..count).map(|_| (time(ours()), time(peer()))).collect();
    (
        median(figures.iter().map(|(ours, _)| ours * 1000.0).collect()),
        median(figures.iter().map(|(_, peer)| peer * 1000.0).collect()),
        median(figures.iter().map(|(ours, peer)| ours / peer).collect()),
    )
}

/// `pumps()` against `etcdctl get --prefix`.
pub(crate) fn list(cluster: &Records, name: &'static str, limit: f64) -> Row {
    let figures = pairs(PAIRS, || cluster.ours(&["-e", "pumps()"]), || cluster.etcdctl(&["get", "--prefix", PREFIX]));
    Row::paired(name, "ms", figures).at_most(limit)
}

pub(crate) fn memory_list_3(cluster: &Records) -> Row {
    let mib = peak_mib(cluster.ours(&["-e", "pumps()"]));
    Row::size("memory_list_3", "MiB", mib).at_most(16.0)
}

/// Runs a program to its end and returns its peak memory in MiB.
pub(crate) fn peak_mib(mut command: Command) -> f64 {
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let used = wait4::Wait4::wait4(child).unwrap();
    assert!(used.status.success());
    (used.rusage.maxrss / 1024) as f64 / 1024.0
}

pub(crate) fn reads_200(cluster: &Records) -> Row {
    let code = "for i in 0..200 { pump(\"pump-00001\"); }";
    let get = format!(
        "i=0; while [ $i -lt 200 ]; do etcdctl --endpoints {} get {PREFIX}pumps/pump-00001 >/dev/null || exit 1; i=$((i+1)); done",
        cluster.url
    );
    let peer = || {
        let mut shell = Command::new("sh");
        shell.env("ETCDCTL_API", "3").args(["-c", &get]);
        shell
    };
    let (ours, peer, ratio) = pairs(3, || cluster.ours(&["-e", code]), peer);
    Row::paired("reads_200", "ms", (ours, peer, 1.0 / ratio)).at_least(25.0)
}

/// From the start of the process to the prompt on a real terminal, with nobody behind the endpoint.
pub(crate) fn first_prompt() -> Row {
    let open = || {
        let mut command = ours();
        command.args(["--pd-urls", "http://127.0.0.1:9"]);
        let begin = Instant::now();
        let options = Options::new().timeout_ms(Some(10_000));
        let mut pty = rexpect::session::spawn_with_options(command, options).unwrap();
        // The reader looks every 100 ms when it has found nothing, so look as often as it lets us.
        while !std::iter::from_fn(|| pty.try_read()).any(|c| c == '>') {
            std::thread::sleep(Duration::from_micros(50));
            assert!(begin.elapsed() < Duration::from_secs(10), "no prompt");
        }
        let took = begin.elapsed().as_secs_f64() * 1000.0;
        pty.send_control('d').unwrap();
        pty.exp_eof().unwrap();
        took
    };
    open();
    let ms = median((0..PAIRS).map(|_| open()).collect());
    Row::time("first_prompt", "ms", ms).at_most(10.0)
}

/// What a shell starts for a Tab where no cluster is asked, from the start of the process to its end: the slowest of some lines.
pub(crate) fn complete_shell() -> Row {
    let complete = |line: &str, replaced: &str| {
        let mut command = ours();
        command.env("_BINLOGSH_COMPLETE", "bash").args(["--", line, replaced]);
        command
    };
    let lines = [
        ("binlogsh ", ""),
        ("binlogsh run roll", "roll"),
        ("binlogsh --sandbox run rolling_restart --param only=pu", "pu"),
        ("binlogsh --sandbox ctl -cmd pause-drainer -node-id ", ""),
        ("binlogsh docs pumps::", ""),
    ];
    let median_of = |(line, replaced): (&str, &str)| {
        time(complete(line, replaced));
        median((0..PAIRS).map(|_| time(complete(line, replaced)) * 1000.0).collect())
    };
    let ms = lines.into_iter().map(median_of).fold(0.0, f64::max);
    Row::time("complete_shell", "ms", ms).at_most(15.0)
}

/// The tests of all shipped scripts, in one process.
pub(crate) fn test_all() -> Row {
    let run = || {
        let mut command = ours();
        command.args(["test", concat!(env!("CARGO_MANIFEST_DIR"), "/scripts")]);
        time(command)
    };
    run();
    let ours = median((0..7).map(|_| run()).collect());
    Row::time("test_all", "s", ours).at_most(5.0)
}

/// `check` of all shipped scripts and the library, from the start of the process to its end.
pub(crate) fn check_all() -> Row {
    let check = || {
        let mut command = ours();
        command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["check", "scripts", "stdlib"]);
        command
    };
    time(check());
    let ms = median((0..PAIRS).map(|_| time(check()) * 1000.0).collect());
    Row::time("check_all", "ms", ms).at_most(50.0)
}
