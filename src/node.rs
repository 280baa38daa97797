//! Pumps and Drainers, and what their records in etcd say of them.

mod key_name;
mod members;
mod record;
mod state;
mod text;

pub use key_name::{bytes_of, key_called, key_name};
pub use record::{HEARTBEAT_FIELDS, Record, WRITES_WITHIN};
pub use state::{RecordState, State};
pub(crate) use text::OwnFields;
pub use text::RecordText;

use crate::text::Untrusted;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use strum::{IntoStaticStr, VariantArray};

/// Where TiDB-Binlog keeps its records. List with the trailing slash, or siblings match.
pub const ROOT: &str = "/tidb-binlog/v1/";

/// The two kinds of node.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Kind {
    /// Stores the binlog that TiDB servers write.
    Pump,
    /// Pulls from every Pump, merges by commit timestamp and writes downstream.
    Drainer,
}

impl Kind {
    /// Both kinds, in the order of every listing.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// `pump` or `drainer`.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// `Pump` or `Drainer`, as people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pump => "Pump",
            Self::Drainer => "Drainer",
        }
    }

    /// Whose key `key` is: the kind, and what stands behind its prefix.
    pub fn of_key(key: &str) -> Option<(Self, &str)> {
        Self::ALL.iter().find_map(|kind| Some((*kind, key.strip_prefix(kind.prefix())?)))
    }

    /// The prefix of this kind's keys in etcd, with the trailing slash.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Pump => "/tidb-binlog/v1/pumps/",
            Self::Drainer => "/tidb-binlog/v1/drainers/",
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Which node, and where it listens: enough to send it a request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeRef {
    /// Pump or Drainer.
    pub kind: Kind,
    /// The id in its key, and in the path of every request.
    pub id: Untrusted,
    /// `host:port`.
    pub address: Untrusted,
}

impl NodeRef {
    /// The key of its record in etcd.
    pub fn key(&self) -> String {
        [self.kind.prefix(), &self.id].concat()
    }

    /// Whether its address is `address`: host names have no case.
    pub fn is_at(&self, address: &str) -> bool {
        self.address.eq_ignore_ascii_case(address)
    }
}

/// An address in the form in which only what matters makes a difference: host names have no case.
pub fn same_for_all(address: &str) -> Cow<'_, str> {
    match address.bytes().any(|byte| byte.is_ascii_uppercase()) {
        true => address.to_ascii_lowercase().into(),
        false => address.into(),
    }
}

impl std::fmt::Display for NodeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.kind, self.id, self.address)
    }
}

/// A key beneath a prefix of ours that is no record. One of them breaks every other reader of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Malformed {
    /// The whole key, by its name (see [`key_name`]).
    pub key: Untrusted,
    /// Why it is no record.
    pub reason: Untrusted,
    /// Its etcd revision, to delete just what was seen.
    pub mod_revision: i64,
}

/// A node as people and scripts see it: its record, and what PD's time makes of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its record.
    pub record: Record,
    /// Seconds from `max_commit_ts` to PD's now; `None` where PD's time is not known.
    pub lag: Option<f64>,
    /// Seconds from `update_ts` to PD's now; drifts, see `Record::update_ts`.
    pub heartbeat_age: Option<f64>,
    /// What is odd about it, a short phrase each.
    pub odd: Vec<String>,
}

impl Node {
    /// The node's id.
    pub fn id(&self) -> &Untrusted {
        &self.record.node.id
    }
}
