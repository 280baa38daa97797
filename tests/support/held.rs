//! A whole cluster behind real sockets whose time stands still until the test lets it pass.
//!
//! The same parts as [`super::cluster::LiveCluster`], but for the clock: nothing happens between two calls of
//! [`HeldCluster::hold`] except what a request does, and that is in etcd before the node answers. The doubles are there
//! for as many scenarios as one likes, one after the other.

use super::cluster::{answer, own_ip};
use super::etcd::Etcd;
use super::http_double::{HttpDouble, HttpRequest, Reply};
use super::mirror::{Mirror, Model, Ports};
use super::pd_double::PdDouble;
use binlogsh::sim::{Cluster, Micros, PdMemberSpec, Scenario};
use std::sync::{Arc, Mutex};

/// A running cluster. It ends when it is dropped.
pub(crate) struct HeldCluster {
    mirror: Arc<Mutex<Mirror>>,
    model: Model,
    ports: Ports,
    addresses: Vec<String>,
    pd: PdDouble,
    _etcd: Etcd,
}

impl HeldCluster {
    /// Doubles of so many nodes, and none of them in etcd yet.
    pub(crate) fn start(nodes: usize) -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        let model = Model::default();
        let mirror = Arc::new(Mutex::new(Mirror::new(etcd.kv(), model.clone())));
        let ip = own_ip();
        let doubles: Vec<HttpDouble> = (0..nodes).map(|_| double(&ip, &model, &mirror)).collect();
        let addresses = doubles.iter().map(HttpDouble::address).collect();
        let time = model.clone();
        pd.set(|knobs| {
            knobs.clock = Some(Arc::new(move || {
                let now = time.lock().unwrap().as_mut().and_then(|cluster| cluster.tso().ok()).unwrap_or_default();
                (now.physical_ms(), now.logical())
            }));
        });
        Self {
            mirror,
            model,
            ports: Ports::new(doubles.into_iter().map(|double| (double.address(), double)).collect()),
            addresses,
            pd,
            _etcd: etcd,
        }
    }

    /// Where the doubles listen.
    pub(crate) fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// PD's URL.
    pub(crate) fn url(&self) -> String {
        self.pd.url()
    }

    /// The scenario with the PD that this cluster has.
    pub(crate) fn with_own_pd(&self, scenario: Scenario) -> Scenario {
        Scenario { pd: vec![PdMemberSpec { name: "pd-0".into(), url: self.url() }], ..scenario }
    }

    /// Begins anew at the start of `scenario`, whose nodes listen at [`HeldCluster::addresses`].
    pub(crate) fn begin(&mut self, scenario: &Scenario) {
        self.pd.set(|knobs| knobs.cluster_id = scenario.cluster_id);
        self.mirror.lock().unwrap().begin(Cluster::new(scenario).unwrap());
        self.hold(0);
    }

    /// Lets time pass until `until`, and holds it there: etcd, ports and PD are as they are then.
    pub(crate) fn hold(&mut self, until: Micros) {
        self.mirror.lock().unwrap().beat(until);
        self.ports.follow(&self.model);
        // Asked of a copy: a timestamp that is given out is gone.
        let gone = self.with(|cluster| cluster.clone().tso().is_err());
        self.pd.set_gone(gone);
    }

    /// Looks at the model, or does something to it. What it did is seen from outside after the next
    /// [`HeldCluster::hold`].
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        work(self.model.lock().unwrap().as_mut().unwrap())
    }
}

/// A double of a node. What a request does is in etcd before it is answered, as with a real node.
fn double(ip: &str, model: &Model, mirror: &Arc<Mutex<Mirror>>) -> HttpDouble {
    let (behind, mirror, at) = (model.clone(), mirror.clone(), Arc::<Mutex<String>>::default());
    let own = at.clone();
    let double = HttpDouble::start_on(ip, None, move |request: &HttpRequest| -> Reply {
        let reply = answer(&behind, &own.lock().unwrap(), request);
        // A probe is a PUT as well, and does nothing: with a look at etcd for each, a busy host would answer many of them too late.
        if request.method != "GET" && !request.path.ends_with("/probe") {
            mirror.lock().unwrap().beat(0);
        }
        reply
    });
    *at.lock().unwrap() = double.address();
    double
}
