//! What each kind of fault does, from its beginning to its end; `docs/simulator.md` lists them.

#![expect(clippy::panic, reason = "an answer of the wrong sort ends the test")]

use binlogsh::error::{Error, ErrorKind};
use binlogsh::node::{Kind, NodeRef, RecordState, State};
use binlogsh::sim::{
    Cluster, Fault, HOUR, HttpOutcome, KeyValue, LogEntry, LogEvent, MILLISECOND, MINUTE, Micros, NodeIndex,
    ProcessStage, SECOND, Scenario, Signal, Simulated, Span, scenario_names,
};
use binlogsh::world::{Action, Answer, Ask, Change, Choice, FaultKind, Manual, Question, Read, Request, Victim, World};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Three Pumps and two Drainers that do well, with `faults`.
fn scenario(faults: &Json) -> Scenario {
    let node = |id: &str, address: &str| json!({"id": id, "address": address});
    let scenario = json!({
        "version": 1,
        "pd": [{"name": "pd-0", "url": "http://h8:2379"}, {"name": "pd-1", "url": "http://h9:2379"}],
        "pumps": [node("p0", "h0:8250"), node("p1", "h1:8250"), node("p2", "h2:8250")],
        "drainers": [node("d0", "h3:8249"), node("d1", "h4:8249")],
        "tidb": [{"address": "h5:4000", "writes_per_second": 10}],
        "faults": faults,
    });
    Scenario::parse(&scenario.to_string()).unwrap()
}

fn cluster(faults: &Json) -> Cluster {
    Cluster::new(&scenario(faults)).unwrap()
}

fn world(faults: &Json) -> Simulated {
    Simulated::new(&scenario(faults)).unwrap()
}

fn who(cluster: &Cluster, id: &str) -> NodeIndex {
    Kind::ALL.iter().copied().find_map(|kind| cluster.find(kind, id)).unwrap()
}

fn stage(cluster: &Cluster, id: &str) -> Option<ProcessStage> {
    cluster.stage(who(cluster, id))
}

fn state(cluster: &Cluster, id: &str) -> Option<State> {
    State::from_name(cluster.recorded_state(who(cluster, id))?.name())
}

fn put(cluster: &mut Cluster, id: &str, action: &str) -> HttpOutcome {
    let address = cluster.address_of(who(cluster, id)).to_owned();
    cluster.http(&address, "PUT", &format!("/state/{id}/{action}"))
}

/// Whether the node's process is there and working at each of these times.
fn works_at(cluster: &mut Cluster, id: &str, times: &[Micros]) -> Vec<bool> {
    let mut works = |at: &Micros| {
        cluster.advance_to(*at);
        stage(cluster, id) == Some(ProcessStage::Online)
    };
    times.iter().map(&mut works).collect()
}

fn happened(cluster: &Cluster, what: impl Fn(&LogEvent) -> bool) -> Vec<Micros> {
    cluster.log().iter().filter(|entry| what(&entry.what)).map(|entry| entry.at).collect()
}

/// When replication of the Drainer at this place stood still and went on.
fn halts(cluster: &Cluster, drainer: usize) -> Vec<(bool, Micros)> {
    let flow = |entry: &LogEntry| match entry.what {
        LogEvent::Halted(at) if at == drainer => Some((false, entry.at)),
        LogEvent::Flowing(at) if at == drainer => Some((true, entry.at)),
        _ => None,
    };
    cluster.log().iter().filter_map(flow).collect()
}

/// How much the Drainer consumes in `time`.
fn consumes(cluster: &mut Cluster, id: &str, time: Micros) -> Micros {
    let before = cluster.position(who(cluster, id));
    cluster.advance_to(cluster.now() + time);
    cluster.position(who(cluster, id)) - before
}

fn ask(world: &mut Simulated) -> Choice {
    match world.apply(&Request::Ask(Ask::Question(Question::new("sure?"))), None).unwrap() {
        Answer::Chosen(choice) => choice,
        other => panic!("{other:?}"),
    }
}

/// Has the human restart p0, and says how long that took.
fn restart(world: &mut Simulated, takes: u64) -> Result<Micros, Error> {
    let (before, cluster) = (world.now(), world.cluster());
    let node = NodeRef { kind: Kind::Pump, id: "p0".into(), address: cluster.address_of(who(cluster, "p0")).into() };
    let manual = Manual { starts: vec![node], takes: Some(Duration::from_secs(takes)), ..Manual::default() };
    world.apply(&Request::Change(Change::Manual(manual)), None).map(|_| world.now() - before)
}

