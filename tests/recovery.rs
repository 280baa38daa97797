//! What became of a change whose end is not known: proven by the cluster, or a question for the operator.

use binlogsh::node::{Kind, NodeRef, Record, State};
use binlogsh::recovery::{Fate, fate};
use binlogsh::secret::Secret;
use binlogsh::sim::{MINUTE, NodeIndex, SECOND, Scenario, Signal, Simulated};
use binlogsh::tso::Tso;
use binlogsh::world::{
    Action, Answer, Change, Clocks, Control, Exec, Manual, NewChangefeed, ProcessVerb, Read, Request, TidbRef, World,
};

/// A cluster in which nobody restarts what was killed, after a minute.
fn cluster() -> Simulated {
    let mut scenario = Scenario::named("default").unwrap();
    scenario.pumps.iter_mut().for_each(|pump| pump.supervisor = false);
    scenario.drainers.iter_mut().for_each(|drainer| drainer.supervisor = false);
    let mut world = Simulated::new(&scenario).unwrap();
    world.cluster_mut().advance_to(MINUTE);
    world
}

fn record(world: &mut Simulated, kind: Kind, id: &str) -> Record {
    match world.apply(&Request::Read(Read::Nodes), None).unwrap() {
        Answer::Listing(listing) => listing.find(kind, id).unwrap().clone(),
        other => panic!("{other:?}"),
    }
}

fn node(world: &mut Simulated, kind: Kind, id: &str) -> NodeRef {
    record(world, kind, id).node
}

fn who(world: &Simulated, kind: Kind, id: &str) -> NodeIndex {
    world.cluster().find(kind, id).unwrap()
}

/// This host's clock, as the cluster has it.
fn clock(world: &mut Simulated) -> i64 {
    match world.apply(&Request::Read(Read::Now), None).unwrap() {
        Answer::Now(Clocks { unix_ms, .. }) => unix_ms,
        other => panic!("{other:?}"),
    }
}

/// Lets `change` happen in the moment of which the journal knows no end, and then asks for its fate.
fn after(world: &mut Simulated, request: &Request, change: impl FnOnce(&mut Simulated)) -> Fate {
    let began = clock(world);
    change(world);
    let later = world.cluster().now() + 30 * SECOND;
    world.cluster_mut().advance_to(later);
    fate(world, request.change().unwrap(), began).unwrap()
}

#[track_caller]
fn is_done(fate: &Fate) {
    assert!(matches!(fate, Fate::Done { .. }), "{fate:?}");
}

#[track_caller]
fn is_undone(fate: &Fate) {
    assert!(matches!(fate, Fate::Undone { .. }), "{fate:?}");
}

#[track_caller]
fn is_unclear(fate: &Fate, evidence: &str) {
    match fate {
        Fate::Unclear { evidence: found } => assert!(found.contains(evidence), "{found}"),
        other => panic!("{other:?}"),
    }
}

fn act(world: &mut Simulated, kind: Kind, id: &str, action: Action) -> Request {
    Request::Change(Change::Act { node: node(world, kind, id), action })
}

#[test]
fn a_pause_that_happened_is_done_and_one_that_did_not_is_undone() {
    for (kind, id) in [(Kind::Pump, "pump-1"), (Kind::Drainer, "drainer-0")] {
        let mut world = cluster();
        let pause = act(&mut world, kind, id, Action::Pause);
        is_undone(&after(&mut world, &pause, |_| {}));
        let request = pause.clone();
        is_done(&after(&mut world, &pause, |world| {
            world.apply(&request, None).unwrap();
        }));
    }
}

#[test]
fn a_pause_of_a_node_that_runs_as_another_process_by_now_is_unclear() {
    let mut world = cluster();
    let pause = act(&mut world, Kind::Pump, "pump-1", Action::Pause);
    let pump = who(&world, Kind::Pump, "pump-1");
    let fate = after(&mut world, &pause, |world| world.cluster_mut().start(pump, None));
    is_unclear(&fate, "record online, a probe says online, process of ");
}

#[test]
fn a_pause_of_a_node_that_hangs_or_was_killed_is_unclear() {
    for (signal, evidence) in [(Signal::Stop, "a probe says silent"), (Signal::Kill, "a probe says refused")] {
        let mut world = cluster();
        let pause = act(&mut world, Kind::Pump, "pump-1", Action::Pause);
        let pump = who(&world, Kind::Pump, "pump-1");
        let fate = after(&mut world, &pause, |world| world.cluster_mut().signal(pump, signal));
        is_unclear(&fate, evidence);
    }
}

