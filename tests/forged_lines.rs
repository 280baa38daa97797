//! What somebody wrote into etcd, a script or a file is shown as what it is, and never looks like a line of ours.

use crate::harness::{Ran, Shell, project};
use binlogsh::error::ErrorKind;

/// The id of a Pump that would like to be a question of ours, and hides what it says.
const PUMP: &str = "pump-1\n? stop everything [y,n] y\u{202e}\u{200b}\u{e0041}\u{1b}[2J";

/// The same as it is shown, wherever it is shown.
const SHOWN: &str = "pump-1\\n? stop everything [y,n] y\\u{202e}\\u{200b}\\u{e0041}\\u{1b}[2J";

/// The id of a Drainer that would like to be a finding of `doctor`.
const DRAINER: &str = "drainer-0\nwarning   nothing that matters";

/// A key that is no record, and would like to be a question.
const KEY: &str = "/tidb-binlog/v1/pumps/x\n? go on [y/n]\u{feff}";

/// The sample cluster `name` with such ids, and with such a key if it is `broken`.
fn cluster(name: &str, broken: bool) -> Shell {
    let sample = std::fs::read_to_string(project(&format!("src/sim/samples/{name}.json"))).unwrap();
    let mut scenario: serde_json::Value = serde_json::from_str(&sample).unwrap();
    scenario["pumps"][1]["id"] = PUMP.into();
    scenario["drainers"][0]["id"] = DRAINER.into();
    if broken {
        scenario["keys"] = serde_json::json!([{ "key": KEY, "value": "{" }]);
    }
    Shell::new(&["--sandbox=forged.json"]).file("forged.json", &scenario.to_string())
}

/// No line of the text is one that an id brought along, and nothing in it is unseen or moves the cursor.
#[track_caller]
fn is_clean(text: &str) {
    let forged = ["? stop", "? go on", "warning   nothing that matters"];
    let line = text.lines().find(|line| forged.iter().any(|forged| line.trim_start().starts_with(forged)));
    assert_eq!(line, None, "a forged line in {text}");
    let bad = |c: char| {
        (c.is_control() && c != '\n') || matches!(c, '\u{200b}' | '\u{202e}' | '\u{feff}' | '\u{2028}' | '\u{e0041}')
    };
    assert_eq!(text.chars().find(|c| bad(*c)), None, "{text:?}");
}

#[track_caller]
fn shows(ran: Ran) -> Ran {
    is_clean(&ran.stdout);
    is_clean(&ran.stderr);
    let whole = format!("{}{}", ran.stdout, ran.stderr);
    assert!(whole.contains(SHOWN), "{whole}");
    ran
}

#[test]
fn an_id_forges_no_line_of_a_table_and_json_has_it_as_it_is() {
    shows(cluster("default", false).eval("pumps()").succeeds());
    shows(cluster("default", false).arg("--output=vertical").eval("pumps()").succeeds());
    let ran = cluster("default", false).arg("--output=json").eval("pumps()[1].id").succeeds();
    is_clean(&ran.stdout);
    assert_eq!(serde_json::from_str::<String>(&ran.stdout).unwrap(), PUMP);
}

#[test]
fn a_node_put_into_words_by_a_script_forges_no_line() {
    let ran = cluster("default", false).eval("print(`now ${pumps()[1]}`); fail(`not ${pumps()[1]}`)");
    shows(ran.fails(ErrorKind::Failed));
}

#[test]
fn an_id_forges_no_line_of_a_question() {
    let ran = cluster("default", false).yes().eval("offline_pump(pumps()[1], #{ wait: \"1h\" })");
    assert!(shows(ran.succeeds()).stderr.contains("? close pump "));
    let ran = cluster("default", false).eval("pause_pump(pumps()[1])").fails(ErrorKind::Refused);
    assert!(shows(ran).stderr.contains("nobody can be asked"));
}

