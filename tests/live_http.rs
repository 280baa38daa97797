//! The live world against doubles of nodes: the body decides, and a lost answer is never taken for one.

use crate::support::etcd::Etcd;
use crate::support::http_double::{HttpDouble, HttpRequest, Reply};
use crate::support::live::{LiveWorld, drainer, pump};
use crate::support::{eventually, free_port, record};
use binlogsh::error::ErrorKind;
use binlogsh::node::{NodeRef, State};
use binlogsh::tso::Tso;
use binlogsh::world::{
    Acted, Action, Answer, Ask, Change, Manual, ProbeFinding, Read, Request, SecretPrompt, StatusReport,
};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const ONLINE: &str = "invalide action probe";

/// A world whose PD is never asked.
fn world() -> LiveWorld {
    LiveWorld::new(&["127.0.0.1:1"], 2 * SECOND)
}

fn act(node: &NodeRef, action: Action) -> Request {
    Request::Change(Change::Act { node: node.clone(), action })
}

fn is_probe(request: &HttpRequest) -> bool {
    request.path.ends_with("/probe")
}

/// `/metrics` of a process that began `ago` seconds ago.
fn metrics(ago: i64) -> Reply {
    let started = chrono::Utc::now().timestamp() - ago;
    Reply::ok(format!("# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {started}\n"))
}

/// A node that says `reply` to an action, `state` to a probe from then on, and began `ago` seconds ago.
fn node_that(reply: Reply, probe: Reply, ago: i64) -> HttpDouble {
    HttpDouble::start(move |request| match request.path.as_str() {
        "/metrics" => metrics(ago),
        _ if is_probe(request) => probe.clone(),
        _ => reply.clone(),
    })
}

#[test]
fn the_bodys_code_decides_and_not_the_status() {
    let node = HttpDouble::start(|request| match request.path.as_str() {
        "/state/pump%20%2F0/pause" if request.method == "PUT" => Reply::verdict(200, "apply action pause success!"),
        _ => Reply::verdict(3, "this pump's state is closing, apply close failed!"),
    });
    let pump = pump("pump /0", &node.address());
    let mut live = world();
    let done = live.ask(act(&pump, Action::Pause)).unwrap();
    assert_eq!(done, Answer::Acted(Acted::said("apply action pause success!")));
    let error = live.fails(act(&pump, Action::Close));
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.message.contains("this pump's state is closing, apply close failed!"), "{error}");
    assert!(error.message.contains("pump /0"), "{error}");
}

#[test]
fn a_refused_connection_means_that_nothing_was_done() {
    let pump = pump("pump-0", &format!("127.0.0.1:{}", free_port()));
    for request in [act(&pump, Action::Pause), Request::Change(Change::TriggerGc { node: pump.clone() })] {
        let error = world().fails(request);
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.message.contains(pump.address.as_str()) && error.message.contains("refused"), "{error}");
    }
}

#[test]
fn a_lost_answer_is_found_again_by_a_probe() {
    for lost in [Reply::Reset, Reply::Close, Reply::Silent, Reply::Raw("nonsense\r\n\r\n".into())] {
        let node = node_that(lost.clone(), Reply::verdict(3, "this pump's state is closing, apply probe failed!"), 9);
        let pump = pump("pump-0", &node.address());
        let mut live = LiveWorld::new(&["127.0.0.1:1"], 2 * SECOND);
        match live.ask(act(&pump, Action::Close)) {
            Ok(Answer::Acted(Acted { message, .. })) => assert!(message.contains("a probe says closing"), "{message}"),
            other => panic!("{lost:?}: {other:?}"),
        }
        let error = live.fails(act(&pump, Action::Pause));
        assert_eq!(error.kind, ErrorKind::Rejected, "closing is not what was asked: {error}");
    }
}

#[test]
fn a_lost_answer_of_a_node_that_is_still_online_was_not_carried_out() {
    let old = node_that(Reply::Reset, Reply::verdict(3, ONLINE), 3600);
    let error = world().fails(act(&pump("pump-0", &old.address()), Action::Pause));
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.hint.unwrap().contains("not done"));

    let restarted = node_that(Reply::Reset, Reply::verdict(3, ONLINE), 0);
    let error = world().fails(act(&pump("pump-0", &restarted.address()), Action::Pause));
    assert_eq!(error.kind, ErrorKind::InDoubt, "a supervisor may have started it again: {error}");

    let late = node_that(Reply::Silent, Reply::verdict(3, ONLINE), 3600);
    let mut live = LiveWorld::new(&["127.0.0.1:1"], 2 * SECOND);
    let error = live.fails(act(&pump("pump-0", &late.address()), Action::Pause));
    assert_eq!(error.kind, ErrorKind::InDoubt, "it may still be carried out: {error}");
    assert!(error.hint.is_some());
}

