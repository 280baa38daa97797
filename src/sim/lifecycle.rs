//! How processes come and go: start, notify, pause, close, signals, supervisors.

use super::checkpoint::Checkpoint;
use super::clock::Micros;
use super::cluster::{Cluster, DueEvent};
use super::log::LogEvent;
use super::process::{BOOT, ENDING, Exit, NodeIndex, Process, ProcessStage, RESTART_AFTER, Signal};
use super::pump::{CLOSE_CHECK, Closing, NOTIFY, NOTIFY_TRIES};
use crate::node::{RecordState, State};
use crate::world::{Action, Restarts};
use std::sync::Arc;

impl Cluster {
    /// Starts a node's process, at `address` if it moves. One that runs is stopped first as SIGTERM and then SIGKILL
    /// do it.
    pub fn start(&mut self, who: NodeIndex, address: Option<&str>) {
        self.stop(who);
        self.settle();
        let now = self.now;
        let node = self.node_mut(who);
        let moved = address.filter(|address| **address != *node.address);
        if let Some(address) = moved {
            node.address = Arc::from(address);
        }
        node.epoch += 1;
        let up_at = node.suffers.slow_start.max(now);
        let fails = node.suffers.start_fails > now;
        node.process = Some(Process { started: now, stage: ProcessStage::Booting, hung: false, up_at, fails });
        node.pending.clear();
        if moved.is_some() {
            self.addresses_changed();
        }
        self.note(LogEvent::Started(who));
        self.boot(who);
    }

    /// The process comes up after a while; never, when what makes it slow has no end.
    fn boot(&mut self, who: NodeIndex) {
        let node = self.node(who);
        let Some(process) = node.process else { return };
        let (up_at, epoch) = (process.up_at.max(self.now + BOOT), node.epoch);
        if up_at < Micros::MAX {
            self.queue.schedule(up_at, DueEvent::Booted(who, epoch));
        }
    }

    /// Stops a node's process for good: SIGTERM, and SIGKILL for what does not go by that. No supervisor restarts it.
    pub fn stop(&mut self, who: NodeIndex) {
        self.signal(who, Signal::Term);
        if self.node(who).process.is_some() {
            self.settle();
            self.end_at_once(who, Exit::Clean);
        }
        let node = self.node_mut(who);
        node.epoch += 1;
        node.handled = node.handled.wrapping_add(1);
    }

    /// Sends a node's process a signal.
    pub fn signal(&mut self, who: NodeIndex, signal: Signal) {
        self.settle();
        match signal {
            Signal::Kill => self.end_at_once(who, Exit::Failed),
            Signal::Stop => self.hang(who),
            Signal::Cont => self.go_on(who),
            Signal::Term => match self.node(who).awake() {
                Some(ProcessStage::Online) => self.pause(who, Exit::Clean),
                Some(ProcessStage::Booting | ProcessStage::Notifying) => self.end_at_once(who, Exit::Clean),
                Some(ProcessStage::Closing | ProcessStage::Ending) | None => {}
            },
        }
    }

    /// Makes a node fail in itself: it goes through its normal shutdown, writes `paused`, and exits with an error.
    pub fn fail(&mut self, who: NodeIndex) {
        self.settle();
        if self.node(who).beats() {
            self.pause(who, Exit::Failed);
        }
    }

    /// A process, if there is one, ends without a word: its record stays as its last heartbeat left it.
    fn end_at_once(&mut self, who: NodeIndex, exit: Exit) {
        if self.node(who).process.is_some() {
            self.freeze(who);
            self.exit(who, exit);
        }
    }

    fn hang(&mut self, who: NodeIndex) {
        if self.node(who).process.is_none_or(|process| process.hung) {
            return;
        }
        self.freeze(who);
        if let Some(process) = &mut self.node_mut(who).process {
            process.hung = true;
        }
        if let NodeIndex::Drainer(at) = who {
            self.drainers[at].flowing = false;
        }
        self.note(LogEvent::Hung(who));
        self.rewire();
    }

    fn go_on(&mut self, who: NodeIndex) {
        let now = self.now;
        let node = self.node_mut(who);
        let Some(process) = node.process.as_mut().filter(|process| process.hung) else { return };
        process.hung = false;
        let stage = process.stage;
        node.epoch += 1;
        let epoch = node.epoch;
        self.note(LogEvent::Continued(who));
        match (stage, who) {
            (ProcessStage::Booting, _) => self.boot(who),
            (ProcessStage::Notifying, NodeIndex::Pump(pump)) => self.notify(pump, 0),
            (ProcessStage::Closing, NodeIndex::Pump(pump)) => self.close_check_at(pump, now + CLOSE_CHECK),
            (ProcessStage::Online, NodeIndex::Drainer(at)) => {
                self.beat(who);
                self.flow_on(at);
                self.look(at);
            }
            (ProcessStage::Online, NodeIndex::Pump(_)) => self.beat(who),
            _ => self.queue.schedule(now + ENDING, DueEvent::Ended(who, epoch)),
        }
        self.rewire();
        self.carry_out_pending(who);
    }

