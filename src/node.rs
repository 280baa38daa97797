//! Pumps and Drainers, and what their records in etcd say of them.

use crate::error::{Error, Result};
use crate::tso::Tso;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// Where TiDB-Binlog keeps its records. List with the trailing slash, or siblings match.
pub const ROOT: &str = "/tidb-binlog/v1/";

/// The two kinds of node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Stores the binlog that TiDB servers write.
    Pump,
    /// Pulls from every Pump, merges by commit timestamp and writes downstream.
    Drainer,
}

impl Kind {
    /// Both kinds, in the order of every listing.
    pub const ALL: [Kind; 2] = [Kind::Pump, Kind::Drainer];

    /// `pump` or `drainer`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pump => "pump",
            Self::Drainer => "drainer",
        }
    }

    /// `Pump` or `Drainer`, as people write it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Pump => "Pump",
            Self::Drainer => "Drainer",
        }
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

/// The five states a record or a probe can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Running.
    Online,
    /// Stopping; practically never reaches etcd.
    Pausing,
    /// Stopped.
    Paused,
    /// Going offline; a Pump's record does not show it, only a probe does.
    Closing,
    /// Gone for good.
    Offline,
}

impl State {
    /// All states.
    pub const ALL: [State; 5] = [Self::Online, Self::Pausing, Self::Paused, Self::Closing, Self::Offline];

    /// The word in records, probes and scripts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Closing => "closing",
            Self::Offline => "offline",
        }
    }

    /// The state called `name`, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

impl std::fmt::Display for State {
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
    pub id: String,
    /// `host:port`.
    pub address: String,
}

impl NodeRef {
    /// The key of its record in etcd.
    pub fn key(&self) -> String {
        format!("{}{}", self.kind.prefix(), self.id)
    }
}

impl std::fmt::Display for NodeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} ({})", self.kind, self.id, self.address)
    }
}

/// A node's record in etcd, as read. Unknown fields are kept in `value` and survive a rewrite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Kind, id (from the key, never from the JSON) and address.
    pub node: NodeRef,
    /// What it says of itself.
    pub state: State,
    /// Pump: the newest commit it holds. Drainer: everything up to it was consumed.
    pub max_commit_ts: Tso,
    /// The last heartbeat, by a clock of the node's own that drifts.
    pub update_ts: Tso,
    /// The etcd revision of its last write.
    pub mod_revision: i64,
    /// The whole JSON object.
    pub value: Map<String, Json>,
}

/// The fields that a heartbeat rewrites: a conflict in only these is none.
pub const HEARTBEAT_FIELDS: [&str; 4] = ["maxCommitTS", "updateTS", "score", "isAlive"];

impl Record {
    /// Reads the value under `key`.
    ///
    /// # Errors
    /// `invalid` with the reason: the key is nested or outside the two prefixes, the value is not a JSON object, or
    /// a field is missing or of the wrong type.
    pub fn parse(key: &str, value: &[u8], mod_revision: i64) -> Result<Self> {
        let (kind, id) = split_key(key)?;
        let json: Json = serde_json::from_slice(value).map_err(|e| Error::invalid(format!("not JSON: {e}")))?;
        let Json::Object(value) = json else {
            return Err(Error::invalid("not a JSON object"));
        };
        let text = |field: &str| {
            value.get(field).and_then(Json::as_str).ok_or_else(|| Error::invalid(format!("no text field `{field}`")))
        };
        let timestamp = |field: &str| match value.get(field) {
            None => Ok(Tso(0)),
            Some(n) => n.as_i64().map(Tso).ok_or_else(|| Error::invalid(format!("`{field}` is no timestamp"))),
        };
        let state = text("state")?;
        let state = State::from_name(state)
            .ok_or_else(|| Error::invalid(format!("`state` is \"{state}\", which is no state of a node")))?;
        let node = NodeRef { kind, id: id.to_owned(), address: text("host")?.to_owned() };
        let (max_commit_ts, update_ts) = (timestamp("maxCommitTS")?, timestamp("updateTS")?);
        Ok(Self { node, state, max_commit_ts, update_ts, mod_revision, value })
    }

    /// The JSON with `state` in place of its own, every other field as it was read.
    pub fn with_state(&self, state: State) -> Map<String, Json> {
        let mut value = self.value.clone();
        value.insert("state".into(), state.name().into());
        value
    }

    /// The `nodeId` in the JSON, where it differs from the key's.
    pub fn other_id(&self) -> Option<&str> {
        self.value.get("nodeId").and_then(Json::as_str).filter(|id| *id != self.node.id)
    }

    /// Every field that is not a heartbeat's and differs from `other`, as `field: mine -> other's`.
    pub fn differences(&self, other: &Record) -> Vec<String> {
        let fields = self.value.keys().chain(other.value.keys().filter(|key| !self.value.contains_key(*key)));
        let show = |value: Option<&Json>| value.map_or("(absent)".to_owned(), Json::to_string);
        fields
            .filter(|field| !HEARTBEAT_FIELDS.contains(&field.as_str()))
            .filter(|field| self.value.get(*field) != other.value.get(*field))
            .map(|field| format!("{field}: {} -> {}", show(self.value.get(field)), show(other.value.get(field))))
            .collect()
    }
}

/// Splits a key into kind and id; a key nested deeper is an error.
fn split_key(key: &str) -> Result<(Kind, &str)> {
    let found = Kind::ALL.into_iter().find_map(|kind| Some((kind, key.strip_prefix(kind.prefix())?)));
    match found {
        None => Err(Error::invalid("the key is neither a Pump's nor a Drainer's")),
        Some((_, "")) => Err(Error::invalid("the key has no node id")),
        Some((_, id)) if id.contains('/') => Err(Error::invalid("the key is nested deeper than a node's")),
        Some(found) => Ok(found),
    }
}

/// A key beneath a prefix of ours that is no record. One of them breaks every other reader of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Malformed {
    /// The whole key.
    pub key: String,
    /// Why it is no record.
    pub reason: String,
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
    pub fn id(&self) -> &str {
        &self.record.node.id
    }
}
