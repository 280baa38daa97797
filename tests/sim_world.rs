//! The simulated world: what every request answers, what it takes, and how it fails.

#![expect(clippy::panic, reason = "an answer of the wrong sort ends the test")]

use binlogsh::error::{Error, ErrorKind};
use binlogsh::interrupt::Interrupt;
use binlogsh::node::{Kind, NodeRef, Record, State};
use binlogsh::secret::Secret;
use binlogsh::sim::{HOUR, MINUTE, SECOND, Scenario, Simulated};
use binlogsh::world::{
    Acted, Action, Answer, Ask, Change, FaultKind, Fence, Listing, Manual, Play, ProbeFinding, Question, Read, Request,
    SecretPrompt, StatusReport, TidbBinlog, World,
};
use std::time::Duration;

fn world(sample: &str) -> Simulated {
    Simulated::new(&Scenario::named(sample).unwrap()).unwrap()
}

fn listing(world: &mut Simulated) -> Listing {
    match world.apply(&Request::Read(Read::Nodes), None).unwrap() {
        Answer::Listing(listing) => listing,
        other => panic!("{other:?}"),
    }
}

fn record(world: &mut Simulated, id: &str) -> Record {
    listing(world).records.into_iter().find(|record| record.node.id == id).unwrap()
}

fn node(world: &mut Simulated, id: &str) -> NodeRef {
    record(world, id).node
}

fn probe(world: &mut Simulated, id: &str) -> ProbeFinding {
    let nodes = vec![node(world, id)];
    match world.apply(&Request::Read(Read::Probe { nodes }), None).unwrap() {
        Answer::Probes(mut probes) => probes.remove(0).finding,
        other => panic!("{other:?}"),
    }
}

fn act(world: &mut Simulated, id: &str, action: Action) -> Result<Answer, Error> {
    let node = node(world, id);
    world.apply(&Request::Change(Change::Act { node, action }), None)
}

fn started(world: &mut Simulated, id: &str) -> f64 {
    let nodes = vec![node(world, id)];
    match world.apply(&Request::Read(Read::Metrics { nodes }), None).unwrap() {
        Answer::Metrics(mut samples) => samples.remove(0).unwrap()["process_start_time_seconds"],
        other => panic!("{other:?}"),
    }
}

fn fault(world: &mut Simulated, kind: FaultKind, id: &str) {
    let node = Some(node(world, id));
    let play = Play::Fault { kind, node, after: Duration::ZERO, lasts: None };
    world.apply(&Request::Play(play), None).unwrap();
}

#[test]
fn a_listing_shows_every_node_in_order_with_pds_time() {
    let mut world = world("default");
    let seen = listing(&mut world);
    let ids: Vec<&str> = seen.records.iter().map(|record| record.node.id.as_str()).collect();
    assert_eq!(ids, ["pump-0", "pump-1", "pump-2", "drainer-0", "drainer-1"]);
    let tso = seen.tso.unwrap();
    assert!(seen.records.iter().all(|record| record.state == State::Online));
    assert!(seen.records.iter().all(|record| (0.0..12.0).contains(&tso.seconds_since(record.max_commit_ts))));
    assert!(seen.records.iter().all(|record| record.mod_revision <= seen.revision));
}

#[test]
fn a_malformed_key_hides_no_other_node() {
    let seen = listing(&mut world("malformed-record"));
    assert_eq!((seen.records.len(), seen.malformed.len()), (5, 2));
}

#[test]
fn a_pause_is_seen_by_record_and_probe() {
    let mut world = world("default");
    let answer = act(&mut world, "pump-1", Action::Pause).unwrap();
    assert_eq!(answer, Answer::Acted(Acted::said("apply action pause success!")));
    assert_eq!(record(&mut world, "pump-1").state, State::Paused);
    assert_eq!(probe(&mut world, "pump-1"), ProbeFinding::Refused);
}

#[test]
fn a_refused_action_is_an_error_in_the_nodes_own_words() {
    let error = act(&mut world("closing-pump"), "pump-1", Action::Pause).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.message.contains("this pump's state is closing, apply pause failed!"), "{error}");
}

#[test]
fn faults_refuse_and_lose_what_is_asked() {
    let mut world = world("default");
    fault(&mut world, FaultKind::Refuse, "pump-0");
    assert_eq!(act(&mut world, "pump-0", Action::Pause).unwrap_err().kind, ErrorKind::Rejected);
    assert_eq!(probe(&mut world, "pump-0"), ProbeFinding::State(State::Online));
    fault(&mut world, FaultKind::LoseAnswer, "pump-1");
    assert_eq!(act(&mut world, "pump-1", Action::Pause).unwrap_err().kind, ErrorKind::InDoubt);
    assert_eq!(probe(&mut world, "pump-1"), ProbeFinding::Refused, "it was done");
}

