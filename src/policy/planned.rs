//! The effects of a plan: plain data that is the same in every run, without what must differ (revisions, timestamps, a
//! savepoint's content, how long something takes).

use crate::error::{Error, ErrorKind, Result};
use crate::node::{NodeRef, State};
use crate::world::{Action, Exec, KnownNode, Listing, Request, TidbBinlog};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::path::PathBuf;

/// One effect, and the records of its nodes as they stood before it in the rehearsal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Planned {
    /// What is done.
    pub what: PlannedEffect,
    /// The nodes whose records it relies on; a node of the effect that is not among them had no record.
    pub relied_on: Vec<KnownNode>,
}

/// What is done, to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PlannedEffect {
    /// A node is told to pause.
    Pause(NodeRef),
    /// A node is told to close.
    Close(NodeRef),
    /// A Pump is told to collect old binlog.
    TriggerGc(NodeRef),
    /// A TiDB server is to write binlog again.
    RecoverTidb {
        /// Its address for clients.
        address: String,
        /// Whether transactions that skipped are then forgotten.
        reset: bool,
    },
    /// A state is written into a record.
    WriteState {
        /// The node.
        node: NodeRef,
        /// Its new state.
        state: State,
    },
    /// A key is deleted.
    DeleteKey(String),
    /// A savepoint is written into this directory.
    WriteSavepoint(PathBuf),
    /// A human is asked to do something.
    Manual {
        /// What.
        text: String,
        /// Nodes that it starts.
        starts: Vec<NodeRef>,
        /// Nodes that it stops.
        stops: Vec<NodeRef>,
        /// Nodes that nobody needs afterwards.
        retires: Vec<NodeRef>,
        /// Whether TiDB writes binlog afterwards.
        tidb: Option<TidbBinlog>,
    },
    /// A program is run.
    Exec {
        /// The program.
        program: String,
        /// Its arguments.
        args: Vec<String>,
        /// Nodes that it starts.
        starts: Vec<NodeRef>,
        /// Nodes that it stops.
        stops: Vec<NodeRef>,
    },
}

impl Planned {
    /// The effect of `request`, relying on what `listing` says of its nodes; `None` for what has no effect.
    pub fn of(request: &Request, listing: Option<&Listing>) -> Option<Self> {
        let what = PlannedEffect::of(request)?;
        let keys = what.keys();
        let records = listing.map_or(&[][..], |listing| &listing.records);
        let mut relied_on: Vec<KnownNode> =
            records.iter().map(KnownNode::of).filter(|node| keys.contains(&node.key())).collect();
        if let (Request::SwapRecord { seen, .. }, []) = (request, relied_on.as_slice()) {
            relied_on.push(KnownNode::of(seen));
        }
        Some(Self { what, relied_on })
    }

    /// Whether it says anything of records at all.
    pub fn relies_on_records(&self) -> bool {
        !self.relied_on.is_empty() || !self.what.keys().is_empty()
    }

    /// Whether everything that it relies on is so in `listing`.
    ///
    /// # Errors
    /// `conflict`, with every difference.
    pub fn holds_in(&self, listing: &Listing) -> Result<()> {
        let mut keys = self.what.keys();
        keys.extend(self.relied_on.iter().map(KnownNode::key));
        keys.sort();
        keys.dedup();
        let now = |key: &String| listing.records.iter().find(|record| record.node.key() == *key).map(KnownNode::of);
        let planned = |key: &String| self.relied_on.iter().find(|node| node.key() == *key);
        let differences: Vec<String> =
            keys.iter().filter_map(|key| KnownNode::difference("the plan", planned(key), now(key).as_ref())).collect();
        match differences.is_empty() {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Conflict,
                format!("not done: {}\n  what the plan relies on has changed: {}", self.what, differences.join("; ")),
            )
            .hint("find out who changed it; then rehearse again to make a plan of what is left to do")),
        }
    }
}

