//! Names that lead nowhere from here, as those of pods seen from outside: nothing is known of such a node, and that is
//! known at once.
//!
//! A name with a part of 64 letters resolves nowhere, and no name server is asked for it.

use crate::support::etcd::Etcd;
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::{LiveWorld, pump};
use crate::support::pd_double::PdDouble;
use binlogsh::error::ErrorKind;
use binlogsh::node::{NodeRef, State};
use binlogsh::world::{Action, Answer, Change, ProbeFinding, Read, Request};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn nowhere() -> String {
    "x".repeat(64)
}

#[test]
fn hundreds_of_nodes_whose_names_do_not_resolve_are_unknown_at_once() {
    let known = HttpDouble::start(|_| Reply::verdict(3, "invalide action probe"));
    let mut nodes: Vec<NodeRef> =
        (0..500).map(|at| pump(&format!("pump-{at}"), &format!("pump-{at}.{}:8250", nowhere()))).collect();
    nodes.push(pump("known", &known.address()));
    let mut live = LiveWorld::new(&["127.0.0.1:1"], 5 * SECOND);
    let began = Instant::now();
    let Answer::Probes(mut probes) = live.ask(Request::Read(Read::Probe { nodes: nodes.clone() })).unwrap() else {
        panic!()
    };
    assert!(began.elapsed() < 4 * SECOND, "{:?}", began.elapsed());
    assert_eq!(probes.pop().unwrap().finding, ProbeFinding::State(State::Online));
    for (at, probe) in probes.iter().enumerate() {
        let ProbeFinding::Unknown(why) = &probe.finding else { panic!("{probe:?}") };
        let expected = format!("the name pump-{at}.{} does not resolve on this host", nowhere());
        assert!(why.contains(&expected) && !why.contains("lookup address"), "{why}");
    }
    let Answer::Inspected(inspected) =
        live.ask(Request::Read(Read::Inspect { nodes: nodes.clone(), metrics: vec![] })).unwrap()
    else {
        panic!()
    };
    assert!(matches!(inspected[0].probe.finding, ProbeFinding::Unknown(_)));
    // What is told to such a node was not sent.
    let error = live.fails(Request::Change(Change::Act { node: nodes[0].clone(), action: Action::Pause }));
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(error.message.contains("does not resolve on this host"), "{error}");
    assert!(error.hint.unwrap().contains("[profiles.NAME.addresses]"));
}

#[test]
fn a_pd_whose_name_does_not_resolve_is_told_at_once() {
    let began = Instant::now();
    let mut live = LiveWorld::new(&[format!("http://{}:2379", nowhere())], 5 * SECOND);
    let error = live.fails(Request::Read(Read::Nodes));
    assert!(began.elapsed() < 3 * SECOND, "{:?}", began.elapsed());
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains(&format!("the name {} does not resolve on this host", nowhere())), "{error}");
}

#[test]
fn a_name_is_looked_up_for_pd_and_for_nodes() {
    let (etcd, node) = (Etcd::start(), HttpDouble::start(|_| Reply::verdict(3, "invalide action probe")));
    let pd = PdDouble::start(&etcd);
    let named = |address: &str| address.replace("127.0.0.1", "localhost");
    let mut live = LiveWorld::new(&[named(&pd.url())], 5 * SECOND);
    assert!(live.list().unwrap().tso.is_some());
    assert_eq!(live.probe(&pump("pump-0", &named(&node.address()))), ProbeFinding::State(State::Online));
}
