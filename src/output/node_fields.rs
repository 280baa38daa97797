//! A node's documented properties, in the order in which every format shows them.

use crate::node::Node;
use crate::time::{Time, Zone};
use crate::value::{Fields, Value};

/// Every property of a node, by the name that scripts use.
pub fn node_fields(node: &Node) -> Fields {
    let record = &node.record;
    let fields: [(&str, Value); 9] = [
        ("id", record.node.id.as_str().into()),
        ("kind", record.node.kind.name().into()),
        ("state", record.state.name().into()),
        ("address", record.node.address.as_str().into()),
        ("max_commit_ts", record.max_commit_ts.into()),
        ("updated", Time::of_tso(record.update_ts, Zone::Utc).into()),
        ("heartbeat_age", node.heartbeat_age.into()),
        ("lag", node.lag.into()),
        ("odd", node.odd.clone().into()),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
