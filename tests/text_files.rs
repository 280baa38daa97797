//! Files as other systems' editors save them: with a byte order mark, with CRLF, as UTF-16. What can be read is read, wherever
//! text is read; of the rest it is said what it is.

use crate::harness::{Ran, Shell};
use binlogsh::error::ErrorKind;
use binlogsh::sim::Scenario;

const MARK: &str = "\u{feff}";

const SCRIPT: &str =
    "//! Adds.\r\nimport \"lib/m\" as m;\r\nlet n = param(\"n\", #{ default: 1 });\r\nprint(m::add(n));\r\n";
const MODULE: &str = "#!/usr/bin/env binlogsh\r\n//! Adds.\r\nfn add(n) {\r\n    n + 41 // always\r\n}\r\n";

/// What somebody saved under Windows: a script, its module, its test and a configuration, each with a mark.
fn marked(args: &[&str]) -> Shell {
    let test = "fn test_adds(t) { t.scenario(\"s.json\"); t.run(\"s.rhai\"); t.expect_ok(); }";
    let scenario = serde_json::to_string(&Scenario::named("default").unwrap()).unwrap();
    Shell::new(args)
        .file("s.rhai", &format!("{MARK}{SCRIPT}"))
        .file("lib/m.rhai", &format!("{MARK}{MODULE}"))
        .file("s_test.rhai", &format!("{MARK}{test}"))
        .file("s.json", &format!("{MARK}{scenario}"))
        .file("c.toml", &format!("{MARK}[profiles.away]\r\noutput = \"vertical\"\r\n"))
        .file("n.txt", &format!("{MARK}1\r\n"))
}

fn utf16(text: &str, mark: bool) -> Vec<u8> {
    mark.then_some(0xfeff).into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_byte_order_mark_and_crlf_are_no_matter_wherever_a_script_is_read() {
    for args in [
        &["--sandbox", "run", "s.rhai"][..],
        &["--sandbox", "run", "s.rhai", "--param-file", "n=n.txt"],
        &["--sandbox=s.json", "run", "s.rhai"],
        &["--sandbox", "--config", "c.toml", "--profile", "away", "run", "s.rhai"],
        &["--sandbox", "rehearse", "s.rhai"],
        &["rehearse", "s.rhai", "--snapshot", "s.json"],
    ] {
        marked(args).go().succeeds().stdout_contains("42");
    }
    marked(&["test"]).go().succeeds().stdout_contains("1 passed");
    marked(&["check", "s.rhai", "lib/m.rhai"]).go().succeeds().stderr_contains("nothing found in 2 scripts");
    marked(&["--sandbox", "run", "s.rhai", "--help"]).go().succeeds().stdout_contains("Adds.");
    marked(&["--sandbox", "-e", &format!("{MARK}import \"lib/m\" as m; m::add(1)")]).go().succeeds().stdout("42");
    marked(&["--sandbox"]).pipe(&format!("{MARK}import \"lib/m\" as m;\r\nm::add(1)\r\n")).succeeds().stdout("42");
    marked(&["--sandbox", "run", "-"]).pipe(&format!("{MARK}print(42);")).succeeds().stdout("42");
    marked(&["check", "-"])
        .pipe(&format!("{MARK}//! Shows.\r\nprint(42);"))
        .succeeds()
        .stderr_contains("nothing found");
}

#[test]
fn what_a_rehearsal_keeps_may_get_a_byte_order_mark() {
    let harm = "for pump in pumps() { pause_pump(pump, #{ force: [\"last_pump\"] }); }";
    let kept = Shell::sandbox("default").file("s.rhai", "//! Pauses.\npause_drainer(\"drainer-1\");");
    let kept =
        kept.arg("rehearse").arg("s.rhai").arg("--plan").arg("plan.json").arg("--save-snapshot").arg("s.json").go();
    let harmful =
        Shell::sandbox("default").file("h.rhai", harm).arg("rehearse").arg("h.rhai").arg("--futures").arg("2");
    let harmful = harmful.arg("--stories").arg(".").go().exits(9);
    let read = |ran: &Ran, name: &str| format!("{MARK}{}", std::fs::read_to_string(ran.dir().join(name)).unwrap());
    let again = |args: &[&str]| {
        Shell::new(args)
            .file("h.rhai", harm)
            .file("plan.json", &read(&kept, "plan.json"))
            .file("s.json", &read(&kept, "s.json"))
            .file("story.json", &read(&harmful, "h.tidb_blocked.story.json"))
            .go()
    };
    again(&["rehearse", "--show", "plan.json"]).succeeds().stdout_contains("drainer-1");
    again(&["rehearse", "h.rhai", "--snapshot", "s.json"]).exits(9).stdout_contains("pump-1");
    again(&["rehearse", "h.rhai", "--story", "story.json"]).exits(9).stdout_contains("tidb_blocked");
}

#[test]
fn the_line_and_the_caret_are_those_of_the_file() {
    let ran = marked(&["--sandbox", "run", "s.rhai"]).file("s.rhai", &format!("{MARK}let a = nothing;\r\n")).go();
    ran.fails(ErrorKind::Invalid).stderr_contains("s.rhai:1:9\n  |\n1 | let a = nothing;\n  |         ^");
    let module = format!("{MARK}#!x\r\nfn add(n) {{\r\n    n + nothing\r\n}}\r\n");
    let ran = marked(&["--sandbox", "run", "s.rhai"]).file("lib/m.rhai", &module).go().fails(ErrorKind::Invalid);
    ran.stderr_contains("m.rhai:3:9\n  |\n3 |     n + nothing\n  |         ^");
}

#[test]
fn what_is_no_utf_8_is_named_wherever_it_is_read() {
    for (bytes, what) in [
        (utf16("print(1)", true), "UTF-16 text, and must be UTF-8"),
        (utf16("print(1)", false), "UTF-16LE text, and must be UTF-8"),
        (b"1\n2\0\n".to_vec(), "line 2 has a NUL byte"),
        (b"\n\n// K\xf6ln\n".to_vec(), "is not UTF-8 text: line 3"),
        (b"1 // one\r2 // two\r".to_vec(), "a carriage return only"),
    ] {
        for (file, args) in [
            ("s.rhai", &["--sandbox", "run", "s.rhai"][..]),
            ("s.rhai", &["--sandbox", "rehearse", "s.rhai"]),
            ("s.rhai", &["check", "s.rhai"]),
            ("lib/m.rhai", &["--sandbox", "run", "s.rhai"]),
            ("lib/m.rhai", &["--sandbox", "-e", "import \"lib/m\" as m"]),
            ("s_test.rhai", &["test"]),
            ("s.json", &["--sandbox=s.json", "-e", "1"]),
            ("s.json", &["rehearse", "s.rhai", "--snapshot", "s.json"]),
            ("s.json", &["rehearse", "--show", "s.json"]),
            ("s.json", &["rehearse", "--merge", "s.json"]),
            ("s.json", &["runs", "import", "s.json"]),
            ("c.toml", &["--config", "c.toml", "--sandbox", "-e", "1"]),
            ("n.txt", &["--sandbox", "run", "s.rhai", "--param-file", "n=n.txt"]),
        ] {
            let shell = marked(args);
            std::fs::write(shell.dir().join(file), &bytes).unwrap();
            let ran = shell.go();
            assert_ne!(ran.code, 0, "{args:?}: {what}");
            let said = format!("{}{}", ran.stdout, ran.stderr);
            assert!(said.contains(what) && said.contains(file), "{args:?}: no `{what}` in\n{said}");
        }
    }
}
