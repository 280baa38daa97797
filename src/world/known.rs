//! What somebody knows of the cluster who looked at it once: what of it matters, and how it differs from now.

use crate::node::{Kind, NodeRef, Record, RecordState};
use crate::text::Untrusted;
use crate::world::Listing;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Display, Formatter};

/// A node as somebody knows it: what must not have changed for what they made of it to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownNode {
    /// Pump or Drainer.
    pub kind: Kind,
    /// The id in its key.
    pub id: Untrusted,
    /// `host:port`.
    pub address: Untrusted,
    /// What its record says.
    pub state: RecordState,
}

impl KnownNode {
    /// What there is to know of `record`.
    pub fn of(record: &Record) -> Self {
        let NodeRef { kind, id, address } = record.node.clone();
        Self { kind, id, address, state: record.state.clone() }
    }

    /// The key of its record in etcd.
    pub fn key(&self) -> String {
        [self.kind.prefix(), &self.id].concat()
    }

    /// How the node under one key differs between then and now, as a phrase; `None` if it does not. `who` knows it as it
    /// was then: "the plan".
    pub fn difference(who: &str, then: Option<&Self>, now: Option<&Self>) -> Option<String> {
        match (then, now) {
            (None, None) => None,
            (None, Some(now)) => Some(format!("{now} has come")),
            (Some(then), None) => Some(format!("{} {} has gone ({who} knows {then})", then.kind, then.id)),
            (Some(then), Some(now)) if then == now => None,
            (Some(then), Some(now)) => Some(format!("{now} ({who} knows {then})")),
        }
    }
}

impl Display for KnownNode {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}, {} at {}", self.kind, self.id, self.state, self.address)
    }
}

/// What matters of a listing: heartbeats, timestamps and revisions do not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownCluster {
    pub nodes: Vec<KnownNode>,
    /// The keys that are no records.
    pub malformed: BTreeSet<Untrusted>,
}

impl KnownCluster {
    /// What matters of `listing`.
    pub(crate) fn of(listing: &Listing) -> Self {
        let malformed = listing.malformed.iter().map(|malformed| malformed.key.clone());
        Self { nodes: listing.records.iter().map(KnownNode::of).collect(), malformed: malformed.collect() }
    }

    /// How `now` differs, a phrase each. `who` knows what was then: "the plan".
    pub(crate) fn differences(&self, who: &str, now: &Self) -> Vec<String> {
        let mut keys: BTreeMap<String, (Option<&KnownNode>, Option<&KnownNode>)> = BTreeMap::new();
        self.nodes.iter().for_each(|node| keys.entry(node.key()).or_default().0 = Some(node));
        now.nodes.iter().for_each(|node| keys.entry(node.key()).or_default().1 = Some(node));
        let nodes = keys.values().filter_map(|(then, now)| KnownNode::difference(who, *then, *now));
        let come = now.malformed.difference(&self.malformed);
        let gone = self.malformed.difference(&now.malformed);
        nodes
            .chain(come.map(|key| format!("the key {key}, which is no record, has come")))
            .chain(gone.map(|key| format!("the key {key}, which was no record, has gone")))
            .collect()
    }
}
