//! A cluster whose nodes are programs: real processes that a supervisor starts and stops, that get signals, exit, and write
//! logs, each on a host of its own on the loopback.
//!
//! The model of the cluster stays in the test's process, as in [`LiveCluster`]; the programs hand it what they hear, and
//! end as it says.

mod control;
mod driven;
pub(crate) mod node;
pub(crate) mod programs;
mod sshd;
mod supervisor;
mod tiup_home;

use super::cluster::{LiveCluster, own_ip};
use super::eventually;
use super::http_double::HttpRequest;
use binlogsh::node::Kind;
use binlogsh::sim::{NodeIndex, Scenario};
use control::ControlSocket;
use driven::Driven;
use programs::{CLUSTER, ProgramKnobs, Programs};
use rustix::process::Signal;
pub(crate) use sshd::Reception;
use sshd::{SshServers, own_user};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
pub(crate) use supervisor::UnitState;
use supervisor::{Supervised, Supervisor, Unit};
use tempfile::TempDir;
use tiup_home::TiupCluster;

/// How long a fleet may take until all of its nodes are there.
const READY: Duration = Duration::from_secs(30);

/// A running cluster of programs. All of them end when it is dropped, and when the process of the test is killed.
pub(crate) struct Fleet {
    // What is first ends first: nobody starts a program again that lost its test.
    supervisor: Supervisor,
    control: ControlSocket,
    sshd: Option<SshServers>,
    /// PD, its etcd, and the model that drives the nodes.
    pub(crate) cluster: LiveCluster,
    driven: Arc<Driven>,
    programs: Arc<Programs>,
    /// The port of ssh on each host.
    ssh_ports: BTreeMap<String, u16>,
    dir: TempDir,
}

impl Fleet {
    /// A sample of the simulator.
    pub(crate) fn sample(name: &str) -> Self {
        Self::start(Scenario::named(name).unwrap())
    }

    /// The cluster of `scenario`: each node has a host of its own, and tiup's systemd as its supervisor in place of the
    /// scenario's.
    pub(crate) fn start(scenario: Scenario) -> Self {
        Self::deployed(scenario, Deployer::Tiup)
    }

    /// The same sample in Kubernetes: nodes have the ids and addresses that its pods have, and each really listens at
    /// [`Fleet::address`].
    pub(crate) fn in_kubernetes(name: &str) -> Self {
        let fleet = Self::deployed(Scenario::named(name).unwrap(), Deployer::Kubernetes);
        fleet.restart_after(Some(Duration::from_secs(10)));
        fleet
    }

    fn deployed(mut scenario: Scenario, deployer: Deployer) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let units = units_of(&mut scenario, dir.path(), deployer);
        for unit in &units {
            std::fs::create_dir_all(unit.deploy_dir.join("log")).unwrap();
        }
        let cluster = LiveCluster::without_nodes(scenario);
        let supervisor = Supervisor::new(units);
        let driven = Arc::new(Driven::new(&cluster, supervisor.shared()));
        let programs = Arc::new(Programs::new(supervisor.shared()));
        let (nodes, others) = (driven.clone(), programs.clone());
        let control = ControlSocket::start(move |words, stream| match words {
            [word, words @ ..] if word == "program" => others.answer(words, stream),
            words => nodes.answer(words, stream),
        });
        supervisor.shared().is_controlled_at(control.address());
        let (sshd, ssh_ports) = (None, BTreeMap::new());
        let fleet = Self { supervisor, control, sshd, cluster, driven, programs, ssh_ports, dir };
        fleet.install_programs();
        fleet.write_tiup_home();
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
        self.cluster.with(|cluster| cluster.listens(&unit.advertised))
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

impl Fleet {
    /// With OpenSSH's server on every host, which lets in whoever runs the test.
    pub(crate) fn with_sshd(mut self) -> Self {
        let nodes = self.nodes();
        let mut hosts = BTreeMap::new();
        for unit in nodes.units() {
            let ip = unit.address.ip().to_string();
            hosts
                .entry(ip.clone())
                .or_insert_with(|| (TcpListener::bind((ip.as_str(), 0)).unwrap(), self.host_dir(&ip)));
        }
        let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
        self.ssh_ports = hosts.iter().map(|(ip, (listener, _))| (ip.clone(), port(listener))).collect();
        self.sshd = Some(SshServers::start(hosts.into_values().collect(), &self.keys()));
        self.write_tiup_home();
        self
    }

    /// With units of the user in place of the system's.
    pub(crate) fn with_user_units(self) -> Self {
        self.programs.set(|knobs| knobs.user_units = true);
        self.write_tiup_home();
        self
    }

    /// From now on the servers treat who comes like that.
    pub(crate) fn receive(&self, reception: Reception) {
        self.sshd.as_ref().unwrap().receive(reception);
    }

    /// Changes how `systemctl`, `sudo`, `tiup` and `kubectl` behave.
    pub(crate) fn set(&self, change: impl FnOnce(&mut ProgramKnobs)) {
        self.programs.set(change);
    }

    /// The calls of those programs so far, in order, with their arguments: `systemctl start pump-8250.service`.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.programs.calls()
    }

