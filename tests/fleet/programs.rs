//! What tiup and Kubernetes do when they are told to start and stop nodes, and what all of them do wrong on demand.

use super::{Said, output};
use crate::harness::Shell;
use crate::support::eventually;
use crate::support::fleet::programs::{CLUSTER, NAMESPACE, Obedience};
use crate::support::fleet::{Fleet, UnitState};
use binlogsh::node::Kind;
use std::net::TcpStream;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

const PUMP: (Kind, &str) = (Kind::Pump, "pump-1");
const SOON: Duration = Duration::from_secs(20);

/// A program of this host.
fn run(fleet: &Fleet, program: &str, args: &[&str]) -> Said {
    output(Command::new(fleet.bin().join(program)).args(args).envs(fleet.env()))
}

fn tiup(fleet: &Fleet, verb: &str, node: &str) -> Said {
    run(fleet, "tiup", &["cluster", verb, CLUSTER, "-N", node, "-y"])
}

#[test]
fn tiup_starts_and_stops_a_node_and_says_that_it_did_so_to_one_that_it_does_not_know() {
    let fleet = Fleet::sample("default");
    let address = fleet.address(PUMP.0, PUMP.1).to_string();
    let stopped = tiup(&fleet, "stop", &address);
    assert!(stopped.code == 0 && stopped.stdout.contains("Stopped cluster `fleet` successfully"), "{stopped:?}");
    assert_eq!(fleet.cluster.recorded(PUMP.0, PUMP.1), "paused");
    assert_eq!(tiup(&fleet, "start", &address).code, 0);
    assert_eq!(fleet.unit_state(PUMP.0, PUMP.1), UnitState::Active);
    let before = fleet.process(PUMP.0, PUMP.1);
    let unknown = tiup(&fleet, "restart", "10.9.9.9:8250");
    assert_eq!((unknown.code, fleet.process(PUMP.0, PUMP.1)), (0, before));
    assert!(unknown.stdout.contains("Restarted cluster `fleet` successfully"), "{unknown:?}");
    assert_eq!(run(&fleet, "tiup", &["cluster", "start", "nobody's"]).code, 1);
    let asks = run(&fleet, "tiup", &["cluster", "stop", CLUSTER, "-N", &address]);
    assert!(asks.code == 1 && asks.stderr.contains("Operation aborted by user"), "{asks:?}");
}

#[test]
fn tiup_waits_for_a_port_and_says_which_one_did_not_open() {
    let fleet = Fleet::sample("default");
    fleet.restart_after(None);
    fleet.stop_unit(PUMP.0, PUMP.1);
    fleet.starts_fail(PUMP.0, PUMP.1, Some("no"));
    fleet.set(|knobs| knobs.tiup_waits = Duration::from_millis(300));
    let address = fleet.address(PUMP.0, PUMP.1);
    let said = tiup(&fleet, "start", &address.to_string());
    assert_eq!(said.code, 1);
    assert!(said.stderr.contains(&format!("timed out waiting for port {} to be started", address.port())), "{said:?}");
}

#[test]
fn tiups_directory_describes_the_cluster() {
    let fleet = Fleet::sample("default");
    let [home, path] = fleet.env();
    let shell = Shell::new(&["--cluster", CLUSTER]).env(home.0, &home.1).env(path.0, &path.1);
    shell.eval("print(nodes().len())").succeeds().stdout("5");
    let meta = fleet.tiup_home().join("storage/cluster/clusters").join(CLUSTER).join("meta.yaml");
    let meta = std::fs::read_to_string(meta).unwrap();
    for at in ["pump-0", "pump-1", "pump-2"] {
        let (address, dir) = (fleet.address(Kind::Pump, at), fleet.deploy_dir(Kind::Pump, at));
        assert!(meta.contains(&format!("- host: {}\n    port: {}\n", address.ip(), address.port())), "{meta}");
        assert!(meta.contains(&dir.display().to_string()), "{meta}");
    }
}

