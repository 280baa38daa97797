//! Records and nodes that are not as they should be.

use super::{OBSERVED, drainer, faithful, list, of, pass, pump, same, sample, says};
use binlogsh::error::Result;
use binlogsh::node::State;
use binlogsh::rehearsal::Snapshot;
use binlogsh::sim::{ProcessSpec, Simulated};
use binlogsh::tso::Tso;
use binlogsh::world::{Answer, Change, Fence, ProbeFinding, Request, StatusReport, World};
use std::time::Duration;

#[test]
fn odd_records_are_kept_as_they_are() {
    let text = r#"{"version": 1,
        "pumps": [
          {"id": "same", "address": "h:1", "uptime": "3d"},
          {"id": "old", "address": "h:1", "record": "online", "process": "dead", "lag": "3d"},
          {"id": "noted", "address": "h:3", "record": "paused", "process": "dead", "lag": "1h", "extra": {"zone": {"x": [1]}, "score": 7}},
          {"id": "renamed", "address": "h:4", "record": "offline", "process": "dead", "lag": "9d", "extra": {"nodeId": "other"}}
        ],
        "drainers": [
          {"id": "same", "address": "h:5"},
          {"id": "gone", "address": "h:6", "record": "offline", "process": "dead", "lag": "40d"},
          {"id": "relabelled", "address": "h:7", "record": "paused", "process": "dead", "lag": "4d"}
        ],
        "keys": [
          {"key": "/tidb-binlog/v1/pumps/a/b", "value": "{}"},
          {"key": "/tidb-binlog/v1/drainers/number", "value": "12"},
          {"key": "/tidb-binlog/v1/pumps/state", "value": "{\"host\": \"h:8\", \"state\": [\"dreaming\"]}"},
          {"key": "/tidb-binlog/v1/drainers/portless", "value": "{\"nodeId\":\"portless\",\"host\":\"h9\",\"state\":\"online\",\"isAlive\":false,\"score\":0,\"label\":null,\"maxCommitTS\":1,\"updateTS\":1}"}
        ]}"#;
    let mut world = of(text);
    let snapshot = Snapshot::take(&mut world, OBSERVED).unwrap();
    let mut copy = Simulated::new(&snapshot.scenario).unwrap();
    same("odd records", &mut world, &mut copy);
    assert_eq!(pump(&snapshot, "noted").extra["zone"]["x"][0], 1);
    assert_eq!(pump(&snapshot, "renamed").extra["nodeId"], "other");
    assert_eq!(pump(&snapshot, "old").process, ProcessSpec::Dead);
    says(&snapshot, "same answers at the address of pump old (h:1): taken as dead");
    says(&snapshot, "drainer portless (h9) has an address without a port");
    says(
        &snapshot,
        "value of /tidb-binlog/v1/drainers/number, /tidb-binlog/v1/pumps/a/b, /tidb-binlog/v1/pumps/state: no listing",
    );
}

#[test]
fn records_that_no_fields_can_say_are_kept_as_a_whole() {
    let text = r#"{"version": 1,
        "pumps": [{"id": "p", "address": "h:1"}, {"id": "dead", "address": "h:2", "process": "dead"}],
        "drainers": [{"id": "d", "address": "h:3", "process": "dead"}]}"#;
    let mut world = of(text);
    let own = crate::support::record("dead", "h:2", "Online", world.cluster().ts_at(0).0, world.cluster().ts_at(0).0);
    let noted = own.replace('}', r#","note":1e400,"note":123456789012345678901234567890}"#);
    world.cluster_mut().put("/tidb-binlog/v1/pumps/dead", noted.as_bytes());
    world.cluster_mut().put("/tidb-binlog/v1/drainers/d", br#"{"host":"h:3","State":"paused"}"#);
    let snapshot = Snapshot::take(&mut world, OBSERVED).unwrap();
    let mut copy = Simulated::new(&snapshot.scenario).unwrap();
    let (was, is) = (list(&mut world).records, list(&mut copy).records);
    assert_eq!((was[0].state.name(), was.len()), ("Online", 3));
    for (was, is) in was.iter().zip(&is) {
        assert_eq!((&was.node, &was.state, was.differences(is).unwrap()), (&is.node, &is.state, vec![]));
    }
}

#[test]
fn two_silent_records_of_one_address_are_one_hung_process() {
    let text = r#"{"version": 1, "pumps": [
        {"id": "new", "address": "h:1", "process": "hung", "lag": "1m", "uptime": "1m"},
        {"id": "old", "address": "h:1", "process": "dead", "lag": "1d", "uptime": "1d"}]}"#;
    let snapshot = faithful("two silent ones", of(text));
    assert_eq!(
        [pump(&snapshot, "new").process, pump(&snapshot, "old").process],
        [ProcessSpec::Hung, ProcessSpec::Dead]
    );
    says(&snapshot, "pump old (h:1) is silent like pump new (h:1), whose heartbeat is newer: taken as dead");
}