    /// The environment in which tiup's directory is this fleet's, and its programs are first in the path.
    pub(crate) fn env(&self) -> [(&'static str, String); 2] {
        let path = std::env::var("PATH").unwrap_or_default();
        [("TIUP_HOME", self.tiup_home().display().to_string()), ("PATH", format!("{}:{path}", self.bin().display()))]
    }

    /// The directory that `TIUP_HOME` names.
    pub(crate) fn tiup_home(&self) -> PathBuf {
        self.dir().join("tiup")
    }

    /// The programs that a user of this host has: those of all hosts at once.
    pub(crate) fn bin(&self) -> PathBuf {
        self.dir().join("bin")
    }

    /// Whom ssh logs in as.
    pub(crate) fn user(&self) -> String {
        own_user()
    }

    /// The private key that the servers know.
    pub(crate) fn key(&self) -> PathBuf {
        self.keys().join("id_rsa")
    }

    /// The list of known hosts for ssh's client.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.keys().join("known_hosts")
    }

    /// The port of ssh on the node's host.
    pub(crate) fn ssh_port(&self, kind: Kind, id: &str) -> u16 {
        self.ssh_ports[&self.address(kind, id).ip().to_string()]
    }

    /// What the server of the node's host wrote into its log.
    pub(crate) fn sshd_log(&self, kind: Kind, id: &str) -> String {
        let dir = self.host_dir(&self.address(kind, id).ip().to_string());
        std::fs::read_to_string(dir.join("sshd.log")).unwrap_or_default()
    }

    /// The node's pod in Kubernetes.
    pub(crate) fn pod(&self, kind: Kind, id: &str) -> String {
        self.nodes().unit(self.place(kind, id)).pod.clone()
    }

    /// The ids of all nodes of a kind, in the scenario's order.
    pub(crate) fn ids(&self, kind: Kind) -> Vec<String> {
        self.nodes().units().filter(|unit| unit.kind == kind).map(|unit| unit.id.clone()).collect()
    }

    fn keys(&self) -> PathBuf {
        self.dir().join("keys")
    }

    fn host_dir(&self, ip: &str) -> PathBuf {
        host_dir(self.dir(), ip)
    }

    fn install_programs(&self) {
        let (nodes, control) = (self.nodes(), self.control.address());
        let of_hosts = ["systemctl", "journalctl", "sudo"];
        for unit in nodes.units() {
            let ip = unit.address.ip().to_string();
            let dir = self.host_dir(&ip);
            std::fs::create_dir_all(dir.join("home")).unwrap();
            programs::install(&dir.join("bin"), &ip, control, &of_hosts);
        }
        programs::install(&self.bin(), "", control, &[&of_hosts[..], &["tiup", "kubectl"]].concat());
    }

    fn write_tiup_home(&self) {
        let (nodes, url, user) = (self.nodes(), self.url(), own_user());
        let cluster = TiupCluster {
            user: &user,
            url: &url,
            units: nodes.units().collect(),
            ssh_ports: &self.ssh_ports,
            user_units: self.programs.knobs().user_units,
            key: self.sshd.is_some().then(|| self.key()),
        };
        cluster.write(&self.tiup_home());
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.programs.end();
    }
}

/// Who brought the nodes to their hosts, and named them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deployer {
    Tiup,
    Kubernetes,
}

/// A unit for each node, on a host of its own; the scenario is told where.
fn units_of(scenario: &mut Scenario, dir: &Path, deployer: Deployer) -> Vec<Unit> {
    let pumps = scenario.pumps.iter_mut().map(|pump| (&mut pump.id, &mut pump.address, &mut pump.supervisor));
    let drainers =
        scenario.drainers.iter_mut().map(|drainer| (&mut drainer.id, &mut drainer.address, &mut drainer.supervisor));
    let pumps = pumps.enumerate().map(|(at, node)| (NodeIndex::Pump(at), node));
    let drainers = drainers.enumerate().map(|(at, node)| (NodeIndex::Drainer(at), node));
    // Two nodes at one address stay two nodes at one address.
    let mut moved = BTreeMap::<String, SocketAddr>::new();
    let mut units = Vec::new();
    for (who, (id, address, supervisor)) in pumps.chain(drainers) {
        let own = *moved.entry(address.clone()).or_insert_with(free_address);
        let (pod, service) = pod_of(who);
        let port = address.rsplit_once(':').map_or("", |(_, port)| port);
        (*id, *address) = match deployer {
            Deployer::Tiup => (id.clone(), own.to_string()),
            Deployer::Kubernetes => (format!("{pod}:{port}"), format!("{pod}.{service}:{port}")),
        };
        *supervisor = false;
        let name = format!("{}-{}", who.kind(), own.port());
        let deploy_dir = host_dir(dir, &own.ip().to_string()).join("tidb-deploy").join(&name);
        let (name, id, advertised) = (format!("{name}.service"), id.clone(), address.clone());
        units.push(Unit { name, kind: who.kind(), id, who, address: own, advertised, pod, deploy_dir });
    }
    units
}

/// The pod of a node, and its headless service: Pumps are in one StatefulSet, each Drainer is a release of its own.
fn pod_of(who: NodeIndex) -> (String, String) {
    let service = match who {
        NodeIndex::Pump(_) => format!("{CLUSTER}-pump"),
        NodeIndex::Drainer(at) => format!("{CLUSTER}-release{at}-drainer"),
    };
    let ordinal = if let NodeIndex::Pump(at) = who { at } else { 0 };
    (format!("{service}-{ordinal}"), service)
}

/// Where the files of a host are.
fn host_dir(dir: &Path, ip: &str) -> PathBuf {
    dir.join("hosts").join(ip)
}

/// A free port of a host of its own.
fn free_address() -> SocketAddr {
    TcpListener::bind((own_ip(), 0)).unwrap().local_addr().unwrap()
}