#[test]
fn a_crashed_node_stays_dead_or_is_started_again_when_that_is_over() {
    let mut cluster = cluster(&json!([
        {"kind": "crash", "node": "p0", "after": 10, "lasts": 40},
        {"kind": "crash", "node": "p1", "after": 10}
    ]));
    assert_eq!(
        works_at(&mut cluster, "p0", &[9 * SECOND, 11 * SECOND, 49 * SECOND, 51 * SECOND]),
        [true, false, false, true]
    );
    assert!(!works_at(&mut cluster, "p1", &[HOUR])[0]);
    assert_eq!(state(&cluster, "p1"), Some(State::Online), "its record says what it said");
}

#[test]
fn what_somebody_started_or_stopped_meanwhile_is_left_alone_by_the_end_of_a_crash() {
    let crash = json!([{"kind": "crash", "node": "p0", "after": 10, "lasts": 40}]);
    let (mut started, mut stopped) = (cluster(&crash), cluster(&crash));
    started.advance_to(20 * SECOND);
    started.start(who(&started, "p0"), None);
    stopped.advance_to(20 * SECOND);
    stopped.stop(who(&stopped, "p0"));
    started.advance_to(MINUTE);
    assert_eq!(started.started(who(&started, "p0")), Some(20 * SECOND));
    assert_eq!(works_at(&mut stopped, "p0", &[HOUR]), [false]);
}

#[test]
fn a_flapping_node_goes_down_every_twenty_seconds_for_two() {
    let mut cluster = cluster(&json!([{"kind": "flap", "node": "d0", "after": 10, "lasts": 41}]));
    cluster.advance_to(HOUR);
    let d0 = who(&cluster, "d0");
    let killed = happened(&cluster, |what| *what == LogEvent::Exited { who: d0, clean: false });
    let started = happened(&cluster, |what| *what == LogEvent::Started(d0));
    assert_eq!(killed, [10 * SECOND, 30 * SECOND, 50 * SECOND]);
    assert_eq!(started, [12 * SECOND, 32 * SECOND, 51 * SECOND], "and it ends running");
    assert_eq!(stage(&cluster, "d0"), Some(ProcessStage::Online));
}

#[test]
fn a_failing_node_writes_paused_and_is_started_again_when_that_is_over() {
    let mut cluster = cluster(&json!([{"kind": "fail", "node": "d0", "after": 10, "lasts": "1m"}]));
    cluster.advance_to(20 * SECOND);
    assert_eq!((stage(&cluster, "d0"), state(&cluster, "d0")), (None, Some(State::Paused)));
    assert!(cluster.log().iter().any(|entry| matches!(entry.what, LogEvent::Exited { clean: false, .. })));
    cluster.advance_to(72 * SECOND);
    assert_eq!((stage(&cluster, "d0"), state(&cluster, "d0")), (Some(ProcessStage::Online), Some(State::Online)));
}

#[test]
fn a_hung_node_goes_on_when_that_is_over_unless_it_was_replaced() {
    let hang = json!([
        {"kind": "hang", "node": "p0", "after": 10, "lasts": 30},
        {"kind": "hang", "node": "p0", "after": 25, "lasts": 60}
    ]);
    let (mut left, mut replaced) = (cluster(&hang), cluster(&hang));
    assert_eq!(works_at(&mut left, "p0", &[20 * SECOND]), [true]);
    assert!(left.is_hung(who(&left, "p0")));
    left.advance_to(41 * SECOND);
    assert!(!left.is_hung(who(&left, "p0")));
    replaced.advance_to(20 * SECOND);
    replaced.start(who(&replaced, "p0"), None);
    replaced.advance_to(41 * SECOND);
    assert!(replaced.is_hung(who(&replaced, "p0")), "the other process hangs by the other fault");
}

#[test]
fn a_lost_last_record_stays_online_and_frozen() {
    let mut cluster = cluster(&json!([{"kind": "lose_record", "node": "p0"}, {"kind": "lose_record", "node": "d0"}]));
    cluster.advance_to(10 * SECOND);
    put(&mut cluster, "p0", "pause");
    put(&mut cluster, "d0", "close");
    cluster.advance_to(11 * SECOND);
    for id in ["p0", "d0"] {
        let before = cluster.record(who(&cluster, id));
        cluster.advance_to(cluster.now() + MINUTE);
        assert_eq!((stage(&cluster, id), state(&cluster, id)), (None, Some(State::Online)), "{id}");
        assert_eq!(cluster.record(who(&cluster, id)), before, "{id}");
    }
}

