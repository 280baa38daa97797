//! One entry of a journal.

use crate::error::Error;
use crate::world::{Answer, Request};
use serde::{Deserialize, Serialize};

/// What came of a request. Errors are outcomes, but for those that end a run.
pub type Outcome = Result<Answer, Error>;

/// A request and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What was asked, with secrets as hashes.
    pub request: Request,
    /// What came back.
    pub outcome: Outcome,
    /// What the guards of a change had found, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}
