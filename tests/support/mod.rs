//! What the tests and benches stand on: a real etcd, doubles of PD and of nodes, certificates.
//!
//! All on the loopback and on free ports; everything ends when it is dropped, a panic included. A bench includes it with
//! `#[path = "../tests/support/mod.rs"] mod support;`.
// Not every test and no bench uses all of it.
#![expect(dead_code, reason = "a stock for all tests and benches, of which none uses everything")]

pub(crate) mod certs;
pub(crate) mod cluster;
pub(crate) mod etcd;
pub(crate) mod fleet;
pub(crate) mod front;
pub(crate) mod held;
pub(crate) mod http_double;
pub(crate) mod live;
pub(crate) mod mariadb;
pub(crate) mod mirror;
pub(crate) mod pd_double;
pub(crate) mod proxies;
pub(crate) mod quorum;
mod tidb_double;
pub(crate) mod tiup;

use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A port that was free a moment ago. Another process may take it: whoever uses it tries again.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether all is tried (`make soak`), and not the sample of `make test`.
pub(crate) fn is_soak() -> bool {
    std::env::var("BINLOGSH_SOAK").is_ok_and(|times| times != "0")
}

/// Looks every few milliseconds until `done`; says whether that happened within `limit`.
pub(crate) fn eventually(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let began = Instant::now();
    loop {
        if done() {
            return true;
        }
        if began.elapsed() > limit {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a thread that was told to end, and may sleep in `accept`: `wake` connects to it, again and again, since the system may have
/// no socket for that just now. What it came to; `None` where it panicked, or does not end in ten seconds.
pub(crate) fn join_woken<T>(thread: JoinHandle<T>, wake: impl Fn()) -> Option<T> {
    for _ in 0..10_000 {
        wake();
        if thread.is_finished() {
            return thread.join().ok();
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    None
}

/// How much processor time the process `pid` has had, in ticks of the kernel (usually hundredths of a second).
pub(crate) fn processor_time(pid: i32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, behind_name) = stat.rsplit_once(')').unwrap();
    behind_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}

/// A record of a Pump or Drainer as it stands in etcd.
pub(crate) fn record(id: &str, address: &str, state: &str, max_commit_ts: i64, update_ts: i64) -> String {
    format!(
        r#"{{"nodeId":"{id}","host":"{address}","state":"{state}","isAlive":false,"score":0,"label":null,"maxCommitTS":{max_commit_ts},"updateTS":{update_ts}}}"#
    )
}
