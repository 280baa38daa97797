//! Requests that change the cluster.

use super::look::only_pumps;
use super::{HTTP_DEADLINE, Simulated};
use crate::error::{Error, ErrorKind, Result};
use crate::node::{NodeRef, Record, State};
use crate::sim::http::{Behind, Said};
use crate::sim::process::Who;
use crate::world::{Action, Answer, Fence};

impl Simulated {
    pub(super) fn act(&mut self, node: &NodeRef, action: Action) -> Result<Answer> {
        let what = format!("PUT /state/{}/{}", node.id, action.name());
        let who = self.listener(node, &what, Some(action))?;
        let loses = self.cluster.node(who).loses_until > self.cluster.now();
        match self.cluster.put_state(who, &node.id, action.name()) {
            Said::Done(_) if loses => Err(lost(node, &what)),
            said @ Said::Done(_) => Ok(Answer::Acted { message: said.to_string() }),
            said => Err(Error::new(ErrorKind::Rejected, format!("{node} refused to {}: {said}", action.name()))
                .hint(format!("probe(\"{}\") tells its true state", node.id))),
        }
    }

    pub(super) fn trigger_gc(&mut self, node: &NodeRef) -> Result<Answer> {
        only_pumps(node, "garbage collection")?;
        let what = "POST /debug/gc/trigger";
        let who = self.listener(node, what, None)?;
        let loses = self.cluster.node(who).loses_until > self.cluster.now();
        if let Who::Pump(at) = who {
            self.cluster.collect(at);
        }
        if loses { Err(lost(node, what)) } else { Ok(Answer::Acted { message: "trigger gc success".into() }) }
    }

    /// Who answers a request that changes something. A request to somebody silent may be carried out later.
    fn listener(&mut self, node: &NodeRef, what: &str, action: Option<Action>) -> Result<Who> {
        match self.cluster.behind(&node.address) {
            Behind::Node(who) => Ok(who),
            Behind::Silent(who) => {
                if let Some(action) = action {
                    self.cluster.leave_request(who, &node.id, action.name());
                }
                self.pass(HTTP_DEADLINE)?;
                Err(lost(node, what))
            }
            Behind::Reset => Err(lost(node, what)),
            Behind::Nobody => Err(Error::new(
                ErrorKind::Unreachable,
                format!("nobody listens at the address of {node}: connection refused"),
            )
            .hint("its process is not there: start it, or repair its record with update_pump or update_drainer")),
        }
    }

    pub(super) fn swap_record(&mut self, seen: &Record, state: State, fence: Option<&Fence>) -> Result<Answer> {
        let key = seen.node.key();
        self.reach_pd("the write of a record")?;
        self.check_fence(fence)?;
        let now = self.cluster.get(&key).ok_or_else(|| {
            Error::new(ErrorKind::Conflict, format!("the record of {} was deleted meanwhile", seen.node))
                .hint("list the nodes again before you decide")
        })?;
        let now = Record::parse(&key, &now.value, now.mod_revision).map_err(|error| {
            Error::new(ErrorKind::Conflict, format!("the record of {} is none any more", seen.node)).source(error)
        })?;
        let differences = if now.mod_revision == seen.mod_revision { Vec::new() } else { seen.differences(&now) };
        if !differences.is_empty() {
            return Err(Error::new(
                ErrorKind::Conflict,
                format!("the record of {} was changed meanwhile: {}", seen.node, differences.join("; ")),
            )
            .hint("look at the node again before you decide"));
        }
        let json = now.with_state(state);
        let mod_revision = self.cluster.put(&key, json.as_bytes());
        Ok(Answer::Swapped(Record { state, mod_revision, json, ..now }))
    }

    pub(super) fn delete_record(&mut self, key: &str, mod_revision: i64, fence: Option<&Fence>) -> Result<Answer> {
        self.reach_pd("the deletion of a key")?;
        self.check_fence(fence)?;
        match self.cluster.get(key) {
            None => Err(Error::not_found(format!("there is no key {key}")).hint("somebody may have deleted it before")),
            Some(now) if now.mod_revision != mod_revision => Err(Error::new(
                ErrorKind::Conflict,
                format!("{key} was written meanwhile: revision {mod_revision} -> {}", now.mod_revision),
            )
            .hint("somebody still writes it: look who, before you delete it")),
            Some(_) => {
                self.cluster.delete(key);
                Ok(Answer::Done)
            }
        }
    }

    fn check_fence(&self, fence: Option<&Fence>) -> Result<()> {
        let Some(fence) = fence else { return Ok(()) };
        match self.cluster.get(&fence.key) {
            Some(lock) if lock.create_revision == fence.create_revision => Ok(()),
            _ => Err(Error::new(ErrorKind::LockLost, format!("the maintenance lock {} is no longer ours", fence.key))
                .hint("nothing was written; see who holds it now before you start again")),
        }
    }
}

fn lost(node: &NodeRef, what: &str) -> Error {
    Error::new(ErrorKind::InDoubt, format!("{node} was sent {what}, and its answer was lost"))
        .hint(format!("probe(\"{}\") and started_at(\"{}\") tell whether it was done", node.id, node.id))
}
