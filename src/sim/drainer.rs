//! Drainers: what they have consumed, from which Pumps, and what they missed.

use super::checkpoint::Checkpoint;
use super::clock::{Micros, SECOND};
use super::process::SimulatedNode;
use super::pump::Pump;
use crate::world::DownstreamReplication;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a Drainer writes a heartbeat.
pub(crate) const DRAINER_BEAT: Micros = SECOND;
/// How many failed heartbeats end a Drainer.
pub(crate) const FAILED_BEATS: i64 = 20;
/// How often a Drainer looks at the list of Pumps.
pub(crate) const LOOK: Micros = 5 * SECOND;

/// What a Drainer that a fault slows down writes downstream, in milliseconds of binlog per second.
const SLOWED: i64 = 100;

/// A Pump as a Drainer knows it.
#[derive(Clone, Debug)]
pub(crate) struct PumpSource {
    /// The Pump's place in the cluster.
    pub(crate) pump: usize,
    /// Where the Drainer looks for it, whatever its record says by now.
    pub(crate) address: Arc<str>,
    /// Up to where it was read, while it cannot be read.
    pub(crate) stuck_at: Option<Micros>,
    /// Up to where a hole in it is known already.
    pub(crate) missed_to: Micros,
}

#[derive(Clone, Debug)]
pub(crate) struct Drainer {
    pub(crate) node: SimulatedNode,
    /// Everything up to it was consumed when the model was last settled, at `since`.
    pub(crate) consumed: Micros,
    pub(crate) since: Micros,
    /// What it had saved of that.
    pub(crate) checkpoint: Checkpoint,
    /// When that was so.
    pub(crate) kept_at: Micros,
    /// When a process of its that ended well saved for the last time, as its downstream has it until the next save.
    pub(crate) clean_save: Option<Micros>,
    /// Why nobody here can read what it has saved downstream, if so.
    pub(crate) downstream_unknown: Option<Arc<str>>,
    /// What can be seen of its configuration: it stays as it is.
    pub(crate) replication: Arc<DownstreamReplication>,
    /// How far apart the writes of TiDB come that it merges; `None` where nobody writes, and all there is is fake binlog.
    pub(crate) writes_apart: Option<Micros>,
    /// Until when it finds something to merge; where nobody writes, that is not worked out.
    pub(crate) merges_until: Micros,
    /// Whether it merges and writes downstream.
    pub(crate) flowing: bool,
    /// How much binlog it writes downstream, in milliseconds of binlog per second; `None` for all there is.
    pub(crate) speed: Option<i64>,
    /// Until when its downstream takes nothing.
    pub(crate) stalled_until: Micros,
    /// How many faults slow it down.
    pub(crate) slowed: u32,
    /// Whether it went forward when that was last worked out.
    pub(crate) flows: Option<bool>,
    /// When it will have consumed all there is, while some Pump of its holds no more.
    pub(crate) halts_at: Option<Micros>,
    /// The Pumps it pulls from, by their places.
    pub(crate) sources: Vec<PumpSource>,
    /// Pumps it dropped because their records said `offline`, and up to where it had read them.
    pub(crate) dropped: BTreeMap<usize, Micros>,
    pub(crate) look_phase: Micros,
    /// When it will next look because something has changed.
    pub(crate) looks_at: Option<Micros>,
}

impl Drainer {
    /// Whether it reads the same Pumps up to the same places as another one, so that both can merge the same.
    pub(crate) fn reads_as(&self, other: &Self) -> bool {
        let place = |source: &PumpSource| (source.pump, source.stuck_at);
        self.sources.len() == other.sources.len()
            && self.sources.iter().zip(&other.sources).all(|(mine, theirs)| place(mine) == place(theirs))
    }

    /// Up to where the binlog of all its Pumps can be merged; `None` without Pumps.
    pub(crate) fn merged(&self, pumps: &[Pump], now: Micros) -> Option<Micros> {
        let reach = |source: &PumpSource| source.stuck_at.unwrap_or_else(|| pumps[source.pump].newest(now));
        self.sources.iter().map(reach).min()
    }

    /// How much binlog it writes downstream now, in milliseconds of binlog per second; `None` for all there is.
    pub(crate) fn pace(&self) -> Option<i64> {
        match self.slowed {
            0 => self.speed,
            _ => Some(self.speed.map_or(SLOWED, |speed| speed.min(SLOWED))),
        }
    }

    /// Everything up to it was consumed at `now`.
    pub(crate) fn consumed(&self, pumps: &[Pump], now: Micros) -> Micros {
        if !self.flowing || now <= self.since {
            return self.consumed;
        }
        self.consumed_of(self.merged(pumps, now), now)
    }

    /// Everything up to it was consumed at `now`, where `merged` is what can be merged then.
    pub(crate) fn consumed_of(&self, merged: Option<Micros>, now: Micros) -> Micros {
        let Some(merged) = merged.filter(|_| self.flowing && now > self.since) else { return self.consumed };
        let merged = match self.pace() {
            None => merged,
            Some(pace) => merged.min(self.consumed.saturating_add(((now - self.since) / 1000).saturating_mul(pace))),
        };
        merged.max(self.consumed)
    }

    /// What it has read at `now`.
    pub(crate) fn reading(&self, pumps: &[Pump], now: Micros) -> Reading {
        let merged = self.merged(pumps, now);
        let consumed = self.consumed_of(merged, now);
        Reading { consumed, keeps_up: self.flowing && merged.is_none_or(|merged| consumed >= merged), now }
    }

    /// Whether it could consume more at `now` if it were faster.
    pub(crate) fn is_behind(&self, pumps: &[Pump], consumed: Micros, now: Micros) -> bool {
        self.merged(pumps, now).is_some_and(|merged| consumed < merged)
    }
}

/// What a Drainer has read at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// Everything up to it was consumed.
    pub(crate) consumed: Micros,
    /// Whether it has read all there is.
    pub(crate) keeps_up: bool,
    now: Micros,
}

impl Reading {
    /// Up to where it has read one of its Pumps.
    pub(crate) fn of(&self, pumps: &[Pump], source: &PumpSource) -> Micros {
        match source.stuck_at {
            Some(at) => at.max(self.consumed),
            None if self.keeps_up => pumps[source.pump].newest(self.now),
            None => self.consumed,
        }
    }
}
