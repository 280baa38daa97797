//! The checkpoint that a Drainer saves, which its record shows: never quite what it has consumed.
//!
//! Of the fake binlog that it merges in a quiet cluster it takes one into account only if that is more than three seconds
//! after the last one taken; whatever it takes, it saves a checkpoint only if the last save was more than three seconds ago.
//! So the checkpoint moves in steps of three to nine seconds (*recorded*, `tests/recorded/cadence.jsonl`). Where TiDB
//! writes all the time, only the second rule is felt.

use super::clock::{Micros, SECOND};
use super::drainer::Drainer;
use super::process::KeyEntry;
use super::pump::Pump;
use super::record::RecordBody;

/// Both rules want more than this.
pub(crate) const EVERY: Micros = 3 * SECOND;

/// What a Drainer has saved, and what decides when it saves next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The newest binlog that was taken into account.
    taken: Micros,
    /// Everything up to it was consumed, and will not be again.
    pub(crate) saved: Micros,
    /// When it was saved.
    pub(super) saved_at: Micros,
}

impl Checkpoint {
    /// `saved`, with nothing taken since, at `saved_at`. A Drainer that starts waits from then on.
    pub(crate) fn at(saved: Micros, saved_at: Micros) -> Self {
        Self { taken: saved, saved, saved_at }
    }
}

impl Drainer {
    /// What it has saved at `now`. One whose downstream sets the pace is taken to save all the time.
    pub(crate) fn checkpoint_at(&self, pumps: &[Pump], now: Micros) -> Checkpoint {
        let last = self.checkpoint;
        if !self.flowing {
            return last;
        }
        match (self.pace(), self.writes_apart) {
            (Some(_), _) => Checkpoint::at(self.consumed(pumps, now).max(last.saved), now),
            (None, Some(apart)) => self.saves_of_writes(pumps, now, apart),
            (None, None) => self.saves_of_fake_binlog(pumps, now),
        }
    }

    /// Whether the last heartbeat by `now` has written the checkpoint that is known.
    pub(crate) fn shows_checkpoint(&self, now: Micros) -> bool {
        let written =
            |entry: &KeyEntry| matches!(entry.body, RecordBody::Live).then(|| self.node.written_at(entry, now));
        self.node.entry.as_ref().and_then(written).is_some_and(|written| written >= self.checkpoint.saved_at)
    }

    /// From one binlog that is taken to the next.
    fn saves_of_fake_binlog(&self, pumps: &[Pump], now: Micros) -> Checkpoint {
        let mut checkpoint = self.checkpoint;
        while let Some((binlog, merged_at)) = self.next_merged(pumps, checkpoint.taken + EVERY) {
            let at = merged_at.max(self.since);
            if at > now {
                break;
            }
            checkpoint.taken = binlog;
            if at > checkpoint.saved_at + EVERY {
                (checkpoint.saved, checkpoint.saved_at) = (binlog, at);
            }
        }
        checkpoint
    }

    /// Something comes all the time, `apart` from each other, until nothing more can be merged.
    fn saves_of_writes(&self, pumps: &[Pump], now: Micros, apart: Micros) -> Checkpoint {
        let (last, step) = (self.checkpoint, EVERY + apart);
        let first = self.since.max(last.saved_at.saturating_add(step));
        let until = self.merges_until.min(now);
        if first > until {
            return last;
        }
        let saved_at = until - (until - first) % step;
        let consumed = self.consumed(pumps, saved_at);
        if consumed > last.saved { Checkpoint::at(consumed, saved_at) } else { last }
    }

    /// The first binlog after `time`, of all its Pumps, and when it is merged: each of the others has to have a later one.
    /// `None` while some Pump has none.
    fn next_merged(&self, pumps: &[Pump], time: Micros) -> Option<(Micros, Micros)> {
        let mut binlog = None;
        let mut merged_at = Micros::MIN;
        for source in &self.sources {
            let next = pumps[source.pump].ticks.first_after(time);
            let next = match source.stuck_at {
                None => next?,
                // It was read up to there before it could not be read any more.
                Some(end) if time < end => next.unwrap_or(end).min(end),
                Some(_) => return None,
            };
            binlog = Some(binlog.map_or(next, |first: Micros| first.min(next)));
            merged_at = merged_at.max(next);
        }
        binlog.map(|binlog| (binlog, merged_at))
    }

    /// Until when it finds something to merge, if nothing changes: some Pump of its cannot be read, or makes no more binlog.
    pub(crate) fn merges_until(&self, pumps: &[Pump]) -> Micros {
        let ends =
            |pump: &Pump, stuck_at: Option<Micros>| stuck_at.or_else(|| (!pump.ticks.goes_on()).then_some(pump.newest));
        let end = self.sources.iter().filter_map(|source| ends(&pumps[source.pump], source.stuck_at)).min();
        let Some(end) = end else { return Micros::MAX };
        let others = self.sources.iter().filter(|source| source.stuck_at.is_none());
        let reach = others.filter_map(|source| pumps[source.pump].ticks.first_after(end - 1)).max();
        reach.unwrap_or(self.since).max(self.since)
    }
}
