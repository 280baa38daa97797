//! Whether binlog flows: from TiDB into the Pumps, and from the Pumps through each Drainer. The log has every change.

use super::clock::{MILLISECOND, Micros};
use super::cluster::{Cluster, DueEvent};
use super::log::LogEvent;

/// How exactly the end of a slow Drainer's backlog is known.
const EXACTLY: Micros = 100 * MILLISECOND;

impl Cluster {
    pub(crate) fn note_writable(&mut self, writable: usize) {
        if self.writable.replace(writable).is_some_and(|before| before != writable) {
            self.note(LogEvent::Writable(writable));
        }
    }

    pub(crate) fn note_flows(&mut self) {
        for at in 0..self.drainers.len() {
            self.note_flow(at);
        }
    }

    /// The backlog of a slow Drainer is used up, unless something has changed since.
    pub(crate) fn halts_if_due(&mut self, at: usize) {
        if self.drainers[at].halts_at == Some(self.now) {
            self.drainers[at].halts_at = None;
            self.note_flow(at);
        }
    }

    fn note_flow(&mut self, at: usize) {
        let (flows, halts_at) = self.flow(at);
        let is_busy = self.drainers[at].writes_apart.is_some();
        let merges_until = if is_busy { self.drainers[at].merges_until(&self.pumps) } else { Micros::MAX };
        let drainer = &mut self.drainers[at];
        drainer.merges_until = merges_until;
        let before = drainer.flows.replace(flows);
        if drainer.halts_at != halts_at {
            drainer.halts_at = halts_at;
            if let Some(halts_at) = halts_at {
                self.queue.schedule(halts_at, DueEvent::Halts(at));
            }
        }
        if before.is_some_and(|before| before != flows) {
            self.note(if flows { LogEvent::Flowing(at) } else { LogEvent::Halted(at) });
        }
    }

    /// Whether a Drainer goes forward now, and when it will stand still if nothing changes: some Pump of its cannot be
    /// read or makes no more binlog, so that all of them can be merged up to there and no further.
    fn flow(&self, at: usize) -> (bool, Option<Micros>) {
        let drainer = &self.drainers[at];
        if !drainer.flowing || drainer.sources.is_empty() || drainer.pace() == Some(0) {
            return (false, None);
        }
        let ends = drainer.sources.iter().filter_map(|source| {
            let pump = &self.pumps[source.pump];
            source.stuck_at.or_else(|| (!pump.ticks.goes_on()).then(|| pump.newest(self.now)))
        });
        match (ends.min(), drainer.pace()) {
            (None, _) => (true, None),
            (Some(_), None) => (false, None), // all there is has been consumed already
            (Some(end), Some(pace)) => {
                let backlog = end.saturating_sub(drainer.consumed(&self.pumps, self.now));
                let lasts = (backlog / pace).saturating_mul(1_000).max(EXACTLY);
                let halts_at = self.now.saturating_add(lasts);
                if backlog > 0 { (true, Some(halts_at)) } else { (false, None) }
            }
        }
    }
}
