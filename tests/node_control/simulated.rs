//! Node control in the simulator: rehearsals do what the profile would have done.

use super::Commanded;
use crate::harness::Shell;
use binlogsh::error::ErrorKind;

/// The default sample with this node control, as a file of the shell's directory.
fn sandbox(control: &str) -> Shell {
    let scenario = binlogsh::sim::Scenario::named("default").unwrap();
    let mut json = serde_json::to_value(&scenario).unwrap();
    json["node_control"] = serde_json::from_str(control).unwrap();
    Shell::new(&["--sandbox=cluster.json"]).file("cluster.json", &json.to_string())
}

#[test]
fn a_rehearsal_takes_node_control_from_the_profile_and_tells_the_same_as_the_run() {
    let place = Commanded::sample("default");
    let shell = || place.shell().arg("--allow-node-control").yes();
    let rehearse = |shell: Shell| {
        let shell = shell.arg("rehearse").arg("rolling_restart").arg("--observe=1s").arg("--param").arg("only=pump-1");
        shell.arg("--plan").arg("plan.json").go().succeeds()
    };
    let ran = rehearse(shell()).stdout_contains("start pump-1");
    let plan = std::fs::read_to_string(ran.dir().join("plan.json")).unwrap();
    assert!(plan.contains("\"control\"") && !plan.contains("\"manual\""), "{plan}");
    let follow = shell().file("plan.json", &plan).arg("run").arg("rolling_restart").arg("--plan").arg("plan.json");
    follow.arg("--param").arg("only=pump-1").go().succeeds();
    let unasked =
        place.shell().yes().file("plan.json", &plan).arg("run").arg("rolling_restart").arg("--plan").arg("plan.json");
    let ran = unasked.arg("--param").arg("only=pump-1").go().fails(ErrorKind::Refused);
    ran.stderr_contains("the plan starts and stops nodes, and there is no --allow-node-control");
}

#[test]
fn in_pods_a_paused_pump_is_started_by_deleting_its_pod_and_nothing_is_stopped() {
    let control = r#"{"by": "kubectl", "cannot": {"stop": "the StatefulSet starts it again"}, "ends_by": "sigkill", "restarts": "on-failure"}"#;
    sandbox(control)
        .yes()
        .eval(r#"stop("pump-1")"#)
        .fails(ErrorKind::Refused)
        .stderr_contains("kubectl cannot stop pump pump-1");
    sandbox(control).yes().eval(r#"restart("pump-1")"#).fails(ErrorKind::Refused).stderr_contains("kills: ");
    sandbox(control).yes().arg("run").arg("rolling_restart").go().succeeds().stderr_contains("start pump pump-0");
    let killed = r#"restart("pump-1", #{ force: ["kills"] }).after"#;
    sandbox(control).yes().eval(killed).succeeds().stdout("online");
}

#[test]
fn where_a_pod_always_comes_back_a_pause_does_not_last() {
    let control = r#"{"by": "kubectl", "restarts": "always"}"#;
    let paused = r#"pause_pump("pump-1", #{ wait: "5s" }); sleep("30s"); pump("pump-1").state"#;
    sandbox(control).yes().eval(paused).succeeds().stdout("online");
    sandbox(control).yes().arg("run").arg("rolling_restart").go().succeeds();
}

#[test]
fn a_node_that_it_does_not_know_is_started_by_a_human() {
    let control = r#"{"by": "tiup", "unknown": {"pump pump-1": "tiup has no such node"}}"#;
    let start = r#"pause_pump("pump-1", #{ wait: "1m" }); manual("start it", #{ starts: ["pump-1"], takes: "5s" })"#;
    sandbox(control).yes().eval(start).succeeds().stderr_contains("to be done by hand: start it");
    let ran = sandbox(control).yes().eval(r#"restart("pump-1")"#).fails(ErrorKind::Refused);
    ran.stderr_contains("tiup cannot restart pump pump-1").stderr_contains("tiup has no such node");
}

#[test]
fn node_control_that_fails_or_does_nothing_is_a_fault_of_its_own() {
    let control = r#"{"by": "systemd over ssh"}"#;
    let fault = |kind: &str, call: &str| format!(r#"fault("{kind}"); {call}"#);
    let ran =
        sandbox(control).yes().eval(&fault("control_fails", r#"restart("pump-1")"#)).fails(ErrorKind::Unreachable);
    ran.stderr_contains("systemd over ssh does not answer");
    let idle = fault("control_does_nothing", r#"stop("pump-1", #{ timeout: "10s" })"#);
    sandbox(control).yes().eval(&idle).fails(ErrorKind::Timeout).stderr_contains("was not seen to be done in");
}

#[test]
fn a_restart_that_did_not_happen_is_none_in_a_rehearsal_either() {
    let control = r#"{"by": "systemd over ssh"}"#;
    let code = r#"fault("control_does_nothing"); restart("pump-1", #{ timeout: "10s" })"#;
    sandbox(control).yes().eval(code).fails(ErrorKind::Timeout).stderr_contains("was not seen to be done in");
    let stopped = r#"kill("pump-1"); stop("pump-1"); sleep("60s"); probe("pump-1")"#;
    sandbox(r#"{"by": "systemd", "restarts": "on-failure"}"#).yes().eval(stopped).succeeds().stdout("refused");
}

#[test]
fn a_scenario_that_names_no_node_of_its_own_is_refused() {
    let ran = sandbox(r#"{"by": "tiup", "unknown": {"pump-1": "why"}}"#).eval("1").fails(ErrorKind::Invalid);
    ran.stderr_contains("node_control.unknown names \"pump-1\", which is no node").stderr_contains("pump ID");
}
