//! For whom a closing Pump waits, as far as records tell: the slowest Drainer, if it may not have read everything.

use crate::node::{Kind, NodeRef, Record, RecordState, State};
use crate::time::show_seconds;
use crate::world::Listing;

/// How much binlog a Pump that closes may hold beyond what its last record says: it wrote that every 2 s, and the binlog of
/// its own every 3 s.
const UNTOLD: f64 = 5.0;

/// A Drainer that a closing Pump waits for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Awaited {
    pub drainer: NodeRef,
    /// What its record says.
    pub state: RecordState,
    /// Which Pump waits for it, in which state it is, and how far behind.
    pub text: String,
    /// How far behind, in seconds.
    pub behind: f64,
}

impl Awaited {
    /// By whom `pump` is kept waiting; `None` when every Drainer has read everything.
    pub(crate) fn by(pump: &Record, listing: &Listing) -> Option<Self> {
        let waiting = listing.of(Kind::Drainer).filter(|drainer| drainer.state != State::Offline);
        let slowest = waiting.min_by_key(|drainer| drainer.max_commit_ts)?;
        let behind = pump.max_commit_ts.seconds_since(slowest.max_commit_ts);
        if behind < -UNTOLD {
            return None;
        }
        let state = match slowest.state == State::Online {
            true => String::new(),
            false => format!(", which is {}", slowest.state),
        };
        let gap = match behind > 0.0 {
            true => format!("{} behind", show_seconds(behind)),
            false => "not yet at the end of its binlog".to_owned(),
        };
        let text = format!("{} waits for {}{state}, {gap}", pump.node.id, slowest.node.id);
        Some(Self { drainer: slowest.node.clone(), state: slowest.state.clone(), text, behind })
    }
}
