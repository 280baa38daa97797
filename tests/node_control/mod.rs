//! Starting and stopping nodes from outside: by the commands of a profile on a real cluster, and as a scenario says in a
//! simulated one.

mod commands;
mod config;
mod simulated;

use crate::harness::Shell;
use crate::support::cluster::LiveCluster;
use crate::support::eventually;
use binlogsh::node::Kind;
use binlogsh::sim::{NodeIndex, Scenario};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// A cluster whose nodes are started and stopped by commands: each makes a directory, and somebody who watches for it does it.
pub(crate) struct Commanded {
    pub(crate) cluster: Arc<LiveCluster>,
    /// Where the commands make their directories, and the profile is.
    pub(crate) dir: tempfile::TempDir,
    ended: Arc<AtomicBool>,
    watcher: Option<JoinHandle<()>>,
}

impl Commanded {
    pub(crate) fn sample(name: &str) -> Self {
        Self::start(Scenario::named(name).unwrap())
    }

    pub(crate) fn start(scenario: Scenario) -> Self {
        Self::on(Arc::new(LiveCluster::start(scenario)))
    }

    /// The same for a cluster that runs already.
    pub(crate) fn on(cluster: Arc<LiveCluster>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (ended, watched, at) = (Arc::<AtomicBool>::default(), cluster.clone(), dir.path().to_owned());
        let end = ended.clone();
        let watcher = std::thread::spawn(move || {
            while !end.load(Ordering::SeqCst) {
                obey(&watched, &at);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        Self { cluster, dir, ended, watcher: Some(watcher) }
    }

    /// The profile `test` of this cluster, whose node control has these lines.
    pub(crate) fn shell_with(&self, control: &str) -> Shell {
        let text = format!(
            "default-profile = \"test\"\n[profiles.test]\npd-urls = \"{}\"\n[profiles.test.node-control]\n{control}\n",
            self.cluster.url()
        );
        let path = self.dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Shell::new(&["--config", path.to_str().unwrap()])
    }

    /// The lines of commands that do what they are told.
    pub(crate) fn obedient(&self) -> String {
        let dir = self.dir.path().display();
        let command = |verb: &str| format!("{verb} = [\"mkdir\", \"-p\", \"{dir}/{verb}/{{kind}}/{{id}}\"]\n");
        format!("by = \"commands\"\n{}{}{}", command("start"), command("stop"), command("restart"))
    }

    pub(crate) fn shell(&self) -> Shell {
        self.shell_with(&self.obedient())
    }
}

impl Drop for Commanded {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        let ended = self.watcher.take().map(JoinHandle::join);
        // A watcher that failed was seen as a command that did nothing.
        drop(ended);
    }
}

/// Does what the directories beneath `dir` say, each once.
fn obey(cluster: &LiveCluster, dir: &Path) {
    for verb in ["start", "stop", "restart"] {
        for kind in Kind::ALL {
            let Ok(told) = std::fs::read_dir(dir.join(verb).join(kind.name())) else { continue };
            for entry in told.map_while(Result::ok) {
                let id = entry.file_name().into_string().unwrap();
                std::fs::remove_dir(entry.path()).unwrap();
                let who: NodeIndex = cluster.who(*kind, &id);
                cluster.with(|model| match verb {
                    "stop" => model.stop(who),
                    _ => model.start(who, None),
                });
            }
        }
    }
}

/// What the record of a node says, once it says that.
fn comes_to(cluster: &LiveCluster, kind: Kind, id: &str, state: &str) -> bool {
    eventually(Duration::from_secs(20), || cluster.recorded(kind, id) == state)
}
