//! The runs of this user, as a world that has them hands them on.

use crate::error::Result;
use serde::{Deserialize, Serialize};

/// A run: something that changed a cluster, and is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its id.
    pub id: String,
    /// Its script, or what stands for one.
    pub script: String,
    /// How it stands: `running`, `done`, `failed`, ...
    pub state: String,
    /// The cluster that it changed, once it has.
    pub cluster_id: Option<u64>,
    /// How many changes it made.
    pub changes: u64,
    /// Whether nobody knows what became of its last change.
    pub in_doubt: bool,
    /// The step that it is or was in.
    pub step: Option<String>,
    /// When it began, in milliseconds since 1970, UTC.
    pub begun_ms: i64,
    /// Who began it.
    pub user: String,
    /// Where.
    pub host: String,
}

/// Lists the runs, the latest first.
pub type Runs = Box<dyn Fn() -> Result<Vec<RunSummary>> + Send>;
