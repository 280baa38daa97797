//! How quiet Drainers and Pumps advance: over many seeds the simulator's steps are distributed as the recorded ones.

use crate::dice::Dice;
use binlogsh::node::Kind;
use binlogsh::sim::{Cluster, HttpOutcome, MILLISECOND, Micros, NodeIndex, SECOND};
use serde::Deserialize;

const CADENCE: &str = include_str!("cadence.jsonl");
const SEEDS: u64 = 20;
/// Seven minutes, and what as many changes as were recorded in them may take longer.
const WATCHED: Micros = 440 * SECOND;
const SAMPLED: Micros = 200 * MILLISECOND;

/// One value of one node: after how many seconds it changed, and by how many seconds of its timestamps.
#[derive(Deserialize)]
struct Line {
    node: String,
    what: String,
    #[serde(flatten)]
    steps: Steps,
}

#[derive(Clone, Default, Deserialize)]
struct Steps {
    changed_after_s: Vec<f64>,
    by_s: Vec<f64>,
}

fn lines() -> Vec<Line> {
    CADENCE.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Five Pumps that were started together, and two Drainers.
fn quiet_cluster(seed: u64) -> Cluster {
    Cluster::new(&super::quiet_cluster(&mut Dice::new(seed), 5, 400)).unwrap()
}

/// What a line is about, now.
fn value(cluster: &mut Cluster, line: &Line) -> i64 {
    let kind = if line.node.starts_with("pump") { Kind::Pump } else { Kind::Drainer };
    let who: NodeIndex = cluster.find(kind, &line.node).unwrap();
    let field = match line.what.as_str() {
        "maxCommitTS of the record" => return cluster.record(who).unwrap().max_commit_ts.physical_ms(),
        "LastTS of /status" => "LastTS",
        "PumpPos of pump-1" => "pump-1",
        other => panic!("a recording of {other}"),
    };
    let address = cluster.address_of(who).to_owned();
    let HttpOutcome::Response { body, .. } = cluster.http(&address, "GET", "/status") else { panic!("no answer") };
    let number = body.split_once(&format!("\"{field}\":")).unwrap().1;
    let number: i64 = number[..number.find([',', '}']).unwrap()].parse().unwrap();
    number >> 18
}

/// As many steps of each line as were recorded of it, in the simulator.
fn simulated(lines: &[Line], seed: u64) -> Vec<Steps> {
    let mut cluster = quiet_cluster(seed);
    let mut last: Vec<(i64, Option<Micros>)> = lines.iter().map(|line| (value(&mut cluster, line), None)).collect();
    let mut steps = vec![Steps::default(); lines.len()];
    while cluster.now() < WATCHED {
        cluster.advance_to(cluster.now() + SAMPLED);
        for (at, line) in lines.iter().enumerate() {
            let (now, (before, changed)) = (value(&mut cluster, line), last[at]);
            if now == before {
                continue;
            }
            if let Some(changed) = changed.filter(|_| steps[at].by_s.len() < line.steps.by_s.len()) {
                steps[at].changed_after_s.push((cluster.now() - changed) as f64 / SECOND as f64);
                steps[at].by_s.push((now - before) as f64 / 1_000.0);
            }
            last[at] = (now, Some(cluster.now()));
        }
    }
    steps
}

/// The median, the 10th and 90th percentile and the largest of these values.
fn shape(values: &[f64]) -> [f64; 4] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (count, last) = (sorted.len(), sorted.len() - 1);
    let median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0;
    [median, sorted[last / 10], sorted[last * 9 / 10], sorted[last]]
}

/// How two distributions differ by more than they may: 0.3 s at the median, a second elsewhere.
fn differs(recorded: &[f64], simulated: &[f64]) -> Option<String> {
    let (recorded, simulated) = (shape(recorded), shape(simulated));
    let may = [0.3, 1.0, 1.0, 1.0];
    let is_far = |at: usize| (recorded[at] - simulated[at]).abs() > may[at] + 1e-9;
    let names = ["median", "10th percentile", "90th percentile", "largest"];
    let far: Vec<&str> = (0..4).filter(|at| is_far(*at)).map(|at| names[at]).collect();
    (!far.is_empty()).then(|| format!("{}: recorded {recorded:.2?}, simulated {simulated:.2?}", far.join(", ")))
}

#[test]
fn a_quiet_cluster_advances_in_the_steps_of_a_real_one() {
    let lines = lines();
    assert_eq!(lines.len(), 8, "recordings were added or lost");
    let mut all = vec![Steps::default(); lines.len()];
    for seed in 1..=SEEDS {
        for (all, steps) in all.iter_mut().zip(simulated(&lines, seed)) {
            assert!(steps.by_s.len() > 70, "seven minutes have more steps");
            all.changed_after_s.extend(steps.changed_after_s);
            all.by_s.extend(steps.by_s);
        }
    }
    let mut differences = Vec::new();
    for (line, all) in lines.iter().zip(&all) {
        let after = differs(&line.steps.changed_after_s, &all.changed_after_s);
        let by = differs(&line.steps.by_s, &all.by_s);
        let named = |what: &str, why: String| format!("{} of {}, {what}: {why}", line.what, line.node);
        differences.extend(after.map(|why| named("changed after", why)));
        differences.extend(by.map(|why| named("by", why)));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn steps_that_are_too_even_or_too_long_are_noticed() {
    for line in lines().iter().filter(|line| line.node.starts_with("drainer")) {
        let recorded = &line.steps.changed_after_s;
        assert_eq!(differs(recorded, recorded), None);
        let longer: Vec<f64> = recorded.iter().map(|step| step * 1.3).collect();
        assert!(differs(recorded, &longer).is_some(), "{}", line.what);
        if line.what != "PumpPos of pump-1" {
            assert!(differs(recorded, &vec![3.0; recorded.len()]).is_some(), "{}", line.what);
            assert!(differs(recorded, &vec![6.0; recorded.len()]).is_some(), "{}", line.what);
        }
    }
}