#[test]
fn a_process_that_is_started_with_a_bad_binary_ends_with_an_error() {
    let mut cluster = cluster(&json!([{"kind": "start_fails", "node": "p0", "after": 10, "lasts": 30}]));
    assert_eq!(works_at(&mut cluster, "p0", &[12 * SECOND]), [true], "who runs goes on");
    let p0 = who(&cluster, "p0");
    cluster.start(p0, None);
    assert_eq!(works_at(&mut cluster, "p0", &[30 * SECOND]), [false]);
    let failed = happened(&cluster, |what| *what == LogEvent::Exited { who: p0, clean: false });
    assert_eq!(failed, [12 * SECOND + 300 * MILLISECOND]);
    cluster.advance_to(41 * SECOND);
    cluster.start(p0, None);
    assert_eq!(works_at(&mut cluster, "p0", &[42 * SECOND]), [true]);
}

#[test]
fn a_slow_start_comes_up_only_when_that_is_over() {
    let mut cluster = cluster(&json!([{"kind": "slow_start", "node": "d0", "lasts": 30}]));
    cluster.advance_to(10 * SECOND);
    let d0 = who(&cluster, "d0");
    cluster.start(d0, None);
    assert_eq!(works_at(&mut cluster, "d0", &[29 * SECOND, 31 * SECOND]), [false, true]);
    assert_eq!(put(&mut cluster, "d0", "pause"), put(&mut cluster, "d1", "pause"));
    cluster.advance_to(32 * SECOND);
    cluster.start(d0, None);
    assert_eq!(works_at(&mut cluster, "d0", &[33 * SECOND]), [true]);
}

#[test]
fn a_stalled_drainer_stands_still_and_catches_up() {
    let mut cluster = cluster(&json!([{"kind": "stall", "node": "d0", "after": 10, "lasts": "1m"}]));
    cluster.advance_to(15 * SECOND);
    assert_eq!(consumes(&mut cluster, "d0", 50 * SECOND), 0);
    assert!(consumes(&mut cluster, "d0", 10 * SECOND) > MINUTE);
    assert_eq!(halts(&cluster, 0), [(false, 10 * SECOND), (true, 70 * SECOND)]);
    assert_eq!(halts(&cluster, 1), [], "the other one goes on");
}

#[test]
fn a_drainer_that_stood_still_for_longer_than_a_pump_keeps_binlog_goes_on_with_a_hole() {
    for kind in ["stall", "hang"] {
        let mut scenario = scenario(&json!([{"kind": kind, "node": "d0", "after": 10, "lasts": "5h"}]));
        scenario.pumps[1].retention = Span::seconds(3_600);
        let mut cluster = Cluster::new(&scenario).unwrap();
        cluster.advance_to(6 * HOUR);
        let holes = happened(&cluster, |what| matches!(what, LogEvent::Hole { drainer: 0, pump: 1, .. }));
        assert_eq!(holes, [5 * HOUR + 10 * SECOND], "{kind}");
        assert!(cluster.flows(0), "{kind}");
    }
}

#[test]
fn a_slow_drainer_consumes_a_tenth_and_then_catches_up() {
    let mut cluster = cluster(&json!([{"kind": "slow_drainer", "node": "d0", "after": 10, "lasts": "100s"}]));
    cluster.advance_to(10 * SECOND);
    let slow = consumes(&mut cluster, "d0", 100 * SECOND);
    assert!((9 * SECOND..11 * SECOND).contains(&slow), "{slow}");
    assert!(consumes(&mut cluster, "d0", 10 * SECOND) > 90 * SECOND);
    assert!(halts(&cluster, 0).is_empty(), "slow is not still");
}