#[test]
fn a_probe_tells_dead_hung_closing_and_reused_apart() {
    let mut world = world("closing-pump");
    assert_eq!(probe(&mut world, "pump-1"), ProbeFinding::State(State::Closing));
    assert_eq!(probe(&mut world, "drainer-0"), ProbeFinding::Refused);
    fault(&mut world, FaultKind::Hang, "pump-0");
    let before = world.now();
    assert_eq!(probe(&mut world, "pump-0"), ProbeFinding::Silent);
    assert!(world.now() - before >= SECOND, "it waits a second for the answer");
    let reused = probe(&mut self::world("duplicate-address"), "pump-old");
    assert_eq!(reused, ProbeFinding::Other("pump-2".into()));
}

#[test]
fn nobody_at_the_address_is_unreachable() {
    let error = act(&mut world("dead-drainer"), "drainer-1", Action::Pause).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("10.0.1.22:8249"), "{error}");
}

#[test]
fn changes_waits_for_a_change_of_state_and_no_heartbeat() {
    let mut world = world("default");
    let seen = listing(&mut world);
    let before = world.now();
    let patience = Duration::from_secs(600);
    let changes = Request::Read(Read::Changes { after: seen.revision, patience });
    world.apply(&changes, None).unwrap();
    assert!(world.now() - before >= 600 * SECOND, "nothing happens");
    world.cluster_mut().put("/elsewhere", b"x");
    let before = world.now();
    world.apply(&Request::Read(Read::Changes { after: seen.revision, patience }), None).unwrap();
    assert!(world.now() - before >= 600 * SECOND, "no record has changed");
    act(&mut world, "pump-1", Action::Close).unwrap();
    let (before, after) = (world.now(), listing(&mut world).revision);
    world.apply(&Request::Read(Read::Changes { after, patience }), None).unwrap();
    assert!((SECOND..20 * SECOND).contains(&(world.now() - before)), "the Pump has closed");
    assert_eq!(record(&mut world, "pump-1").state, State::Offline);
}

#[test]
fn a_swap_retries_over_heartbeats_and_conflicts_over_anything_else() {
    let mut world = world("lost-pump");
    let seen = record(&mut world, "pump-2");
    let swap = |seen: &Record, state| Request::Change(Change::SwapRecord { seen: seen.clone(), state });
    let live = record(&mut world, "pump-0");
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(10) }), None).unwrap();
    assert!(matches!(world.apply(&swap(&live, State::Paused), None).unwrap(), Answer::Swapped(_)));
    world.apply(&swap(&seen, State::Paused), None).unwrap();
    let error = world.apply(&swap(&seen, State::Offline), None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains(r#"state: "online" -> "paused""#), "{error}");
}

#[test]
fn a_deletion_conflicts_with_every_later_write() {
    let mut world = world("lost-pump");
    let live = record(&mut world, "pump-0");
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(5) }), None).unwrap();
    let delete = |record: &Record| {
        Request::Change(Change::DeleteRecord { key: record.node.key(), mod_revision: record.mod_revision })
    };
    assert_eq!(world.apply(&delete(&live), None).unwrap_err().kind, ErrorKind::Conflict);
    let dead = record(&mut world, "pump-2");
    assert_eq!(world.apply(&delete(&dead), None).unwrap(), Answer::Done);
    assert_eq!(world.apply(&delete(&dead), None).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn a_write_under_a_lost_lock_does_nothing() {
    let mut world = world("lost-pump");
    let create_revision = world.cluster_mut().put("/binlogsh/lock", b"me");
    let held = Fence { key: "/binlogsh/lock".into(), create_revision };
    let lost = Fence { create_revision: create_revision - 1, ..held.clone() };
    let seen = record(&mut world, "pump-2");
    let swap = Request::Change(Change::SwapRecord { seen, state: State::Paused });
    assert_eq!(world.apply(&swap, Some(&lost)).unwrap_err().kind, ErrorKind::LockLost);
    assert_eq!(record(&mut world, "pump-2").state, State::Online);
    assert!(world.apply(&swap, Some(&held)).is_ok());
}

#[test]
fn manual_restarts_and_moves_what_it_declares() {
    let mut world = world("default");
    act(&mut world, "pump-1", Action::Pause).unwrap();
    let before = (started(&mut world, "pump-0"), world.now());
    let moved = NodeRef { address: "10.0.9.9:8250".into(), ..node(&mut world, "pump-1") };
    let starts = vec![moved.clone(), node(&mut world, "pump-0")];
    let manual = Manual { text: "replace them".into(), starts, ..Manual::default() };
    world.apply(&Request::Change(Change::Manual(manual)), None).unwrap();
    assert!(world.now() - before.1 >= MINUTE, "a human takes their time");
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(3) }), None).unwrap();
    assert_eq!(node(&mut world, "pump-1"), moved);
    assert_eq!(probe(&mut world, "pump-1"), ProbeFinding::State(State::Online));
    assert!(started(&mut world, "pump-0") > before.0 + 60.0);
}

