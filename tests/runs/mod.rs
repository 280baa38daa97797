//! Runs as whoever uses the program sees them: begun, killed, looked at, gone on with, given up, moved.

mod by_hand;
mod changefeeds;
mod commands;
mod cuts;
mod diverged;
mod hold;
mod kills;
mod manual;
mod resume;
mod values;

use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// Acts, waits until somebody writes the savepoint `go`, and acts again.
const WORK: &str = r#"
    //! Pauses both Drainers.
    let said_in = param("said_in", #{ about: "the directory in which somebody says that it may go on" });
    print("first of all");
    step("first", || pause_drainer("drainer-1", #{ wait: "30s" }));
    step("second", || {
        wait_until("somebody says so", || {
            let said = false;
            try { read_meta(said_in); said = true; } catch { }
            said
        }, "90s");
        pause_drainer("drainer-0", #{ wait: "30s" });
    });
    print("all is done");
"#;

/// A cluster, and an operator's host.
struct Place {
    cluster: LiveCluster,
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { cluster: LiveCluster::sample("default"), dir: tempfile::tempdir().unwrap() };
        std::fs::write(place.script(), WORK).unwrap();
        place
    }

    fn script(&self) -> PathBuf {
        self.dir.path().join("work.rhai")
    }

    fn go(&self) -> PathBuf {
        self.dir.path().join("go")
    }

    /// Lets the script go on.
    fn say_go(&self) {
        std::fs::create_dir(self.go()).unwrap();
        std::fs::write(self.go().join("savepoint"), "commitTS = 1\n").unwrap();
    }

    /// The program, with the data directory of this host.
    fn shell(&self) -> Shell {
        self.shell_with(self.dir.path())
    }

    /// The program, with another data directory.
    fn shell_with(&self, data: &Path) -> Shell {
        Shell::live(&self.cluster.url()).env("XDG_DATA_HOME", &data.display().to_string()).env("USER", "ann")
    }

    fn runs(&self, args: &[&str]) -> Shell {
        args.iter().fold(self.shell().arg("runs"), |shell, arg| shell.arg(*arg))
    }

    /// The script, not yet started.
    fn work(&self) -> Shell {
        self.shell().yes().arg("run").arg(self.script().display().to_string()).arg("-p").arg(self.param())
    }

    fn param(&self) -> String {
        format!("said_in={}", self.go().display())
    }

    /// Starts the script, and returns once it waits in its second step; and what it says from there on.
    fn half_way(&self) -> (Child, impl Iterator<Item = String>) {
        let shell = self.work();
        let mut child =
            shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line.contains("==> second")), "it ended before its second step");
        (child, lines)
    }

    /// Starts the script, and kills it once it waits in its second step.
    fn cut_off(&self) {
        let (mut child, _) = self.half_way();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Starts the script, and tells it to stop once it waits in its second step: it gives the lock back. What it said then.
    fn stop(&self) -> Vec<String> {
        let (mut child, lines) = self.half_way();
        kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
        let said = lines.collect();
        assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
        said
    }

    /// The id of the only run.
    fn id(&self) -> String {
        let listed = self.runs(&[]).arg("-o").arg("json").go().succeeds();
        let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        assert_eq!(rows.as_array().unwrap().len(), 1, "{}", listed.stdout);
        rows[0]["id"].as_str().unwrap().to_owned()
    }

    fn resume(&self) -> Ran {
        self.runs(&["resume", &self.id()]).yes().go()
    }

    /// How often each Drainer was told to pause.
    fn told_to_pause(&self) -> usize {
        self.cluster
            .asked_of_nodes()
            .iter()
            .filter(|asked| asked.starts_with("PUT ") && asked.ends_with("/pause"))
            .count()
    }
}