    /// The process is gone; a supervisor may bring it back.
    pub(crate) fn exit(&mut self, who: NodeIndex, exit: Exit) {
        let (now, restart_at) = (self.now, self.now + RESTART_AFTER);
        let node = self.node_mut(who);
        let drained = exit == Exit::Clean && node.awake() == Some(ProcessStage::Ending);
        node.process = None;
        node.epoch += 1;
        let (epoch, supervised) = (node.epoch, node.supervised);
        match who {
            NodeIndex::Pump(at) => self.pumps[at].closing = None,
            NodeIndex::Drainer(at) => {
                let drainer = &mut self.drainers[at];
                drainer.flowing = false;
                drainer.looks_at = None;
                if drained {
                    let busy = drainer.pace().is_some() || drainer.writes_apart.is_some();
                    drainer.checkpoint = drainer.checkpoint.ended(busy.then_some(drainer.consumed), now);
                    drainer.clean_save = Some(now);
                }
                // What it had consumed beyond that it will consume again.
                drainer.consumed = drainer.checkpoint.saved;
            }
        }
        self.note(LogEvent::Exited { who, clean: exit == Exit::Clean });
        if supervised && (exit == Exit::Failed || self.restarts() == Some(Restarts::Always)) {
            self.queue.schedule(restart_at, DueEvent::Restart(who, epoch));
        }
        self.rewire();
    }

    pub(crate) fn booted(&mut self, who: NodeIndex) {
        if self.node(who).awake() != Some(ProcessStage::Booting) {
            return;
        }
        self.settle();
        let fails = self.node(who).process.is_some_and(|process| process.fails);
        if fails || self.pd_gone() || self.port_is_taken(who) {
            return self.exit(who, Exit::Failed);
        }
        match who {
            NodeIndex::Pump(at)
                if matches!(self.node(who).recorded_state(), None | Some(RecordState::Known(State::Offline))) =>
            {
                self.set_stage(who, ProcessStage::Notifying);
                self.write_state(who, State::Online);
                self.note(LogEvent::Notifying(who));
                self.rewire();
                self.notify(at, 0);
            }
            NodeIndex::Pump(_) => self.come_online(who),
            NodeIndex::Drainer(at) => {
                self.come_online(who);
                self.look_afresh(at);
                let drainer = &mut self.drainers[at];
                // Until it saves, its downstream has the word of the process before.
                let is_clean = drainer.clean_save == Some(drainer.checkpoint.saved_at);
                drainer.checkpoint = Checkpoint::at(drainer.consumed, self.now);
                drainer.clean_save = is_clean.then_some(self.now);
                self.flow_on(at);
                self.rewire();
            }
        }
    }

    /// Two processes cannot listen on one address: the one that comes second fails.
    fn port_is_taken(&self, who: NodeIndex) -> bool {
        self.all_at(&self.node(who).address)
            .filter(|other| *other != who)
            .any(|other| self.node(other).process.is_some_and(|process| process.stage != ProcessStage::Booting))
    }

    fn set_stage(&mut self, who: NodeIndex, stage: ProcessStage) {
        if let Some(process) = &mut self.node_mut(who).process {
            process.stage = stage;
        }
    }

    fn come_online(&mut self, who: NodeIndex) {
        self.set_stage(who, ProcessStage::Online);
        let now = self.now;
        self.node_mut(who).beat_phase = now;
        self.beat(who);
        self.note(LogEvent::Online(who));
        self.record_changed(who);
        self.rewire();
        self.carry_out_pending(who);
    }

    /// A Pump that is new or was `offline` tells every `online` Drainer of itself; if one of them stays silent, it
    /// gives up.
    pub(crate) fn notify(&mut self, pump: usize, attempt: u32) {
        let who = NodeIndex::Pump(pump);
        if self.node(who).awake() != Some(ProcessStage::Notifying) {
            return;
        }
        self.settle();
        if attempt == NOTIFY_TRIES {
            self.write_state(who, State::Offline);
            return self.exit(who, Exit::Failed);
        }
        let told = |drainer: &super::drainer::Drainer| {
            !drainer.node.says(State::Online) || drainer.node.true_state().is_some()
        };
        let listed = !self.pd_gone() && !self.broken[1];
        if listed && self.drainers.iter().all(told) {
            for drainer in 0..self.drainers.len() {
                self.look(drainer);
            }
            self.come_online(who);
        } else {
            let epoch = self.node(who).epoch;
            let at = self.now + NOTIFY / Micros::from(NOTIFY_TRIES);
            self.queue.schedule(at, DueEvent::Notify { pump, epoch, attempt: attempt + 1 });
        }
    }

