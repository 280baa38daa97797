//! A whole cluster behind real sockets: a real etcd behind PD's double, and a double of every node, all driven by the
//! simulator's state machines in real time.
//!
//! What the simulator writes goes to etcd; what somebody else writes to etcd goes to the simulator. A node's port is
//! open while its process listens.

use super::certs::Certs;
use super::etcd::{Etcd, Kv};
use super::eventually;
use super::http_double::{HttpDouble, HttpRequest, Reply, Traffic};
use super::mirror::{Mirror, Model, Ports};
use super::pd_double::PdDouble;
use super::tidb_double;
use binlogsh::node::Kind;
use binlogsh::sim::{Cluster, HttpOutcome, MILLISECOND, NodeIndex, Scenario, TidbSpec};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// How often the model and etcd are brought together.
const BEAT: Duration = Duration::from_millis(20);

/// A running cluster. It ends when it is dropped.
pub(crate) struct LiveCluster {
    etcd: Etcd,
    pd: PdDouble,
    nodes: Vec<Traffic>,
    tidbs: Vec<HttpDouble>,
    model: Model,
    ended: Arc<AtomicBool>,
    mirror: Arc<Mutex<Mirror>>,
    driver: Option<JoinHandle<()>>,
}

impl LiveCluster {
    /// The cluster of `scenario`, with addresses of its own in place of the scenario's.
    pub(crate) fn start(mut scenario: Scenario) -> Self {
        let model = Model::default();
        let ip = own_ip();
        let mut doubles = Vec::new();
        let pumps = scenario.pumps.iter_mut().map(|pump| &mut pump.address);
        for address in pumps.chain(scenario.drainers.iter_mut().map(|drainer| &mut drainer.address)) {
            let (behind, at) = (model.clone(), Arc::<Mutex<String>>::default());
            let own = at.clone();
            let double = HttpDouble::start_on(&ip, None, move |request| answer(&behind, &own.lock().unwrap(), request));
            *at.lock().unwrap() = double.address();
            *address = double.address();
            doubles.push((double.address(), double));
        }
        Self::begin(scenario, model, doubles)
    }

    /// The same without anybody at the nodes' addresses: what listens there are programs of their own.
    pub(super) fn without_nodes(scenario: Scenario) -> Self {
        Self::begin(scenario, Model::default(), Vec::new())
    }

