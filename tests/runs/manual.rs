//! Work by hand that nobody does, or that comes to nothing: the run ends, and goes on once it was done.

use super::*;
use crate::support::eventually;
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use binlogsh::sim::Signal;
use binlogsh::world::LOCK_KEY;
use std::time::Duration;

/// Has somebody restart a Pump, and does not wait for long.
const RESTART: &str = r#"
    //! Restarts a Pump by hand.
    step("pause", || pause_pump("pump-1", #{ wait: "30s" }));
    step("start", || manual("start pump-1 with the new binary", #{ starts: ["pump-1"], timeout: "2s" }));
    step("wait", || wait_for("pump-1", "online", "60s"));
    print("all is done");
"#;

fn place() -> Place {
    let place = Place::new();
    std::fs::write(place.script(), RESTART).unwrap();
    place
}

fn run(place: &Place) -> Shell {
    place.shell().yes().arg("run").arg(place.script().display().to_string())
}

/// What is seen of a Pump whose process does not come up.
const SEEN: &str = "pump pump-1 does not answer yet (a probe says refused, its record says paused)";

#[test]
fn work_by_hand_that_comes_to_nothing_says_what_it_sees_and_ends_as_a_run_to_go_on_with() {
    let place = place();
    let ran = run(&place).go().fails(ErrorKind::Timeout);
    let ran = ran.stderr_contains("to be done by hand: start pump-1 with the new binary");
    let ran = ran.stderr_contains("waiting for \"start pump-1 with the new binary\"");
    let ran = ran.stderr_contains("s of 2s: pump pump-1 does not answer yet (a probe says refused");
    let ran = ran.stderr_contains("was not seen to be done in 2").stderr_contains(SEEN);
    ran.stderr_contains("go on with the run").stderr_contains(" runs resume ");
    assert!(place.cluster.kv().get(LOCK_KEY).is_none(), "nobody else has to wait for it");
}

#[test]
fn a_run_that_goes_on_repeats_what_is_to_be_done_by_hand() {
    let place = place();
    run(&place).go().fails(ErrorKind::Timeout);
    let again = place.resume().fails(ErrorKind::Timeout).stderr_contains("it was not done");
    again.stderr_contains("to be done by hand: start pump-1 with the new binary").stderr_contains(SEEN);
    let shown = place.runs(&["show", &place.id()]).go().succeeds();
    assert!(!shown.stdout.contains("nobody knows more"), "{}", shown.stdout);
}

#[test]
fn a_run_that_goes_on_finds_out_that_the_work_was_done_meanwhile() {
    let place = place();
    run(&place).go().fails(ErrorKind::Timeout);
    place.cluster.start_process(Kind::Pump, "pump-1");
    place.shell().eval(r#"wait_for("pump-1", "online", "30s")"#).succeeds();
    let resumed = place.resume().succeeds().stdout_contains("all is done").stderr_contains("it was done");
    assert!(!resumed.stderr.contains("to be done by hand"), "{}", resumed.stderr);
    assert_eq!(place.told_to_pause(), 1);
}

#[test]
fn the_process_that_did_not_come_up_in_time_and_then_did_is_the_one_that_was_started() {
    let place = place();
    // It is started while somebody waits, and answers only when nobody does any more.
    let slow = r#"{"kind": "slow_start", "node": "pump-1", "after": 0, "lasts": 8}"#;
    let fault: binlogsh::sim::Fault = serde_json::from_str(slow).unwrap();
    let (mut seen, cluster) = (false, &place.cluster);
    let ran = run(&place).watched(|line| {
        if line.contains("waiting for \"start pump-1") && !seen {
            seen = true;
            cluster.with(|cluster| cluster.add_fault(fault.clone())).unwrap();
            let begins = cluster.with(|cluster| cluster.now());
            let began = || cluster.with(|cluster| cluster.now()) > begins;
            assert!(eventually(Duration::from_secs(10), began));
            cluster.start_process(Kind::Pump, "pump-1");
        }
    });
    ran.fails(ErrorKind::Timeout);
    place.shell().eval(r#"wait_for("pump-1", "online", "60s")"#).succeeds();
    place.resume().succeeds().stdout_contains("all is done").stderr_contains("it was done");
}

#[test]
fn the_next_run_of_a_script_that_failed_half_way_tells_of_it() {
    let place = place();
    run(&place).go().fails(ErrorKind::Timeout);
    // It begins anew, and the Pump is paused by now; whoever sits at a terminal is asked instead.
    run(&place).go().stderr_contains("was stopped: ").stderr_contains("to go on with it: ");
    // Once a later one has come to its end it is over.
    std::fs::write(place.script(), "//! Pauses.\npause_drainer(\"drainer-0\", #{ wait: \"30s\" });\n").unwrap();
    run(&place).go().succeeds().stderr_contains("was stopped: ");
    assert!(!run(&place).go().stderr.contains("was stopped"));
}

#[test]
fn a_run_with_other_parameters_is_told_of_and_never_gone_on_with() {
    let place = Place::new();
    let code = "//! Pauses a node.\nlet id = param(\"id\");\nstep(\"pause\", || pause_drainer(id, #{ wait: \"30s\" }));\n\
                ensure(id == \"drainer-1\", \"as a test wants it\");\n";
    std::fs::write(place.script(), code).unwrap();
    let run = |id: &str| place.shell().yes().run(place.script(), &[&format!("id={id}")]);
    run("drainer-0").fails(ErrorKind::Failed);
    let other = run("drainer-1").succeeds();
    other.stderr_contains("with other parameters was stopped: ").stderr_contains("with id=drainer-0, begun ");
    // That this one is done does not end the other.
    run("drainer-0").stderr_contains("The last run of ").stderr_contains("with id=drainer-0, begun ");
}

#[test]
fn a_process_that_hung_is_seen_to_be_another_one() {
    let place = Place::new();
    let code = "//! Restarts a Pump that hangs.\nstep(\"restart\", || manual(\"restart pump-1\", #{ starts: [\"pump-1\"], timeout: \"30s\" }));\n";
    std::fs::write(place.script(), code).unwrap();
    let cluster = &place.cluster;
    let who = cluster.who(Kind::Pump, "pump-1");
    cluster.with(|cluster| cluster.signal(who, Signal::Stop));
    let mut seen = false;
    let ran = run(&place).watched(|line| {
        if line.contains("does not answer yet (a probe says silent") && !seen {
            seen = true;
            cluster.with(|cluster| cluster.signal(who, Signal::Kill));
            cluster.start_process(Kind::Pump, "pump-1");
        }
    });
    assert!(seen, "{}", ran.stderr);
    ran.succeeds();
}
