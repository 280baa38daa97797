//! How Drainers follow the list of Pumps, and what they miss.
//!
//! A Drainer merges the binlog of all its Pumps by commit timestamp: a commit goes downstream once every Pump has shown a
//! later one. So one number tells what it has consumed of all of them, and a Pump that it cannot read (`stuck_at`) holds all
//! of them up. There are three ways to go on without what was not read, and none of them is said in any record:
//!
//! - A Pump whose record says `offline` is dropped, read to its end or not. How far it was read stays known (`dropped`).
//! - A Pump that comes back is read from the merged timestamp on, and not from where it was dropped.
//! - A Pump removes binlog by age, and whoever had not read it finds the next there is.

use super::clock::Micros;
use super::cluster::{Cluster, DueEvent};
use super::drainer::{DRAINER_BEAT, FAILED_BEATS, PumpSource};
use super::log::LogEvent;
use super::process::{Exit, NodeIndex, ProcessStage};
use super::pump::GC_INTERVAL;
use super::scenario::GcRule;
use crate::node::{RecordState, State};

impl Cluster {
    pub(crate) fn look_if_due(&mut self, drainer: usize) {
        if self.drainers[drainer].looks_at == Some(self.now) {
            self.drainers[drainer].looks_at = None;
            self.look(drainer);
        }
    }

    /// A Drainer looks at the list of Pumps, as its timer or a change of the list has it do: it drops those that are `offline`,
    /// and takes up those that it does not know. The address of one that it knows it never takes over; one whose key is gone
    /// it waits for.
    pub(crate) fn look(&mut self, at: usize) {
        if self.drainers[at].node.awake() != Some(ProcessStage::Online) || self.pd_gone() || self.broken[0] {
            return;
        }
        let (gone, new) = self.news_for(at);
        if gone.is_empty() && new.is_empty() {
            return;
        }
        self.settle();
        // From behind, since each one that goes moves those after it.
        for source in gone.into_iter().rev() {
            self.drop_source(at, source);
        }
        for pump in new {
            self.add_source(at, pump);
        }
        self.rewire();
    }

    /// The Drainer's sources whose Pumps are `offline` by now, and the Pumps that it does not know yet.
    fn news_for(&self, at: usize) -> (Vec<usize>, Vec<usize>) {
        // Both lists are in the order of the Pumps' places: one walk over both tells which are new.
        let mut known = self.drainers[at].sources.iter().enumerate().peekable();
        let (mut gone, mut new) = (Vec::new(), Vec::new());
        for (pump, state) in self.pumps.iter().map(|pump| pump.node.recorded_state()).enumerate() {
            match (state, known.next_if(|(_, source)| source.pump == pump)) {
                (Some(RecordState::Known(State::Offline)), Some((source, _))) => gone.push(source),
                (Some(state), None) if *state != State::Offline => new.push(pump),
                _ => {}
            }
        }
        (gone, new)
    }

    /// A Drainer that starts knows nothing but the list as it is now, and its checkpoint.
    pub(crate) fn look_afresh(&mut self, at: usize) {
        self.settle();
        // What it had read ahead of its checkpoint, of one Pump more than of another, it has forgotten.
        let read = self.drainers[at].consumed;
        self.drainers[at].sources.clear();
        for pump in 0..self.pumps.len() {
            let offline = self.pumps[pump].node.says(State::Offline);
            if offline && !self.drainers[at].dropped.contains_key(&pump) {
                self.leave_behind(at, pump, read);
            }
        }
        self.look(at);
    }

    fn drop_source(&mut self, at: usize, source: usize) {
        let read = self.drainers[at].reading(&self.pumps, self.now).of(&self.pumps, &self.drainers[at].sources[source]);
        let gone = self.drainers[at].sources.remove(source);
        self.leave_behind(at, gone.pump, read);
    }

    /// Goes on without a Pump that was read up to `read`.
    fn leave_behind(&mut self, at: usize, pump: usize, read: Micros) {
        let everything = read >= self.pumps[pump].newest_to_miss(self.now);
        // Beyond that there is only the fake binlog of a Pump that closes: should the Pump come back, nothing of it is skipped.
        let read_to = if everything { read.max(self.pumps[pump].newest) } else { read };
        self.drainers[at].dropped.insert(pump, read_to);
        let newest = self.pumps[pump].newest_to_miss(self.now);
        if read < newest {
            self.note(LogEvent::LeftBehind { drainer: at, pump, from: read, to: newest });
        }
    }

