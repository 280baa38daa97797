//! What a script is meant to come to: what its rehearsal without faults came to.

use super::taken_out::{is_anothers, told};
use crate::node::{Kind, RecordState};
use crate::rehearsal::play::Played;
use crate::rehearsal::truth::{ProcessState, Truth};
use crate::sim::{Cluster, LogEvent, Micros, NodeIndex};
use crate::text::Untrusted;
use crate::world::Action;
use std::collections::{BTreeMap, BTreeSet};

/// What a script is meant to come to.
#[derive(Clone, Debug, Default)]
pub struct Intended {
    /// Whether it succeeds: where a script comes to that fails without any fault is nobody's goal.
    pub(super) succeeds: bool,
    /// Each node's process and record in the end.
    pub(super) ends: BTreeMap<(Kind, Untrusted), (ProcessState, Option<RecordState>)>,
    /// The nodes whose processes were started during it.
    pub(super) restarted: BTreeSet<(Kind, Untrusted)>,
    /// The Drainers that advance in the end.
    pub(super) advancing: BTreeSet<String>,
    /// How often each node did what it was told.
    pub(super) done: BTreeMap<(Kind, Untrusted, &'static str), usize>,
}

impl Intended {
    /// What `played`, a play without faults, came to.
    pub fn of(played: &Played, truth: &Truth) -> Self {
        let end = played.after.now();
        let name = |node: &crate::rehearsal::truth::Timeline| (node.kind(), node.id.clone());
        let mut done = BTreeMap::new();
        for (who, action, _) in carried_out(played, truth) {
            let key = (who.kind(), played.after.id_of(who).into(), action.name());
            *done.entry(key).or_insert(0) += 1;
        }
        Self {
            succeeds: played.exit_code() == 0,
            ends: truth
                .nodes
                .iter()
                .map(|node| (name(node), (node.process_at(end), node.record_at(end).cloned())))
                .collect(),
            restarted: truth.nodes.iter().filter(|node| node.was_started(0, played.ended_at())).map(name).collect(),
            advancing: advancing(&played.at_end, &played.after),
            done,
        }
    }
}

/// The Drainers that consumed something between the two moments.
pub(super) fn advancing(from: &Cluster, to: &Cluster) -> BTreeSet<String> {
    let advances = |who: &NodeIndex| from.has(*who) && to.position(*who) > from.position(*who);
    let drainers = to.everybody().filter(|who| who.kind() == Kind::Drainer);
    drainers.filter(advances).map(|who| to.id_of(who).to_owned()).collect()
}

/// What nodes did because the script told them, with the time.
pub(super) fn carried_out(played: &Played, truth: &Truth) -> Vec<(NodeIndex, Action, Micros)> {
    let done = played.after.log().iter().filter_map(|entry| {
        let LogEvent::Acted { who, action } = entry.what else { return None };
        Some((who, action, entry.at))
    });
    let is_ours = |(who, action, at): &(NodeIndex, Action, Micros)| {
        told(played, truth, *who, *action, *at).is_some() && !is_anothers(played, *at, played.after.id_of(*who))
    };
    done.filter(is_ours).collect()
}
