//! What a Drainer writes to, as its configuration says, and how far it has come, as what it writes to says.

use crate::downstream::DrainerSettings;
use crate::text::Untrusted;
use crate::tso::Tso;
use serde::{Deserialize, Serialize};

/// What was found where a Drainer saves its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DownstreamCheckpoint {
    /// It was read.
    Known(SavedCheckpoint),
    /// It could not be read, and why: a sentence without a full stop.
    Unknown(Untrusted),
}

/// A checkpoint as a Drainer saved it downstream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedCheckpoint {
    /// Everything up to and including it is downstream.
    pub commit_ts: Tso,
    /// Whether nothing beyond it is. It is the word of the last save: from a start until the first save after it, that is one of the
    /// process before. `None` where the version of the Drainer does not say.
    pub consistent: Option<bool>,
    /// The version of the schema there; `None` where the version of the Drainer does not say.
    pub schema_version: Option<i64>,
    /// Where it was read: `tidb_binlog.checkpoint at db:3306`, or a file.
    pub source: Untrusted,
    /// PD's time right after it was read.
    pub read_at: Tso,
}

/// What was found of a Drainer's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DownstreamReplication {
    /// It says what it writes to.
    Known(Box<Replication>),
    /// Nothing says it, or what does could not be read, and why: a sentence without a full stop.
    Unknown(Untrusted),
}

/// What a Drainer writes to and leaves out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replication {
    /// What its configuration says, without users and passwords.
    pub settings: DrainerSettings,
    /// Why only the place is known, and not what it leaves out, renames or writes of a row, if that is so.
    pub unseen: Option<Untrusted>,
    /// Where that stands: a file, tiup's cluster, the profile.
    pub source: Untrusted,
}