impl PlannedEffect {
    /// The effect of `request`; `None` for what has none.
    pub fn of(request: &Request) -> Option<Self> {
        Some(match request {
            Request::Act { node, action: Action::Pause } => Self::Pause(node.clone()),
            Request::Act { node, action: Action::Close } => Self::Close(node.clone()),
            Request::TriggerGc { node } => Self::TriggerGc(node.clone()),
            Request::RecoverTidb { server, reset } => {
                Self::RecoverTidb { address: server.address.clone(), reset: *reset }
            }
            Request::SwapRecord { seen, state } => Self::WriteState { node: seen.node.clone(), state: *state },
            Request::DeleteRecord { key, .. } => Self::DeleteKey(key.clone()),
            Request::WriteSavepoint { dir, .. } => Self::WriteSavepoint(dir.clone()),
            Request::Manual(work) => Self::Manual {
                text: work.text.clone(),
                starts: work.starts.clone(),
                stops: work.stops.clone(),
                retires: work.retires.clone(),
                tidb: work.tidb,
            },
            Request::Exec(exec) => Self::Exec {
                program: exec.program.clone(),
                args: exec.args.clone(),
                starts: exec.starts.clone(),
                stops: exec.stops.clone(),
            },
            _ => return None,
        })
    }

    /// Whether it changes the cluster itself, for which it needs the maintenance lock.
    pub fn changes_cluster(&self) -> bool {
        match self {
            Self::Pause(_)
            | Self::Close(_)
            | Self::TriggerGc(_)
            | Self::RecoverTidb { .. }
            | Self::WriteState { .. }
            | Self::DeleteKey(_) => true,
            Self::WriteSavepoint(_) | Self::Manual { .. } | Self::Exec { .. } => false,
        }
    }

    /// The keys of the records that it touches.
    fn keys(&self) -> Vec<String> {
        let nodes: Vec<&NodeRef> = match self {
            Self::Pause(node) | Self::Close(node) | Self::TriggerGc(node) | Self::WriteState { node, .. } => vec![node],
            Self::DeleteKey(key) => return vec![key.clone()],
            Self::WriteSavepoint(_) | Self::RecoverTidb { .. } => Vec::new(),
            Self::Manual { starts, stops, retires, .. } => starts.iter().chain(stops).chain(retires).collect(),
            Self::Exec { starts, stops, .. } => starts.iter().chain(stops).collect(),
        };
        nodes.into_iter().map(NodeRef::key).collect()
    }
}

impl Display for PlannedEffect {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let nodes = |f: &mut Formatter<'_>, word: &str, nodes: &[NodeRef]| match nodes {
            [] => Ok(()),
            nodes => {
                let nodes: Vec<String> = nodes.iter().map(NodeRef::to_string).collect();
                write!(f, "; {word} {}", nodes.join(", "))
            }
        };
        match self {
            Self::Pause(node) => write!(f, "pause {node}"),
            Self::Close(node) => write!(f, "close {node}"),
            Self::TriggerGc(node) => write!(f, "trigger GC of {node}"),
            Self::RecoverTidb { address, reset } => {
                let then = if *reset { ", and forget the transactions that skipped it" } else { "" };
                write!(f, "have the TiDB server {address} write binlog again{then}")
            }
            Self::WriteState { node, state } => write!(f, "write {state} into the record of {node}"),
            Self::DeleteKey(key) => write!(f, "delete the key {key}"),
            Self::WriteSavepoint(dir) => write!(f, "write {}", dir.join("savepoint").display()),
            Self::Manual { text, starts, stops, retires, tidb } => {
                write!(f, "manual work: {text}")?;
                nodes(f, "starts", starts)?;
                nodes(f, "stops", stops)?;
                nodes(f, "retires", retires)?;
                match tidb {
                    Some(TidbBinlog::On) => f.write_str("; TiDB writes binlog afterwards"),
                    Some(TidbBinlog::Off) => f.write_str("; TiDB writes no binlog afterwards"),
                    None => Ok(()),
                }
            }
            Self::Exec { program, args, starts, stops } => {
                let shown = Exec { program: program.clone(), args: args.clone(), ..Exec::default() };
                write!(f, "run the program {shown}")?;
                nodes(f, "starts", starts)?;
                nodes(f, "stops", stops)
            }
        }
    }
}
