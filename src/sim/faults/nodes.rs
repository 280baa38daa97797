//! Faults that happen to a node: how each begins and ends.

use super::Active;
use crate::node::State;
use crate::sim::clock::{Micros, SECOND};
use crate::sim::cluster::{Cluster, Event};
use crate::sim::process::{Signal, Stage, Who};
use crate::world::{Action, FaultKind};

/// How often a flapping node is killed.
const FLAP_EVERY: Micros = 20 * SECOND;
/// How long it is down each time.
const FLAP_DOWN: Micros = 2 * SECOND;

impl Cluster {
    /// Lets a fault that can happen to `who` happen, until `ends` if it lasts.
    pub(super) fn strike(&mut self, at: usize, kind: FaultKind, who: Who, ends: Micros) {
        match (kind, who) {
            (FaultKind::Crash, _) => self.signal(who, Signal::Kill),
            (FaultKind::Flap, _) => {
                self.signal(who, Signal::Kill);
                self.queue.schedule(self.now + FLAP_DOWN, Event::FaultTurns(at));
            }
            (FaultKind::Fail, _) => self.fail(who),
            (FaultKind::Hang, _) => self.signal(who, Signal::Stop),
            (FaultKind::NewAddress, _) => {
                let address = format!("moved-{}", self.address_of(who));
                self.signal(who, Signal::Kill);
                self.start(who, Some(&address));
            }
            (FaultKind::OtherPauses, _) => self.act(who, Action::Pause),
            (FaultKind::OtherWritesPaused, _) => self.other_writes(who, State::Paused),
            (FaultKind::OtherWritesOffline, _) => self.other_writes(who, State::Offline),
            (FaultKind::Stall, Who::Drainer(drainer)) => {
                let drainer = &mut self.drainers[drainer];
                drainer.stalled_until = drainer.stalled_until.max(ends);
                drainer.flowing = false;
                self.rewire();
            }
            (FaultKind::SlowDrainer, Who::Drainer(drainer)) => {
                self.drainers[drainer].slowed += 1;
                self.rewire();
            }
            (FaultKind::UnmatchedPrewrite, Who::Pump(pump)) => {
                let pump = &mut self.pumps[pump];
                pump.unmatched_until = pump.unmatched_until.max(ends);
            }
            _ => self.suffer(kind, who, ends),
        }
    }

    /// What a node will meet when it does something until `ends`.
    fn suffer(&mut self, kind: FaultKind, who: Who, ends: Micros) {
        let suffers = &mut self.node_mut(who).suffers;
        let lasts = match kind {
            FaultKind::Refuse => &mut suffers.refuses,
            FaultKind::LoseAnswer => &mut suffers.loses_answers,
            FaultKind::LoseRecord => &mut suffers.loses_record,
            FaultKind::StartFails => &mut suffers.start_fails,
            FaultKind::SlowStart => &mut suffers.slow_start,
            _ => return, // it has happened at once
        };
        *lasts = ends.max(*lasts);
    }

    /// Undoes what a fault did to `who`, as far as it ends.
    pub(super) fn release(&mut self, kind: FaultKind, who: Who, active: Active) {
        let untouched = self.node(who).handled == active.handled;
        match (kind, who) {
            (FaultKind::Crash | FaultKind::Flap | FaultKind::Fail | FaultKind::OtherPauses, _) if untouched => {
                self.bring_back(who);
            }
            (FaultKind::Hang, _) if untouched => self.signal(who, Signal::Cont),
            (FaultKind::Stall, Who::Drainer(drainer)) if self.node(who).beats() => {
                self.flow_on(drainer);
                self.rewire();
            }
            (FaultKind::SlowDrainer, Who::Drainer(drainer)) => {
                self.drainers[drainer].slowed -= 1;
                self.rewire();
            }
            _ => {} // it ended by its time, or is not undone
        }
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
        self.queue.schedule(self.now + due, Event::FaultTurns(at));
    }

    /// Starts a process that is gone or about to go.
    fn bring_back(&mut self, who: Who) {
        if self.node(who).process.is_none_or(|process| process.stage == Stage::Ending) {
            self.start(who, None);
        }
    }

    /// Writes a state over a record as `binlogctl` does: blindly.
    fn other_writes(&mut self, who: Who, state: State) {
        let written = self.record(who).map(|record| (record.node.key(), record.with_state(state)));
        if let Some((key, Ok(json))) = written {
            self.put(&key, json.bytes());
        }
    }
}
