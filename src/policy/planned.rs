//! The changes of a plan, and what each relies on.

use crate::error::{Error, ErrorKind, Result};
use crate::world::{Change, KnownNode, Listing};
use serde::{Deserialize, Serialize};

/// One effect, and the records of its nodes as they stood before it in the rehearsal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// What is done.
    pub what: Change,
    /// The nodes whose records it relies on; a node of the effect that is not among them had no record.
    pub relied_on: Vec<KnownNode>,
}

impl Planned {
    /// `change` as a plan has it, relying on what `listing` says of its nodes; `None` for what changes nothing.
    pub fn of(change: &Change, listing: Option<&Listing>) -> Option<Self> {
        let what = change.planned()?;
        let keys = what.keys();
        let records = listing.map_or(&[][..], |listing| &listing.records);
        let mut relied_on: Vec<KnownNode> =
            records.iter().map(KnownNode::of).filter(|node| keys.contains(&node.key())).collect();
        if let (Change::SwapRecord { seen, .. }, []) = (change, relied_on.as_slice()) {
            relied_on.push(KnownNode::of(seen));
        }
        Some(Self { what, relied_on })
    }

    /// Whether it says anything of records at all.
    pub fn relies_on_records(&self) -> bool {
        !self.relied_on.is_empty() || !self.what.keys().is_empty()
    }

    /// Whether everything that it relies on is so in `listing`.
    ///
    /// # Errors
    /// `conflict`, with every difference.
    pub fn holds_in(&self, listing: &Listing) -> Result<()> {
        let mut keys = self.what.keys();
        keys.extend(self.relied_on.iter().map(KnownNode::key));
        keys.sort();
        keys.dedup();
        let now = |key: &String| listing.records.iter().find(|record| record.node.key() == *key).map(KnownNode::of);
        let planned = |key: &String| self.relied_on.iter().find(|node| node.key() == *key);
        let differences: Vec<String> =
            keys.iter().filter_map(|key| KnownNode::difference("the plan", planned(key), now(key).as_ref())).collect();
        match differences.is_empty() {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Conflict,
                format!("not done: {}\n  what the plan relies on has changed: {}", self.what, differences.join("; ")),
            )
            .hint("find out who changed it; then rehearse again to make a plan of what is left to do")),
        }
    }
}
