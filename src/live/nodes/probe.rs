//! Asking a node for its true state without side effects.
//!
//! A node that is told an action checks its id, then its state, then the action. So an action that does not exist
//! changes nothing, and the refusal says who answers and in which state.

use super::http::{HttpCall, HttpFailure, HttpReply, MAX_BODY};
use super::{CodedAnswer, NodeClient, each_node};
use crate::error::Result;
use crate::live::clock::{Deadline, pause};
use crate::node::{NodeRef, State};
use crate::world::{Probe, ProbeFinding};
use hyper::Method;
use std::sync::Arc;

/// Probes all `nodes` at the same time.
///
/// # Errors
/// None of a node's: whatever it does is a finding.
pub(in crate::live) async fn probe_all(nodes: &Arc<NodeClient>, whom: &[NodeRef]) -> Result<Vec<Probe>> {
    let ask = |nodes: Arc<NodeClient>, node: NodeRef| async move {
        let finding = probe(&nodes, &node).await;
        Probe { node, finding }
    };
    each_node(nodes, whom, ask).await
}

/// Probes one node. A connection that ends without an answer is tried once more: a process that is going away refuses
/// the second time.
pub(in crate::live) async fn probe(nodes: &NodeClient, node: &NodeRef) -> ProbeFinding {
    probe_by(nodes, node, Deadline::after(nodes.wire.settings.probe_timeout)).await
}

/// The same, both times by one deadline.
pub(super) async fn probe_by(nodes: &NodeClient, node: &NodeRef, deadline: Deadline) -> ProbeFinding {
    match once(nodes, node, deadline).await {
        Err(HttpFailure::Reset | HttpFailure::Closed) => finding(once(nodes, node, deadline).await),
        first => finding(first),
    }
}

/// Why a node need not be waited for: it gives a probe no answer either. Of one that does this never ends.
pub(super) async fn deafness(nodes: &NodeClient, node: &NodeRef) -> HttpFailure {
    let patience = nodes.wire.settings.probe_timeout;
    let deadline = Deadline::after(patience);
    // Whoever is well has answered by then.
    pause(patience / 4).await;
    match once(nodes, node, deadline).await {
        Err(HttpFailure::Silent(_)) => HttpFailure::Silent(patience),
        Err(unsent) if unsent.is_unsent() => unsent,
        Ok(_) | Err(_) => std::future::pending().await,
    }
}

async fn once(nodes: &NodeClient, node: &NodeRef, deadline: Deadline) -> Result<HttpReply, HttpFailure> {
    let path = ["state", &node.id, "probe"];
    let ask = HttpCall { method: Method::PUT, path: &path, query: &[], max_body: MAX_BODY, deadline };
    nodes.exchange(&nodes.prober, &node.address, ask).await
}

fn finding(result: Result<HttpReply, HttpFailure>) -> ProbeFinding {
    match result {
        Err(HttpFailure::Refused(_) | HttpFailure::Reset) => ProbeFinding::Refused,
        Err(HttpFailure::Silent(_)) => ProbeFinding::Silent,
        Err(other) => ProbeFinding::Unknown(other.words().into()),
        Ok(reply) => reply.finding(),
    }
}

impl HttpReply {
    /// What the answer to a probe tells.
    pub fn finding(&self) -> ProbeFinding {
        let verdict = serde_json::from_slice::<CodedAnswer>(&self.body).ok();
        let told = verdict.and_then(|verdict| said(&verdict.message));
        told.unwrap_or_else(|| ProbeFinding::Unknown(self.words().into()))
    }
}

/// What a node's refusal of an unknown action tells. Pumps write `invalide`, Drainers `invalid`; both say "pump's".
fn said(message: &str) -> Option<ProbeFinding> {
    let refusal = message.strip_prefix("invalide ").or_else(|| message.strip_prefix("invalid "));
    match refusal {
        Some(refusal) if refusal.starts_with("action ") => Some(ProbeFinding::State(State::Online)),
        Some(refusal) if refusal.starts_with("nodeID ") => {
            let (_, id) = refusal.rsplit_once("nodeID is ")?;
            Some(ProbeFinding::Other(id.trim().into()))
        }
        Some(_) => None,
        None => {
            let (_, state) = message.split_once("state is ")?;
            let state = state.split(|c: char| !c.is_ascii_lowercase()).next()?;
            State::from_name(state).map(ProbeFinding::State)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_the_state() {
        for (message, finding) in [
            ("invalide action probe", ProbeFinding::State(State::Online)),
            ("invalid action probe", ProbeFinding::State(State::Online)),
            ("this pump's state is closing, apply probe failed!", ProbeFinding::State(State::Closing)),
            ("this pump's state is paused, apply probe failed!", ProbeFinding::State(State::Paused)),
            ("invalide nodeID p-0, this pump's nodeID is p-1", ProbeFinding::Other("p-1".into())),
            ("invalid nodeID d-0, this pump's nodeID is h:8249", ProbeFinding::Other("h:8249".into())),
        ] {
            assert_eq!(said(message), Some(finding), "{message}");
        }
    }

    #[test]
    fn other_words_tell_nothing() {
        for message in ["", "invalid", "apply action probe success!", "this pump's state is happy, apply probe failed!"]
        {
            assert_eq!(said(message), None, "{message}");
        }
    }
}
