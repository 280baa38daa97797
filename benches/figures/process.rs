//! Whole processes: ours against `etcdctl`, both against the same port.

use crate::row::{Row, Sense, median};
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use rexpect::reader::Options;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The argument by which this bench starts itself to measure one process alone.
pub(crate) const PEAK_MEMORY: &str = "--peak-memory-of";

const PAIRS: usize = 15;
const PREFIX: &str = "/tidb-binlog/v1/";

/// A cluster of records without processes behind them: PD's double on a real etcd.
pub(crate) struct Records {
    _etcd: Etcd,
    pd: PdDouble,
    url: String,
}

impl Records {
    pub(crate) fn start() -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let url = pd.url();
        Self { _etcd: etcd, pd, url }
    }

    /// Makes the records `from..to` of Pumps.
    fn put(&self, from: usize, to: usize) {
        let put = |i: usize| {
            let id = format!("pump-{i:05}");
            let ts = self.pd.now();
            let value = format!(
                r#"{{"nodeId":"{id}","host":"10.0.0.1:8250","state":"online","isAlive":false,"score":0,"label":null,"maxCommitTS":{ts},"updateTS":{ts}}}"#
            );
            format!("put {PREFIX}pumps/{id} '{value}'\n")
        };
        // One transaction takes at most 128 operations.
        let all: Vec<usize> = (from..to).collect();
        for chunk in all.chunks(100) {
            let puts: String = chunk.iter().map(|i| put(*i)).collect();
            let mut child = self.etcdctl(&["txn"]).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
            let mut stdin = child.stdin.take().unwrap();
            std::io::Write::write_all(&mut stdin, format!("\n{puts}\n\n").as_bytes()).unwrap();
            drop(stdin);
            assert!(child.wait().unwrap().success(), "etcdctl txn failed");
        }
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

fn ours() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_binlogsh"));
    command.env_clear().env("HOME", std::env::temp_dir()).env("TERM", "xterm");
    command
}

/// Seconds that a whole process takes.
fn time(mut command: Command) -> f64 {
    let begin = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    let took = begin.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?} failed");
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

fn list(cluster: &Records, name: &'static str, limit: f64) -> Row {
    let (ours, peer, value) =
        pairs(PAIRS, || cluster.ours(&["-e", "pumps()"]), || cluster.etcdctl(&["get", "--prefix", PREFIX]));
    Row { name, unit: "ms", ours, peer: Some(peer), value, limit, sense: Sense::Max }
}

pub(crate) fn list_3(cluster: &Records) -> Row {
    cluster.put(0, 3);
    list(cluster, "list_3", 0.35)
}

/// Leaves the cluster with three records, as it was.
pub(crate) fn list_10000(cluster: &Records) -> Row {
    cluster.put(3, 10_000);
    let row = list(cluster, "list_10000", 0.6);
    let mut clean =
        cluster.etcdctl(&["del", &format!("{PREFIX}pumps/pump-00003"), &format!("{PREFIX}pumps/pump-99999")]);
    assert!(clean.stdout(Stdio::null()).status().unwrap().success());
    row
}

pub(crate) fn memory_list_3(cluster: &Records) -> Row {
    let mut measure = Command::new(std::env::current_exe().unwrap());
    measure.arg(PEAK_MEMORY).args(["--pd-urls", &cluster.url, "-e", "pumps()"]);
    let output = measure.output().unwrap();
    let kib: f64 = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    let mib = kib / 1024.0;
    Row { name: "memory_list_3", unit: "MiB", ours: mib, peer: None, value: mib, limit: 16.0, sense: Sense::Max }
}

/// Runs our program with `args` and returns its peak memory in KiB; nothing else was run by this process before.
pub(crate) fn peak_memory_of(args: &[String]) -> i64 {
    let status = ours().args(args).stdout(Stdio::null()).status().unwrap();
    assert!(status.success());
    nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_CHILDREN).unwrap().max_rss()
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
    Row { name: "reads_200", unit: "ms", ours, peer: Some(peer), value: 1.0 / ratio, limit: 25.0, sense: Sense::Min }
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
    Row { name: "first_prompt", unit: "ms", ours: ms, peer: None, value: ms, limit: 10.0, sense: Sense::Max }
}
