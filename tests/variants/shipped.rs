//! The shipped scripts do no harm of their own: not by any single fault, not by futures, and on no sample.
//!
//! Every sixteenth single fault is tried, under `BINLOGSH_SOAK` each.

use super::{SEED, base, order, subjects};
use crate::support::is_soak;
use binlogsh::rehearsal::{Blame, Order, Tally, Which, rehearse};
use binlogsh::sim::Scenario;

/// How many futures of each script are played; four hundred times as many under `BINLOGSH_SOAK`.
const FUTURES: u64 = 250;
/// How many futures of each script on each other cluster.
const ELSEWHERE: u64 = 30;

type Script = (&'static str, &'static [(&'static str, &'static str)]);

const ROLLING_RESTART: Script = ("scripts/rolling_restart.rhai", &[]);
const DECOMMISSION_PUMP: Script = ("scripts/decommission_pump.rhai", &[("pump", "pump-1")]);
const HEALTH: Script = ("scripts/health.rhai", &[]);

/// The tally of a script that did no harm of its own.
fn harmless((file, parameters): Script, scenario: Scenario, order: &Order) -> Tally {
    let about = format!("{file} on {}", serde_json::to_string(&scenario).unwrap());
    let subjects = subjects(file, parameters, scenario);
    let base = base(&subjects);
    let ours = base.harms.iter().find(|harm| harm.blame == Blame::Script);
    assert!(ours.is_none(), "without faults {about}: {ours:?}");
    let tally = rehearse(&subjects, &base, order).unwrap();
    let ours: Vec<_> = tally.shortest.iter().filter(|story| story.blame != Blame::BadLuck).collect();
    assert!(ours.is_empty() && !tally.did_harm(), "{about}: {ours:#?}");
    tally
}

fn default_sample() -> Scenario {
    Scenario::named("default").unwrap()
}

/// So many drawn futures, and more of them in a soak.
fn drawn(count: u64) -> Order {
    order(Which::Drawn { seed: SEED, count: count * times() })
}

fn times() -> u64 {
    if is_soak() { 400 } else { 1 }
}

#[expect(clippy::print_stdout, reason = "rows for docs/simulator.md, seen with --nocapture")]
fn no_random_future_harms(script: Script) {
    let tally = harmless(script, default_sample(), &drawn(FUTURES));
    println!("| `{}` | {} | {:?} | {:?} |", script.0, tally.futures, tally.outcomes, tally.harms);
    assert_eq!(tally.futures, FUTURES * times());
}

fn no_single_fault_harms(script: Script, least: u64) {
    let parts = if is_soak() { 1 } else { 16 };
    let tally = harmless(script, default_sample(), &Order { shard: (1, parts), ..order(Which::Every) });
    assert!(tally.futures > least / parts, "{}: only {} faults", script.0, tally.futures);
}

#[test]
fn no_random_future_makes_the_rolling_restart_do_harm() {
    no_random_future_harms(ROLLING_RESTART);
}

#[test]
fn no_random_future_makes_the_decommissioning_do_harm() {
    no_random_future_harms(DECOMMISSION_PUMP);
}

#[test]
fn no_random_future_makes_the_health_check_do_harm() {
    no_random_future_harms(HEALTH);
}

#[test]
fn no_single_fault_makes_the_rolling_restart_do_harm() {
    no_single_fault_harms(ROLLING_RESTART, 10_000);
}

#[test]
fn no_single_fault_makes_the_decommissioning_do_harm() {
    no_single_fault_harms(DECOMMISSION_PUMP, 3_000);
}

#[test]
fn no_single_fault_makes_the_health_check_do_harm() {
    no_single_fault_harms(HEALTH, 400);
}

#[test]
fn a_cluster_in_trouble_is_not_harmed() {
    for sample in [
        "paused-drainer",
        "closing-pump",
        "dead-drainer",
        "lost-pump",
        "lagging-drainer",
        "duplicate-address",
        "skipping-tidb",
        "malformed-record",
    ] {
        for script in [ROLLING_RESTART, DECOMMISSION_PUMP, HEALTH] {
            harmless(script, Scenario::named(sample).unwrap(), &drawn(ELSEWHERE));
        }
    }
}

/// A cluster of so many Pumps and Drainers, all well.
fn cluster(pumps: usize, drainers: usize) -> Scenario {
    let nodes = |kind: &str, count: usize, host: usize, port: u16| {
        let node = |at: usize| {
            format!(r#"{{"id": "{kind}-{at}", "address": "10.0.1.{}:{port}", "supervisor": true}}"#, host + at)
        };
        (0..count).map(node).collect::<Vec<_>>().join(", ")
    };
    let text = format!(
        r#"{{"version": 1, "pumps": [{}], "drainers": [{}], "tidb": [{{"address": "10.0.1.41:4000", "writes_per_second": 20}}]}}"#,
        nodes("pump", pumps, 11, 8250),
        nodes("drainer", drainers, 21, 8249)
    );
    Scenario::parse(&text).unwrap()
}

#[test]
fn clusters_of_other_sizes_are_not_harmed() {
    for (pumps, drainers) in [(2, 1), (2, 3), (5, 1), (5, 3)] {
        for script in [ROLLING_RESTART, DECOMMISSION_PUMP] {
            harmless(script, cluster(pumps, drainers), &drawn(ELSEWHERE));
        }
    }
}
