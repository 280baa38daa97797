//! What no simulator shows: certificates in real handshakes, endpoints of PD behind real sockets, a PD without a leader, a
//! node that answers half.

use super::found;
use crate::harness::{Ran, Shell};
use crate::support::certs::{Certs, in_days};
use crate::support::cluster::LiveCluster;
use crate::support::etcd::Etcd;
use crate::support::http_double::{HttpDouble, HttpRequest, Reply};
use crate::support::live::{LiveWorld, pump};
use crate::support::pd_double::{Leader, PdDouble};
use crate::support::{free_port, record};
use binlogsh::error::ErrorKind;
use binlogsh::live::TlsFiles;
use binlogsh::world::{Answer, Certificate, CertificateRole, Endpoint, Read, Request};
use serde_json::Value as Json;
use std::time::Duration;

const H2: &[&[u8]] = &[b"h2"];

/// A Pump that says that it is online, and whose metrics say little.
fn online(request: &HttpRequest) -> Reply {
    match request.path.as_str() {
        "/metrics" => Reply::ok("process_start_time_seconds 1.7e9\n"),
        _ => Reply::verdict(3, "invalide action probe"),
    }
}

fn look(shell: Shell) -> (Ran, Vec<Json>) {
    let ran = shell.arg("--output=json").arg("doctor").arg("--observe=0").go();
    let findings = found(&ran);
    (ran, findings)
}

#[track_caller]
fn the<'a>(findings: &'a [Json], check: &str, node: &str) -> &'a Json {
    let one = findings.iter().find(|one| one["check"] == check && one["node"] == node);
    one.unwrap_or_else(|| panic!("no {check} of {node}: {findings:#?}"))
}

#[test]
fn certificates_that_end_soon_are_found_whoever_shows_them() {
    let etcd = Etcd::start();
    let certs = Certs::ending(&[("server", in_days(10)), ("client", in_days(2))]);
    let pd = PdDouble::start_with(&etcd.url(), Some(certs.server(true, H2)));
    let node = HttpDouble::start_with(Some(certs.server(true, &[])), online);
    etcd.kv().put("/tidb-binlog/v1/pumps/pump-0", record("pump-0", &node.address(), "online", pd.now(), pd.now()));
    let shell = [("--ca", certs.ca()), ("--cert", certs.client_cert()), ("--key", certs.client_key())]
        .into_iter()
        .fold(Shell::live(&pd.url()), |shell, (flag, file)| shell.arg(flag).arg(file.display().to_string()));
    let (ran, findings) = look(shell);
    let own = the(&findings, "certificate", &certs.client_cert().display().to_string());
    assert_eq!(own["severity"], "critical", "{own:#}");
    assert!(own["what"].as_str().unwrap().contains("our own certificate"), "{own:#}");
    for server in [pd.url().replace("https://", ""), node.address()] {
        let shown = the(&findings, "certificate", &server);
        assert_eq!(shown["severity"], "warning", "{shown:#}");
        assert!(shown["what"].as_str().unwrap().contains("the server's certificate"), "{shown:#}");
    }
    let all = findings.iter().filter(|one| one["check"] == "certificate").count();
    assert_eq!((all, ran.code), (3, 2), "the authority's is good for long: {findings:#?}");
}

#[test]
fn an_expired_certificate_is_read_though_nobody_trusts_it() {
    let certs = Certs::ending(&[("server", in_days(-3))]);
    let node = HttpDouble::start_with(Some(certs.server(false, &[])), online);
    let tls = TlsFiles::new(Some(certs.ca()), None, None).unwrap();
    let nobody = format!("127.0.0.1:{}", free_port());
    let mut live = LiveWorld::with_tls(&[nobody], Duration::from_secs(2), tls);
    let nodes = vec![pump("pump-0", &node.address())];
    let Answer::Certificates(all) = live.ask(Request::Read(Read::Certificates { nodes })).unwrap() else { panic!() };
    let [authority, server] = &all[..] else { panic!("{all:?}") };
    assert_eq!(authority.role, CertificateRole::Authority);
    let Certificate { role, place, expires_ms, .. } = server;
    assert_eq!((*role, place), (CertificateRole::Server, &node.address()));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    assert!((now - 4 * 86_400_000..now - 2 * 86_400_000).contains(expires_ms), "{now} {server:?}");
    assert!(node.requests().is_empty(), "nothing was said to somebody untrusted");
}

#[test]
fn a_cluster_without_tls_has_no_certificates() {
    let nobody = format!("127.0.0.1:{}", free_port());
    let mut live = LiveWorld::new(&[nobody], Duration::from_secs(1));
    assert_eq!(live.ask(Request::Read(Read::Certificates { nodes: vec![] })).unwrap(), Answer::Certificates(vec![]));
}

