//! A node's `/metrics`, in Prometheus' text form.

use super::http::HttpReply;
use super::{NodeClient, each_node};
use crate::error::{Error, Result};
use crate::live::clock::{Deadline, unix_ms};
use crate::node::NodeRef;
use crate::text::on_one_line;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The largest `/metrics` that is read.
const MAX_METRICS: usize = 16 << 20;

/// When the process began, in seconds since 1970.
const START_TIME: &str = "process_start_time_seconds";

/// A process's start and the present, both by its own clock, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Started {
    /// The start.
    pub at: f64,
    /// The present.
    pub now: f64,
}

/// The samples of all `nodes`, by name with labels as written; what is no number is left out.
///
/// # Errors
/// For each node: `unreachable`, `timeout`, or `invalid` when the answer is none of a node's.
pub(in crate::live) async fn metrics(
    nodes: &Arc<NodeClient>,
    whom: &[NodeRef],
) -> Result<Vec<Result<BTreeMap<String, f64>>>> {
    each_node(nodes, whom, |nodes, node| async move { metrics_of(&nodes, &node, nodes.deadline()).await }).await
}

/// The samples of one node, by `deadline`.
///
/// # Errors
/// As [`metrics`] for each.
pub(super) async fn metrics_of(
    nodes: &NodeClient,
    node: &NodeRef,
    deadline: Deadline,
) -> Result<BTreeMap<String, f64>> {
    nodes.get(node, &["metrics"], MAX_METRICS, deadline).await?.samples(node)
}

/// When its process began, asked by the time-out of an exchange.
///
/// # Errors
/// Those of its metrics, or `invalid` when they do not say.
pub(in crate::live) async fn started_at(nodes: &NodeClient, node: &NodeRef) -> Result<Started> {
    started_by(nodes, node, nodes.deadline()).await
}

/// The same, by `deadline`.
pub(super) async fn started_by(nodes: &NodeClient, node: &NodeRef, deadline: Deadline) -> Result<Started> {
    nodes.get(node, &["metrics"], MAX_METRICS, deadline).await?.started(node)
}

impl HttpReply {
    /// The samples in `/metrics` of `node`, by name with labels as written; what is no number is left out.
    ///
    /// # Errors
    /// `invalid`, with the first line that is none of Prometheus' form.
    pub fn samples(&self, node: &NodeRef) -> Result<BTreeMap<String, f64>> {
        samples(&self.text()).map_err(|line| {
            Error::invalid(format!("the metrics of {node} cannot be read: \"{}\"", on_one_line(&line)))
                .hint("something else may listen at this address: probe the node")
        })
    }

    /// When the process of `node` began, by its `/metrics`.
    ///
    /// # Errors
    /// `invalid` when they do not say.
    pub fn started(&self, node: &NodeRef) -> Result<Started> {
        let found = samples(&self.text()).ok().and_then(|samples| samples.get(START_TIME).copied());
        let at =
            found.ok_or_else(|| Error::invalid(format!("the metrics of {node} do not say when it was started")))?;
        // Its `Date` header saves us from comparing two clocks.
        let now = self.date.map_or_else(|| unix_ms() as f64 / 1000.0, |date| date as f64);
        Ok(Started { at, now })
    }
}

/// The samples in `text`, or the first line that is none.
fn samples(text: &str) -> Result<BTreeMap<String, f64>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut found = BTreeMap::new();
    for line in lines {
        let (name, value) = sample(line).ok_or_else(|| line.chars().take(100).collect::<String>())?;
        if value.is_finite() {
            found.insert(name.to_owned(), value);
        }
    }
    Ok(found)
}

/// Splits `name{labels} value [timestamp]`.
fn sample(line: &str) -> Option<(&str, f64)> {
    let name_end = match line.find('{') {
        Some(open) => open + labels_end(&line[open..])?,
        None => line.find(char::is_whitespace)?,
    };
    let value = line[name_end..].split_whitespace().next()?;
    let value = match value {
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number => number.parse().ok()?,
    };
    Some((line[..name_end].trim(), value))
}

/// The length of `{labels}` at the start of `text`; braces in quotes do not count.
fn labels_end(text: &str) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '}' if !quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_named_with_their_labels() {
        let text = "# HELP x y\n# TYPE x gauge\nprocess_start_time_seconds 1.7e+09\n\
                    size{type=\"avail}\\\"able\"} 12 1700000000\nodd NaN\nfar +Inf\n";
        let found = samples(text).unwrap();
        assert_eq!(found[START_TIME], 1.7e9);
        assert_eq!(found["size{type=\"avail}\\\"able\"}"], 12.0);
        assert_eq!(found.len(), 2, "what is no number is left out");
    }

    #[test]
    fn what_is_no_metric_is_an_error() {
        assert!(samples("<html>").is_err());
        assert!(samples("a{b=\"c\" 1").is_err());
    }
}