#[test]
fn every_request_of_ours_to_a_slow_etcd_takes_three_seconds_longer() {
    let mut world = world(&json!([{"kind": "slow_etcd", "after": 10, "lasts": "1m"}]));
    world.cluster_mut().advance_to(11 * SECOND);
    for request in
        [Request::Read(Read::Nodes), Request::Read(Read::Tso), Request::Read(Read::Tidbs), Request::Read(Read::Cluster)]
    {
        let before = world.now();
        world.apply(&request, None).unwrap();
        assert_eq!(world.now() - before, 3 * SECOND + MILLISECOND, "{request:?}");
    }
    let fresh = world.cluster().record(who(world.cluster(), "p0")).unwrap();
    let age = world.now() - world.cluster().time_of(fresh.update_ts);
    assert!(age <= 2 * SECOND, "heartbeats are not slow");
    world.cluster_mut().advance_to(71 * SECOND);
    world.apply(&Request::Read(Read::Nodes), None).unwrap();
    assert_eq!(world.now(), 71 * SECOND + MILLISECOND);
}

#[test]
fn cut_off_from_etcd_we_fail_at_once_and_the_cluster_goes_on() {
    let mut world = world(&json!([{"kind": "etcd_fails", "after": 10, "lasts": "1m"}]));
    world.cluster_mut().advance_to(30 * SECOND);
    let before = world.now();
    let error = world.apply(&Request::Read(Read::Nodes), None).unwrap_err();
    assert_eq!((error.kind, world.now() - before), (ErrorKind::Unreachable, MILLISECOND));
    assert!(error.message.contains("http://h8:2379") && error.hint.is_some(), "{error}");
    assert!(halts(world.cluster(), 0).is_empty());
    assert!(happened(world.cluster(), |what| *what == LogEvent::PdGone).is_empty());
    world.cluster_mut().advance_to(71 * SECOND);
    assert!(world.apply(&Request::Read(Read::Nodes), None).is_ok());
}

#[test]
fn without_pd_replication_stands_still() {
    let mut cluster = cluster(&json!([{"kind": "pd_gone", "after": 10, "lasts": 8}]));
    assert!(cluster.flows(0) && cluster.flows(1));
    cluster.advance_to(MINUTE);
    assert_eq!(halts(&cluster, 0), [(false, 10 * SECOND), (true, 18 * SECOND)]);
}

#[test]
fn when_pds_leader_moves_nobody_answers_for_three_seconds_and_the_next_member_leads() {
    let mut world = world(&json!([{"kind": "leader_moves", "after": 10}]));
    let mut leader = |at: Micros| {
        world.cluster_mut().advance_to(at);
        match world.apply(&Request::Read(Read::Cluster), None) {
            Ok(Answer::Cluster(info)) => info.leader.unwrap(),
            other => other.unwrap_err().kind.name().to_owned(),
        }
    };
    assert_eq!(
        (leader(9 * SECOND), leader(11 * SECOND), leader(17 * SECOND)),
        ("pd-0".into(), "unreachable".into(), "pd-1".into())
    );
    let pd = |what: &LogEvent| matches!(what, LogEvent::PdGone | LogEvent::PdBack);
    assert_eq!(happened(world.cluster(), pd), [10 * SECOND, 13 * SECOND]);
}

#[test]
fn a_pump_at_a_new_address_is_not_read_until_the_drainers_are_restarted() {
    let mut cluster = cluster(&json!([{"kind": "new_address", "node": "p1", "after": 10}]));
    cluster.advance_to(MINUTE);
    let p1 = who(&cluster, "p1");
    assert_eq!(cluster.record(p1).unwrap().node.address, "moved-h1:8250");
    assert_eq!(stage(&cluster, "p1"), Some(ProcessStage::Online));
    assert!(!cluster.listens("h1:8250"));
    assert_eq!((cluster.flows(0), consumes(&mut cluster, "d0", MINUTE)), (false, 0));
    cluster.start(who(&cluster, "d0"), None);
    cluster.advance_to(cluster.now() + 10 * SECOND);
    assert!(cluster.flows(0) && !cluster.flows(1));
}

#[test]
fn another_operator_pauses_a_node_and_starts_it_again() {
    let mut cluster = cluster(&json!([
        {"kind": "other_pauses", "node": "d0", "after": 10, "lasts": 30},
        {"kind": "other_pauses", "node": "p0", "after": 12}
    ]));
    cluster.advance_to(20 * SECOND);
    for id in ["d0", "p0"] {
        assert_eq!((stage(&cluster, id), state(&cluster, id)), (None, Some(State::Paused)), "{id}");
    }
    let acted = LogEvent::Acted { who: who(&cluster, "d0"), action: Action::Pause };
    assert_eq!(happened(&cluster, |what| *what == acted), [10 * SECOND]);
    assert_eq!(works_at(&mut cluster, "d0", &[41 * SECOND]), [true]);
    assert_eq!(works_at(&mut cluster, "p0", &[HOUR]), [false]);
}

