//! How long closing takes: each recorded close, and what comes of any phases.

use super::quiet_cluster;
use crate::dice::Dice;
use binlogsh::node::{Kind, RecordState, State};
use binlogsh::sim::{Cluster, DrainerSpec, LogEvent, MILLISECOND, Micros, SECOND, Scenario, Span};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

const CLOSINGS: &str = include_str!("closings.jsonl");
/// How many choices of phases are tried at most for a recorded close.
const CHOICES: u64 = 3_000;
/// How far from the recorded time the simulated one may be.
const NEAR_S: f64 = 1.2;

#[derive(Clone, Deserialize)]
struct Close {
    closed: Vec<String>,
    offline_after_s: BTreeMap<String, f64>,
    /// Relative to the newest timestamp in any record.
    checkpoints_at_close_s: BTreeMap<String, f64>,
}

fn closes() -> Vec<Close> {
    CLOSINGS.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Sets the Drainers' records to where they stood; `None` where these phases do not allow that.
fn at_checkpoints(mut scenario: Scenario, close: &Close) -> Option<Cluster> {
    let cluster = Cluster::new(&scenario).unwrap();
    let newest = cluster.listing().0.iter().map(|record| record.max_commit_ts).max().unwrap();
    let newest = cluster.time_of(newest);
    for drainer in &mut scenario.drainers {
        let position = newest + (close.checkpoints_at_close_s[&drainer.id] * SECOND as f64) as Micros;
        drainer.lag = Span(Duration::from_micros((-position).max(1_000).try_into().unwrap()));
    }
    let cluster = Cluster::new(&scenario).unwrap();
    let stands = |drainer: &DrainerSpec| {
        let record = cluster.record(cluster.find(Kind::Drainer, &drainer.id).unwrap()).unwrap();
        (cluster.time_of(record.max_commit_ts) + drainer.lag.micros()).abs() < 50 * MILLISECOND
    };
    scenario.drainers.iter().all(stands).then_some(cluster)
}

/// Tells these Pumps to close, and returns after how many seconds each said `offline`.
fn close(cluster: &mut Cluster, pumps: &[String]) -> BTreeMap<String, f64> {
    for pump in pumps {
        let address = cluster.address_of(cluster.find(Kind::Pump, pump).unwrap()).to_owned();
        cluster.http(&address, "PUT", &format!("/state/{pump}/close"));
    }
    cluster.advance_to(20 * SECOND);
    let offline = cluster.log().iter().filter_map(|entry| match &entry.what {
        LogEvent::Recorded { who, state: RecordState::Known(State::Offline), .. } => {
            Some((cluster.id_of(*who).to_owned(), entry.at as f64 / SECOND as f64))
        }
        _ => None,
    });
    offline.collect()
}

/// Whether there are phases with which the simulator closes as recorded.
fn can_close_so(recorded: &Close) -> bool {
    (0..CHOICES).any(|choice| {
        let mut dice = Dice::new(choice);
        let together = dice.one(&[400, 3_000]);
        let Some(mut cluster) = at_checkpoints(quiet_cluster(&mut dice, 3, together), recorded) else { return false };
        let offline = close(&mut cluster, &recorded.closed);
        let near = |(pump, at): (&String, &f64)| offline.get(pump).is_some_and(|t| (t - at).abs() <= NEAR_S);
        recorded.offline_after_s.iter().all(near)
    })
}

/// What is wrong with how long closing takes over many phases.
fn spread(mut times: Vec<f64>) -> Option<String> {
    times.sort_by(f64::total_cmp);
    let (first, median, last) = (times[0], times[times.len() / 2], times[times.len() - 1]);
    let is_right = first <= 2.0 && last >= 8.1 && (5.0..=6.5).contains(&median);
    (!is_right).then(|| format!("from {first} to {last} s, half of them below {median} s"))
}

#[test]
fn every_recorded_close_has_phases_with_which_it_takes_as_long() {
    let closes = closes();
    assert_eq!(closes.len(), 15, "recordings were added or lost");
    let not: Vec<_> = closes.iter().filter(|close| !can_close_so(close)).map(|close| &close.offline_after_s).collect();
    assert!(not.is_empty(), "none like {not:?}");
}

#[test]
fn a_close_that_is_too_quick_or_too_slow_is_noticed() {
    for seconds in [0.5, 14.0] {
        let mut altered = closes().swap_remove(0);
        altered.offline_after_s.values_mut().for_each(|at| *at = seconds);
        assert!(!can_close_so(&altered), "{seconds}");
    }
}

#[test]
fn closing_takes_from_two_to_more_than_eight_seconds_and_mostly_five() {
    let times = (0..1_000).map(|seed| {
        let mut cluster = Cluster::new(&quiet_cluster(&mut Dice::new(seed), 3, 3_000)).unwrap();
        close(&mut cluster, &["pump-1".into()])["pump-1"]
    });
    assert_eq!(spread(times.collect()), None);
    assert!(spread(vec![3.0; 1_000]).is_some(), "as it was when Drainers advanced smoothly");
    assert!(spread(vec![2.0, 5.0, 8.0]).is_some() && spread(vec![2.0, 4.0, 9.0]).is_some());
}
