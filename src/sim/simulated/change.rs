//! Requests that change the cluster.

use super::lock;
use super::look::{only_pumps, silence};
use super::{HTTP_DEADLINE, Simulated};
use crate::error::{Error, ErrorKind, Result};
use crate::node::{NodeRef, Record, State};
use crate::sim::http::{Behind, StateReply};
use crate::sim::process::NodeIndex;
use crate::text::Untrusted;
use crate::world::{Acted, Action, Answer, Fence, TidbRef, check_is_of_a_node, still_the_key, still_the_record};

impl Simulated {
    pub(super) fn act(&mut self, node: &NodeRef, action: Action, fence: Option<&Fence>) -> Result<Answer> {
        self.read_lock(fence)?;
        let who = self.listener(node, action.name(), Some(action))?;
        let loses = self.cluster.node(who).suffers.loses_answers > self.cluster.now();
        match self.cluster.put_state(who, &node.id, action.name()) {
            StateReply::Done(_) if loses => Err(lost(node, action.name(), "the connection was reset")),
            said @ StateReply::Done(_) => Ok(Answer::Acted(Acted::said(said.to_string()))),
            said @ (StateReply::OtherId { .. } | StateReply::State { .. } | StateReply::UnknownAction { .. }) => {
                Err(Error::new(
                    ErrorKind::Rejected,
                    format!("cannot {} {node}: {}", action.name(), Untrusted::from(said.to_string())),
                )
                .hint("probe the node to see its true state"))
            }
        }
    }

    pub(super) fn trigger_gc(&mut self, node: &NodeRef, fence: Option<&Fence>) -> Result<Answer> {
        self.read_lock(fence)?;
        only_pumps(node, "garbage collection")?;
        let what = "trigger GC of";
        let who = self.listener(node, what, None)?;
        let loses = self.cluster.node(who).suffers.loses_answers > self.cluster.now();
        let NodeIndex::Pump(at) = who else {
            // The address has a Drainer's process by now, which knows no such path.
            let words = "it answered HTTP 404: \"404 page not found\"";
            return Err(Error::new(ErrorKind::Rejected, format!("cannot {what} {node}: {words}"))
                .hint("probe the node to see its true state"));
        };
        self.cluster.collect(at);
        if loses {
            Err(lost(node, what, "the connection was reset"))
        } else {
            Ok(Answer::Acted(Acted::said("trigger gc success")))
        }
    }

    pub(super) fn recover_tidb(&mut self, server: &TidbRef, reset: bool, fence: Option<&Fence>) -> Result<Answer> {
        self.read_lock(fence)?;
        let mut state = self.cluster.recover_tidb(&server.status_address);
        if reset {
            self.cluster.forget_skipped(&server.status_address);
            state = self.cluster.tidb_binlog(&server.status_address);
        }
        state.map(Answer::TidbBinlog).ok_or_else(|| no_tidb(server))
    }

    pub(super) fn tidb_binlog(&mut self, server: &TidbRef) -> Result<Answer> {
        self.cluster.tidb_binlog(&server.status_address).map(Answer::TidbBinlog).ok_or_else(|| no_tidb(server))
    }

    /// Who answers a request that changes something. A request to somebody silent may be carried out later.
    fn listener(&mut self, node: &NodeRef, what: &str, action: Option<Action>) -> Result<NodeIndex> {
        match self.cluster.behind_for_us(&node.address) {
            Behind::Node(who) => Ok(who),
            Behind::Silent(who) => {
                if let Some(action) = action {
                    self.cluster.leave_request(who, &node.id, action.name());
                }
                self.pass(HTTP_DEADLINE)?;
                Err(lost(node, what, &silence(HTTP_DEADLINE)))
            }
            Behind::Reset => Err(lost(node, what, "the connection was reset")),
            Behind::Nobody => {
                Err(Error::new(ErrorKind::Unreachable, format!("cannot {what} {node}: connection refused"))
                    .hint("probe it to see whether its process is gone"))
            }
        }
    }

    pub(super) fn swap_record(&mut self, seen: &Record, state: State, fence: Option<&Fence>) -> Result<Answer> {
        let key = seen.node.key();
        self.reach_pd("the write of a record")?;
        self.writable(&format!("write {key}"))?;
        lock::check(&self.cluster, fence)?;
        let now = self.cluster.get(&key);
        let now = still_the_record(seen, now.as_ref().map(|now| (&*now.value, now.mod_revision)))?;
        let json = now.with_state(state)?;
        let mod_revision = self.cluster.put(&key, json.bytes());
        Ok(Answer::Swapped(Record { state: state.into(), mod_revision, json, ..now }))
    }

    pub(super) fn delete_record(&mut self, key: &str, mod_revision: i64, fence: Option<&Fence>) -> Result<Answer> {
        check_is_of_a_node(key)?;
        self.reach_pd("the deletion of a key")?;
        lock::check(&self.cluster, fence)?;
        still_the_key(key, mod_revision, self.cluster.get(key).map(|now| now.mod_revision))?;
        self.cluster.delete(key);
        Ok(Answer::Done)
    }
}

fn no_tidb(server: &TidbRef) -> Error {
    let TidbRef { status_address, .. } = server;
    let message = format!("cannot ask the {server} at its status port {status_address}: connection refused");
    Error::new(ErrorKind::Unreachable, message)
        .hint("see whether its process runs: it may have stopped for want of a Pump")
}

fn lost(node: &NodeRef, what: &str, why: &str) -> Error {
    Error::new(ErrorKind::InDoubt, format!("whether it did {what} {node} is not known: {why}"))
        .hint("probe the node and look at its record and its log before you try again")
}