#[test]
fn another_operator_cannot_pause_a_pump_that_closes() {
    let mut cluster = cluster(&json!([{"kind": "other_pauses", "node": "p0", "after": 10, "lasts": 30}]));
    cluster.signal(who(&cluster, "d0"), Signal::Kill);
    put(&mut cluster, "p0", "close");
    cluster.advance_to(MINUTE);
    assert_eq!(stage(&cluster, "p0"), Some(ProcessStage::Closing));
    assert!(happened(&cluster, |what| matches!(what, LogEvent::FaultBegan(_) | LogEvent::FaultEnded(_))).is_empty());
}

#[test]
fn another_operator_writes_states_over_records() {
    let mut cluster = cluster(&json!([
        {"kind": "other_writes_paused", "node": "d0", "after": 10},
        {"kind": "other_writes_offline", "node": "p0", "after": 10}
    ]));
    cluster.signal(who(&cluster, "p0"), Signal::Kill);
    cluster.advance_to(10 * SECOND);
    assert_eq!((state(&cluster, "d0"), state(&cluster, "p0")), (Some(State::Paused), Some(State::Offline)));
    let by_hand = |what: &LogEvent| matches!(what, LogEvent::Recorded { by_hand: true, .. });
    assert_eq!(happened(&cluster, by_hand).len(), 2);
    cluster.advance_to(12 * SECOND);
    assert_eq!((state(&cluster, "d0"), state(&cluster, "p0")), (Some(State::Online), Some(State::Offline)));
}

#[test]
fn a_slow_human_does_what_they_are_asked_when_that_is_over() {
    let mut world = world(&json!([{"kind": "slow_human", "after": 10, "lasts": "2h"}]));
    assert!(restart(&mut world, 5).unwrap() < 7 * SECOND);
    world.cluster_mut().advance_to(20 * SECOND);
    restart(&mut world, 5).unwrap();
    let over = 2 * HOUR + 10 * SECOND;
    assert_eq!(world.cluster().started(who(world.cluster(), "p0")), Some(over));
    assert!(world.now() - over < 2 * SECOND, "a look finds it soon");
}

#[test]
fn a_human_who_refuses_says_no_to_everything() {
    let mut world = world(&json!([{"kind": "human_refuses", "after": 10, "lasts": 60}]));
    assert_eq!(ask(&mut world), Choice::Yes);
    world.cluster_mut().advance_to(20 * SECOND);
    assert_eq!(ask(&mut world), Choice::No);
    assert_eq!(restart(&mut world, 5).unwrap_err().kind, ErrorKind::Refused);
    assert!(happened(world.cluster(), |what| matches!(what, LogEvent::Started(_))).is_empty());
    world.cluster_mut().advance_to(71 * SECOND);
    assert_eq!(ask(&mut world), Choice::Yes);
}

#[test]
fn a_malformed_key_goes_when_the_last_fault_that_put_it_ends() {
    let mut cluster = cluster(&json!([
        {"kind": "malformed_key", "after": 10, "lasts": 10},
        {"kind": "malformed_key", "after": 15, "lasts": 10}
    ]));
    let mut there = |at: Micros| {
        cluster.advance_to(at);
        cluster.get("/tidb-binlog/v1/pumps/broken").is_some()
    };
    assert_eq!([5, 12, 22, 26].map(|at| there(at * SECOND)), [false, true, true, false]);
}

#[test]
fn a_fault_that_can_do_nothing_at_its_time_does_not_begin() {
    let mut cluster = cluster(&json!([
        {"kind": "crash", "node": "p0", "after": 10},
        {"kind": "hang", "node": "p0", "after": 20, "lasts": 5},
        {"kind": "crash", "node": "p0", "after": 30, "lasts": 5},
        {"kind": "fail", "node": "p0", "after": 30, "lasts": 5},
        {"kind": "new_address", "node": "p0", "after": 30}
    ]));
    cluster.advance_to(MINUTE);
    let faults = |what: &LogEvent| matches!(what, LogEvent::FaultBegan(_) | LogEvent::FaultEnded(_));
    assert_eq!(happened(&cluster, faults), [10 * SECOND]);
    assert_eq!((stage(&cluster, "p0"), cluster.faults().len()), (None, 5));
}

