//! What the script claims in the end, against what is true.

use super::intended::{advancing, carried_out};
use super::taken_out::TakenOut;
use super::{Blame, Case, Harm, HarmKind, Intended, PROBE_WINDOW, STALL_WINDOW};
use crate::node::{Kind, NodeRef, RecordState, State};
use crate::rehearsal::trace::AttemptedChange;
use crate::rehearsal::truth::{ProcessState, Timeline, since};
use crate::sim::{Micros, NodeIndex};
use crate::world::Change;
use std::collections::BTreeSet;

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Harm>) {
    if case.played.is_over && case.played.waits_for.is_none() {
        let text = match &case.played.ending {
            Err(error) => error.error.message.clone(),
            Ok(_) => String::new(),
        };
        let at = case.played.ended_at();
        found.push(Harm::new(HarmKind::NoEnd, at, Blame::Script, text));
    }
    let Some(intended) = case.intended else { return };
    twice(case, intended, found);
    match case.played.exit_code() {
        0 if intended.succeeds => false_success(case, intended, found),
        0 => {}
        _ => leftovers(case, intended, found),
    }
}

/// An effect that was done more often than intended, the last time on a process that had been replaced meanwhile.
fn twice(case: &Case<'_>, intended: &Intended, found: &mut Vec<Harm>) {
    let done = carried_out(case.played, case.truth);
    for (place, (who, action, at)) in done.iter().enumerate() {
        let earlier: Vec<Micros> =
            done[..place].iter().filter(|(w, a, _)| w == who && a == action).map(|(.., at)| *at).collect();
        let key = (who.kind(), case.id(*who), action.name());
        let expected = intended.done.get(&key).copied().unwrap_or(1);
        let Some(last) = earlier.last().filter(|_| earlier.len() >= expected) else { continue };
        let Some(node) = case.truth.node(*who) else { continue };
        let mut started = node
            .process
            .iter()
            .filter(|(when, being)| *being == ProcessState::Starting && *when > *last && *when < *at);
        let Some((started, _)) = started.next_back() else { continue };
        if is_deliberate(case, node, *last, *started) {
            continue;
        }
        let text = format!("{} was told to {} again, and it was another process by then", node.id, action.name());
        found.push(Harm::new(HarmKind::Twice, *at, Blame::of(Some(*at), *started, PROBE_WINDOW), text));
    }
}

/// Whether the script knew that the node had done what it was told at `told`, and had it started itself at `started`: what it is told
/// after that is meant.
fn is_deliberate(case: &Case<'_>, node: &Timeline, told: Micros, started: Micros) -> bool {
    let is_it = |other: &NodeRef| other.kind == node.kind() && other.id == node.id;
    let knew = |act: &AttemptedChange| {
        matches!(&act.change, Change::Act { node, .. } if is_it(node))
            && act.outcome.is_ok()
            && (act.begun..=act.ended).contains(&told)
    };
    let starts = |act: &AttemptedChange| {
        let by_control = matches!(&act.change, Change::Control(control) if is_it(&control.node));
        let outside = act.change.outside().is_some_and(|outside| outside.starts.iter().any(is_it));
        (by_control || outside) && (act.begun..=act.ended).contains(&started)
    };
    case.played.acts.iter().any(knew) && case.played.acts.iter().any(starts)
}

/// The end of a node's process and record.
type NodeEnd = (ProcessState, Option<RecordState>);

fn end_at(node: &Timeline, time: Micros) -> NodeEnd {
    (node.process_at(time), node.record_at(time).cloned())
}

/// Since when a node is seen not to be what it is to be, at `time`; `None` if it is not seen.
fn wrong_since(node: &Timeline, goal: &NodeEnd, time: Micros) -> Option<Micros> {
    // A process that has not come up yet does not listen: a probe finds nobody there.
    let end_at = |node: &Timeline, time: Micros| match end_at(node, time) {
        (ProcessState::Starting, record) if goal.0 == ProcessState::Down => (ProcessState::Down, record),
        end => end,
    };
    if end_at(node, time) == *goal {
        return None;
    }
    let mut changes: Vec<Micros> = node.process.iter().map(|(at, _)| *at).collect();
    changes.extend(node.record.iter().map(|(at, _)| *at));
    changes.sort_unstable();
    changes.dedup();
    let right: Vec<(Micros, bool)> = changes.into_iter().map(|at| (at, end_at(node, at) == *goal)).collect();
    Some(since(&right, time))
}

/// Success, and the goal was not reached: a node that the script touched is not what it is to be, was not replaced as
/// intended, or a Drainer stands still that is to advance.
fn false_success(case: &Case<'_>, intended: &Intended, found: &mut Vec<Harm>) {
    let (ended, last) = (case.played.ended_at(), case.played.after.now());
    let touched = meant(case);
    let mut claim = |text: String, condition: Micros, window: Micros| {
        let blame = Blame::of(Some(ended), condition, window);
        found.push(Harm::new(HarmKind::FalseSuccess, ended, blame, text));
    };
    for node in case.truth.nodes.iter().filter(|node| touched.contains(&node.who)) {
        let name = (node.kind(), node.id.clone());
        let Some(goal) = intended.ends.get(&name) else { continue };
        if end_at(node, last) != *goal {
            let condition = wrong_since(node, goal, ended).unwrap_or(ended);
            let (being, record) = end_at(node, last);
            let record = record.map_or("gone".to_owned(), |state| state.to_string());
            claim(format!("{} is {}, its record {record}", node.id, being.name()), condition, PROBE_WINDOW);
        } else if intended.restarted.contains(&name) && !node.was_started(0, ended) {
            claim(format!("{} still runs the process that it ran before", node.id), Micros::MIN, PROBE_WINDOW);
        }
    }
    if touched.is_empty() {
        return;
    }
    for (drainer, condition) in standing_still(case, intended) {
        claim(format!("{drainer} does not advance"), condition, STALL_WINDOW);
    }
}

