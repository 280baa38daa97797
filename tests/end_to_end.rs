//! Everything at once: the real program, a real etcd, PD's double, and nodes behind real sockets.

use crate::harness::{Ran, Shell, project};
use crate::support::cluster::LiveCluster;
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use binlogsh::sim::Signal;

fn on(cluster: &LiveCluster) -> Shell {
    Shell::live(&cluster.url())
}

#[test]
fn one_line_lists_the_pumps_as_a_table() {
    let cluster = LiveCluster::sample("default");
    let ran = on(&cluster).eval("pumps()").succeeds();
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", ran.stdout);
    assert!(lines[0].starts_with("id "));
    for (line, id) in lines[1..].iter().zip(["pump-0", "pump-1", "pump-2"]) {
        assert!(line.starts_with(id) && line.contains("online"), "{line}");
        assert!(line.contains(&cluster.address(Kind::Pump, id)), "{line}");
    }
}

#[test]
fn everything_that_looks_works_on_a_real_cluster() {
    let cluster = LiveCluster::sample("default");
    let code = r#"
        ensure(nodes().len() == 5, "nodes");
        ensure(probe("pump-1") == "online", "probe");
        ensure(probe(["pump-1", "drainer-0"]).all(|p| p.answer == "online"), "probes");
        ensure(status("drainer-0").pump_positions["pump-1"] > 0, "status of a Drainer");
        ensure(status("pump-0").commit_ts > 0, "status of a Pump");
        ensure(commit_ts("drainer-0") > 0, "commit_ts");
        ensure(metrics("pump-0").len() > 0, "metrics");
        ensure(started_at("pump-1") < now(), "started_at");
        ensure(pump_drainers("pump-0").contains("drainer-1"), "drainers of a Pump");
        ensure(binlog_at("pump-0", pump("pump-0").max_commit_ts) != "", "binlog_at");
        ensure(tidbs().len() == 2, "tidbs");
        ensure(cluster().members.len() == 1, "cluster");
        ensure(tso() > tso_at("2026-01-01 00:00:00"), "tso");
        "all looked at"
    "#;
    on(&cluster).eval(code).succeeds().stdout("all looked at");
}

#[test]
fn a_rolling_restart_runs_through_the_sockets() {
    let cluster = LiveCluster::sample("default");
    // The operator: reads what is to be done, and does it.
    let operator = |line: &str| {
        if let Some(id) = line.strip_prefix("==> ").and_then(|step| step.strip_suffix(": replace and start")) {
            cluster.start_process(Kind::Pump, id);
        }
    };
    on(&cluster)
        .yes()
        .arg("run")
        .arg(project("scripts/rolling_restart.rhai").display().to_string())
        .watched(operator)
        .succeeds()
        .stderr_contains("pump-2: apply action pause success!");
}

