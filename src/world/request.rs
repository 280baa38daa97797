//! What can be asked of a world.

use crate::node::NodeRef;
use crate::world::query::requests;
use crate::world::{Ask, Change, Effect, FaultKind, LockHolder, Read};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::time::Duration;

/// One thing asked of the world. Requests that belong together are one request, so that a live cluster can be asked
/// everything at the same time.
///
/// Journals and plans keep requests: each has the same name there whatever it belongs to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Plays with the simulated cluster; a live one says `invalid`. Answer: `Done`.
    Play(Play),
    /// The end of a wait whose condition a script tells: noted by the session, never asked of a world. Answer: `Flag`,
    /// whether what was waited for came, or `Text`, what was missing when it did not.
    WaitOver,
    /// Looks at something, and changes nothing.
    #[serde(untagged)]
    Read(Read),
    /// Does something that guards and the policy decide about.
    #[serde(untagged)]
    Change(Change),
    /// Asks the human at the console.
    #[serde(untagged)]
    Ask(Ask),
    /// Takes the maintenance lock or gives it back: the session's own, of which no journal tells.
    #[serde(untagged)]
    Lock(LockRequest),
}

/// What the session does with the maintenance lock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LockRequest {
    /// Takes the lock and keeps it alive until it is given back; with a fence: makes sure that it is still ours.
    /// Answer: `Locked`; `locked` names who holds it, `lock_lost` is the answer to a fence that does not hold.
    #[serde(rename = "lock")]
    Take {
        /// Who takes it.
        holder: LockHolder,
        /// How long to wait for whoever has it.
        wait: Option<Duration>,
    },
    /// Gives the lock back, if this world holds it; an interrupt does not keep it from that. Answer: `Done`.
    #[serde(rename = "unlock")]
    GiveBack,
}

impl Request {
    /// The change that it asks for, if it asks for one.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Self::Change(change) => Some(change),
            Self::Read(_) | Self::Ask(_) | Self::Lock(_) | Self::Play(_) | Self::WaitOver => None,
        }
    }

    /// Whether it changes the cluster itself, for which it needs the maintenance lock.
    pub(crate) fn changes_cluster(&self) -> bool {
        self.change().is_some_and(|change| change.effect() == Effect::ChangesCluster)
    }

    /// Whether it goes on with what a hold on GC is there for: nobody goes on with it who has lost theirs. What gives the hold up need
    /// not have it.
    pub(crate) fn relies_on_hold(&self) -> bool {
        match self {
            Self::Read(read) => read.concerns_cluster(),
            Self::Change(Change::ReleaseGc { .. }) => false,
            Self::Change(change) => change.effect().changes(),
            Self::Ask(_) | Self::Lock(_) | Self::Play(_) | Self::WaitOver => false,
        }
    }

    /// Whether it only looks, or says that a look is over: to ask it again does no harm.
    pub fn is_look(&self) -> bool {
        match self {
            Self::Read(_) | Self::WaitOver => true,
            Self::Change(_) | Self::Ask(_) | Self::Lock(_) | Self::Play(_) => false,
        }
    }

    /// Whether it looks at the cluster, or does something to it. What concerns this host alone can wait for hours before
    /// anybody works on the cluster.
    pub(crate) fn concerns_cluster(&self) -> bool {
        match self {
            Self::Read(read) => read.concerns_cluster(),
            Self::Change(change) => change.effect().concerns_cluster(),
            Self::Play(_) | Self::WaitOver | Self::Ask(_) | Self::Lock(_) => false,
        }
    }
}

/// What can be done to a simulated cluster that no operation does to a real one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Play {
    /// SIGKILL.
    Kill {
        /// The node.
        node: NodeRef,
    },
    /// SIGSTOP.
    Hang {
        /// The node.
        node: NodeRef,
    },
    /// Makes something go wrong.
    Fault {
        /// What.
        kind: FaultKind,
        /// To whom, if to a node.
        node: Option<NodeRef>,
        /// How long from now it begins.
        after: Duration,
        /// How long it lasts; without end if `None`.
        lasts: Option<Duration>,
    },
}

/// What is done, and to whom: a phrase.
impl Display for Play {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Kill { node } => write!(f, "kill {node}"),
            Self::Hang { node } => write!(f, "hang {node}"),
            Self::Fault { kind, node: Some(node), .. } => write!(f, "fault {} of {node}", kind.name()),
            Self::Fault { kind, node: None, .. } => write!(f, "fault {}", kind.name()),
        }
    }
}

impl From<Play> for Request {
    fn from(play: Play) -> Self {
        Self::Play(play)
    }
}

requests!(@query Play Done);
