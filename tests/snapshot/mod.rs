//! A snapshot is a faithful start: a cluster that is simulated from it answers as the one that it was taken from.

mod asking;
mod files;
mod odd;
mod same;

use crate::support::cluster::LiveCluster;
use crate::support::live::LiveWorld;
use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, NodeRef, Record};
use binlogsh::rehearsal::Snapshot;
use binlogsh::sim::{DrainerSpec, ProcessSpec, PumpSpec, Scenario, Signal, Simulated, Span, scenario_names};
use binlogsh::world::{Action, Answer, Change, Listing, ProbeFinding, Read, Request, World};
use same::same;
use std::time::Duration;

const OBSERVED: Duration = Duration::from_secs(6);

fn sample(name: &str) -> Simulated {
    Simulated::new(&Scenario::named(name).unwrap()).unwrap()
}

fn of(text: &str) -> Simulated {
    Simulated::new(&Scenario::parse(text).unwrap()).unwrap()
}

fn list(world: &mut dyn World) -> Listing {
    match world.apply(&Request::Read(Read::Nodes), None).unwrap() {
        Answer::Listing(listing) => listing,
        other => panic!("{other:?}"),
    }
}

fn pass(world: &mut dyn World, seconds: u64) {
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(seconds) }), None).unwrap();
}

fn signal(world: &mut Simulated, kind: Kind, id: &str, signal: Signal) {
    let who = world.cluster().find(kind, id).unwrap();
    world.cluster_mut().signal(who, signal);
}

fn act(world: &mut Simulated, id: &str, action: Action) {
    let node = list(world).records.into_iter().find(|record| record.node.id == id).unwrap().node;
    world.apply(&Request::Change(Change::Act { node, action }), None).unwrap();
}

/// A sample without supervisors, of which a snapshot cannot know, and with as many writes as it takes TiDB to make.
fn unsupervised(name: &str) -> Scenario {
    let mut scenario = Scenario::named(name).unwrap();
    scenario.tidb.iter_mut().for_each(|tidb| tidb.writes_per_second = 20);
    scenario.pumps.iter_mut().for_each(|pump| pump.supervisor = false);
    scenario.drainers.iter_mut().for_each(|drainer| drainer.supervisor = false);
    scenario
}

/// Takes a snapshot, and lets it and the original go on side by side for a minute.
#[track_caller]
fn faithful(what: &str, mut original: Simulated) -> Snapshot {
    let snapshot = Snapshot::take(&mut original, OBSERVED).unwrap();
    let written = serde_json::to_string(&snapshot.scenario).unwrap();
    assert_eq!(Scenario::parse(&written).unwrap(), snapshot.scenario, "{what}: it survives being written");
    let mut copy = Simulated::new(&snapshot.scenario).unwrap();
    same(&format!("{what}, at once"), &mut original, &mut copy);
    for world in [&mut original, &mut copy] {
        pass(world, 60);
    }
    same(&format!("{what}, a minute later"), &mut original, &mut copy);
    snapshot
}

#[track_caller]
fn says(snapshot: &Snapshot, words: &str) {
    assert!(
        snapshot.scenario.assumed.iter().any(|said| said.contains(words)),
        "{words}: {:#?}",
        snapshot.scenario.assumed
    );
}

fn pump<'a>(snapshot: &'a Snapshot, id: &str) -> &'a PumpSpec {
    snapshot.scenario.pumps.iter().find(|pump| pump.id == id).unwrap()
}

fn drainer<'a>(snapshot: &'a Snapshot, id: &str) -> &'a DrainerSpec {
    snapshot.scenario.drainers.iter().find(|drainer| drainer.id == id).unwrap()
}

#[test]
fn a_snapshot_of_every_sample_starts_where_the_sample_stood() {
    for (name, _) in scenario_names() {
        faithful(name, sample(name));
    }
}

