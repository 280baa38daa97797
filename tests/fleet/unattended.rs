//! Scripts that start and stop nodes by themselves, as tiup's directory describes the cluster: over a real ssh, by the double
//! of `systemctl` on each host.

use crate::harness::{Ran, Shell, project};
use crate::support::eventually;
use crate::support::fleet::programs::{CLUSTER, Obedience};
use crate::support::fleet::{Fleet, UnitState};
use binlogsh::node::Kind;
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::process::Stdio;
use std::time::Duration;
use tempfile::TempDir;

const PUMPS: [&str; 3] = ["pump-0", "pump-1", "pump-2"];
const LONG: Duration = Duration::from_secs(60);

/// A fleet behind ssh, and the host of an operator, who has nothing but tiup's directory and a profile that names it.
pub(super) struct Desk {
    pub(super) fleet: Fleet,
    by: &'static str,
    data: TempDir,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self::of(Fleet::sample("default").with_sshd(), "systemd-ssh")
    }

    pub(super) fn of(fleet: Fleet, by: &'static str) -> Self {
        Self { fleet, by, data: tempfile::tempdir().unwrap() }
    }

    pub(super) fn shell(&self) -> Shell {
        let [tiup, path] = self.fleet.env();
        let profile = format!(
            "[profiles.main]\ncluster = \"{CLUSTER}\"\n\n[profiles.main.node-control]\nby = {:?}\nknown-hosts = {:?}\n",
            self.by,
            self.fleet.known_hosts().display().to_string()
        );
        let shell = Shell::new(&["--profile", "main"]).file(".config/binlogsh/config.toml", &profile);
        let data = self.data.path().display().to_string();
        shell.env(tiup.0, &tiup.1).env(path.0, &path.1).env("XDG_DATA_HOME", &data)
    }

    pub(super) fn unattended(&self) -> Shell {
        self.shell().yes().arg("--allow-node-control")
    }

    fn rolling_restart(&self) -> Shell {
        self.unattended().arg("run").arg(project("scripts/rolling_restart.rhai").display().to_string())
    }

    pub(super) fn pids(&self) -> BTreeMap<String, u32> {
        let of = |kind: Kind| self.fleet.ids(kind).into_iter().map(move |id| (kind, id));
        let all = Kind::ALL.iter().flat_map(|kind| of(*kind));
        all.map(|(kind, id)| (id.clone(), self.fleet.process(kind, &id).unwrap())).collect()
    }

    /// The Pumps whose units were told to start, in order.
    fn started(&self) -> Vec<String> {
        let id_of =
            |unit: &str| PUMPS.iter().find(|id| self.fleet.unit(Kind::Pump, id) == unit).map(|id| (*id).to_owned());
        let calls = self.fleet.calls();
        let starts = calls.iter().filter(|call| call.starts_with("systemctl start "));
        starts.filter_map(|call| id_of(call.rsplit(' ').next()?)).collect()
    }

    fn paused(&self) -> Vec<String> {
        let requests = self.fleet.requests().into_iter().filter(|request| request.path.ends_with("/pause"));
        requests.map(|request| request.path.split('/').nth(2).unwrap().to_owned()).collect()
    }

    fn all_are_online(&self) {
        for id in PUMPS {
            assert_eq!(self.fleet.cluster.recorded(Kind::Pump, id), "online", "{id}");
            assert_eq!(self.fleet.unit_state(Kind::Pump, id), UnitState::Active, "{id}");
        }
    }
}

/// The steps, as they are told: `==> pump-0: pause`.
fn steps(text: &str) -> Vec<String> {
    let step = |line: &str| line.split_once("==> ").map(|(_, step)| step.trim().to_owned());
    text.lines().filter_map(step).collect()
}

/// What a rehearsal says that it did with this verb, in order.
fn rehearsed(ran: &Ran, verb: &str) -> Vec<String> {
    let told = |line: &str| line.split_once(&format!("- {verb} ")).map(|(_, rest)| rest.to_owned());
    let id = |rest: String| rest.split([':', ' ']).next().unwrap().to_owned();
    ran.stdout.lines().filter_map(told).map(id).collect()
}

