//! Drainers: what they have consumed, from which Pumps, and what they missed.

use super::clock::{Micros, SECOND};
use super::process::Node;
use super::pump::Pump;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How often a Drainer writes a heartbeat.
pub(crate) const DRAINER_BEAT: Micros = SECOND;
/// How many failed heartbeats end a Drainer.
pub(crate) const FAILED_BEATS: i64 = 20;
/// How often a Drainer looks at the list of Pumps.
pub(crate) const LOOK: Micros = 5 * SECOND;
/// How long after its start a Drainer has merged something (*recorded*: a closing Pump is free 7 s after it).
pub(crate) const WARM_UP: Micros = 5 * SECOND;

/// What a Drainer that a fault slows down writes downstream, in milliseconds of binlog per second.
const SLOWED: i64 = 100;

/// A Pump as a Drainer knows it.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The Pump's place in the cluster.
    pub(crate) pump: usize,
    /// Where the Drainer looks for it, whatever its record says by now.
    pub(crate) address: Arc<str>,
    /// Up to where it was read, while it cannot be read.
    pub(crate) stuck_at: Option<Micros>,
    /// Up to where a hole in it is known already.
    pub(crate) missed_to: Micros,
}

/// A Drainer.
#[derive(Clone, Debug)]
pub(crate) struct Drainer {
    pub(crate) node: Node,
    /// Everything up to it was consumed when the model was last settled, at `since`.
    pub(crate) consumed: Micros,
    pub(crate) since: Micros,
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
    pub(crate) sources: Vec<Source>,
    /// Pumps it dropped because their records said `offline`, and up to where it had read them.
    pub(crate) dropped: BTreeMap<usize, Micros>,
    pub(crate) look_phase: Micros,
    /// When it will next look because something has changed.
    pub(crate) looks_at: Option<Micros>,
}

impl Drainer {
    /// Up to where the binlog of all its Pumps can be merged; `None` without Pumps.
    fn merged(&self, pumps: &[Pump], now: Micros) -> Option<Micros> {
        let reach = |source: &Source| source.stuck_at.unwrap_or_else(|| pumps[source.pump].newest(now));
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
        let Some(merged) = self.merged(pumps, now) else { return self.consumed };
        let merged = match self.pace() {
            None => merged,
            Some(pace) => merged.min(self.consumed.saturating_add(((now - self.since) / 1000).saturating_mul(pace))),
        };
        merged.max(self.consumed)
    }

    /// What it has read at `now`.
    pub(crate) fn reading(&self, pumps: &[Pump], now: Micros) -> Reading {
        let consumed = self.consumed(pumps, now);
        Reading { consumed, keeps_up: self.flowing && !self.is_behind(pumps, consumed, now), now }
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
    keeps_up: bool,
    now: Micros,
}

impl Reading {
    /// Up to where it has read one of its Pumps.
    pub(crate) fn of(&self, pumps: &[Pump], source: &Source) -> Micros {
        match source.stuck_at {
            Some(at) => at.max(self.consumed),
            None if self.keeps_up => pumps[source.pump].newest(self.now),
            None => self.consumed,
        }
    }
}
