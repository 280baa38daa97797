//! How things truly stand, which no request shows: what a rehearsal judges by, beside the log.

use super::clock::Micros;
use super::cluster::Cluster;
use super::process::{NodeIndex, ProcessStage};
use crate::node::RecordState;

impl Cluster {
    /// How far a node's process has come; `None` without one.
    pub fn stage(&self, who: NodeIndex) -> Option<ProcessStage> {
        self.node(who).process.map(|process| process.stage)
    }

    /// Whether a node has a process that SIGSTOP has stopped.
    pub fn is_hung(&self, who: NodeIndex) -> bool {
        self.node(who).process.is_some_and(|process| process.hung)
    }

    /// When a node's process was started; `None` without one.
    pub fn started(&self, who: NodeIndex) -> Option<Micros> {
        self.node(who).process.map(|process| process.started)
    }

    /// The state that a node's record shows; `None` without a record.
    pub fn recorded_state(&self, who: NodeIndex) -> Option<&RecordState> {
        self.node(who).recorded_state()
    }

    /// Whether replication of the Drainer at this place goes forward: it consumes what TiDB writes, or what is left
    /// of it. While a Pump of its is down, closing or without PD, it does so only up to where that Pump ends.
    pub fn flows(&self, drainer: usize) -> bool {
        self.drainers.get(drainer).is_some_and(|drainer| drainer.flows == Some(true))
    }

    /// When the Drainer at this place last saved a checkpoint: its record shows nothing newer.
    pub(crate) fn saved_at(&self, drainer: usize) -> Option<Micros> {
        let drainer = self.drainers.get(drainer)?;
        Some(drainer.checkpoint_at(&self.pumps, &self.ddls, self.now).saved_at)
    }

    /// How many Pumps take TiDB's writes.
    pub fn writable_pumps(&self) -> usize {
        self.pumps.iter().filter(|pump| pump.writable()).count()
    }

    /// What the Drainer at one place has not read of what the Pump at another holds: after the first time and up to
    /// the second, whatever their records say and whether the Drainer has dropped the Pump or not. `None` when it has
    /// read everything. Of a Pump that it has never known it has read nothing but what lies before its own position; a
    /// Drainer without a process has forgotten what it had read ahead.
    pub fn unread(&self, drainer: usize, pump: usize) -> Option<(Micros, Micros)> {
        let (drainer, holder) = (self.drainers.get(drainer)?, self.pumps.get(pump)?);
        let (consumed, to) = (drainer.consumed(&self.pumps, self.now), holder.newest_to_miss(self.now));
        let source = drainer.sources.iter().find(|source| source.pump == pump);
        let from = match (source, drainer.dropped.get(&pump)) {
            (Some(source), _) if drainer.node.process.is_some() => {
                drainer.reading(&self.pumps, self.now).of(&self.pumps, source)
            }
            (None, Some(read)) => *read,
            _ => consumed,
        };
        (from < to).then_some((from, to))
    }
}
