//! `binlogsh check` as a person or another program calls it.

use crate::harness::Shell;
use binlogsh::check::{Checker, rules};
use binlogsh::interrupt::Interrupt;
use binlogsh::language::Source;
use serde_json::Value;

const CLEAN: &str = "//! Counts the Pumps.\nprint(pumps().len());\n";
const WRONG: &str =
    "//! Shows Pumps.\nfor p in pumps() {\n\tprint(p.stte);\n}\npause_pump(\"pump-1\", #{ wait: \"1m\" });\n";

fn check(args: &[&str]) -> Shell {
    args.iter().fold(Shell::new(&["check"]), |shell, arg| shell.arg(*arg))
}

#[test]
fn a_clean_script_exits_with_0_and_says_so() {
    let ran = check(&["a.rhai"]).file("a.rhai", CLEAN).go().succeeds().stdout("");
    assert_eq!(ran.stderr, "nothing found in 1 script\n");
}

#[test]
fn findings_are_shown_with_carets_and_exit_with_1() {
    check(&["a.rhai"])
        .file("a.rhai", WRONG)
        .go()
        .exits(1)
        .stdout(
            r#"error[unknown_property]: a Node has no property `stte`
 --> a.rhai:3:10
  |
3 |     print(p.stte);
  |             ^^^^
hint: did you mean `state`?

warning[act_outside_step]: `pause_pump` changes something outside a step
 --> a.rhai:5:1
  |
5 | pause_pump("pump-1", #{ wait: "1m" });
  | ^^^^^^^^^^
hint: wrap what belongs together: step("what it is for", || { ... })
"#,
        )
        .stderr_contains("1 error and 1 warning in 1 script");
}

#[test]
fn what_cannot_be_read_exits_with_2_and_the_rest_is_checked() {
    check(&["gone.rhai", "broken.rhai", "a.rhai", "empty"])
        .file("broken.rhai", "//! Broken.\nlet a = (1;\n")
        .file("a.rhai", WRONG)
        .file("empty/readme.md", "nothing")
        .go()
        .exits(2)
        .stdout_contains("error[does_not_compile]")
        .stdout_contains("error[unknown_property]")
        .stderr_contains("not checked: cannot read gone.rhai")
        .stderr_contains("not checked: there is no *.rhai beneath empty")
        .stderr_contains("2 errors and 1 warning in 2 scripts");
    let latin = check(&["latin.rhai", "a.rhai"]).file("a.rhai", CLEAN);
    std::fs::write(latin.dir().join("latin.rhai"), b"//! \xff\n").unwrap();
    latin.go().exits(2).stderr_contains("not checked: latin.rhai is not UTF-8 text: line");
}

#[test]
fn a_directory_stands_for_all_scripts_beneath_it() {
    let ran = check(&["books", "books/b/two.rhai", "--output", "csv"])
        .file("books/one.rhai", WRONG)
        .file("books/b/two.rhai", "//! Two.\nimport \"../lib/three\" as three;\nthree::f();\n")
        .file("books/lib/three.rhai", "//! Three.\nfn f() { print(1) }\n")
        .file("books/.git/four.rhai", WRONG)
        .file("books/five.txt", WRONG)
        .go()
        .exits(1);
    let files: Vec<_> = ran.stdout.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(files, ["books/one.rhai", "books/one.rhai"], "{}", ran.stdout);
    assert!(ran.stderr.contains("in 3 scripts"), "{}", ran.stderr);
}

#[test]
fn standard_input_is_checked_as_well() {
    check(&["-"]).pipe(WRONG).exits(1).stdout_contains("--> <stdin>:3:10");
}

#[test]
fn programs_get_one_json_document() {
    let ran = check(&["--output", "json", "a.rhai", "gone.rhai"]).file("a.rhai", WRONG).go().exits(2);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    let first = serde_json::json!({
        "rule": "unknown_property", "severity": "error", "file": "a.rhai", "line": 3, "column": 10, "end_column": 14,
        "message": "a Node has no property `stte`", "hint": "did you mean `state`?", "fix": "state",
    });
    assert_eq!(document["findings"][0], first);
    assert_eq!(document["findings"].as_array().unwrap().len(), 2);
    assert_eq!((&document["errors"], &document["warnings"], &document["scripts"]), (&1.into(), &1.into(), &1.into()));
    assert_eq!(document["unreadable"][0]["file"], "gone.rhai");
    assert_eq!(document["unreadable"][0]["kind"], "not_found");
}

/// What SARIF 2.1.0 requires, as far as we use it (§3.13 to §3.58 of the standard).
#[test]
fn code_hosts_get_sarif() {
    let ran = check(&["--sarif", "a b.rhai", "gone.rhai"]).file("a b.rhai", WRONG).go().exits(2);
    let log: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let [run] = log["runs"].as_array().unwrap().as_slice() else { panic!("{log}") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "binlogsh");
    let described = driver["rules"].as_array().unwrap();
    assert_eq!(described.len(), rules().count());
    let levels = ["none", "note", "warning", "error"];
    for rule in described {
        assert!(!rule["id"].as_str().unwrap().is_empty() && rule["shortDescription"]["text"].is_string());
        assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
    }
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    assert!(run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"].is_string());
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 2);
    for result in results {
        assert!(result["message"]["text"].is_string() && levels.contains(&result["level"].as_str().unwrap()));
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(described[index]["id"], result["ruleId"]);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "a%20b.rhai");
        let region = &place["region"];
        assert!(region["startLine"].as_u64() >= Some(1) && region["startColumn"].as_u64() >= Some(1));
        assert!(region["endColumn"].as_u64() > region["startColumn"].as_u64());
    }
    let replaced = &results[0]["fixes"][0]["artifactChanges"][0]["replacements"][0];
    assert_eq!(replaced["insertedContent"]["text"], "state");
    assert_eq!(replaced["deletedRegion"], results[0]["locations"][0]["physicalLocation"]["region"]);
}