#[test]
fn every_endpoint_of_pd_is_asked_those_that_only_its_members_name_too() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let (dead, named) = (format!("http://127.0.0.1:{}", free_port()), format!("http://127.0.0.1:{}", free_port()));
    pd.set(|knobs| knobs.others = vec![("pd-9".into(), format!("{named}/"))]);
    let mut live = LiveWorld::new(&[pd.url(), dead.clone()], Duration::from_secs(2));
    let Answer::Endpoints(all) = live.ask(Request::Read(Read::Endpoints)).unwrap() else { panic!() };
    let seen: Vec<_> =
        all.iter().map(|Endpoint { url, given, trouble, .. }| (url, *given, trouble.is_none())).collect();
    assert_eq!(seen, [(&pd.url(), true, true), (&dead, true, false), (&named, false, false)], "{all:?}");
    assert_eq!((all[1].member.as_deref(), all[2].member.as_deref()), (None, Some("pd-9")));
    assert!(all[0].member.is_some(), "{all:?}");

    let (ran, findings) = look(Shell::live(&format!("{},{dead}", pd.url())));
    assert!(the(&findings, "pd_endpoint", &dead)["what"].as_str().unwrap().contains("no member of PD names it"));
    let member = the(&findings, "pd_endpoint", &named);
    assert!(member["what"].as_str().unwrap().contains("it is pd-9's; 1 of 2 members answer"), "{member:#}");
    ran.exits(1);
}

#[test]
fn a_pd_without_a_leader_gives_no_time() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    pd.set(|knobs| knobs.leader = Leader::Nobody);
    let (ran, findings) = look(Shell::live(&pd.url()).arg("--timeout=500ms"));
    assert_eq!(the(&findings, "no_time", "")["severity"], "warning");
    ran.exits(1);
    pd.set(|knobs| knobs.leader = Leader::Me);
    let (ran, findings) = look(Shell::live(&pd.url()));
    let checks: Vec<_> = findings.iter().map(|one| &one["check"]).collect();
    assert_eq!(checks, ["no_node"], "{findings:#?}");
    ran.exits(1);
}

#[test]
fn without_pds_time_no_guard_says_that_a_drainer_is_waited_for() {
    let cluster = LiveCluster::sample("default");
    cluster.pd().set(|knobs| knobs.leader = Leader::Nobody);
    let ran = Shell::live(&cluster.url()).arg("--timeout=500ms").yes().eval(r#"offline_pump("pump-0")"#);
    ran.fails(ErrorKind::Refused).stderr_contains("no_drainer").stderr_contains("PD has no leader");
}

#[test]
fn what_cannot_be_read_is_named() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let half = HttpDouble::start(|request| match request.path.as_str() {
        "/metrics" => Reply::Answer(500, "out of order".into()),
        _ => Reply::verdict(3, "invalide action probe"),
    });
    let whole = HttpDouble::start(online);
    for (id, node) in [("pump-0", &half), ("pump-1", &whole)] {
        let key = format!("/tidb-binlog/v1/pumps/{id}");
        etcd.kv().put(&key, record(id, &node.address(), "online", pd.now(), pd.now()));
    }
    let (ran, findings) = look(Shell::live(&pd.url()));
    let unknown = the(&findings, "unknown", "");
    let what = unknown["what"].as_str().unwrap();
    assert!(what.contains("what pump-0 says of itself could not be read") && what.contains("out of order"), "{what}");
    assert_eq!(findings.iter().filter(|one| one["check"] == "unknown").count(), 1, "{findings:#?}");
    ran.exits(1);
}

#[test]
fn through_the_sockets_the_same_is_found() {
    let cluster = LiveCluster::sample("closing-pump");
    let doctor = Shell::live(&cluster.url()).arg("--output=json").arg("doctor");
    let ran = doctor.arg("--observe=3s").arg("--heartbeat=3s").go().exits(2);
    let findings = found(&ran);
    let closing = the(&findings, "closing", "pump-1");
    assert!(closing["what"].as_str().unwrap().contains("drainer-0 (paused, "), "{closing:#}");
    the(&findings, "paused_drainer", "drainer-0");
    let changed =
        cluster.asked_of_nodes().into_iter().filter(|asked| !asked.starts_with("GET") && !asked.ends_with("/probe"));
    assert_eq!(changed.collect::<Vec<_>>(), Vec::<String>::new(), "it only looks");
}

#[test]
fn nobody_behind_any_endpoint_is_an_error_and_no_finding() {
    let ran = Shell::live(&format!("http://127.0.0.1:{}", free_port())).arg("doctor").arg("--timeout=500ms").go();
    let ran = ran.exits(3).stdout("").stderr_contains("no endpoint answered");
    assert!(!ran.stderr.contains("stdlib:"), "where in the library is nobody's concern: {}", ran.stderr);
}
