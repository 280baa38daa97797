//! What cron, a timer or Nagios make of `doctor`: exit codes that mean one thing each, and silence where nothing is found.

use super::{doctor, scenario};
use crate::harness::{Ran, Shell};
use crate::support::free_port;
use serde_json::{Value as Json, json};
use std::fs::File;
use std::process::Stdio;

/// Nothing, something that does no harm yet, and something that does.
fn looks() -> [(Json, i32); 3] {
    [
        (json!({}), 0),
        (json!({"host": {"clock_ms": 60_000}}), 1),
        (json!({"host": {"clock_ms": 60_000}, "pumps": {"pump-1": {"process": "dead", "lag": "1h"}}}), 2),
    ]
}

#[test]
fn the_worst_that_is_found_is_the_exit_code() {
    for (changes, code) in looks() {
        for format in ["table", "json", "jsonl", "csv", "vertical"] {
            doctor(&changes).arg("--observe=0").arg("-o").arg(format).go().exits(code);
        }
    }
}

#[test]
fn no_failure_of_doctor_itself_looks_like_a_finding() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let own = |text: &str| doctor(&json!({})).arg("--observe=0").file("own.rhai", text).arg("--checks=own.rhai");
    let failures: [(Shell, &str); 11] = [
        (Shell::live(&nobody).arg("doctor").arg("--timeout=300ms"), "no endpoint answered"),
        (Shell::new(&["doctor", "--pd-urls=http://root:s3cret@127.0.0.1:9"]), "a user name or a password"),
        (Shell::new(&["doctor", "--profile=none"]), "no profile `none`"),
        (Shell::live(&nobody).arg("--ca=nowhere.pem").arg("doctor"), "nowhere.pem"),
        (Shell::sandbox("nowhere").arg("doctor"), "nowhere"),
        (doctor(&json!({})).arg("--lags=1h"), "--lags"),
        (doctor(&json!({})).arg("--lag=soon"), "--lag: "),
        (Shell::new(&["-o", "xml", "doctor"]), "xml"),
        (own("fn check(facts) { ensure(false, \"mine\"); [] }"), "mine"),
        (own("fn check(facts) { exit(0) }"), "exit(0)"),
        (doctor(&json!({})).arg("--checks=nowhere.rhai"), "nowhere.rhai"),
    ];
    for (shell, says) in failures {
        let ran = shell.go().exits(3).stdout("").stderr_contains(says);
        assert!(!ran.stderr.contains("s3cret"), "{}", ran.stderr);
    }
}

#[test]
fn an_error_for_programs_has_the_exit_code_of_the_process() {
    let nobody = format!("http://127.0.0.1:{}", free_port());
    for shell in [Shell::live(&nobody).arg("--timeout=300ms"), Shell::new(&["--lags=1h"])] {
        let ran = shell.arg("-o").arg("json").arg("doctor").go().exits(3);
        let error: Json = serde_json::from_str(&ran.stderr).unwrap();
        assert_eq!(error["error"]["exit_code"], 3, "{error:#}");
    }
    let ran = Shell::sandbox("default").arg("-o").arg("json").eval("pump(\"pump-9\")").exits(1);
    assert!(ran.stderr.contains("\"exit_code\":1"), "others have the code of their error: {}", ran.stderr);
}

#[test]
fn what_nobody_could_write_down_is_no_finding_either() {
    for args in [&["-o", "openmetrics"][..], &["-o", "json"], &[]] {
        let shell = args.iter().fold(doctor(&json!({})).arg("--observe=0"), |shell, arg| shell.arg(*arg));
        let full = File::options().write(true).open("/dev/full").unwrap();
        let ran = shell.command().stdin(Stdio::null()).stdout(full).stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(3), "{args:?}: {said}");
        assert!(said.contains("cannot be written"), "{args:?}: {said}");
    }
}

#[test]
fn quiet_says_nothing_where_nothing_is_found() {
    let quiet = |changes: &Json| doctor(changes).arg("--quiet").arg("--observe=10s");
    let said = |ran: &Ran| (ran.stdout.is_empty(), ran.stderr.is_empty());
    assert_eq!(said(&quiet(&json!({})).go().exits(0)), (true, true));
    for (changes, code) in &looks()[1..] {
        let ran = quiet(changes).go().exits(*code);
        let ran = ran.stdout_contains("[clock]").stdout_contains("; watched for 10s");
        assert!(ran.stderr.starts_with("simulated cluster ") && ran.stderr.lines().count() == 1, "{}", ran.stderr);
    }
    let ran = quiet(&json!({})).arg("-o").arg("json").go().exits(0).stdout("[]");
    assert_eq!(ran.stderr, "", "a program has its document");
    quiet(&json!({})).arg("--watch").go().exits(3).stderr_contains("--watch");
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let failed = Shell::live(&nobody).arg("doctor").arg("-q").arg("--timeout=300ms").go().exits(3);
    failed.stderr_contains("no endpoint answered");
}

#[test]
fn what_is_odd_is_told_in_silence_too() {
    let own = "fn check(facts) { print(\"asked\"); [] }";
    let shell = Shell::new(&["--sandbox=s.json", "doctor"]).file("s.json", &scenario(&json!({}))).file("own.rhai", own);
    shell.arg("-q").arg("--observe=0").arg("--checks=own.rhai").go().exits(0).stdout("asked");
}
