//! Faults that happen to a node: how each begins and ends.

use crate::node::State;
use crate::sim::clock::{Micros, SECOND};
use crate::sim::cluster::{Cluster, DueEvent};
use crate::sim::process::{NodeIndex, ProcessStage, Signal};

/// How often a flapping node is killed.
const FLAP_EVERY: Micros = 20 * SECOND;
/// How long it is down each time.
pub(super) const FLAP_DOWN: Micros = 2 * SECOND;

impl Cluster {
    /// The downstream of a Drainer takes nothing until `ends`.
    pub(super) fn stall(&mut self, who: NodeIndex, _at: usize, ends: Micros) {
        let NodeIndex::Drainer(drainer) = who else { return };
        let drainer = &mut self.drainers[drainer];
        drainer.stalled_until = drainer.stalled_until.max(ends);
        drainer.flowing = false;
        self.rewire();
    }

    pub(super) fn stall_is_over(&mut self, who: NodeIndex) {
        let NodeIndex::Drainer(drainer) = who else { return };
        if self.node(who).beats() {
            self.flow_on(drainer);
            self.rewire();
        }
    }

    /// One fault more, or less, slows the downstream of a Drainer down.
    pub(super) fn slow_down(&mut self, who: NodeIndex, more: bool) {
        let NodeIndex::Drainer(drainer) = who else { return };
        let slowed = &mut self.drainers[drainer].slowed;
        *slowed = if more { *slowed + 1 } else { *slowed - 1 };
        self.rewire();
    }

    /// A transaction in a Pump is not resolved until `ends`.
    pub(super) fn leave_unmatched(&mut self, who: NodeIndex, _at: usize, ends: Micros) {
        let NodeIndex::Pump(pump) = who else { return };
        let pump = &mut self.pumps[pump];
        pump.unmatched_until = pump.unmatched_until.max(ends);
    }

    /// A flapping node is killed, or started again.
    pub(crate) fn fault_turns(&mut self, at: usize) {
        let Some(active) = self.active.get(&at).copied().filter(|active| self.now < active.ends) else { return };
        let Some(who) = self.victim(&self.faults[at]) else { return };
        self.settle();
        let due = if (self.now - active.began) % FLAP_EVERY == 0 {
            self.signal(who, Signal::Kill);
            let handled = self.node(who).handled;
            self.active.entry(at).and_modify(|active| active.handled = handled);
            FLAP_DOWN
        } else {
            if self.node(who).handled == active.handled {
                self.bring_back(who);
            }
            FLAP_EVERY - FLAP_DOWN
        };
        self.queue.schedule(self.now + due, DueEvent::FaultTurns(at));
    }

    /// Starts a process that is gone or about to go.
    pub(super) fn bring_back(&mut self, who: NodeIndex) {
        if self.node(who).process.is_none_or(|process| process.stage == ProcessStage::Ending) {
            self.start(who, None);
        }
    }

    /// Writes a state over a record as `binlogctl` does: blindly.
    pub(super) fn other_writes(&mut self, who: NodeIndex, state: State) {
        let written = self.record(who).map(|record| (record.node.key(), record.with_state(state)));
        if let Some((key, Ok(json))) = written {
            self.put(&key, json.bytes());
        }
    }
}
