//! One entry of a journal.

use crate::error::Error;
use crate::world::{Answer, Request};
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
    pub request: Request,
    /// What its guards had found, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
    /// Who consented to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}
