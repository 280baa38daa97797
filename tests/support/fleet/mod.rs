//! A cluster whose nodes are programs: real processes that a supervisor starts and stops, that get signals, exit, and write
//! logs, each on a host of its own on the loopback.
//!
//! The model of the cluster stays in the test's process, as in [`LiveCluster`]; the programs hand it what they hear, and
//! end as it says.

mod control;
mod driven;
pub(crate) mod node;
mod supervisor;

use super::cluster::{LiveCluster, own_ip};
use super::eventually;
use super::http_double::HttpRequest;
use binlogsh::node::Kind;
use binlogsh::sim::{NodeIndex, Scenario};
use control::ControlSocket;
use driven::Driven;
use rustix::process::Signal;
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
pub(crate) use supervisor::UnitState;
use supervisor::{Supervised, Supervisor, Unit};
use tempfile::TempDir;

/// How long a fleet may take until all of its nodes are there.
const READY: Duration = Duration::from_secs(30);

/// A running cluster of programs. All of them end when it is dropped, and when the process of the test is killed.
pub(crate) struct Fleet {
    // What is first ends first: nobody starts a program again that lost its test.
    supervisor: Supervisor,
    _control: ControlSocket,
    /// PD, its etcd, and the model that drives the nodes.
    pub(crate) cluster: LiveCluster,
    driven: Arc<Driven>,
    dir: TempDir,
}

impl Fleet {
    /// A sample of the simulator.
    pub(crate) fn sample(name: &str) -> Self {
        Self::start(Scenario::named(name).unwrap())
    }

