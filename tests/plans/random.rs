//! Whatever happens between a rehearsal and its run: what matters is refused, heartbeats are not.

use super::{CLUSTER, Cluster, rehearsed, rehearsed_code, rolling_restart, yes};
use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, NodeRef, Record, State};
use binlogsh::policy::Follow;
use binlogsh::world::{Action, Change, Gate, Request};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Splitmix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % limit as u64).unwrap()
    }

    fn of<T: Clone>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())].clone()
    }
}

/// The record's JSON with these fields put in.
fn with(record: &Record, fields: &[(&str, Json)]) -> String {
    let mut value: serde_json::Map<String, Json> = serde_json::from_slice(record.json.bytes()).unwrap();
    value.extend(fields.iter().map(|(name, field)| ((*name).to_owned(), field.clone())));
    Json::Object(value).to_string()
}

/// Changes something that matters to a plan, at random. Returns what.
fn change(cluster: &Cluster, random: &mut Random) -> String {
    let record = random.of(&cluster.listing().records);
    let (key, id) = (record.node.key(), record.node.id.clone());
    match random.below(6) {
        0 | 1 => {
            let others: Vec<State> = State::ALL.iter().copied().filter(|state| record.state != *state).collect();
            let state = random.of(&others);
            cluster.put(&key, &record.with_state(state).unwrap().shown());
            format!("{id} says {state}")
        }
        2 => {
            let address = format!("10.9.9.{}:{}", random.below(255), 8000 + random.below(999));
            cluster.put(&key, &with(&record, &[("host", json!(address))]));
            format!("{id} is at {address}")
        }
        3 => {
            let (kind, number) = (random.of(Kind::ALL), 10 + random.below(1000));
            let node =
                NodeRef { kind, id: format!("new-{number}").into(), address: format!("10.8.8.8:{number}").into() };
            let (id, host, state) = (json!(node.id), json!(node.address), json!(random.of(State::ALL).name()));
            cluster.put(&node.key(), &with(&record, &[("nodeId", id), ("host", host), ("state", state)]));
            format!("{node} has come")
        }
        4 => {
            assert!(cluster.0.borrow_mut().cluster_mut().delete(&key));
            format!("{id} has gone")
        }
        _ => {
            let key = format!("{}bad-{}", random.of(Kind::ALL).prefix(), random.below(1000));
            cluster.put(&key, random.of(&["", "{", "[]", "{\"state\":\"odd\"}"]));
            format!("{key} is no record")
        }
    }
}

/// Changes something that does not matter, at random. Returns what.
fn beat(cluster: &Cluster, random: &mut Random) -> String {
    if random.below(2) == 0 {
        let time = Duration::from_millis(random.below(4 * 3_600_000) as u64);
        cluster.pass(time);
        return format!("{time:?} have passed");
    }
    let record = random.of(&cluster.listing().records);
    let commit = json!(record.max_commit_ts.0 - i64::try_from(random.below(1 << 30)).unwrap());
    let fields = [("maxCommitTS", commit), ("score", json!(random.below(9))), ("isAlive", json!(true))];
    cluster.put(&record.node.key(), &with(&record, &fields));
    format!("{} has another heartbeat", record.node.id)
}

#[test]
fn of_a_thousand_random_changes_each_that_matters_is_refused_and_no_heartbeat_is() {
    const SEED: u64 = 20_261_123;
    let source = rolling_restart();
    let plan = rehearsed(&source);
    assert_eq!(plan.effects.len(), 6, "{:?}", plan.effects);
    let (mut random, mut mattered) = (Random(SEED), 0);
    for round in 0..1000 {
        let cluster = Cluster::new();
        cluster.pass(Duration::from_millis(random.below(10_000) as u64));
        let matters = random.below(4) > 0;
        let what = match matters {
            true => change(&cluster, &mut random),
            false => beat(&cluster, &mut random),
        };
        let told = format!("seed {SEED}, round {round}: {what}");
        let checked = plan.check(&cluster.listing(), CLUSTER);
        if matters {
            mattered += 1;
            assert_eq!(checked.expect_err(&told).kind, ErrorKind::Conflict, "{told}");
            continue;
        }
        assert_eq!(checked, Ok(()), "{told}");
        let (ended, progress) = cluster.follow(&plan, &source);
        assert!(ended.is_ok(), "{told}: {ended:?}");
        assert_eq!((progress.done(), progress.left()), (6, 0), "{told}");
    }
    assert!((600..900).contains(&mattered), "{mattered}");
}

#[test]
fn what_a_change_during_the_run_does_to_the_next_effect_is_refused() {
    const SEED: u64 = 7;
    let code = r#"pause_drainer("drainer-0", #{ wait: "1m" }); pause_drainer("drainer-1")"#;
    let plan = rehearsed_code(code);
    let mut random = Random(SEED);
    for round in 0..50 {
        let cluster = Cluster::new();
        let (session, _) = cluster.session(Follow::new(plan.effects.clone(), yes()));
        let nodes: Vec<NodeRef> = cluster.listing().of(Kind::Drainer).map(|record| record.node.clone()).collect();
        let pause = |at: usize| Request::Change(Change::Act { node: nodes[at].clone(), action: Action::Pause });
        session.borrow_mut().perform(pause(0), &[]).unwrap();
        let record = cluster.listing().find(Kind::Drainer, "drainer-1").unwrap().clone();
        let changed = match round % 3 {
            0 => {
                let state = random.of(&[State::Pausing, State::Paused, State::Closing, State::Offline]);
                record.with_state(state).unwrap().shown().into_owned()
            }
            1 => with(&record, &[("host", json!(format!("10.7.7.7:{round}")))]),
            _ => with(&record, &[("maxCommitTS", json!(record.max_commit_ts.0 - 1)), ("isAlive", json!(true))]),
        };
        cluster.put(&record.node.key(), &changed);
        let outcome = session.borrow_mut().perform(pause(1), &[]);
        match round % 3 {
            2 => assert!(outcome.is_ok(), "seed {SEED}, round {round}: {outcome:?}"),
            _ => assert_eq!(outcome.unwrap_err().kind, ErrorKind::Conflict, "seed {SEED}, round {round}: {changed}"),
        }
    }
}
