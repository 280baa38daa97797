//! What a rehearsal does of what a script asks of this host and of people: nothing, but its declared effect happens.

use super::{json, left, rehearse, rehearse_on, shipped};
use crate::harness::{Ran, Shell, project};
use binlogsh::error::ErrorKind;
use binlogsh::rehearsal::Plan;

const PROGRAM: &str = r#"
pause_drainer("drainer-0", #{ wait: "1m" });
let before = now();
exec("touch", ["made"], #{ starts: ["drainer-0"], takes: "15s" });
let took = now() - before;
ensure(took >= 15.0 && took < 15.5, `it took ${took}`);
wait_for("drainer-0", "online", "2m");
generate_meta(#{ data_dir: "meta" });
print(read_meta("meta").commit_ts > 0);
"#;

/// The line of a story that has `part` in it.
#[track_caller]
fn line<'a>(ran: &'a Ran, part: &str) -> &'a str {
    ran.stdout.lines().find(|line| line.contains(part)).unwrap_or_else(|| panic!("no {part} in {}", ran.stdout)).trim()
}

#[test]
fn a_program_is_not_executed_and_its_declared_effect_comes_when_it_was_stated() {
    for allowed in [&[] as &[&str], &["--allow-exec"]] {
        let ran = rehearse(PROGRAM, allowed).succeeds();
        assert_eq!(left(&ran), ["s.rhai"], "no file is made, by the program or by the savepoint");
        assert_eq!(
            line(&ran, "? would ask: run"),
            "0.0s   ? would ask: run the program touch made (starts drainer drainer-0 (10.0.1.21:8249))"
        );
        let done = "15s   - run the program touch made (starts drainer-0): done after 15s";
        assert_eq!(line(&ran, "- run the program"), done);
        assert_eq!(line(&ran, "drainer-0 is started"), "15s     drainer-0 is started");
        assert_eq!(line(&ran, "drainer-0 works"), "15s     drainer-0 works");
    }
}

#[test]
fn a_program_that_fails_in_truth_is_nothing_that_a_rehearsal_could_know() {
    rehearse(r#"exec("/no/such/program", [], #{ takes: "1m" }); exec("false")"#, &[]).succeeds();
}

#[test]
fn work_by_hand_and_questions_are_counted_and_answered_in_virtual_time() {
    let script = r#"
confirm("go on?");
pause_pump("pump-1", #{ wait: "1m" });
manual("replace pump-1", #{ starts: ["pump-1"], takes: "10m" });
wait_for("pump-1", "online", "1m");
manual("look", #{ takes: "2h" });"#;
    let ran = rehearse(script, &[]).succeeds();
    assert!(line(&ran, "by hand: replace pump-1 (starts pump-1)").starts_with("10m01s"));
    assert_eq!(line(&ran, "go on?"), "0.0s   ? would ask: go on?");
    assert!(line(&ran, "Took").ends_with("; 1 change, 2 tasks by hand, 2 questions; exit code 0"), "{}", ran.stdout);
    let totals = json(&rehearse(script, &["-o", "json"]))["totals"].clone();
    assert_eq!((totals["writes"].as_u64(), totals["by_hand"].as_u64()), (Some(1), Some(2)));
    assert!(totals["duration"].as_u64().unwrap() > 7_800_000_000, "{totals}");
}

#[test]
fn a_run_counts_as_its_rehearsal_does() {
    let script = r#"
pause_pump("pump-1", #{ wait: "1m" });
manual("replace pump-1", #{ starts: ["pump-1"], takes: "10s" });
manual("look", #{ takes: "1s" });"#;
    rehearse(script, &[]).succeeds().stdout_contains("; 1 change, 2 tasks by hand, ");
    let run = Shell::sandbox("default").yes().file("s.rhai", script).run("s.rhai", &[]).succeeds();
    run.stderr_contains("done: 1 change, 2 tasks by hand");
}

#[test]
fn tidb_whose_binlog_is_declared_off_is_not_blocked_even_if_no_server_is_registered() {
    let mut scenario = serde_json::to_value(binlogsh::sim::Scenario::named("default").unwrap()).unwrap();
    scenario["tidb"] = serde_json::json!([]);
    let stops = r#"
for pump in pumps() { pause_pump(pump, #{ wait: "1m", force: ["last_pump"] }); }
sleep("60s");
manual("start them", #{ starts: ["pump-0", "pump-1", "pump-2"], takes: "1s" });
for pump in pumps() { wait_for(pump, "online", "5m"); }"#;
    let on = |script: &str| {
        let shell = Shell::new(&["--sandbox=none.json"]).file("none.json", &scenario.to_string());
        rehearse_on(shell, script, &[])
    };
    on(stops).exits(9).stdout_contains("tidb_blocked");
    let off = format!(r#"manual("turn TiDB's binlog off", #{{ tidb: "off", takes: "1s" }});{stops}"#);
    let ran = on(&off);
    assert!(!ran.stdout.contains("tidb_blocked") && !ran.stdout.contains("TiDB without a Pump"), "{}", ran.stdout);
}

#[test]
fn work_by_hand_begins_once_pd_answers_again_and_without_nodes_it_need_not() {
    let script = |lasts: &str, nodes: &str| {
        format!(r#"fault("pd_gone", #{{ lasts: "{lasts}" }}); manual("go", #{{ {nodes} takes: "10s" }})"#)
    };
    let starts = r#"starts: ["pump-0"],"#;
    let ran =
        rehearse(&script("20s", starts), &[]).succeeds().stdout_contains(". waiting for an answer (no PD answered");
    assert!(line(&ran, "- by hand: go").starts_with("3"), "{}", ran.stdout);
    rehearse(&script("3m", starts), &[]).fails(ErrorKind::Unreachable).stdout_contains("Took 1m10s");
    let ran = rehearse(&script("3m", ""), &[]).succeeds();
    assert!(line(&ran, "- by hand: go").starts_with("10s"), "{}", ran.stdout);
}

#[test]
fn a_plan_that_a_rehearsal_kept_is_shown_and_followed() {
    let script = shipped("rolling_restart.rhai");
    let plan = ["--plan", "plan.json", "-p", "only=pump-2"];
    let ran = plan.iter().fold(Shell::sandbox("default").arg("rehearse").arg(&script), |shell, arg| shell.arg(*arg));
    let ran = ran.go().succeeds().stdout_contains("=== the script is done");
    let text = std::fs::read_to_string(ran.dir().join("plan.json")).unwrap();
    let shell = |args: &[&str]| Shell::new(args).file("plan.json", &text);
    let shown = shell(&["rehearse", "--show", "plan.json"]).go().succeeds();
    insta::assert_snapshot!(shown.stdout, @"
    effect  what                                                                     relies_on
         1  pause pump pump-2 (10.0.1.13:8250)                                       pump pump-2, online at 10.0.1.13:8250
         2  by hand: Replace and start pump-2 (starts pump pump-2 (10.0.1.13:8250))  pump pump-2, paused at 10.0.1.13:8250
    ");
    let run = |sandbox: &str| {
        let shell = shell(&[sandbox, "--yes", "run", "--plan=plan.json", "-p", "only=pump-2"]);
        shell.arg(&script).go()
    };
    let followed = run("--sandbox").succeeds();
    assert!(!followed.stderr.contains("warning"), "{}", followed.stderr);
    run("--sandbox=paused-drainer").fails(ErrorKind::Conflict).stderr_contains("not begun");
}

#[test]
fn a_long_wait_does_not_make_the_plan_s_memory_grow_and_its_effects_rely_on_the_last_look() {
    let script = r#"
for i in 0..20000 { pumps(); }
pause_drainer("drainer-0", #{ wait: "1m" });
manual("start it", #{ starts: ["drainer-0"], takes: "5s" });"#;
    let ran = rehearse(script, &["--plan", "plan.json"]).succeeds();
    let plan = Plan::read(&ran.dir().join("plan.json")).unwrap();
    let relied_on: Vec<String> = plan.effects.iter().map(|effect| effect.relied_on[0].to_string()).collect();
    assert_eq!(
        relied_on,
        ["drainer drainer-0, online at 10.0.1.21:8249", "drainer drainer-0, paused at 10.0.1.21:8249"]
    );
}

#[test]
fn a_rehearsal_of_a_script_that_fails_keeps_the_plan_of_what_it_did() {
    let ran = rehearse_on(
        Shell::sandbox("default"),
        r#"pause_drainer("drainer-0"); offline_pump("pump-1")"#,
        &["--plan", "plan.json"],
    );
    let plan = Plan::read(&ran.dir().join("plan.json")).unwrap();
    assert_eq!(plan.effects.len(), 1);
    ran.fails(ErrorKind::Refused);
}

#[test]
fn work_by_hand_that_comes_to_nothing_is_seen_to_end_the_script() {
    let scenario = |faults: &str| {
        let sample = std::fs::read_to_string(project("src/sim/samples/default.json")).unwrap();
        sample.replacen(r#""tidb":"#, &format!(r#""faults": [{faults}], "tidb":"#), 1)
    };
    let script = r#"
        step("pause", || pause_pump("pump-1", #{ wait: "1m" }));
        step("start", || manual("start pump-1", #{ starts: ["pump-1"], takes: "30s" }));
        print("it goes on");"#;
    let rehearse = |faults: &str| {
        let shell = Shell::new(&["--sandbox=scenario.json"]).file("scenario.json", &scenario(faults));
        shell.file("s.rhai", script).arg("rehearse").arg("s.rhai").go()
    };
    let ran = rehearse(r#"{"kind": "start_fails", "node": "pump-1", "after": 0}"#).fails(ErrorKind::Timeout);
    let ran = ran.stdout_contains("\"start pump-1\" was not seen to be done in 5m");
    let ran = ran.stdout_contains("pump pump-1 does not answer yet (a probe says refused, its record says paused)");
    assert!(!ran.stdout.contains("it goes on"), "{}", ran.stdout);
    // One that is slow is waited for.
    let slow = rehearse(r#"{"kind": "slow_start", "node": "pump-1", "after": 0, "lasts": "2m"}"#);
    slow.stdout_contains("it goes on");
}
