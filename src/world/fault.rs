//! What a simulated cluster can be made to suffer: the names, and to whom each can happen.

use crate::node::Kind;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

/// What a simulated cluster can be made to suffer; `docs/simulator.md` says what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
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
    /// TiDB runs a DDL.
    Ddl,
    /// What the human is asked to do is done only when it ends.
    SlowHuman,
    /// The human says no.
    HumanRefuses,
    /// What starts and stops nodes cannot be reached.
    ControlFails,
    /// What starts and stops nodes says that it has, and did nothing.
    ControlDoesNothing,
    /// Somebody shortens TiDB's `tidb_gc_life_time`, and TiKV collects at once.
    GcRunsAhead,
    /// The changefeeds fail.
    ChangefeedFails,
    /// Another operator pauses the changefeeds.
    ChangefeedStops,
}

/// To whom a fault happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// To PD, to etcd, to us: it names no node.
    Nobody,
    /// To a node, of this kind where it can only happen to one.
    Node(Option<Kind>),
}

/// What there is to know of a kind of fault before it happens. What it does to a cluster is the simulator's.
pub struct FaultRow {
    /// The kind.
    pub kind: FaultKind,
    /// To whom it can happen.
    pub victim: Victim,
    /// To whom it happens, in words.
    pub whom: &'static str,
    /// What it does.
    pub does: &'static str,
    /// What its end brings, or how long it lasts where nobody says.
    pub ends: &'static str,
    /// Where that is known from: a fact or recording of `docs/simulator.md`, or chosen.
    pub source: &'static str,
    /// How long it lasts in a future, in seconds; `None`: without end.
    pub(crate) lengths: &'static [Option<u64>],
}

