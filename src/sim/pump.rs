//! Pumps: the binlog they hold, and what they wait for.

use super::clock::{HOUR, MINUTE, Micros, SECOND};
use super::process::{ProcessStage, SimulatedNode};
use super::ticks::Ticks;
use std::sync::Arc;

/// How often a Pump writes a heartbeat.
pub(crate) const PUMP_BEAT: Micros = 2 * SECOND;
/// How often a Pump without writes makes a binlog of its own, so that merging goes on.
pub(crate) const FAKE_BINLOG: Micros = 3 * SECOND;
/// How often a closing Pump looks whether it may go, and makes a binlog of its own if it may not.
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
    /// When it looks next.
    pub(crate) looks_at: Micros,
}

#[derive(Clone, Debug)]
pub(crate) struct Pump {
    pub(crate) node: SimulatedNode,
    /// The newest commit it held when the model was last settled.
    pub(crate) newest: Micros,
    /// When it came, and will come, to hold a newer commit.
    pub(crate) ticks: Ticks,
    pub(crate) closing: Option<Closing>,
    /// What it holds beyond this is its own fake binlog alone, made since it was told to close: nobody misses that.
    pub(crate) told_to_close: Option<Micros>,
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
        self.ticks.last_by(now).map_or(self.newest, |tick| tick.max(self.newest))
    }

    /// The newest of what it holds at `now` that a Drainer may miss.
    pub(crate) fn newest_to_miss(&self, now: Micros) -> Micros {
        self.told_to_close.map_or(self.newest(now), |told| told.min(self.newest(now)))
    }

    /// From `now` on it makes, or is given, binlog every `interval`; where nobody writes, as its own clock wants.
    pub(crate) fn makes_binlog(&mut self, now: Micros, interval: Micros, is_quiet: bool) {
        if !self.ticks.goes_every(interval) {
            self.ticks.begin(now, now + interval, interval, false);
        }
        self.ticks.wobbles(is_quiet);
        self.told_to_close = None;
    }

    /// While it closes it makes a fake binlog each time that it finds that it has to wait on. It does not look at the
    /// Drainers before its storage is done.
    pub(crate) fn makes_binlog_while_closing(&mut self, now: Micros) {
        let Some(closing) = self.closing else { return };
        let is_matched = closing.storage_done || self.unmatched_until <= now;
        if !is_matched {
            self.ticks.end(now);
        } else if !self.ticks.goes_every(CLOSE_CHECK) {
            let first = closing.looks_at + if closing.storage_done { 0 } else { CLOSE_CHECK };
            self.ticks.begin(now, first, CLOSE_CHECK, false);
        }
    }

    /// Whether a Drainer that knows it at `address` can read from it.
    pub(crate) fn serves(&self, address: &Arc<str>) -> bool {
        matches!(self.node.awake(), Some(ProcessStage::Online | ProcessStage::Closing))
            && (Arc::ptr_eq(&self.node.address, address) || self.node.address.eq_ignore_ascii_case(address))
    }

    /// Whether TiDB servers can write to it.
    pub(crate) fn writable(&self) -> bool {
        self.node.awake() == Some(ProcessStage::Online) && self.disk_available >= LEAST_FREE_DISK
    }
}
