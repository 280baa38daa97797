use super::*;
use crate::downstream::{Downstream, DownstreamKind, ReplicationFilter};
use std::path::Path;

fn parse(text: &str) -> crate::error::Result<Deployment> {
    Deployment::parse("prod", Path::new("/t/prod/meta.yaml"), text)
}

fn wrong(text: &str) -> String {
    let error = parse(text).unwrap_err();
    assert_eq!(error.kind, crate::error::ErrorKind::Invalid);
    assert!(error.hint.unwrap().contains("/t/prod/backup"));
    error.message.replace("/t/prod/meta.yaml", "meta.yaml")
}

/// A topology with one PD and these lines behind it, each indented by two.
fn topology(lines: &[&str]) -> String {
    let more: String = lines.iter().map(|line| format!("  {line}\n")).collect();
    format!("user: tidb\ntopology:\n  pd_servers:\n  - host: 10.0.0.1\n{more}")
}

#[test]
fn what_is_not_said_has_tiup_s_defaults() {
    let text = topology(&["pump_servers:", "- host: 10.0.0.5", "drainer_servers:", "- host: 10.0.0.9", "  port: 8251"]);
    let known = parse(&text).unwrap();
    assert_eq!((known.pd_urls.as_slice(), &known.tls), (&["http://10.0.0.1:2379".to_owned()][..], &None));
    assert_eq!((known.user.as_str(), known.systemd_mode, &known.version), ("tidb", SystemdMode::System, &None));
    assert_eq!(known.nodes.len(), 2);
    let (pump, drainer) = (&known.nodes[0], &known.nodes[1]);
    assert_eq!((pump.kind, pump.id(), pump.address()), (Kind::Pump, "10.0.0.5:8250".into(), "10.0.0.5:8250".into()));
    assert_eq!((pump.unit().as_str(), pump.ssh_host(), pump.ssh_port), ("pump-8250.service", "10.0.0.5", 22));
    assert_eq!(pump.deploy_dir, "/home/tidb/deploy/pump-8250");
    assert_eq!(pump.data_dir, "/home/tidb/deploy/pump-8250/data");
    assert_eq!((drainer.unit().as_str(), drainer.offline), ("drainer-8251.service", false));
    assert_eq!(parse("topology:\n  pd_servers:\n  - host: h\n").unwrap().user, "tidb");
}

#[test]
fn what_is_said_once_for_all_holds_unless_a_node_says_something_else() {
    let text = topology(&[
        "global: {ssh_port: 2222, enable_tls: true, systemd_mode: user, deploy_dir: /tidb-deploy, data_dir: /tidb-data}",
        "pump_servers:",
        "- {host: p-1, port: 8260}",
        "- {host: p-1, ssh_port: 22, manage_host: m-1, deploy_dir: apps/pump, data_dir: store, offline: true}",
        "- {host: p-2, deploy_dir: /d/pump, data_dir: /e/pump}",
    ]);
    let known = parse(&text).unwrap();
    assert_eq!((known.systemd_mode, known.pd_urls[0].as_str()), (SystemdMode::User, "https://10.0.0.1:2379"));
    let tls = known.tls.unwrap();
    assert_eq!(tls.ca, Path::new("/t/prod/tls/ca.crt"));
    assert_eq!(
        (tls.cert.as_path(), tls.key.as_path()),
        (Path::new("/t/prod/tls/client.crt"), Path::new("/t/prod/tls/client.pem"))
    );
    let dirs = |node: &DeployedNode| (node.deploy_dir.as_str().to_owned(), node.data_dir.as_str().to_owned());
    assert_eq!(known.nodes.len(), 3);
    let (first, second, third) = (&known.nodes[0], &known.nodes[1], &known.nodes[2]);
    assert_eq!((first.ssh_port, first.unit().as_str()), (2222, "pump-8260.service"));
    assert_eq!(dirs(first), ("/tidb-deploy/pump-8260".into(), "/tidb-data/pump-8260".into()));
    assert_eq!((second.ssh_port, second.ssh_host(), second.offline), (22, "m-1", true));
    assert_eq!(dirs(second), ("/home/tidb/apps/pump".into(), "/home/tidb/apps/pump/store".into()));
    assert_eq!(dirs(third), ("/d/pump".into(), "/e/pump".into()));
}

