//! What is said of a wait: what is missing meanwhile, what can be done in the end, and how what was only begun is waited for.

use crate::harness::Shell;

#[test]
fn a_wait_says_what_is_missing_while_it_waits() {
    let code = r#"
        import "drainers" as drainers;
        pause_drainer("drainer-0", #{ wait: "1m" });
        drainers::wait_until_each_advances(["drainer-0"], "30s")
    "#;
    let ran = Shell::sandbox("default").yes().arg("--output=jsonl").eval(code).exits(4);
    let waits: Vec<&str> = ran.stderr.lines().filter(|line| line.contains("these Drainers advance")).collect();
    assert!(waits[0].contains(r#""figures":"""#), "nothing is asked for in the first seconds: {waits:?}");
    assert!(waits[1].contains(r#""figures":"drainer-0 says paused"#), "{waits:?}");
}

#[test]
fn what_cannot_be_said_while_a_wait_goes_on_ends_nothing() {
    let code =
        r#"let begin = now(); wait_until("x", || if now() - begin > 20 { true } else { || no_such() }, "1m") > 20.0"#;
    Shell::sandbox("default").eval(code).succeeds().stdout("true");
}

#[test]
fn a_wait_in_vain_says_what_somebody_has_to_do_first() {
    let fails = |code: &str| Shell::sandbox("default").yes().eval(code).exits(4);
    let alone = "it does not get there by itself: ";
    fails(r#"kill("pump-1"); wait_for("pump-1", "offline", "3s")"#)
        .stderr_contains(&format!("{alone}it has no process; start it and tell it again"));
    fails(r#"pause_pump("pump-1", #{ wait: "1m" }); wait_for("pump-1", "online", "3s")"#)
        .stderr_contains(&format!("{alone}it has no process, and has to be started"));
    let paused = r#"pause_drainer("drainer-0", #{ wait: "1m" }); sleep(10); offline_pump("pump-1", #{ wait: "5s", force: ["stuck_drainer"] })"#;
    fails(paused).stderr_contains(&format!("{alone}drainer-0, which is paused, has to be started and to read on"));
    fails(r#"hang("pump-1"); wait_for("pump-1", "offline", "3s")"#).stderr_contains("it may still get there");
}

const BEGUN: &str = r#"it has only begun: wait_for("pump-1", "offline") waits for it"#;

#[test]
fn who_types_a_change_that_goes_on_is_told_how_it_is_waited_for() {
    let shell = || Shell::sandbox("default").yes();
    shell().eval(r#"offline_pump("pump-1")"#).succeeds().stderr_contains(BEGUN);
    let silent = [
        shell().eval(r#"offline_pump("pump-1", #{ wait: "1m" })"#),
        shell().arg("--output=json").eval(r#"offline_pump("pump-1")"#),
        shell().eval(r#"update_pump("pump-1", "paused", #{ force: ["alive"] })"#),
        shell()
            .file("s.rhai", "//! Closes.\noffline_pump(\"pump-1\"); wait_for(\"pump-1\", \"offline\");")
            .run("s.rhai", &[]),
        Shell::sandbox("default").arg("ctl").arg("-cmd=offline-pump").arg("-node-id=pump-1").go(),
    ];
    for ran in silent {
        let ran = ran.succeeds();
        assert!(
            !ran.stderr.contains("only begun") && !ran.stdout.contains("only begun"),
            "{}{}",
            ran.stdout,
            ran.stderr
        );
    }
}
