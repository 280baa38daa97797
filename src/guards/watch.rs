//! Watching records: which of them stand still. What was watched once holds until a record is written again.

use crate::node::{NodeRef, Record, State};
use crate::time::show_seconds;
use crate::world::{Listing, Notice, Notices, Progress};
use std::collections::BTreeMap;
use std::time::Duration;

/// A record that was not written for this long, while it was watched, is frozen.
pub(super) const FROZEN_AFTER: Duration = Duration::from_secs(10);

/// Whether a node says `online` and may write heartbeats: it may be alive where nobody reaches it. Without PD's time any heartbeat may
/// be fresh.
pub(super) fn is_beating(listing: &Listing, node: &NodeRef) -> bool {
    let record = listing.find(node.kind, &node.id).filter(|record| record.state == State::Online);
    record.is_some_and(|record| {
        let Some(now) = listing.tso else { return true };
        record.update_ts.heartbeat_age(now).seconds().is_some_and(|age| age < FROZEN_AFTER.as_secs_f64())
    })
}

/// How fresh the heartbeat of a node is that [`is_beating`], behind "its heartbeat".
pub(super) fn how_fresh(listing: &Listing) -> String {
    match listing.tso {
        Some(_) => format!("is less than {} old", show_seconds(FROZEN_AFTER.as_secs_f64())),
        None => "may be fresh, which nobody knows without PD's time".to_owned(),
    }
}

/// What the guards of a session have watched, and where they say what they wait for.
pub struct Watch {
    notices: Notices,
    /// By key: the revision at which the record stood still for as long as it takes.
    still: BTreeMap<String, i64>,
}

impl Watch {
    /// Nothing was watched yet.
    pub fn new(notices: Notices) -> Self {
        Self { notices, still: BTreeMap::new() }
    }

    /// Whether the record, as it was read, was seen to stand still.
    pub(super) fn is_still(&self, record: &Record) -> bool {
        self.still.get(&record.node.key()) == Some(&record.mod_revision)
    }

    /// The records of both listings that nobody wrote between them stood still: the one watch serves for all of them.
    pub(super) fn learn(&mut self, first: &Listing, last: &Listing) {
        let before: BTreeMap<String, i64> =
            first.records.iter().map(|record| (record.node.key(), record.mod_revision)).collect();
        let after = last.records.iter().map(|record| (record.node.key(), record.mod_revision));
        self.still = after.filter(|(key, revision)| before.get(key) == Some(revision)).collect();
    }

    pub(super) fn says(&self, progress: Progress) {
        (self.notices)(Notice::Progress(progress));
    }

    pub(super) fn is_over(&self) {
        (self.notices)(Notice::ProgressEnd);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Kind;
    use crate::tso::Tso;

    #[test]
    fn without_pds_time_any_heartbeat_of_a_node_that_says_online_may_be_fresh() {
        let second = |at: i64| Tso((at * 1000) << 18);
        let beats = |state: &str, tso| {
            let json = format!(
                r#"{{"nodeId":"p","host":"h:8250","state":"{state}","maxCommitTS":1,"updateTS":{}}}"#,
                second(1_700_000_000).0
            );
            let record = Record::parse("/tidb-binlog/v1/pumps/p", json.as_bytes(), 7).unwrap();
            let node = NodeRef { kind: Kind::Pump, id: "p".into(), address: "h:8250".into() };
            let listing = Listing { revision: 9, tso, tso_error: None, records: vec![record], malformed: Vec::new() };
            is_beating(&listing, &node)
        };
        assert!(beats("online", Some(second(1_700_000_005))));
        assert!(!beats("online", Some(second(1_700_000_011))));
        assert!(beats("online", None));
        assert!(!beats("paused", None));
    }
}
