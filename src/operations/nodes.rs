//! From a listing to the nodes that people see, and from a name to the node that is meant.

use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::node::{Kind, Malformed, Node, NodeRef, Record, RecordState, State, same_for_all};
use crate::operations::{Arguments, NodeName};
use crate::text::{Untrusted, on_one_line, script_literal};
use crate::time::show_seconds;
use crate::tso::{Age, Tso};
use crate::value::Value;
use crate::world::{Gate, Listing, Notice};
use std::borrow::Cow;
use std::collections::HashMap;

/// A record says `online`, and its heartbeat is older than this: odd.
const OLD_HEARTBEAT_SECONDS: f64 = 10.0;
/// A node lags more than this: odd.
const LONG_LAG_SECONDS: f64 = 60.0;

/// All records, with a warning for each key that is none: it breaks every other reader of the cluster.
///
/// # Errors
/// Those of the listing.
pub fn list(gate: &mut dyn Gate) -> Result<Listing> {
    let listing = gate.listing()?;
    for key in &listing.malformed {
        gate.tell(Notice::Warning(warning(key)));
    }
    if let Some(error) = &listing.tso_error {
        gate.tell(Notice::Warning(format!("PD gave no timestamp, so lag and heartbeat age are not known: {error}")));
    }
    Ok(listing)
}

/// What is said of a key that is no record.
pub fn warning(key: &Malformed) -> String {
    format!(
        "the key {} is no record ({}): it breaks binlogctl, Drainers, closing Pumps and TiDB; \
         look at it and delete it: {}",
        key.key,
        key.reason,
        forget_call(&key.key)
    )
}

/// The call that deletes the key called `key`.
pub(crate) fn forget_call(key: &str) -> String {
    match Kind::of_key(key) {
        // No text at all is a slip, and means nothing anywhere.
        Some((kind, "")) => format!("forget_{kind}({})", script_literal(key)),
        Some((kind, rest)) => format!("forget_{kind}({})", script_literal(rest)),
        None => "forget_pump or forget_drainer".into(),
    }
}

/// The key that `text` means among those that are no records of this `kind`: as it is listed, what stands behind the
/// prefix, or either as messages show it.
pub(super) fn malformed<'a>(listing: &'a Listing, text: &str, kind: Kind) -> Option<&'a Malformed> {
    let of_kind = || listing.malformed.iter().filter(|key| key.key.starts_with(kind.prefix()));
    let is_behind = |key: &&Malformed| key.key.strip_prefix(kind.prefix()) == Some(text);
    let shown = |key: &&Malformed| {
        let whole = key.key.to_string();
        whole == text || whole.strip_prefix(kind.prefix()) == Some(text)
    };
    let mut alike = of_kind().filter(shown);
    let as_shown = || alike.next().filter(|_| alike.next().is_none());
    of_kind().find(|key| key.key == text).or_else(|| of_kind().find(is_behind)).or_else(as_shown)
}

/// The node of `record`, with what the whole `listing` makes of it.
pub fn view(record: &Record, listing: &Listing) -> Node {
    let others = listing.records.iter().map(|other| &other.node);
    let neighbours = others.filter(|other| other.is_at(&record.node.address) && **other != record.node);
    let mut neighbours = neighbours.filter(|other| !other.address.is_empty());
    let odd = neighbours.next().map(|first| same_address(first, neighbours.count()));
    node(record.clone(), listing.tso, odd)
}

/// The nodes of one kind, or all, as a list.
pub fn views(listing: Listing, kind: Option<Kind>) -> Value {
    Value::List(nodes_of(listing, kind).map(Value::from).collect())
}

/// The nodes of one kind, or all.
pub(crate) fn nodes_of(listing: Listing, kind: Option<Kind>) -> impl Iterator<Item = Node> {
    let mut shared = shared_addresses(&listing.records);
    let with_index = listing.records.into_iter().enumerate();
    let wanted = with_index.filter(move |(_, record)| kind.is_none_or(|kind| record.node.kind == kind));
    wanted.map(move |(at, record)| node(record, listing.tso, shared.remove(&at)))
}

/// By the index of every record whose address others have as well: what is odd about that.
fn shared_addresses(records: &[Record]) -> HashMap<usize, String> {
    let places: Vec<Cow<'_, str>> = records.iter().map(|record| same_for_all(&record.node.address)).collect();
    let mut by_address: HashMap<&str, Vec<usize>> = HashMap::with_capacity(records.len());
    for (at, place) in places.iter().enumerate().filter(|(_, place)| !place.is_empty()) {
        by_address.entry(place).or_default().push(at);
    }
    let mut odd = HashMap::new();
    for group in by_address.into_values().filter(|group| group.len() > 1) {
        for at in &group {
            // The first other one is named, and how many more there are.
            let other = if group[0] == *at { group[1] } else { group[0] };
            odd.insert(*at, same_address(&records[other].node, group.len() - 2));
        }
    }
    odd
}

/// What is odd about a node whose address `other` and so many `more` have as well.
fn same_address(other: &NodeRef, more: usize) -> String {
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("same address as {} {}{more}", other.kind, other.id)
}

