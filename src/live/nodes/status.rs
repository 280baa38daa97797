//! What nodes say when they are asked how it goes: `/status`, `/commit_ts`, `/drainers`, `/debug/binlog`.

use super::http::{HttpReply, MAX_BODY};
use super::{CodedAnswer, NodeClient, each_node};
use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::Deadline;
use crate::node::{Kind, NodeRef};
use crate::text::on_one_line;
use crate::tso::Tso;
use crate::world::{DrainerStatus, PumpStatus, StatusReport};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

#[derive(Deserialize)]
struct PumpBody {
    #[serde(rename = "CommitTS")]
    commit_ts: i64,
    #[serde(rename = "ErrMsg", default)]
    error: String,
}

#[derive(Deserialize)]
struct DrainerBody {
    #[serde(rename = "PumpPos")]
    pump_positions: Option<BTreeMap<Arc<str>, i64>>,
    #[serde(rename = "Synced")]
    synced: bool,
    #[serde(rename = "LastTS")]
    last_ts: i64,
}

/// `/status` of all `nodes`, in their order.
///
/// # Errors
/// For each node: `unreachable`, `timeout`, or `invalid` when the answer is none of a node's.
pub(in crate::live) async fn statuses(nodes: &Arc<NodeClient>, whom: &[NodeRef]) -> Result<Vec<Result<StatusReport>>> {
    each_node(nodes, whom, |nodes, node| async move { status_of(&nodes, &node, nodes.deadline()).await }).await
}

/// `/status` of one node, by `deadline`.
///
/// # Errors
/// As [`statuses`] for each.
pub(super) async fn status_of(nodes: &NodeClient, node: &NodeRef, deadline: Deadline) -> Result<StatusReport> {
    nodes.get(node, &["status"], MAX_BODY, deadline).await?.status_report(node)
}

impl HttpReply {
    /// What `/status` of `node` says.
    ///
    /// # Errors
    /// `invalid` when the answer is none of a node's.
    pub fn status_report(&self, node: &NodeRef) -> Result<StatusReport> {
        Ok(match node.kind {
            Kind::Pump => {
                let body: PumpBody = decode(self, "get /status of", node)?;
                StatusReport::Pump(PumpStatus { commit_ts: Tso(body.commit_ts), error: body.error })
            }
            Kind::Drainer => {
                let body: DrainerBody = decode(self, "get /status of", node)?;
                // Go writes a map that was never made as null.
                let positions = body.pump_positions.unwrap_or_default().into_iter();
                let pump_positions = positions.map(|(id, ts)| (id, Tso(ts))).collect();
                StatusReport::Drainer(DrainerStatus { pump_positions, synced: body.synced, last_ts: Tso(body.last_ts) })
            }
        })
    }

    /// What `/commit_ts` of a Drainer says: the last commit that it has written downstream.
    ///
    /// # Errors
    /// `rejected` with its words, or `invalid` when the answer is none of a node's.
    pub fn commit_ts(&self, node: &NodeRef) -> Result<Tso> {
        let what = "get /commit_ts of";
        let verdict: CodedAnswer = decode(self, what, node)?;
        if verdict.code != 200 {
            return Err(Error::new(
                ErrorKind::Rejected,
                format!("cannot {what} {node}: {}", on_one_line(&verdict.message)),
            )
            .hint("probe the node to see its true state"));
        }
        let ts = verdict.data.get("ts").and_then(serde_json::Value::as_i64);
        ts.map(Tso).ok_or_else(|| self.no_answer(what, node))
    }

    /// What `/drainers` of a Pump says, as JSON text.
    ///
    /// # Errors
    /// `invalid` when it is no JSON.
    pub fn drainers(&self, node: &NodeRef) -> Result<String> {
        decode::<serde_json::Value>(self, "get /drainers of", node)?;
        Ok(self.text())
    }
}

/// `/commit_ts` of all Drainers `whom`, in their order: the last commit each has written downstream.
///
/// # Errors
/// For each Drainer: `unreachable`, `timeout`, `rejected` with its words, or `invalid` when the answer is none of a
/// node's.
pub(in crate::live) async fn commit_ts(nodes: &Arc<NodeClient>, whom: &[NodeRef]) -> Result<Vec<Result<Tso>>> {
    each_node(nodes, whom, |nodes, node| async move { commit_ts_of(&nodes, &node).await }).await
}

async fn commit_ts_of(nodes: &NodeClient, node: &NodeRef) -> Result<Tso> {
    nodes.get(node, &["commit_ts"], MAX_BODY, nodes.deadline()).await?.commit_ts(node)
}

/// `/drainers` of a Pump, as JSON text.
///
/// # Errors
/// `unreachable`, `timeout`, or `invalid` when the answer is none of a node's.
pub(in crate::live) async fn pump_drainers(nodes: &NodeClient, node: &NodeRef) -> Result<String> {
    nodes.get(node, &["drainers"], MAX_BODY, nodes.deadline()).await?.drainers(node)
}

/// `/debug/binlog/{ts}` of a Pump, as it came.
///
/// # Errors
/// `unreachable`, `timeout`, or `invalid` when the answer is none of a node's.
pub(in crate::live) async fn binlog_at(nodes: &NodeClient, node: &NodeRef, ts: Tso) -> Result<String> {
    let reply = nodes.get(node, &["debug", "binlog", &ts.to_string()], MAX_BODY, nodes.deadline()).await?;
    Ok(reply.text())
}

fn decode<T: DeserializeOwned>(reply: &HttpReply, what: &str, node: &NodeRef) -> Result<T> {
    serde_json::from_slice(&reply.body).map_err(|e| reply.no_answer(what, node).source(e))
}
