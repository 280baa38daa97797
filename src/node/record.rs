//! A node's record: what every reader of it sees, and the text that is written back.

use super::members::{Member, members};
use super::{Kind, NodeRef, RecordState, RecordText, State};
use crate::error::{Error, Result};
use crate::text::{Untrusted, on_one_line};
use crate::tso::Tso;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A node's record in etcd, as read: whatever other readers put up with is a record. Unknown fields are kept and survive
/// a rewrite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Kind, id (from the key, never from the JSON) and address, which is empty where the record has none.
    pub node: NodeRef,
    /// What it says of itself.
    pub state: RecordState,
    /// Pump: the newest commit it holds. Drainer: everything up to it was consumed.
    pub max_commit_ts: Tso,
    /// The last heartbeat, by a clock of the node's own that drifts.
    pub update_ts: Tso,
    /// The etcd revision of its last write.
    pub mod_revision: i64,
    /// The `nodeId` in the JSON, where it differs from the key's; empty where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_id: Option<Untrusted>,
    /// The whole JSON as it was read: it is looked into only when somebody wants more of it.
    pub json: RecordText,
}

/// A process writes its record each two seconds, and one that ends in good order once more before it goes: what has stood for so long
/// is written by nobody.
pub const WRITES_WITHIN: Duration = Duration::from_secs(5);

/// The fields that a heartbeat rewrites: a conflict in only these is none.
pub const HEARTBEAT_FIELDS: [&str; 4] = ["maxCommitTS", "updateTS", "score", "isAlive"];

/// A value is shown up to so many characters.
const SHOWN: usize = 200;

impl Record {
    /// A record of `node` that says nothing: it stands for whatever the record says.
    pub fn bare(node: NodeRef) -> Self {
        let (state, json) = (String::new().into(), RecordText::from(Vec::new()));
        Self { node, state, max_commit_ts: Tso(0), update_ts: Tso(0), mod_revision: 0, other_id: None, json }
    }

    /// Reads the value under `key`.
    ///
    /// # Errors
    /// `invalid` with the reason: the key is nested or outside the two prefixes, or the value is nothing that Go reads
    /// into the fields of a node: no JSON object, or a field is of the wrong type.
    pub fn parse(key: &str, value: impl Into<Vec<u8>>, mod_revision: i64) -> Result<Self> {
        let (kind, id) = split_key(key)?;
        let json = RecordText::from(value.into());
        let fields = RecordFields::of(&json).map_err(Error::invalid)?;
        let other_id = (fields.node_id != id).then(|| fields.node_id.into());
        let node = NodeRef { kind, id: id.into(), address: fields.host.into() };
        let (max_commit_ts, update_ts) = (Tso(fields.max_commit_ts), Tso(fields.update_ts));
        Ok(Self { node, state: fields.state.into(), max_commit_ts, update_ts, mod_revision, other_id, json })
    }

    /// The text with `state` in place of its own, and otherwise byte for byte as it was read. Where several members are
    /// taken for the state by one reader or another, all of them say it afterwards.
    ///
    /// # Errors
    /// `invalid` when the text is no record.
    pub fn with_state(&self, state: State) -> Result<RecordText> {
        let text = self.json.bytes();
        let members = self.members()?;
        let mut written = Vec::with_capacity(text.len() + 20);
        let mut copied = 0;
        for member in members.iter().filter(|member| member.is("state")) {
            written.extend_from_slice(&text[copied..member.place.start]);
            written.extend_from_slice(format!("\"{state}\"").as_bytes());
            copied = member.place.end;
        }
        if copied > 0 {
            written.extend_from_slice(&text[copied..]);
        } else if let Some(end) = text.iter().rposition(|byte| *byte == b'}') {
            written.extend_from_slice(&text[..end]);
            let comma = if members.is_empty() { "" } else { "," };
            written.extend_from_slice(format!("{comma}\"state\":\"{state}\"").as_bytes());
            written.extend_from_slice(&text[end..]);
        } else {
            // It says `null`.
            written.extend_from_slice(format!("{{\"state\":\"{state}\"}}").as_bytes());
        }
        Ok(written.into())
    }

    /// Every field that is not a heartbeat's and differs from `other`, as `field: mine -> other's`. What is written
    /// differently differs, but for space between the parts.
    ///
    /// # Errors
    /// `invalid` when one of the texts is no record: what differs is not known then.
    pub fn differences(&self, other: &Record) -> Result<Vec<String>> {
        let (mine, others) = (self.members()?, other.members()?);
        let mut names: Vec<&str> = Vec::new();
        for member in mine.iter().chain(&others) {
            let name: &str = &member.name;
            if !HEARTBEAT_FIELDS.contains(&name) && !names.contains(&name) {
                names.push(name);
            }
        }
        let all = |members: &[Member<'_>], name: &str| -> Vec<Vec<u8>> {
            members.iter().filter(|member| member.name == name).map(Member::compact).collect()
        };
        let difference = |name: &str| {
            let (mine, others) = (all(&mine, name), all(&others, name));
            (mine != others).then(|| format!("{}: {} -> {}", on_one_line(name), shown(&mine), shown(&others)))
        };
        Ok(names.into_iter().filter_map(difference).collect())
    }

