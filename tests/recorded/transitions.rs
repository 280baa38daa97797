//! Every recorded scenario, replayed in the same rounds of observation.

#![expect(clippy::panic, reason = "a recording that the replay does not understand ends the test")]

use crate::dice::Dice;
use binlogsh::node::{Kind, State};
use binlogsh::sim::{
    Cluster, DrainerSpec, HttpOutcome, KeySpec, MILLISECOND, Micros, NodeIndex, Phases, ProcessSpec, PumpSpec, SECOND,
    Scenario, Signal, Span,
};
use serde::Deserialize;
use std::fmt::Write as _;

const TRANSITIONS: &str = include_str!("transitions.jsonl");
const PAUSE_BETWEEN_ROUNDS: Micros = 80 * MILLISECOND;
const PROBE_TIMEOUT: Micros = SECOND;
/// What a request over the loopback took.
const CALL: Micros = MILLISECOND;

#[derive(Deserialize)]
struct Recording {
    scenario: String,
    given: String,
    #[serde(rename = "do")]
    action: String,
    before: Vec<Seen>,
    events: Vec<Seen>,
}

/// One observation of one node.
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Seen {
    t: f64,
    node: String,
    record: Option<String>,
    probe: String,
    heartbeat: Option<String>,
    progress: Option<String>,
}

impl Seen {
    fn same(&self, other: &Seen) -> bool {
        let parts = |seen: &Seen| {
            (seen.node.clone(), seen.record.clone(), seen.probe.clone(), seen.heartbeat.clone(), seen.progress.clone())
        };
        parts(self) == parts(other)
    }

    fn show(&self) -> String {
        let show = |part: &Option<String>| part.clone().unwrap_or("-".into());
        format!(
            "{:5.1} {} {} {} {} {}",
            self.t,
            self.node,
            show(&self.record),
            self.probe,
            show(&self.heartbeat),
            show(&self.progress)
        )
    }
}

/// How many choices of what the recording leaves open are tried at most.
const CHOICES: u64 = 400;

/// What the recording leaves open, drawn: when within their intervals the clocks ticked at t = 0.
fn phases(dice: &mut Dice, cluster: u64) -> Phases {
    let mut below = |ms: u64| Some(i64::try_from(dice.from(0, ms - 1)).unwrap());
    Phases {
        heartbeat_ms: below(2_000),
        // Pumps that were started together make their fake binlog together.
        fake_binlog_ms: below(400).map(|ms| ms + i64::try_from(cluster).unwrap()),
        close_check_ms: below(1_000),
        look_ms: below(5_000),
        checkpoint_ms: below(3_000),
    }
}

fn process_of(seen: &Seen) -> ProcessSpec {
    match seen.probe.as_str() {
        "online" => ProcessSpec::Running,
        "closing" => ProcessSpec::Closing,
        "refused" => ProcessSpec::Dead,
        other => panic!("a recording that begins with a probe of {other}"),
    }
}

