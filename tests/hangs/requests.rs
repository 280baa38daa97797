//! What is asked of a port, whatever it does then.

use crate::support::live::pump;
use binlogsh::world::{Action, Change, Read, Request};

/// What is asked of the node at `address`; the pause comes last.
pub(super) fn of_a_node(address: &str) -> Vec<(&'static str, Request)> {
    let (node, nodes) = (pump("pump-0", address), vec![pump("pump-0", address)]);
    vec![
        ("a probe", Request::Read(Read::Probe { nodes: nodes.clone() })),
        ("a status", Request::Read(Read::Status { nodes: nodes.clone() })),
        ("the metrics", Request::Read(Read::Metrics { nodes: nodes.clone() })),
        ("an inspection", Request::Read(Read::Inspect { nodes: nodes.clone(), metrics: Vec::new() })),
        ("the certificates", Request::Read(Read::Certificates { nodes })),
        ("a pause", Request::Change(Change::Act { node, action: Action::Pause })),
    ]
}

/// What is asked of PD.
pub(super) fn of_pd() -> Vec<(&'static str, Request)> {
    vec![
        ("a listing", Request::Read(Read::Nodes)),
        ("a timestamp", Request::Read(Read::Tso)),
        ("the cluster", Request::Read(Read::Cluster)),
        ("the endpoints", Request::Read(Read::Endpoints)),
        ("the alarms", Request::Read(Read::Alarms)),
        ("the safe points of GC", Request::Read(Read::GcSafePoints)),
        ("the changefeeds", Request::Read(Read::Changefeeds)),
        ("the lock", Request::Read(Read::LockStatus)),
    ]
}
