//! What a node says of itself, in one go: it is probed first, so that who is silent costs a probe and no more.

use super::metrics::metrics_of;
use super::probe::probe;
use super::status::status_of;
use super::{NodeClient, each_node};
use crate::error::Result;
use crate::node::{Kind, NodeRef};
use crate::world::{Inspected, Probe, ProbeFinding, metric_name};
use std::sync::Arc;

/// Examines all `nodes` at the same time.
///
/// # Errors
/// None of a node's: whatever it does is a finding.
pub(in crate::live) async fn inspect(
    nodes: &Arc<NodeClient>,
    whom: &[NodeRef],
    metrics: Vec<String>,
) -> Result<Vec<Inspected>> {
    let metrics: Arc<[String]> = metrics.into();
    let ask = |nodes: Arc<NodeClient>, node: NodeRef| {
        let metrics = metrics.clone();
        async move { one(&nodes, node, &metrics).await }
    };
    each_node(nodes, whom, ask).await
}

async fn one(nodes: &NodeClient, node: NodeRef, wanted: &[String]) -> Inspected {
    let deadline = nodes.deadline();
    let finding = probe(nodes, &node).await;
    if !matches!(finding, ProbeFinding::State(_)) {
        return Inspected { probe: Probe { node, finding }, status: None, metrics: None };
    }
    let status = async {
        match node.kind {
            Kind::Pump => None,
            Kind::Drainer => Some(status_of(nodes, &node, deadline).await),
        }
    };
    let (status, mut metrics) = tokio::join!(status, metrics_of(nodes, &node, deadline));
    if let Ok(samples) = &mut metrics {
        samples.retain(|sample, _| wanted.iter().any(|name| *name == metric_name(sample)));
    }
    Inspected { probe: Probe { node, finding }, status, metrics: Some(metrics) }
}
