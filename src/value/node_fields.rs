//! A node's documented properties, in the order in which every format shows them.

use super::{Fields, Value};
use crate::node::Node;
use crate::time::{Time, Zone};

/// The names of the properties, as scripts use them.
pub const NODE_FIELDS: [&str; 9] =
    ["id", "kind", "state", "address", "max_commit_ts", "updated", "heartbeat_age", "lag", "odd"];

/// The property `name` of a node, if it has one of this name.
pub fn node_field(node: &Node, name: &str) -> Option<Value> {
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