    /// A Pump that was dropped is read from the Drainer's merged timestamp on: what it held before is skipped.
    fn add_source(&mut self, at: usize, pump: usize) {
        let drainer = &mut self.drainers[at];
        let node = &self.pumps[pump].node;
        let serves = self.pumps[pump].serves(&node.address);
        let stuck_at = (!serves).then_some(drainer.consumed);
        let source = drainer.sources.partition_point(|source| source.pump < pump);
        let address = node.address.clone();
        drainer.sources.insert(source, PumpSource { pump, address, stuck_at, missed_to: Micros::MIN });
        let to = drainer.consumed.min(self.pumps[pump].newest);
        if let Some(from) = drainer.dropped.remove(&pump).filter(|from| *from < to) {
            self.note(LogEvent::Skipped { drainer: at, pump, from, to });
        }
        self.miss_collected(at, source);
    }

    /// A Drainer that stood still goes on, unless its downstream takes nothing; what was collected meanwhile it misses.
    pub(crate) fn flow_on(&mut self, at: usize) {
        let drainer = &mut self.drainers[at];
        drainer.flowing = drainer.stalled_until <= self.now;
        if drainer.flowing {
            for source in 0..self.drainers[at].sources.len() {
                self.miss_collected(at, source);
            }
        }
    }

    /// The last of the heartbeats that a Drainer bears to fail: it exits, and its last write fails like the others.
    pub(crate) fn give_up(&mut self, at: usize) {
        let long_enough = self.now - self.pd_gone_since >= FAILED_BEATS * DRAINER_BEAT;
        if self.drainers[at].node.beats() && self.pd_gone() && long_enough {
            self.settle();
            self.exit(NodeIndex::Drainer(at), Exit::Failed);
        }
    }

    pub(crate) fn hourly_gc(&mut self, pump: usize) {
        self.queue.schedule(self.now + GC_INTERVAL, DueEvent::Gc(pump));
        if matches!(self.pumps[pump].node.awake(), Some(ProcessStage::Online | ProcessStage::Closing)) {
            self.collect(pump);
        }
    }

    /// A Pump removes binlog that is older than its retention; before 2.1.15 and 3.0.1 only what was consumed.
    pub(crate) fn collect(&mut self, pump: usize) {
        self.settle();
        let mut limit = self.now - self.pumps[pump].retention;
        if self.gc_rule == GcRule::Consumed {
            let counting = (0..self.drainers.len()).map(NodeIndex::Drainer).filter(|who| self.node(*who).counts());
            let slowest = counting.filter_map(|who| self.recorded_position(who)).min();
            limit = slowest.map_or(limit, |slowest| limit.min(slowest));
        }
        self.pumps[pump].gc_ts = limit.max(self.pumps[pump].gc_ts);
        self.pumps[pump].collected_at = self.now;
        for at in 0..self.drainers.len() {
            let source = self.drainers[at].sources.iter().position(|source| source.pump == pump);
            if let Some(source) = source.filter(|_| self.drainers[at].flowing) {
                self.miss_collected(at, source);
            }
        }
    }

    /// Somebody makes room on a Pump's disk: half of it is free then, if it was less.
    pub(crate) fn free_disk(&mut self, pump: usize) {
        self.settle();
        let disk = &mut self.pumps[pump];
        disk.disk_available = disk.disk_available.max(disk.disk_capacity / 2);
        self.rewire();
    }

    /// A Drainer that is behind what a Pump has collected goes on with a hole, and says nothing.
    fn miss_collected(&mut self, at: usize, source: usize) {
        let drainer = &self.drainers[at];
        let PumpSource { pump, missed_to, .. } = drainer.sources[source];
        let (from, to) = (drainer.consumed.max(missed_to), self.pumps[pump].gc_ts);
        if from >= to || !self.pumps[pump].serves(&drainer.sources[source].address) {
            return;
        }
        // It merges on from the first timestamp that some Pump of its still has.
        let everywhere = drainer.sources.iter().map(|source| self.pumps[source.pump].gc_ts).min();
        let drainer = &mut self.drainers[at];
        drainer.sources[source].missed_to = to;
        drainer.consumed = everywhere.map_or(drainer.consumed, |gone| gone.max(drainer.consumed));
        self.note(LogEvent::Hole { drainer: at, pump, from, to });
    }
}
