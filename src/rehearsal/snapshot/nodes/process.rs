//! Whether each node has a process, and what it does: the probe decides, and where it does not tell, the heartbeat.

use crate::node::{Kind, NodeRef, RecordState, State};
use crate::rehearsal::snapshot::observe::{Observed, ObservedNode};
use crate::rehearsal::snapshot::unknown::UnknownFacts;
use crate::sim::ProcessSpec;
use crate::world::ProbeFinding;

/// What a node's process is, and the state of its record.
pub(super) struct Stand {
    pub(super) process: ProcessSpec,
    pub(super) record: State,
}

/// How every node stands, in their order.
pub(super) fn stands(observed: &Observed, unknown: &mut UnknownFacts) -> Vec<Stand> {
    observed.nodes.iter().map(|seen| stand(observed, seen, unknown)).collect()
}

fn stand(observed: &Observed, seen: &ObservedNode, unknown: &mut UnknownFacts) -> Stand {
    let node = &seen.record.node;
    // A text that is no state stays in the record, as a whole; to everybody it is neither `online` nor `offline`.
    let record = match seen.record.state {
        RecordState::Known(state) => state,
        RecordState::Other(_) => State::Paused,
    };
    let found = |process| Stand { process, record };
    let moves = seen.moves(observed.watched_ms());
    match &seen.finding {
        ProbeFinding::State(State::Online) => {
            if moves == Some(false) {
                unknown.say(format!("{node} answers and its heartbeat did not move: taken as beating again"));
            }
            found(ProcessSpec::Running)
        }
        ProbeFinding::State(State::Closing) if node.kind == Kind::Pump => found(ProcessSpec::Closing),
        ProbeFinding::State(state) => ending(node, *state, unknown),
        ProbeFinding::Refused => {
            if moves == Some(true) {
                unknown.say(format!("{node} has no process, and its heartbeat moved just before: taken as dead"));
            }
            found(ProcessSpec::Dead)
        }
        ProbeFinding::Silent => match newer_at(observed, seen) {
            Some(other) => {
                unknown.say(format!("{node} is silent like {other}, whose heartbeat is newer: taken as dead"));
                found(ProcessSpec::Dead)
            }
            None => {
                let but = if moves == Some(true) { " (its heartbeat moved just before)" } else { "" };
                unknown.say(format!("{node} answers nothing{but}: taken as hung"));
                found(ProcessSpec::Hung)
            }
        },
        ProbeFinding::Other(id) => {
            unknown.say(format!("{id} answers at the address of {node}: taken as dead"));
            found(ProcessSpec::Dead)
        }
        ProbeFinding::Unknown(why) => {
            let runs = moves.unwrap_or(record == State::Online);
            let (heartbeat, taken, process) = match (moves, runs) {
                (Some(true), _) => ("its heartbeat moves", "running", ProcessSpec::Running),
                (Some(false), _) => ("its heartbeat does not move", "dead", ProcessSpec::Dead),
                (None, true) => ("its record says online", "running", ProcessSpec::Running),
                (None, false) => ("its record does not say online", "dead", ProcessSpec::Dead),
            };
            unknown.say(format!("what {node} does cannot be asked ({why}), {heartbeat}: taken as {taken}"));
            found(process)
        }
    }
}

/// A process on its way out: it has ended by the time that anything else happens.
fn ending(node: &NodeRef, state: State, unknown: &mut UnknownFacts) -> Stand {
    let record = match state {
        State::Online | State::Pausing | State::Paused => State::Paused,
        State::Closing | State::Offline => State::Offline,
    };
    unknown.say(format!("{node} says {state}: taken as ended, its record {record}"));
    Stand { process: ProcessSpec::Dead, record }
}

/// The other silent node at the same address whose record was written later: the process there is its.
fn newer_at<'a>(observed: &'a Observed, seen: &ObservedNode) -> Option<&'a NodeRef> {
    let rank = |seen: &ObservedNode| (seen.record.update_ts, seen.record.node.clone());
    let same = observed.nodes.iter().filter(|other| other.record.node.is_at(&seen.record.node.address));
    let silent = same.filter(|other| other.finding == ProbeFinding::Silent);
    let newest = silent.max_by_key(|other| rank(other))?;
    (newest.record.node != seen.record.node).then_some(&newest.record.node)
}