    fn begin(mut scenario: Scenario, model: Model, doubles: Vec<(String, HttpDouble)>) -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let tidbs = scenario.tidb.iter_mut().map(|tidb| tidb_double(&own_ip(), &model, tidb)).collect();
        Self::of(&mut scenario, (etcd, pd), model, (doubles, tidbs))
    }

    /// The cluster of `scenario`, whose addresses are names that lead nowhere: `place` says where whoever has such a name is
    /// found. PD is found where `pd` says, and is known to its cluster by that name. Over TLS with `certs`.
    pub(crate) fn behind_names(
        mut scenario: Scenario,
        pd: &str,
        certs: Option<&Certs>,
        place: impl Fn(&str) -> String,
    ) -> Self {
        let etcd = Etcd::start();
        let tls = |alpn: &[&[u8]]| certs.map(|certs| certs.server(false, alpn));
        let double = PdDouble::start_at(&place(pd), &etcd.url(), tls(&[b"h2"]));
        let scheme = if certs.is_some() { "https" } else { "http" };
        double.set(|knobs| knobs.advertised = Some(format!("{scheme}://{pd}")));
        let model = Model::default();
        let (pumps, drainers) = (scenario.pumps.iter(), scenario.drainers.iter());
        let names = pumps.map(|pump| &pump.address).chain(drainers.map(|drainer| &drainer.address));
        let node = |name: &String| {
            let (behind, own) = (model.clone(), name.clone());
            let answer = move |request: &HttpRequest| answer(&behind, &own, request);
            (name.clone(), HttpDouble::start_fixed(&place(name), tls(&[]), answer))
        };
        let doubles = names.map(node).collect();
        let tidb = |tidb: &TidbSpec| {
            let (behind, own) = (model.clone(), tidb.status_address.clone().unwrap());
            let place = place(&own);
            HttpDouble::start_fixed(&place, tls(&[]), move |request| tidb_double::answer(&behind, &own, request))
        };
        let tidbs = scenario.tidb.iter().map(tidb).collect();
        Self::of(&mut scenario, (etcd, double), model, (doubles, tidbs))
    }

    fn of(
        scenario: &mut Scenario,
        (etcd, pd): (Etcd, PdDouble),
        model: Model,
        (doubles, tidbs): (Vec<(String, HttpDouble)>, Vec<HttpDouble>),
    ) -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        scenario.start = binlogsh::time::Time::new(now.as_millis() as i64, Default::default()).to_string();
        *model.lock().unwrap() = Some(Cluster::new(scenario).unwrap());
        let ended = Arc::<AtomicBool>::default();
        let nodes = doubles.iter().map(|(_, double)| double.traffic()).collect();
        let mirror = Arc::new(Mutex::new(Mirror::new(etcd.kv(), model.clone())));
        let (end, beaten, ports) = (ended.clone(), mirror.clone(), Ports::new(doubles));
        let driver = Some(std::thread::spawn(move || drive(&beaten, ports, &end)));
        let cluster = Self { etcd, pd, nodes, tidbs, model, ended, mirror, driver };
        let ready = eventually(Duration::from_secs(20), || cluster.is_in_etcd());
        assert!(ready, "the records never came to etcd");
        cluster
    }

    /// A sample of the simulator.
    pub(crate) fn sample(name: &str) -> Self {
        Self::start(Scenario::named(name).unwrap())
    }

    fn is_in_etcd(&self) -> bool {
        let mut kv = self.etcd.kv();
        let keys = self.with(|cluster| cluster.key_values());
        keys.iter().all(|pair| kv.get(&pair.key).is_some())
    }

    /// PD's URL.
    pub(crate) fn url(&self) -> String {
        self.pd.url()
    }

    /// How many connections were made to any of its ports, and how many requests PD heard. What drives the cluster
    /// itself goes another way.
    pub(crate) fn heard(&self) -> usize {
        let pd = self.pd.connections() + self.pd.members_asked() + self.pd.timestamps_asked() + self.pd.passed_on();
        let tidbs: usize = self.tidbs.iter().map(|tidb| tidb.traffic().connections()).sum();
        pd + tidbs + self.nodes.iter().map(Traffic::connections).sum::<usize>()
    }

    /// The requests that came to the nodes, as `METHOD /path`, sorted.
    pub(crate) fn asked_of_nodes(&self) -> Vec<String> {
        let requests = self.nodes.iter().flat_map(Traffic::requests);
        let mut asked: Vec<String> = requests.map(|asked| format!("{} {}", asked.method, asked.path)).collect();
        asked.sort();
        asked
    }

    /// The requests that came to the status ports of TiDB servers, as `METHOD /path`, in order.
    pub(crate) fn asked_of_tidbs(&self) -> Vec<String> {
        let requests = self.tidbs.iter().flat_map(HttpDouble::requests);
        requests.map(|asked| format!("{} {}", asked.method, asked.path)).collect()
    }

    /// PD's double, to change how it behaves.
    pub(crate) fn pd(&self) -> &PdDouble {
        &self.pd
    }

    /// Kills PD's etcd and starts it again; no node writes meanwhile.
    pub(crate) fn restart_etcd(&self) {
        let mut mirror = self.mirror.lock().unwrap();
        self.etcd.restart();
        mirror.reconnect(self.etcd.kv());
    }

    /// The model and its mirror, for programs that are driven by it.
    pub(super) fn parts(&self) -> (Model, Arc<Mutex<Mirror>>) {
        (self.model.clone(), self.mirror.clone())
    }

    /// The etcd that stays when this process is killed: its process, and its directory.
    pub(crate) fn etcd_left_behind(&self) -> (u32, PathBuf) {
        self.etcd.left_behind()
    }

    /// The etcd behind PD, to look and write from outside.
    pub(crate) fn kv(&self) -> Kv {
        self.etcd.kv()
    }

    /// Looks at the model, or does something to it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        work(self.model.lock().unwrap().as_mut().unwrap())
    }

    /// The node `id` of the model.
    pub(crate) fn who(&self, kind: Kind, id: &str) -> NodeIndex {
        self.with(|cluster| cluster.find(kind, id)).unwrap()
    }

    /// The state in the record of the node `id` as etcd holds it. The model hears of a write a beat later.
    pub(crate) fn recorded(&self, kind: Kind, id: &str) -> String {
        let (value, _) = self.kv().get(&format!("{}{id}", kind.prefix())).unwrap();
        let record: serde_json::Value = serde_json::from_str(&value).unwrap();
        record["state"].as_str().unwrap().to_owned()
    }

    /// Where the node `id` listens.
    pub(crate) fn address(&self, kind: Kind, id: &str) -> String {
        let who = self.who(kind, id);
        self.with(|cluster| cluster.address_of(who).to_owned())
    }

    /// Starts the process of the node `id`, as an operator does who replaced its binary.
    pub(crate) fn start_process(&self, kind: Kind, id: &str) {
        let who = self.who(kind, id);
        self.with(|cluster| cluster.start(who, None));
    }
}