#[test]
fn a_snapshot_says_what_was_learnt_and_what_is_assumed() {
    let mut world = sample("lost-pump");
    let snapshot = Snapshot::take(&mut world, OBSERVED).unwrap();
    let scenario = &snapshot.scenario;
    let now = list(&mut world).tso.unwrap().physical_ms();
    assert!((0..100).contains(&(now - scenario.start_ms().unwrap())), "it starts at the end of the observation");
    assert_eq!(scenario.cluster_id, 7_301_234_567_890_123_456);
    assert!(scenario.check_cluster(7_301_234_567_890_123_456).is_ok());
    let error = scenario.check_cluster(7).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("7301234567890123456"), "{error}");
    assert_eq!(pump(&snapshot, "pump-0").retention, Span::seconds(7 * 86_400));
    assert_eq!(pump(&snapshot, "pump-2").process, ProcessSpec::Dead);
    insta::assert_snapshot!(snapshot.scenario.assumed.join("\n"), @r"
    retention of pump-2: its metrics do not tell, taken as 7 days
    disk of pump-2: its metrics do not tell, taken as 400 of 500 GiB free
    greatest speed of drainer-0, drainer-1: nothing shows it, taken as without limit: a backlog is consumed at once
    whether a supervisor restarts nodes is not known: taken as none
    when within their intervals the nodes look at each other is not known: taken as the simulator's own times
    whether a Pump holds unresolved transactions is not known: taken as none
    whether GC waits for Drainers (before 2.1.15 and 3.0.1) is not known: taken as by age alone
    how many writes TiDB makes is not known: taken as 20 per second for each server
    whether TiDB goes on without binlog when no Pump takes it (ignore-error) is not known: taken as no, it stops
    ");
}

/// Something that happens to a cluster.
type Happens = fn(&mut Simulated);

#[test]
fn nodes_that_crashed_or_hang_or_were_paused_are_found_so() {
    let cases: [(&str, Happens); 7] = [
        ("a crashed Pump", |world| signal(world, Kind::Pump, "pump-1", Signal::Kill)),
        ("a hung Pump", |world| signal(world, Kind::Pump, "pump-0", Signal::Stop)),
        ("a hung Drainer", |world| signal(world, Kind::Drainer, "drainer-1", Signal::Stop)),
        ("a crashed Drainer", |world| signal(world, Kind::Drainer, "drainer-0", Signal::Kill)),
        ("a paused Pump", |world| act(world, "pump-2", Action::Pause)),
        ("a paused Drainer", |world| act(world, "drainer-0", Action::Pause)),
        ("a Pump that closes", |world| {
            act(world, "drainer-0", Action::Pause);
            act(world, "pump-1", Action::Close);
        }),
    ];
    for (what, happens) in cases {
        let mut world = Simulated::new(&unsupervised("default")).unwrap();
        pass(&mut world, 100);
        happens(&mut world);
        pass(&mut world, 20);
        let snapshot = faithful(what, world);
        if what.contains("hung") {
            says(&snapshot, "answers nothing: taken as hung");
        }
    }
}

#[test]
fn whatever_happens_to_any_node_of_any_sample_the_snapshot_shows_it() {
    for (name, _) in scenario_names() {
        let scenario = unsupervised(name);
        let nodes = list(&mut Simulated::new(&scenario).unwrap()).records.into_iter().map(|record| record.node);
        for (at, node) in nodes.enumerate() {
            for signal in [Some(Signal::Kill), Some(Signal::Stop), Some(Signal::Term), None] {
                let mut world = Simulated::new(&scenario).unwrap();
                // At another moment of everybody's intervals each time.
                let time = Duration::from_millis(60_000 + 370 * at as u64);
                world.apply(&Request::Read(Read::Sleep { time }), None).unwrap();
                let who = world.cluster().find(node.kind, &node.id).unwrap();
                match signal {
                    Some(signal) => world.cluster_mut().signal(who, signal),
                    // Whoever is down or closes already does not hear it.
                    None => drop(world.cluster_mut().http(&node.address, "PUT", &format!("/state/{}/close", node.id))),
                }
                pass(&mut world, 25);
                faithful(&format!("{name}, {signal:?} {node}"), world);
            }
        }
    }
}

#[test]
fn a_drainer_that_lags_keeps_its_speed() {
    for (lag, speed) in [("2h", 0.2), ("2h", 3.0), ("5m", 1.0), ("1d", 40.0)] {
        let text = format!(
            r#"{{"version": 1, "pumps": [{{"id": "p", "address": "h:1"}}],
                 "drainers": [{{"id": "d", "address": "h:2", "lag": "{lag}", "speed": {speed}}}]}}"#
        );
        let mut world = of(&text);
        let snapshot = Snapshot::take(&mut world, OBSERVED).unwrap();
        assert_eq!(drainer(&snapshot, "d").speed, Some(speed));
        says(&snapshot, "taken as its speed");
        if speed < 10.0 {
            faithful(&text, world);
        }
    }
}

