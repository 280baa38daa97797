//! The checkpoint that a Drainer saves, which its record shows: never quite what it has consumed.
//!
//! Of the fake binlog that it merges in a quiet cluster it takes one into account only if that is more than three seconds
//! after the last one taken; whatever it takes, it saves a checkpoint only if the last save was more than three seconds ago.
//! So the checkpoint moves in steps of three to nine seconds (*recorded*, `tests/recorded/cadence.jsonl`). Where TiDB
//! writes all the time, only the second rule is felt. A DDL is saved at once, at just its commit timestamp.
//!
//! Downstream stands more than in the record: the version of the schema, and whether the process ended well. What it had taken
//! into account it saves once more as it ends, after it has written its last record (TiDB-Binlog's source, read and not tried).

use super::clock::{Micros, SECOND};
use super::cluster::Cluster;
use super::drainer::Drainer;
use super::process::KeyEntry;
use super::pump::Pump;
use super::record::RecordBody;
use crate::downstream::SavedRow;

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

    /// What a process leaves that ends well at `now`: everything that it had taken into account is saved.
    pub(super) fn ended(self, consumed: Option<Micros>, now: Micros) -> Self {
        Self::at(self.taken.max(self.saved).max(consumed.unwrap_or(Micros::MIN)), now)
    }
}

impl Cluster {
    /// When TiDB committed the DDLs that stand in the binlog, in order.
    pub(crate) fn ddls(&self) -> impl Iterator<Item = Micros> + '_ {
        self.ddls.iter().copied()
    }

    /// What the Drainer at this place has saved downstream; `None` where there is none.
    pub fn saved_downstream(&self, drainer: usize) -> Option<SavedRow> {
        let drainer = self.drainers.get(drainer)?;
        let checkpoint = drainer.checkpoint_at(&self.pumps, &self.ddls, self.now);
        let ddls = self.ddls.partition_point(|ddl| *ddl <= checkpoint.saved);
        Some(SavedRow {
            commit_ts: self.ts_at(checkpoint.saved),
            consistent: Some(drainer.clean_save == Some(checkpoint.saved_at)),
            schema_version: Some(self.schema_version + i64::try_from(ddls).unwrap_or(i64::MAX)),
        })
    }
}

impl Drainer {
    /// What it has saved at `now`. One whose downstream sets the pace is taken to save all the time.
    pub(crate) fn checkpoint_at(&self, pumps: &[Pump], ddls: &[Micros], now: Micros) -> Checkpoint {
        let last = self.checkpoint;
        if !self.flowing {
            return last;
        }
        match (self.pace(), self.writes_apart) {
            (Some(_), _) => Checkpoint::at(self.consumed(pumps, now).max(last.saved), now),
            (None, Some(apart)) => self.saves_of_writes(pumps, ddls, now, apart),
            (None, None) => self.saves_of_fake_binlog(pumps, ddls, now),
        }
    }

    /// Whether the last heartbeat by `now` has written the checkpoint that is known.
    pub(crate) fn shows_checkpoint(&self, now: Micros) -> bool {
        let written =
            |entry: &KeyEntry| matches!(entry.body, RecordBody::Live).then(|| self.node.written_at(entry, now));
        self.node.entry.as_ref().and_then(written).is_some_and(|written| written >= self.checkpoint.saved_at)
    }

    /// From one binlog that is taken to the next.
    fn saves_of_fake_binlog(&self, pumps: &[Pump], ddls: &[Micros], now: Micros) -> Checkpoint {
        let mut checkpoint = self.checkpoint;
        loop {
            let fake = self.next_merged(pumps, checkpoint.taken + EVERY);
            let ddl = first_after(ddls, checkpoint.taken);
            if let Some(ddl) = ddl.filter(|ddl| fake.is_none_or(|(binlog, _)| *ddl <= binlog)) {
                match self.merged_at(pumps, ddl).map(|at| at.max(self.since)) {
                    Some(at) if at <= now => checkpoint = Checkpoint::at(ddl, at),
                    Some(_) | None => return checkpoint,
                }
                continue;
            }
            let Some((binlog, at)) = fake.map(|(binlog, at)| (binlog, at.max(self.since))) else { return checkpoint };
            if at > now {
                return checkpoint;
            }
            checkpoint.taken = binlog;
            if at > checkpoint.saved_at + EVERY {
                (checkpoint.saved, checkpoint.saved_at) = (binlog, at);
            }
        }
    }

    /// Something comes all the time, `apart` from each other, until nothing more can be merged.
    fn saves_of_writes(&self, pumps: &[Pump], ddls: &[Micros], now: Micros, apart: Micros) -> Checkpoint {
        let (mut last, step, until) = (self.checkpoint, EVERY + apart, self.merges_until.min(now));
        while let Some(ddl) = first_after(ddls, last.saved) {
            let Some(at) = self.merged_at(pumps, ddl).map(|at| at.max(self.since)).filter(|at| *at <= until) else {
                break;
            };
            last = Checkpoint::at(ddl, at);
        }
        let first = self.since.max(last.saved_at.saturating_add(step));
        if first > until {
            return last;
        }
        let saved_at = until - (until - first) % step;
        let consumed = self.consumed(pumps, saved_at);
        if consumed > last.saved { Checkpoint::at(consumed, saved_at) } else { last }
    }

    /// When what was committed at `time` is merged: each of its Pumps has to have something later. `None` while one has not.
    fn merged_at(&self, pumps: &[Pump], time: Micros) -> Option<Micros> {
        let mut merged_at = time;
        for source in &self.sources {
            let next = pumps[source.pump].ticks.first_after(time);
            merged_at = merged_at.max(match source.stuck_at {
                None => next?,
                // It was read up to there before it could not be read any more.
                Some(end) if time < end => next.unwrap_or(end).min(end),
                Some(_) => return None,
            });
        }
        (!self.sources.is_empty()).then_some(merged_at)
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

/// The first of `times`, which are in order, after `time`.
fn first_after(times: &[Micros], time: Micros) -> Option<Micros> {
    times.get(times.partition_point(|known| *known <= time)).copied()
}
