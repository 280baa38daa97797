//! The DDLs of TiDB in a scenario.

use super::Span;
use serde::{Deserialize, Serialize};

/// The version of the schema where nobody says (chosen).
pub(crate) const FIRST_SCHEMA: i64 = 50;

/// When TiDB runs DDLs, and what they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DdlSpec {
    /// At these times after the start.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at: Vec<Span>,
    /// And again and again, so much later each time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
    /// The version of the schema at the start; each DDL is the next one.
    #[serde(default = "first_schema")]
    pub schema_version: i64,
}

fn first_schema() -> i64 {
    FIRST_SCHEMA
}
