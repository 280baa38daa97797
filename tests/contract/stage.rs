//! A cluster of one of the two worlds, and a hand that does to it what no request does.

use crate::support::cluster::LiveCluster;
use crate::support::live::LiveWorld;
use crate::support::pd_double::CLUSTER_ID;
use binlogsh::downstream::{DownstreamProfile, Downstreams};
use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::interrupt::Interrupt;
use binlogsh::node::{NodeRef, Record};
use binlogsh::sim::{Cluster, Scenario, Signal, Simulated};
use binlogsh::tso::Tso;
use binlogsh::world::{
    Action, Answer, Change, Clocks, Fence, Listing, NewChangefeed, ProbeFinding, Read, Request, World,
};
use serde_json::{Value as Json, json};
use std::time::Duration;
use tempfile::TempDir;

/// Something of everything: nodes that run, one that closes, dead ones with and without saying so, keys that are none.
const TROUBLE: &str = r#"{
  "version": 1,
  "pumps": [
    {"id": "pump-0", "address": "10.0.1.11:8250"},
    {"id": "pump-1", "address": "10.0.1.12:8250", "process": "closing", "lag": "10m"},
    {"id": "pump-2", "address": "10.0.1.13:8250", "process": "dead", "lag": "1h", "extra": {"zone": "a", "later": {"x": [1]}}},
    {"id": "pump-3", "address": "10.0.1.14:8250"}
  ],
  "drainers": [
    {"id": "drainer-0", "address": "10.0.1.21:8249", "record": "paused", "process": "dead", "lag": "2h", "settings":
      {"db_type": "tidb", "host": "db-1", "port": 4000, "sync_mode": 2, "filters": ["replicate-do-db", "ignore-table"], "renames": true}},
    {"id": "drainer-1", "address": "10.0.1.22:8249"}
  ],
  "tidb": [
    {"address": "10.0.1.32:4000", "version": "v6.6.0", "ignore_error": true, "binlog": "Skipping"},
    {"address": "10.0.1.31:4000", "version": "v6.6.0", "writes_per_second": 20}
  ],
  "tikv": {"servers": ["10.0.1.41:8300"]},
  "deployment": {"name": "prod", "user": "ops", "nodes": [{"kind": "pump", "host": "10.0.1.11", "port": 8250, "offline": true}]},
  "keys": [
    {"key": "/tidb-binlog/v1/pumps/broken", "value": "{not json"},
    {"key": "/tidb-binlog/v1/drainers/old/drainer-9", "value": "{}"}
  ]
}"#;

/// The configuration of drainer-0, as a file.
const CONFIGURATION: &str = r#"
[syncer]
db-type = "tidb"
replicate-do-db = ["a"]
[[syncer.ignore-table]]
db-name = "a"
tbl-name = "t"
[[syncer.table-migrate-rule]]
[syncer.table-migrate-rule.source]
schema = "a"
[syncer.table-migrate-rule.target]
schema = "b"
[syncer.to]
host = "db-1"
port = 4000
user = "root"
password = "hunter2"
sync-mode = 2
"#;

/// A cluster of one of the worlds, and a hand that does to it what no request does.
pub(super) struct Stage {
    place: Place,
    pub(super) interrupt: Interrupt,
}

pub(super) enum Place {
    Live { cluster: Box<LiveCluster>, world: Box<LiveWorld>, _files: TempDir },
    Sim(Box<Simulated>),
}

impl Stage {
    pub(super) fn live() -> Self {
        let scenario = Scenario::parse(TROUBLE).unwrap();
        let deployment = scenario.deployment.clone().unwrap();
        let cluster = Box::new(LiveCluster::start(scenario));
        let files = TempDir::new().unwrap();
        let drainer_toml = files.path().join("drainer.toml");
        std::fs::write(&drainer_toml, CONFIGURATION).unwrap();
        let profile = DownstreamProfile { drainer_toml: Some(drainer_toml), ..DownstreamProfile::default() };
        let downstreams = Downstreams::new(None, [("drainer-0".to_owned(), profile)].into());
        let live = LiveWorld::new(&[cluster.url()], Duration::from_secs(5)).knowing(deployment).saving(downstreams);
        let world = Box::new(live);
        let interrupt = world.interrupt.clone();
        let mut stage = Self { place: Place::Live { cluster, world, _files: files }, interrupt };
        // The ports of those that are dead are open for an instant.
        let dead = [stage.node("pump-2"), stage.node("drainer-0")];
        stage.until("the dead are gone", |stage| dead.iter().all(|node| stage.probe(node) == ProbeFinding::Refused));
        stage
    }

    pub(super) fn sim() -> Self {
        let interrupt = Interrupt::default();
        let world = Simulated::new(&Scenario::parse(TROUBLE).unwrap()).unwrap();
        Self { place: Place::Sim(Box::new(world.with_interrupt(interrupt.clone()))), interrupt }
    }

    pub(super) fn is_live(&self) -> bool {
        matches!(self.place, Place::Live { .. })
    }

    pub(super) fn under(&mut self, request: Request, fence: Option<&Fence>) -> Result<Answer> {
        match &mut self.place {
            Place::Live { world, .. } => world.world.apply(&request, fence),
            Place::Sim(world) => world.apply(&request, fence),
        }
    }

