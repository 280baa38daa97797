//! What can be asked of a world.

use crate::error::{Error, ErrorKind};
use crate::node::{NodeRef, Record, State};
use crate::secret::Secret;
use crate::time::show_seconds;
use crate::tso::Tso;
use crate::world::{Exec, FaultKind, LockHolder, LockInfo, Question};
use serde::{Deserialize, Serialize};
use std::fmt::{Display, Formatter};
use std::path::PathBuf;
use std::time::Duration;

/// One thing asked of the world. Requests that belong together are one request, so that a live cluster can be asked
/// everything at the same time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// All records, with PD's timestamp of the same moment. Answer: `Listing`.
    Nodes,
    /// The records once one was changed after revision `after` otherwise than by a heartbeat, or `patience` is over.
    /// Answer: `Listing`.
    Changes {
        /// A listing's revision.
        after: i64,
        /// How long to wait at most.
        patience: Duration,
    },
    /// Asks the nodes themselves, without side effects. Answer: `Probes`, in the order asked.
    Probe {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
    },
    /// `GET /status` of the nodes. Answer: `Statuses`, in the order asked.
    Status {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
    },
    /// `GET /commit_ts` of Drainers. Answer: `Timestamps`, in the order asked.
    CommitTs {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
    },
    /// `GET /metrics` of the nodes. Answer: `Metrics`, in the order asked.
    Metrics {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
    },
    /// Probes the nodes, and asks those that say a state for their metrics and, the Drainers, for their status. Everybody is
    /// asked at the same time, so that nobody waits for somebody else's silence. Answer: `Inspected`, in the order asked.
    Inspect {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
        /// The names of the metrics that are wanted, without labels; a node has hundreds.
        metrics: Vec<String>,
    },
    /// `GET /drainers` of a Pump: the Drainer records as the Pump sees them. Answer: `Text` (JSON).
    PumpDrainers {
        /// The Pump.
        node: NodeRef,
    },
    /// `GET /debug/binlog/{ts}` of a Pump. Answer: `Text`.
    BinlogAt {
        /// The Pump.
        node: NodeRef,
        /// The commit timestamp.
        ts: Tso,
    },
    /// The TiDB servers and their binlog status. Answer: `Tidbs`.
    Tidbs,
    /// PD's cluster id, members and leader. Answer: `Cluster`.
    Cluster,
    /// Whether each endpoint of PD answers: those that we were given, and those that its members name. Answer:
    /// `Endpoints`.
    Endpoints,
    /// The alarms that PD's etcd has raised and nobody has ended. Answer: `Alarms`.
    Alarms,
    /// The certificates that we were given, and those that PD and the nodes show; none without TLS. Answer:
    /// `Certificates`.
    Certificates {
        /// Whom to ask beside PD.
        nodes: Vec<NodeRef>,
    },
    /// A timestamp from PD. Answer: `Timestamp`.
    Tso,
    /// This host's clocks. Answer: `Now`.
    Now,
    /// Waits. Answer: `Done`.
    Sleep {
        /// How long.
        time: Duration,
    },
    /// Tells a node to pause or to close. Answer: `Acted`, the node's own words.
    Act {
        /// The node.
        node: NodeRef,
        /// What it is told.
        action: Action,
    },
    /// `POST /debug/gc/trigger` of a Pump. Answer: `Acted`.
    TriggerGc {
        /// The Pump.
        node: NodeRef,
    },
    /// `GET /binlog/recover?op=status` of a TiDB server's status port. Answer: `TidbBinlog`.
    TidbBinlog {
        /// The server.
        server: TidbRef,
    },
    /// Has a TiDB server write binlog again that skips it: `GET /binlog/recover?op=nowait` of its status port. Answer:
    /// `TidbBinlog`.
    RecoverTidb {
        /// The server.
        server: TidbRef,
        /// Whether transactions that skipped and are under way are then forgotten (`op=reset`).
        reset: bool,
    },
    /// Writes `state` into a record if nothing but heartbeats has changed it since `seen`. Answer: `Swapped`.
    SwapRecord {
        /// The record as it was read.
        seen: Record,
        /// Its new state.
        state: State,
    },
    /// Deletes a key if its last write is the one seen; heartbeats do not excuse a difference. Answer: `Done`.
    DeleteRecord {
        /// The key.
        key: String,
        /// The revision of its last write.
        mod_revision: i64,
    },
    /// Reads `{dir}/savepoint`. Answer: `Text`; `not_found` without one.
    ReadSavepoint {
        /// The directory.
        dir: PathBuf,
    },
    /// Writes `{dir}/savepoint` atomically and durably, making the directory. Answer: `Done`.
    WriteSavepoint {
        /// The directory.
        dir: PathBuf,
        /// The whole content.
        content: String,
    },
    /// Whether an encryption key of our own is set (never the key). Answer: `Flag`.
    HasKey,
    /// Encrypts as TiDB-Binlog does, with `BINLOG_SECRET_KEY` or the public key. Answer: `Text` (base64).
    Encrypt {
        /// What to encrypt.
        text: Secret,
    },
    /// Reads a secret from a hidden prompt, or from standard input without a terminal. Answer: `Secret`.
    ReadSecret {
        /// What to show.
        prompt: String,
    },
    /// The end of a wait whose condition a script tells: noted by the session, never asked of a world. Answer: `Flag`,
    /// whether what was waited for came, or `Text`, what was missing when it did not.
    WaitOver,
    /// Asks a human to do something outside, and waits until it was done. Answer: `Done`.
    Manual(Manual),
    /// Runs a program on this host and waits for its end. Answer: `Ran`, whatever its exit status.
    Exec(Exec),
    /// Asks the human at the console. Answer: `Chosen`.
    Ask(Question),
    /// Takes the maintenance lock and keeps it alive until `Unlock`; with a fence: makes sure that it is still ours.
    /// Answer: `Locked`; `locked` names who holds it, `lock_lost` is the answer to a fence that does not hold.
    Lock {
        /// Who takes it.
        holder: LockHolder,
        /// How long to wait for whoever has it.
        wait: Option<Duration>,
    },
    /// Gives the lock back, if this world holds it; an interrupt does not keep it from that. Answer: `Done`.
    Unlock,
    /// Who holds the lock. Answer: `LockedBy`.
    LockStatus,
    /// Takes the lock away from whoever holds it. Answer: `Done`; `conflict` when another one was taken meanwhile.
    BreakLock {
        /// The lock as the operator saw it.
        seen: LockInfo,
        /// Why.
        why: String,
    },
    /// Plays with the simulated cluster; a live one says `invalid`. Answer: `Done`.
    Play(Play),
}

