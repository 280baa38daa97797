//! Rehearsals as whole processes: thousands of futures, on one core and on two, and a large cluster.

use crate::process::{ours, peak_mib, time};
use crate::row::{Row, median};
use std::process::Command;

/// How often each is timed.
const ROUNDS: usize = 3;

fn rehearse(args: &[&str]) -> Command {
    let mut command = ours();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/rolling_restart.rhai");
    // Where stories would be kept: there is no harm, so none is.
    command.current_dir(std::env::temp_dir());
    command.args(["rehearse", script, "--param", "takes=30s"]).args(args);
    command
}

fn futures(count: &str, jobs: &str) -> Command {
    rehearse(&["--sandbox", "--futures", count, "--jobs", jobs])
}

/// Ten thousand futures of the rolling restart on three Pumps and two Drainers, on two cores. At most 1.2 times the 3.88 s of
/// the time when simulated Drainers advanced smoothly: waits for them take longer since.
pub(crate) fn futures_10000() -> Row {
    let times = (0..ROUNDS).map(|_| time(futures("10000", "2"))).collect();
    Row::time("futures_10000", "s", median(times)).at_most(4.6)
}

/// The same on one core and on two, in turn.
pub(crate) fn futures_two_cores() -> Row {
    let pair = |_| {
        let one = time(futures("5000", "1"));
        (one, time(futures("5000", "2")))
    };
    let pairs: Vec<(f64, f64)> = (0..ROUNDS).map(pair).collect();
    let median_of = |figure: fn(&(f64, f64)) -> f64| median(pairs.iter().map(figure).collect());
    let (two, one) = (median_of(|(_, two)| *two), median_of(|(one, _)| *one));
    Row::paired("futures_two_cores", "s", (two, one, median_of(|(one, two)| one / two))).at_least(1.8)
}

/// What a hundred thousand futures take of memory.
pub(crate) fn futures_memory() -> Row {
    Row::size("futures_memory", "MiB", peak_mib(futures("100000", "2"))).at_most(64.0)
}

/// One rehearsal with 200 Pumps and 50 Drainers.
pub(crate) fn rehearse_250_nodes() -> Row {
    let node = |kind: &str, i: usize, port: u16| {
        format!(r#"{{"id":"{kind}-{i:03}","address":"10.1.{}.{}:{port}"}}"#, i / 250, i % 250 + 1)
    };
    let pumps: Vec<String> = (0..200).map(|i| node("pump", i, 8250)).collect();
    let drainers: Vec<String> = (0..50).map(|i| node("drainer", i, 8249)).collect();
    let tidb = r#"[{"address":"10.0.1.31:4000","writes_per_second":20}]"#;
    let (pumps, drainers) = (pumps.join(","), drainers.join(","));
    let scenario = format!(r#"{{"version":1,"pumps":[{pumps}],"drainers":[{drainers}],"tidb":{tidb}}}"#);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("large.json");
    std::fs::write(&file, scenario).unwrap();
    let file = file.display().to_string();
    let times = (0..ROUNDS).map(|_| time(rehearse(&["--snapshot", &file]))).collect();
    Row::time("rehearse_250_nodes", "s", median(times)).at_most(2.0)
}