#[test]
fn an_ipv6_host_has_brackets_where_a_port_follows_and_none_for_ssh() {
    let text =
        topology(&["pump_servers:", "- host: fd00::5", "- host: '[fd00::6]'", "drainer_servers:", "- host: ::1"]);
    let known = parse(&text).unwrap();
    let ids: Vec<String> = known.nodes.iter().map(DeployedNode::id).collect();
    assert_eq!(ids, ["[fd00::5]:8250", "[fd00::6]:8250", "[::1]:8249"]);
    assert_eq!(known.nodes[1].ssh_host(), "fd00::6");
    let pd = parse("topology:\n  pd_servers:\n  - host: fd00::1\n    client_port: 2389\n").unwrap();
    assert_eq!(pd.pd_urls, ["http://[fd00::1]:2389"]);
}

#[test]
fn pd_s_advertised_address_stands_before_its_host() {
    let server =
        |url: &str| format!("topology:\n  pd_servers:\n  - host: a\n    advertise_client_addr: {url}\n  - host: b\n");
    let known = parse(&server("https://pd.example:2380")).unwrap();
    assert_eq!(known.pd_urls, ["https://pd.example:2380", "http://b:2379"]);
    let error = wrong(&server("http://root:s3cret@pd:2379"));
    assert_eq!(
        error,
        "meta.yaml:4: `topology.pd_servers[0].advertise_client_addr` is no URL such as `http://host:2379`"
    );
}

#[test]
fn a_node_is_found_by_its_id_and_names_of_hosts_have_no_case() {
    let text = topology(&["pump_servers:", "- host: Pump-A", "drainer_servers:", "- {host: pump-a, port: 8249}"]);
    let known = parse(&text).unwrap();
    assert!(known.find(Kind::Pump, "pump-a:8250").is_some());
    assert!(known.find(Kind::Pump, "pump-a:8249").is_none() && known.find(Kind::Drainer, "pump-a:8249").is_some());
}

const SECRETS: &str = "\
user: tidb
topology:
  global:
    deploy_dir: /tidb-deploy
  server_configs:
    drainer:
      syncer.to.password: s3cret
      user: s3cret
  pd_servers:
  - host: 10.0.0.1
  drainer_servers:
  - host: 10.0.0.9
    config:
      syncer.to.password: s3cret
      port: s3cret
  monitoring_servers: []
  grafana_servers:
  - {host: 10.0.0.1, password: s3cret}
";

#[test]
fn what_is_secret_is_neither_kept_nor_shown() {
    let known = parse(SECRETS).unwrap();
    assert!(!format!("{known:?}").contains("s3cret"), "{known:?}");
    assert_eq!((known.nodes[0].port, known.may_be_cut_off), (8249, false));
    // Whatever is broken, and wherever: no word of the file is quoted.
    for (from, to) in [
        ("password: s3cret\n      user", "password: @s3cret\n      user"),
        ("password: s3cret\n      user", "password: 's3cret\n      user"),
        ("password: s3cret\n      port", "password: %s3cret: a: b\n      port"),
        ("    config:\n", "    config: *s3cret\n"),
        ("host: 10.0.0.9", "host: s3cret s3cret"),
        ("user: tidb", "user: s3cret s3cret"),
        ("- host: 10.0.0.9", "- host: 10.0.0.9\n    port: s3cret"),
        ("- host: 10.0.0.9", "- s3cret"),
    ] {
        assert!(SECRETS.contains(from), "{from}");
        let error = parse(&SECRETS.replacen(from, to, 1)).unwrap_err();
        assert!(!format!("{error:?}").contains("s3cret"), "{error:?}");
    }
}

#[test]
fn every_beginning_of_the_file_is_refused_or_known_to_lack_its_end() {
    let mut lacking = 0;
    for end in 0..SECRETS.len() {
        match parse(&SECRETS[..end]) {
            Ok(known) => {
                let is_past = SECRETS[..end].contains("monitoring_servers");
                assert_eq!(known.may_be_cut_off, !is_past, "{}", &SECRETS[..end]);
                lacking += usize::from(!is_past);
            }
            Err(error) => assert!(error.hint.is_some() && !error.message.contains("s3cret"), "{error}"),
        }
    }
    assert!(lacking > 0, "cut off behind a line it is YAML, too");
}

