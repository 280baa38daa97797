//! Faults that happen to no node: to PD, to etcd, to our host and to the human.

use crate::node::Kind;
use crate::sim::cluster::{Cluster, DueEvent};
use crate::sim::drainer::{DRAINER_BEAT, FAILED_BEATS};
use crate::sim::log::LogEvent;
use crate::sim::process::NodeIndex;
use crate::sim::scenario::Fault;
use crate::world::FaultKind;

impl Cluster {
    pub(super) fn put_malformed_key(&mut self, fault: &Fault) {
        let key = self.malformed_key(fault);
        self.put(&key, b"{not json");
    }

    /// Deletes the key of a fault, unless another one wants it there still.
    pub(super) fn delete_malformed_key(&mut self, fault: &Fault) {
        let key = self.malformed_key(fault);
        let same = |other: &usize| {
            let other = &self.faults[*other];
            other.kind == FaultKind::MalformedKey && self.malformed_key(other) == key
        };
        if !self.active.keys().any(same) {
            self.delete(&key);
        }
    }

    /// PD and its etcd answer nobody: no heartbeat, no timestamp, no fake binlog.
    pub(crate) fn pd_goes(&mut self) {
        self.pd_outages += 1;
        if self.pd_outages > 1 {
            return;
        }
        self.pd_gone_since = self.now;
        self.note(LogEvent::PdGone);
        let all: Vec<NodeIndex> = self.everybody().collect();
        for who in all {
            self.freeze(who);
            if let NodeIndex::Drainer(at) = who {
                let last = self.now + FAILED_BEATS * DRAINER_BEAT;
                let epoch = self.drainers[at].node.epoch;
                self.queue.schedule(last, DueEvent::GiveUp(at, epoch));
            }
        }
        self.rewire();
    }

    /// PD is back: everybody goes on by itself with its next heartbeat.
    pub(super) fn pd_comes_back(&mut self) {
        self.pd_outages -= 1;
        if self.pd_gone() {
            return;
        }
        self.note(LogEvent::PdBack);
        let all: Vec<NodeIndex> = self.everybody().collect();
        all.into_iter().for_each(|who| self.beat_later(who));
        self.look_soon();
        self.rewire();
    }

    pub(super) fn next_member_leads(&mut self) {
        let leads = |member: &crate::world::PdMember| Some(member.name.as_str()) == self.leader.as_deref();
        let next = self.members.iter().position(leads).map_or(0, |at| (at + 1) % self.members.len());
        self.leader = self.members.get(next).map(|member| member.name.as_str().into());
    }

    /// The key of a fault that puts one which is no record.
    fn malformed_key(&self, fault: &Fault) -> String {
        let kind = fault.node_kind.or_else(|| self.victim(fault).map(NodeIndex::kind)).unwrap_or(Kind::Pump);
        format!("{}broken", kind.prefix())
    }
}