#[test]
fn the_log_has_how_many_pumps_take_writes() {
    let mut cluster = cluster(&json!([
        {"kind": "crash", "node": "p0", "after": 10, "lasts": 10},
        {"kind": "hang", "node": "p1", "after": 15, "lasts": 10}
    ]));
    assert_eq!(cluster.writable_pumps(), 3);
    cluster.advance_to(16 * SECOND);
    assert_eq!(cluster.writable_pumps(), 1);
    cluster.advance_to(MINUTE);
    let writable = |entry: &LogEntry| match entry.what {
        LogEvent::Writable(pumps) => Some((entry.at, pumps)),
        _ => None,
    };
    let log: Vec<(Micros, usize)> = cluster.log().iter().filter_map(writable).collect();
    let up = 20 * SECOND + 300 * MILLISECOND;
    assert_eq!(log, [(10 * SECOND, 2), (15 * SECOND, 1), (up, 2), (25 * SECOND, 3)]);
}

#[test]
fn drainers_go_on_while_a_pump_closes_until_it_is_gone() {
    let mut scenario = scenario(&json!([]));
    scenario.drainers[0].lag = Span::seconds(100);
    scenario.drainers[0].speed = Some(3.0);
    let mut cluster = Cluster::new(&scenario).unwrap();
    cluster.advance_to(10 * SECOND);
    put(&mut cluster, "p0", "close");
    cluster.advance_to(HOUR);
    let went =
        happened(&cluster, |what| matches!(what, LogEvent::Recorded { state: RecordState::Known(State::Offline), .. }))
            [0];
    assert!(
        (36 * SECOND..44 * SECOND).contains(&went),
        "100 s of binlog at 3 a second, and what is saved of it: {went}"
    );
    for drainer in 0..2 {
        let [(false, halted), (true, again)] = halts(&cluster, drainer)[..] else {
            panic!("{:?}", halts(&cluster, drainer));
        };
        assert_eq!(halted, went, "the closing Pump goes on making binlog of its own");
        assert!((1..=5 * SECOND).contains(&(again - halted)), "until it knows that the Pump went: {again}");
    }
}

#[test]
fn what_a_drainer_has_not_read_of_a_pump_is_known_whatever_the_records_say() {
    let mut cluster = cluster(&json!([{"kind": "stall", "node": "d0", "after": 10}]));
    cluster.advance_to(9 * SECOND);
    assert_eq!(cluster.unread(0, 1), None);
    cluster.advance_to(MINUTE);
    let p1 = who(&cluster, "p1");
    cluster.signal(p1, Signal::Kill);
    let record = cluster.record(p1).unwrap();
    cluster.put(&record.node.key(), record.with_state(State::Offline).unwrap().bytes());
    cluster.advance_to(2 * MINUTE);
    let (from, to) = cluster.unread(0, 1).unwrap();
    assert!((50 * SECOND..51 * SECOND).contains(&(to - from)), "{from} to {to}");
    assert_eq!(cluster.unread(1, 1), None);
    cluster.delete(&record.node.key());
    assert_eq!(cluster.unread(0, 1), Some((from, to)));
}

/// Numbers that look random and are the same everywhere (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) >> 16).unwrap() % limit
    }

    fn seconds(&mut self, limit: usize) -> Span {
        Span(Duration::from_millis(u64::try_from(self.below(limit * 1_000)).unwrap()))
    }

    /// Up to eight faults of any kind, to any node, at any time of an hour, of any length.
    fn faults(&mut self, nodes: &[(Kind, String)]) -> Vec<Fault> {
        let mut faults = Vec::new();
        for _ in 0..=self.below(8) {
            let kind = FaultKind::ALL[self.below(FaultKind::ALL.len())];
            let suits = |of: &&(Kind, String)| match kind.row().victim {
                Victim::Node(Some(kind)) => of.0 == kind,
                Victim::Node(None) | Victim::Nobody => true,
            };
            let suitable: Vec<&(Kind, String)> = nodes.iter().filter(suits).collect();
            let mut node = None;
            if kind.row().victim != Victim::Nobody {
                if suitable.is_empty() {
                    continue;
                }
                node = Some(suitable[self.below(suitable.len())].clone());
            }
            let after = self.seconds(3_600);
            let longest = [1, 40, 600, 7_200][self.below(4)];
            let lasts = if self.below(4) == 0 { None } else { Some(self.seconds(longest)) };
            let (node_kind, node) = node.unzip();
            faults.push(Fault { kind, node: node.map(Into::into), node_kind, after, lasts });
        }
        faults
    }
}