#[test]
fn a_node_that_went_away_while_it_was_told_is_judged_by_its_record() {
    let etcd = Etcd::start();
    let mut kv = etcd.kv();
    for (state, done) in [("paused", true), ("online", false)] {
        let down = Arc::new(AtomicBool::new(false));
        let gone = down.clone();
        let node = HttpDouble::start(move |_| {
            gone.store(true, Ordering::SeqCst);
            Reply::Reset
        });
        let pump = pump("pump-0", &node.address());
        kv.put(&pump.key(), record("pump-0", &pump.address, state, 1, 1));
        let mut live = LiveWorld::new(&[etcd.url()], 2 * SECOND);
        // A process that is gone resets and refuses; the double resets, which is the same to a probe.
        match live.ask(act(&pump, Action::Pause)) {
            Ok(Answer::Acted(Acted { message, .. })) if done => {
                assert!(message.contains("record says paused"), "{message}")
            }
            Err(error) if !done => assert_eq!(error.kind, ErrorKind::InDoubt, "{error}"),
            other => panic!("{state}: {other:?}"),
        }
        assert!(down.load(Ordering::SeqCst));
    }
}

#[test]
fn what_is_no_answer_of_a_node_is_never_success() {
    let elsewhere = HttpDouble::start(|_| Reply::verdict(200, "apply action pause success!"));
    let target = format!("http://{}/state/pump-0/pause", elsewhere.address());
    for reply in [
        Reply::ok("<html>welcome</html>"),
        Reply::ok(r#"{"status":"fine"}"#),
        Reply::Answer(404, "page not found".into()),
        Reply::Answer(502, r#"{"message":"apply action pause success!","code":200}"#.into()),
        Reply::Redirect(target),
    ] {
        let node = HttpDouble::start(move |_| reply.clone());
        let error = world().fails(act(&pump("pump-0", &node.address()), Action::Pause));
        assert_eq!(error.kind, ErrorKind::InDoubt, "{error}");
        assert!(error.message.contains("HTTP"), "{error}");
    }
    assert!(elsewhere.requests().is_empty(), "a redirect is not followed");
}

#[test]
fn a_probe_tells_the_truth_without_side_effects() {
    let says = |message: &'static str| HttpDouble::start(move |_| Reply::verdict(3, message));
    let cases = [
        (says(ONLINE), ProbeFinding::State(State::Online)),
        (says("invalid action probe"), ProbeFinding::State(State::Online)),
        (says("this pump's state is paused, apply probe failed!"), ProbeFinding::State(State::Paused)),
        (says("invalide nodeID pump-0, this pump's nodeID is pump-9"), ProbeFinding::Other("pump-9".into())),
        (HttpDouble::start(|_| Reply::Silent), ProbeFinding::Silent),
        (HttpDouble::start(|_| Reply::Reset), ProbeFinding::Refused),
    ];
    let mut live = world();
    let nodes: Vec<_> = cases.iter().map(|(double, _)| pump("pump-0", &double.address())).collect();
    let began = Instant::now();
    let Answer::Probes(probes) = live.ask(Request::Read(Read::Probe { nodes: nodes.clone() })).unwrap() else {
        panic!()
    };
    assert!(began.elapsed() < 4 * SECOND, "all are asked at the same time: {:?}", began.elapsed());
    for ((probe, node), (_, expected)) in probes.iter().zip(&nodes).zip(&cases) {
        assert_eq!((&probe.node, &probe.finding), (node, expected));
    }
    assert!(cases.iter().flat_map(|(double, _)| double.requests()).all(|r| r.method == "PUT" && is_probe(&r)));
    assert_eq!(live.probe(&pump("p", &format!("127.0.0.1:{}", free_port()))), ProbeFinding::Refused);
}

#[test]
fn what_a_probe_cannot_tell_is_unknown_with_its_reason() {
    let html = HttpDouble::start(|_| Reply::Answer(200, "<html>".into()));
    let closed = HttpDouble::start(|_| Reply::Close);
    let mut live = world();
    for (address, words) in [
        (html.address(), "<html>"),
        (closed.address(), "closed without an answer"),
        ("nowhere.invalid:8250".into(), "no connection"),
        ("no address".into(), "no address"),
    ] {
        match live.probe(&pump("pump-0", &address)) {
            ProbeFinding::Unknown(why) => assert!(why.contains(words), "{why}"),
            other => panic!("{address}: {other:?}"),
        }
    }
}

#[test]
fn a_hundred_nodes_are_probed_at_the_same_time() {
    let nodes: Vec<_> = (0..100)
        .map(|_| {
            HttpDouble::start(|_| {
                Reply::Late(Duration::from_millis(100), r#"{"message":"invalid action probe","code":3}"#.into())
            })
        })
        .collect();
    let asked: Vec<_> = nodes.iter().enumerate().map(|(at, d)| drainer(&format!("d-{at}"), &d.address())).collect();
    let began = Instant::now();
    let Answer::Probes(probes) = world().ask(Request::Read(Read::Probe { nodes: asked.clone() })).unwrap() else {
        panic!()
    };
    assert!(began.elapsed() < 5 * SECOND, "{:?}", began.elapsed());
    assert_eq!(probes.iter().map(|p| p.node.clone()).collect::<Vec<_>>(), asked);
    assert!(probes.iter().all(|p| p.finding == ProbeFinding::State(State::Online)), "{probes:?}");
}

/// A node that says nothing more once it was asked as far as `stage` says.
fn deaf(stage: usize) -> HttpDouble {
    let slowly = Duration::from_secs(2);
    match stage {
        0 => HttpDouble::start(|_| Reply::Silent),
        1 => HttpDouble::start(move |_| Reply::Late(30 * slowly, String::new())),
        2 => HttpDouble::start(move |_| Reply::Trickle(slowly, "x".repeat(100))),
        _ => HttpDouble::start(move |_| Reply::Trickle(slowly / 20, "x".repeat(10_000))),
    }
}

#[test]
fn of_many_nodes_those_who_are_silent_cost_a_probe_and_no_more() {
    let well = HttpDouble::start(|request| match request.path.as_str() {
        "/status" => Reply::ok(r#"{"PumpPos":{},"Synced":true,"LastTS":9}"#),
        "/commit_ts" => Reply::ok(r#"{"message":"get drainer's latest ts success!","code":200,"data":{"ts":11}}"#),
        "/metrics" => metrics(5),
        _ => Reply::verdict(3, ONLINE),
    });
    let silent: Vec<HttpDouble> = (0..4).map(deaf).collect();
    // More than are asked at the same time at least.
    let nodes: Vec<NodeRef> = (0..200)
        .map(|at| match at % 2 {
            0 => drainer(&format!("d-{at}"), &silent[at / 2 % 4].address()),
            _ => drainer(&format!("d-{at}"), &well.address()),
        })
        .collect();
    let mut live = LiveWorld::new(&["127.0.0.1:1"], 20 * SECOND);
    let mut heard = |read: Read| {
        let began = Instant::now();
        let heard: Vec<bool> = match live.ask(Request::Read(read)).unwrap() {
            Answer::Probes(probes) => probes.iter().map(|p| p.finding == ProbeFinding::State(State::Online)).collect(),
            Answer::Statuses(found) => found.iter().map(Result::is_ok).collect(),
            Answer::Timestamps(found) => found.iter().map(Result::is_ok).collect(),
            Answer::Metrics(found) => found.iter().map(Result::is_ok).collect(),
            Answer::Inspected(found) => {
                found.iter().map(|one| matches!((&one.status, &one.metrics), (Some(Ok(_)), Some(Ok(_))))).collect()
            }
            other => panic!("{other:?}"),
        };
        // One after the other, or by the time-out of an exchange, it would be twenty seconds at least.
        assert!(began.elapsed() < 10 * SECOND, "{:?}", began.elapsed());
        assert_eq!(heard, (0..200).map(|at| at % 2 == 1).collect::<Vec<_>>());
    };
    heard(Read::Probe { nodes: nodes.clone() });
    heard(Read::Status { nodes: nodes.clone() });
    heard(Read::CommitTs { nodes: nodes.clone() });
    heard(Read::Metrics { nodes: nodes.clone() });
    heard(Read::Inspect { nodes, metrics: Vec::new() });
}

#[test]
fn a_node_that_answers_a_probe_has_its_whole_time_for_what_it_is_asked() {
    let slow = HttpDouble::start(|request| match is_probe(request) {
        true => Reply::verdict(3, ONLINE),
        false => Reply::Late(3 * SECOND, r#"{"PumpPos":{},"Synced":true,"LastTS":9}"#.into()),
    });
    let nodes = vec![drainer("d", &slow.address())];
    let mut live = LiveWorld::new(&["127.0.0.1:1"], 20 * SECOND);
    match live.ask(Request::Read(Read::Status { nodes })).unwrap() {
        Answer::Statuses(found) => assert!(found[0].is_ok(), "{found:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_node_was_told_ends_in_time_with_all_that_is_looked_at_afterwards() {
    // Its answer is no good and comes late, its process is gone then, and etcd does not say what became of it.
    let told = HttpDouble::start(|request| match is_probe(request) {
        true => Reply::Reset,
        false => Reply::Late(4 * SECOND, "nonsense".into()),
    });
    let etcd = HttpDouble::start(|_| Reply::Silent);
    let mut live = LiveWorld::new(&[etcd.address()], 6 * SECOND);
    let began = Instant::now();
    let error = live.fails(act(&pump("pump-0", &told.address()), Action::Pause));
    assert!(began.elapsed() < 9 * SECOND, "{:?}", began.elapsed());
    assert_eq!(error.kind, ErrorKind::InDoubt, "{error}");
    assert!(error.message.contains("its record cannot be read"), "{error}");
}

#[test]
fn reports_of_both_kinds_are_read() {
    let node = HttpDouble::start(|request| match request.path.as_str() {
        "/status" => Reply::ok(r#"{"PumpPos":{"pump-0":7},"Synced":true,"LastTS":9,"TsMap":"","New":1}"#),
        "/commit_ts" => Reply::ok(r#"{"message":"get drainer's latest ts success!","code":200,"data":{"ts":11}}"#),
        "/drainers" => Reply::ok(r#"[{"nodeId":"drainer-0"}]"#),
        "/debug/binlog/42" => Reply::ok("a binlog"),
        "/debug/gc/trigger" if request.method == "POST" => Reply::ok("trigger gc success\n"),
        "/metrics" => Reply::ok("a{type=\"x\"} 1\nprocess_start_time_seconds 5\n"),
        _ => Reply::Answer(404, String::new()),
    });
    let pump_status = r#"{"status":{"pump-0":{}},"CommitTS":3,"Checkpoint":null,"ErrMsg":"context canceled"}"#;
    let other = HttpDouble::start(move |_| Reply::ok(pump_status));
    let (a_drainer, a_pump) = (drainer("d", &node.address()), pump("p", &other.address()));
    let mut live = world();

    let Answer::Statuses(statuses) =
        live.ask(Request::Read(Read::Status { nodes: vec![a_drainer.clone(), a_pump] })).unwrap()
    else {
        panic!()
    };
    match &statuses[..] {
        [Ok(StatusReport::Drainer(d)), Ok(StatusReport::Pump(p))] => {
            assert_eq!((d.pump_positions["pump-0"], d.synced, d.last_ts), (Tso(7), true, Tso(9)));
            assert_eq!((p.commit_ts, p.error.as_str()), (Tso(3), "context canceled"));
        }
        other => panic!("{other:?}"),
    }
    let stamps = live.ask(Request::Read(Read::CommitTs { nodes: vec![a_drainer.clone(), a_drainer.clone()] })).unwrap();
    assert_eq!(stamps, Answer::Timestamps(vec![Ok(Tso(11)), Ok(Tso(11))]));
    let text = live.ask(Request::Read(Read::PumpDrainers { node: a_drainer.clone() })).unwrap();
    assert_eq!(text, Answer::Text(r#"[{"nodeId":"drainer-0"}]"#.into()));
    let text = live.ask(Request::Read(Read::BinlogAt { node: a_drainer.clone(), ts: Tso(42) })).unwrap();
    assert_eq!(text, Answer::Text("a binlog".into()));
    let acted = live.ask(Request::Change(Change::TriggerGc { node: a_drainer.clone() })).unwrap();
    assert_eq!(acted, Answer::Acted(Acted::said("trigger gc success")));
    let Answer::Metrics(metrics) = live.ask(Request::Read(Read::Metrics { nodes: vec![a_drainer] })).unwrap() else {
        panic!()
    };
    let metrics = metrics[0].as_ref().unwrap();
    assert_eq!((metrics["a{type=\"x\"}"], metrics["process_start_time_seconds"]), (1.0, 5.0));
}

#[test]
fn a_node_that_misbehaves_is_an_error_with_its_address_and_a_bound() {
    let huge = HttpDouble::start(|_| Reply::Huge(64 << 20));
    let slow = HttpDouble::start(|_| Reply::Trickle(Duration::from_millis(50), "x".repeat(10_000)));
    let silent = HttpDouble::start(|_| Reply::Silent);
    let html = HttpDouble::start(|_| Reply::ok("<html>"));
    let reset = HttpDouble::start(|_| Reply::Reset);
    let mut live = LiveWorld::new(&["127.0.0.1:1"], SECOND);
    let nodes: Vec<_> = [&huge, &slow, &silent, &html, &reset].iter().map(|d| drainer("d", &d.address())).collect();
    let began = Instant::now();
    let Answer::Statuses(statuses) = live.ask(Request::Read(Read::Status { nodes: nodes.clone() })).unwrap() else {
        panic!()
    };
    assert!(began.elapsed() < 4 * SECOND, "{:?}", began.elapsed());
    let kinds =
        [ErrorKind::Invalid, ErrorKind::Timeout, ErrorKind::Timeout, ErrorKind::Invalid, ErrorKind::Unreachable];
    for ((status, node), kind) in statuses.iter().zip(&nodes).zip(kinds) {
        let error = status.as_ref().unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(node.address.as_str()) && error.hint.is_some(), "{error}");
    }
    assert!(statuses[0].as_ref().unwrap_err().message.contains("4 MiB"));
}

#[test]
fn an_interrupted_change_says_that_it_may_have_happened() {
    let node = HttpDouble::start(|_| Reply::Silent);
    let mut live = LiveWorld::new(&["127.0.0.1:1"], 30 * SECOND);
    let (interrupt, address, traffic) = (live.interrupt.clone(), node.address(), node.traffic());
    let raiser = std::thread::spawn(move || {
        assert!(eventually(10 * SECOND, || !traffic.requests().is_empty()), "it was never sent");
        interrupt.raise(15);
    });
    let error = live.fails(act(&pump("pump-0", &address), Action::Close));
    raiser.join().unwrap();
    assert_eq!((error.kind, error.exit_code()), (ErrorKind::Interrupted, 143));
    assert!(error.message.contains("not known"), "{error}");
    assert!(error.hint.unwrap().contains("probe"));
}

#[test]
fn without_a_console_a_manual_step_waits_for_a_later_start_time() {
    let started = Arc::new(AtomicI64::new(100));
    let shown = started.clone();
    let node = HttpDouble::start(move |request| match request.path.as_str() {
        "/metrics" => Reply::ok(format!("process_start_time_seconds {}\n", shown.load(Ordering::SeqCst))),
        _ => Reply::verdict(3, ONLINE),
    });
    let stops = Arc::new(Mutex::new(HttpDouble::start(|_| Reply::verdict(3, ONLINE))));
    let task = Manual {
        text: "replace the binary of pump-0".into(),
        starts: vec![pump("pump-0", &node.address())],
        stops: vec![pump("pump-1", &stops.lock().unwrap().address())],
        ..Manual::default()
    };
    let traffic = node.traffic();
    let human = std::thread::spawn(move || {
        // It was looked at before it was asked for, and twice since: the same process is no restart.
        let looks = || traffic.requests().iter().filter(|request| request.path == "/metrics").count();
        let looked = eventually(20 * SECOND, || looks() >= 3);
        // Also if nobody did: what waits for it does so for an hour.
        stops.lock().unwrap().go_down();
        started.store(200, Ordering::SeqCst);
        assert!(looked, "nobody looks");
        stops
    });
    let mut live = world();
    assert_eq!(live.ask(Request::Change(Change::Manual(task))).unwrap(), Answer::Done);
    drop(human.join().unwrap());
    let progress = live.notices().into_iter().any(|n| {
        matches!(n, binlogsh::world::Notice::Progress(progress) if progress.to_string().contains("pump-0 was not started again") && progress.to_string().contains("pump-1 still"))
    });
    assert!(progress, "{:?}", live.notices());
}

#[test]
fn without_a_console_nobody_can_be_asked() {
    let mut live = world();
    let nothing = Manual { text: "take a backup".into(), ..Manual::default() };
    for request in [
        Request::Ask(Ask::Question(binlogsh::world::Question::new("really?"))),
        Request::Ask(Ask::Secret(SecretPrompt { prompt: "text".into() })),
        Request::Change(Change::Manual(nothing)),
    ] {
        let error = live.fails(request);
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.hint.is_some());
    }
}
