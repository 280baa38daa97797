//! Pumps: the binlog they hold, and what they wait for.

use super::clock::{HOUR, MINUTE, Micros, SECOND, last_tick};
use super::process::{Node, Stage};
use std::sync::Arc;

/// How often a Pump writes a heartbeat.
pub(crate) const PUMP_BEAT: Micros = 2 * SECOND;
/// How often a Pump without writes makes a binlog of its own, so that merging goes on.
pub(crate) const FAKE_BINLOG: Micros = 3 * SECOND;
/// How often a closing Pump looks whether it may go.
pub(crate) const CLOSE_CHECK: Micros = SECOND;
/// How long a Pump tries to notify the Drainers before it gives up, and how many times it tries.
pub(crate) const NOTIFY: Micros = 10 * SECOND;
pub(crate) const NOTIFY_TRIES: u32 = 3;
/// How often a Pump collects what is older than its retention.
pub(crate) const GC_INTERVAL: Micros = HOUR;
/// How long an unresolved transaction can hold up a close.
pub(crate) const UNMATCHED_AT_MOST: Micros = 10 * MINUTE;
/// The least free disk with which a Pump takes writes.
pub(crate) const LEAST_FREE_DISK: u64 = 10 << 30;

/// How far the close of a Pump has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    /// The fake binlog that it wrote when it was told to close: every Drainer must pass it.
    pub(crate) fake_binlog: Micros,
    /// Whether all prewrites were found matched.
    pub(crate) storage_done: bool,
}

/// A Pump.
#[derive(Clone, Debug)]
pub(crate) struct Pump {
    pub(crate) node: Node,
    /// The newest commit it held when the model was last settled.
    pub(crate) newest: Micros,
    /// Whether it makes or takes binlog.
    pub(crate) producing: bool,
    /// How often it holds a newer commit, while it does.
    pub(crate) interval: Micros,
    pub(crate) phase: Micros,
    pub(crate) closing: Option<Closing>,
    /// Until when a prewrite of it is not matched.
    pub(crate) unmatched_until: Micros,
    pub(crate) retention: Micros,
    /// Everything before it was collected.
    pub(crate) gc_ts: Micros,
    /// When it collected last.
    pub(crate) collected_at: Micros,
    pub(crate) disk_capacity: u64,
    pub(crate) disk_available: u64,
}

impl Pump {
    /// The newest commit it holds at `now`.
    pub(crate) fn newest(&self, now: Micros) -> Micros {
        match self.producing {
            true => last_tick(self.phase, self.interval, now).map_or(self.newest, |tick| tick.max(self.newest)),
            false => self.newest,
        }
    }

    /// Whether a Drainer that knows it at `address` can read from it.
    pub(crate) fn serves(&self, address: &Arc<str>) -> bool {
        matches!(self.node.awake(), Some(Stage::Online | Stage::Closing)) && self.node.address == *address
    }

    /// Whether TiDB servers can write to it.
    pub(crate) fn writable(&self) -> bool {
        self.node.awake() == Some(Stage::Online) && self.disk_available >= LEAST_FREE_DISK
    }
}
