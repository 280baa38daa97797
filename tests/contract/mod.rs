//! The one contract: both worlds, the live one through sockets and the simulated one, tell the same story to whoever asks.
//!
//! Each promise is one function, run against a cluster in trouble of both kinds. It shows that the transport changes
//! nothing; that the story itself is true only the recordings show.

#![expect(clippy::panic, reason = "an answer of the wrong sort ends the test")]

mod lock;
mod stage;

use binlogsh::downstream::{DrainerSettings, ReplicationFilter};
use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, NodeRef, Record, RecordState, State};
use binlogsh::tso::Tso;
use binlogsh::world::{
    Acted, Action, Answer, Change, DownstreamCheckpoint, DownstreamReplication, Fence, Listing, LockHolder,
    LockRequest, Play, ProbeFinding, Read, Request, StatusReport, TidbBinlogState, TidbRef, TidbServer,
};
use lock::{
    a_lock_that_is_taken_away_stops_whoever_had_it, somebody_elses_lock_is_named_and_left_alone,
    the_lock_is_shown_while_it_is_held_and_gone_afterwards, under_the_lock_changes_happen,
};
use serde_json::Value as Json;
use stage::Stage;
use std::time::Duration;

const LOCK: &str = "/binlogsh/lock";

/// Each promise as two tests, `live::...` and `sim::...`.
macro_rules! promises {
    ($($promise:ident),+ $(,)?) => {
        mod live { $(#[test] fn $promise() { super::$promise(&mut super::Stage::live()); })+ }
        mod sim { $(#[test] fn $promise() { super::$promise(&mut super::Stage::sim()); })+ }
    };
}

promises! {
    a_listing_is_in_order_and_whole,
    changes_wakes_at_a_change_of_state_and_at_no_heartbeat,
    a_listing_that_follows_the_events_stays_right,
    a_probe_tells_the_truth_of_every_node_in_the_order_asked,
    a_status_is_each_nodes_own_or_says_why_not,
    metrics_tell_when_a_process_began,
    an_inspection_tells_what_probe_status_and_metrics_tell,
    a_checkpoint_that_cannot_be_read_is_unknown_and_no_error,
    what_a_drainer_writes_to_and_leaves_out_is_what_its_configuration_says,
    positions_and_binlog_can_be_asked_of_those_that_have_them,
    pd_tells_its_members_the_tidb_servers_and_rising_timestamps,
    a_tidb_server_that_skips_binlog_writes_it_again_once_it_is_told_to,
    pds_endpoints_answer_and_without_tls_there_are_no_certificates,
    what_a_deployment_tool_knows_is_told_as_it_knows_it,
    the_clock_goes_on_while_one_sleeps,
    a_pause_ends_in_a_record_that_says_so_and_no_process,
    a_node_that_refuses_is_quoted,
    whoever_took_over_an_address_answers_there,
    nobody_at_the_address_is_unreachable_and_silence_is_in_doubt,
    gc_is_triggered_in_the_pumps_own_words,
    tikv_gc_is_held_under_a_name_until_it_is_released,
    changefeeds_and_servers_are_told_without_secrets,
    a_swap_changes_the_state_and_nothing_else,
    a_swap_conflicts_with_what_is_more_than_a_heartbeat,
    a_deletion_takes_only_what_was_seen,
    under_a_lost_lock_nothing_happens,
    the_lock_is_shown_while_it_is_held_and_gone_afterwards,
    somebody_elses_lock_is_named_and_left_alone,
    a_lock_that_is_taken_away_stops_whoever_had_it,
    under_the_lock_changes_happen,
    a_savepoint_is_read_as_it_was_written,
    only_a_sandbox_can_be_played_with,
    an_interrupt_ends_everything_until_it_is_cleared,
}

fn a_listing_is_in_order_and_whole(stage: &mut Stage) {
    let seen = stage.list();
    let ids: Vec<&str> = seen.records.iter().map(|record| record.node.id.as_str()).collect();
    assert_eq!(ids, ["pump-0", "pump-1", "pump-2", "pump-3", "drainer-0", "drainer-1"]);
    let states: Vec<RecordState> = seen.records.iter().map(|record| record.state.clone()).collect();
    use State::{Online, Paused};
    assert_eq!(states, [Online, Online, Online, Online, Paused, Online]);

    let broken: Vec<(&str, &str)> = seen.malformed.iter().map(|key| (key.key.as_str(), key.reason.as_str())).collect();
    let [(nested, deeper), (no_json, why)] = broken[..] else { panic!("{broken:?}") };
    assert_eq!((nested, no_json), ("/tidb-binlog/v1/drainers/old/drainer-9", "/tidb-binlog/v1/pumps/broken"));
    assert!(deeper.contains("nested deeper") && why.starts_with("not JSON"), "{broken:?}");

    let lost = seen.find(Kind::Pump, "pump-2").unwrap();
    assert_eq!(
        serde_json::from_slice::<Json>(lost.json.bytes()).unwrap()["later"],
        serde_json::json!({ "x": [1] }),
        "unknown fields are kept"
    );
    let now = seen.tso.unwrap();
    let alive = seen.find(Kind::Pump, "pump-0").unwrap();
    assert!((-1.0..15.0).contains(&now.seconds_since(alive.update_ts)), "{now} {alive:?}");
    assert!((3500.0..3800.0).contains(&now.seconds_since(lost.max_commit_ts)), "{now} {lost:?}");
    assert!(seen.records.iter().all(|record| record.mod_revision <= seen.revision));
}

fn changes_wakes_at_a_change_of_state_and_at_no_heartbeat(stage: &mut Stage) {
    let after = stage.list().revision;
    let (began, heartbeat) = (stage.monotonic_ms(), stage.record("pump-0").mod_revision);
    stage.ask(Request::Read(Read::Changes { after, patience: Duration::from_millis(2500) })).unwrap();
    assert!(stage.monotonic_ms() - began >= 2400, "nothing but heartbeats: patience ends it");
    assert_ne!(stage.record("pump-0").mod_revision, heartbeat, "there were heartbeats");

    let pump = stage.node("pump-3");
    stage.act(&pump, Action::Pause).unwrap();
    let began = stage.monotonic_ms();
    let changes = Request::Read(Read::Changes { after, patience: Duration::from_secs(120) });
    let Answer::Listing(seen) = stage.ask(changes).unwrap() else { panic!() };
    assert!(stage.monotonic_ms() - began < 60_000, "a change of state ends it at once");
    assert_eq!(seen.find(Kind::Pump, "pump-3").unwrap().state, State::Paused);
    assert!(seen.tso.is_some() && seen.malformed.len() == 2, "{seen:?}");
}

fn a_listing_that_follows_the_events_stays_right(stage: &mut Stage) {
    let mut seen = stage.list();
    let until = |stage: &mut Stage, seen: &mut Listing, is_there: &dyn Fn(&Listing) -> bool| {
        let began = stage.monotonic_ms();
        while !is_there(seen) {
            assert!(stage.monotonic_ms() - began < 60_000, "{seen:?}");
            let question = Read::Events { after: seen.revision, patience: Duration::from_secs(5) };
            let Answer::Events(told) = stage.ask(Request::Read(question)).unwrap() else { panic!() };
            seen.follow(told);
        }
    };
    let heartbeat = stage.record("pump-0").mod_revision;
    until(stage, &mut seen, &|seen| seen.find(Kind::Pump, "pump-0").unwrap().mod_revision > heartbeat);

    let pump = stage.node("pump-3");
    stage.act(&pump, Action::Pause).unwrap();
    until(stage, &mut seen, &|seen| seen.find(Kind::Pump, "pump-3").unwrap().state == State::Paused);
    let drainer = stage.record("drainer-0");
    let gone = Change::DeleteRecord { key: drainer.node.key(), mod_revision: drainer.mod_revision };
    stage.ask(gone.into()).unwrap();
    until(stage, &mut seen, &|seen| seen.find(Kind::Drainer, "drainer-0").is_none());

    let fresh = stage.list();
    let states = |listing: &Listing| -> Vec<_> {
        listing.records.iter().map(|record| (record.node.clone(), record.state.clone())).collect()
    };
    assert_eq!((states(&seen), &seen.malformed), (states(&fresh), &fresh.malformed));
}

fn a_probe_tells_the_truth_of_every_node_in_the_order_asked(stage: &mut Stage) {
    let hung = stage.node("pump-3");
    stage.hang(&hung);
    let reused = NodeRef { id: "pump-9".into(), ..stage.node("pump-0") };
    let expected = [
        (stage.node("drainer-1"), ProbeFinding::State(State::Online)),
        (reused, ProbeFinding::Other("pump-0".into())),
        (hung, ProbeFinding::Silent),
        (stage.node("pump-1"), ProbeFinding::State(State::Closing)),
        (stage.node("drainer-0"), ProbeFinding::Refused),
        (stage.node("pump-2"), ProbeFinding::Refused),
        (stage.node("pump-0"), ProbeFinding::State(State::Online)),
    ];
    let nodes = expected.iter().map(|(node, _)| node.clone()).collect();
    let Answer::Probes(probes) = stage.ask(Request::Read(Read::Probe { nodes })).unwrap() else { panic!() };
    let found: Vec<_> = probes.into_iter().map(|probe| (probe.node, probe.finding)).collect();
    assert_eq!(found, expected);
    assert_eq!(stage.record("pump-1").state, State::Online, "only a probe shows a Pump that closes");
}

fn a_status_is_each_nodes_own_or_says_why_not(stage: &mut Stage) {
    let hung = stage.node("pump-3");
    stage.hang(&hung);
    let whom = ["drainer-1", "pump-1", "pump-2", "pump-3"];
    let nodes: Vec<NodeRef> = whom.iter().map(|id| stage.node(id)).collect();
    let Answer::Statuses(reports) = stage.ask(Request::Read(Read::Status { nodes: nodes.clone() })).unwrap() else {
        panic!()
    };
    let [Ok(StatusReport::Drainer(drainer)), Ok(StatusReport::Pump(pump)), Err(dead), Err(silent)] = &reports[..]
    else {
        panic!("{reports:?}")
    };
    let pulled: Vec<&str> = drainer.pump_positions.keys().map(|id| &**id).collect();
    assert_eq!(pulled, ["pump-0", "pump-1", "pump-2", "pump-3"]);
    assert_eq!(pump.error, "context canceled", "it closes");
    let words = format!("cannot get /status of {}: connection refused", nodes[2]);
    assert_eq!((dead.kind, &dead.message), (ErrorKind::Unreachable, &words));
    let words = format!("cannot get /status of {}: connected, and no answer in 1", nodes[3]);
    assert_eq!(silent.kind, ErrorKind::Timeout);
    assert!(silent.message.starts_with(&words) && silent.hint.is_some(), "{silent}");
}

fn metrics_tell_when_a_process_began(stage: &mut Stage) {
    let nodes: Vec<NodeRef> = ["pump-0", "drainer-0", "drainer-1"].iter().map(|id| stage.node(id)).collect();
    let now = stage.tso().physical_ms() as f64 / 1000.0;
    let Answer::Metrics(found) = stage.ask(Request::Read(Read::Metrics { nodes: nodes.clone() })).unwrap() else {
        panic!()
    };
    let [Ok(pump), Err(dead), Ok(drainer)] = &found[..] else { panic!("{found:?}") };
    for samples in [pump, drainer] {
        assert!((3590.0..3700.0).contains(&(now - samples["process_start_time_seconds"])), "{now} {samples:?}");
    }
    let spare = now - pump["binlog_pump_storage_gc_ts"] / 1000.0;
    assert!((6.9..7.1).contains(&(spare / 86_400.0)), "{pump:?}");
    assert!(drainer.contains_key("binlog_drainer_checkpoint_tso"), "{drainer:?}");
    let words = format!("cannot get /metrics of {}: connection refused", nodes[1]);
    assert_eq!((dead.kind, &dead.message), (ErrorKind::Unreachable, &words));
}

fn an_inspection_tells_what_probe_status_and_metrics_tell(stage: &mut Stage) {
    let hung = stage.node("pump-3");
    stage.hang(&hung);
    let reused = NodeRef { id: "pump-9".into(), ..stage.node("pump-0") };
    let whom = ["drainer-1", "pump-1", "pump-2"].map(|id| stage.node(id));
    let nodes: Vec<NodeRef> = whom.into_iter().chain([hung, reused]).collect();
    let metrics = vec!["process_start_time_seconds".to_owned(), "binlog_drainer_checkpoint_tso".to_owned()];
    let Answer::Inspected(inspected) =
        stage.ask(Request::Read(Read::Inspect { nodes: nodes.clone(), metrics: metrics.clone() })).unwrap()
    else {
        panic!()
    };
    assert_eq!(inspected.iter().map(|one| one.probe.node.clone()).collect::<Vec<_>>(), nodes);
    let [drainer, closing, dead, silent, other] = &inspected[..] else { panic!("{inspected:?}") };
    assert_eq!(drainer.probe.finding, ProbeFinding::State(State::Online));
    let Some(Ok(StatusReport::Drainer(status))) = &drainer.status else { panic!("{drainer:?}") };
    assert!(status.pump_positions.contains_key("pump-0"), "{status:?}");
    assert_eq!((&closing.probe.finding, &closing.status), (&ProbeFinding::State(State::Closing), &None));
    for alive in [drainer, closing] {
        let Some(Ok(samples)) = &alive.metrics else { panic!("{alive:?}") };
        let seen: Vec<&str> = samples.keys().map(String::as_str).collect();
        assert!(seen.contains(&"process_start_time_seconds"), "{samples:?}");
        assert!(
            seen.iter().all(|name| metrics.iter().any(|wanted| wanted == name)),
            "only those asked for: {samples:?}"
        );
    }
    let other_id = ProbeFinding::Other("pump-0".into());
    for (one, finding) in [(dead, ProbeFinding::Refused), (silent, ProbeFinding::Silent), (other, other_id)] {
        assert_eq!((&one.probe.finding, &one.status, &one.metrics), (&finding, &None, &None));
    }
}

/// Nobody says where a Drainer that is not there saves; where real ones do, `tests/downstream` reads what this simulator saves.
fn a_checkpoint_that_cannot_be_read_is_unknown_and_no_error(stage: &mut Stage) {
    let node = NodeRef { id: "drainer-9".into(), ..stage.node("drainer-1") };
    let Answer::Checkpoint(found) = stage.ask(Request::Read(Read::Checkpoint { node })).unwrap() else { panic!() };
    assert!(matches!(found, DownstreamCheckpoint::Unknown(why) if why.contains("nothing says where")));
}

fn what_a_drainer_writes_to_and_leaves_out_is_what_its_configuration_says(stage: &mut Stage) {
    let node = stage.node("drainer-0");
    let unknown = NodeRef { id: "drainer-9".into(), ..node.clone() };
    let request = Request::Read(Read::Replication { nodes: vec![unknown, node] });
    let Answer::Replication(found) = stage.ask(request).unwrap() else { panic!() };
    assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    let [DownstreamReplication::Unknown(why), DownstreamReplication::Known(found)] = &found[..] else {
        panic!("{found:?}")
    };
    assert!(why.contains("nothing says what"), "{why}");
    let expected = DrainerSettings {
        db_type: Some("tidb".into()),
        host: Some("db-1".into()),
        port: Some(4000),
        sync_mode: Some(2),
        filters: vec![ReplicationFilter::ReplicateDoDb, ReplicationFilter::IgnoreTable],
        renames: true,
        ..DrainerSettings::default()
    };
    assert_eq!((&found.settings, &found.unseen), (&expected, &None));
}

fn positions_and_binlog_can_be_asked_of_those_that_have_them(stage: &mut Stage) {
    let (pump, drainer) = (stage.record("pump-0"), stage.node("drainer-1"));
    let dead = stage.node("drainer-0");
    let nodes = vec![dead.clone(), drainer.clone(), pump.node.clone()];
    let Answer::Timestamps(stamps) = stage.ask(Request::Read(Read::CommitTs { nodes })).unwrap() else { panic!() };
    let [Err(gone), Ok(ts), Err(wrong)] = &stamps[..] else { panic!("{stamps:?}") };
    let words = format!("cannot get /commit_ts of {dead}: connection refused");
    assert_eq!((gone.kind, &gone.message), (ErrorKind::Unreachable, &words));
    assert_eq!(wrong.kind, ErrorKind::Invalid, "a Pump has none: {wrong}");
    let ts = *ts;
    assert!(ts.0 > 0 && ts < stage.tso(), "{ts}");
    let node = pump.node.clone();
    let Answer::Text(drainers) = stage.ask(Request::Read(Read::PumpDrainers { node: node.clone() })).unwrap() else {
        panic!()
    };
    let drainers: Vec<Json> = serde_json::from_str(&drainers).unwrap();
    let ids: Vec<&Json> = drainers.iter().map(|drainer| &drainer["nodeId"]).collect();
    assert_eq!(ids, ["drainer-0", "drainer-1"]);
    let at = Request::Read(Read::BinlogAt { node: node.clone(), ts: pump.max_commit_ts });
    let Answer::Text(binlog) = stage.ask(at).unwrap() else { panic!() };
    assert!(binlog.contains(&pump.max_commit_ts.to_string()), "{binlog}");
    let wrong = [
        Request::Read(Read::PumpDrainers { node: drainer.clone() }),
        Request::Read(Read::BinlogAt { node: drainer.clone(), ts }),
    ];
    for request in wrong {
        stage.fails(request, ErrorKind::Invalid);
    }
    let dead = stage.node("pump-2");
    let error = stage.fails(Request::Read(Read::BinlogAt { node: dead.clone(), ts }), ErrorKind::Unreachable);
    assert_eq!(error.message, format!("cannot get /debug/binlog/{ts} of {dead}: connection refused"));
}

fn pd_tells_its_members_the_tidb_servers_and_rising_timestamps(stage: &mut Stage) {
    let Answer::Cluster(cluster) = stage.ask(Request::Read(Read::Cluster)).unwrap() else { panic!() };
    assert!(cluster.id > 0 && cluster.members.iter().all(|member| !member.client_urls.is_empty()), "{cluster:?}");
    assert!(cluster.members.iter().any(|member| Some(&member.name) == cluster.leader.as_ref()), "{cluster:?}");
    let mut servers = tidbs(stage);
    servers.sort_by(|a, b| a.binlog_status.cmp(&b.binlog_status));
    let told: Vec<_> = servers.iter().map(|tidb| (tidb.version.as_str(), tidb.binlog_status.as_str())).collect();
    assert_eq!(told, [("v6.6.0", "On"), ("v6.6.0", "Skipping")]);
    for tidb in &servers {
        let (host, port) = tidb.address.rsplit_once(':').unwrap();
        assert_eq!(port, "4000");
        assert!(tidb.status_address.as_ref().is_some_and(|status| status.starts_with(host)), "{tidb:?}");
    }
    let stamps: Vec<Tso> = (0..20).map(|_| stage.tso()).collect();
    assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]), "{stamps:?}");
}

fn tidbs(stage: &mut Stage) -> Vec<TidbServer> {
    match stage.ask(Request::Read(Read::Tidbs)).unwrap() {
        Answer::Tidbs(servers) => servers,
        other => panic!("{other:?}"),
    }
}

/// The TiDB server that skips binlog, or (`false`) the one that writes it.
fn tidb(stage: &mut Stage, skips: bool) -> TidbRef {
    let is = |tidb: &TidbServer| (tidb.binlog_status == "Skipping") == skips;
    let found = tidbs(stage).into_iter().find(is).unwrap();
    TidbRef { address: found.address.into(), status_address: found.status_address.unwrap() }
}

fn skipped(answer: Answer) -> TidbBinlogState {
    match answer {
        Answer::TidbBinlog(state) => state,
        other => panic!("{other:?}"),
    }
}

fn a_tidb_server_that_skips_binlog_writes_it_again_once_it_is_told_to(stage: &mut Stage) {
    let (skipping, writing) = (tidb(stage, true), tidb(stage, false));
    let state = |stage: &mut Stage, server: &TidbRef| {
        skipped(stage.ask(Request::Read(Read::TidbBinlog { server: server.clone() })).unwrap())
    };
    assert!(state(stage, &skipping).skips && !state(stage, &writing).skips);
    assert!(state(stage, &skipping).skips, "to ask changes nothing");
    for reset in [false, true] {
        let recover = Request::Change(Change::RecoverTidb { server: skipping.clone(), reset });
        assert!(!skipped(stage.ask(recover).unwrap()).skips);
        stage.until("none that skipped is under way", |stage| state(stage, &skipping).under_way == 0);
        stage.until("its record says so", |stage| tidbs(stage).iter().all(|tidb| tidb.binlog_status == "On"));
    }
    let nobody = TidbRef { address: "10.0.1.39:4000".into(), status_address: "127.0.0.1:1".into() };
    for request in [
        Request::Read(Read::TidbBinlog { server: nobody.clone() }),
        Request::Change(Change::RecoverTidb { server: nobody, reset: false }),
    ] {
        let error = stage.fails(request, ErrorKind::Unreachable);
        assert!(error.message.contains("TiDB server 10.0.1.39:4000 at its status port 127.0.0.1:1"), "{error}");
    }
    let fence = Fence { key: LOCK.into(), create_revision: 7 };
    let under =
        stage.under(Request::Change(Change::RecoverTidb { server: writing, reset: false }), Some(&fence)).unwrap_err();
    assert_eq!(under.kind, ErrorKind::LockLost);
}

fn pds_endpoints_answer_and_without_tls_there_are_no_certificates(stage: &mut Stage) {
    let Answer::Cluster(cluster) = stage.ask(Request::Read(Read::Cluster)).unwrap() else { panic!() };
    let Answer::Endpoints(endpoints) = stage.ask(Request::Read(Read::Endpoints)).unwrap() else { panic!() };
    let urls: Vec<&String> = cluster.members.iter().flat_map(|member| &member.client_urls).collect();
    assert_eq!(endpoints.iter().map(|endpoint| &endpoint.url).collect::<Vec<_>>(), urls);
    for endpoint in &endpoints {
        assert!(endpoint.given && endpoint.trouble.is_none(), "{endpoint:?}");
        assert!(cluster.members.iter().any(|member| Some(&member.name) == endpoint.member.as_ref()), "{endpoint:?}");
    }
    let nodes = vec![stage.node("pump-0")];
    assert_eq!(stage.ask(Request::Read(Read::Certificates { nodes })).unwrap(), Answer::Certificates(vec![]));
}

fn what_a_deployment_tool_knows_is_told_as_it_knows_it(stage: &mut Stage) {
    let Answer::Deployment(Some(known)) = stage.ask(Request::Read(Read::Deployment)).unwrap() else { panic!() };
    assert_eq!((known.name.as_str(), known.user.as_str(), known.nodes.len()), ("prod", "ops", 1));
    assert!(known.nodes[0].offline && known.find(Kind::Pump, "10.0.1.11:8250").is_some());
}

fn the_clock_goes_on_while_one_sleeps(stage: &mut Stage) {
    let (began, ts) = (stage.monotonic_ms(), stage.tso());
    assert_eq!(stage.ask(Request::Read(Read::Sleep { time: Duration::from_millis(300) })).unwrap(), Answer::Done);
    let (ended, later) = (stage.monotonic_ms(), stage.tso());
    assert!((300..30_000).contains(&(ended - began)), "{began} {ended}");
    assert!((0.29..30.0).contains(&later.seconds_since(ts)), "PD's clock as well: {ts} {later}");
}

fn a_pause_ends_in_a_record_that_says_so_and_no_process(stage: &mut Stage) {
    for id in ["pump-3", "drainer-1"] {
        let node = stage.node(id);
        let said = stage.act(&node, Action::Pause).unwrap();
        assert_eq!(said, Answer::Acted(Acted::said("apply action pause success!")));
        stage.until("it is paused", |stage| {
            stage.record(id).state == State::Paused && stage.probe(&node) == ProbeFinding::Refused
        });
        // A process that goes away breaks connections off for an instant before it is gone.
        stage.ask(Request::Read(Read::Sleep { time: Duration::from_millis(300) })).unwrap();
        let error = stage.act(&node, Action::Close).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    }
}

fn a_node_that_refuses_is_quoted(stage: &mut Stage) {
    let closing = stage.node("pump-1");
    let reused = NodeRef { id: "pump-9".into(), ..stage.node("pump-0") };
    let other = NodeRef { id: "drainer-9".into(), ..stage.node("drainer-1") };
    for (node, action, words) in [
        (&closing, Action::Close, "this pump's state is closing, apply close failed!"),
        (&closing, Action::Pause, "this pump's state is closing, apply pause failed!"),
        (&reused, Action::Pause, "invalide nodeID pump-9, this pump's nodeID is pump-0"),
        (&other, Action::Pause, "invalid nodeID drainer-9, this pump's nodeID is drainer-1"),
    ] {
        let error = stage.act(node, action).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
        assert_eq!(error.message, format!("cannot {} {node}: {words}", action.name()));
        assert!(error.hint.unwrap().contains("probe"));
    }
    assert_eq!(stage.record("pump-0").state, State::Online);
}

fn nobody_at_the_address_is_unreachable_and_silence_is_in_doubt(stage: &mut Stage) {
    let (dead, hung) = (stage.node("pump-2"), stage.node("pump-3"));
    let error = stage.act(&dead, Action::Pause).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert_eq!(error.message, format!("cannot pause {dead}: connection refused"));
    let error = stage.fails(Request::Change(Change::TriggerGc { node: dead.clone() }), ErrorKind::Unreachable);
    assert_eq!(error.message, format!("cannot trigger GC of {dead}: connection refused"));
    stage.hang(&hung);
    let error = stage.act(&hung, Action::Close).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InDoubt, "it may do it once it goes on");
    assert!(error.message.starts_with(&format!("whether it did close {hung} is not known: ")), "{error}");
    assert!(error.hint.unwrap().contains("probe"));
}