/// A row for each kind, in their order.
pub const FAULTS: &[FaultRow; FaultKind::ALL.len()] = &[
    FaultRow {
        kind: FaultKind::Crash,
        victim: Victim::Node(None),
        whom: "a node",
        does: "SIGKILL; a supervisor restarts it after 15 s",
        ends: "then somebody starts it; left out: it stays dead without a supervisor",
        source: "F12",
        lengths: &[Some(2), Some(15), Some(60), Some(600), None],
    },
    FaultRow {
        kind: FaultKind::Flap,
        victim: Victim::Node(None),
        whom: "a node",
        does: "killed and started again 2 s later, every 20 s",
        ends: "then it is started for good",
        source: "F12",
        lengths: &[Some(50), Some(300), None],
    },
    FaultRow {
        kind: FaultKind::Fail,
        victim: Victim::Node(None),
        whom: "a node",
        does: "its normal shutdown: writes `paused`, exits with an error",
        ends: "then somebody starts it",
        source: "F3",
        lengths: &[Some(15), None],
    },
    FaultRow {
        kind: FaultKind::Hang,
        victim: Victim::Node(None),
        whom: "a node",
        does: "SIGSTOP",
        ends: "then SIGCONT",
        source: "F11",
        lengths: &[Some(3), Some(15), Some(60), Some(600), None],
    },
    FaultRow {
        kind: FaultKind::LoseRecord,
        victim: Victim::Node(None),
        whom: "a node",
        does: "the `paused` or `offline` that it writes as it goes does not arrive: its record stays `online`, frozen",
        ends: "then writes arrive again",
        source: "F1, F16",
        lengths: &[Some(60), Some(600), None],
    },
    FaultRow {
        kind: FaultKind::StartFails,
        victim: Victim::Node(None),
        whom: "a node",
        does: "a process that is started meanwhile ends with an error after 300 ms; who runs goes on",
        ends: "then starts succeed",
        source: "F12",
        lengths: &[Some(60), Some(600), None],
    },
    FaultRow {
        kind: FaultKind::SlowStart,
        victim: Victim::Node(None),
        whom: "a node",
        does: "a process that is started meanwhile comes up only at its end; nothing listens until then",
        ends: "then starts take 300 ms; left out: who is started never comes up",
        source: "chosen",
        lengths: &[Some(20), Some(120), Some(900)],
    },
    FaultRow {
        kind: FaultKind::Stall,
        victim: Victim::Node(Some(Kind::Drainer)),
        whom: "a Drainer",
        does: "its downstream takes nothing",
        ends: "then it catches up",
        source: "chosen",
        lengths: &[Some(10), Some(40), Some(300), None],
    },
    FaultRow {
        kind: FaultKind::SlowDrainer,
        victim: Victim::Node(Some(Kind::Drainer)),
        whom: "a Drainer",
        does: "its downstream takes a tenth of a second of binlog per second",
        ends: "then as before",
        source: "chosen",
        lengths: &[Some(60), Some(600), None],
    },
    FaultRow {
        kind: FaultKind::Refuse,
        victim: Victim::Node(None),
        whom: "a node",
        does: "a request that changes something is refused with the node's words; a probe is answered truthfully, and GC is triggered: a real Pump refuses that to nobody",
        ends: "then it is obeyed again",
        source: "HTTP bodies",
        lengths: &[Some(1), Some(30), None],
    },
    FaultRow {
        kind: FaultKind::LoseAnswer,
        victim: Victim::Node(None),
        whom: "a node",
        does: "a request that changes something is carried out, its answer lost; a probe is answered",
        ends: "then answers arrive",
        source: "chosen",
        lengths: &[Some(1), Some(30), None],
    },
    FaultRow {
        kind: FaultKind::NewAddress,
        victim: Victim::Node(None),
        whom: "a node",
        does: "killed and started at once at `moved-` and its address",
        ends: "nothing: it stays there",
        source: "F15",
        lengths: &[None],
    },
    FaultRow {
        kind: FaultKind::UnmatchedPrewrite,
        victim: Victim::Node(Some(Kind::Pump)),
        whom: "a Pump",
        does: "a transaction that is not resolved: closing waits",
        ends: "at most 10 minutes",
        source: "F5",
        lengths: &[Some(30), Some(600)],
    },
    FaultRow {
        kind: FaultKind::OtherPauses,
        victim: Victim::Node(None),
        whom: "a node",
        does: "another operator pauses it over HTTP, if it obeys just then",
        ends: "then they start it again",
        source: "F11",
        lengths: &[Some(60), None],
    },
    FaultRow {
        kind: FaultKind::OtherWritesPaused,
        victim: Victim::Node(None),
        whom: "a node",
        does: "another operator writes `paused` over its record, as `binlogctl -cmd update-*` does; a live node's next heartbeat undoes it",
        ends: "nothing",
        source: "F8",
        lengths: &[None],
    },
    FaultRow {
        kind: FaultKind::OtherWritesOffline,
        victim: Victim::Node(None),
        whom: "a node",
        does: "another operator writes `offline` over its record, as `binlogctl -cmd update-*` does; a live node's next heartbeat undoes it",
        ends: "nothing",
        source: "F8",
        lengths: &[None],
    },
    FaultRow {
        kind: FaultKind::PdGone,
        victim: Victim::Nobody,
        whom: "PD",
        does: "answers nobody, nodes included",
        ends: "then it is back",
        source: "F16",
        lengths: &[Some(3), Some(15), Some(30), Some(120)],
    },
    FaultRow {
        kind: FaultKind::LeaderMoves,
        victim: Victim::Nobody,
        whom: "PD",
        does: "as `pd_gone`, and the next member leads afterwards",
        ends: "left out: 3 s",
        source: "F16",
        lengths: &[Some(3)],
    },
    FaultRow {
        kind: FaultKind::SlowEtcd,
        victim: Victim::Nobody,
        whom: "our host",
        does: "each request of ours to PD or etcd takes 3 s longer",
        ends: "then as before",
        source: "chosen",
        lengths: &[Some(10), Some(120)],
    },
    FaultRow {
        kind: FaultKind::EtcdFails,
        victim: Victim::Nobody,
        whom: "our host",
        does: "each request of ours to PD or etcd fails at once (`unreachable`); the nodes go on",
        ends: "then as before",
        source: "chosen",
        lengths: &[Some(2), Some(15), Some(120), Some(1_200)],
    },
    FaultRow {
        kind: FaultKind::MalformedKey,
        victim: Victim::Nobody,
        whom: "etcd",
        does: "a key `broken` that is no record, beneath the Pumps' prefix or that of `node_kind`",
        ends: "then it is deleted",
        source: "F7",
        lengths: &[Some(5), Some(60), None],
    },
    FaultRow {
        kind: FaultKind::Ddl,
        victim: Victim::Nobody,
        whom: "TiDB",
        does: "runs a DDL, if a Pump takes its binlog: the version of the schema is the next one, and a Drainer saves just its commit \
               at once. In futures only where the scenario has `ddls`",
        ends: "nothing",
        source: "F20",
        lengths: &[None],
    },
    FaultRow {
        kind: FaultKind::SlowHuman,
        victim: Victim::Nobody,
        whom: "the human",
        does: "what `manual` asks meanwhile is done at its end, or after `takes` if that is later",
        ends: "left out: 4 hours",
        source: "chosen",
        lengths: &[Some(600), Some(4 * 3_600)],
    },
    FaultRow {
        kind: FaultKind::HumanRefuses,
        victim: Victim::Nobody,
        whom: "the human",
        does: "says no to `manual` (`refused`), and to questions where there is no terminal",
        ends: "then yes again",
        source: "chosen",
        lengths: &[Some(60), None],
    },
    FaultRow {
        kind: FaultKind::ControlFails,
        victim: Victim::Nobody,
        whom: "node control",
        does: "cannot be reached (`unreachable`): `start`, `stop` and `restart` fail, and nothing is done",
        ends: "then it can be",
        source: "chosen",
        lengths: &[Some(60), Some(600), None],
    },
    FaultRow {
        kind: FaultKind::ControlDoesNothing,
        victim: Victim::Nobody,
        whom: "node control",
        does: "says that it started or stopped a node, and does nothing",
        ends: "then it does again",
        source: "F19",
        lengths: &[Some(60), Some(600), None],
    },
    FaultRow {
        kind: FaultKind::GcRunsAhead,
        victim: Victim::Nobody,
        whom: "TiKV",
        does: "`tidb_gc_life_time` is 10 s, and a round begins and ends at once: up to the smallest safe point of a service everything older is collected",
        ends: "then it is what it was; what was collected is gone",
        source: "read, not tried",
        lengths: &[Some(60), Some(1_800), None],
    },
    FaultRow {
        kind: FaultKind::ChangefeedFails,
        victim: Victim::Nobody,
        whom: "the changefeeds that are `normal`",
        does: "each is `failed`, and goes no further; TiCDC still holds GC for it",
        ends: "then somebody has them go on",
        source: "read, not tried",
        lengths: &[Some(60), Some(600), None],
    },
    FaultRow {
        kind: FaultKind::ChangefeedStops,
        victim: Victim::Nobody,
        whom: "the changefeeds that are `normal`",
        does: "another operator pauses each: `stopped`",
        ends: "then they resume them",
        source: "read, not tried",
        lengths: &[Some(60), Some(600), None],
    },
];

impl FaultKind {
    /// All kinds, in the order of the documentation.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word in scripts and scenario files.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What there is to know of it.
    pub fn row(self) -> &'static FaultRow {
        &FAULTS[self as usize]
    }
}

/// The table of all kinds, as Markdown.
pub fn faults_markdown() -> String {
    let head = "| kind | happens to | what it does | `lasts` | from |\n|---|---|---|---|---|\n".to_owned();
    FAULTS.iter().fold(head, |table, FaultRow { kind, whom, does, ends, source, .. }| {
        format!("{table}| `{}` | {whom} | {does} | {ends} | {source} |\n", kind.name())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row() {
        assert_eq!(FAULTS.iter().map(|row| row.kind).collect::<Vec<_>>(), FaultKind::ALL);
    }
}