#[test]
fn a_drainer_that_stands_still_by_itself_goes_on_standing() {
    let text = r#"{"version": 1, "pumps": [{"id": "p", "address": "h:1"}],
        "drainers": [{"id": "d", "address": "h:2"}, {"id": "e", "address": "h:3"}],
        "faults": [{"kind": "stall", "node": "d"}]}"#;
    let mut world = of(text);
    pass(&mut world, 600);
    let snapshot = faithful("stalled", world);
    assert_eq!((drainer(&snapshot, "d").speed, drainer(&snapshot, "e").speed), (Some(0.0), None));
    says(&snapshot, "did not advance in 6.0s: taken as standing still for good");
    // A short stop proves nothing.
    let mut world = of(text);
    pass(&mut world, 15);
    let snapshot = Snapshot::take(&mut world, OBSERVED).unwrap();
    assert_eq!(drainer(&snapshot, "d").speed, None);
    says(&snapshot, "which may be chance: taken as going on");
}

#[test]
fn a_drainer_that_waits_for_a_dead_pump_goes_on_once_that_is_back() {
    let snapshot = faithful("lost-pump", sample("lost-pump"));
    assert!(snapshot.scenario.drainers.iter().all(|drainer| drainer.speed.is_none()), "the Pump explains it");
    let mut copy = Simulated::new(&snapshot.scenario).unwrap();
    let who = copy.cluster().find(Kind::Pump, "pump-2").unwrap();
    copy.cluster_mut().start(who, None);
    pass(&mut copy, 30);
    let seen = list(&mut copy);
    let lag = |record: &Record| seen.tso.unwrap().seconds_since(record.max_commit_ts);
    assert!(seen.records.iter().all(|record| lag(record) < 10.0), "{seen:?}");
}

#[test]
fn a_snapshot_of_a_snapshot_is_the_same() {
    for (name, _) in scenario_names() {
        let first = Snapshot::take(&mut sample(name), OBSERVED).unwrap();
        let second = Snapshot::take(&mut Simulated::new(&first.scenario).unwrap(), OBSERVED).unwrap();
        let shape = |snapshot: &Snapshot| {
            let pumps = snapshot.scenario.pumps.iter().map(|p| (p.id.clone(), p.record, p.process, None)).collect();
            let drainers = snapshot.scenario.drainers.iter().map(|d| (d.id.clone(), d.record, d.process, d.speed));
            drainers.fold(pumps, |mut all: Vec<_>, drainer| {
                all.push(drainer);
                all
            })
        };
        assert_eq!(shape(&first), shape(&second), "{name}");
    }
}

#[test]
fn a_live_cluster_is_found_as_it_is() {
    let text = r#"{"version": 1, "about": "a bit of everything",
        "pumps": [
          {"id": "pump-0", "address": "10.0.1.11:8250"},
          {"id": "pump-1", "address": "10.0.1.12:8250", "process": "closing", "lag": "10m"},
          {"id": "pump-2", "address": "10.0.1.13:8250"}
        ],
        "drainers": [
          {"id": "drainer-0", "address": "10.0.1.21:8249", "record": "paused", "process": "dead", "lag": "2h"},
          {"id": "drainer-1", "address": "10.0.1.22:8249"},
          {"id": "drainer-2", "address": "10.0.1.23:8249", "lag": "3h", "speed": 5.0},
          {"id": "drainer-3", "address": "10.0.1.24:8249", "process": "hung", "lag": "1m", "uptime": "1m"}
        ],
        "tidb": [{"address": "10.0.1.32:4000", "ignore_error": true, "binlog": "Skipping"}],
        "keys": [{"key": "/tidb-binlog/v1/pumps/broken", "value": "{not json"}]}"#;
    let cluster = LiveCluster::start(Scenario::parse(text).unwrap());
    let mut live = LiveWorld::new(&[cluster.url()], Duration::from_secs(5));
    let dead = NodeRef {
        kind: Kind::Drainer,
        id: "drainer-0".into(),
        address: cluster.address(Kind::Drainer, "drainer-0").into(),
    };
    // The ports of those that are dead are open for an instant.
    assert!(crate::support::eventually(Duration::from_secs(10), || live.probe(&dead) == ProbeFinding::Refused));
    let snapshot = Snapshot::take(&mut live.world, Duration::from_secs(4)).unwrap();
    let speed = drainer(&snapshot, "drainer-2").speed.unwrap();
    assert!((4.5..5.5).contains(&speed), "{speed}");
    assert_eq!(drainer(&snapshot, "drainer-3").process, ProcessSpec::Hung);
    assert_eq!(pump(&snapshot, "pump-1").process, ProcessSpec::Closing);
    let mut copy = Simulated::new(&snapshot.scenario).unwrap();
    same("a live cluster", &mut live.world, &mut copy);
}
