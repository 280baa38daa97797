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
    assert!(["table", "json", "jsonl", "csv", "vertical"].into_iter().all(ids));
}

#[test]
fn with_json_there_is_one_document_on_standard_output() {
    let json = |codes: &[&str]| {
        let shell = Shell::sandbox("default").arg("-o=json");
        let ran = codes.iter().fold(shell, |shell, code| shell.arg("-e").arg(*code)).go();
        (serde_json::from_str::<serde_json::Value>(&ran.stdout).ok(), ran.stderr)
    };
    let (value, told) = json(&["1", "print(\"hi\"); table([7]); json(#{ a: 1 }); [2, 3]"]);
    assert_eq!(value.unwrap(), serde_json::json!([2, 3]));
    assert!(told.contains("hi\n") && told.contains('7') && told.contains("\"a\": 1"), "{told}");
    assert_eq!(json(&["2", "let x = 1;"]).0.unwrap(), serde_json::Value::Null);
    assert_eq!(json(&["exit(3)"]).0.unwrap(), serde_json::Value::Null);
    let piped = |format: &str| Shell::sandbox("default").arg("-o").arg(format).pipe("print(1);\n6 * 7\n").succeeds();
    assert_eq!((piped("json").stdout, piped("table").stdout), ("42\n".to_owned(), "1\n42\n".to_owned()));
    assert_eq!(json(&["1", "fail(\"no\")"]).0, None, "what failed has no result");
    let script = Shell::sandbox("default").arg("-o=json").file("s.rhai", "//! x\nprint(1);\n#{ b: 2 }\n");
    assert_eq!(script.arg("run").arg("s.rhai").go().succeeds().stdout, "{\n  \"b\": 2\n}\n");
}

#[test]
fn with_jsonl_each_value_is_a_line_and_so_is_each_event() {
    let code = "step(\"look\", || print(\"hi\")); table([1, 2]); let n = 0; \
                wait_until(\"x\", || { n += 1; pumps(); n == 9 }, 60); pause_pump(\"pump-1\", #{ wait: \"1m\" }).after";
    let ran = Shell::sandbox("default").yes().arg("-o=jsonl").eval(code).succeeds();
    assert_eq!(ran.stdout, "[1,2]\n\"paused\"\n");
    let event = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|_| panic!("{line}"));
    let events: Vec<serde_json::Value> = ran.stderr.lines().map(event).collect();
    let all: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    for wanted in ["step", "print", "answered", "change", "wait", "wait_end"] {
        assert!(all.contains(&wanted), "no {wanted} in {all:?}");
    }
    // Of a wait no more than of what is told to people: a line when something changes, and each ten seconds.
    assert!(all.iter().filter(|event| **event == "wait").count() < 8, "{all:?}");
    let traced = Shell::sandbox("default").arg("--verbose").arg("-o=jsonl").eval("pumps().len()").succeeds();
    traced.stderr.lines().for_each(|line| drop(event(line)));
    let failed = Shell::sandbox("default").arg("-o=jsonl").eval("fail(\"no\")").exits(1);
    assert_eq!(event(failed.stderr.trim_end())["error"]["message"], "no");
}

#[test]
fn programs_can_read_what_is_empty_wrong_or_a_help() {
    let csv = |code: &str| Shell::sandbox("default").arg("-o=csv").eval(code).succeeds().stdout;
    let header = csv("pumps()").lines().next().unwrap().to_owned();
    for code in ["pumps().filter(|pump| false)", "let x = 1; drainers().filter(|d| d.lag < 0).filter(|d| true)"] {
        assert_eq!(csv(code).trim_end(), header, "{code}");
    }
    assert_eq!(csv("[].filter(|pump| pumps().len() > 9)"), "", "of what is in it nothing is known");
    assert!(Shell::new(&["runs", "-o", "csv"]).go().succeeds().stdout.starts_with("id,script,cluster,state"));
    let wrong = Shell::new(&["--output", "json", "--nope"]).go().exits(2);
    let error: serde_json::Value = serde_json::from_str(&wrong.stderr).unwrap();
    assert_eq!((&error["error"]["kind"], &error["error"]["exit_code"]), (&"invalid".into(), &2.into()));
    let help = Shell::new(&["run", "health", "--help", "-o", "json"]).go().succeeds();
    let help: serde_json::Value = serde_json::from_str(&help.stdout).unwrap();
    assert_eq!((&help["script"], &help["parameters"][0]["type"]), (&"health".into(), &"duration".into()));
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

#[test]
fn timestamps_in_json_are_text_where_that_is_wished_for() {
    use serde_json::{Value as Json, json};
    let read = |args: &[&str], code: &str| -> Json {
        let shell = args.iter().fold(Shell::sandbox("default").arg("-o").arg("json"), |shell, arg| shell.arg(*arg));
        serde_json::from_str(&shell.eval(code).succeeds().stdout).unwrap()
    };
    let code = r#"#{ pump: pump("pump-0"), all: [tso()], ts: 470641375911346178, count: 3, limit: 9007199254740992 }"#;
    let numbers = read(&[], code);
    assert!(numbers["pump"]["max_commit_ts"].is_i64() && numbers["all"][0].is_i64(), "{numbers}");
    assert_eq!(numbers["ts"], json!(470_641_375_911_346_178_i64));
    let text = read(&["--timestamps", "text"], code);
    assert!(text["pump"]["max_commit_ts"].is_string() && text["all"][0].is_string(), "{text}");
    assert_eq!((&text["ts"], &text["count"]), (&json!("470641375911346178"), &json!(3)));
    assert_eq!(text["limit"], json!(9_007_199_254_740_992_i64));
    assert!(read(&["--timestamps=text"], "drainers()")[0]["max_commit_ts"].is_string());
    let shell = || Shell::sandbox("default").arg("-o=json");
    shell().env("BINLOGSH_TIMESTAMPS", "text").eval("470641375911346178").succeeds().stdout("\"470641375911346178\"");
    let profile = "default-profile = \"a\"\n[profiles.a]\ntimestamps = \"text\"\n";
    shell().file(".config/binlogsh/config.toml", profile).eval("tso()").succeeds().stdout_contains("\"");
    shell().arg("--timestamps=txt").eval("1").exits(2);
}