#[test]
fn a_close_that_happened_is_done_while_it_waits_and_after_it() {
    let mut world = cluster();
    let close = act(&mut world, Kind::Pump, "pump-1", Action::Close);
    is_undone(&after(&mut world, &close, |_| {}));
    let request = close.clone();
    let began = clock(&mut world);
    world.apply(&request, None).unwrap();
    is_done(&fate(&mut world, close.change().unwrap(), began).unwrap());
    world.cluster_mut().advance_to(5 * MINUTE);
    is_done(&fate(&mut world, close.change().unwrap(), began).unwrap());
    let offline = record(&mut world, Kind::Pump, "pump-1");
    assert_eq!(offline.state, State::Offline);
}

#[test]
fn a_close_that_was_forgotten_because_the_pump_was_restarted_is_unclear() {
    let mut world = cluster();
    let drainer = who(&world, Kind::Drainer, "drainer-0");
    world.cluster_mut().signal(drainer, Signal::Stop);
    let (close, pump) = (act(&mut world, Kind::Pump, "pump-1", Action::Close), who(&world, Kind::Pump, "pump-1"));
    let request = close.clone();
    let fate = after(&mut world, &close, |world| {
        world.apply(&request, None).unwrap();
        world.cluster_mut().start(pump, None);
    });
    is_unclear(&fate, "record online");
}

#[test]
fn a_written_state_is_done_when_the_record_has_it_and_undone_when_only_heartbeats_changed_it() {
    let mut world = cluster();
    let seen = record(&mut world, Kind::Drainer, "drainer-1");
    let swap = Request::Change(Change::SwapRecord { seen, state: State::Paused });
    is_undone(&after(&mut world, &swap, |_| {}));

    let drainer = who(&world, Kind::Drainer, "drainer-1");
    world.cluster_mut().signal(drainer, Signal::Kill);
    let seen = record(&mut world, Kind::Drainer, "drainer-1");
    let swap = Request::Change(Change::SwapRecord { seen, state: State::Paused });
    is_undone(&after(&mut world, &swap, |_| {}));
    let request = swap.clone();
    let fate = after(&mut world, &swap, |world| {
        world.apply(&request, None).unwrap();
    });
    let Fate::Done { answer: Answer::Swapped(written), .. } = fate else { panic!("{fate:?}") };
    assert_eq!(written.state, State::Paused);
}

#[test]
fn a_deleted_key_is_done_when_it_is_gone_and_unclear_when_somebody_wrote_it_again() {
    let mut world = cluster();
    let seen = record(&mut world, Kind::Drainer, "drainer-1");
    let drainer = who(&world, Kind::Drainer, "drainer-1");
    world.cluster_mut().signal(drainer, Signal::Kill);
    let now = record(&mut world, Kind::Drainer, "drainer-1");
    let delete = Request::Change(Change::DeleteRecord { key: now.node.key(), mod_revision: now.mod_revision });
    is_undone(&after(&mut world, &delete, |_| {}));
    let (key, json) = (now.node.key(), now.json.clone());
    is_unclear(
        &after(&mut world, &delete, |world| {
            world.cluster_mut().put(&key, json.bytes());
        }),
        "written again",
    );
    is_done(&after(&mut world, &delete, |world| {
        world.cluster_mut().delete(&seen.node.key());
    }));
}

#[test]
fn a_savepoint_is_done_when_it_holds_what_was_to_be_written() {
    let mut world = cluster();
    let write = Request::Change(Change::WriteSavepoint { dir: "position".into(), content: "commitTS = 7\n".into() });
    is_undone(&after(&mut world, &write, |_| {}));
    let request = write.clone();
    is_done(&after(&mut world, &write, |world| drop(world.apply(&request, None).unwrap())));
    let other = Request::Change(Change::WriteSavepoint { dir: "position".into(), content: "commitTS = 8\n".into() });
    is_undone(&after(&mut world, &other, |_| {}));
}

#[test]
fn a_human_is_asked_again_and_a_program_is_a_question() {
    let mut world = cluster();
    is_undone(&after(&mut world, &Request::Change(Change::Manual(Manual::default())), |_| {}));
    is_unclear(&after(&mut world, &Request::Change(Change::Exec(Exec::default())), |_| {}), "nothing that can be seen");
}

