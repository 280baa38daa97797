//! A node's documented properties, in the order in which every format shows them.

use crate::node::Node;
use crate::time::{Time, Zone};
use crate::tso::Tso;
use crate::value::{Fields, Value};

/// The names of the properties, as scripts use them.
pub(super) const NODE_FIELDS: [&str; 9] =
    ["id", "kind", "state", "address", "max_commit_ts", "updated", "heartbeat_age", "lag", "odd"];

/// The property `name` of a node where it is text that stands there already; nothing odd is text without a letter.
pub(super) fn node_text<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    let record = &node.record;
    match name {
        "id" => Some(&record.node.id),
        "kind" => Some(record.node.kind.name()),
        "state" => Some(record.state.name()),
        "address" => Some(&record.node.address),
        "odd" if node.odd.is_empty() => Some(""),
        "lag" if record.max_commit_ts == Tso::default() => Some("nothing yet"),
        _ => None,
    }
}

/// The property `name` of a node, if it has one of this name.
pub(super) fn node_field(node: &Node, name: &str) -> Option<Value> {
    let record = &node.record;
    Some(match name {
        "id" => record.node.id.as_str().into(),
        "kind" => record.node.kind.name().into(),
        "state" => record.state.name().into(),
        "address" => record.node.address.as_str().into(),
        "max_commit_ts" => record.max_commit_ts.into(),
        "updated" => Time::of_tso(record.update_ts, Zone::Utc).into(),
        "heartbeat_age" => node.heartbeat_age.into(),
        "lag" => node.lag.into(),
        "odd" => node.odd.clone().into(),
        _ => return None,
    })
}

/// Every property of a node, by the name that scripts use.
pub fn node_fields(node: &Node) -> Fields {
    NODE_FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), node_field(node, name)?))).collect()
}
