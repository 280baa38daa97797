//! What harm a play did, and whether the script is to blame for it.
//!
//! Each kind of harm is looked for in what truly happened, by a file of its own. A harm counts against the script if
//! what made it possible could be observed before the act that led to it, by the guards' own windows; what later faults
//! alone brought is bad luck; a loss that the script forced by the guard's name is accepted.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

mod binlog;
mod ending;
mod handover;
mod intended;
mod pumps;
mod records;
mod taken_out;

pub use intended::Intended;

use crate::rehearsal::play::Played;
use crate::rehearsal::trace::AttemptedChange;
use crate::rehearsal::truth::Truth;
use crate::sim::{Cluster, Micros, SECOND};
use crate::text::Untrusted;
use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};
use taken_out::TakenOut;

/// What a probe shows is known to whoever probed this long ago.
pub(super) const PROBE_WINDOW: Micros = 2 * SECOND;
/// That a Drainer stands still is known to whoever watched it for this long.
pub(super) const STALL_WINDOW: Micros = 15 * SECOND;

/// The kinds of harm.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum HarmKind {
    /// Binlog that some Drainer still needed is gone, or was never written.
    BinlogLost,
    /// No Pump accepted TiDB's writes for more than 15 s.
    TidbBlocked,
    /// Two Pumps that are to come back were down through us at a time.
    TwoDown,
    /// A state was written by hand over a live node, or released a closing Pump.
    RelabelledLive,
    /// Something was left paused, closing, dead or standing still, and the result does not name it.
    UnnamedLeftover,
    /// The script ended as done, and its goal was not reached.
    FalseSuccess,
    /// An effect was done again on a process that had been replaced already.
    Twice,
    /// The script neither ends nor says what it waits for.
    NoEnd,
    /// A Drainer and a changefeed both applied a DDL, or whatever was committed.
    AppliedTwice,
    /// TiKV collected what a changefeed was to read before it was there.
    RangeCollected,
}

impl HarmKind {
    /// All kinds, in the order of the answer.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word for it.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it means.
    pub fn about(self) -> &'static str {
        match self {
            Self::BinlogLost => "a commit was gone before every Drainer had consumed it",
            Self::TidbBlocked => "no Pump accepted writes for more than 15 s",
            Self::TwoDown => "a second Pump went down through us while the first was not back",
            Self::RelabelledLive => {
                "a state was written by hand over a node that was alive or unknown, or released a closing Pump"
            }
            Self::UnnamedLeftover => "at the end a node is down through us, and the result does not name it",
            Self::FalseSuccess => "the script said success and had not reached its goal",
            Self::Twice => "an effect was done again on a process that had been replaced meanwhile",
            Self::NoEnd => "the script neither ends nor says what it waits for",
            Self::AppliedTwice => "a Drainer and a changefeed both applied a DDL, or whatever was committed",
            Self::RangeCollected => "TiKV collected what a changefeed was to read before it was there",
        }
    }
}

/// Who is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The script: it could have known.
    Script,
    /// Nobody: later faults alone brought it.
    BadLuck,
    /// The operator, who forced the guard against it by name.
    Accepted,
}

impl Blame {
    /// The script's if what made it possible was there `window` before the act that led to it; without such an act it
    /// is bad luck.
    pub(super) fn of(act: Option<Micros>, condition_since: Micros, window: Micros) -> Self {
        match act {
            Some(act) if condition_since.saturating_add(window) <= act => Self::Script,
            _ => Self::BadLuck,
        }
    }
}

/// Harm that a play did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Harm {
    /// Of which kind.
    pub kind: HarmKind,
    /// When.
    pub at: Micros,
    /// A sentence that says what and to whom.
    pub text: String,
    /// Who is to blame.
    pub blame: Blame,
    /// How much binlog was lost, in microseconds of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Micros>,
}

impl Harm {
    fn new(kind: HarmKind, at: Micros, blame: Blame, text: impl Into<String>) -> Self {
        Self { kind, at, text: text.into(), blame, size: None }
    }
}

/// What a play is judged by.
struct Case<'a> {
    start: &'a Cluster,
    played: &'a Played,
    truth: &'a Truth,
    taken_out: Vec<TakenOut>,
    /// What the rehearsal without faults came to; `None` while that one itself is judged.
    intended: Option<&'a Intended>,
}

impl Case<'_> {
    fn id(&self, who: crate::sim::NodeIndex) -> Untrusted {
        self.played.after.id_of(who).into()
    }
}

/// Who is to blame for what an act did: the operator, if they forced a guard against a loss for it.
fn forced_or(act: &AttemptedChange, otherwise: Blame) -> Blame {
    if act.forced.is_empty() { otherwise } else { Blame::Accepted }
}

/// All harm that `played` did, in the order of time.
pub fn judge(start: &Cluster, played: &Played, truth: &Truth, intended: Option<&Intended>) -> Vec<Harm> {
    let taken_out = taken_out::all(played, truth);
    let case = Case { start, played, truth, taken_out, intended };
    let mut found = Vec::new();
    pumps::look(&case, &mut found);
    records::look(&case, &mut found);
    binlog::look(&case, &mut found);
    handover::look(&case, &mut found);
    ending::look(&case, &mut found);
    found.sort_by_key(|harm| (harm.at, harm.kind));
    found.dedup();
    found
}