#[test]
fn a_rolling_restart_needs_nobody_and_does_what_its_rehearsal_told() {
    let desk = Desk::new();
    let script = project("scripts/rolling_restart.rhai").display().to_string();
    let told = desk.shell().arg("rehearse").arg(&script).go().succeeds();
    let before = desk.pids();
    let ran = desk.rolling_restart().go().succeeds();
    assert_eq!(steps(&ran.stderr), steps(&told.stdout));
    assert_eq!(rehearsed(&told, "start"), PUMPS);
    assert_eq!((desk.paused(), desk.started()), (rehearsed(&told, "pause"), rehearsed(&told, "start")));
    for (id, pid) in desk.pids() {
        assert_eq!(pid != before[&id], PUMPS.contains(&&*id), "the process of {id}");
    }
    desk.all_are_online();
}

impl Desk {
    /// Starts the rolling restart, and kills it with SIGKILL once `far` says so.
    fn killed_once(&self, far: impl FnMut() -> bool) {
        let shell = self.rolling_restart();
        let mut child =
            shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let has_come = eventually(LONG, far);
        let went_on = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(has_come && went_on, "it came as far, and was not over");
    }

    /// Goes on with the only run.
    fn resume(&self) -> Ran {
        let listed = self.shell().arg("runs").arg("-o").arg("json").go().succeeds();
        let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
        self.unattended().arg("runs").arg("resume").arg(rows[0]["id"].as_str().unwrap()).go()
    }
}

#[test]
fn a_rolling_restart_that_is_killed_half_way_goes_on_and_restarts_no_pump_twice() {
    let desk = Desk::new();
    let before = desk.pids();
    let second = desk.fleet.address(Kind::Pump, PUMPS[1]);
    desk.killed_once(|| desk.started().len() == 2 && TcpStream::connect(second).is_ok());
    let half_way = desk.pids();
    assert_eq!(PUMPS.map(|id| half_way[id] != before[id]), [true, true, false]);
    desk.resume().succeeds();
    let after = desk.pids();
    assert_eq!(PUMPS.map(|id| after[id] != half_way[id]), [false, false, true]);
    assert_eq!((desk.paused(), desk.started()), (PUMPS.map(str::to_owned).to_vec(), PUMPS.map(str::to_owned).to_vec()));
    desk.all_are_online();
}

#[test]
fn a_start_that_hung_when_its_run_was_killed_is_done_by_the_run_that_goes_on() {
    let desk = Desk::new();
    desk.killed_once(|| {
        let paused = desk.paused().len() == 2;
        if paused {
            desk.fleet.set(|knobs| knobs.obedience = Obedience::Hangs);
        }
        paused && desk.started().len() == 2
    });
    assert_eq!(desk.fleet.process(Kind::Pump, PUMPS[1]), None);
    desk.fleet.set(|knobs| knobs.obedience = Obedience::Full);
    desk.resume().succeeds();
    assert_eq!(desk.started(), ["pump-0", "pump-1", "pump-1", "pump-2"]);
    assert_eq!(desk.paused(), PUMPS);
    desk.all_are_online();
}

#[test]
fn units_of_the_user_are_restarted_without_sudo_and_tiup_restarts_what_it_knows() {
    for (by, call) in [("systemd-ssh", "systemctl --user restart"), ("tiup", "tiup cluster restart")] {
        let desk = Desk::of(Fleet::sample("default").with_sshd().with_user_units(), by);
        let before = desk.pids();
        desk.unattended().eval("restart(\"drainer-1\")").succeeds();
        let changed: Vec<String> =
            desk.pids().into_iter().filter(|(id, pid)| before[id] != *pid).map(|(id, _)| id).collect();
        assert_eq!(changed, ["drainer-1"]);
        let calls = desk.fleet.calls();
        assert!(calls.iter().any(|said| said.starts_with(call)), "{calls:?}");
        assert!(!calls.iter().any(|said| said.starts_with("sudo")), "{calls:?}");
    }
}