    /// The cluster of `scenario`: each node has a host of its own, and tiup's systemd as its supervisor in place of the
    /// scenario's.
    pub(crate) fn start(mut scenario: Scenario) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let units = units_of(&mut scenario, dir.path());
        for unit in &units {
            std::fs::create_dir_all(unit.deploy_dir.join("log")).unwrap();
        }
        let cluster = LiveCluster::without_nodes(scenario);
        let supervisor = Supervisor::new(units);
        let driven = Arc::new(Driven::new(&cluster, supervisor.shared()));
        let answering = driven.clone();
        let control = ControlSocket::start(move |words, stream| answering.answer(words, stream));
        supervisor.shared().is_controlled_at(control.address());
        let fleet = Self { supervisor, _control: control, cluster, driven, dir };
        fleet.attach_those_that_run();
        fleet
    }

    fn attach_those_that_run(&self) {
        let nodes = self.nodes();
        let there: Vec<usize> = (0..nodes.units().count()).filter(|at| self.is_in_model(nodes.unit(*at))).collect();
        there.iter().for_each(|at| nodes.attach(*at));
        let all = || there.iter().all(|at| self.driven.has_opened(*at));
        assert!(eventually(READY, all), "the programs of the nodes do not come up");
        let stopped = there.iter().filter(|at| self.driven.is_hung(**at));
        stopped.for_each(|at| nodes.signal(*at, Signal::STOP));
    }

    fn is_in_model(&self, unit: &Unit) -> bool {
        self.cluster.with(|cluster| cluster.listens(&unit.address.to_string()))
    }

    fn nodes(&self) -> Arc<Supervised> {
        self.supervisor.shared()
    }

    #[track_caller]
    fn place(&self, kind: Kind, id: &str) -> usize {
        let found = self.nodes().units().position(|unit| unit.kind == kind && unit.id == id);
        found.unwrap_or_else(|| panic!("no {kind} {id}"))
    }

    /// PD's URL.
    pub(crate) fn url(&self) -> String {
        self.cluster.url()
    }

    /// The fleet's own directory.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The node's unit: `pump-8250.service`.
    pub(crate) fn unit(&self, kind: Kind, id: &str) -> String {
        self.nodes().unit(self.place(kind, id)).name.clone()
    }

    /// Where the node listens.
    pub(crate) fn address(&self, kind: Kind, id: &str) -> SocketAddr {
        self.nodes().unit(self.place(kind, id)).address
    }

    /// The node's deploy directory.
    pub(crate) fn deploy_dir(&self, kind: Kind, id: &str) -> PathBuf {
        self.nodes().unit(self.place(kind, id)).deploy_dir.clone()
    }

    /// The text of the node's log.
    pub(crate) fn log(&self, kind: Kind, id: &str) -> String {
        std::fs::read_to_string(self.nodes().unit(self.place(kind, id)).log()).unwrap_or_default()
    }

    /// The node's process, if one runs.
    pub(crate) fn process(&self, kind: Kind, id: &str) -> Option<u32> {
        self.nodes().pid(self.place(kind, id))
    }

    /// How the node's last process ended, if one did.
    pub(crate) fn ended(&self, kind: Kind, id: &str) -> Option<ExitStatus> {
        self.nodes().ended(self.place(kind, id))
    }

    /// What the node's unit is doing.
    pub(crate) fn unit_state(&self, kind: Kind, id: &str) -> UnitState {
        self.nodes().state(self.place(kind, id))
    }

    /// Starts the node's unit, as `systemctl start` does.
    pub(crate) fn start_unit(&self, kind: Kind, id: &str) {
        self.nodes().start(self.place(kind, id));
    }

    /// Stops it, as `systemctl stop` does.
    pub(crate) fn stop_unit(&self, kind: Kind, id: &str) {
        self.nodes().stop(self.place(kind, id));
    }

    /// Kills the node's process with SIGKILL, as the system does when memory is short.
    pub(crate) fn kill(&self, kind: Kind, id: &str) {
        self.nodes().signal(self.place(kind, id), Signal::KILL);
    }

    /// Sends the node's process SIGTERM, as anybody may.
    pub(crate) fn terminate(&self, kind: Kind, id: &str) {
        self.nodes().signal(self.place(kind, id), Signal::TERM);
    }

    /// Stops the node's process with SIGSTOP: its port takes connections, and nothing answers.
    pub(crate) fn hang(&self, kind: Kind, id: &str) {
        let at = self.place(kind, id);
        self.nodes().signal(at, Signal::STOP);
        self.driven.signal(at, binlogsh::sim::Signal::Stop);
    }

    /// Lets it go on.
    pub(crate) fn go_on(&self, kind: Kind, id: &str) {
        let at = self.place(kind, id);
        self.driven.signal(at, binlogsh::sim::Signal::Cont);
        self.nodes().signal(at, Signal::CONT);
    }

    /// From now on the node's program ends with this error whenever it is started; with `None` it starts again.
    pub(crate) fn starts_fail(&self, kind: Kind, id: &str, error: Option<&str>) {
        self.driven.starts_fail(self.place(kind, id), error);
    }

    /// How long a process has after SIGTERM until SIGKILL: 90 s if nothing is said.
    pub(crate) fn stop_timeout(&self, timeout: Duration) {
        self.nodes().set_rule(|rule| rule.stop_timeout = timeout);
    }

    /// When a process that failed is started again: after 15 s if nothing is said.
    pub(crate) fn restart_after(&self, after: Option<Duration>) {
        self.nodes().set_rule(|rule| rule.restart_after = after);
    }

    /// The requests that came to the nodes, in order.
    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.driven.requests()
    }
}

/// A unit for each node, at an address of its own, which it has in the scenario as well.
fn units_of(scenario: &mut Scenario, dir: &Path) -> Vec<Unit> {
    let pumps = scenario.pumps.iter_mut().map(|pump| (&pump.id, &mut pump.address, &mut pump.supervisor));
    let drainers =
        scenario.drainers.iter_mut().map(|drainer| (&drainer.id, &mut drainer.address, &mut drainer.supervisor));
    let pumps = pumps.enumerate().map(|(at, node)| (NodeIndex::Pump(at), node));
    let drainers = drainers.enumerate().map(|(at, node)| (NodeIndex::Drainer(at), node));
    // Two nodes at one address stay two nodes at one address.
    let mut moved = BTreeMap::<String, SocketAddr>::new();
    let mut units = Vec::new();
    for (who, (id, address, supervisor)) in pumps.chain(drainers) {
        let own = *moved.entry(address.clone()).or_insert_with(free_address);
        (*address, *supervisor) = (own.to_string(), false);
        let name = format!("{}-{}", who.kind(), own.port());
        let deploy_dir = dir.join("hosts").join(own.ip().to_string()).join("tidb-deploy").join(&name);
        let (name, id) = (format!("{name}.service"), id.clone());
        units.push(Unit { name, kind: who.kind(), id, who, address: own, deploy_dir });
    }
    units
}

/// A free port of a host of its own.
fn free_address() -> SocketAddr {
    TcpListener::bind((own_ip(), 0)).unwrap().local_addr().unwrap()
}
