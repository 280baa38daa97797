//! kill -9 of the real process, wherever it has come to on its way: it goes on, and does nothing twice.
//!
//! The points are counted in a first run: what the cluster hears, and how far the store's log has grown. In each other
//! run the process is killed when it has come as far.

use crate::harness::Shell;
use crate::support::cluster::LiveCluster;
use crate::support::is_soak;
use binlogsh::node::Kind;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Seven changes: three keys that are no records go, a savepoint is written, three nodes pause.
const WORK: &str = r#"
    //! Changes of every kind that need no human.
    let dir = param("dir", #{ about: "where the savepoint goes" });
    step("keys", || { forget_pump("bad-1"); forget_drainer("bad-2"); forget_pump("bad-3"); });
    step("savepoint", || generate_meta(#{ data_dir: dir }));
    step("first", || pause_drainer("drainer-1", #{ wait: "30s" }));
    step("second", || pause_pump("pump-2", #{ wait: "30s" }));
    step("third", || pause_drainer("drainer-0", #{ wait: "30s" }));
"#;

const KEYS: [&str; 3] = ["pumps/bad-1", "drainers/bad-2", "pumps/bad-3"];
const PAUSED: [(Kind, &str); 3] = [(Kind::Drainer, "drainer-1"), (Kind::Pump, "pump-2"), (Kind::Drainer, "drainer-0")];

/// A cluster and a host of its own for each kill.
struct Place {
    cluster: LiveCluster,
    dir: tempfile::TempDir,
}

/// How far a process has come.
#[derive(Clone, Copy, Debug)]
enum Far {
    /// The cluster has heard so much.
    Heard(usize),
    /// The log of the store has so many bytes.
    Written(u64),
}

impl Place {
    fn new() -> Self {
        let place = Self { cluster: LiveCluster::sample("default"), dir: tempfile::tempdir().unwrap() };
        std::fs::write(place.script(), WORK).unwrap();
        for key in KEYS {
            place.cluster.kv().put(&format!("/tidb-binlog/v1/{key}"), "no JSON");
        }
        place
    }

    fn script(&self) -> PathBuf {
        self.dir.path().join("work.rhai")
    }

    fn meta(&self) -> PathBuf {
        self.dir.path().join("meta")
    }

    fn shell(&self) -> Shell {
        Shell::live(&self.cluster.url()).env("XDG_DATA_HOME", &self.dir.path().display().to_string()).yes()
    }

    fn work(&self) -> Shell {
        let dir = format!("dir={}", self.meta().display());
        self.shell().arg("--wait-lock=1m").arg("run").arg(self.script().display().to_string()).arg("-p").arg(dir)
    }

    fn log(&self) -> PathBuf {
        self.dir.path().join("binlogsh/runs.db-wal")
    }

    fn has_come(&self, far: Far) -> bool {
        match far {
            Far::Heard(times) => self.cluster.heard() >= times,
            Far::Written(bytes) => size(&self.log()) >= bytes,
        }
    }

    /// Starts the script, and kills it when it has come so far. Whether it had not ended by then, and how long the log was.
    fn killed_at(&self, far: Far) -> (bool, u64) {
        let shell = self.work();
        let mut child =
            shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (began, mut longest) = (Instant::now(), 0);
        while !self.has_come(far) && !has_ended(&mut child) {
            assert!(began.elapsed() < Duration::from_secs(60), "{far:?}");
            longest = longest.max(size(&self.log()));
            std::thread::sleep(Duration::from_micros(100));
        }
        let killed = !has_ended(&mut child);
        child.kill().unwrap();
        child.wait().unwrap();
        (killed, longest)
    }

    /// Goes on with the run; with a new one if none had begun to change anything.
    fn go_on(&self, about: &str) {
        let listed = self.shell().arg("runs").arg("-o").arg("json").go().succeeds();
        let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        let ran = match rows.as_array().unwrap().first() {
            None => self.work().go(),
            Some(row) if row["state"] == "done" => return,
            Some(row) => self.shell().arg("runs").arg("resume").arg(row["id"].as_str().unwrap()).go(),
        };
        assert_eq!(ran.code, 0, "{about}\n{}\n{}", ran.stdout, ran.stderr);
    }

    /// All is as the script leaves it, and every node was told once.
    fn is_as_it_should_be(&self, about: &str) {
        let mut kv = self.cluster.kv();
        for key in KEYS {
            assert!(kv.get(&format!("/tidb-binlog/v1/{key}")).is_none(), "{about}: {key}");
        }
        assert!(self.meta().join("savepoint").exists(), "{about}");
        for (kind, id) in PAUSED {
            assert_eq!(self.cluster.recorded(kind, id), "paused", "{about}: {id}");
            let end = format!("/state/{id}/pause");
            let told = self.cluster.asked_of_nodes().into_iter().filter(|asked| asked.ends_with(&end)).count();
            assert_eq!(told, 1, "{about}: {id} was told {told} times");
        }
        let shown = self.shell().arg("runs").arg("-o").arg("json").go().succeeds();
        let rows: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!((rows[0]["state"].as_str(), rows[0]["in_doubt"].as_bool()), (Some("done"), Some(false)), "{about}");
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

fn has_ended(child: &mut Child) -> bool {
    child.try_wait().unwrap().is_some()
}

/// Kills a process at each of `count` points, evenly spread over what an undisturbed run comes to (what the cluster hears,
/// and the length of the log).
fn killed_everywhere(count: usize, point: impl Fn(&Place, usize, u64) -> Far) {
    let place = Place::new();
    let before = place.cluster.heard();
    let (_, log) = place.killed_at(Far::Heard(usize::MAX));
    place.is_as_it_should_be("undisturbed");
    let heard = place.cluster.heard() - before;
    let mut kills = 0;
    for n in 1..=count {
        let place = Place::new();
        let far = point(&place, heard * n / (count + 1), log * n as u64 / (count as u64 + 1));
        kills += usize::from(place.killed_at(far).0);
        let about = format!("killed at {far:?}, kill {n} of {count}");
        place.go_on(&about);
        place.is_as_it_should_be(&about);
    }
    assert!(kills * 10 >= count * 8, "{kills} of {count} were killed in time");
    tell(kills);
}

#[expect(clippy::print_stdout, reason = "a figure for whoever asks with --nocapture")]
fn tell(kills: usize) {
    println!("{kills} processes were killed");
}

/// A few, or so many that both tests together kill two hundred.
fn count() -> usize {
    if is_soak() { 120 } else { 6 }
}

#[test]
fn a_process_that_is_killed_while_it_talks_to_the_cluster_is_gone_on_with() {
    killed_everywhere(count(), |place, heard, _| Far::Heard(place.cluster.heard() + heard));
}

#[test]
fn a_process_that_is_killed_while_it_writes_its_journal_is_gone_on_with() {
    killed_everywhere(count(), |_, _, written| Far::Written(written));
}
