//! The hosts of the cluster as ssh finds them: who gets in, and what is there.

use super::{ssh, ssh_within};
use crate::support::fleet::{Fleet, Reception, UnitState};
use binlogsh::node::Kind;
use std::time::{Duration, Instant};

const PUMP: (Kind, &str) = (Kind::Pump, "pump-1");

#[test]
fn ssh_starts_and_stops_a_node_by_systemctl_and_sudo() {
    let fleet = Fleet::sample("default").with_sshd();
    let unit = fleet.unit(PUMP.0, PUMP.1);
    let (first, run) = (fleet.process(PUMP.0, PUMP.1), |what: &str| ssh(&fleet, PUMP, what));
    assert_eq!(run(&format!("systemctl is-active {unit}")).said(), (0, "active\n", ""));
    assert_eq!(run(&format!("sudo -n systemctl stop {unit}")).said(), (0, "", ""));
    assert_eq!(run(&format!("systemctl is-active {unit}")).said(), (3, "inactive\n", ""));
    assert_eq!(fleet.cluster.recorded(PUMP.0, PUMP.1), "paused");
    let start = format!("sudo -n systemctl daemon-reload && sudo -n systemctl start {unit}");
    assert_eq!(run(&start).said(), (0, "", ""));
    assert!(fleet.process(PUMP.0, PUMP.1).is_some_and(|pid| Some(pid) != first));
    assert_eq!(run(&start).said(), (0, "", ""), "to start what runs is no error");
    let refused = run(&format!("systemctl stop {unit}"));
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("Interactive authentication required."), "{refused:?}");
    let calls = fleet.calls();
    assert_eq!(calls[1..3], [format!("sudo -n systemctl stop {unit}"), format!("systemctl stop {unit}")]);
}

#[test]
fn a_host_knows_its_own_units_only() {
    let fleet = Fleet::sample("default").with_sshd();
    let (own, other) = (fleet.unit(PUMP.0, PUMP.1), fleet.unit(Kind::Drainer, "drainer-0"));
    let missing = ssh(&fleet, PUMP, &format!("sudo -n systemctl start {other}"));
    assert_eq!(missing.said(), (5, "", format!("Failed to start {other}: Unit {other} not found.\n").as_str()));
    assert_eq!(ssh(&fleet, PUMP, &format!("systemctl is-active {other}")).said(), (3, "inactive\n", ""));
    let shown = ssh(&fleet, PUMP, &format!("systemctl show -p LoadState,ActiveState {other} {own}"));
    assert_eq!(shown.stdout, "LoadState=not-found\nActiveState=inactive\n\nLoadState=loaded\nActiveState=active\n");
}

#[test]
fn units_of_the_user_need_no_sudo_and_are_none_of_the_systems() {
    let fleet = Fleet::sample("default").with_sshd().with_user_units();
    let unit = fleet.unit(PUMP.0, PUMP.1);
    assert_eq!(ssh(&fleet, PUMP, &format!("systemctl --user stop {unit}")).said(), (0, "", ""));
    assert_eq!(fleet.unit_state(PUMP.0, PUMP.1), UnitState::Inactive);
    assert_eq!(ssh(&fleet, PUMP, &format!("sudo -n systemctl start {unit}")).code, 5);
}

#[test]
fn the_log_of_a_node_and_the_words_of_systemd_are_there() {
    let fleet = Fleet::sample("default").with_sshd();
    let (unit, dir) = (fleet.unit(PUMP.0, PUMP.1), fleet.deploy_dir(PUMP.0, PUMP.1));
    fleet.restart_after(None);
    fleet.stop_unit(PUMP.0, PUMP.1);
    fleet.starts_fail(PUMP.0, PUMP.1, Some("disk is full"));
    let fails = format!(
        "sudo -n systemctl start {unit}; for i in $(seq 2000); do systemctl is-active {unit} | grep -q failed && exit; done; false"
    );
    assert_eq!(ssh(&fleet, PUMP, &fails).code, 0, "it never fails");
    let found = ssh(&fleet, PUMP, &format!("grep -E '\\[(FATAL|ERROR)\\]' {}/log/pump.log | tail -n 1", dir.display()));
    assert!(found.stdout.ends_with("[\"create pump server failed\"] [error=\"disk is full\"]\n"), "{found:?}");
    let journal = ssh(&fleet, PUMP, &format!("sudo -n journalctl -u {unit} -n 1 --no-pager"));
    assert_eq!(journal.stdout, format!("{unit}: Main process exited, code=exited, status=1/FAILURE\n"));
    let status = ssh(&fleet, PUMP, &format!("systemctl status {unit}"));
    assert!(status.code == 3 && status.stdout.contains("Active: failed (failed)"), "{status:?}");
    let result = ssh(&fleet, PUMP, &format!("systemctl show --property=Result --value {unit}"));
    assert_eq!(result.stdout, "exit-code\n");
}

#[test]
fn a_sudo_that_wants_a_password_is_asked_for_none() {
    let fleet = Fleet::sample("default").with_sshd();
    fleet.set(|knobs| knobs.sudo_asks = true);
    let said = ssh(&fleet, PUMP, &format!("sudo -n systemctl stop {}", fleet.unit(PUMP.0, PUMP.1)));
    assert_eq!(said.said(), (1, "", "sudo: a password is required\n"));
    assert_eq!(fleet.unit_state(PUMP.0, PUMP.1), UnitState::Active);
}

#[test]
fn a_server_with_another_host_key_is_not_gone_to() {
    let fleet = Fleet::sample("default").with_sshd();
    fleet.receive(Reception::AnotherKey);
    let said = ssh(&fleet, PUMP, "systemctl daemon-reload");
    assert_eq!(said.code, 255);
    assert!(said.stderr.contains("REMOTE HOST IDENTIFICATION HAS CHANGED"), "{said:?}");
    assert!(said.stderr.contains("Host key verification failed."), "{said:?}");
    assert_eq!(fleet.calls(), Vec::<String>::new());
}

#[test]
fn a_server_that_knows_no_key_and_one_that_is_silent_let_nobody_in() {
    let fleet = Fleet::sample("default").with_sshd();
    fleet.receive(Reception::WantsPassword);
    let said = ssh(&fleet, PUMP, "true");
    assert_eq!(said.code, 255);
    assert!(said.stderr.contains("Permission denied (publickey,password)."), "{said:?}");
    fleet.receive(Reception::Silent);
    let began = Instant::now();
    assert_eq!(ssh_within(2, &fleet, PUMP, "true").code, 255);
    assert!(began.elapsed() >= Duration::from_secs(2), "it waits for its time-out");
}
