//! A whole cluster behind real sockets: a real etcd behind PD's double, and a double of every node, all driven by the
//! simulator's state machines in real time.
//!
//! What the simulator writes goes to etcd; what somebody else writes to etcd goes to the simulator. A node's port is
//! open while its process listens.

use super::etcd::{Etcd, Kv};
use super::eventually;
use super::http_double::{HttpDouble, HttpRequest, Reply};
use super::pd_double::PdDouble;
use binlogsh::node::{Kind, ROOT};
use binlogsh::sim::{Cluster, HttpOutcome, MILLISECOND, Scenario, Who};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

/// How often the model and etcd are brought together.
const BEAT: Duration = Duration::from_millis(20);
const TIDB: &str = "/tidb/server/info/";

type Model = Arc<Mutex<Option<Cluster>>>;

/// A running cluster. It ends when it is dropped.
pub(crate) struct LiveCluster {
    etcd: Etcd,
    pd: PdDouble,
    model: Model,
    ended: Arc<AtomicBool>,
    driver: Option<JoinHandle<()>>,
}

impl LiveCluster {
    /// The cluster of `scenario`, with addresses of its own in place of the scenario's.
    pub(crate) fn start(mut scenario: Scenario) -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let model = Model::default();
        let ip = own_ip();
        let mut doubles = Vec::new();
        let pumps = scenario.pumps.iter_mut().map(|pump| (Kind::Pump, pump.id.clone(), &mut pump.address));
        let drainers = scenario.drainers.iter_mut().map(|d| (Kind::Drainer, d.id.clone(), &mut d.address));
        for (kind, id, address) in pumps.chain(drainers) {
            let (behind, at) = (model.clone(), Arc::<Mutex<String>>::default());
            let own = at.clone();
            let double = HttpDouble::start_on(&ip, None, move |request| answer(&behind, &own.lock().unwrap(), request));
            *at.lock().unwrap() = double.address();
            *address = double.address();
            doubles.push((kind, id, double));
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        scenario.start = binlogsh::time::Time::new(now.as_millis() as i64, Default::default()).to_string();
        *model.lock().unwrap() = Some(Cluster::new(&scenario).unwrap());
        let ended = Arc::<AtomicBool>::default();
        let driver =
            Driver { kv: etcd.kv(), model: model.clone(), doubles, known: BTreeMap::new(), began: Instant::now() };
        let end = ended.clone();
        let driver = Some(std::thread::spawn(move || driver.run(&end)));
        let cluster = Self { etcd, pd, model, ended, driver };
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

    /// The etcd behind PD, to look and write from outside.
    pub(crate) fn kv(&self) -> Kv {
        self.etcd.kv()
    }

    /// Looks at the model, or does something to it.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        work(self.model.lock().unwrap().as_mut().unwrap())
    }

    /// The node `id` of the model.
    pub(crate) fn who(&self, kind: Kind, id: &str) -> Who {
        self.with(|cluster| cluster.find(kind, id)).unwrap()
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

/// An address of the loopback that no other cluster of this process, and hardly another process, uses.
fn own_ip() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (process, next) = (std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
    format!("127.{}.{}.{}", 1 + process % 250, 1 + process / 250 % 250, 1 + next % 250)
}

fn answer(model: &Model, address: &str, request: &HttpRequest) -> Reply {
    let mut model = model.lock().unwrap();
    let Some(cluster) = model.as_mut() else { return Reply::Silent };
    match cluster.http(address, &request.method, &request.path) {
        HttpOutcome::Response { status, body, .. } => Reply::Answer(status, body),
        HttpOutcome::Refused | HttpOutcome::Reset => Reply::Reset,
        HttpOutcome::Silent => Reply::Silent,
    }
}

/// Brings the model, etcd and the ports together.
struct Driver {
    kv: Kv,
    model: Model,
    doubles: Vec<(Kind, String, HttpDouble)>,
    /// Every key as it was brought together last: its value and etcd's revision of it.
    known: BTreeMap<String, (Vec<u8>, i64)>,
    began: Instant,
}

impl Driver {
    fn run(mut self, ended: &AtomicBool) {
        let mut open: Vec<bool> = self.doubles.iter().map(|_| true).collect();
        while !ended.load(Ordering::SeqCst) {
            self.beat();
            for (at, (_, _, double)) in self.doubles.iter().enumerate() {
                let listens = self.model.lock().unwrap().as_ref().unwrap().listens(&double.address());
                match (listens, open[at]) {
                    (true, false) => double.come_back(),
                    (false, true) => double.go_down(),
                    _ => {}
                }
                open[at] = listens;
            }
            std::thread::sleep(BEAT);
        }
    }

    fn beat(&mut self) {
        let there = [ROOT, TIDB].map(|prefix| self.kv.range(prefix)).concat();
        let mut model = self.model.lock().unwrap();
        let cluster = model.as_mut().unwrap();
        cluster.advance_to(self.began.elapsed().as_millis() as i64 * MILLISECOND);
        // What somebody else did.
        for (key, value, revision) in &there {
            if self.known.get(key).is_none_or(|(_, known)| known < revision) {
                cluster.put(key, value);
                self.known.insert(key.clone(), (value.clone(), *revision));
            }
        }
        let gone: Vec<String> =
            self.known.keys().filter(|key| there.iter().all(|(there, ..)| there != *key)).cloned().collect();
        for key in gone {
            cluster.delete(&key);
            self.known.remove(&key);
        }
        // What the nodes did.
        let pairs = cluster.key_values();
        drop(model);
        for pair in &pairs {
            let known = self.known.get(&pair.key);
            if known.is_some_and(|(value, _)| *value == pair.value) {
                continue;
            }
            let seen = known.map_or(0, |(_, revision)| *revision);
            // Whoever was quicker is heard in the next beat.
            if let Some(revision) = self.kv.put_if(&pair.key, pair.value.clone(), seen) {
                self.known.insert(pair.key.clone(), (pair.value.clone(), revision));
            }
        }
        let vanished: Vec<String> =
            self.known.keys().filter(|key| pairs.iter().all(|pair| pair.key != **key)).cloned().collect();
        for key in vanished {
            self.kv.delete(&key);
            self.known.remove(&key);
        }
    }
}
