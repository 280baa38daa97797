//! One entry of a journal.

use crate::error::{Error, ErrorKind};
use crate::world::{Answer, Change, Effect, Request};
use serde::{Deserialize, Serialize};

/// What came of a request. Errors are outcomes, but for those that end a run.
pub type Outcome = Result<Answer, Error>;

/// A request and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the journal, from 1 and ascending, with gaps (a change takes two places); 0 where nobody numbers.
    #[serde(skip)]
    pub seq: u64,
    /// When it was noted: milliseconds since 1970, UTC, by this host's clock, which may be set back. Order is `seq`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// The innermost step of the script that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// What was asked, with secrets as hashes.
    pub request: Request,
    /// What came back.
    pub outcome: Outcome,
    /// What the guards of a change had found, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Who answered the question, or consented to the change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

impl Entry {
    /// An entry that says no more than this.
    pub fn new(request: Request, outcome: Outcome) -> Self {
        Self { seq: 0, at_ms: None, step: None, request, outcome, findings: Vec::new(), by: None }
    }
}

/// How much was done: the one way to count it, for runs and for rehearsals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Deeds {
    /// Changes that happened, or may have: in the cluster, on this host, by a program.
    pub changes: usize,
    /// Tasks that a human did.
    pub by_hand: usize,
}

impl Deeds {
    /// Counts what these changes came to.
    pub(crate) fn count<'o>(all: impl IntoIterator<Item = (Option<&'o Change>, &'o Outcome)>) -> Self {
        let mut deeds = Self::default();
        for (change, _) in all.into_iter().filter(|(_, outcome)| happened(outcome)) {
            match change.map(Change::effect) {
                Some(Effect::Manual) => deeds.by_hand += 1,
                Some(Effect::ChangesCluster | Effect::BreaksLock | Effect::ChangesHost | Effect::Runs) => {
                    deeds.changes += 1;
                }
                Some(Effect::Nothing) | None => {}
            }
        }
        deeds
    }
}

impl std::fmt::Display for Deeds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.changes {
            0 => f.write_str("no changes")?,
            1 => f.write_str("1 change")?,
            changes => write!(f, "{changes} changes")?,
        }
        match self.by_hand {
            0 => Ok(()),
            1 => f.write_str(", 1 task by hand"),
            tasks => write!(f, ", {tasks} tasks by hand"),
        }
    }
}

/// Whether a change of this outcome happened, or may have.
fn happened(outcome: &Outcome) -> bool {
    outcome.as_ref().map_or_else(|error| error.kind == ErrorKind::InDoubt, |_| true)
}

/// A change that began and has no outcome: it may or may not have happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unfinished {
    /// Its place in the journal.
    #[serde(skip)]
    pub seq: u64,
    /// When it began, as [`Entry::at_ms`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_ms: Option<i64>,
    /// The innermost step of the script that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The change.
    #[serde(rename = "request")]
    pub change: Change,
    /// What its guards had found, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Who consented to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