#[test]
fn what_is_half_written_or_something_else_is_named() {
    assert_eq!(wrong(""), "meta.yaml is empty: tiup was stopped while it wrote it");
    assert!(wrong("user: tidb\ntopo").starts_with("meta.yaml:2: it is half-written, since its last line has no end"));
    assert!(wrong("user: tidb\n").starts_with("meta.yaml:1: `topology` is missing"));
    assert!(wrong("- a\n- b\n").starts_with("meta.yaml:1: it is no mapping"));
    assert!(
        wrong("user: tidb\ntopology:\n  pd_servers: []\n").starts_with("meta.yaml:3: `topology.pd_servers` has no PD")
    );
    let many = format!("topology:\n  pd_servers:\n{}", "  - host: a\n".repeat(101));
    assert!(wrong(&many).starts_with("meta.yaml:3: `topology.pd_servers` has more PDs than any cluster"));
    assert!(wrong("topology:\n  global: {}\n").contains("`topology.pd_servers` has no PD"));
    assert_eq!(wrong("topology:\n  pd_servers: [\n"), "meta.yaml:3: it is not YAML from column 1 on");
}

#[test]
fn a_wrong_value_is_named_with_its_line_and_the_way_to_it() {
    let pump = |line: &str| wrong(&topology(&["pump_servers:", "- host: a", &format!("  {line}")]));
    assert_eq!(pump("port: 70000"), "meta.yaml:7: `topology.pump_servers[0].port` is no port from 1 to 65535");
    assert_eq!(pump("port: [1]"), "meta.yaml:7: `topology.pump_servers[0].port` is no text");
    assert_eq!(pump("offline: maybe"), "meta.yaml:7: `topology.pump_servers[0].offline` is neither true nor false");
    assert_eq!(pump("host: b"), "meta.yaml:7: `host` stands there twice, first in line 6");
    assert!(
        pump("manage_host: -oProxyCommand")
            .ends_with("`topology.pump_servers[0].manage_host` is no name or address of a host")
    );
    assert!(pump("deploy_dir: \"/a\\nb\"").contains("deploy_dir` is no path: it has a control character"));
    assert!(wrong(&topology(&["pump_servers: {host: a}"])).ends_with("`topology.pump_servers` is no list"));
    assert!(wrong(&topology(&["pump_servers: [{port: 1}]"])).ends_with("`topology.pump_servers[0].host` is missing"));
    assert!(
        wrong(&topology(&["pump_servers: [{host: a}, {host: A}]"])).contains("[1]` has the host and port of another")
    );
    assert!(wrong(&topology(&["global: {systemd_mode: root}"])).contains("neither `system` nor `user`"));
    assert!(wrong(&topology(&[]).replace("user: tidb", "user: -l root")).contains("`user` is no name of a user"));
}

#[test]
fn aliases_are_refused_where_they_matter_and_harmless_elsewhere() {
    let laughs = "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n\
                  d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n";
    assert_eq!(parse(&format!("{laughs}{}", topology(&[]))).unwrap().nodes, []);
    assert!(wrong(&format!("x: &x []\n{}", topology(&["pump_servers: *x"]))).contains("means what stands elsewhere"));
    let merged = format!("x: &x {{host: a}}\n{}", topology(&["pump_servers:", "- <<: *x"]));
    assert!(wrong(&merged).contains("takes over what stands elsewhere"));
}

#[test]
fn what_is_nested_deeply_ends_with_an_answer() {
    for deep in ["[".repeat(100_000), "- ".repeat(100_000), "{a: ".repeat(100_000), "? ".repeat(100_000)] {
        for text in
            [format!("x: {deep}\n"), format!("topology:\n  global:\n    {deep}\n"), format!("user:\n  {deep}\n")]
        {
            assert!(parse(&text).unwrap_err().hint.is_some());
        }
    }
    let names: String = (1..200).map(|n| format!("{}global:\n", " ".repeat(n))).collect();
    assert!(wrong(&format!("topology:\n{names}")).contains("has no PD"));
}