/// How long `manual` takes that has pump-1 started, whose process needs `slow` seconds longer than others.
fn manual_start_takes(slow: u64) -> (Duration, ProbeFinding) {
    let mut world = world("default");
    act(&mut world, "pump-1", Action::Pause).unwrap();
    let node = node(&mut world, "pump-1");
    if slow > 0 {
        let (kind, lasts) = (FaultKind::SlowStart, Duration::from_secs(60 + slow));
        let play = Play::Fault { kind, node: Some(node.clone()), after: Duration::ZERO, lasts: Some(lasts) };
        world.apply(&Request::Play(play), None).unwrap();
    }
    let before = world.now();
    let manual = Manual { text: "start it".into(), starts: vec![node], ..Manual::default() };
    world.apply(&Request::Change(Change::Manual(manual)), None).unwrap();
    let took = Duration::from_micros((world.now() - before - MINUTE).try_into().unwrap());
    (took, probe(&mut world, "pump-1"))
}

#[test]
fn manual_ends_as_in_a_run_when_a_look_finds_who_was_started() {
    let second = Duration::from_secs(1);
    let (took, found) = manual_start_takes(0);
    assert_eq!(found, ProbeFinding::State(State::Online));
    assert!(took >= second && took < 2 * second, "a look each second, and a process takes 300 ms: {took:?}");
    let (took, found) = manual_start_takes(6);
    assert_eq!(found, ProbeFinding::State(State::Online));
    assert!(took >= 6 * second && took < 8 * second, "{took:?}");
    let (took, found) = manual_start_takes(60);
    assert_eq!(found, ProbeFinding::State(State::Online), "it is waited for as long as it may take");
    assert!(took >= 60 * second && took < 62 * second, "{took:?}");
}

#[test]
fn manual_adds_a_node_that_was_not_there() {
    let mut world = world("default");
    let added = NodeRef { kind: Kind::Pump, id: "pump-3".into(), address: "10.0.1.14:8250".into() };
    let manual = Manual { starts: vec![added], tidb: Some(TidbBinlog::Off), ..Manual::default() };
    world.apply(&Request::Change(Change::Manual(manual)), None).unwrap();
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(20) }), None).unwrap();
    assert_eq!(record(&mut world, "pump-3").state, State::Online);
    let nodes = vec![node(&mut world, "drainer-0")];
    let Answer::Statuses(statuses) = world.apply(&Request::Read(Read::Status { nodes }), None).unwrap() else {
        panic!()
    };
    let Ok(StatusReport::Drainer(status)) = &statuses[0] else { panic!("{statuses:?}") };
    assert!(status.pump_positions.contains_key("pump-3"));
}

#[test]
fn without_pd_every_listing_says_whom_it_tried() {
    let mut world = world("default");
    let play = Play::Fault { kind: FaultKind::PdGone, node: None, after: Duration::ZERO, lasts: None };
    world.apply(&Request::Play(play), None).unwrap();
    for request in
        [Request::Read(Read::Nodes), Request::Read(Read::Tso), Request::Read(Read::Cluster), Request::Read(Read::Tidbs)]
    {
        let error = world.apply(&request, None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.contains("http://10.0.1.1:2379"), "{error}");
    }
}

#[test]
fn questions_are_answered_yes_and_secrets_are_made_up() {
    let mut world = world("default");
    let asked = world.apply(&Request::Ask(Ask::Question(Question::new("sure?"))), None).unwrap();
    assert_eq!(asked, Answer::Chosen(binlogsh::world::Choice::Yes));
    let secret = world.apply(&Request::Ask(Ask::Secret(SecretPrompt { prompt: "text".into() })), None);
    assert_eq!(secret.unwrap(), Answer::Secret(Secret::Plain(Secret::MADE_UP.into())));
    let encrypt = Request::Change(Change::Encrypt { text: Secret::Plain("secret".into()) });
    let once = world.apply(&encrypt, None).unwrap();
    assert_ne!(once, world.apply(&encrypt, None).unwrap(), "its random start differs each time");
    assert_eq!(once, self::world("default").apply(&encrypt, None).unwrap(), "and is the same in every run");
}

