//! Which nodes the script took out of work, when, and when they were back.

use crate::node::Kind;
use crate::rehearsal::play::Played;
use crate::rehearsal::trace::AttemptedChange;
use crate::rehearsal::truth::{ProcessState, Truth, at};
use crate::sim::{LogEvent, Micros, NodeIndex};
use crate::world::{Action, Change, Control, FaultKind};

/// How a node was taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Removal {
    /// It was told to pause.
    Paused,
    /// It was told to close: it is not to come back.
    Closed,
    /// Its process was stopped outside, or replaced.
    Stopped,
}

/// A node that is out of work through the script.
#[derive(Clone, Debug)]
pub(super) struct TakenOut {
    pub(super) who: NodeIndex,
    pub(super) how: Removal,
    /// When the script asked for it.
    pub(super) asked: Micros,
    /// When it happened.
    pub(super) from: Micros,
    /// When it worked again.
    pub(super) until: Option<Micros>,
}

impl TakenOut {
    /// Whether it is out at `time`.
    pub(super) fn is_out_at(&self, time: Micros) -> bool {
        self.from <= time && self.until.is_none_or(|until| time < until)
    }
}

/// Whether another operator did it: their fault begins in the same moment.
pub(super) fn is_anothers(played: &Played, at: Micros, id: &str) -> bool {
    let cluster = &played.after;
    cluster.log().iter().filter(|entry| entry.at == at).any(|entry| {
        let LogEvent::FaultBegan(fault) = entry.what else { return false };
        let fault = &cluster.faults()[fault];
        fault.kind == FaultKind::OtherPauses && fault.node.as_deref() == Some(id)
    })
}

/// The last of the script's acts that told this node to do that, not after `time`.
pub(super) fn told<'a>(
    played: &'a Played,
    truth: &Truth,
    who: NodeIndex,
    action: Action,
    time: Micros,
) -> Option<&'a AttemptedChange> {
    let timeline = truth.node(who)?;
    played.acts.iter().rev().filter(|act| act.begun <= time).find(|act| {
        let Change::Act { node, action: asked } = &act.change else { return false };
        *asked == action && node.kind == timeline.kind() && node.id == timeline.id
    })
}

/// Every time that the script took a node out, in the order of time.
pub(super) fn all(played: &Played, truth: &Truth) -> Vec<TakenOut> {
    let mut found = Vec::new();
    for entry in played.after.log() {
        let LogEvent::Acted { who, action } = entry.what else { continue };
        let Some(act) = told(played, truth, who, action, entry.at) else { continue };
        if is_anothers(played, entry.at, played.after.id_of(who)) {
            continue;
        }
        let how = match action {
            Action::Pause => Removal::Paused,
            Action::Close => Removal::Closed,
        };
        found.push(taken(truth, who, how, act.begun, entry.at));
    }
    for act in &played.acts {
        if let Change::Control(Control { node, verb, .. }) = &act.change
            && verb.ends()
            && let Some(timeline) = truth.named(node.kind, &node.id)
            && let Some(from) = timeline.went_down(act.begun, act.ended)
        {
            found.push(taken(truth, timeline.who, Removal::Stopped, act.begun, from));
        }
        let Some(outside) = act.change.outside() else { continue };
        for node in outside.starts.iter().chain(outside.stops) {
            let Some(timeline) = truth.named(node.kind, &node.id) else { continue };
            let before = at(&timeline.process, act.ended - 1).unwrap_or(ProcessState::Down);
            let stopped = timeline.process.iter().any(|(at, being)| *at == act.ended && *being == ProcessState::Down);
            if before != ProcessState::Down && stopped {
                found.push(taken(truth, timeline.who, Removal::Stopped, act.begun, act.ended));
            }
        }
    }
    found.sort_by_key(|out| (out.from, out.who));
    found
}

fn taken(truth: &Truth, who: NodeIndex, how: Removal, asked: Micros, from: Micros) -> TakenOut {
    let back = |timeline: &crate::rehearsal::truth::Timeline| {
        let online = |(at, being): &&(Micros, ProcessState)| *at > from && *being == ProcessState::Online;
        timeline.process.iter().find(online).map(|(at, _)| *at)
    };
    TakenOut { who, how, asked, from, until: truth.node(who).and_then(back) }
}

/// Whether it is a Pump.
pub(super) fn is_pump(who: NodeIndex) -> bool {
    who.kind() == Kind::Pump
}