/// The node of `record` at PD's `now`, with what is `odd` about its address.
fn node(record: Record, now: Option<Tso>, odd_address: Option<String>) -> Node {
    let position = now.map(|now| record.max_commit_ts.position_age(now));
    let heartbeat = now.map(|now| record.update_ts.heartbeat_age(now));
    let (lag, heartbeat_age) = (position.and_then(Age::seconds), heartbeat.and_then(Age::seconds));
    let mut odd = Vec::new();
    match record.other_id.as_deref() {
        None => {}
        Some("") => odd.push("its JSON has no nodeId".into()),
        Some(id) => odd.push(format!("its JSON says nodeId {id}")),
    }
    if record.node.address.is_empty() {
        odd.push("its record has no address".into());
    }
    odd.extend(odd_address);
    odd.extend(odd_timestamp("maxCommitTS", record.max_commit_ts, position));
    odd.extend(odd_timestamp("updateTS", record.update_ts, heartbeat));
    match &record.state {
        RecordState::Other(_) => {
            odd.push(format!("{} is no state: others take it for neither online nor offline", record.state))
        }
        RecordState::Known(State::Online) => {
            if let Some(age) = heartbeat_age.filter(|age| *age > OLD_HEARTBEAT_SECONDS) {
                odd.push(format!("no heartbeat for {}: probe it", show_seconds(age)));
            }
            if let Some(lag) = lag.filter(|lag| *lag > LONG_LAG_SECONDS) {
                odd.push(format!("{} behind", show_seconds(lag)));
            }
        }
        RecordState::Known(State::Pausing | State::Closing) => {
            odd.push("practically never in a record: probe it".into())
        }
        RecordState::Known(State::Paused | State::Offline) => {}
    }
    Node { record, lag, heartbeat_age, odd }
}

/// What is odd about a timestamp of a record. Without PD's time it is not known what lies ahead.
fn odd_timestamp(field: &str, ts: Tso, age: Option<Age>) -> Option<String> {
    match age {
        Some(Age::Ahead(ahead)) => Some(format!("its {field} is {} ahead of PD's time", show_seconds(ahead))),
        Some(Age::Negative) => Some(format!("its {field} is {ts}, which is no timestamp")),
        None if ts.0 < 0 => Some(format!("its {field} is {ts}, which is no timestamp")),
        // A node says so in its first seconds.
        Some(Age::Nothing | Age::Seconds(_)) | None => None,
    }
}

/// The nodes that the option `name` of a call means in `listing`, and those that it introduces; none if it was not given.
///
/// # Errors
/// Those of [`find`].
pub(super) fn references(listing: &Listing, args: &Arguments, name: &str) -> Result<Vec<NodeRef>> {
    let one = |name: &NodeName| match name {
        NodeName::New(node) => Ok(node.clone()),
        name => find(listing, name, None).map(|record| record.node.clone()),
    };
    args.nodes(name).iter().map(one).collect()
}

/// The record that `name` means in `listing`: by id, by a `Node`, or, where only one has it, by `host:port`.
///
/// # Errors
/// `not_found` with the nearest ids, or that its key is malformed; `invalid` when several nodes are meant, or a node
/// of the wrong kind.
pub fn find<'a>(listing: &'a Listing, name: &NodeName, kind: Option<Kind>) -> Result<&'a Record> {
    let text = match name {
        NodeName::Node(node) => {
            let meant = &node.record.node;
            let gone = || Error::not_found(format!("{} {} has no record any more", meant.kind, meant.id));
            return listing.find(meant.kind, &meant.id).ok_or_else(gone);
        }
        NodeName::New(node) => {
            let none = || Error::not_found(format!("{} {} has no record", node.kind, node.id));
            return listing.find(node.kind, &node.id).ok_or_else(none);
        }
        NodeName::Text(text) => text,
    };
    let wanted = |record: &&Record| kind.is_none_or(|kind| record.node.kind == kind);
    let by_id: Vec<&Record> =
        Kind::ALL.iter().copied().filter_map(|kind| listing.find(kind, text)).filter(wanted).collect();
    let by_address = || listing.records.iter().filter(wanted).filter(|r| r.node.is_at(text)).collect();
    let found = if by_id.is_empty() { by_address() } else { by_id };
    match found.as_slice() {
        [one] => Ok(one),
        [] => Err(none_called(listing, text, kind)),
        several => Err(ambiguous(text, several)),
    }
}

fn ambiguous(text: &str, several: &[&Record]) -> Error {
    let list: Vec<String> = several.iter().map(|record| record.node.to_string()).collect();
    let shown = on_one_line(text);
    let error = Error::invalid(format!("`{shown}` is several nodes: {}", list.join(", ")));
    match several.iter().any(|record| record.node.id == *text) {
        true => error.hint(format!("give the node itself: pump(\"{shown}\") or drainer(\"{shown}\")")),
        false => error.hint("give the id of the one you mean"),
    }
}

fn none_called(listing: &Listing, text: &str, kind: Option<Kind>) -> Error {
    let (what, shown) = (kind.map_or("node", Kind::name), on_one_line(text));
    let of_kind = |prefix_of: Kind| kind.is_none_or(|kind| kind == prefix_of);
    let broken = Kind::ALL.iter().copied().filter(|k| of_kind(*k)).find_map(|kind| malformed(listing, text, kind));
    if let Some(malformed) = broken {
        return Error::not_found(format!(
            "{what} `{shown}`: its key {} is no record: {}",
            malformed.key, malformed.reason
        ))
        .hint(format!(
            "while that key is there every other reader fails: repair it, or delete it: {}",
            forget_call(&malformed.key)
        ));
    }
    let other = listing.records.iter().find(|record| record.node.id == text && !of_kind(record.node.kind));
    if let Some(record) = other {
        return Error::not_found(format!("no {what} is called `{shown}`")).hint(format!("{} is one", record.node));
    }
    let ids = || listing.records.iter().filter(|record| of_kind(record.node.kind)).map(|r| &r.node.id);
    let hint = did_you_mean(text, ids().map(Untrusted::as_str)).unwrap_or_else(|| match ids().count() {
        0 => format!("the cluster has no {what}"),
        1..=8 => format!("there are {}", ids().map(Untrusted::to_string).collect::<Vec<_>>().join(", ")),
        many => format!("there are {many}: see nodes()"),
    });
    Error::not_found(format!("no {what} is called `{shown}`")).hint(hint)
}