#[test]
fn a_savepoint_is_an_overlay_that_reads_see() {
    let mut world = world("empty");
    let read = Request::Read(Read::ReadSavepoint { dir: "binlog_position".into() });
    assert_eq!(world.apply(&read, None).unwrap_err().kind, ErrorKind::NotFound);
    let write =
        Request::Change(Change::WriteSavepoint { dir: "binlog_position".into(), content: "commitTS = 1\n".into() });
    world.apply(&write, None).unwrap();
    assert_eq!(world.apply(&read, None).unwrap(), Answer::Text("commitTS = 1\n".into()));
}

#[test]
fn an_interrupt_ends_a_long_sleep() {
    let interrupt = Interrupt::default();
    let raised = interrupt.clone();
    let mut world = world("default").with_interrupt(interrupt).with_real_time(Box::new(move || {
        raised.raise(2);
        Duration::ZERO
    }));
    let error = world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(1 << 40) }), None).unwrap_err();
    assert_eq!((error.kind, error.signal), (ErrorKind::Interrupted, Some(2)));
}

#[test]
fn real_time_between_requests_passes_as_virtual_time() {
    let mut world = world("default").with_real_time(Box::new(|| Duration::from_secs(7)));
    listing(&mut world);
    listing(&mut world);
    assert!((14 * SECOND..15 * SECOND).contains(&world.now()));
}

#[test]
fn a_fault_that_can_happen_to_nobody_is_an_error() {
    let mut world = world("default");
    let node = node(&mut world, "pump-1");
    let play = Play::Fault { kind: FaultKind::Stall, node: Some(node), after: Duration::ZERO, lasts: None };
    assert_eq!(world.apply(&Request::Play(play), None).unwrap_err().kind, ErrorKind::Invalid);
}

#[test]
fn a_large_cluster_runs_for_hours_in_no_time() {
    let pumps = (0..200).map(|at| format!(r#"{{"id": "pump-{at}", "address": "p{at}:8250"}}"#));
    let drainers = (0..50).map(|at| format!(r#"{{"id": "drainer-{at}", "address": "d{at}:8249"}}"#));
    let join = |nodes: &mut dyn Iterator<Item = String>| nodes.collect::<Vec<_>>().join(",");
    let (pumps, drainers) = (join(&mut { pumps }), join(&mut { drainers }));
    let text = format!(r#"{{"version": 1, "pumps": [{pumps}], "drainers": [{drainers}]}}"#);
    let mut world = Simulated::new(&Scenario::parse(&text).unwrap()).unwrap();
    let takes = Some(Duration::from_secs(50));
    for at in 0..200 {
        let pump = NodeRef { kind: Kind::Pump, id: format!("pump-{at}").into(), address: format!("p{at}:8250").into() };
        world.apply(&Request::Change(Change::Act { node: pump.clone(), action: Action::Pause }), None).unwrap();
        world
            .apply(&Request::Change(Change::Manual(Manual { starts: vec![pump], takes, ..Manual::default() })), None)
            .unwrap();
        world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(5) }), None).unwrap();
        if at % 20 == 0 {
            assert_eq!(listing(&mut world).records.len(), 250);
        }
    }
    assert!(world.now() > 3 * HOUR);
    assert!(listing(&mut world).records.iter().all(|record| record.state == State::Online));
}

#[test]
fn a_drainer_that_is_behind_a_dead_pump_has_not_read_the_rest_of_it() {
    let text = r#"{"version": 1,
        "pumps": [{"id": "p", "address": "h:1"}, {"id": "dead", "address": "h:2", "process": "dead", "lag": "1h"}],
        "drainers": [{"id": "d", "address": "h:3", "lag": "2h"}]}"#;
    let mut world = Simulated::new(&Scenario::parse(text).unwrap()).unwrap();
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(600) }), None).unwrap();
    let nodes = vec![node(&mut world, "d")];
    let Answer::Statuses(statuses) = world.apply(&Request::Read(Read::Status { nodes }), None).unwrap() else {
        panic!()
    };
    let Ok(StatusReport::Drainer(status)) = &statuses[0] else { panic!("{statuses:?}") };
    let two_hours_before = world.cluster().ts_at(-2 * HOUR);
    assert_eq!((status.pump_positions["dead"], status.last_ts), (two_hours_before, two_hours_before));
}
