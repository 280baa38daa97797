//! What a simulated cluster can be made to suffer: the names, and to whom each can happen.

use crate::node::Kind;
use serde::{Deserialize, Serialize};

/// What a simulated cluster can be made to suffer; `docs/simulator.md` says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// SIGKILL; with a supervisor, or when it ends, the process comes back.
    Crash,
    /// Killed and started again 2 s later, every 20 s.
    Flap,
    /// Goes through its normal shutdown, writes `paused`, and exits with an error.
    Fail,
    /// SIGSTOP, and SIGCONT when it ends.
    Hang,
    /// The state that the node writes as it goes never arrives in etcd.
    LoseRecord,
    /// A process that is started ends with an error instead of coming up.
    StartFails,
    /// A process that is started comes up only when it ends.
    SlowStart,
    /// A Drainer whose downstream takes nothing.
    Stall,
    /// A Drainer whose downstream takes a tenth of what is written meanwhile.
    SlowDrainer,
    /// HTTP requests to the node are refused with its own words.
    Refuse,
    /// HTTP requests are carried out and the answer is lost.
    LoseAnswer,
    /// The process is killed and comes back at another address.
    NewAddress,
    /// A transaction that is not resolved: a closing Pump has to wait for it.
    UnmatchedPrewrite,
    /// Another operator pauses the node, and starts it again when it ends.
    OtherPauses,
    /// Another operator writes `paused` over the node's record, whatever it says.
    OtherWritesPaused,
    /// Another operator writes `offline` over the node's record, whatever it says.
    OtherWritesOffline,
    /// PD and its etcd answer nobody.
    PdGone,
    /// PD answers nobody for a moment, then its next member leads.
    LeaderMoves,
    /// Every request of ours to PD or its etcd takes 3 s longer.
    SlowEtcd,
    /// Our host is cut off from PD: every request of ours to it fails at once.
    EtcdFails,
    /// A key that is no record appears beneath a prefix.
    MalformedKey,
    /// What the human is asked to do is done only when it ends.
    SlowHuman,
    /// The human says no.
    HumanRefuses,
}

/// To whom a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// To PD, to etcd, to us: it names no node.
    Nobody,
    /// To a node, of this kind where it can only happen to one.
    Node(Option<Kind>),
}

impl FaultKind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [FaultKind; 23] = [
        Self::Crash,
        Self::Flap,
        Self::Fail,
        Self::Hang,
        Self::LoseRecord,
        Self::StartFails,
        Self::SlowStart,
        Self::Stall,
        Self::SlowDrainer,
        Self::Refuse,
        Self::LoseAnswer,
        Self::NewAddress,
        Self::UnmatchedPrewrite,
        Self::OtherPauses,
        Self::OtherWritesPaused,
        Self::OtherWritesOffline,
        Self::PdGone,
        Self::LeaderMoves,
        Self::SlowEtcd,
        Self::EtcdFails,
        Self::MalformedKey,
        Self::SlowHuman,
        Self::HumanRefuses,
    ];

    /// The word in scripts and scenario files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::Flap => "flap",
            Self::Fail => "fail",
            Self::Hang => "hang",
            Self::LoseRecord => "lose_record",
            Self::StartFails => "start_fails",
            Self::SlowStart => "slow_start",
            Self::Stall => "stall",
            Self::SlowDrainer => "slow_drainer",
            Self::Refuse => "refuse",
            Self::LoseAnswer => "lose_answer",
            Self::NewAddress => "new_address",
            Self::UnmatchedPrewrite => "unmatched_prewrite",
            Self::OtherPauses => "other_pauses",
            Self::OtherWritesPaused => "other_writes_paused",
            Self::OtherWritesOffline => "other_writes_offline",
            Self::PdGone => "pd_gone",
            Self::LeaderMoves => "leader_moves",
            Self::SlowEtcd => "slow_etcd",
            Self::EtcdFails => "etcd_fails",
            Self::MalformedKey => "malformed_key",
            Self::SlowHuman => "slow_human",
            Self::HumanRefuses => "human_refuses",
        }
    }

    /// To whom it happens.
    pub fn victim(self) -> Victim {
        match self {
            Self::PdGone
            | Self::LeaderMoves
            | Self::SlowEtcd
            | Self::EtcdFails
            | Self::MalformedKey
            | Self::SlowHuman
            | Self::HumanRefuses => Victim::Nobody,
            Self::Stall | Self::SlowDrainer => Victim::Node(Some(Kind::Drainer)),
            Self::UnmatchedPrewrite => Victim::Node(Some(Kind::Pump)),
            Self::Crash
            | Self::Flap
            | Self::Fail
            | Self::Hang
            | Self::LoseRecord
            | Self::StartFails
            | Self::SlowStart
            | Self::Refuse
            | Self::LoseAnswer
            | Self::NewAddress
            | Self::OtherPauses
            | Self::OtherWritesPaused
            | Self::OtherWritesOffline => Victim::Node(None),
        }
    }
}
