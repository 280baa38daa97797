//! What an earlier version wrote stays readable: its store, an exported run, a plan, a snapshot; and the names under which
//! requests are kept, since replay compares them.
//!
//! The files beneath `0.1.0/` were written by that version and are never renewed.

pub(crate) mod wire;

use crate::harness::{Ran, Shell, project};
use crate::support::cluster::LiveCluster;
use binlogsh::error::ErrorKind;
use serde_json::Value as Json;

/// The script whose plan was kept.
const PLANNED: &str = r#"//! Pauses a Drainer, and has it started again.
step("pause", || pause_drainer("drainer-0", #{ wait: "1m" }));
step("start", || manual("start it", #{ starts: ["drainer-0"], takes: "5s" }));
wait_for("drainer-0", "online", "1m");
generate_meta(#{ data_dir: "here" });
"#;

fn kept(name: &str) -> std::path::PathBuf {
    project("tests/compatibility/0.1.0").join(name)
}

/// The program with the store that 0.1.0 wrote, a copy.
fn with_store(shell: Shell) -> Shell {
    let data = shell.dir().join("data");
    std::fs::create_dir_all(data.join("binlogsh")).unwrap();
    std::fs::copy(kept("runs.db"), data.join("binlogsh/runs.db")).unwrap();
    shell.env("XDG_DATA_HOME", &data.display().to_string())
}

fn runs(args: &[&str]) -> Ran {
    let shell = with_store(Shell::live("http://127.0.0.1:1")).arg("runs");
    args.iter().fold(shell, |shell, arg| shell.arg(*arg)).go()
}

#[test]
fn the_runs_of_0_1_0_are_listed() {
    let listed: Json = serde_json::from_str(&runs(&["-o", "json"]).succeeds().stdout).unwrap();
    let row = |run: &Json| {
        let text = |field: &str| run[field].as_str().unwrap().to_owned();
        (text("kind"), text("script"), run["ended"].is_string())
    };
    let rows: Vec<_> = listed.as_array().unwrap().iter().map(row).collect();
    let expected = [
        ("script", "work.rhai", false),
        ("script", "work.rhai", true),
        ("ctl", "ctl", true),
        ("ctl", "ctl", true),
        ("prompt", "-e", true),
        ("prompt", "-e", true),
    ];
    assert_eq!(rows, expected.map(|(kind, script, ended)| (kind.into(), script.into(), ended)));
}

#[test]
fn every_entry_of_0_1_0_is_shown() {
    let listed: Json = serde_json::from_str(&runs(&["-o", "json"]).succeeds().stdout).unwrap();
    let mut entries = 0;
    for run in listed.as_array().unwrap() {
        let id = run["id"].as_str().unwrap();
        let shown: Json = serde_json::from_str(&runs(&["show", id, "-o", "json"]).succeeds().stdout).unwrap();
        entries += shown["entries"].as_array().unwrap().len();
        runs(&["show", id]).succeeds().stdout_contains(id);
    }
    assert!(entries >= 20, "{entries}");
}

#[test]
fn a_run_that_0_1_0_left_cut_off_goes_on() {
    let cluster = LiveCluster::sample("default");
    let data = tempfile::tempdir().unwrap();
    let shell = || Shell::live(&cluster.url()).env("XDG_DATA_HOME", &data.path().display().to_string()).yes();
    let export = kept("export.json").display().to_string();
    let said = shell().arg("runs").arg("import").arg(export).go().succeeds().stderr;
    let id = said.split("runs resume ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
    let ran = shell().file("go/savepoint", "commitTS = 1\n").arg("runs").arg("resume").arg(&id).go().succeeds();
    let ran = ran.stdout_contains("all is done");
    assert!(!ran.dir().join("first").exists(), "what was done before is not done again");
    assert!(ran.dir().join("second/savepoint").exists());
}

#[test]
fn a_plan_of_0_1_0_is_refused_with_what_to_do() {
    // It did not say on which disks work by hand makes room.
    let plan = std::fs::read_to_string(kept("plan.json")).unwrap();
    let shell = Shell::sandbox("default").file("plan.rhai", PLANNED).file("plan.json", &plan).yes();
    let ran = shell.arg("run").arg("--plan=plan.json").arg("plan.rhai").go().fails(ErrorKind::Invalid);
    ran.stderr_contains("version 1").stderr_contains("binlogsh rehearse SCRIPT --plan FILE");
}

#[test]
fn a_snapshot_of_0_1_0_is_rehearsed_on() {
    let shell = Shell::live("http://127.0.0.1:1").file("plan.rhai", PLANNED).arg("rehearse").arg("plan.rhai");
    let ran = shell.arg("--snapshot").arg(kept("snapshot.json").display().to_string()).go();
    ran.succeeds().stdout_contains("exit code 0");
}