    pub(super) fn ask(&mut self, request: Request) -> Result<Answer> {
        self.under(request, None)
    }

    #[track_caller]
    pub(super) fn fails(&mut self, request: Request, kind: ErrorKind) -> Error {
        let error = self.ask(request).unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        error
    }

    /// Looks at the nodes themselves, or does something to them.
    pub(super) fn with<T>(&mut self, work: impl FnOnce(&mut Cluster) -> T) -> T {
        match &mut self.place {
            Place::Live { cluster, .. } => cluster.with(work),
            Place::Sim(world) => work(world.cluster_mut()),
        }
    }

    /// TiDB's own safe point is there; in the simulator it is anyway.
    pub(super) fn gc_has_come_to(&mut self, ts: Tso) {
        if let Place::Live { cluster, .. } = &mut self.place {
            let value = json!({"service_id": "gc_worker", "expired_at": i64::MAX, "safe_point": ts.0});
            cluster.kv().put(&format!("/pd/{CLUSTER_ID}/gc/safe_point/service/gc_worker"), value.to_string());
        }
    }

    /// TiCDC creates a changefeed, whose password it keeps where it keeps it.
    pub(super) fn create_changefeed(&mut self, id: &str, start_ts: Tso, sink: &str) {
        match &mut self.place {
            Place::Live { cluster, .. } => {
                let uri = format!("{}?ssl-key=hunter2", sink.replace("://", "://root:hunter2@"));
                let info = json!({"sink-uri": uri, "start-ts": start_ts.0, "state": "normal", "error": null});
                let status = json!({"checkpoint-ts": start_ts.0, "admin-job-type": 0});
                let feed = "/tidb/cdc/default/default/changefeed";
                cluster.kv().put(&format!("{feed}/info/{id}"), info.to_string());
                cluster.kv().put(&format!("{feed}/status/{id}"), status.to_string());
                let server = json!({"id": "1", "address": "10.0.1.41:8300", "version": "v7.5.0"});
                cluster.kv().put("/tidb/cdc/default/__cdc_meta__/capture/1", server.to_string());
            }
            Place::Sim(world) => {
                let new = NewChangefeed { id: id.into(), start_ts, sink: Some(sink.into()) };
                world.cluster_mut().create_changefeed(&new).unwrap();
            }
        }
    }

    /// Somebody else writes a key of etcd.
    pub(super) fn put(&mut self, key: &str, value: &str) -> i64 {
        match &mut self.place {
            Place::Live { cluster, .. } => cluster.kv().put(key, value),
            Place::Sim(world) => world.cluster_mut().put(key, value.as_bytes()),
        }
    }

    /// Somebody else deletes one.
    pub(super) fn delete(&mut self, key: &str) -> bool {
        match &mut self.place {
            Place::Live { cluster, .. } => cluster.kv().delete(key),
            Place::Sim(world) => world.cluster_mut().delete(key),
        }
    }

    /// What stands under a key, for everybody.
    pub(super) fn value(&mut self, key: &str) -> Option<Json> {
        let text = match &mut self.place {
            Place::Live { cluster, .. } => cluster.kv().get(key)?.0.into_bytes(),
            Place::Sim(world) => world.cluster().get(key)?.value,
        };
        serde_json::from_slice(&text).ok()
    }

    /// Lets time pass until `done`, for so long at most that it must be a defect.
    #[track_caller]
    pub(super) fn until(&mut self, what: &str, mut done: impl FnMut(&mut Self) -> bool) {
        for _ in 0..150 {
            if done(self) {
                return;
            }
            self.ask(Request::Read(Read::Sleep { time: Duration::from_millis(100) })).unwrap();
        }
        panic!("it never came about that {what}");
    }

    pub(super) fn list(&mut self) -> Listing {
        match self.ask(Request::Read(Read::Nodes)).unwrap() {
            Answer::Listing(listing) => listing,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn record(&mut self, id: &str) -> Record {
        let found = self.list().records.into_iter().find(|record| record.node.id == id);
        found.unwrap_or_else(|| panic!("no record of {id}"))
    }

    pub(super) fn node(&mut self, id: &str) -> NodeRef {
        self.record(id).node
    }

    pub(super) fn probe(&mut self, node: &NodeRef) -> ProbeFinding {
        match self.ask(Request::Read(Read::Probe { nodes: vec![node.clone()] })).unwrap() {
            Answer::Probes(mut probes) => probes.remove(0).finding,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn monotonic_ms(&mut self) -> i64 {
        match self.ask(Request::Read(Read::Now)).unwrap() {
            Answer::Now(Clocks { monotonic_ms, .. }) => monotonic_ms,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn tso(&mut self) -> Tso {
        match self.ask(Request::Read(Read::Tso)).unwrap() {
            Answer::Timestamp(ts) => ts,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn hang(&mut self, node: &NodeRef) {
        self.with(|cluster| {
            let who = cluster.find(node.kind, &node.id).unwrap();
            cluster.signal(who, Signal::Stop);
        });
    }

    pub(super) fn act(&mut self, node: &NodeRef, action: Action) -> Result<Answer> {
        self.ask(Request::Change(Change::Act { node: node.clone(), action }))
    }
}
