//! Nodes that went offline long ago: a table of nodes leaves them out once there are many, and says so.

use super::render::{Look, Row};
use super::told::{Tone, told};
use crate::node::{Kind, Node, RecordState, State};

/// So many of them hide nothing.
const FEW: usize = 5;

/// A heartbeat that is older than this, in seconds, is old.
const DAY: f64 = 86_400.0;

/// What a table leaves out.
pub(super) struct LeftOut {
    count: usize,
    /// The function that lists such nodes.
    function: &'static str,
}

impl LeftOut {
    /// What a table of these rows leaves out: nothing where nothing else would be left, since then they were asked for.
    pub(super) fn of(rows: &[Row<'_>]) -> Self {
        let nodes = || rows.iter().filter_map(node);
        let is_offline = |node: &Node| node.record.state == RecordState::Known(State::Offline);
        let count = nodes().filter(|node| has_rested(node)).count();
        let count = if count > FEW && nodes().any(|node| !is_offline(node)) { count } else { 0 };
        let all = |kind| nodes().all(|node| node.record.node.kind == kind);
        let function = match (all(Kind::Pump), all(Kind::Drainer)) {
            (true, _) => "pumps()",
            (_, true) => "drainers()",
            (false, false) => "nodes()",
        };
        Self { count, function }
    }

    /// Whether it has this row.
    pub(super) fn has(&self, row: &Row<'_>) -> bool {
        self.count > 0 && node(row).is_some_and(has_rested)
    }

    /// The line below the table.
    pub(super) fn told(&self, look: Look) -> String {
        if self.count == 0 {
            return String::new();
        }
        let text = format!(
            "({} that have been offline for over a day are left out: see them with {}.filter(|n| n.state == \"offline\"))",
            self.count, self.function
        );
        told("", &text, Tone::Faint, look)
    }
}

fn node<'r>(row: &'r Row<'_>) -> Option<&'r Node> {
    match row {
        Row::Node(node) => Some(node),
        Row::Fields(_) | Row::Alone(_) => None,
    }
}

fn has_rested(node: &Node) -> bool {
    node.record.state == RecordState::Known(State::Offline) && node.heartbeat_age.is_some_and(|age| age > DAY)
}