    /// Whether `json` has the same members as its own text, in the same order and as they are written there.
    pub fn says_the_same(&self, json: &str) -> bool {
        let parts = |members: Vec<Member<'_>>| -> Vec<(String, Vec<u8>)> {
            members.iter().map(|member| (member.name.clone().into_owned(), member.compact())).collect()
        };
        match (members(self.json.bytes()), members(json.as_bytes())) {
            (Ok(own), Ok(other)) => parts(own) == parts(other),
            (Err(_), _) | (_, Err(_)) => false,
        }
    }

    /// The members of its JSON.
    fn members(&self) -> Result<Vec<Member<'_>>> {
        let unreadable = |why| Error::invalid(format!("the text of the record of {} is none: {why}", self.node));
        members(self.json.bytes()).map_err(unreadable)
    }
}

/// The values that a name has, for people.
fn shown(values: &[Vec<u8>]) -> String {
    let show = |value: &Vec<u8>| {
        let text = String::from_utf8_lossy(value);
        let text = on_one_line(&text);
        match text.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}... ({} bytes)", &text[..end], value.len()),
            None => text.into_owned(),
        }
    };
    match values {
        [] => "(absent)".to_owned(),
        several => several.iter().map(show).collect::<Vec<_>>().join(" and "),
    }
}

/// What Go reads of a record: a field that is missing or `null` stays empty, of several the last counts.
#[derive(Default)]
struct RecordFields {
    node_id: String,
    host: String,
    state: String,
    max_commit_ts: i64,
    update_ts: i64,
}

impl RecordFields {
    /// # Errors
    /// Why readers cannot read it, in words.
    fn of(json: &RecordText) -> Result<Self, String> {
        let mut fields = Self::default();
        for member in members(json.bytes())?.iter().filter(|member| !member.is_null()) {
            let wrong = |what: &str| format!("`{}` is {what}", member.name);
            let text = || member.text().ok_or_else(|| wrong("no text"));
            let stamp = || member.integer().ok_or_else(|| wrong("no timestamp"));
            match KnownField::of(member) {
                Some(KnownField::NodeId) => fields.node_id = text()?,
                Some(KnownField::Host) => fields.host = text()?,
                Some(KnownField::State) => fields.state = text()?,
                Some(KnownField::MaxCommitTs) => fields.max_commit_ts = stamp()?,
                Some(KnownField::UpdateTs) => fields.update_ts = stamp()?,
                Some(KnownField::Score) => drop(member.integer().ok_or_else(|| wrong("no whole number"))?),
                Some(KnownField::IsAlive) if !matches!(member.value, b"true" | b"false") => {
                    return Err(wrong("neither true nor false"));
                }
                Some(KnownField::Label) if !is_label(member) => return Err(wrong("no label")),
                Some(KnownField::IsAlive | KnownField::Label) | None => {}
            }
        }
        Ok(fields)
    }
}

/// The fields of a node's record that readers have a type for.
#[derive(Clone, Copy)]
enum KnownField {
    NodeId,
    Host,
    State,
    IsAlive,
    Score,
    Label,
    MaxCommitTs,
    UpdateTs,
}

impl KnownField {
    const NAMES: [(&str, Self); 8] = [
        ("nodeId", Self::NodeId),
        ("host", Self::Host),
        ("state", Self::State),
        ("isAlive", Self::IsAlive),
        ("score", Self::Score),
        ("label", Self::Label),
        ("maxCommitTS", Self::MaxCommitTs),
        ("updateTS", Self::UpdateTs),
    ];

    fn of(member: &Member<'_>) -> Option<Self> {
        Self::NAMES.into_iter().find(|(name, _)| member.is(name)).map(|(_, field)| field)
    }
}

/// Whether Go reads it as a label: an object whose `labels`, if it has any, are texts by name.
fn is_label(member: &Member<'_>) -> bool {
    let texts = |labels: &Member<'_>| {
        labels.is_null()
            || members(labels.value).is_ok_and(|all| all.iter().all(|one| one.is_null() || one.text().is_some()))
    };
    members(member.value).is_ok_and(|parts| parts.iter().filter(|part| part.is("labels")).all(texts))
}

/// Splits a key into kind and id; a key nested deeper is an error.
fn split_key(key: &str) -> Result<(Kind, &str)> {
    match Kind::of_key(key) {
        None => Err(Error::invalid("the key is neither a Pump's nor a Drainer's")),
        Some((_, "")) => Err(Error::invalid("the key has no node id")),
        Some((_, id)) if id.contains('/') => Err(Error::invalid("the key is nested deeper than a node's")),
        Some(found) => Ok(found),
    }
}

#[cfg(test)]
mod tests;
