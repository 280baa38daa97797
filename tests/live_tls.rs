//! TLS for etcd, PD and nodes alike; never silently plain.

use crate::support::certs::Certs;
use crate::support::etcd::Etcd;
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::{LiveWorld, pump};
use crate::support::pd_double::PdDouble;
use crate::support::record;
use binlogsh::error::ErrorKind;
use binlogsh::live::TlsFiles;
use binlogsh::node::State;
use binlogsh::world::{Action, Answer, ProbeFinding, Request};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const H2: &[&[u8]] = &[b"h2"];

fn trusting(certs: &Certs) -> Option<TlsFiles> {
    TlsFiles::new(Some(certs.ca()), None, None).unwrap()
}

fn with_identity(certs: &Certs) -> Option<TlsFiles> {
    TlsFiles::new(Some(certs.ca()), Some(certs.client_cert()), Some(certs.client_key())).unwrap()
}

#[test]
fn etcd_pd_and_nodes_are_all_spoken_to_with_our_certificate() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, H2)));
    let node = HttpDouble::start_with(Some(certs.server(true, &[])), |request| match request.path.as_str() {
        "/state/pump-0/pause" => Reply::verdict(200, "apply action pause success!"),
        _ => Reply::verdict(3, "invalide action probe"),
    });
    etcd.kv().put("/tidb-binlog/v1/pumps/pump-0", record("pump-0", &node.address(), "online", 1, 1));
    // Whatever scheme the URL has, it is https.
    let mut live = LiveWorld::with_tls(&[pd.url().replace("https", "http")], 5 * SECOND, with_identity(&certs));

    let listing = live.list().unwrap();
    assert!(listing.tso.is_some(), "{:?}", listing.tso_error);
    let found = listing.records[0].node.clone();
    assert_eq!(live.probe(&found), ProbeFinding::State(State::Online));
    let acted = live.ask(Request::Act { node: found, action: Action::Pause }).unwrap();
    assert_eq!(acted, Answer::Acted { message: "apply action pause success!".into() });
}

#[test]
fn a_server_of_another_authority_is_not_trusted() {
    let (etcd, certs, others) = (Etcd::start(), Certs::new(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(others.server(false, H2)));
    let node = HttpDouble::start_with(Some(others.server(false, &[])), |_| Reply::verdict(200, "done"));
    let mut live = LiveWorld::with_tls(&[pd.url()], 2 * SECOND, trusting(&certs));
    let error = live.fails(Request::Nodes);
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.to_lowercase().contains("certificate"), "{error}");
    let error = live.fails(Request::Act { node: pump("pump-0", &node.address()), action: Action::Pause });
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(error.message.to_lowercase().contains("certificate"), "{error}");
    assert!(node.requests().is_empty());
}

#[test]
fn a_server_that_asks_for_a_certificate_refuses_us_without_one() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, H2)));
    let mut live = LiveWorld::with_tls(&[pd.url()], 2 * SECOND, trusting(&certs));
    let error = live.fails(Request::Nodes);
    assert!(matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Timeout), "{error}");
}

#[test]
fn with_tls_on_a_plain_server_gets_nothing() {
    let (etcd, certs) = (Etcd::start(), Certs::new());
    let node = HttpDouble::start(|_| Reply::verdict(200, "apply action pause success!"));
    let mut live = LiveWorld::with_tls(&[etcd.url()], 2 * SECOND, trusting(&certs));
    assert!(matches!(live.fails(Request::Nodes).kind, ErrorKind::Unreachable | ErrorKind::Timeout));
    let error = live.fails(Request::Act { node: pump("pump-0", &node.address()), action: Action::Pause });
    assert_ne!(error.kind, ErrorKind::Rejected);
    assert!(!node.requests().iter().any(|request| request.method == "PUT"), "nothing went over in plain text");
}

#[test]
fn a_certificate_file_that_is_missing_or_no_certificate_is_named_at_first_use() {
    let certs = Certs::new();
    let missing = TlsFiles::new(Some(certs.ca()), Some("/nowhere/cert.pem".into()), Some(certs.client_key())).unwrap();
    let error = LiveWorld::with_tls(&["127.0.0.1:1"], SECOND, missing).fails(Request::Nodes);
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.message.contains("/nowhere/cert.pem"), "{error}");

    let swapped = TlsFiles::new(Some(certs.client_key()), None, None).unwrap();
    let error = LiveWorld::with_tls(&["127.0.0.1:1"], SECOND, swapped).fails(Request::Tso);
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("client.key"), "{error}");
}