/// A TiDB server as a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TidbRef {
    /// `host:port` for clients, by which people know it.
    pub address: String,
    /// `host:port` of its status port.
    pub status_address: String,
}

impl Display for TidbRef {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "TiDB server {}", self.address)
    }
}

/// What a node can be told over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Stop for a while.
    Pause,
    /// Go offline for good.
    Close,
}

impl Action {
    /// The word in the path of the request.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Close => "close",
        }
    }
}

/// Something a human does outside, and what it does to the cluster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Manual {
    /// What to do.
    pub text: String,
    /// Nodes that it starts (or restarts).
    pub starts: Vec<NodeRef>,
    /// Nodes whose process it stops.
    pub stops: Vec<NodeRef>,
    /// Nodes that it retires: nobody needs their binlog or progress any more.
    pub retires: Vec<NodeRef>,
    /// Pumps on whose disks it makes room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frees: Vec<NodeRef>,
    /// Whether it makes TiDB stop or begin to write binlog.
    pub tidb: Option<TidbBinlog>,
    /// How long it usually takes.
    pub takes: Option<Duration>,
    /// How long it is waited for; see [`Manual::limit`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
}

impl Manual {
    /// How long it is waited for where neither that nor what it usually takes is said.
    pub const TIMEOUT: Duration = Duration::from_secs(3600);

    /// How long it is waited for: as said, or ten times what it usually takes.
    pub fn limit(&self) -> Duration {
        let usual = self.takes.map_or(Self::TIMEOUT, |takes| takes.saturating_mul(10));
        self.timeout.unwrap_or(usual)
    }

    /// The error of whoever waited in vain for `waited`, and still saw `missing`.
    pub fn not_seen(&self, waited: Duration, missing: &str) -> Error {
        let waited = show_seconds(waited.as_secs_f64());
        Error::new(ErrorKind::Timeout, format!("\"{}\" was not seen to be done in {waited}: {missing}", self.text))
            .hint("find out why, in the log of what was to be started or stopped; once it is done, go on with the run")
    }
}

/// Whether TiDB writes binlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TidbBinlog {
    /// It writes.
    On,
    /// It does not.
    Off,
}

/// What can be done to a simulated cluster that no operation does to a real one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Play {
    /// Starts a node's process, at its record's address.
    Start {
        /// The node.
        node: NodeRef,
    },
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

/// What a request does, which decides how it passes the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: it can be asked at any time.
    Read,
    /// Changes the cluster: needs the maintenance lock, guards and consent.
    ChangesCluster,
    /// Takes the maintenance lock away from somebody: needs consent, and cannot need the lock.
    BreaksLock,
    /// Takes the maintenance lock or gives it back: the session's own, of which no journal tells.
    Locks,
    /// Changes this host's files: needs guards and consent.
    ChangesHost,
    /// Changes nothing, but a guard may refuse it.
    Guarded,
    /// Asks the human: the policy may answer for them.
    Asks,
    /// Something the human does outside: needs no lock and no guard, and is noted like a change.
    Manual,
    /// Runs a program: needs consent, no lock and no guard, and is noted like a change.
    Runs,
}