#[test]
fn a_changefeed_that_was_to_be_created_is_proven_by_itself_where_it_begins_as_it_was_to() {
    let mut world = Simulated::new(&Scenario::named("ticdc").unwrap()).unwrap();
    world.cluster_mut().advance_to(MINUTE);
    let Answer::Timestamp(start_ts) = world.apply(&Request::Read(Read::Tso), None).unwrap() else { panic!() };
    let new = NewChangefeed { id: "new".into(), start_ts, sink: None };
    let other = NewChangefeed { start_ts: Tso(start_ts.0 - 1), ..new.clone() };
    let by_hand = |new: &NewChangefeed| {
        Request::Change(Change::Manual(Manual { changefeed: Some(new.clone()), ..Manual::default() }))
    };
    let by_program =
        |new: &NewChangefeed| Request::Change(Change::Exec(Exec { changefeed: Some(new.clone()), ..Exec::default() }));
    is_undone(&after(&mut world, &by_hand(&new), |_| {}));
    is_unclear(&after(&mut world, &by_program(&new), |_| {}), "nothing that can be seen");
    is_done(&after(&mut world, &by_hand(&new), |world| world.cluster_mut().create_changefeed(&new).unwrap()));
    is_done(&after(&mut world, &by_program(&new), |_| {}));
    is_undone(&after(&mut world, &by_hand(&other), |_| {}));
    is_unclear(&after(&mut world, &by_program(&other), |_| {}), "nothing that can be seen");
}

#[test]
fn work_by_hand_that_starts_a_process_and_creates_a_changefeed_is_done_with_both() {
    let mut world = Simulated::new(&Scenario::named("ticdc").unwrap()).unwrap();
    world.cluster_mut().advance_to(MINUTE);
    let Answer::Timestamp(start_ts) = world.apply(&Request::Read(Read::Tso), None).unwrap() else { panic!() };
    let new = NewChangefeed { id: "new".into(), start_ts, sink: None };
    let pump = node(&mut world, Kind::Pump, "10.0.1.11:8250");
    let who = who(&world, Kind::Pump, "10.0.1.11:8250");
    let manual = Manual { starts: vec![pump], changefeed: Some(new.clone()), ..Manual::default() };
    let both = Request::Change(Change::Manual(manual));
    is_undone(&after(&mut world, &both, |world| world.cluster_mut().start(who, None)));
    is_undone(&after(&mut world, &both, |world| world.cluster_mut().create_changefeed(&new).unwrap()));
    is_done(&after(&mut world, &both, |world| world.cluster_mut().start(who, None)));
}

#[test]
fn a_process_that_was_to_be_started_or_stopped_is_proven_by_itself() {
    let mut world = cluster();
    let pump = node(&mut world, Kind::Pump, "pump-1");
    let who = who(&world, Kind::Pump, "pump-1");
    let control = |verb| Request::Change(Change::Control(Control::new(pump.clone(), verb)));
    is_undone(&after(&mut world, &control(ProcessVerb::Restart), |_| {}));
    is_done(&after(&mut world, &control(ProcessVerb::Restart), |world| world.cluster_mut().start(who, None)));
    is_undone(&after(&mut world, &control(ProcessVerb::Stop), |_| {}));
    is_done(&after(&mut world, &control(ProcessVerb::Stop), |world| world.cluster_mut().stop(who)));
    is_undone(&after(&mut world, &control(ProcessVerb::Start), |_| {}));
    is_done(&after(&mut world, &control(ProcessVerb::Start), |world| world.cluster_mut().start(who, None)));
    let hung = after(&mut world, &control(ProcessVerb::Restart), |world| world.cluster_mut().signal(who, Signal::Stop));
    is_unclear(&hung, "silent");
}

#[test]
fn a_tidb_server_that_was_to_be_recovered_is_recovered_again() {
    let mut world = Simulated::new(&Scenario::named("skipping-tidb").unwrap()).unwrap();
    let server = TidbRef { address: "10.0.1.32:4000".into(), status_address: "10.0.1.32:10080".into() };
    let recover = Request::Change(Change::RecoverTidb { server, reset: false });
    is_undone(&after(&mut world, &recover, |_| {}));
    is_undone(&after(&mut world, &recover, |world| drop(world.apply(&recover, None).unwrap())));
}

#[test]
fn a_text_that_was_to_be_encrypted_is_encrypted_again() {
    let encrypt = Request::Change(Change::Encrypt { text: Secret::Plain("pa55".into()) });
    is_undone(&after(&mut cluster(), &encrypt, |_| {}));
}