/// The settings of the one Drainer with these lines, its own and those of all.
fn settings(own: &[&str], all: &[&str]) -> Option<DrainerSettings> {
    let mut lines = vec!["drainer_servers:".to_owned(), "- host: 10.0.0.9".to_owned()];
    if !own.is_empty() {
        lines.push("  config:".into());
        lines.extend(own.iter().map(|line| format!("    {line}")));
    }
    lines.extend(["server_configs:".to_owned(), "  drainer:".to_owned()]);
    lines.extend(all.iter().map(|line| format!("    {line}")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let known = parse(&topology(&lines)).unwrap();
    assert!(!format!("{known:?}").contains("hunter2"));
    known.nodes.into_iter().next().unwrap().drainer
}

#[test]
fn where_a_drainer_writes_to_is_read_from_its_settings_without_their_password() {
    let database = |host: &str, port| {
        Some(Downstream { kind: DownstreamKind::Database, hosts: vec![(host.into(), port)], database: None })
    };
    let downstream = |own: &[&str], all: &[&str]| Downstream::of_drainer(&settings(own, all)?);
    let dotted = ["syncer.to.host: 10.0.2.7", "syncer.to.port: 3306", "syncer.to.password: hunter2"];
    assert_eq!(downstream(&dotted, &[]), database("10.0.2.7", 3306));
    assert_eq!(downstream(&[], &dotted), database("10.0.2.7", 3306));
    let nested = ["syncer:", "  db-type: tidb", "  to:", "    host: db-1", "    password: hunter2", "    port: 4000"];
    assert_eq!(downstream(&nested, &dotted), database("db-1", 4000), "its own settings come first");
    assert_eq!(downstream(&["syncer.to: {host: db-2}"], &["syncer: {to.port: 3307}"]), database("db-2", 3307));
    let kafka = ["syncer.db-type: kafka", "syncer.to.kafka-addrs: a:9092,b:9093", "syncer.to.topic-name: t"];
    let brokers = vec![("a".to_owned(), 9092), ("b".to_owned(), 9093)];
    let expected = Downstream { kind: DownstreamKind::Kafka, hosts: brokers, database: Some("t".into()) };
    assert_eq!(downstream(&kafka, &[]), Some(expected));
    assert_eq!(downstream(&["syncer.db-type: file"], &[]).unwrap().kind, DownstreamKind::Files);
    for unknown in [
        &["syncer.to.port: 3306"][..],
        &["syncer.to.host: h", "syncer.to.port: x"],
        &["syncer: [1]"],
        &["syncer.db-type: later", "syncer.to.host: h", "syncer.to.port: 1"],
    ] {
        assert_eq!(downstream(unknown, &[]), None, "{unknown:?}");
    }
}

#[test]
fn what_a_drainer_leaves_out_is_read_from_its_settings() {
    let filters = |own: &[&str], all: &[&str]| -> Vec<&'static str> {
        settings(own, all).unwrap().filters.into_iter().map(ReplicationFilter::name).collect()
    };
    let nested = [
        "syncer:",
        "  replicate-do-db: [a, b]",
        "  ignore-table: [{db-name: a, tbl-name: hunter2}]",
        "  ignore-txn-commit-ts: [1]",
        "  table-migrate-rule: [{source: {schema: a}, target: {schema: b}}]",
        "  to: {sync-mode: 2}",
    ];
    assert_eq!(filters(&nested, &[]), ["replicate-do-db", "ignore-table", "ignore-txn-commit-ts"]);
    let found = settings(&nested, &[]).unwrap();
    assert!(found.renames && found.sync_mode == Some(2));
    let of_all = ["syncer.ignore-schemas: \"mysql,logs\"", "syncer.replicate-do-table: [{db-name: a, tbl-name: t}]"];
    assert_eq!(filters(&[], &of_all), ["replicate-do-table", "ignore-schemas"]);
    assert_eq!(filters(&["syncer.replicate-do-table: []"], &of_all), ["ignore-schemas"], "its own come first");
    assert!(filters(&["syncer.ignore-schemas: INFORMATION_SCHEMA,PERFORMANCE_SCHEMA,mysql"], &[]).is_empty());
    // What cannot be understood is unknown, and not nothing.
    assert_eq!(settings(&["syncer.replicate-do-db: a"], &[]), None);
    assert_eq!(settings(&["syncer.to.sync-mode: two"], &[]), None);
}