/// What an operator might do meanwhile, one thing after the other.
fn bother(world: &mut Simulated, numbers: &mut Numbers) {
    let listed: Vec<NodeRef> = match world.apply(&Request::Read(Read::Nodes), None) {
        Ok(Answer::Listing(listing)) => listing.records.into_iter().map(|record| record.node).collect(),
        _ => Vec::new(),
    };
    let _ = world.apply(&Request::Read(Read::Probe { nodes: listed.clone() }), None);
    let Some(node) = listed.get(numbers.below(listed.len().max(1))).cloned() else { return };
    let takes = Some(Duration::from_secs(u64::try_from(numbers.below(30)).unwrap()));
    let request = match numbers.below(6) {
        0 => Request::Change(Change::Act { node, action: Action::Pause }),
        1 => Request::Change(Change::Act { node, action: Action::Close }),
        2 => Request::Change(Change::Manual(Manual { starts: vec![node], takes, ..Manual::default() })),
        3 => Request::Change(Change::Manual(Manual { stops: vec![node], takes, ..Manual::default() })),
        4 => Request::Read(Read::Status { nodes: vec![node] }),
        _ => Request::Read(Read::Metrics { nodes: vec![node] }),
    };
    let _ = world.apply(&request, None); // whether it works is not the question here
}

/// An hour with faults drawn from `seed`, and what came of it.
fn an_hour(sample: &str, seed: u64) -> (Vec<KeyValue>, Vec<LogEntry>) {
    let mut numbers = Numbers(seed);
    let mut scenario = Scenario::named(sample).unwrap();
    let pumps = scenario.pumps.iter().map(|pump| (Kind::Pump, pump.id.clone()));
    let drainers = scenario.drainers.iter().map(|drainer| (Kind::Drainer, drainer.id.clone()));
    let nodes: Vec<(Kind, String)> = pumps.chain(drainers).collect();
    scenario.faults = numbers.faults(&nodes);
    let mut world = Simulated::new(&scenario).unwrap();
    while world.now() < HOUR {
        let before = world.now();
        bother(&mut world, &mut numbers);
        let time = numbers.seconds(600).0;
        world.apply(&Request::Read(Read::Sleep { time }), None).unwrap();
        assert!(world.now() > before, "{sample}, seed {seed}: time stands still");
    }
    let cluster = world.cluster();
    for drainer in 0..scenario.drainers.len() {
        for pump in 0..scenario.pumps.len() {
            assert!(cluster.unread(drainer, pump).is_none_or(|(from, to)| from < to && to <= cluster.now()));
        }
        let last = halts(cluster, drainer).pop();
        assert!(last.is_none_or(|(flows, _)| flows == cluster.flows(drainer)), "{sample}, seed {seed}");
    }
    (cluster.key_values(), cluster.log().to_vec())
}

#[test]
fn a_ddl_moves_the_version_of_the_schema_and_is_saved_by_itself() {
    let mut cluster = cluster(&json!([{"kind": "ddl", "after": "20s"}, {"kind": "ddl", "after": "40s"}]));
    let row = |cluster: &Cluster| cluster.saved_downstream(0).unwrap();
    cluster.advance_to(19 * SECOND);
    let before = row(&cluster).schema_version.unwrap();
    for (second, version) in [(20, before + 1), (40, before + 2)] {
        let ddl = cluster.ts_at(second * SECOND);
        let saved = (0..500).any(|step| {
            cluster.advance_to(second * SECOND + step * 10 * MILLISECOND);
            row(&cluster).commit_ts == ddl
        });
        assert!(saved && row(&cluster).schema_version == Some(version), "{:?}", row(&cluster));
    }
    let ddls = cluster.log().iter().filter(|entry| entry.what == LogEvent::Ddl).count();
    assert_eq!(ddls, 2);
}

#[test]
fn whatever_the_faults_time_goes_on_and_the_same_faults_do_the_same() {
    for (sample, _) in scenario_names() {
        for seed in 0..300 {
            assert!(an_hour(sample, seed) == an_hour(sample, seed), "{sample}, seed {seed}");
        }
    }
}

