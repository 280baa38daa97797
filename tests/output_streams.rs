//! Results on standard output, everything else on standard error, in every format, whoever reads.

use crate::harness::Shell;
use std::process::Stdio;

#[test]
fn a_failure_with_json_is_one_object_on_standard_error() {
    let ran = Shell::sandbox("default").arg("-o").arg("json").eval("pump(\"pmp-1\")").exits(1);
    let object: serde_json::Value = serde_json::from_str(&ran.stderr).unwrap();
    assert_eq!(object["error"]["kind"], "not_found");
    assert_eq!(object["error"]["exit_code"], 1);
    assert_eq!(object["place"]["line"], 1);
    assert_eq!(ran.stdout, "");
}

#[test]
fn every_format_shows_the_same_nodes() {
    let ids = |format: &str| {
        let ran = Shell::sandbox("default").arg("-o").arg(format).eval("pumps()").succeeds();
        (0..3).all(|n| ran.stdout.contains(&format!("pump-{n}")))
    };
    assert!(["table", "json", "csv", "vertical"].into_iter().all(ids));
}

#[test]
fn results_can_be_read_by_programs_while_the_script_talks_to_people() {
    let ran = Shell::sandbox("default")
        .yes()
        .arg("-o")
        .arg("json")
        .eval("pause_pump(\"pump-1\", #{ wait: \"1m\" })")
        .succeeds()
        .stderr_contains("apply action pause success!");
    let result: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(result["after"], "paused");
}

#[test]
fn without_a_terminal_nothing_is_coloured_unless_asked_for() {
    let plain = Shell::sandbox("default").eval("pumps()").succeeds();
    assert!(!plain.stdout.contains('\x1b'));
    let asked = Shell::sandbox("default").arg("--color=always").eval("pumps()").succeeds();
    assert!(asked.stdout.contains('\x1b'));
}

#[test]
fn a_reader_that_leaves_early_is_no_fault() {
    let shell = Shell::sandbox("default").arg("-e").arg("for i in 0..20000 { print(i) }");
    let mut child = shell.command().stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_of_this_host() {
    let shell = Shell::sandbox("default").arg("-e").arg("pumps()");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = shell.command().stdin(Stdio::null()).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
}
