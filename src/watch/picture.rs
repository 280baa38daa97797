//! What is known of a cluster at one moment.

use crate::node::{Malformed, Node};
use crate::output::Tone;
use crate::text::Untrusted;
use crate::world::{LockInfo, ProbeFinding};
use std::sync::Arc;

/// Everything that a frame shows, as plain data.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture {
    /// Milliseconds since 1970, UTC, by this host's clock.
    pub(crate) unix_ms: i64,
    /// Why PD's etcd tells nothing just now, and for how many seconds that has been so.
    pub(crate) trouble: Option<(String, f64)>,
    /// Whether the records were ever read.
    pub(crate) is_known: bool,
    /// Whether PD gives timestamps.
    pub(crate) has_time: bool,
    /// Who holds the maintenance lock.
    pub(crate) lock: Option<LockInfo>,
    /// Pumps, then Drainers, each by id.
    pub(crate) nodes: Vec<NodePicture>,
    /// Keys that are no records.
    pub(crate) malformed: Vec<Malformed>,
    /// Up to where each Drainer has read each Pump.
    pub(crate) readings: Vec<DrainerReading>,
    /// The Pumps that close, and who keeps them from it.
    pub(crate) closings: Vec<ClosingPump>,
    /// What happened, the newest last.
    pub(crate) happened: Vec<Happening>,
}

/// One node.
#[derive(Clone, Debug)]
pub(crate) struct NodePicture {
    /// Its record, and what PD's time makes of it.
    pub(crate) node: Arc<Node>,
    /// What it said of itself when it was asked last.
    pub(crate) probe: Option<ProbeFinding>,
    /// Whether that may be true no more: it was long ago, or its record says another state since.
    pub(crate) is_old: bool,
    /// How many seconds ago that was.
    pub(crate) asked_ago: Option<f64>,
    /// How many seconds it was behind, one number for each quarter of a minute, the oldest first.
    pub(crate) lags: Vec<Option<f64>>,
    /// The GiB that are free on a Pump's disk.
    pub(crate) free_gib: Option<f64>,
    /// In how many hours a Pump's GC comes to what a Drainer has not read, if it stands still: below 0 it has.
    pub(crate) gc_hours: Option<f64>,
    /// What is odd about it, a short phrase each.
    pub(crate) odd: Vec<String>,
}

/// How far a Drainer is with each Pump.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DrainerReading {
    /// The Drainer.
    pub(crate) drainer: Untrusted,
    /// Each Pump, and how many seconds ago what the Drainer has read of it was written; the furthest behind first.
    pub(crate) pumps: Vec<(Untrusted, f64)>,
    /// Whether it waits for the first of them: all others are ahead of it.
    pub(crate) waits: bool,
}

/// A Pump that closes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClosingPump {
    /// The Pump.
    pub(crate) pump: Untrusted,
    /// The Drainers that have not read all of it, and how many seconds of binlog they lack; the furthest behind first.
    pub(crate) drainers: Vec<(Untrusted, f64)>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Happening {
    /// When it was seen: milliseconds since 1970, UTC, by this host's clock.
    pub(crate) unix_ms: i64,
    /// How much it matters.
    pub(crate) tone: Tone,
    /// What.
    pub(crate) text: String,
}