fn whoever_took_over_an_address_answers_there(stage: &mut Stage) {
    let drainer = stage.node("drainer-1");
    let pump = NodeRef { address: drainer.address.clone(), ..stage.node("pump-0") };
    let error = stage.fails(Request::Change(Change::TriggerGc { node: pump.clone() }), ErrorKind::Rejected);
    let words = "it answered HTTP 404: \"404 page not found\"";
    assert_eq!(error.message, format!("cannot trigger GC of {pump}: {words}"), "a Drainer collects nothing");
    let nodes = vec![pump.clone(), drainer];
    let Answer::Metrics(found) = stage.ask(Request::Read(Read::Metrics { nodes })).unwrap() else { panic!() };
    let [Ok(taken), Ok(own)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(taken["process_start_time_seconds"], own["process_start_time_seconds"]);
    assert!(taken.contains_key("binlog_drainer_checkpoint_tso"), "{taken:?}");
    stage.fails(Request::Read(Read::PumpDrainers { node: pump }), ErrorKind::Invalid);
}

fn gc_is_triggered_in_the_pumps_own_words(stage: &mut Stage) {
    let node = stage.node("pump-0");
    let said = stage.ask(Request::Change(Change::TriggerGc { node })).unwrap();
    assert_eq!(said, Answer::Acted(Acted::said("trigger gc success")));
}

fn tikv_gc_is_held_under_a_name_until_it_is_released(stage: &mut Stage) {
    let holder = LockHolder { run: Some("r42".into()), ..LockHolder::default() };
    stage.ask(Request::Lock(LockRequest::Take { holder, wait: None })).unwrap();
    let now = stage.tso();
    let ago = |seconds: i64| Tso(now.0 - ((seconds * 1000) << 18));
    stage.gc_has_come_to(ago(600));
    let hold = |ts| Request::Change(Change::HoldGc { ts, ttl: Duration::from_secs(60) });
    for ts in [Tso(0), ago(-60)] {
        stage.fails(hold(ts), ErrorKind::Invalid);
    }
    let error = stage.fails(hold(ago(1200)), ErrorKind::Rejected);
    assert!(error.message.contains("collected"), "{error}");
    let ts = ago(1);
    let Answer::GcHeld(held) = stage.ask(hold(ts)).unwrap() else { panic!() };
    assert_eq!((held.service.as_str(), held.safe_point, held.ttl.as_secs()), ("binlogsh-r42", ts, 60));
    let ours = |stage: &mut Stage| {
        let Answer::GcSafePoints(found) = stage.ask(Request::Read(Read::GcSafePoints)).unwrap() else { panic!() };
        assert!(found.safe_point.is_some() && found.unread.is_empty(), "{found:?}");
        assert_eq!(found.smallest().unwrap().service, "gc_worker");
        found.services.into_iter().find(|one| one.service == "binlogsh-r42")
    };
    let seen = ours(stage).unwrap();
    assert_eq!((seen.safe_point, seen.expired, seen.expires_ms.is_some()), (ts, Some(false), true));
    for _ in 0..2 {
        stage.ask(Request::Change(Change::ReleaseGc { service: None })).unwrap();
        assert_eq!(ours(stage), None);
    }
}

fn changefeeds_and_servers_are_told_without_secrets(stage: &mut Stage) {
    let now = stage.tso();
    stage.create_changefeed("new", now, "mysql://10.0.2.7:3306/");
    stage.ask(Request::Read(Read::Sleep { time: Duration::from_secs(2) })).unwrap();
    let Answer::Changefeeds(found) = stage.ask(Request::Read(Read::Changefeeds)).unwrap() else { panic!() };
    let [feed] = &found.changefeeds[..] else { panic!("{found:?}") };
    assert_eq!(
        (feed.to_string().as_str(), feed.state.as_str(), feed.start_ts),
        ("changefeed new", "normal", Some(now))
    );
    assert_eq!(feed.sink.as_deref(), Some("mysql://10.0.2.7:3306/"));
    assert!(feed.checkpoint_ts >= Some(now) && feed.error.is_none() && feed.may_write(), "{feed:?}");
    assert_eq!(found.captures[0].address.as_deref(), Some("10.0.1.41:8300"));
}

/// The record as its node would write it with a heartbeat, in `state`.
fn beaten(record: &Record, state: State) -> String {
    let mut value: serde_json::Map<String, Json> =
        serde_json::from_slice(record.with_state(state).unwrap().bytes()).unwrap();
    for field in ["maxCommitTS", "updateTS"] {
        value.insert(field.into(), (value[field].as_i64().unwrap() + 262_144).into());
    }
    Json::Object(value).to_string()
}

fn a_swap_changes_the_state_and_nothing_else(stage: &mut Stage) {
    let seen = stage.record("pump-2");
    stage.put(&seen.node.key(), &beaten(&seen, State::Online));
    let swap = Request::Change(Change::SwapRecord { seen: seen.clone(), state: State::Paused });
    let Answer::Swapped(written) = stage.ask(swap).unwrap() else { panic!() };
    let now = stage.record("pump-2");
    assert_eq!(written, now);
    assert_eq!(now.state, State::Paused);
    assert_eq!(now.max_commit_ts.0, seen.max_commit_ts.0 + 262_144, "a heartbeat in between is no conflict, and kept");
    let value = stage.value(&seen.node.key()).unwrap();
    assert_eq!((&value["zone"], &value["later"]["x"][0]), (&"a".into(), &1.into()), "unknown fields survive");
}

fn a_swap_conflicts_with_what_is_more_than_a_heartbeat(stage: &mut Stage) {
    let seen = stage.record("pump-2");
    let key = seen.node.key();
    stage.put(&key, &beaten(&seen, State::Paused));
    let swap = Request::Change(Change::SwapRecord { seen, state: State::Offline });
    let error = stage.fails(swap.clone(), ErrorKind::Conflict);
    assert_eq!(error.message, format!(r#"somebody else changed {key} meanwhile: state: "online" -> "paused""#));
    assert_eq!(stage.record("pump-2").state, State::Paused, "nothing was written");

    stage.put(&key, "{no record");
    let error = stage.fails(swap.clone(), ErrorKind::Conflict);
    assert!(error.message.starts_with(&format!("{key} holds no record any more")), "{error}");
    assert!(stage.delete(&key));
    let error = stage.fails(swap, ErrorKind::Conflict);
    assert_eq!(error.message, format!("{key} is gone: somebody deleted it meanwhile"));
    assert_eq!(stage.value(&key), None, "what is gone is not created again");
}

fn a_deletion_takes_only_what_was_seen(stage: &mut Stage) {
    let (alive, lost) = (stage.record("pump-0"), stage.record("pump-2"));
    let delete = |record: &Record| {
        Request::Change(Change::DeleteRecord { key: record.node.key(), mod_revision: record.mod_revision })
    };
    stage.until("there was a heartbeat", |stage| stage.record("pump-0").mod_revision > alive.mod_revision);
    let error = stage.fails(delete(&alive), ErrorKind::Conflict);
    let words = format!("{} was written again, at revision", alive.node.key());
    assert!(error.message.starts_with(&words) && error.hint.is_some(), "{error}");

    assert_eq!(stage.ask(delete(&lost)).unwrap(), Answer::Done);
    assert!(stage.list().find(Kind::Pump, "pump-2").is_none());
    let error = stage.fails(delete(&lost), ErrorKind::NotFound);
    assert_eq!(error.message, format!("there is no key {} any more", lost.node.key()));

    let key = "/tidb/server/info/tidb-0".to_owned();
    let error = stage.fails(Request::Change(Change::DeleteRecord { key, mod_revision: 1_000_000 }), ErrorKind::Invalid);
    assert_eq!(error.message, "the key /tidb/server/info/tidb-0 is neither a Pump's nor a Drainer's");

    let broken = stage.list().malformed;
    for key in broken {
        let delete = Request::Change(Change::DeleteRecord { key: key.key.into(), mod_revision: key.mod_revision });
        assert_eq!(stage.ask(delete).unwrap(), Answer::Done, "what is no record can be deleted as well");
    }
    assert!(stage.list().malformed.is_empty());
}

fn under_a_lost_lock_nothing_happens(stage: &mut Stage) {
    let held = Fence { key: LOCK.into(), create_revision: stage.put(LOCK, "me") };
    let lost = Fence { create_revision: held.create_revision - 1, ..held.clone() };
    let seen = stage.record("pump-2");
    let swap = Request::Change(Change::SwapRecord { seen: seen.clone(), state: State::Paused });
    let delete = Request::Change(Change::DeleteRecord { key: seen.node.key(), mod_revision: seen.mod_revision });
    let words = format!("the maintenance lock {LOCK} is not ours any more: nothing more was changed");
    for request in [swap.clone(), delete] {
        let error = stage.under(request, Some(&lost)).unwrap_err();
        assert_eq!((error.kind, &error.message), (ErrorKind::LockLost, &words));
    }
    let pause = Request::Change(Change::Act { node: stage.node("pump-3"), action: Action::Pause });
    let error = stage.under(pause, Some(&lost)).unwrap_err();
    assert_eq!((error.kind, &error.message), (ErrorKind::LockLost, &words), "HTTP is not sent without the lock");
    assert_eq!(stage.record("pump-3").state, State::Online);
    assert_eq!(stage.record("pump-2"), seen, "nothing was written");
    assert!(matches!(stage.under(swap, Some(&held)).unwrap(), Answer::Swapped(_)));
}

fn a_savepoint_is_read_as_it_was_written(stage: &mut Stage) {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("binlog_position");
    let read = Request::Read(Read::ReadSavepoint { dir: dir.clone() });
    let error = stage.fails(read.clone(), ErrorKind::NotFound);
    assert_eq!(error.message, format!("there is no savepoint {}", dir.join("savepoint").display()));
    for content in ["commitTS = 1\n", "commitTS = 2\n"] {
        let write = Request::Change(Change::WriteSavepoint { dir: dir.clone(), content: content.into() });
        assert_eq!(stage.ask(write).unwrap(), Answer::Done);
        assert_eq!(stage.ask(read.clone()).unwrap(), Answer::Text(content.into()));
    }
    assert_eq!(dir.exists(), stage.is_live(), "a sandbox writes no file");
}

fn only_a_sandbox_can_be_played_with(stage: &mut Stage) {
    let node = stage.node("pump-3");
    let kill = Request::Play(Play::Kill { node: node.clone() });
    if stage.is_live() {
        let error = stage.fails(kill, ErrorKind::Invalid);
        assert!(error.message.contains("real cluster") && error.hint.unwrap().contains("--sandbox"));
        assert_eq!(stage.probe(&node), ProbeFinding::State(State::Online));
    } else {
        assert_eq!(stage.ask(kill).unwrap(), Answer::Done);
        assert_eq!(stage.probe(&node), ProbeFinding::Refused);
    }
}

fn an_interrupt_ends_everything_until_it_is_cleared(stage: &mut Stage) {
    let node = stage.node("pump-3");
    stage.interrupt.raise(2);
    for request in [
        Request::Read(Read::Sleep { time: Duration::from_secs(3600) }),
        Request::Read(Read::Changes { after: i64::MAX / 2, patience: Duration::from_secs(3600) }),
        Request::Read(Read::Nodes),
        Request::Change(Change::Act { node, action: Action::Pause }),
    ] {
        let error = stage.fails(request, ErrorKind::Interrupted);
        assert_eq!((error.message.as_str(), error.exit_code()), ("stopped by Ctrl-C (SIGINT)", 130));
    }
    stage.interrupt.clear();
    assert_eq!(stage.record("pump-3").state, State::Online, "what was stopped before it was sent was not done");
}
