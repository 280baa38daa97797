//! `--snapshot` and `--save-snapshot`: what is no snapshot is said before the work, and what was there stays.

use super::{left, no_result, rehearse_on};
use crate::harness::{Ran, Shell};
use binlogsh::error::ErrorKind;
use binlogsh::sim::Scenario;
use serde_json::{Value as Json, json};

fn edited(edit: impl FnOnce(&mut Json)) -> String {
    let mut json = serde_json::to_value(Scenario::named("default").unwrap()).unwrap();
    edit(&mut json);
    json.to_string()
}

fn on(snapshot: &str, args: &[&str]) -> Ran {
    let shell = Shell::new(&["--pd-urls=http://127.0.0.1:1"]).file("kept.json", snapshot);
    let args: Vec<&str> = ["--snapshot=kept.json"].into_iter().chain(args.iter().copied()).collect();
    rehearse_on(shell, "print(pumps().len())", &args)
}

#[test]
fn a_snapshot_that_is_cut_short_newer_or_edited_badly_is_a_clear_error() {
    let good = edited(|_| {});
    let wrong = |snapshot: &str, why: &str| {
        let ran = on(snapshot, &[]).fails(ErrorKind::Invalid).stderr_contains("kept.json").stderr_contains(why);
        no_result(&ran);
        ran.stderr_contains("hint");
    };
    wrong(&good[..good.len() / 2], "ends too early");
    wrong(&edited(|json| json["version"] = json!(2)), "version 2");
    wrong(&edited(|json| json["pumps"][0]["adress"] = json!("x:1")), "did you mean `address`?");
    wrong(&edited(|json| json["pumps"][1]["id"] = json!("pump-0")), "pump-0 twice");
    wrong(&edited(|json| json["drainers"][0]["lag"] = json!("soon")), "soon");
    on(&edited(|json| json["pumps"][1]["id"] = json!("pump-9")), &[]).succeeds();
    on(&good, &[]).succeeds().stdout_contains("> 3");
}

#[test]
fn a_snapshot_of_another_cluster_says_which_it_is_and_its_plan_is_refused_elsewhere() {
    let other = edited(|json| json["cluster_id"] = json!(42));
    let ran = on(&other, &["--plan=plan.json"]).succeeds();
    let plan = std::fs::read_to_string(ran.dir().join("plan.json")).unwrap();
    ran.stdout_contains("on a copy of cluster 42 (3 Pumps, 2 Drainers) at 2026-11-22T12:00:00Z");
    let shell = Shell::sandbox("default").yes().file("plan.json", &plan).file("s.rhai", "print(pumps().len())");
    let ran = shell.arg("run").arg("s.rhai").arg("--plan=plan.json").go().fails(ErrorKind::Conflict);
    no_result(&ran);
    ran.stderr_contains("the plan is of the cluster 42");
}

#[test]
fn a_snapshot_of_another_cluster_is_never_overwritten() {
    let other = edited(|json| json["cluster_id"] = json!(42));
    let save = |there: &str| {
        let shell = Shell::sandbox("paused-drainer").file("kept.json", there);
        rehearse_on(shell, "print(1)", &["--save-snapshot=kept.json"])
    };
    let ran = save(&other).fails(ErrorKind::Conflict);
    no_result(&ran);
    assert_eq!(std::fs::read_to_string(ran.dir().join("kept.json")).unwrap(), other);
    ran.stderr_contains("kept.json is not overwritten: it is of the cluster 42").stderr_contains("name another file");
    let same = save(&edited(|_| {})).succeeds();
    assert!(std::fs::read_to_string(same.dir().join("kept.json")).unwrap().contains("\"paused\""), "the newer one");
}

#[test]
fn a_snapshot_and_a_sandbox_are_two_clusters() {
    let shell = Shell::sandbox("default").file("kept.json", &edited(|_| {}));
    let ran = rehearse_on(shell, "print(1)", &["--snapshot=kept.json"]).fails(ErrorKind::Invalid);
    ran.stderr_contains("--snapshot and --sandbox are two clusters");
}

#[test]
fn files_that_cannot_be_written_are_found_before_the_work_and_nothing_is_touched() {
    for (option, what) in [("--report", "the report"), ("--plan", "the plan"), ("--save-snapshot", "the snapshot")] {
        // Nobody answers there: to look at the cluster first would be another error.
        let shell = Shell::live("http://127.0.0.1:1").file("old.json", "old");
        let ran = rehearse_on(shell, "print(1)", &[option, "missing/new.json"]).fails(ErrorKind::Local);
        no_result(&ran);
        assert_eq!(left(&ran), ["old.json", "s.rhai"]);
        ran.stderr_contains(&format!("cannot write {what} missing/new.json"));
    }
}

#[test]
fn a_snapshot_that_cannot_be_taken_leaves_the_old_file_intact() {
    let shell = Shell::live("http://127.0.0.1:1").file("kept.json", "old");
    let ran = rehearse_on(shell, "print(1)", &["--save-snapshot=kept.json"]).fails(ErrorKind::Unreachable);
    assert_eq!(std::fs::read_to_string(ran.dir().join("kept.json")).unwrap(), "old");
    assert_eq!(left(&ran), ["kept.json", "s.rhai"]);
}
