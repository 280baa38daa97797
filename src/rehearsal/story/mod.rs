//! A play as people read it: what was done, what the cluster did on its own, and what it means, in virtual time.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

mod meaning;
mod words;

pub(crate) use words::time;

use crate::error::Place;
use crate::journal::Deeds;
use crate::node::{Kind, RecordState};
use crate::rehearsal::harm::Harm;
use crate::rehearsal::play::Played;
use crate::rehearsal::truth::{ProcessState, Truth};
use crate::sim::{Cluster, Fault, LogEvent, Micros};
use crate::text::Untrusted;
use crate::value::Value;
use serde::{Deserialize, Serialize};

/// A play as people read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Story {
    /// PD's clock at the start, in milliseconds since 1970.
    pub start_ms: i64,
    /// What was made to go wrong.
    pub faults: Vec<Fault>,
    /// What happened, in the order of time.
    pub told: Vec<StoryLine>,
    /// When the script ended.
    pub ended_at: Micros,
    /// A word for how: `done`, `exit N`, `refused` and so on.
    pub outcome: String,
    /// The exit code that a real run would have had.
    pub exit_code: u8,
    /// What it failed with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What it comes to.
    pub totals: Totals,
    /// What is otherwise than at the start.
    pub differences: Vec<Difference>,
    /// What became of every node.
    pub(crate) tracks: Vec<Track>,
    /// How far behind each Drainer was.
    pub(crate) lags: Vec<LagCurve>,
    /// The harm that was done.
    pub harms: Vec<Harm>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoryLine {
    /// When, in microseconds since the start.
    pub at: Micros,
    /// Of which sort.
    pub kind: StoryLineKind,
    /// What, in a line or more.
    pub text: String,
    /// The line of the script that did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The table that the script showed, for people.
    #[serde(skip)]
    pub shown: Option<Value>,
}

/// Sorts of things that happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StoryLineKind {
    /// A fault begins or ends.
    Fault,
    /// A step of the script begins.
    Step,
    /// The operator would be asked.
    Asked,
    /// The script changed something, or tried to.
    Effect,
    /// The cluster did something on its own.
    Cluster,
    /// What that means.
    Meaning,
    /// The script waits.
    Waiting,
    /// The script printed something.
    Printed,
    /// Something is odd.
    Warning,
    /// Harm was done.
    Harm,
    /// The script ended.
    End,
}

/// What a play comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Totals {
    /// How long it took.
    pub duration: Micros,
    /// How long replication of at least one Drainer stood still.
    pub halted: Micros,
    /// How long no Pump accepted TiDB's writes.
    pub blocked: Micros,
    /// How many changes were made.
    pub writes: usize,
    /// How many questions the operator would be asked.
    pub questions: usize,
    /// How much the operator would have to do by hand.
    pub by_hand: usize,
}

/// What is otherwise than at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Difference {
    pub node: Untrusted,
    /// Pump or Drainer.
    pub kind: Kind,
    /// What of it: `record`, `process`, `started`, `address`.
    pub what: String,
    /// What it was at the start.
    pub before: String,
    /// What it was when the script ended.
    pub after: String,
}

/// What became of a node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Track {
    pub node: Untrusted,
    /// Pump or Drainer.
    pub kind: Kind,
    /// Its process: from when on it was what.
    pub process: Vec<(Micros, ProcessState)>,
    /// Its record: from when on it said what; `None` without one.
    pub record: Vec<(Micros, Option<RecordState>)>,
}

/// How far behind a Drainer was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LagCurve {
    pub drainer: Untrusted,
    /// Points of time, and the lag then, in microseconds.
    pub points: Vec<(Micros, Micros)>,
}

impl Story {
    /// The story of `played`, which began as `start`.
    pub(crate) fn of(start: &Cluster, played: &Played, truth: &Truth, harms: &[Harm]) -> Self {
        let end = played.ended_at();
        let mut told = meaning::told(start, played, truth);
        told.extend(words::happenings(start, played));
        told.extend(harms.iter().map(|harm| StoryLine {
            at: harm.at,
            kind: StoryLineKind::Harm,
            text: format!("{}: {}", harm.kind.name(), harm.text),
            place: None,
            shown: None,
        }));
        told.retain(|one| one.at <= end || one.kind == StoryLineKind::Harm);
        told.push(words::ending(played));
        told.sort_by_key(|one| (one.at, one.kind.rank()));
        let told = among(words::script(played), told);
        Self {
            start_ms: start.unix_ms(0),
            faults: played.after.faults()[start.faults().len()..].to_vec(),
            told,
            ended_at: end,
            outcome: played.outcome(),
            exit_code: played.exit_code(),
            error: played.ending.as_ref().err().map(|error| error.error.to_string()),
            totals: totals(played, truth),
            differences: differences(start, played, truth),
            tracks: truth.nodes.iter().map(track).collect(),
            lags: played.lags.clone(),
            harms: harms.to_vec(),
        }
    }

    /// How many columns the times need.
    pub(crate) fn width(&self) -> usize {
        self.told.iter().map(|told| time(told.at).chars().count()).max().unwrap_or(0)
    }

    /// The story, line by line, without what the script showed as tables.
    pub(crate) fn lines(&self) -> Vec<String> {
        let width = self.width();
        let line = |told: &StoryLine| format!("{}{}", told.head(width), told.text.replace('\n', "\n      "));
        self.told.iter().map(line).collect()
    }
}