/// The Drainers that are to advance and do not, and since when.
fn standing_still(case: &Case<'_>, intended: &Intended) -> Vec<(String, Micros)> {
    let ended = case.played.ended_at();
    let advancing = advancing(&case.played.at_end, &case.played.after);
    let still = intended.advancing.iter().filter(|id| !advancing.contains(*id));
    let since_when = |id: &String| {
        let node = case.truth.named(Kind::Drainer, id)?;
        let NodeIndex::Drainer(place) = node.who else { return None };
        // Whoever was paused or taken out is not expected to advance; that is told of the node itself.
        if node.record_at(ended).is_none_or(|record| *record != State::Online) {
            return None;
        }
        let (_, flows) = case.truth.flows.iter().find(|(at, _)| *at == place)?;
        let stands = crate::rehearsal::truth::at(flows, ended) == Some(false);
        // Its record went on until it last saved a checkpoint, whatever had stopped before.
        let saved_at = case.played.at_end.saved_at(place).unwrap_or(Micros::MIN);
        Some((id.clone(), if stands { since(flows, ended).max(saved_at) } else { ended }))
    };
    still.filter_map(since_when).collect()
}

/// The nodes that the script's acts were aimed at and may have changed.
fn touched(case: &Case<'_>) -> BTreeSet<NodeIndex> {
    aimed_at(case, |act| match &act.outcome {
        Ok(_) => true,
        Err(error) => error.kind == crate::error::ErrorKind::InDoubt,
    })
}

/// The nodes that the script meant to change, whatever came of it: who ignores a refusal has not reached the goal.
fn meant(case: &Case<'_>) -> BTreeSet<NodeIndex> {
    aimed_at(case, |_| true)
}

fn aimed_at(case: &Case<'_>, counts: impl Fn(&AttemptedChange) -> bool) -> BTreeSet<NodeIndex> {
    let acts = case.played.acts.iter().filter(|act| counts(act));
    let named = acts.flat_map(|act| act.change.nodes());
    let acted = named.filter_map(|node| case.truth.named(node.kind, &node.id)).map(|node| node.who);
    acted.chain(case.taken_out.iter().map(|out| out.who)).collect()
}

/// A failure that does not name what it leaves behind.
fn leftovers(case: &Case<'_>, intended: &Intended, found: &mut Vec<Harm>) {
    let (ended, last) = (case.played.ended_at(), case.played.after.now());
    let (mut seen, mut told) = (BTreeSet::new(), BTreeSet::new());
    for out in case.taken_out.iter().rev().filter(|out| seen.insert(out.who)) {
        let Some(node) = case.truth.node(out.who) else { continue };
        let goal = intended.ends.get(&(node.kind(), node.id.clone()));
        // What another operator writes into the record of a node that was taken out as it should be is theirs.
        let mut since = node.record.iter().map(|(at, _)| *at).filter(|at| *at >= out.from).chain([last]);
        let reached_goal = since.any(|at| goal == Some(&end_at(node, at)));
        if out.until.is_some_and(|until| until <= last) || reached_goal || is_named(case, out) {
            continue;
        }
        told.insert(out.who);
        let (being, record) = end_at(node, last);
        let record = record.map_or("is gone".to_owned(), |state| format!("says {state}"));
        let (id, being) = (&node.id, being.name());
        let text = format!("{id} is {being} through us, its record {record}, and the result does not name it");
        found.push(Harm::new(HarmKind::UnnamedLeftover, ended, Blame::Script, text));
    }
    let touched = touched(case);
    for (drainer, condition) in standing_still(case, intended) {
        let node = case.truth.named(Kind::Drainer, &drainer);
        let is_ours = node.is_some_and(|node| touched.contains(&node.who) && !told.contains(&node.who));
        if is_ours && !names(&case.played.result_text(0), &drainer) {
            let text = format!("{drainer} does not advance, and the result does not name it");
            let blame = Blame::of(Some(ended), condition, STALL_WINDOW);
            found.push(Harm::new(HarmKind::UnnamedLeftover, ended, blame, text));
        }
    }
}

fn is_named(case: &Case<'_>, out: &TakenOut) -> bool {
    names(&case.played.result_text(out.asked), &case.id(out.who))
}

/// Whether `text` names the node `id`, not merely one whose id begins or ends alike.
fn names(text: &str, id: &str) -> bool {
    let part = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    text.match_indices(id).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + id.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

#[cfg(test)]
mod tests {
    use super::names;

    #[test]
    fn a_node_is_named_by_its_whole_id() {
        assert!(names("pump-1: wait until it is back", "pump-1") && names("(pump-1)", "pump-1"));
        assert!(!names("pump-10 is paused", "pump-1") && !names("old-pump-1", "pump-1"));
    }
}