#[test]
fn an_id_or_a_key_forges_no_line_of_an_error() {
    let ran = shows(cluster("paused-drainer", true).eval("offline_pump(pumps()[1])").fails(ErrorKind::Refused));
    ran.stderr_contains("drainer-0\\nwarning   nothing")
        .stderr_contains("pumps/x\\n? go on [y/n]\\u{feff} is no record");
    shows(cluster("default", false).eval("pump(pumps()[1].id + \"x\")").fails(ErrorKind::NotFound));
    shows(cluster("default", false).eval("probe(\"x\" + pumps()[1].id)").fails(ErrorKind::NotFound));
    shows(cluster("default", false).eval("drainer(pumps()[1].id)").fails(ErrorKind::NotFound));
}

#[test]
fn a_key_forges_no_line_of_binlogctls_answers() {
    let ran = cluster("default", true).arg("ctl").arg("-cmd").arg("pumps").go().succeeds();
    is_clean(&ran.stderr);
    is_clean(&ran.stdout);
    ran.stderr_contains("the key /tidb-binlog/v1/pumps/x\\n? go on");
}

#[test]
fn an_id_or_a_key_forges_no_finding_of_doctor() {
    let ran = cluster("paused-drainer", true).arg("doctor").arg("--observe=0s").go().exits(2);
    is_clean(&ran.stdout);
    is_clean(&ran.stderr);
    let ran = ran.stdout_contains("drainer-0\\nwarning   nothing that matters: is paused");
    ran.stdout_contains("critical  /tidb-binlog/v1/pumps/x\\n? go on [y/n]\\u{feff}: is no record");
}

#[test]
fn an_id_forges_no_line_of_a_story_or_a_report() {
    let script = "step(\"look\", || table(pumps()));\n\
                  for pump in pumps() { pause_pump(pump, #{ wait: \"1m\", force: [\"last_pump\"] }); }\n";
    let shell = cluster("default", false).file("pause.rhai", script).arg("rehearse").arg("pause.rhai");
    let ran = shows(shell.arg("--report").arg("report.html").go().fails(ErrorKind::Harm));
    let page = std::fs::read_to_string(ran.dir().join("report.html")).unwrap();
    assert!(page.contains(&SHOWN.replace('"', "&quot;")), "the report shows it");
    is_clean(&page);
}

#[test]
fn a_path_forges_no_line() {
    let code = "read_meta(\"no\\n? stop everything [y,n]\")";
    let ran = Shell::sandbox("default").eval(code).fails(ErrorKind::NotFound);
    is_clean(&ran.stderr);
    assert!(ran.stderr.contains("no\\n? stop everything [y,n]/savepoint"), "{}", ran.stderr);
    let ran = Shell::sandbox("default").arg("run").arg("x\n? stop.rhai").go().exits(1);
    is_clean(&ran.stderr);
    let ran = Shell::sandbox("default").yes().eval("generate_meta(#{ data_dir: \"x\\n? stop\" })").succeeds();
    is_clean(&ran.stderr);
}

#[test]
fn what_a_test_says_is_escaped_on_the_terminal_and_in_its_junit_report() {
    let test = "fn test_odd(t) { throw \"an id\\u200b with \\u202e in it\"; }";
    let shell = Shell::new(&["test", "odd_test.rhai", "--junit", "report.xml"]).file("odd_test.rhai", test);
    let ran = shell.go().exits(1);
    is_clean(&ran.stdout);
    let report = std::fs::read_to_string(ran.dir().join("report.xml")).unwrap();
    is_clean(&report);
    assert!(report.contains("an id\\u{200b} with \\u{202e} in it"), "{report}");
}

#[test]
fn what_stands_in_a_script_is_escaped_in_sarif() {
    let script = "wait_for(\"a\", \"onl\\u200bine\");\nlet \u{202e} = 1;";
    let shell = Shell::new(&["check", "--sarif", "odd.rhai"]).file("odd.rhai", script);
    let log: serde_json::Value = serde_json::from_str(&shell.go().stdout).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    assert!(!results.is_empty(), "{log}");
    for result in results {
        is_clean(result["message"]["text"].as_str().unwrap());
    }
}
