//! Through a map of addresses in the profile, to ports that are forwarded.

use super::{Outside, serves_an_operator, shell};
use crate::support::certs::Certs;
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::{LiveWorld, pump};
use binlogsh::address_map::AddressMap;
use binlogsh::error::ErrorKind;
use binlogsh::live::{LiveSettings, TlsFiles};
use binlogsh::node::State;
use binlogsh::world::{Action, Answer, Change, ProbeFinding, Read, Request};
use std::time::Duration;

#[test]
fn a_cluster_is_operated_through_a_map() {
    let outside = Outside::forwarded(false);
    serves_an_operator(&outside, &outside.profile(&outside.map()));
}

#[test]
fn a_cluster_is_operated_through_a_map_with_tls_for_the_names_before_it() {
    let outside = Outside::forwarded(true);
    serves_an_operator(&outside, &outside.profile(&outside.map()));
    // Without the map's names the same ports are nobody's whose certificate counts.
    let direct = outside.profile("").replace("basic-pd:2379", outside.pd());
    let ran = shell(&direct).eval("pumps()").fails(ErrorKind::Unreachable);
    ran.stderr_contains("its certificate is not trusted: it is not for 127.");
}

#[test]
fn the_name_that_others_know_is_told_and_where_it_was_tried() {
    let outside = Outside::forwarded(false);
    let ip = outside.ip();
    let profile = outside.profile(&outside.map());
    let ran = shell(&profile).arg("--verbose").eval(r#"probe("basic-pump-0:8250")"#).succeeds();
    let ran = ran.stderr_contains(&format!("basic-pump-0.basic-pump:8250 (at {ip}:18250)"));
    ran.stderr_contains(&format!("http://basic-pd:2379 (at {ip}:12379)"));
    // The forward has ended.
    let gone = profile.replace(":12379", ":12378");
    let ran = shell(&gone).eval("pumps()").fails(ErrorKind::Unreachable);
    let words = format!("http://basic-pd:2379: connection refused (the address map leads to {ip}:12378)");
    ran.stderr_contains(&words);
    let gone = profile.replace(":1825{n}", ":1925{n}");
    let ran = shell(&gone).yes().eval(r#"status("basic-pump-0:8250")"#).fails(ErrorKind::Unreachable);
    ran.stderr_contains(&format!("connection refused (the address map leads to {ip}:19250)"));
}

#[test]
fn a_forward_to_another_node_is_found_out_by_its_id() {
    let outside = Outside::forwarded(false);
    let profile = outside.profile(&outside.map());
    let crossed = profile
        .replace("\"basic-files", "\"x-files")
        .replace("basic-copy-drainer-0.basic-copy", "basic-files-drainer-0.basic-files");
    let ran = shell(&crossed).eval(r#"print(probe(["basic-files-drainer-0:8249"])[0].detail)"#).succeeds();
    ran.stdout_contains("basic-copy-drainer-0:8249");
}

#[test]
fn a_map_that_leads_two_names_to_one_address_is_refused_with_its_line_or_before_anybody_is_asked() {
    let outside = Outside::forwarded(false);
    let (profile, ip) = (outside.profile(&outside.map()), outside.ip());
    let both = profile.replace(":18241", ":18240");
    let line = 1 + both.lines().position(|line| line.starts_with("\"basic-files")).unwrap();
    shell(&both)
        .eval("pumps()")
        .fails(ErrorKind::Invalid)
        .stderr_contains(&format!("config.toml:{line}: the address map leads both basic-copy-drainer-0"))
        .stderr_contains(&format!("to {ip}:18240"));
    // A pattern shows it when its names are known: neither of the two is asked.
    let mut map = AddressMap::default();
    map.add("a-{n}.pump:8250", &format!("{ip}:1825{{n}}")).unwrap();
    map.add("b-{n}.pump:8250", &format!("{ip}:1825{{n}}")).unwrap();
    let settings = LiveSettings::new(&["127.0.0.1:1"], None).unwrap().reached_by(map, None);
    let mut live = LiveWorld::of(settings);
    let nodes = vec![
        pump("basic-pump-0:8250", "a-0.pump:8250"),
        pump("b-0", "b-0.pump:8250"),
        pump("basic-pump-1:8250", "a-1.pump:8250"),
    ];
    let before = outside.cluster.heard();
    let Answer::Probes(probes) = live.ask(Request::Read(Read::Probe { nodes: nodes.clone() })).unwrap() else {
        panic!()
    };
    for probe in &probes[..2] {
        let ProbeFinding::Unknown(why) = &probe.finding else { panic!("{probe:?}") };
        assert!(why.contains(&format!("leads both a-0.pump:8250 and b-0.pump:8250 to {ip}:18250")), "{why}");
    }
    assert_eq!(probes[2].finding, ProbeFinding::State(State::Online));
    assert_eq!(outside.cluster.heard(), before + 1);
    let error = live.fails(Request::Change(Change::Act { node: nodes[0].clone(), action: Action::Pause }));
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(error.message.contains("leads both"), "{error}");
}

#[test]
fn a_member_that_leads_nowhere_is_not_waited_for_and_time_comes_by_the_url_that_was_given() {
    for tls in [false, true] {
        let outside = Outside::forwarded(tls);
        let mut map = AddressMap::default();
        map.add("basic-pd:2379", outside.pd()).unwrap();
        let files = outside.certs.as_ref().map(|certs| TlsFiles::new(Some(certs.ca()), None, None).unwrap().unwrap());
        let mut live = LiveWorld::of(LiveSettings::new(&["basic-pd:2379"], files).unwrap().reached_by(map, None));
        let began = std::time::Instant::now();
        for _ in 0..10 {
            assert!(live.list().unwrap().tso.is_some());
            assert!(matches!(live.ask(Request::Read(Read::Tso)).unwrap(), Answer::Timestamp(_)));
        }
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
}

#[test]
fn a_map_that_nobody_understands_is_told_with_its_line() {
    for (line, why) in [
        ("\"a:1\" = 5", "`a:1` takes text, not integer"),
        ("\"{pods}.a:1\" = \"b:1{n}\"", "of the name, its host is no name or address"),
        ("\"{pod}.a:1\" = \"b:1\"", "every name that fits to one address"),
    ] {
        let text = format!("[profiles.pods]\n[profiles.pods.addresses]\n{line}\n");
        shell(&text).eval("1").fails(ErrorKind::Invalid).stderr_contains("config.toml:3: ").stderr_contains(why);
    }
}

#[test]
fn a_wildcard_for_the_pods_of_a_service_is_theirs_alone_and_counts_by_a_trusted_authority() {
    let (trusted, other) = (Certs::for_names(&["*.basic-pump"]), Certs::for_names(&["*.basic-pump"]));
    let node = |certs: &Certs| {
        HttpDouble::start_with(Some(certs.server(false, &[])), |_| Reply::verdict(3, "invalide action probe"))
    };
    let (good, false_one) = (node(&trusted), node(&other));
    for (name, double, answer) in [
        ("basic-pump-0.basic-pump:8250", &good, "online"),
        ("BASIC-pump-0.basic-PUMP:8250", &good, "online"),
        ("basic-pump-0.other-pump:8250", &good, "it is not for basic-pump-0.other-pump: its names are *.basic-pump"),
        ("basic-pump-0.x.basic-pump:8250", &good, "it is not for basic-pump-0.x.basic-pump"),
        ("basic-pump:8250", &good, "it is not for basic-pump"),
        ("basic-pump-0.basic-pump:8250", &false_one, "no authority in the CA file has signed it"),
    ] {
        let mut map = AddressMap::default();
        map.add(name, &double.address()).unwrap();
        let files = TlsFiles::new(Some(trusted.ca()), None, None).unwrap();
        let mut live = LiveWorld::of(LiveSettings::new(&["127.0.0.1:1"], files).unwrap().reached_by(map, None));
        let found = match live.probe(&pump("pump-0", name)) {
            ProbeFinding::Unknown(why) => why.to_string(),
            other => other.to_string(),
        };
        assert!(found.contains(answer), "{name}: {found}");
    }
}
