//! `binlogsh test`: tests of scripts, in Rhai.

use crate::harness::{Ran, Shell, project};
use crate::support::is_soak;
use binlogsh::error::ErrorKind;

const GOOD: &str = r#"
    fn test_pauses(t) {
        let came = t.run("pause.rhai", #{ id: "drainer-1" });
        t.expect_ok();
        t.expect_state("drainer-1", "paused");
        t.expect_process("drainer-1", "down");
        t.expect_effects(["pause drainer drainer-1"]);
        t.expect_printed("paused drainer-1");
        t.expect_shorter("1m");
        ensure(came.exit_code == 0 && came.value == 7 && came.writes == 1, `${came}`);
    }
    fn test_says_why_not(t) {
        t.scenario("closing-pump");
        t.run("pause.rhai", #{ id: "drainer-1" });
        t.expect_error("refused", "pump_closing");
        t.expect_exit(3);
        t.expect_effects([]);
    }
    fn helper(t) { t.expect_ok(); }
"#;

const SCRIPT: &str = r#"
    let id = param("id", #{ about: "which" });
    step("pause", || pause_drainer(id, #{ wait: "30s" }));
    print(`paused ${id}`);
    7
"#;

fn suite(tests: &str) -> Shell {
    Shell::new(&["--color=never"]).file("a_test.rhai", tests).file("pause.rhai", SCRIPT).arg("test")
}

fn one(body: &str) -> Ran {
    suite(&format!("fn test_it(t) {{ {body} }}")).go()
}

#[test]
fn tests_that_pass_say_so_and_a_helper_is_no_test() {
    let ran = suite(GOOD).go().succeeds();
    assert!(ran.stdout.ends_with("2 passed, 0 failed\n"), "{}", ran.stdout);
    suite(GOOD).arg("--filter").arg("a_test.rhai::test_says").go().succeeds().stdout_contains("1 passed, 0 failed");
    let none = suite(GOOD).arg("--filter").arg("test_paws").go().fails(ErrorKind::NotFound);
    none.stderr_contains("no test has `test_paws` in its name");
    suite(GOOD).arg("--jobs").arg("1").go().succeeds().stdout_contains("2 passed, 0 failed");
}

#[test]
fn a_failure_shows_what_was_expected_where_and_what_the_script_did() {
    let ran = one(r#"t.run("pause.rhai", #{ id: "drainer-1" }); t.expect_state("drainer-1", "online");"#).exits(1);
    let ran = ran.stdout_contains("the record of drainer-1 is `paused`, and is to be `online`");
    let ran = ran.stdout_contains("a_test.rhai:1:").stdout_contains("what the last script did:");
    ran.stdout_contains("pause drainer-1: apply action pause success!").stdout_contains("0 passed, 1 failed");
}

#[test]
fn a_script_that_fails_while_nobody_looks_fails_the_test() {
    let ran = one(r#"t.run("pause.rhai", #{ id: "nobody" });"#).exits(1);
    ran.stdout_contains("the script failed in step `pause`: not_found").stdout_contains("t.expect_error");
    one(r#"t.run("pause.rhai", #{ id: "nobody" }); t.expect_error("not_found", "nobody");"#).succeeds();
    one(r#"t.run("pause.rhai", #{ id: "drainer-0" }); t.expect_error("not_found");"#)
        .exits(1)
        .stdout_contains("the script succeeded, and was to fail with `not_found`");
}

#[test]
fn a_fault_happens_when_it_is_told_to() {
    one(r#"t.fault("lose_answer", "drainer-1"); t.run("pause.rhai", #{ id: "drainer-1" }); t.expect_error("in_doubt");"#)
        .succeeds();
    one(
        r#"t.fault("crash", "drainer-1", #{ after: "1h" }); t.run("pause.rhai", #{ id: "drainer-1" }); t.expect_ok();"#,
    )
    .succeeds();
    one(r#"t.fault("hang", "drainer-1", #{ after: 0, ends: 3 });"#).exits(1).stdout_contains("no option `ends`");
    one(r#"t.fault("hnag", "drainer-1");"#).exits(1).stdout_contains("`hnag` is no fault").stdout_contains("hang");
}

#[test]
fn a_fault_that_can_do_nothing_fails_the_test() {
    one(r#"t.fault("crash", "nobody"); t.run_code("1");"#)
        .exits(1)
        .stdout_contains(r#"t.fault("crash", "nobody"): there is no such node, nor does the script start one"#)
        .stdout_contains("there are drainer-0, drainer-1, pump-0, pump-1, pump-2");
    one(r#"t.fault("hang", "drainer-7"); t.run_code("1");"#).exits(1).stdout_contains("did you mean");
    one(r#"t.fault("stall", "pump-1");"#).exits(1).stdout_contains("happens to a Drainer, and pump-1 is none");
    one(r#"t.fault("crash");"#).exits(1).stdout_contains("none is named");
    one(r#"t.scenario("lost-pump"); t.fault("crash", "pump-2", #{ after: "5s" }); t.run_code("sleep(10)");"#)
        .exits(1)
        .stdout_contains("nothing came of the fault `crash` of pump-2 after 5.0s")
        .stdout_contains("what the last script did:");
}

#[test]
fn a_fault_can_happen_to_a_node_that_the_script_starts() {
    let start =
        r#"manual("start it", #{ starts: [#{ kind: "pump", id: "pump-3", address: "h:8250" }], takes: "5s" });"#;
    let works = r#"wait_until("it works", || pumps().some(|p| p.id == "pump-3" && p.state == "online"), "1m");"#;
    let tests = format!(
        r#"
        fn test_comes_up(t) {{ t.run_code(`{start} {works}`); t.expect_ok(); }}
        fn test_dies(t) {{
            t.fault("crash", "pump-3", #{{ after: "20s" }});
            t.run_code(`{start} sleep("1m");`);
            t.expect_process("pump-3", "down");
        }}
        fn test_does_not_start(t) {{
            t.fault("start_fails", "pump-3");
            t.run_code(`{start} wait_until("it is there", || pumps().len() == 4, "1m");`);
            t.expect_error("timeout");
        }}
        fn test_is_over_by_then(t) {{
            t.fault("start_fails", "pump-3", #{{ lasts: "4s" }});
            t.run_code(`{start} {works}`);
            t.expect_ok();
        }}
        fn test_is_not_there_yet(t) {{
            t.fault("crash", "pump-3");
            t.run_code(`{start}`);
        }}"#
    );
    let ran = suite(&tests).go().exits(1).stdout_contains("nothing came of the fault `crash` of pump-3 after 0.0s");
    ran.stdout_contains("nothing came of the fault `start_fails` of pump-3").stdout_contains("3 passed, 2 failed");
}

#[test]
fn a_test_has_no_cluster_but_its_own() {
    let lone = format!("{}/scripts/scenarios/lone-pump.json", project("").display());
    one(&format!(r#"t.scenario("{lone}"); t.run_code("pumps().len()"); t.expect_ok();"#)).succeeds();
    one(r#"pause_pump("pump-0");"#).exits(1).stdout_contains("a test has no cluster of its own");
    // Not even where one is named.
    suite("fn test_it(t) { pumps(); }")
        .arg("--pd-urls")
        .arg("http://127.0.0.1:1")
        .go()
        .exits(1)
        .stdout_contains("t.run_code");
}

#[test]
fn what_never_ends_is_ended() {
    let ran = one(r#"t.limit("10m"); t.run_code("loop { sleep(60); }"); t.expect_error("no_end");"#);
    ran.succeeds();
    one("loop { }").exits(1).stdout_contains("0 passed, 1 failed");
}

#[test]
fn files_that_are_no_tests_are_failures_beside_the_others() {
    let ran = suite(GOOD).file("b_test.rhai", "fn test_x() { }").file("c_test.rhai", "fn test_x(t) {").go().exits(1);
    let ran = ran.stdout_contains("`test_x` takes 0 parameters").stdout_contains("c_test.rhai:1:");
    ran.stdout_contains("2 passed, 2 failed");
    let ran = suite(GOOD).arg("nothing_test.rhai").arg("a_test.rhai").go().exits(1);
    ran.stdout_contains("cannot read nothing_test.rhai").stdout_contains("2 passed, 1 failed");
    Shell::new(&["test"]).go().fails(ErrorKind::NotFound).stderr_contains("there are no tests");
}

#[test]
fn a_directory_without_tests_is_a_failure_beside_the_others() {
    let shell = || suite(GOOD).file("good/a_test.rhai", GOOD).file("good/pause.rhai", SCRIPT).file("empty/a.rhai", "1");
    let ran = shell().arg("good").arg("empty").go().exits(1);
    ran.stdout_contains("there are no tests beneath empty").stdout_contains("2 passed, 1 failed");
    shell().arg("empty").go().fails(ErrorKind::NotFound).stderr_contains("there are no tests beneath empty");
}

#[test]
fn a_script_that_gives_up_with_an_exit_code_fails_a_test_that_does_not_expect_it() {
    let ran = one(r#"t.run_code("exit(3)"); t.expect_effects([]);"#).exits(1);
    ran.stdout_contains("the script ended with exit code 3").stdout_contains("t.expect_exit(3)");
    one(r#"t.run_code("exit(3)"); t.run_code("1"); t.expect_ok();"#).exits(1).stdout_contains("exit code 3");
    one(r#"t.run_code("exit(3)"); t.expect_exit(3);"#).succeeds();
    one(r#"t.run_code("exit(0)");"#).succeeds();
}

#[test]
fn stories_are_kept_and_compared() {
    let keeps = r#"fn test_it(t) { t.run("pause.rhai", #{ id: "drainer-1" }); t.expect_story(); }"#;
    let ran = suite(keeps).go().exits(1).stdout_contains("no story is kept in").stdout_contains("--update");
    let dir = ran.dir().join("snapshots");
    assert!(!dir.exists());
    let kept = suite(keeps).arg("--update").go().succeeds();
    let story = std::fs::read_to_string(kept.dir().join("snapshots/a_test.test_it.story")).unwrap();
    assert!(story.contains("==> pause") && story.ends_with("the script is done\n"), "{story}");
    suite(keeps).file("snapshots/a_test.test_it.story", &story).go().succeeds();
    let other = story.replace("paused drainer-1", "something else");
    let ran = suite(keeps).file("snapshots/a_test.test_it.story", &other).go().exits(1);
    ran.stdout_contains("the story is not the one").stdout_contains("kept: ").stdout_contains("something else");
}

#[test]
fn results_are_written_for_programs() {
    let failing = format!("{GOOD}\nfn test_no(t) {{ fail(\"<never> & \\\"so\\\"\"); }}");
    let ran = suite(&failing).arg("--junit").arg("out.xml").go().exits(1);
    let xml = std::fs::read_to_string(ran.dir().join("out.xml")).unwrap();
    assert!(
        xml.contains("tests=\"3\"") && xml.contains("failures=\"1\"") && xml.contains("&lt;never&gt; &amp;"),
        "{xml}"
    );
    let ran = suite(&failing).arg("-o").arg("json").go().exits(1);
    let said: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(said["tests"].as_array().unwrap().len(), 3);
    assert_eq!(said["tests"][2]["error"]["error"]["kind"], "failed");
    suite(GOOD).arg("--junit").arg("no/such/out.xml").go().exits(8).stderr_contains("the JUnit report");
}

#[test]
fn the_shipped_scripts_pass_their_tests() {
    let scripts = project("scripts").display().to_string();
    let ran = Shell::new(&["--color=never", "test"]).arg(scripts).go().succeeds();
    ran.stdout_contains(" passed, 0 failed");
}

#[test]
fn the_guide_has_every_function_of_t_and_its_tests_pass() {
    let guide = std::fs::read_to_string(project("docs/guide.md")).unwrap();
    for (name, about) in binlogsh::testing::functions() {
        assert!(guide.contains(&format!("| `t.{name}` | {about} |")), "the guide does not tell of t.{name}");
    }
    let blocks = crate::examples::blocks(&guide);
    let (_, _, script) = blocks.iter().find(|(_, _, code)| code.contains("//! Pauses every Drainer")).unwrap();
    let (_, _, tests) = blocks.iter().find(|(_, sample, _)| sample == "test").unwrap();
    let shell = Shell::new(&["test"]).file("procedure.rhai", script).file("procedure_test.rhai", tests);
    shell.go().succeeds().stdout_contains("3 passed, 0 failed");
}

/// The commands that the example's CI file runs.
fn ci_commands() -> Vec<String> {
    let file = project("examples/ci/.github/workflows/runbooks.yml");
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().filter_map(|line| line.trim().strip_prefix("run: binlogsh ")).map(str::to_owned).collect()
}

/// A copy of the example, in which `args` come next.
fn ci_shell(args: &str) -> Shell {
    let dir = project("examples/ci");
    let files = ["cluster.json", "runbooks/quiet_hour.rhai", "runbooks/quiet_hour_test.rhai"];
    let copied = files.iter().fold(Shell::new(&["--color=never"]), |shell, name| {
        shell.file(name, &std::fs::read_to_string(dir.join(name)).unwrap())
    });
    args.split_whitespace().fold(copied, |shell, arg| shell.arg(arg))
}

#[test]
fn the_example_of_runbooks_in_git_passes_its_own_ci() {
    let readme = std::fs::read_to_string(project("examples/ci/README.md")).unwrap();
    let commands = ci_commands();
    assert_eq!(commands.len(), 6, "{commands:?}");
    // The parts of the futures come together in the next test.
    for args in commands.iter().filter(|args| !args.contains("part")) {
        assert!(readme.contains(&format!("binlogsh {args}")), "the README has {args:?}");
        // An eighth of the futures is a sample.
        let more = if args.starts_with("rehearse") && !is_soak() { " --shard 1/8" } else { "" };
        ci_shell(&format!("{args}{more}")).go().succeeds();
    }
}

#[test]
fn the_parts_of_the_examples_ci_find_to_the_byte_what_one_process_finds() {
    let commands = ci_commands();
    let find = |with: &str| commands.iter().find(|args| args.contains(with)).unwrap();
    let (part, merge) = (find("--shard"), find("--merge"));
    // Twenty thousand futures are for CI's machines.
    let (part, _) = part.replace("20000", "400").split_once(" > ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let whole = ci_shell(&part.replace("--shard ${{ matrix.part }}/4", "")).go().succeeds().stdout;
    let parts: Vec<String> = std::thread::scope(|scope| {
        let run = |number: usize| {
            let args = part.replace("${{ matrix.part }}", &number.to_string());
            scope.spawn(move || ci_shell(&args).go().succeeds().stdout)
        };
        let all: Vec<_> = (1..=4).map(run).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let shell = ci_shell(&format!("{merge} --output json"));
    let shell = parts.iter().zip(1..).fold(shell, |shell, (text, at)| shell.file(&format!("part-{at}.json"), text));
    assert_eq!(shell.go().succeeds().stdout, whole);
}

#[test]
fn a_test_and_the_script_that_it_runs_hold_no_more_than_a_script_may() {
    let hold = "let s = \"\"; s.pad(9_000_000, \"x\"); s.len()";
    for body in [hold, "t.run(\"pause.rhai\");"] {
        let shell = suite(&format!("fn test_it(t) {{ {body} }}")).file("pause.rhai", hold);
        let ran = shell.env("BINLOGSH_MAX_MEMORY", "6").go().exits(1);
        ran.stdout_contains("the script holds more than 6 MiB of memory").stdout_contains("0 passed, 1 failed");
    }
}
