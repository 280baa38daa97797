//! No future makes a shipped script do harm of its own, and docs/procedures.md says what came of them.
//!
//! `BINLOGSH_SOAK` plays 10,000 futures and every fault at every event; it prints the rows of src/language/documenting/futures.md, and
//! fails where they differ from what stands there.

use super::{base, script, subjects, tried};
use crate::support::is_soak;
use binlogsh::language::{Shipped, shipped};
use binlogsh::rehearsal::{Blame, Order, Subjects, Tally, Which, judged, rehearse};
use binlogsh::sim::{Scenario, scenario_names};
use binlogsh::world::FaultKind;
use std::sync::Arc;

/// The seed of every future here.
const SEED: u64 = 1;
/// How many futures of each script are played.
const FUTURES: u64 = 60;
/// How many under `BINLOGSH_SOAK`.
const SOAKED: u64 = 10_000;
/// How many futures of each script on each other sample.
const ELSEWHERE: u64 = 10;
/// Of all single faults, one of so many is tried where nobody soaks.
const ONE_OF: u64 = 120;

fn order(which: Which, shard: (u64, u64)) -> Order {
    Order { which, kinds: FaultKind::ALL.to_vec(), shard, jobs: 1, notices: Arc::new(|_| {}) }
}

/// The tally of a script that did no harm of its own.
fn harmless(subjects: &Subjects, which: Which, shard: (u64, u64)) -> Tally {
    let base = base(subjects);
    assert_eq!(base.played.outcome(), "done", "{}: {:?}", subjects.source.name, base.played.ending);
    let ours = base.harms.iter().find(|harm| harm.blame == Blame::Script);
    assert!(ours.is_none(), "{} without faults: {ours:?}", subjects.source.name);
    let tally = rehearse(subjects, &base, &order(which, shard)).unwrap();
    let ours: Vec<_> = tally.shortest.iter().filter(|story| story.blame == Blame::Script).collect();
    assert!(ours.is_empty() && !tally.did_harm(), "{}: {ours:#?}", subjects.source.name);
    tally
}

/// A row of the table in docs/procedures.md.
fn row(name: &str, what: &str, tally: &Tally) -> String {
    let share = |count: u64| format!("{:.2} %", count as f64 * 100.0 / tally.futures as f64);
    let of = |outcome: &str| tally.outcomes.get(outcome).copied().unwrap_or(0);
    let named = ["done", "refused", "timeout", "unreachable"];
    let shares: Vec<String> = named.iter().map(|outcome| share(of(outcome))).collect();
    let others = tally.futures - named.iter().map(|outcome| of(outcome)).sum::<u64>();
    let unlucky: Vec<String> = tally
        .harms
        .iter()
        .filter_map(|(kind, blames)| Some(format!("`{}` {}", kind.name(), blames.get(&Blame::BadLuck)?)))
        .collect();
    let unlucky = if unlucky.is_empty() { "0".to_owned() } else { unlucky.join(", ") };
    format!("| `{name}` | {what} | {} | {} | 0 | {unlucky} |", shares.join(" | "), share(others))
}

/// The rows are what stands in docs/procedures.md.
#[expect(clippy::print_stdout, reason = "rows of src/language/documenting/futures.md, seen with --nocapture")]
fn are_written_down(rows: &[String]) {
    let rows = rows.join("\n");
    println!("{rows}");
    let table = include_str!("../../src/language/documenting/futures.md");
    assert!(table.contains(&rows), "renew src/language/documenting/futures.md:\n{rows}");
}

fn no_future_makes_it_do_harm(name: &str, more: &[(&str, &str)]) {
    let subjects = tried(script(name), more);
    let label = more.iter().fold(name.to_owned(), |label, (name, value)| format!("{label} {name}={value}"));
    let count = if is_soak() { SOAKED } else { FUTURES };
    let drawn = harmless(&subjects, Which::Drawn { seed: SEED, count }, (1, 1));
    let every = harmless(&subjects, Which::Every, (1, if is_soak() { 1 } else { ONE_OF }));
    if is_soak() {
        are_written_down(&[
            row(&label, "10,000 of seed 1", &drawn),
            row(&label, &format!("every fault, {}", every.futures), &every),
        ]);
    }
}

/// Accidents come in twos; under `BINLOGSH_SOAK` of every kind, and for a script that takes longer, too.
#[test]
fn no_pair_of_faults_makes_a_shipped_script_do_harm() {
    let (names, kinds): (&[&str], _) = match is_soak() {
        true => (&["decommission_pump", "rolling_restart"], FaultKind::ALL.to_vec()),
        false => (&["decommission_pump"], vec![FaultKind::Crash, FaultKind::Refuse]),
    };
    for name in names {
        let subjects = tried(script(name), &[]);
        let order = Order { kinds: kinds.clone(), jobs: 2, ..order(Which::EveryPair, (1, 1)) };
        let tally = rehearse(&subjects, &base(&subjects), &order).unwrap();
        assert!(tally.futures > 100 && !tally.did_harm(), "{name}: {}, {:#?}", tally.subject.futures, tally.shortest);
    }
}

