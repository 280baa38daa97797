//! What is in the way of starting and stopping nodes: hosts that let nobody in, programs that hang, fail, lie, or take the
//! wrong node. Nothing of it goes unnoticed, and what is said tells where it went wrong.

use super::unattended::Desk;
use crate::harness::Ran;
use crate::support::fleet::programs::Obedience;
use crate::support::fleet::{Fleet, Reception, UnitState};
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use std::time::Duration;

const DRAINER: (Kind, &str) = (Kind::Drainer, "drainer-1");

/// For commands that end by themselves, however slow this machine is.
const PATIENT: &str = "1m";
/// For those that never do.
const SHORT: &str = "2s";
/// For those that end, after which nothing comes of it.
const LIED_TO: &str = "8s";

/// A desk at which somebody restarts a Drainer and waits for so long; its process is the same afterwards.
fn restart_in_vain(timeout: &str, prepare: impl FnOnce(&Fleet)) -> Ran {
    let desk = Desk::new();
    let before = desk.pids();
    prepare(&desk.fleet);
    let ran = desk.unattended().eval(&format!("restart(\"drainer-1\", #{{ timeout: \"{timeout}\" }})"));
    assert_eq!(desk.pids(), before);
    assert!(ran.stderr.contains("drainer-1"), "{}", ran.stderr);
    ran
}

fn disobedient(timeout: &str, obedience: Obedience) -> Ran {
    restart_in_vain(timeout, |fleet| fleet.set(|knobs| knobs.obedience = obedience))
}

fn received(timeout: &str, reception: Reception) -> Ran {
    restart_in_vain(timeout, |fleet| fleet.receive(reception))
}

#[test]
fn a_systemctl_that_says_success_and_does_nothing_is_found_out() {
    let ran = disobedient(LIED_TO, Obedience::InWordsOnly).fails(ErrorKind::Timeout);
    let ran = ran.stderr_contains("was not seen to be done").stderr_contains("was not started again");
    ran.stderr_contains("its supervisor: ActiveState=active").stderr_contains("its log says nothing of an error");
}

#[test]
fn a_systemctl_that_fails_is_quoted() {
    let ran = disobedient(PATIENT, Obedience::Fails(1, "Job for drainer.service canceled.".to_owned()))
        .fails(ErrorKind::Failed);
    ran.stderr_contains("Job for drainer.service canceled.").stderr_contains("exit code 1");
}

#[test]
fn a_systemctl_that_hangs_is_given_up() {
    disobedient(SHORT, Obedience::Hangs).fails(ErrorKind::Timeout).stderr_contains("2.0s");
}

#[test]
fn a_program_that_starts_the_wrong_node_is_found_out_and_the_node_is_named() {
    let desk = Desk::new();
    for id in ["pump-0", "pump-1"] {
        desk.fleet.stop_unit(Kind::Pump, id);
    }
    desk.fleet.set(|knobs| knobs.obedience = Obedience::ToAnother);
    let ran = desk.unattended().eval("start(\"pump-0\", #{ timeout: \"8s\" })").fails(ErrorKind::Timeout);
    ran.stderr_contains("pump pump-1").stderr_contains("was started instead");
    assert_eq!(desk.fleet.process(Kind::Pump, "pump-0"), None);
}

#[test]
fn a_node_that_does_not_come_up_shows_the_last_error_of_its_log_and_its_unit() {
    let desk = Desk::new();
    desk.fleet.restart_after(None);
    desk.fleet.stop_unit(Kind::Pump, "pump-1");
    desk.fleet.starts_fail(Kind::Pump, "pump-1", Some("no space left on device"));
    let ran = desk.unattended().eval("start(\"pump-1\", #{ timeout: \"8s\" })").fails(ErrorKind::Timeout);
    let ran = ran.stderr_contains("[FATAL]").stderr_contains("no space left on device");
    ran.stderr_contains("ActiveState=failed").stderr_contains("ExecMainStatus=1");
    assert_eq!(desk.fleet.unit_state(Kind::Pump, "pump-1"), UnitState::Failed);
}

#[test]
fn a_sudo_that_asks_for_a_password_is_given_none() {
    let ran = restart_in_vain(PATIENT, |fleet| fleet.set(|knobs| knobs.sudo_asks = true)).fails(ErrorKind::Failed);
    ran.stderr_contains("sudo: a password is required");
}

#[test]
fn a_host_whose_key_changed_is_not_gone_to() {
    let ran = received(PATIENT, Reception::AnotherKey).fails(ErrorKind::Unreachable);
    ran.stderr_contains("Host key verification failed.").stderr_contains("is never taken here");
}

#[test]
fn a_host_whose_key_nobody_knows_is_not_gone_to_and_not_learnt() {
    let desk = Desk::new();
    let known = desk.fleet.known_hosts();
    std::fs::write(&known, "").unwrap();
    let ran = desk.unattended().eval("restart(\"drainer-1\")").fails(ErrorKind::Unreachable);
    ran.stderr_contains("Host key verification failed.");
    assert_eq!(std::fs::read_to_string(known).unwrap(), "");
    assert_eq!(desk.fleet.calls(), Vec::<String>::new());
}

#[test]
fn a_host_that_asks_for_a_password_is_given_none() {
    received(PATIENT, Reception::WantsPassword).fails(ErrorKind::Unreachable).stderr_contains("Permission denied");
}

#[test]
fn a_host_that_says_nothing_is_given_up() {
    received(SHORT, Reception::Silent).fails(ErrorKind::Timeout);
}

#[test]
fn a_closing_pump_is_neither_stopped_nor_restarted() {
    let desk = Desk::of(Fleet::sample("closing-pump").with_sshd(), "systemd-ssh");
    desk.fleet.stop_timeout(Duration::from_millis(100));
    for verb in ["stop", "restart"] {
        let ran = desk.unattended().eval(&format!("{verb}(\"pump-1\")")).fails(ErrorKind::Refused);
        ran.stderr_contains("forgets_close");
    }
    assert_eq!(desk.fleet.calls(), Vec::<String>::new());
    assert!(desk.fleet.process(Kind::Pump, "pump-1").is_some());
}

#[test]
fn without_leave_nobody_is_told_to_do_anything() {
    let desk = Desk::new();
    desk.shell().yes().eval("restart(\"drainer-1\")").fails(ErrorKind::Refused).stderr_contains("--allow-node-control");
    assert_eq!(desk.fleet.calls(), Vec::<String>::new());
    assert_eq!(desk.fleet.unit_state(DRAINER.0, DRAINER.1), UnitState::Active);
}
