//! What is known of a run beside its journal.

use crate::error::{Error, Result};
use crate::secret::Secret;
use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// What sort of run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum RunKind {
    /// `run`: keeps everything, and can be resumed.
    Script,
    /// A session at the prompt, or `-e`.
    Prompt,
    /// A `ctl` command.
    Ctl,
}

impl RunKind {
    /// The word for it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum RunState {
    /// It has no end: a process is at it ([`RunLine::holder`]), or was when it was stopped.
    Running,
    /// It came to its end.
    Done,
    /// It ended with an error.
    Failed,
    /// It was told to stop.
    Interrupted,
    /// Somebody gave it up; it cannot be resumed.
    Abandoned,
}

impl RunState {
    /// The word for it.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A module that a script imports, as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredModule {
    /// The source that imports it, by name.
    #[serde(default)]
    pub importer: String,
    /// What it writes after `import`.
    #[serde(default)]
    pub path: String,
    /// Its own name: its file, or `stdlib:NAME`.
    pub name: String,
    /// Its text, without the secrets that stand in it.
    pub text: String,
    /// The hash of the whole text, if secrets were left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Secret>,
}

/// What a run is, from its beginning and for good.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunHead {
    /// See [`run_id`].
    pub id: String,
    /// What sort of run.
    pub kind: RunKind,
    /// The script's file as it was named; of the prompt and `ctl` what stands for it.
    pub script: String,
    /// The script's text, without the secrets that stand in it; of the prompt none, of `ctl` its command line.
    pub text: String,
    /// The hash of the whole text, if secrets were left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whole: Option<Secret>,
    /// What it imports, in the order first imported.
    #[serde(default)]
    pub modules: Vec<StoredModule>,
    /// The values given with `--param`.
    #[serde(default)]
    pub parameters: IndexMap<String, String>,
    /// The hashes of its secret parameters.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub secrets: IndexMap<String, Secret>,
    /// The cluster that it works on, if it was known.
    #[serde(default)]
    pub cluster_id: Option<u64>,
    /// Who began it.
    pub user: String,
    /// On which host.
    pub host: String,
    /// In which process.
    pub pid: u32,
    /// When: milliseconds since 1970, UTC.
    pub begun_ms: i64,
}

/// The process that is at a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who started it.
    pub user: String,
    /// On which host.
    pub host: String,
    /// Its process id there.
    pub pid: u32,
    /// What tells it from every other process that had or will have this pid: its start time, and random bytes.
    pub mark: String,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct RunEnding {
    /// `Done`, `Failed` or `Interrupted`.
    pub state: RunState,
    /// The exit code of the process.
    pub exit_code: u8,
    /// What ended it.
    pub error: Option<Error>,
}

/// A run in a list: what changes while it goes on, and what people look for.
#[derive(Clone, Debug, PartialEq)]
pub struct RunLine {
    /// Its id.
    pub id: String,
    /// What sort of run.
    pub kind: RunKind,
    /// The script's file as it was named.
    pub script: String,
    /// The cluster that it works on, if it was known.
    pub cluster_id: Option<u64>,
    /// Who began it.
    pub user: String,
    /// On which host.
    pub host: String,
    /// In which process.
    pub pid: u32,
    /// When: milliseconds since 1970, UTC.
    pub begun_ms: i64,
    /// Where it stands.
    pub state: RunState,
    /// The process that is at it, or was when it was stopped.
    pub holder: Option<Holder>,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// The exit code with which it ended.
    pub exit_code: Option<u8>,
    /// The error that ended it.
    pub error: Option<Error>,
    /// Why it was abandoned.
    pub why: Option<String>,
    /// How many rows its journal has; a change has two.
    pub rows: u64,
    /// How many changes began.
    pub changes: u64,
    /// Whether the last of them has no outcome.
    pub unfinished: bool,
    /// The step that it came to.
    pub step: Option<String>,
}

impl RunLine {
    /// The line of a run that begins, and that no process is at yet.
    pub(super) fn beginning(head: &RunHead) -> Self {
        Self {
            id: head.id.clone(),
            kind: head.kind,
            script: head.script.clone(),
            cluster_id: head.cluster_id,
            user: head.user.clone(),
            host: head.host.clone(),
            pid: head.pid,
            begun_ms: head.begun_ms,
            state: RunState::Running,
            holder: None,
            ended_ms: None,
            exit_code: None,
            error: None,
            why: None,
            rows: 0,
            changes: 0,
            unfinished: false,
            step: None,
        }
    }
}

/// Which runs to list; the default is all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only those of this state.
    pub state: Option<RunState>,
    /// Only those of this script, named as it was.
    pub script: Option<String>,
    /// Only those on this cluster.
    pub cluster_id: Option<u64>,
    /// Only so many, the newest.
    pub limit: Option<usize>,
}

impl RunFilter {
    pub(super) fn takes(&self, line: &RunLine) -> bool {
        self.state.is_none_or(|state| line.state == state)
            && self.script.as_ref().is_none_or(|script| line.script == *script)
            && self.cluster_id.is_none_or(|id| line.cluster_id == Some(id))
    }
}

/// Letters and digits that nobody takes for one another.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A short id that sorts by time and is given on no other host: `20261123-121502-x7f3q`.
///
/// # Errors
/// `local` when `begun_ms` is no time that can be written so: the host's clock is wrong.
pub fn run_id(begun_ms: i64, random: [u8; 5]) -> Result<String> {
    let letters: String = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    Ok(format!("{}-{letters}", stamp(begun_ms)?))
}

/// Whether `id` has the form of one. What an exported run calls itself is typed, and stands in messages.
pub(super) fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// `20261123-121502`, in UTC.
pub(super) fn stamp(unix_ms: i64) -> Result<String> {
    let time = DateTime::<Utc>::from_timestamp_millis(unix_ms);
    time.map(|time| time.format("%Y%m%d-%H%M%S").to_string())
        .ok_or_else(|| Error::local(format!("the clock says {unix_ms} ms since 1970")).hint("set this host's clock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_short_and_sort_by_time() {
        let first = run_id(1_795_436_102_000, [1; 5]).unwrap();
        let second = run_id(1_795_436_103_000, [0; 5]).unwrap();
        assert_eq!(first, "20261123-121502-11111");
        assert!(first < second);
        assert_ne!(run_id(0, [1, 2, 3, 4, 5]).unwrap(), run_id(0, [1, 2, 3, 4, 6]).unwrap());
        assert!(run_id(i64::MAX, [0; 5]).is_err());
    }
}
