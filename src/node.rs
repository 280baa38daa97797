//! Pumps and Drainers, and what their records in etcd say of them.

use crate::error::{Error, Result};
use crate::tso::Tso;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::borrow::Cow;

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

/// A node's record in etcd, as read. Unknown fields are kept and survive a rewrite.
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
    /// The `nodeId` in the JSON, where it differs from the key's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_id: Option<String>,
    /// The whole JSON object as it was read: it is looked into only when somebody wants more of it.
    pub json: String,
}

/// The fields that a heartbeat rewrites: a conflict in only these is none.
pub const HEARTBEAT_FIELDS: [&str; 4] = ["maxCommitTS", "updateTS", "score", "isAlive"];

impl Record {
    /// Reads the value under `key`.
    ///
    /// # Errors
    /// `invalid` with the reason: the key is nested or outside the two prefixes, the value is not a JSON object, or
    /// a field is missing or of the wrong type.
    pub fn parse(key: &str, value: impl Into<Vec<u8>>, mod_revision: i64) -> Result<Self> {
        let (kind, id) = split_key(key)?;
        let json = String::from_utf8(value.into()).map_err(|e| Error::invalid(format!("not JSON: {e}")))?;
        let known = match serde_json::from_str::<Known<'_>>(&json) {
            Ok(known) if known.is_whole() => known,
            _ => return Err(what_is_wrong(&json)),
        };
        let (Some(address), Some(state)) = (known.host, known.state.as_deref().and_then(State::from_name)) else {
            return Err(what_is_wrong(&json));
        };
        let other_id = known.node_id.filter(|claimed| *claimed != id).map(Cow::into_owned);
        let node = NodeRef { kind, id: id.to_owned(), address: address.into_owned() };
        let (max_commit_ts, update_ts) = (Tso(known.max_commit_ts), Tso(known.update_ts));
        Ok(Self { node, state, max_commit_ts, update_ts, mod_revision, other_id, json })
    }

    /// The JSON object.
    pub fn value(&self) -> Map<String, Json> {
        serde_json::from_str(&self.json).unwrap_or_default()
    }

    /// The JSON with `state` in place of its own, every other field as it was read.
    pub fn with_state(&self, state: State) -> String {
        let mut value = self.value();
        value.insert("state".into(), state.name().into());
        Json::Object(value).to_string()
    }

    /// Every field that is not a heartbeat's and differs from `other`, as `field: mine -> other's`.
    pub fn differences(&self, other: &Record) -> Vec<String> {
        let (mine, others) = (self.value(), other.value());
        let fields = mine.keys().chain(others.keys().filter(|key| !mine.contains_key(*key)));
        let show = |value: Option<&Json>| value.map_or("(absent)".to_owned(), Json::to_string);
        fields
            .filter(|field| !HEARTBEAT_FIELDS.contains(&field.as_str()))
            .filter(|field| mine.get(*field) != others.get(*field))
            .map(|field| format!("{field}: {} -> {}", show(mine.get(field)), show(others.get(field))))
            .collect()
    }
}

/// The fields of a record that we know, read in one pass without keeping the others.
#[derive(Deserialize)]
struct Known<'a> {
    #[serde(borrow, rename = "nodeId")]
    node_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    host: Option<Cow<'a, str>>,
    #[serde(borrow)]
    state: Option<Cow<'a, str>>,
    #[serde(default, rename = "maxCommitTS")]
    max_commit_ts: i64,
    #[serde(default, rename = "updateTS")]
    update_ts: i64,
}

impl Known<'_> {
    fn is_whole(&self) -> bool {
        self.host.is_some() && self.state.is_some()
    }
}

/// Why a value is no record.
fn what_is_wrong(json: &str) -> Error {
    let value = match serde_json::from_str(json) {
        Ok(Json::Object(value)) => value,
        Ok(_) => return Error::invalid("not a JSON object"),
        Err(e) => return Error::invalid(format!("not JSON: {e}")),
    };
    for field in ["host", "state"] {
        if !value.get(field).is_some_and(Json::is_string) {
            return Error::invalid(format!("no text field `{field}`"));
        }
    }
    for field in ["maxCommitTS", "updateTS"] {
        if value.get(field).is_some_and(|ts| !ts.is_i64()) {
            return Error::invalid(format!("`{field}` is no timestamp"));
        }
    }
    match value.get("state").and_then(Json::as_str) {
        Some(state) if State::from_name(state).is_none() => {
            Error::invalid(format!("`state` is \"{state}\", which is no state of a node"))
        }
        _ => Error::invalid("a field is of the wrong type, or there twice"),
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