impl Effect {
    /// Whether anything is otherwise afterwards, in the cluster, on this host or outside.
    pub fn changes(self) -> bool {
        match self {
            Self::ChangesCluster | Self::BreaksLock | Self::ChangesHost | Self::Manual | Self::Runs => true,
            Self::Read | Self::Locks | Self::Guarded | Self::Asks => false,
        }
    }
}

impl Request {
    /// What it does and to whom, as far as the request itself says: a sentence without a full stop.
    pub fn in_short(&self) -> String {
        match self {
            Self::Act { node, action } => format!("{} {node}", action.name()),
            Self::TriggerGc { node } => format!("trigger GC of {node}"),
            Self::RecoverTidb { server, .. } => format!("have the {server} write binlog again"),
            Self::SwapRecord { seen, state } => format!("write {state} into the record of {}", seen.node),
            Self::DeleteRecord { key, .. } => format!("delete the key {key}"),
            Self::BreakLock { seen, .. } => format!("take the maintenance lock away from {seen}"),
            Self::WriteSavepoint { dir, .. } => format!("write {}", dir.join("savepoint").display()),
            Self::Encrypt { .. } => "encrypt a text".into(),
            Self::Manual(work) => format!("manual work: {}", work.text),
            Self::Exec(exec) => format!("run the program {exec}"),
            other => format!("{other:?}"),
        }
    }

    /// Whether it looks at the cluster, or does something to it. What concerns this host alone can wait for hours before
    /// anybody works on the cluster.
    pub fn concerns_cluster(&self) -> bool {
        match self.effect() {
            Effect::ChangesCluster | Effect::Manual | Effect::Runs => true,
            Effect::BreaksLock | Effect::Locks | Effect::ChangesHost | Effect::Guarded | Effect::Asks => false,
            Effect::Read => !matches!(
                self,
                Self::Now
                    | Self::Sleep { .. }
                    | Self::WaitOver
                    | Self::ReadSavepoint { .. }
                    | Self::HasKey
                    | Self::LockStatus
                    | Self::Play(_)
            ),
        }
    }

    /// What it does.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Act { .. }
            | Self::TriggerGc { .. }
            | Self::RecoverTidb { .. }
            | Self::SwapRecord { .. }
            | Self::DeleteRecord { .. } => Effect::ChangesCluster,
            Self::BreakLock { .. } => Effect::BreaksLock,
            Self::Lock { .. } | Self::Unlock => Effect::Locks,
            Self::WriteSavepoint { .. } => Effect::ChangesHost,
            Self::Manual(_) => Effect::Manual,
            Self::Exec(_) => Effect::Runs,
            Self::Ask(_) | Self::ReadSecret { .. } => Effect::Asks,
            Self::Encrypt { .. } => Effect::Guarded,
            Self::Play(_)
            | Self::LockStatus
            | Self::WaitOver
            | Self::Nodes
            | Self::Changes { .. }
            | Self::Probe { .. }
            | Self::Status { .. }
            | Self::CommitTs { .. }
            | Self::Metrics { .. }
            | Self::Inspect { .. }
            | Self::PumpDrainers { .. }
            | Self::BinlogAt { .. }
            | Self::Tidbs
            | Self::TidbBinlog { .. }
            | Self::Cluster
            | Self::Endpoints
            | Self::Alarms
            | Self::Certificates { .. }
            | Self::Tso
            | Self::Now
            | Self::Sleep { .. }
            | Self::ReadSavepoint { .. }
            | Self::HasKey => Effect::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_by_hand_of_an_older_journal_is_the_same_request() {
        let older = r#"{"manual":{"text":"start it","starts":[],"stops":[],"retires":[],"tidb":null,"takes":{"secs":30,"nanos":0}}}"#;
        let request: Request = serde_json::from_str(older).unwrap();
        let takes = Some(Duration::from_secs(30));
        assert_eq!(request, Request::Manual(Manual { text: "start it".into(), takes, ..Manual::default() }));
        assert_eq!(serde_json::to_string(&request).unwrap(), older, "and is written as it was");
    }

    #[test]
    fn work_by_hand_is_waited_for_ten_times_as_long_as_it_usually_takes() {
        let limit = |takes: Option<u64>, timeout: Option<u64>| {
            let (takes, timeout) = (takes.map(Duration::from_secs), timeout.map(Duration::from_secs));
            Manual { takes, timeout, ..Manual::default() }.limit().as_secs()
        };
        assert_eq!(limit(None, None), 3600);
        assert_eq!(limit(Some(30), None), 300);
        assert_eq!(limit(Some(30), Some(5)), 5);
    }
}
