//! Rehearsals as an operator meets them: stories, futures, files, and everything that can be wrong with what they get.

mod effects;
mod futures;
mod kept;
mod network;
mod parts;
mod snapshots;
mod stories;
mod wrong;

use crate::harness::{Ran, Shell, project};
use serde_json::Value as Json;

/// Where the story of the harm of `LEAVES_A_DRAINER` is kept unless somebody says otherwise.
const KEPT: &str = ".local/state/binlogsh/stories/s.unnamed_leftover.story.json";

/// A script of `scripts/`.
fn shipped(name: &str) -> String {
    project("scripts").join(name).display().to_string()
}

/// Rehearses `script` on the default sample.
fn rehearse(script: &str, args: &[&str]) -> Ran {
    rehearse_on(Shell::sandbox("default"), script, args)
}

/// Rehearses `script` where `shell` is.
fn rehearse_on(shell: Shell, script: &str, args: &[&str]) -> Ran {
    let shell = shell.arg("rehearse").file("s.rhai", script).arg("s.rhai");
    args.iter().fold(shell, |shell, arg| shell.arg(*arg)).go()
}

/// The one object on standard output.
#[track_caller]
fn json(ran: &Ran) -> Json {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.stdout))
}

/// Nothing stands on standard output that could be taken for a result.
#[track_caller]
fn no_result(ran: &Ran) {
    assert_eq!(ran.stdout, "", "{}", ran.stderr);
}

/// The names in the home of a run.
fn left(ran: &Ran) -> Vec<String> {
    let entries = std::fs::read_dir(ran.dir()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// A script that pauses a Drainer and fails with a text that does not name it.
const LEAVES_A_DRAINER: &str = r#"pause_drainer("drainer-0", #{ wait: "1m" });
try {
    manual("look at it", #{ starts: ["drainer-0"], takes: "20s" });
    wait_for("drainer-0", "online", "30s");
} catch (e) { fail("something went wrong"); }
print("done");"#;