/// With node control in the place of the human who starts nodes; under `BINLOGSH_SOAK` as many futures as without.
fn is_harmless_with_node_control(control: &str, scripts: impl Iterator<Item = Shipped>) {
    for script in scripts {
        let name = script.name;
        let scenario = Scenario {
            node_control: Some(serde_json::from_str(control).unwrap()),
            ..Scenario::named(script.sample).unwrap()
        };
        let played = subjects(script, scenario, &[]);
        let base = base(&played);
        assert_eq!(base.played.outcome(), "done", "{name} with {control}: {:?}", base.played.ending);
        let count = if is_soak() { SOAKED } else { ELSEWHERE / 2 };
        harmless(&played, Which::Drawn { seed: SEED, count }, (1, 1));
        harmless(&played, Which::Every, (1, if is_soak() { 1 } else { 20 * ONE_OF }));
    }
}

/// Half of the scripts each, so that they run at the same time.
fn half(which: usize) -> impl Iterator<Item = Shipped> {
    shipped().skip(which).step_by(2)
}

const BY_SYSTEMD: &str = r#"{"by": "systemd over ssh", "restarts": "on-failure"}"#;
/// A pod whose start script hands no signal on.
const BY_PODS_KILLED: &str =
    r#"{"by": "kubectl", "cannot": {"stop": "it would start again"}, "ends_by": "sigkill", "restarts": "on-failure"}"#;
const BY_PODS: &str = r#"{"by": "kubectl", "cannot": {"stop": "it would start again"}, "restarts": "always"}"#;

#[test]
fn no_future_makes_some_scripts_do_harm_where_systemd_starts_nodes() {
    is_harmless_with_node_control(BY_SYSTEMD, half(0));
}

#[test]
fn no_future_makes_the_other_scripts_do_harm_where_systemd_starts_nodes() {
    is_harmless_with_node_control(BY_SYSTEMD, half(1));
}

#[test]
fn no_future_makes_some_scripts_do_harm_where_pods_are_killed() {
    is_harmless_with_node_control(BY_PODS_KILLED, half(0));
}

#[test]
fn no_future_makes_the_other_scripts_do_harm_where_pods_are_killed() {
    is_harmless_with_node_control(BY_PODS_KILLED, half(1));
}

/// Where every pod comes back by itself, so does what was closed.
#[test]
fn no_future_makes_scripts_that_close_nothing_do_harm_where_pods_come_back() {
    is_harmless_with_node_control(BY_PODS, ["rolling_restart", "scale_out"].into_iter().map(script));
}

macro_rules! harmless_in_futures {
    ($($test:ident: $name:ident $(with $param:ident = $value:literal)*;)+) => {
        $(#[test] fn $test() {
            no_future_makes_it_do_harm(stringify!($name), &[$((stringify!($param), $value)),*]);
        })+

        #[test]
        fn every_shipped_script_is_played_in_futures() {
            let played = [$(stringify!($name)),+];
            for script in shipped() {
                // What only looks is played elsewhere.
                assert!(played.contains(&script.name) || script.letter == 'L', "{}", script.name);
            }
        }
    };
}

harmless_in_futures! {
    rolling_restart: rolling_restart;
    decommission_pump: decommission_pump;
    scale_in_to_zero: scale_in_to_zero;
    scale_out: scale_out;
    first_drainer: first_drainer;
    move_drainer: move_drainer;
    after_crash: after_crash;
    after_crash_with_a_node_left: after_crash with leave = "drainer-0";
    pump_lost: pump_lost;
    disk_full: disk_full;
    disk_full_with_a_shorter_retention: disk_full with keep = "48";
    stuck_drainer: stuck_drainer;
    clean_up: clean_up;
    to_ticdc: to_ticdc;
}

/// Where a script has nothing to do, or must not begin, it does no harm either.
#[test]
fn no_future_makes_a_script_harm_another_sample() {
    let count = if is_soak() { 50 * ELSEWHERE } else { ELSEWHERE };
    for script in shipped() {
        for (sample, _) in scenario_names() {
            // A Pump that is killed while it closes has forgotten that, and nobody can see that it was to close.
            if script.sample == sample || (script.name, sample) == ("after_crash", "closing-pump") {
                continue;
            }
            let subjects = subjects(script, Scenario::named(sample).unwrap(), &[]);
            let order = order(Which::Drawn { seed: SEED, count }, (1, 1));
            let tally = rehearse(&subjects, &base(&subjects), &order).unwrap();
            let ours: Vec<_> = tally.shortest.iter().filter(|story| story.blame == Blame::Script).collect();
            assert!(ours.is_empty(), "{} on {sample}: {ours:#?}", script.name);
        }
    }
}

/// Nobody keeps binlog for a Drainer that was retired long ago, whatever somebody writes into its record after a Pump has gone.
#[test]
fn a_drainer_retired_long_ago_is_no_loss_of_a_script_that_closes_a_pump() {
    let subjects = subjects(script("decommission_pump"), Scenario::named("old-records").unwrap(), &[]);
    let base = base(&subjects);
    let late = r#"{"kind": "other_writes_paused", "node": "drainer-old", "after": "9.7s"}"#;
    let mut stage = subjects.stage().unwrap();
    let faults = [serde_json::from_str(late).unwrap()];
    let (played, _, harms) = judged(&mut stage, &base.intended, &faults, base.bounds()).unwrap();
    assert_eq!((played.outcome().as_str(), harms), ("done", Vec::new()));
}
