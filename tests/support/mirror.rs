//! The model, etcd and the nodes' ports, kept alike: what the nodes do is written to etcd, what somebody else writes to
//! etcd is told the model, and a port is open while its process listens.

use super::etcd::Kv;
use super::http_double::HttpDouble;
use binlogsh::node::ROOT;
use binlogsh::sim::{Cluster, Micros};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

const TIDB: &str = "/tidb/server/info/";

/// The model behind the doubles, once there is one.
pub(crate) type Model = Arc<Mutex<Option<Cluster>>>;

/// A key as the two sides were brought together last.
struct Known {
    value: Vec<u8>,
    /// The revision of its last write in etcd.
    in_etcd: i64,
    /// The same in the model: a write of the same value is a write.
    in_model: i64,
}

/// The model's keys and etcd's.
pub(super) struct Mirror {
    kv: Kv,
    pub(super) model: Model,
    known: BTreeMap<String, Known>,
}

impl Mirror {
    pub(super) fn new(kv: Kv, model: Model) -> Self {
        Self { kv, model, known: BTreeMap::new() }
    }

    /// etcd was started again.
    pub(super) fn reconnect(&mut self, kv: Kv) {
        self.kv = kv;
    }

    /// Empties etcd and begins anew with another model.
    pub(super) fn begin(&mut self, cluster: Cluster) {
        for (key, ..) in [ROOT, TIDB].map(|prefix| self.kv.range(prefix)).concat() {
            self.kv.delete(&key);
        }
        self.known.clear();
        *self.model.lock().unwrap() = Some(cluster);
    }

    /// Lets the model's time pass until `until` (nothing if that is over), and brings both sides together.
    pub(super) fn beat(&mut self, until: Micros) {
        let there = [ROOT, TIDB].map(|prefix| self.kv.range(prefix)).concat();
        let model = self.model.clone();
        let mut model = model.lock().unwrap();
        let cluster = model.as_mut().unwrap();
        cluster.advance_to(until);
        self.hear(cluster, &there);
        let pairs = cluster.key_values();
        drop(model);
        // What the nodes did.
        for pair in &pairs {
            let known = self.known.get(&pair.key);
            if known.is_some_and(|known| known.value == pair.value && known.in_model == pair.mod_revision) {
                continue;
            }
            let seen = known.map_or(0, |known| known.in_etcd);
            // Whoever was quicker is heard in the next beat.
            if let Some(in_etcd) = self.kv.put_if(&pair.key, pair.value.clone(), seen) {
                let known = Known { value: pair.value.clone(), in_etcd, in_model: pair.mod_revision };
                self.known.insert(pair.key.clone(), known);
            }
        }
        let vanished: Vec<String> =
            self.known.keys().filter(|key| pairs.iter().all(|pair| pair.key != **key)).cloned().collect();
        for key in vanished {
            self.kv.delete(&key);
            self.known.remove(&key);
        }
    }

    /// What somebody else did to etcd, whose keys are `there`.
    fn hear(&mut self, cluster: &mut Cluster, there: &[(String, Vec<u8>, i64)]) {
        for (key, value, in_etcd) in there {
            if self.known.get(key).is_none_or(|known| known.in_etcd < *in_etcd) {
                let in_model = cluster.put(key, value);
                self.known.insert(key.clone(), Known { value: value.clone(), in_etcd: *in_etcd, in_model });
            }
        }
        let gone: Vec<String> =
            self.known.keys().filter(|key| there.iter().all(|(there, ..)| there != *key)).cloned().collect();
        for key in gone {
            cluster.delete(&key);
            self.known.remove(&key);
        }
    }
}

/// The nodes' ports.
pub(super) struct Ports(Vec<Port>);

/// A node's port, and the address by which the model knows it.
struct Port {
    address: String,
    double: HttpDouble,
    open: bool,
}

impl Ports {
    /// All of them are open.
    pub(super) fn new(doubles: Vec<(String, HttpDouble)>) -> Self {
        Self(doubles.into_iter().map(|(address, double)| Port { address, double, open: true }).collect())
    }

    /// Opens those whose process listens, and closes the others.
    pub(super) fn follow(&mut self, model: &Model) {
        for Port { address, double, open } in &mut self.0 {
            let listens = model.lock().unwrap().as_ref().unwrap().listens(address);
            match (listens, *open) {
                (true, false) => double.come_back(),
                (false, true) => double.go_down(),
                _ => {}
            }
            *open = listens;
        }
    }
}