    /// Does what a node was told over HTTP; it is `online`.
    pub(crate) fn act(&mut self, who: NodeIndex, action: Action) {
        self.settle();
        self.note(LogEvent::Acted { who, action });
        match (action, who) {
            (Action::Pause, _) => self.pause(who, Exit::Clean),
            (Action::Close, NodeIndex::Pump(pump)) => self.close_pump(pump),
            (Action::Close, NodeIndex::Drainer(_)) => self.end_drainer(who, State::Offline),
        }
    }

    fn pause(&mut self, who: NodeIndex, exit: Exit) {
        match (who, exit) {
            (NodeIndex::Drainer(_), Exit::Clean) => self.end_drainer(who, State::Paused),
            _ => {
                self.freeze(who);
                self.write_state(who, State::Paused);
                self.exit(who, exit);
            }
        }
    }

    /// A Drainer writes its state before it stops: its process is still there for a moment.
    fn end_drainer(&mut self, who: NodeIndex, state: State) {
        self.freeze(who);
        self.write_state(who, state);
        self.set_stage(who, ProcessStage::Ending);
        if let NodeIndex::Drainer(at) = who {
            self.drainers[at].flowing = false;
        }
        let (at, epoch) = (self.now + ENDING, self.node(who).epoch);
        self.queue.schedule(at, DueEvent::Ended(who, epoch));
        self.rewire();
    }

    pub(crate) fn ended(&mut self, who: NodeIndex) {
        if self.node(who).awake() == Some(ProcessStage::Ending) {
            self.settle();
            self.exit(who, Exit::Clean);
        }
    }

    /// The heartbeat ends first, so that the record stays `online` as it was; then it waits.
    fn close_pump(&mut self, at: usize) {
        let who = NodeIndex::Pump(at);
        self.freeze(who);
        self.set_stage(who, ProcessStage::Closing);
        let now = self.now;
        let pump = &mut self.pumps[at];
        pump.newest = now;
        pump.ticks.once(now);
        pump.told_to_close = Some(now);
        pump.closing = Some(Closing { fake_binlog: now, storage_done: false, looks_at: now });
        self.note(LogEvent::Closing(who));
        self.close_check_at(at, now + CLOSE_CHECK);
        self.rewire();
    }

    fn close_check_at(&mut self, pump: usize, looks_at: Micros) {
        let epoch = self.pumps[pump].node.epoch;
        if let Some(closing) = &mut self.pumps[pump].closing {
            closing.looks_at = looks_at;
        }
        self.queue.schedule(looks_at, DueEvent::CloseCheck { pump, epoch });
    }

    pub(crate) fn close_check(&mut self, at: usize) {
        let pump = &self.pumps[at];
        let Some(closing) = pump.closing.filter(|_| pump.node.awake() == Some(ProcessStage::Closing)) else { return };
        let is_matched = pump.unmatched_until <= self.now;
        if closing.storage_done && !self.is_needed(&closing) {
            self.settle();
            self.write_state(NodeIndex::Pump(at), State::Offline);
            return self.exit(NodeIndex::Pump(at), Exit::Clean);
        }
        self.close_check_at(at, self.now + CLOSE_CHECK);
        if !closing.storage_done {
            self.settle();
            if let Some(closing) = self.pumps[at].closing.as_mut().filter(|_| is_matched) {
                closing.storage_done = true;
            }
            self.rewire();
        }
    }

    /// Whether some Drainer that is not `offline` has not passed the closing Pump's last binlog, or nobody can tell.
    fn is_needed(&self, closing: &Closing) -> bool {
        let waits = |at: usize| {
            let who = NodeIndex::Drainer(at);
            self.node(who).counts() && self.recorded_position(who).is_some_and(|at| at < closing.fake_binlog)
        };
        self.pd_gone() || self.broken[1] || (0..self.drainers.len()).any(waits)
    }

    /// Requests that reached a process while it could not answer are carried out now.
    pub(crate) fn carry_out_pending(&mut self, who: NodeIndex) {
        for action in std::mem::take(&mut self.node_mut(who).pending) {
            if self.node(who).true_state() == Some(State::Online) {
                self.act(who, action);
            }
        }
    }
}