#[test]
fn a_pump_is_decommissioned_through_the_sockets() {
    let cluster = LiveCluster::sample("default");
    on(&cluster).yes().run(project("scripts/decommission_pump.rhai"), &["pump=pump-1"]).succeeds();
    on(&cluster).eval(r#"pump("pump-1").state"#).succeeds().stdout("offline");
}

#[test]
fn the_health_of_a_sound_cluster_is_good() {
    let cluster = LiveCluster::sample("default");
    on(&cluster).run(project("scripts/health.rhai"), &[]).succeeds();
}

#[test]
fn an_action_that_the_node_would_refuse_is_an_error_that_says_why() {
    let cluster = LiveCluster::sample("closing-pump");
    on(&cluster)
        .yes()
        .eval(r#"offline_pump("pump-1", #{ force: ["last_pump", "stuck_drainer", "stuck_pump"] })"#)
        .fails(ErrorKind::Rejected)
        .stderr_contains("pump pump-1 is closing already: pump-1 waits for drainer-0, which is paused");
}

#[test]
fn a_live_node_is_not_relabelled_and_a_dead_one_is() {
    let cluster = LiveCluster::sample("default");
    on(&cluster).yes().eval(r#"update_pump("pump-1", "paused")"#).fails(ErrorKind::Refused).stderr_contains("alive");
    let pump = cluster.who(Kind::Pump, "pump-1");
    cluster.with(|cluster| cluster.signal(pump, Signal::Kill));
    on(&cluster).yes().eval(r#"update_pump("pump-1", "paused").after"#).succeeds().stdout("paused");
    on(&cluster).eval(r#"pump("pump-1").state"#).stdout("paused");
}

#[test]
fn a_malformed_key_is_reported_and_can_be_forgotten() {
    let cluster = LiveCluster::sample("malformed-record");
    on(&cluster).eval("pumps().len()").succeeds().stdout("3").stderr_contains("broken");
    on(&cluster).yes().eval(r#"forget_pump("broken").after"#).succeeds().stdout("gone");
    on(&cluster).yes().eval(r#"forget_drainer("old/drainer-9").after"#).succeeds().stdout("gone");
    let ran = on(&cluster).eval("malformed().len()").succeeds().stdout("0");
    assert_eq!(ran.stderr, "");
}

#[test]
fn verbose_shows_every_exchange() {
    let cluster = LiveCluster::sample("default");
    on(&cluster).arg("--verbose").eval(r#"probe("pump-1")"#).succeeds().stderr_contains("/state/pump-1/probe");
}

/// Runs `ctl` with these flags.
fn ctl(cluster: &LiveCluster, flags: &[&str]) -> Ran {
    ctl_with(cluster, flags, &[])
}

fn ctl_with(cluster: &LiveCluster, flags: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut shell = Shell::new(&["ctl", "-pd-urls", &cluster.url()]);
    for (name, value) in env {
        shell = shell.env(name, value);
    }
    for flag in flags {
        shell = shell.arg(*flag);
    }
    shell.go()
}

#[test]
fn ctl_lists_as_binlogctl_does() {
    let cluster = LiveCluster::sample("default");
    let pumps = ctl(&cluster, &["-cmd", "pumps"]).succeeds();
    assert_eq!(pumps.stdout.lines().count(), 3, "{}", pumps.stdout);
    let address = cluster.address(Kind::Pump, "pump-0");
    let line = pumps.stdout.lines().next().unwrap();
    let begin = r#"[INFO] [nodes.go:53] ["query node"] [type=pump] [node="{NodeID: pump-0, Addr: "#;
    assert!(line.contains(&format!("{begin}{address}, State: online, MaxCommitTS: ")), "{line}");
    ctl(&cluster, &["--cmd=drainers"]).succeeds().stdout_contains("[type=drainer]");
}

#[test]
fn ctl_pauses_and_takes_offline() {
    let cluster = LiveCluster::sample("default");
    let done = r#"["Apply action on node success"] [action=pause] [NodeID=pump-1]"#;
    ctl(&cluster, &["-cmd", "pause-pump", "-node-id", "pump-1"]).succeeds().stdout_contains(done);
    ctl(&cluster, &["-cmd", "pause-drainer", "-node-id", "drainer-0"]).succeeds();
    ctl(&cluster, &["-cmd", "offline-drainer", "-node-id", "drainer-1"]).succeeds();
    ctl(&cluster, &["-cmd", "offline-pump", "-node-id", "pump-2"]).succeeds().stderr_contains("stuck_drainer");
    let listed = ctl(&cluster, &["-cmd", "drainers"]).succeeds().stderr_contains("1");
    assert!(!listed.stdout.contains("drainer-1"), "{}", listed.stdout);
    ctl(&cluster, &["-cmd", "drainers", "-show-offline-nodes"]).succeeds().stdout_contains("drainer-1");
}

#[test]
fn ctl_fails_where_the_node_would_refuse() {
    let cluster = LiveCluster::sample("closing-pump");
    ctl(&cluster, &["-cmd", "offline-pump", "-node-id", "pump-1"])
        .exits(1)
        .stdout_contains(r#"["fail to execute command"] [command=offline-pump]"#)
        .stdout_contains("pump pump-1 is closing already: pump-1 waits for drainer-0");
}

#[test]
fn ctl_updates_the_record_of_a_dead_node_and_refuses_loss_unless_forced() {
    let cluster = LiveCluster::sample("lost-pump");
    let update = |state| ["-cmd", "update-pump", "-node-id", "pump-2", "-state", state];
    ctl(&cluster, &update("paused")).succeeds();
    ctl(&cluster, &update("offline")).exits(1).stderr_contains("lose_binlog").stderr_contains("BINLOGSH_FORCE");
    ctl_with(&cluster, &update("offline"), &[("BINLOGSH_FORCE", "lose_binlog, last_drainer")]).succeeds();
    let (record, _) = cluster.kv().get("/tidb-binlog/v1/pumps/pump-2").unwrap();
    assert!(record.contains(r#""state":"offline""#), "{record}");
    ctl(&cluster, &["-cmd", "update-drainer", "-node-id", "drainer-0", "-state", "paused"])
        .exits(1)
        .stderr_contains("alive");
}

#[test]
fn ctl_generates_meta_that_a_drainer_can_load() {
    let cluster = LiveCluster::sample("default");
    let ran = ctl(&cluster, &["-cmd", "generate_meta", "-data-dir", "pos", "-time-zone", "Asia/Shanghai"]).succeeds();
    let text = std::fs::read_to_string(ran.dir().join("pos/savepoint")).unwrap();
    let table: toml::Table = text.parse().unwrap();
    let ts = table["commitTS"].as_integer().unwrap();
    ran.stdout_contains(&format!(r#"[INFO] [meta.go:110] ["save meta"] [meta="commitTS: {ts}"]"#));
    ctl(&cluster, &["-cmd", "generate_meta", "-time-zone", "Nowhere/Land"]).exits(1);
}

#[test]
fn ctl_encrypts_and_warns_of_the_public_key() {
    let cluster = LiveCluster::sample("empty");
    ctl(&cluster, &["-cmd", "encrypt", "-text", "secret"])
        .succeeds()
        .stdout_contains(r#"["encrypt text"] [encrypted="#)
        .stderr_contains("public_key");
    let key = [("BINLOG_SECRET_KEY", "00112233445566778899aabbccddeeff")];
    let ran = ctl_with(&cluster, &["-cmd", "encrypt", "-text", "secret"], &key).succeeds();
    assert_eq!(ran.stderr, "");
}

#[test]
fn ctl_says_what_binlogctl_says_when_it_fails() {
    let cluster = LiveCluster::sample("default");
    ctl(&cluster, &["-cmd", "pause-pump", "-node-id", "nope"])
        .exits(1)
        .stdout_contains(r#"error="key /tidb-binlog/v1/pumps/nope in etcd not found""#);
    ctl(&cluster, &["-cmd", "frobnicate"]).exits(1).stdout_contains("cmd frobnicate not supported");
    ctl(&cluster, &["-cmd", "update-pump", "-node-id", "pump-1", "-state", "bogus"])
        .exits(1)
        .stdout_contains("state bogus is illegal");
    ctl(&cluster, &["-nope"]).exits(2).stderr_contains("flag provided but not defined: -nope");
    ctl(&cluster, &["-ssl-ca", "nope.pem"]).exits(2);
}

#[test]
fn under_the_name_binlogctl_it_is_binlogctl() {
    let cluster = LiveCluster::sample("default");
    let shell = Shell::new(&["-pd-urls", &cluster.url()]);
    let link = shell.dir().join("binlogctl");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_binlogsh"), &link).unwrap();
    let output = shell.command_as(&link).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains(r#"["query node"] [type=pump]"#));
}
