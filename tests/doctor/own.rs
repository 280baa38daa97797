//! Checks of one's own, thresholds, and what a look says to people and programs.

use super::{doctor, found};
use crate::harness::Shell;
use serde_json::json;

const OWN: &str = r#"//! Two Pumps are too few for us.
import "doctor/findings" as findings;

fn check(facts) {
    let pumps = facts.nodes.filter(|n| n.node.kind == "pump");
    if pumps.len() > 3 { return []; }
    [findings::critical("too_few", "", `there are ${pumps.len()} Pumps`, "one more may fail", "add one")]
}
"#;

#[test]
fn checks_of_ones_own_are_made_beside_ours() {
    let shell = doctor(&json!({"host": {"clock_ms": 60_000}})).file("runbooks/own.rhai", OWN);
    let ran = shell.arg("--checks=runbooks/own.rhai").arg("--output=json").go().exits(2);
    let checks: Vec<_> = found(&ran).into_iter().map(|one| one["check"].clone()).collect();
    assert_eq!(checks, ["too_few", "clock"], "what is critical comes first");
}

#[test]
fn a_script_takes_the_checks_apart_and_adds_to_them() {
    let script = r#"
        import "doctor" as doctor;
        import "doctor/findings" as findings;
        let facts = doctor::look(#{ observe: 0 });
        let found = doctor::check(facts);
        found.push(findings::warning("mine", "", `${facts.nodes.len()} nodes`, "nothing", "nothing"));
        doctor::report(found)
    "#;
    let ran = Shell::sandbox("default").file("own.rhai", script).run("own.rhai", &[]).exits(1);
    ran.stdout_contains("mine").stdout_contains("5 nodes");
}

#[test]
fn what_is_no_check_says_what_one_is() {
    for (text, part) in [
        ("fn check(facts) { [42] }", "which is no finding"),
        ("fn check(facts) { [#{ severity: \"bad\" }] }", "severity `bad`"),
        ("fn check(facts) { exit(3) }", "exit(3)"),
        ("fn chek(facts) { [] }", "no function `check(facts)`"),
        ("fn check(facts) { pause_pump(\"pump-1\"); [] }", "read-only"),
        ("fn check(facts) {", "does not compile"),
    ] {
        let ran = doctor(&json!({})).file("own.rhai", text).arg("--checks=own.rhai").arg("--yes").go();
        assert!(ran.code == 3 && ran.stdout.is_empty(), "{text}: {ran:?}");
        ran.stderr_contains(part);
    }
    doctor(&json!({})).arg("--checks=nowhere.rhai").go().exits(3).stderr_contains("nowhere.rhai");
}

#[test]
fn a_threshold_that_is_none_is_named() {
    doctor(&json!({})).arg("--lag=soon").go().exits(3).stdout("").stderr_contains("--lag");
    doctor(&json!({})).arg("--disk=much").go().exits(3).stderr_contains("--disk");
    doctor(&json!({})).arg("--rounds=3").go().exits(3).stderr_contains("--watch");
    let eval = Shell::sandbox("default").eval("import \"doctor\" as d; d::examine(#{ lagg: 1 })");
    eval.exits(1).stderr_contains("there is no threshold lagg");
}

#[test]
fn people_are_told_what_was_seen_what_follows_and_what_mends_it() {
    let shell = doctor(&json!({
        "pumps": {"pump-1": {"process": "closing", "lag": "10m"}},
        "drainers": {"drainer-0": {"record": "paused", "process": "dead", "lag": "2h"}},
    }));
    let ran = shell.arg("--observe=60s").go().exits(2);
    // How a lag is drawn depends on how long this process took.
    let (lags, found): (Vec<&str>, Vec<&str>) = ran.stdout.lines().partition(|line| line.contains(['▁', '▂', '█']));
    assert!(lags[0].starts_with("lag       drainer-0 2h01m  █████") && lags[1].contains("drainer-1 "), "{lags:?}");
    insta::assert_snapshot!(found.join("\n"), @r#"
    critical  pump-1: is closing and waits for drainer-0 (paused, 1h49m behind it) [closing]
              impact:   it never ends, and if it is restarted it is online again
              fix:      start drainer-0 again; if nobody needs it: update_drainer("drainer-0", "offline", #{ force: ["pump_closing"] }) (what it has not read of pump-1 is then lost to it)
    warning   drainer-0: is paused, 2h01m behind PD's time [paused_drainer]
              impact:   no Pump keeps binlog for it: what GC deletes before it is back is missing downstream, and no Pump can close meanwhile
              fix:      start it again where it ran; on another host: binlogsh --sandbox=scenario.json run move_drainer --param drainer=drainer-0 --param to=NEW_DRAINER --param address=HOST:PORT (once pump-1 is gone or answers); if nobody needs it: update_drainer("drainer-0", "offline", #{ force: ["pump_closing"] }) (what it has not read of pump-1 is then lost to it)
              alert:    Drainer_server_is_down
    1 critical, 1 warning; watched for 1m00s
    "#);
    doctor(&json!({})).go().exits(0).stdout_contains("nothing found; watched for 10s");
}

#[test]
fn other_formats_have_a_row_for_each_finding() {
    let shell = || doctor(&json!({"host": {"clock_ms": 60_000}}));
    let ran = shell().arg("--output=csv").go().exits(1);
    assert_eq!(ran.stdout.lines().next().unwrap(), "severity,check,node,what,otherwise,remedy,alert");
    assert_eq!(ran.stdout.lines().count(), 2);
    shell().arg("--output=vertical").go().exits(1).stdout_contains("clock");
}