#[test]
fn a_drainer_flows_exactly_when_it_consumes() {
    let mut looked = [0; 2];
    for seed in 0..300 {
        let mut numbers = Numbers(seed);
        let nodes =
            [("p0", Kind::Pump), ("p1", Kind::Pump), ("p2", Kind::Pump), ("d0", Kind::Drainer), ("d1", Kind::Drainer)];
        let mut scenario = scenario(&json!([]));
        scenario.faults = numbers.faults(&nodes.map(|(id, kind)| (kind, id.to_owned())));
        scenario.drainers[1].speed = Some(1.5);
        let mut cluster = Cluster::new(&scenario).unwrap();
        while cluster.now() < HOUR {
            cluster.advance_to(cluster.now() + numbers.seconds(300).micros());
            let (before, seen) = ([0, 1].map(|at| cluster.flows(at)), cluster.log().len());
            let progress = ["d0", "d1"].map(|id| cluster.position(who(&cluster, id)));
            cluster.advance_to(cluster.now() + 4 * SECOND);
            let quiet = cluster.log().len() == seen;
            for (at, id) in ["d0", "d1"].iter().enumerate().filter(|_| quiet) {
                let moved = cluster.position(who(&cluster, id)) > progress[at];
                looked[usize::from(moved)] += 1;
                assert_eq!(moved, before[at], "seed {seed}, {id} at {}: {:?}", cluster.now(), scenario.faults);
            }
        }
    }
    assert!(looked.iter().all(|times| *times > 500), "{looked:?}");
}

/// A cluster with TiCDC and a changefeed, with `faults`.
fn with_changefeed(faults: &Json) -> Simulated {
    let mut scenario = scenario(faults);
    let feed = json!({"id": "a", "sink": "mysql://10.0.2.9:3306/"});
    scenario.tikv = serde_json::from_value(json!({"servers": ["h7:8300"], "changefeeds": [feed]})).unwrap();
    Simulated::new(&scenario).unwrap()
}

fn changefeed(world: &mut Simulated) -> binlogsh::world::Changefeed {
    match world.apply(&Request::Read(Read::Changefeeds), None).unwrap() {
        Answer::Changefeeds(mut found) => found.changefeeds.remove(0),
        other => panic!("{other:?}"),
    }
}

fn sleep(world: &mut Simulated, seconds: u64) {
    let time = Duration::from_secs(seconds);
    world.apply(&Request::Read(Read::Sleep { time }), None).unwrap();
}

#[test]
fn a_changefeed_that_fails_or_is_paused_stands_still_until_somebody_has_it_go_on() {
    for (kind, state) in [("changefeed_fails", "failed"), ("changefeed_stops", "stopped")] {
        let mut world = with_changefeed(&json!([{"kind": kind, "after": "10s", "lasts": "60s"}]));
        sleep(&mut world, 15);
        let seen = changefeed(&mut world);
        assert_eq!((seen.state.as_str(), seen.error.is_some()), (state, state == "failed"));
        sleep(&mut world, 30);
        assert_eq!(changefeed(&mut world).checkpoint_ts, seen.checkpoint_ts);
        sleep(&mut world, 60);
        let later = changefeed(&mut world);
        assert_eq!((later.state.as_str(), later.error.is_some()), ("normal", false));
        assert!(later.checkpoint_ts > seen.checkpoint_ts);
    }
}

#[test]
fn gc_that_runs_ahead_collects_what_nobody_holds_and_nothing_else() {
    let fault = json!([{"kind": "gc_runs_ahead", "after": "60s", "lasts": "60s"}]);
    let safe_points = |world: &mut Simulated| match world.apply(&Request::Read(Read::GcSafePoints), None).unwrap() {
        Answer::GcSafePoints(found) => found,
        other => panic!("{other:?}"),
    };
    let hold = |world: &mut Simulated, ts| {
        world.apply(&Request::Change(Change::HoldGc { ts, ttl: Duration::from_secs(600) }), None)
    };
    let mut free = world(&fault);
    let began = free.cluster().ts_at(0);
    sleep(&mut free, 90);
    assert!(safe_points(&mut free).safe_point.unwrap() > began);
    assert_eq!(hold(&mut free, began).unwrap_err().kind, ErrorKind::Rejected);

    let mut held = world(&fault);
    hold(&mut held, began).unwrap();
    sleep(&mut held, 90);
    let found = safe_points(&mut held);
    assert_eq!(found.safe_point, Some(began), "up to the smallest, and no further");
    assert_eq!(found.smallest().unwrap().safe_point, began);
}
