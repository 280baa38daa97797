//! What a script or an option can have wrong with it, and when it is said.

use super::{left, no_result, rehearse, rehearse_on, shipped};
use crate::harness::{Ran, Shell};
use binlogsh::error::ErrorKind;

/// Fails before anybody looks at a cluster: there is none.
#[track_caller]
fn at_once(script: &str, args: &[&str]) -> Ran {
    let ran = rehearse_on(Shell::live("http://127.0.0.1:1"), script, args);
    no_result(&ran);
    ran.exits(2)
}

#[test]
fn a_missing_parameter_is_said_before_anything_happens() {
    let shell = Shell::live("http://127.0.0.1:1").arg("rehearse").arg(shipped("decommission_pump.rhai"));
    let ran = shell.go().fails(ErrorKind::Invalid).stderr_contains("the parameter `pump` must be given");
    no_result(&ran);
    ran.stderr_contains("--param pump=VALUE");
    at_once("print(1)", &["-p", "x=1"]).stderr_contains("the script has no such parameter");
    at_once("print(1)", &["-p", "x"]).stderr_contains("NAME=VALUE");
}

#[test]
fn a_script_that_does_not_compile_shows_its_line_before_anything_happens() {
    let ran = at_once("let a = 1;\nlet b = (a + ;\n", &[]);
    ran.stderr_contains("s.rhai:2:").stderr_contains("2 | let b = (a + ;").stderr_contains("^");
}

#[test]
fn a_script_that_never_ends_in_virtual_time_is_ended_with_the_line_of_its_loop() {
    for (script, line) in [
        (
            "let n = 0;\nwhile true { sleep(\"1h\"); }",
            " --> s.rhai:2:14\n  |\n2 | while true { sleep(\"1h\"); }\n  |              ^\n",
        ),
        ("loop {\n  try { sleep(\"1h\"); } catch { }\n}", " --> s.rhai:2:9\n"),
        ("fn again() { sleep(60.0); }\nloop { again(); }", " --> s.rhai:2:8\n"),
        ("sleep(\"10000d\");", " --> s.rhai:1:1\n"),
    ] {
        let ran = rehearse(script, &["--limit", "2d"]).fails(ErrorKind::NoEnd).stderr_contains(line);
        let ran = ran.stderr_contains("the script does not end: it goes on after 2d00h of virtual time");
        ran.stderr_contains("hint: give the loop an end").stdout_contains("no_end").stdout_contains("exit code 4");
    }
    let ran = rehearse("loop {\n  pumps();\n}", &["--limit", "10s"]).fails(ErrorKind::NoEnd);
    ran.stderr_contains("2 |   pumps();\n  |   ^");
}

#[test]
fn a_wait_without_an_end_is_named() {
    let ran = rehearse("wait_until(\"the moon is blue\", || false, \"30d\")", &["--limit", "1d"]);
    ran.fails(ErrorKind::Timeout).stderr_contains("the moon is blue").stderr_contains("s.rhai:1:");
}

#[test]
fn a_loop_that_only_computes_ends_as_in_a_run() {
    let shell = || Shell::sandbox("default").env("BINLOGSH_MAX_OPERATIONS", "100000");
    let ran = rehearse_on(shell(), "let x = 0;\nloop {\n  x += 1;\n}", &[]).fails(ErrorKind::Invalid);
    ran.stderr_contains("s.rhai:3:").stderr_contains("BINLOGSH_MAX_OPERATIONS");
    let ran = rehearse_on(shell(), "loop { }", &["--futures", "5"]).succeeds();
    ran.stderr_contains("the script ends so without any fault: invalid").stdout_contains("5 futures");
}

#[test]
fn options_that_make_no_sense_are_said_at_once() {
    at_once("print(1)", &["--limit=nonsense"]).stderr_contains("--limit: `nonsense` is no duration");
    at_once("print(1)", &["--observe=soon"]).stderr_contains("--observe: `soon` is no duration");
    at_once("print(1)", &["--futures=3", "--faults=crsh"]).stderr_contains("did you mean `crash`?");
    at_once("print(1)", &["--futures=3", "--faults=crash,nonsense"]).stderr_contains("one of crash, flap,");
    at_once("print(1)", &["--futures=3", "--faults=-pd_gon"]).stderr_contains("did you mean `pd_gone`?");
    at_once("print(1)", &["--futures=3", "--faults=crash,-crash"]).stderr_contains("leaves no kind of fault");
    at_once("print(1)", &["--futures=3", "--faults="]).stderr_contains("--faults names no kind of fault");
    at_once("print(1)", &["--futures=3", "--shard=0/2"]).stderr_contains("I from 1 to N");
    at_once("print(1)", &["--futures=3", "--shard=3/2"]).stderr_contains("I from 1 to N");
    at_once("print(1)", &["--futures=0"]).stderr_contains("--futures");
    at_once("print(1)", &["--futures=3", "--jobs=0"]).stderr_contains("--jobs");
    at_once("print(1)", &["--futures=3", "--every-fault"]).stderr_contains("cannot be used with");
    at_once("print(1)", &["--futures=3", "--plan=p.json"]).stderr_contains("cannot be used with");
    at_once("print(1)", &["--snapshot=a", "--save-snapshot=b"]).stderr_contains("cannot be used with");
}

#[test]
fn a_file_that_is_no_plan_is_not_shown() {
    let show = |text: &str| Shell::new(&["rehearse", "--show", "p.json"]).file("p.json", text).go();
    show("{\"version\": 1").fails(ErrorKind::Invalid).stderr_contains("p.json: the plan is cut short");
    show("{\"version\": 7}").fails(ErrorKind::Invalid).stderr_contains("newer binlogsh");
    let ran = Shell::new(&["rehearse", "--show", "p.json"]).go().fails(ErrorKind::NotFound);
    ran.stderr_contains("cannot read the plan p.json");
}

#[test]
fn the_help_of_a_rehearsal_is_its_own_and_that_of_the_script() {
    Shell::new(&["rehearse", "--help"]).go().succeeds().stdout_contains("--every-fault").stdout_contains("--merge");
    let shell = Shell::live("http://127.0.0.1:1").arg("rehearse").arg(shipped("rolling_restart.rhai"));
    let ran = shell.arg("--help").go().succeeds();
    ran.stdout_contains("Usage: binlogsh rehearse").stdout_contains("only").stdout_contains("takes");
}

#[test]
fn a_rehearsal_that_does_harm_fails_and_keeps_no_plan() {
    let script = "pause_pump(\"pump-0\", #{ wait: \"1m\" });\npause_pump(\"pump-1\", #{ wait: \"1m\" });";
    let ran = rehearse(script, &[]).exits(9).stdout_contains("!!! two_down").stdout_contains("exit code 0");
    ran.stderr_contains("the script does harm: two_down, marked `!!!` above");
    let ran = rehearse(script, &["--plan", "plan.json"]).exits(9).stderr_contains("no plan is kept of it");
    assert_eq!(left(&ran), ["s.rhai"]);
    let failing = format!("{script}\nexit(3)");
    rehearse(&failing, &[]).exits(3).stderr_contains("the script does harm: two_down");
}
