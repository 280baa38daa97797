//! Nodes as processes: what signals, kills and restarts do to them, seen from outside.

use crate::harness::Shell;
use crate::support::eventually;
use crate::support::fleet::{Fleet, UnitState};
use binlogsh::node::Kind;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// The variable that makes a test of this file the owner of a fleet that is killed.
const OWNER: &str = "BINLOGSH_TEST_FLEET_OWNER";

fn started_at(fleet: &Fleet, id: &str) -> String {
    Shell::live(&fleet.url()).eval(&format!(r#"print(started_at("{id}"))"#)).succeeds().stdout
}

fn probe(fleet: &Fleet, id: &str) -> String {
    Shell::live(&fleet.url()).eval(&format!(r#"print(probe("{id}"))"#)).succeeds().stdout
}

/// Whether there is such a process that is more than a remnant nobody waited for.
fn runs(pid: u32) -> bool {
    let pid = Pid::from_raw(pid.cast_signed()).unwrap();
    let remnant = || {
        let status = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_pid())).unwrap_or_default();
        status.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
    };
    test_kill_process(pid).is_ok() && !remnant()
}

#[test]
fn a_unit_that_is_stopped_pauses_its_node_and_exits_with_0() {
    let fleet = Fleet::sample("default");
    let before = fleet.process(Kind::Pump, "pump-1").unwrap();
    assert_eq!(probe(&fleet, "pump-1").trim(), "online");
    fleet.stop_unit(Kind::Pump, "pump-1");
    assert_eq!(
        fleet.cluster.recorded(Kind::Pump, "pump-1"),
        "paused",
        "the record is written before the process exits"
    );
    assert_eq!(fleet.ended(Kind::Pump, "pump-1").unwrap().code(), Some(0));
    assert_eq!(fleet.unit_state(Kind::Pump, "pump-1"), UnitState::Inactive);
    assert!(!runs(before) && fleet.process(Kind::Pump, "pump-1").is_none());
    assert_eq!(probe(&fleet, "pump-1").trim(), "refused");
    assert!(fleet.log(Kind::Pump, "pump-1").contains(r#"["got signal to exit."] [signal=terminated]"#));
}

#[test]
fn a_unit_that_is_started_again_has_a_new_process_with_a_start_time_of_its_own() {
    let fleet = Fleet::sample("default");
    for (kind, id) in [(Kind::Pump, "pump-1"), (Kind::Drainer, "drainer-0")] {
        let (pid, began) = (fleet.process(kind, id).unwrap(), started_at(&fleet, id));
        fleet.start_unit(kind, id);
        assert_eq!(fleet.process(kind, id), Some(pid), "one that runs is left alone");
        fleet.stop_unit(kind, id);
        fleet.start_unit(kind, id);
        Shell::live(&fleet.url()).eval(&format!(r#"wait_for("{id}", "online", "20s")"#)).succeeds();
        assert_ne!(fleet.process(kind, id), Some(pid));
        assert_ne!(started_at(&fleet, id), began);
    }
}

#[test]
fn a_killed_process_leaves_its_record_and_is_started_again_after_a_while() {
    let fleet = Fleet::sample("default");
    fleet.restart_after(None);
    let pid = fleet.process(Kind::Drainer, "drainer-0").unwrap();
    fleet.kill(Kind::Drainer, "drainer-0");
    assert!(eventually(SOON, || fleet.process(Kind::Drainer, "drainer-0").is_none()));
    assert_eq!(fleet.ended(Kind::Drainer, "drainer-0").unwrap().signal(), Some(Signal::KILL.as_raw()));
    assert_eq!(fleet.unit_state(Kind::Drainer, "drainer-0"), UnitState::Failed);
    assert_eq!(probe(&fleet, "drainer-0").trim(), "refused");
    assert_eq!(fleet.cluster.recorded(Kind::Drainer, "drainer-0"), "online");

    fleet.restart_after(Some(Duration::from_millis(50)));
    fleet.start_unit(Kind::Drainer, "drainer-0");
    Shell::live(&fleet.url()).eval(r#"wait_for("drainer-0", "online", "20s")"#).succeeds();
    let second = fleet.process(Kind::Drainer, "drainer-0").unwrap();
    fleet.kill(Kind::Drainer, "drainer-0");
    let third = || fleet.process(Kind::Drainer, "drainer-0").is_some_and(|third| third != second && third != pid);
    assert!(eventually(SOON, third), "it is not started again");
    Shell::live(&fleet.url()).eval(r#"wait_for("drainer-0", "online", "20s")"#).succeeds();
}

#[test]
fn a_node_that_is_paused_or_closed_by_a_request_exits_with_0_and_stays_down() {
    let fleet = Fleet::sample("default");
    fleet.restart_after(Some(Duration::ZERO));
    let shell = Shell::live(&fleet.url()).yes();
    shell.eval(r#"pause_pump("pump-0", #{ wait: "20s" }); offline_drainer("drainer-1", #{ wait: "20s" })"#).succeeds();
    for (kind, id, state) in [(Kind::Pump, "pump-0", "paused"), (Kind::Drainer, "drainer-1", "offline")] {
        assert!(eventually(SOON, || fleet.unit_state(kind, id) == UnitState::Inactive), "{id}");
        assert_eq!((fleet.ended(kind, id).unwrap().code(), fleet.process(kind, id)), (Some(0), None), "{id}");
        assert_eq!(fleet.cluster.recorded(kind, id), state);
    }
}

#[test]
fn a_closing_pump_ignores_sigterm_and_is_killed_after_a_while() {
    let fleet = Fleet::sample("closing-pump");
    let closing = (Kind::Pump, "pump-1");
    assert_eq!(probe(&fleet, closing.1).trim(), "closing");
    fleet.terminate(closing.0, closing.1);
    let heard = || fleet.log(closing.0, closing.1).contains("got signal to exit.");
    assert!(eventually(SOON, heard));
    assert_eq!(probe(&fleet, closing.1).trim(), "closing");
    fleet.stop_timeout(Duration::from_millis(200));
    fleet.stop_unit(closing.0, closing.1);
    assert_eq!(fleet.ended(closing.0, closing.1).unwrap().signal(), Some(Signal::KILL.as_raw()));
    assert_eq!(fleet.unit_state(closing.0, closing.1), UnitState::Failed);
    assert_eq!(fleet.cluster.recorded(closing.0, closing.1), "online");
}

#[test]
fn a_program_that_cannot_start_says_why_in_its_log_and_exits_with_1() {
    let fleet = Fleet::sample("default");
    fleet.restart_after(None);
    fleet.stop_unit(Kind::Pump, "pump-2");
    fleet.starts_fail(Kind::Pump, "pump-2", Some("open /tidb-data/pump-8250: no space left on device"));
    fleet.start_unit(Kind::Pump, "pump-2");
    assert!(eventually(SOON, || fleet.unit_state(Kind::Pump, "pump-2") == UnitState::Failed));
    assert_eq!(fleet.ended(Kind::Pump, "pump-2").unwrap().code(), Some(1));
    let log = fleet.log(Kind::Pump, "pump-2");
    let last = log.lines().last().unwrap();
    assert!(
        last.contains("[FATAL]") && last.ends_with(r#"[error="open /tidb-data/pump-8250: no space left on device"]"#)
    );
    assert_eq!(fleet.cluster.recorded(Kind::Pump, "pump-2"), "paused");
    fleet.starts_fail(Kind::Pump, "pump-2", None);
    fleet.start_unit(Kind::Pump, "pump-2");
    Shell::live(&fleet.url()).eval(r#"wait_for("pump-2", "online", "20s")"#).succeeds();
}

#[test]
fn a_stopped_process_takes_connections_and_says_nothing_until_it_goes_on() {
    let fleet = Fleet::sample("default");
    // It listens before it can be silent.
    assert!(eventually(SOON, || probe(&fleet, "drainer-1").trim() == "online"));
    fleet.hang(Kind::Drainer, "drainer-1");
    assert_eq!(probe(&fleet, "drainer-1").trim(), "silent");
    fleet.go_on(Kind::Drainer, "drainer-1");
    assert_eq!(probe(&fleet, "drainer-1").trim(), "online");
}

/// The owner of a fleet that is killed; by itself it does nothing.
#[test]
fn the_owner_of_a_fleet() {
    if std::env::var_os(OWNER).is_none() {
        return;
    }
    let fleet = Fleet::sample("default");
    fleet.hang(Kind::Pump, "pump-0");
    let nodes = [(Kind::Pump, "pump-0"), (Kind::Pump, "pump-1"), (Kind::Drainer, "drainer-0")];
    let nodes = nodes.map(|(kind, id)| fleet.process(kind, id).unwrap().to_string());
    let (etcd, dir) = fleet.cluster.etcd_left_behind();
    writeln!(std::io::stdout(), "\npids {}\netcd {etcd} {}", nodes.join(" "), dir.display()).unwrap();
    std::thread::sleep(SOON);
}

#[test]
fn when_a_test_is_killed_its_programs_end_too() {
    let home = tempfile::tempdir().unwrap();
    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "fleet::processes::the_owner_of_a_fleet", "--nocapture"])
        .env(OWNER, "1")
        .env("TMPDIR", home.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut says = |word: &str| lines.find_map(|line| line.strip_prefix(word).map(str::to_owned)).unwrap();
    let (pids, etcd) = (says("pids "), says("etcd "));
    let pids: Vec<u32> = pids.split(' ').map(|pid| pid.parse().unwrap()).collect();
    assert!(pids.iter().all(|pid| runs(*pid)));
    kill_process(Pid::from_child(&owner), Signal::KILL).unwrap();
    owner.wait().unwrap();
    let (etcd, dir) = etcd.split_once(' ').unwrap();
    kill_process(Pid::from_raw(etcd.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    std::fs::remove_dir_all(dir).unwrap();
    for pid in pids {
        assert!(eventually(SOON, || !runs(pid)), "process {pid} was left behind");
    }
}