#[test]
fn a_clock_that_drifts_goes_on_drifting() {
    let text = r#"{"version": 1, "pumps": [{"id": "slow", "address": "h:1", "uptime": "10d", "drift_ppm": -100},
        {"id": "fast", "address": "h:2", "uptime": "10d", "drift_ppm": 100}]}"#;
    let snapshot = faithful("drift", of(text));
    assert!((-103..-97).contains(&pump(&snapshot, "slow").drift_ppm), "{:?}", snapshot.scenario.pumps);
    assert!((98..104).contains(&pump(&snapshot, "fast").drift_ppm), "{:?}", snapshot.scenario.pumps);
}

#[test]
fn a_state_written_over_a_live_node_does_not_outlast_its_heartbeat() {
    let mut world = sample("default");
    pass(&mut world, 100);
    // By chance the last listing comes before the node's next heartbeat, or not: both are what was seen.
    let seen = list(&mut world).records[0].clone();
    world.apply(&Request::Change(Change::SwapRecord { seen, state: State::Paused }), None).unwrap();
    let snapshot = Snapshot::take(&mut world, Duration::ZERO).unwrap();
    let mut copy = Simulated::new(&snapshot.scenario).unwrap();
    pass(&mut copy, 5);
    assert_eq!(list(&mut copy).records[0].state, State::Online);
}

/// A cluster of whose nodes some give answers that make no sense.
struct Garbled(Simulated);

impl World for Garbled {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        let mut answer = self.0.apply(request, fence)?;
        match &mut answer {
            Answer::Probes(probes) => {
                for probe in probes.iter_mut().filter(|probe| probe.node.id.starts_with("odd")) {
                    probe.finding = ProbeFinding::Unknown("HTTP 502".into());
                }
            }
            Answer::Metrics(metrics) => metrics.iter_mut().flatten().for_each(|samples| samples.clear()),
            Answer::Statuses(statuses) => {
                for status in statuses.iter_mut().flatten() {
                    if let StatusReport::Drainer(status) = status {
                        status.pump_positions.insert("forgotten".into(), Tso(5));
                    }
                }
            }
            _ => {}
        }
        Ok(answer)
    }
}

#[test]
fn what_cannot_be_asked_goes_by_the_heartbeat() {
    let text = r#"{"version": 1,
        "pumps": [{"id": "odd-alive", "address": "h:1"}, {"id": "odd-dead", "address": "h:2", "process": "dead"}],
        "drainers": [{"id": "d", "address": "h:3"}]}"#;
    let snapshot = Snapshot::take(&mut Garbled(of(text)), OBSERVED).unwrap();
    assert_eq!(pump(&snapshot, "odd-alive").process, ProcessSpec::Running);
    assert_eq!(pump(&snapshot, "odd-dead").process, ProcessSpec::Dead);
    says(&snapshot, "what pump odd-alive (h:1) does cannot be asked (HTTP 502), its heartbeat moves: taken as running");
    says(&snapshot, "its heartbeat does not move: taken as dead");
    says(&snapshot, "start of odd-alive, d: their metrics do not tell, taken as an hour ago");
    says(&snapshot, "drainer d (h:3) still reads the Pump forgotten, which has no record: taken as not there");
    assert_eq!(drainer(&snapshot, "d").process, ProcessSpec::Running);
    // Too short a look at the heartbeat proves nothing: then the record counts.
    let snapshot = Snapshot::take(&mut Garbled(of(text)), Duration::ZERO).unwrap();
    assert_eq!(pump(&snapshot, "odd-dead").process, ProcessSpec::Running);
    says(&snapshot, "(HTTP 502), its record says online: taken as running");
}

#[test]
fn timestamps_that_make_no_sense_are_no_accident() {
    for ts in [0, 1, -1, i64::MAX, i64::MIN] {
        let text = r#"{"version": 1, "pumps": [{"id": "p", "address": "h:1", "process": "dead"}],
            "drainers": [{"id": "d", "address": "h:2"}]}"#;
        let mut world = of(text);
        for key in ["pumps/p", "drainers/x"] {
            let id = &key[key.len() - 1..];
            let record = crate::support::record(id, "h:9", "online", ts, ts);
            world.cluster_mut().put(&format!("/tidb-binlog/v1/{key}"), record.as_bytes());
        }
        let snapshot = Snapshot::take(&mut world, OBSERVED).unwrap();
        let written = serde_json::to_string(&snapshot.scenario).unwrap();
        let mut copy = Simulated::new(&binlogsh::sim::Scenario::parse(&written).unwrap()).unwrap();
        assert_eq!(list(&mut copy).records.len(), 3, "{ts}");
        pass(&mut copy, 7200);
    }
}