impl Drop for LiveCluster {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        if let Some(driver) = self.driver.take() {
            // What went wrong in it was seen by the test already, as a cluster that stands still.
            drop(driver.join());
        }
    }
}

/// The status port of a TiDB server, which moves to this host for it: what it registers has one host for both ports.
fn tidb_double(ip: &str, model: &Model, tidb: &mut TidbSpec) -> HttpDouble {
    let (behind, at) = (model.clone(), Arc::<Mutex<String>>::default());
    let own = at.clone();
    let double =
        HttpDouble::start_on(ip, None, move |request| tidb_double::answer(&behind, &own.lock().unwrap(), request));
    let port = tidb.address.rsplit_once(':').map_or("4000", |(_, port)| port).to_owned();
    *at.lock().unwrap() = double.address();
    (tidb.address, tidb.status_address) = (format!("{ip}:{port}"), Some(double.address()));
    double
}

/// An address of the loopback that no other cluster of this process, and hardly another process, uses.
pub(crate) fn own_ip() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    format!("127.{}.{}.{}", 1 + process % 250, 1 + process / 250 % 250, 1 + next % 250)
}

/// What the node at `address` answers.
pub(super) fn answer(model: &Model, address: &str, request: &HttpRequest) -> Reply {
    let mut model = model.lock().unwrap();
    let Some(cluster) = model.as_mut() else { return Reply::Silent };
    match cluster.http(address, &request.method, &decoded(&request.path)) {
        HttpOutcome::Response { status, body, .. } => Reply::Answer(status, body),
        HttpOutcome::Refused | HttpOutcome::Reset => Reply::Reset,
        HttpOutcome::Silent => Reply::Silent,
    }
}

/// A path as a node's router sees it.
fn decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let code = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match code.filter(|_| *first == b'%') {
            Some(code) => {
                bytes.push(code);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Brings the model, etcd and the ports together as real time passes.
fn drive(mirror: &Mutex<Mirror>, mut ports: Ports, ended: &AtomicBool) {
    let began = Instant::now();
    while !ended.load(Ordering::SeqCst) {
        let mut mirror = mirror.lock().unwrap();
        mirror.beat(began.elapsed().as_millis() as i64 * MILLISECOND);
        ports.follow(&mirror.model);
        drop(mirror);
        std::thread::sleep(BEAT);
    }
}
