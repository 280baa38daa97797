//! A Drainer's double that saves as a Drainer does, in a real MariaDB: before, during and after each way to end.

use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use crate::support::eventually;
use crate::support::mariadb::{MariaDb, PASSWORD, mariadb};
use binlogsh::node::Kind;
use binlogsh::sim::{Cluster, NodeIndex, Signal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

const ID: &str = "drainer-0";

/// A cluster whose Drainer saves in the database.
struct Saving {
    cluster: Arc<LiveCluster>,
    server: &'static MariaDb,
    schema: String,
    ended: Arc<AtomicBool>,
    saver: Option<JoinHandle<()>>,
}

impl Saving {
    fn start() -> Self {
        let (cluster, server) = (Arc::new(LiveCluster::sample("default")), mariadb());
        Self { cluster, server, schema: server.schema(), ended: Arc::default(), saver: None }
    }

    /// From now on every save of the Drainer goes to the database.
    fn save(&mut self) {
        self.server.make_table(&self.schema);
        let (cluster, ended, schema, server) =
            (self.cluster.clone(), self.ended.clone(), self.schema.clone(), self.server);
        self.saver = Some(std::thread::spawn(move || {
            let mut before = String::new();
            while !ended.load(Ordering::SeqCst) {
                let row = cluster.with(saved);
                if row != before {
                    server.save(&schema, crate::support::pd_double::CLUSTER_ID, &row);
                    before = row;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }));
    }

    fn eval(&self, code: &str) -> Ran {
        let config = format!(
            "default-profile = \"p\"\n[profiles.p]\npd-urls = \"{}\"\nmy-cnf = \"my.cnf\"\n[profiles.p.downstreams.{ID}]\nhost = \
             \"127.0.0.1\"\nport = {}\nschema = \"{}\"\n",
            self.cluster.url(),
            self.server.port(),
            self.schema
        );
        let my_cnf = format!("[client]\nuser = reader\npassword = {}\n", super::my_cnf_quoted(PASSWORD));
        let shell =
            Shell::new(&["--config=c.toml", "-o", "json", "--yes"]).file("c.toml", &config).file("my.cnf", &my_cnf);
        shell.eval(code).succeeds()
    }

    fn checkpoint(&self) -> serde_json::Value {
        serde_json::from_str(&self.eval(&format!("checkpoint(\"{ID}\")")).stdout).unwrap()
    }

    fn who(&self) -> NodeIndex {
        self.cluster.who(Kind::Drainer, ID)
    }

    /// Whether it comes to that.
    fn comes_to(&self, what: impl Fn(&serde_json::Value) -> bool) -> serde_json::Value {
        let mut found = serde_json::Value::Null;
        let came = eventually(Duration::from_secs(60), || {
            found = self.checkpoint();
            what(&found)
        });
        assert!(came, "{found}");
        found
    }
}

impl Drop for Saving {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // A saver that failed was seen as a checkpoint that stands still.
        drop(self.saver.take().map(JoinHandle::join));
    }
}

/// What the Drainer has saved downstream by now.
fn saved(cluster: &mut Cluster) -> String {
    let Some(NodeIndex::Drainer(at)) = cluster.find(Kind::Drainer, ID) else { panic!("no Drainer") };
    cluster.saved_downstream(at).unwrap().render()
}

fn position(checkpoint: &serde_json::Value) -> i64 {
    checkpoint["commit_ts"].as_i64().unwrap()
}

#[test]
fn a_checkpoint_is_read_before_a_drainer_saves_while_it_does_and_after_each_way_to_end() {
    let mut saving = Saving::start();
    let before = saving.checkpoint();
    assert_eq!(before["known"], false);
    assert!(before["why"].as_str().unwrap().contains("no table"), "{before}");

    saving.save();
    let during = saving.comes_to(|found| found["known"] == true);
    // It runs: nothing beyond the checkpoint is certain, and the row says so.
    assert_eq!(during["consistent"], false, "{during}");
    assert!(position(&during) <= during["read_at"].as_i64().unwrap());
    saving.comes_to(|found| position(found) > position(&during));

    // A clean end: what it had taken in is saved once more, behind what its last record says.
    saving.eval(&format!("pause_drainer(\"{ID}\", #{{ wait: \"30s\" }})"));
    let clean = saving.comes_to(|found| found["consistent"] == true);
    let recorded = saving.eval(&format!("drainer(\"{ID}\").max_commit_ts")).stdout.trim().parse::<i64>().unwrap();
    assert!(position(&clean) >= recorded, "{clean} {recorded}");

    // It starts: the row has the word of the process before, which does not count while somebody is there.
    saving.cluster.start_process(Kind::Drainer, ID);
    let started = saving.comes_to(|found| found["consistent"] != true);
    assert!(started["consistent"].is_null() || started["consistent"] == false, "{started}");
    saving.comes_to(|found| found["consistent"] == false);

    // An unclean end: parts of later transactions may be downstream.
    let who = saving.who();
    saving.cluster.with(|cluster| cluster.signal(who, Signal::Kill));
    let killed = saving.checkpoint();
    assert_eq!((&killed["known"], &killed["consistent"]), (&true.into(), &false.into()));
}