#[test]
fn fix_mends_names_and_keeps_what_it_does_not_understand() {
    let text = "\u{feff}#!/usr/bin/env binlogsh\r\n//! Ünusual.\r\nfor p in pumps() { print(`ü ${ p.stte }`); }   \r\n\r\npause_pmp(\"a\"); // stte\r\nprint(p.stte)";
    let mended = "\u{feff}#!/usr/bin/env binlogsh\r\n//! Ünusual.\r\nfor p in pumps() { print(`ü ${ p.state }`); }   \r\n\r\npause_pmp(\"a\"); // stte\r\nprint(p.state)";
    let ran = check(&["--fix", "a.rhai", "link.rhai", "fine.rhai"]).file("a.rhai", text).file("fine.rhai", CLEAN);
    std::fs::create_dir(ran.dir().join("real")).unwrap();
    std::fs::write(ran.dir().join("real/b.rhai"), WRONG).unwrap();
    std::os::unix::fs::symlink("real/b.rhai", ran.dir().join("link.rhai")).unwrap();
    let set_mode = |name: &str, mode| {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        std::fs::set_permissions(ran.dir().join(name), mode).unwrap();
    };
    set_mode("a.rhai", 0o751);
    let ran = ran.go().exits(1).stdout_contains("undefined_function").stderr_contains("fixed 3 names");
    let read = |name: &str| std::fs::read_to_string(ran.dir().join(name)).unwrap();
    assert_eq!(read("a.rhai"), mended);
    assert_eq!(read("real/b.rhai"), WRONG.replace("stte", "state"));
    assert_eq!(read("fine.rhai"), CLEAN);
    assert!(std::fs::symlink_metadata(ran.dir().join("link.rhai")).unwrap().is_symlink());
    let mode = std::fs::metadata(ran.dir().join("a.rhai")).unwrap().permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o777, 0o751);
    let left: Vec<_> = std::fs::read_dir(ran.dir()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".tmp")), "{left:?}");
}

#[test]
fn a_file_that_cannot_be_mended_is_left_whole() {
    let shell = check(&["--fix", "no/a.rhai", "b.rhai"])
        .file("no/a.rhai", "//! A.\nprint(pumps()[0].stte) )\n")
        .file("b.rhai", WRONG);
    let ran = shell.go().exits(2);
    assert_eq!(std::fs::read_to_string(ran.dir().join("no/a.rhai")).unwrap(), "//! A.\nprint(pumps()[0].stte) )\n");
    assert!(std::fs::read_to_string(ran.dir().join("b.rhai")).unwrap().contains("p.state"));
}

#[test]
fn a_rule_is_explained() {
    check(&["--explain", "act_outside_step"]).go().succeeds().stdout_contains("## act_outside_step");
    let page = check(&["--explain"]).go().succeeds();
    assert!(rules().all(|rule| page.stdout.contains(&format!("## {}\n", rule.name))));
    check(&["--explain", "act_outside_stop"]).go().exits(1).stderr_contains("did you mean `act_outside_step`?");
    check(&[]).go().exits(2);
}

#[test]
fn a_name_in_a_script_cannot_drive_the_terminal() {
    let ran = check(&["a.rhai"]).file("a.rhai", "//! A.\nprint(\"\x1b[2J\", nobody);\n").go().exits(1);
    assert!(!ran.stdout.contains('\x1b'), "{}", ran.stdout);
}

#[test]
fn a_signal_ends_the_check_of_a_script_before_its_next_rules() {
    let interrupt = Interrupt::default();
    let checker = Checker::default().heeding(&interrupt);
    let source = Source::new("a.rhai", WRONG);
    assert!(!checker.check(&source, &[]).findings.is_empty());
    interrupt.raise(2);
    assert!(checker.check(&source, &[]).findings.is_empty());
}
