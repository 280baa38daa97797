//! What a simulated cluster can be made to suffer, at times that are known before it runs.

use super::clock::Micros;
use super::cluster::{Cluster, Event};
use super::drainer::{DRAINER_BEAT, FAILED_BEATS};
use super::happening::What;
use super::process::{Signal, Who};
use super::pump::UNMATCHED_AT_MOST;
use super::scenario::Fault;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::node::Kind;
use crate::world::FaultKind;

impl Cluster {
    /// Makes `fault` happen, its times counted from now.
    ///
    /// # Errors
    /// `invalid` when it needs a node and names none, or one of the other kind; `not_found` when there is no such
    /// node.
    pub fn add_fault(&mut self, fault: Fault) -> Result<()> {
        self.check_fault(&fault)?;
        let begins = self.now.saturating_add(fault.after.micros());
        let ends = fault.lasts.map(|lasts| begins.saturating_add(lasts.micros()));
        let at = self.faults.len();
        self.faults.push(fault);
        self.queue.schedule(begins, Event::FaultBegins(at));
        if let Some(ends) = ends {
            self.queue.schedule(ends, Event::FaultEnds(at));
        }
        Ok(())
    }

    fn check_fault(&self, fault: &Fault) -> Result<()> {
        let kind = fault.kind.name();
        let needs = match fault.kind {
            FaultKind::PdGone | FaultKind::MalformedKey => return Ok(()),
            FaultKind::Stall => Some(Kind::Drainer),
            FaultKind::UnmatchedPrewrite => Some(Kind::Pump),
            FaultKind::Crash | FaultKind::Hang | FaultKind::Refuse | FaultKind::LoseAnswer => None,
        };
        let whose = needs.map_or("a node".to_owned(), |kind| format!("a {}", kind.title()));
        let Some(id) = &fault.node else {
            return Err(Error::invalid(format!("the fault `{kind}` happens to {whose}, and none is named"))
                .hint("name the node by its id"));
        };
        match self.victim(fault) {
            Some(who) if needs.is_none_or(|kind| kind == who.kind()) => Ok(()),
            Some(_) => Err(Error::invalid(format!("the fault `{kind}` happens to {whose}, and {id} is none"))),
            None => {
                let error = Error::not_found(format!("the fault `{kind}` happens to {id}, and there is no such node"));
                let ids = self.everybody().map(|who| self.id_of(who));
                Err(error.hint(did_you_mean(id, ids).unwrap_or_else(|| "name one of the cluster's nodes".into())))
            }
        }
    }

    fn victim(&self, fault: &Fault) -> Option<Who> {
        let id = fault.node.as_deref()?;
        match (fault.node_kind, fault.kind) {
            (Some(kind), _) => self.find(kind, id),
            (None, FaultKind::Stall) => self.find(Kind::Drainer, id),
            (None, _) => self.find(Kind::Pump, id).or_else(|| self.find(Kind::Drainer, id)),
        }
    }

    pub(crate) fn fault_begins(&mut self, at: usize) {
        self.settle();
        let fault = self.faults[at].clone();
        let until = fault.lasts.map_or(Micros::MAX, |lasts| self.now.saturating_add(lasts.micros()));
        match (fault.kind, self.victim(&fault)) {
            (FaultKind::PdGone, _) => self.pd_goes(),
            (FaultKind::MalformedKey, _) => {
                let key = self.malformed_key(&fault);
                self.put(&key, b"{not json");
            }
            (FaultKind::Crash, Some(who)) => self.signal(who, Signal::Kill),
            (FaultKind::Hang, Some(who)) => self.signal(who, Signal::Stop),
            (FaultKind::Stall, Some(Who::Drainer(drainer))) => {
                let drainer = &mut self.drainers[drainer];
                drainer.stalled_until = drainer.stalled_until.max(until);
                drainer.flowing = false;
            }
            (FaultKind::Refuse, Some(who)) => self.node_mut(who).refuses_until = until,
            (FaultKind::LoseAnswer, Some(who)) => self.node_mut(who).loses_until = until,
            (FaultKind::UnmatchedPrewrite, Some(Who::Pump(pump))) => {
                self.pumps[pump].unmatched_until = until.min(self.now + UNMATCHED_AT_MOST);
            }
            _ => {} // check_fault lets no other pass
        }
    }

    pub(crate) fn fault_ends(&mut self, at: usize) {
        self.settle();
        let fault = self.faults[at].clone();
        match (fault.kind, self.victim(&fault)) {
            (FaultKind::PdGone, _) => self.pd_comes_back(),
            (FaultKind::MalformedKey, _) => {
                let key = self.malformed_key(&fault);
                self.delete(&key);
            }
            (FaultKind::Hang, Some(who)) => self.signal(who, Signal::Cont),
            (FaultKind::Stall, Some(Who::Drainer(drainer))) if self.drainers[drainer].stalled_until <= self.now => {
                let drainer = &mut self.drainers[drainer];
                drainer.flowing = drainer.node.beats();
                self.rewire();
            }
            _ => {} // it ended by its time
        }
    }

    /// PD and its etcd answer nobody: no heartbeat, no timestamp, no fake binlog.
    fn pd_goes(&mut self) {
        self.pd_outages += 1;
        if self.pd_outages > 1 {
            return;
        }
        self.pd_gone_since = self.now;
        self.note(What::PdGone);
        let all: Vec<Who> = self.everybody().collect();
        for who in all {
            self.freeze(who);
            if let Who::Drainer(at) = who {
                let last = self.now + FAILED_BEATS * DRAINER_BEAT;
                let epoch = self.drainers[at].node.epoch;
                self.queue.schedule(last, Event::GiveUp(at, epoch));
            }
        }
        self.rewire();
    }

    /// PD is back: everybody goes on by itself with its next heartbeat.
    fn pd_comes_back(&mut self) {
        self.pd_outages -= 1;
        if self.pd_gone() {
            return;
        }
        self.note(What::PdBack);
        let all: Vec<Who> = self.everybody().collect();
        for who in all.into_iter().filter(|who| self.node(*who).beats()).collect::<Vec<_>>() {
            let node = self.node(who);
            let (at, epoch) = (node.next_beat(self.now), node.epoch);
            self.queue.schedule(at, Event::Beat(who, epoch));
        }
        self.look_soon();
        self.rewire();
    }

    /// The key of a fault that puts one which is no record.
    fn malformed_key(&self, fault: &Fault) -> String {
        let kind = fault.node_kind.or_else(|| self.victim(fault).map(Who::kind)).unwrap_or(Kind::Pump);
        format!("{}broken", kind.prefix())
    }
}
