//! Work by hand in a run: how it stands while somebody is at it, who did it, and how it is counted.

use super::Place;
use crate::support::eventually;
use binlogsh::node::Kind;
use binlogsh::sim::Signal;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

const RESTART: &str = r#"
    step("stop", || pause_pump("pump-1", #{ wait: "30s" }));
    step("start", || manual("start pump-1 with the new binary", #{ starts: ["pump-1"], takes: "10s" }));
    step("wait", || wait_for("pump-1", "online", "30s"));
"#;

#[test]
fn work_by_hand_is_under_way_and_then_done_by_no_yes_and_counted_apart() {
    let place = Place::new();
    let shell = place.shell().yes().file("restart.rhai", RESTART).arg("run").arg("restart.rhai");
    let mut child = shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("==> start")), "it ended before its second step");
    let shown = || place.runs(&["show", &place.id()]).go().succeeds().stdout;
    let is_under_way = || shown().contains("start pump-1 with the new binary");
    assert!(eventually(Duration::from_secs(20), is_under_way), "{}", shown());
    let during = shown();
    assert!(during.contains("under way: somebody is at it"), "{during}");
    assert!(!during.contains("nobody knows more"), "{during}");
    let listed = place.runs(&[]).go().succeeds().stdout_contains("1 change, something under way");
    assert!(!listed.stdout.contains("in doubt"), "{}", listed.stdout);
    let json = place.runs(&["show", &place.id(), "-o", "json"]).go().succeeds();
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    let last = json["entries"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["in_doubt"], &last["under_way"]), (&false.into(), &true.into()), "{last}");

    place.cluster.start_process(Kind::Pump, "pump-1");
    let said: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{said:#?}");
    assert!(said.iter().any(|line| line.contains("done: 1 change, 1 task by hand, kept as the run")), "{said:#?}");
    let after = shown();
    assert!(after.contains("done at ") && after.contains(": 1 change, 1 task by hand"), "{after}");
    let by_hand = after.lines().find(|line| line.contains("with the new binary")).unwrap();
    assert!(!by_hand.contains("--yes"), "{by_hand}");
    assert!(after.lines().any(|line| line.contains("pause pump") && line.contains("(by --yes)")), "{after}");
    place.runs(&[]).go().succeeds().stdout_contains("1 change ");
}

#[test]
fn what_did_not_happen_is_no_change() {
    let place = Place::new();
    let dead = place.cluster.who(Kind::Drainer, "drainer-1");
    place.cluster.with(|cluster| cluster.signal(dead, Signal::Kill));
    let pause = r#"
        let refused = false;
        try { pause_drainer("drainer-1"); } catch { refused = true; }
        ensure(refused, "a dead Drainer was told to pause");
        pause_drainer("drainer-0", #{ wait: "30s" });
    "#;
    let ran = place.shell().yes().file("twice.rhai", pause).run("twice.rhai", &[]).succeeds();
    ran.stderr_contains("done: 1 change, kept as the run");
    place.runs(&["show", &place.id()]).go().succeeds().stdout_contains(": 1 change");
    let json = place.runs(&[]).arg("-o").arg("json").go().succeeds();
    let rows: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(rows[0]["changes"], 1, "{rows}");
}