/// The cluster just before t = 0, as `before` and `given` say, with one choice of what they leave open.
fn scenario(recording: &Recording, choice: u64) -> Scenario {
    let mut scenario = Scenario::parse(r#"{"version": 1}"#).unwrap();
    let mut dice = Dice::new(choice);
    let cluster = dice.from(0, 2_999);
    for (place, seen) in recording.before.iter().enumerate() {
        let address = format!("127.0.0.1:{}", 8_251 + place);
        let record = seen.record.as_deref().map(|state| State::from_name(state).unwrap());
        let process = process_of(seen);
        // Whoever is named first went down first.
        let went = Span::seconds(16 - 4 * u64::try_from(place.min(3)).unwrap());
        let lag = if process == ProcessSpec::Running { Span::zero() } else { went };
        let phases = phases(&mut dice, cluster);
        if seen.node.starts_with("pump") {
            let unread = if process == ProcessSpec::Closing { Span::seconds(10) } else { lag };
            let spec = PumpSpec { record, process, lag: unread, phases, ..PumpSpec::new(&seen.node, address) };
            scenario.pumps.push(spec);
        } else {
            let lag = if process == ProcessSpec::Running { lag } else { Span::seconds(12) };
            let spec = DrainerSpec { record, process, lag, phases, ..DrainerSpec::new(&seen.node, address) };
            scenario.drainers.push(spec);
        }
    }
    for kind in Kind::ALL {
        let is_broken = recording.given.contains(&format!("{}broken", kind.prefix()))
            || recording.scenario.contains(&format!("while a {kind} key is malformed"))
            || recording.action == format!("delete {}broken", kind.prefix());
        if is_broken {
            scenario.keys.push(KeySpec { key: format!("{}broken", kind.prefix()), value: "{not json".into() });
        }
    }
    scenario
}

fn named(cluster: &Cluster, node: &str) -> NodeIndex {
    let kind = if node.starts_with("pump") { Kind::Pump } else { Kind::Drainer };
    cluster.find(kind, node).unwrap_or_else(|| panic!("no node {node}"))
}

/// Does at t = 0 what the recording says was done.
fn perform(cluster: &mut Cluster, action: &str) -> Option<String> {
    let words: Vec<&str> = action.split_whitespace().collect();
    match words.as_slice() {
        ["PUT", path] => {
            let node = path.split('/').nth(2).unwrap();
            let address = cluster.address_of(named(cluster, node)).to_owned();
            let HttpOutcome::Response { status: 200, body, .. } = cluster.http(&address, "PUT", path) else {
                panic!("no answer to {action}");
            };
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            return Some(format!("{} {}", body["code"], body["message"].as_str().unwrap()));
        }
        ["PUT", action, "on", first, "and", second] => {
            let mut put = |node: &str| perform(cluster, &format!("PUT /state/{node}/{action}")).unwrap();
            return Some(format!("{}; {}", put(first), put(second)));
        }
        ["start", node] => {
            let who = named(cluster, node);
            cluster.start(who, None);
        }
        ["SIGKILL", node] => cluster.signal(named(cluster, node), Signal::Kill),
        ["SIGTERM", node] => cluster.signal(named(cluster, node), Signal::Term),
        ["SIGSTOP", node] => cluster.signal(named(cluster, node), Signal::Stop),
        ["record", "of", node, "set", "to", state, "by", "hand"] => {
            let who = named(cluster, node);
            let record = cluster.record(who).unwrap();
            let value = record.with_state(State::from_name(state).unwrap()).unwrap();
            cluster.put(&record.node.key(), value.bytes());
        }
        ["delete", key] => assert!(cluster.delete(key), "{key} was not there"),
        ["put", key, "=", ..] => {
            cluster.put(key, action.split_once(" = ").unwrap().1.as_bytes());
        }
        _ => panic!("a recording that does {action}"),
    }
    None
}

/// What the observer remembers of a node.
struct Watched {
    node: String,
    address: String,
    heartbeat: (i64, Micros),
    progress: (i64, Micros),
    last: Option<Seen>,
}

/// Observes the cluster in the rounds of the recording: a listing, then the probes one after the other.
fn observe(cluster: &mut Cluster, recording: &Recording, until: Micros, zero: Micros) -> Vec<Seen> {
    let mut watched: Vec<Watched> = recording
        .before
        .iter()
        .map(|seen| Watched {
            node: seen.node.clone(),
            address: cluster.address_of(named(cluster, &seen.node)).to_owned(),
            heartbeat: (0, zero),
            progress: (0, zero),
            last: Some(seen.clone()),
        })
        .collect();
    let mut events = Vec::new();
    while cluster.now() < until {
        let at = cluster.now();
        let (records, _) = cluster.listing();
        for watched in &mut watched {
            let record = records.iter().find(|record| record.node.id == watched.node);
            let probe = probe(cluster, watched);
            let part = |memory: &mut (i64, Micros), value: i64, still: Micros| {
                if memory.0 != value {
                    *memory = (value, at);
                }
                if at - memory.1 >= still { "frozen".to_owned() } else { "moving".to_owned() }
            };
            let seen = Seen {
                t: (at - zero) as f64 / SECOND as f64,
                node: watched.node.clone(),
                record: record.map(|record| record.state.name().to_owned()),
                probe,
                heartbeat: record.map(|r| part(&mut watched.heartbeat, r.update_ts.0, 3_500 * MILLISECOND)),
                progress: record.map(|r| part(&mut watched.progress, r.max_commit_ts.0, 8 * SECOND)),
            };
            if !watched.last.as_ref().is_some_and(|last| last.same(&seen)) {
                watched.last = Some(seen.clone());
                events.push(seen);
            }
        }
        cluster.advance_to(cluster.now() + PAUSE_BETWEEN_ROUNDS);
    }
    events
}

fn probe(cluster: &mut Cluster, watched: &Watched) -> String {
    let path = format!("/state/{}/probe", watched.node);
    let outcome = cluster.http(&watched.address, "PUT", &path);
    cluster.advance_to(cluster.now() + if outcome == HttpOutcome::Silent { PROBE_TIMEOUT } else { CALL });
    match outcome {
        HttpOutcome::Refused => "refused".into(),
        HttpOutcome::Reset => "reset".into(),
        HttpOutcome::Silent => "no_answer".into(),
        HttpOutcome::Response { body, .. } => {
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            let message = body["message"].as_str().unwrap();
            match message.strip_prefix("this pump's state is ") {
                Some(rest) => rest.split(',').next().unwrap().into(),
                None if message.ends_with("action probe") => "online".into(),
                None => message.into(),
            }
        }
    }
}

/// One node's observations, without what a replay need not show: resets, what is seen for less than 0.2 s, and a Drainer
/// that stands still for a moment, as healthy ones do.
fn essence(recording: &Recording, events: &[Seen], node: &str) -> Vec<Seen> {
    let before = recording.before.iter().find(|seen| seen.node == node).unwrap();
    let mut own: Vec<Seen> = events.iter().filter(|seen| seen.node == node && seen.probe != "reset").cloned().collect();
    let ends: Vec<f64> = own.iter().skip(1).map(|seen| seen.t).chain([f64::INFINITY]).collect();
    let mut ends = ends.into_iter();
    own.retain(|seen| ends.next().unwrap() - seen.t >= 0.195);
    let is_moment = |(seen, next): (&Seen, Option<&Seen>)| {
        let recovers = next.is_some_and(|next| next.progress.as_deref() == Some("moving") && next.t - seen.t <= 2.0);
        let is_online = seen.node.starts_with("drainer") && seen.record.as_deref() == Some("online");
        is_online && seen.progress.as_deref() == Some("frozen") && recovers
    };
    let nexts = own.iter().skip(1).map(Some).chain([None]);
    let lasting = own.iter().zip(nexts).filter(|pair| !is_moment(*pair)).map(|(seen, _)| seen.clone());
    let mut sequence: Vec<Seen> = vec![before.clone()];
    for seen in lasting {
        if !sequence.last().unwrap().same(&seen) {
            sequence.push(seen);
        }
    }
    sequence.remove(0);
    sequence
}

/// How far apart the recorded and the replayed time of an observation may be.
fn tolerance(recording: &Recording, events: &[Seen], expected: &Seen, last: &Seen) -> f64 {
    let drainers = || recording.before.iter().filter(|seen| seen.node.starts_with("drainer"));
    let offline_by = |t: f64, id: &str| {
        let now = events.iter().rfind(|seen| seen.node == id && seen.t <= t);
        now.or_else(|| recording.before.iter().find(|seen| seen.node == id)).unwrap().record.as_deref()
            == Some("offline")
    };
    let needed = drainers().any(|seen| !offline_by(expected.t, &seen.node));
    let closed = events.iter().filter(|s| s.node == expected.node).any(|s| s.probe == "closing")
        || recording.before.iter().any(|s| s.node == expected.node && s.probe == "closing");
    let after_its_end = expected.node.starts_with("pump") && expected.record.as_deref() == Some("offline") && closed;
    let progress = expected.progress != last.progress && expected.node.starts_with("drainer");
    if (after_its_end && needed) || progress {
        return 5.0;
    }
    let silent = events.iter().any(|seen| seen.probe == "no_answer");
    if silent { 1.2 } else { 0.6 }
}

/// Compares two replays; the reason why they differ.
fn differs(recording: &Recording, seen: &[Seen]) -> Option<String> {
    for before in &recording.before {
        let expected = essence(recording, &recording.events, &before.node);
        let mut got = essence(recording, seen, &before.node);
        got.retain(|seen| seen.t <= ends(recording));
        let mut last = before.clone();
        let same_length = expected.len() == got.len();
        let close = expected.iter().zip(&got).all(|(expected, got)| {
            let within = tolerance(recording, &recording.events, expected, &last);
            last = expected.clone();
            expected.same(got) && (expected.t - got.t).abs() <= within + 0.051
        });
        if !same_length || !close {
            let mut text = format!("{}:\n  recorded\n", before.node);
            expected.iter().for_each(|seen| writeln!(text, "    {}", seen.show()).unwrap());
            text += "  replayed\n";
            got.iter().for_each(|seen| writeln!(text, "    {}", seen.show()).unwrap());
            return Some(text);
        }
    }
    None
}

/// Until when a replay must be the same.
fn ends(recording: &Recording) -> f64 {
    recording.events.last().map_or(20.0, |seen| seen.t) + 2.0
}

/// Replays `recording` with one choice of phases; the reason why it differs.
fn replay(recording: &Recording, choice: u64, answer: Option<&str>) -> Option<String> {
    let mut cluster = Cluster::new(&scenario(recording, choice)).unwrap();
    let zero = cluster.now();
    let said = perform(&mut cluster, &recording.action);
    if said.as_deref() != answer {
        return Some(format!("  answered {said:?}, recorded {answer:?}"));
    }
    // Two seconds more, to see whether what stands still in the end does so for a moment only.
    let until = (ends(recording) * SECOND as f64) as Micros + 2 * SECOND;
    let seen = observe(&mut cluster, recording, until, zero);
    differs(recording, &seen)
}

fn recordings() -> Vec<(Recording, Option<String>)> {
    let read = |line: &str| {
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        let answer = json["answer"].as_str().map(str::to_owned);
        (serde_json::from_value(json).unwrap(), answer)
    };
    TRANSITIONS.lines().map(read).collect()
}

#[test]
fn every_recorded_scenario_replays() {
    let (mut failures, mut replayed) = (String::new(), 0);
    for (recording, answer) in recordings() {
        let answer = answer.as_deref();
        let mut nearest = None;
        let matches = (0..CHOICES).any(|choice| {
            let why = replay(&recording, choice, answer);
            let fits = why.is_none();
            nearest = nearest.take().or(why);
            fits
        });
        replayed += 1;
        if !matches {
            writeln!(
                failures,
                "\n{} ({}; {})\n{}",
                recording.scenario,
                recording.given,
                recording.action,
                nearest.unwrap()
            )
            .unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert_eq!(replayed, 38, "recordings were added or lost");
}

#[test]
fn a_replay_that_differs_is_noticed() {
    let (mut recording, answer) = recordings().swap_remove(0);
    recording.events[0].record = Some("offline".into());
    assert!((0..CHOICES).all(|choice| replay(&recording, choice, answer.as_deref()).is_some()));
    let (mut recording, answer) = recordings().swap_remove(0);
    recording.events[1].t += 1.5;
    assert!((0..CHOICES).all(|choice| replay(&recording, choice, answer.as_deref()).is_some()));
}