fn totals(played: &Played, truth: &Truth) -> Totals {
    let end = played.ended_at();
    let deeds = Deeds::count(played.acts.iter().map(|act| (Some(&act.change), &act.outcome)));
    Totals {
        duration: end,
        halted: truth.halted(end),
        blocked: truth.blocked(end).iter().map(|(from, to)| to - from).sum(),
        writes: deeds.changes,
        questions: played.asked.len(),
        by_hand: deeds.by_hand,
    }
}

fn track(node: &crate::rehearsal::truth::Timeline) -> Track {
    Track { node: node.id.clone(), kind: node.kind(), process: node.process.clone(), record: node.record.clone() }
}

fn differences(start: &Cluster, played: &Played, truth: &Truth) -> Vec<Difference> {
    let end = played.ended_at();
    let mut found = Vec::new();
    for node in &truth.nodes {
        let mut differs = |what: &str, before: String, after: String| {
            if before != after {
                let (node, kind) = (node.id.clone(), node.kind());
                found.push(Difference { node, kind, what: what.into(), before, after });
            }
        };
        let state = |state: Option<&RecordState>| state.map_or("none".to_owned(), |state| state.to_string());
        differs("record", state(node.record_at(0)), state(node.record_at(end)));
        differs("process", node.process_at(0).name().into(), node.process_at(end).name().into());
        let address = |cluster: &Cluster| match cluster.has(node.who) {
            true => cluster.address_of(node.who).to_owned(),
            false => "none".into(),
        };
        differs("address", address(start), address(&played.at_end));
        if node.was_started(0, end) && node.process_at(0) != ProcessState::Down {
            differs("started", "before".into(), time(last_start(node, end)));
        }
    }
    found
}

fn last_start(node: &crate::rehearsal::truth::Timeline, end: Micros) -> Micros {
    let mut started = node.process.iter().filter(|(at, being)| *being == ProcessState::Starting && *at <= end);
    started.next_back().map_or(0, |(at, _)| *at)
}

/// Whether it is worth a line of its own: what follows from what a neighbouring line tells is not.
pub(super) fn is_told(what: &LogEvent) -> bool {
    !matches!(
        what,
        LogEvent::Writable(_)
            | LogEvent::TidbWrites(_)
            | LogEvent::Halted(_)
            | LogEvent::Flowing(_)
            | LogEvent::Acted { .. }
            | LogEvent::TikvCollected(_)
    )
}

/// What the script did and said, in its own order, among everything else, in the order of time.
fn among(script: Vec<StoryLine>, others: Vec<StoryLine>) -> Vec<StoryLine> {
    // Whether the script does something at that moment still, from each of its lines on.
    let mut acts_still = vec![false; script.len()];
    for (place, line) in script.iter().enumerate().rev() {
        let later = script.get(place + 1).is_some_and(|next| next.at == line.at) && acts_still[place + 1];
        acts_still[place] = later || line.kind == StoryLineKind::Effect;
    }
    let mut told = Vec::with_capacity(script.len() + others.len());
    let mut others = others.into_iter().peekable();
    for (line, acts_still) in script.into_iter().zip(acts_still) {
        let is_first =
            |other: &StoryLine| other.at < line.at || (other.at == line.at && other.kind.is_before(acts_still));
        while let Some(other) = others.next_if(is_first) {
            told.push(other);
        }
        told.push(line);
    }
    told.extend(others);
    told
}

impl StoryLineKind {
    /// The mark before a line of a story.
    fn mark(self) -> &'static str {
        match self {
            Self::Step => "==>",
            Self::Effect => "  -",
            Self::Asked => "  ?",
            Self::Cluster => "   ",
            Self::Meaning => "  =",
            Self::Fault => " !!",
            Self::Waiting => "  .",
            Self::Printed => "  >",
            Self::Warning => "  *",
            Self::Harm => "!!!",
            Self::End => "===",
        }
    }

    /// In which order things are told that happen at the same moment.
    fn rank(self) -> u8 {
        match self {
            Self::Fault => 0,
            Self::Step | Self::Asked | Self::Effect | Self::Waiting | Self::Printed | Self::Warning => 1,
            Self::Cluster => 2,
            Self::Meaning => 3,
            Self::Harm => 4,
            Self::End => 5,
        }
    }

    /// Whether it is told before a line of the script of the same moment: what the cluster does comes after what was
    /// done to it, and before what the script says next.
    fn is_before(self, acts_still: bool) -> bool {
        match self {
            Self::Fault => true,
            Self::Cluster | Self::Meaning => !acts_still,
            Self::Step
            | Self::Asked
            | Self::Effect
            | Self::Waiting
            | Self::Printed
            | Self::Warning
            | Self::Harm
            | Self::End => false,
        }
    }
}

impl StoryLine {
    /// What stands before the text: the time, in so many columns, and a mark.
    pub fn head(&self, width: usize) -> String {
        format!("{:>width$} {} ", time(self.at), self.kind.mark())
    }

    pub(super) fn new(at: Micros, kind: StoryLineKind, text: impl Into<String>) -> Self {
        Self { at, kind, text: text.into(), place: None, shown: None }
    }
}