#[test]
fn a_deleted_pod_is_killed_and_comes_back_and_a_paused_one_sleeps_until_then() {
    let fleet = Fleet::in_kubernetes("default");
    fleet.set(|knobs| knobs.grace = Duration::from_millis(100));
    let id = fleet.ids(Kind::Pump)[1].clone();
    let (pod, first) = (fleet.pod(Kind::Pump, &id), fleet.process(Kind::Pump, &id).unwrap());
    assert_eq!((id.as_str(), pod.as_str()), ("fleet-pump-1:8250", "fleet-pump-1"));
    let delete = || run(&fleet, "kubectl", &["delete", "pod", &pod, "-n", NAMESPACE]);
    assert_eq!(delete().said(), (0, "pod \"fleet-pump-1\" deleted\n", ""));
    assert_eq!(fleet.ended(Kind::Pump, &id).unwrap().signal(), Some(9));
    assert_eq!(fleet.cluster.recorded(Kind::Pump, &id), "online");
    assert!(fleet.process(Kind::Pump, &id).is_some_and(|second| second != first));
    assert!(!fleet.log(Kind::Pump, &id).contains("got signal to exit"));

    let address = fleet.address(Kind::Pump, &id);
    assert!(eventually(SOON, || TcpStream::connect(address).is_ok()), "it does not come up");
    fleet.terminate(Kind::Pump, &id);
    assert!(eventually(SOON, || fleet.process(Kind::Pump, &id).is_none()));
    let logs = run(&fleet, "kubectl", &["logs", &pod, "-n", NAMESPACE, "--tail=1"]);
    assert_eq!(logs.stdout, "pump offline, please delete my pod\n");
    let shown = run(&fleet, "kubectl", &["get", "pod", &pod, "-n", NAMESPACE]);
    assert!(shown.stdout.contains("0/1") && shown.stdout.contains("Running"), "{shown:?}");
    delete();
    assert!(fleet.process(Kind::Pump, &id).is_some());
    let missing = run(&fleet, "kubectl", &["delete", "pod", &pod]);
    assert_eq!(missing.said(), (1, "", "Error from server (NotFound): pods \"fleet-pump-1\" not found\n"));
}

#[test]
fn a_program_can_lie_fail_do_it_to_another_node_and_hang() {
    let fleet = Fleet::sample("default");
    let unit = fleet.unit(PUMP.0, PUMP.1);
    let stop = || run(&fleet, "sudo", &["-n", "systemctl", "stop", &unit]);
    fleet.set(|knobs| knobs.obedience = Obedience::InWordsOnly);
    assert_eq!(stop().said(), (0, "", ""));
    fleet.set(|knobs| knobs.obedience = Obedience::Fails(1, "Job for it was canceled.".to_owned()));
    assert_eq!(stop().said(), (1, "", "Job for it was canceled.\n"));
    assert_eq!(fleet.unit_state(PUMP.0, PUMP.1), UnitState::Active);
    fleet.set(|knobs| knobs.obedience = Obedience::ToAnother);
    assert_eq!(stop().said(), (0, "", ""));
    let states = ["pump-1", "pump-2"].map(|id| fleet.unit_state(Kind::Pump, id));
    assert_eq!(states, [UnitState::Active, UnitState::Inactive]);
    fleet.set(|knobs| knobs.obedience = Obedience::Hangs);
    let mut hangs = Command::new(fleet.bin().join("systemctl"));
    let mut hangs = hangs.args(["start", &unit]).env("SUDO_USER", "root").spawn().unwrap();
    assert!(eventually(SOON, || fleet.calls().last() == Some(&format!("systemctl start {unit}"))));
    drop(fleet);
    let mut ended = None;
    assert!(eventually(SOON, || {
        ended = hangs.try_wait().unwrap();
        ended.is_some()
    }));
}
