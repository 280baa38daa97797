//! States that the script wrote by hand where it must not.

use super::{Blame, Case, Harm, HarmKind, PROBE_WINDOW};
use crate::node::{Kind, State};
use crate::rehearsal::trace::AttemptedChange;
use crate::rehearsal::truth::{ProcessState, Timeline, since};
use crate::sim::Micros;
use crate::world::Change;

pub(super) fn look(scene: &Case<'_>, found: &mut Vec<Harm>) {
    for act in scene.played.acts.iter().filter(|act| act.outcome.is_ok()) {
        let (node, state) = match &act.change {
            Change::SwapRecord { seen, state } => (Some((seen.node.kind, seen.node.id.as_str())), Some(*state)),
            Change::DeleteRecord { key, .. } => (Kind::of_key(key), None),
            Change::Act { .. }
            | Change::TriggerGc { .. }
            | Change::RecoverTidb { .. }
            | Change::WriteSavepoint { .. }
            | Change::Encrypt { .. }
            | Change::BreakLock { .. }
            | Change::Manual(_)
            | Change::Exec(_) => continue,
        };
        let Some(timeline) = node.and_then(|(kind, id)| scene.truth.named(kind, id)) else { continue };
        over_live(act, timeline, state, found);
        if timeline.kind() == Kind::Drainer && matches!(state, None | Some(State::Offline)) {
            released(scene, act, timeline, found);
        }
    }
}

fn blame(act: &AttemptedChange, condition: Micros) -> Blame {
    match act.forced.is_empty() {
        true => Blame::of(Some(act.begun), condition, PROBE_WINDOW),
        false => Blame::Accepted,
    }
}

/// Written over a process that was there.
fn over_live(act: &AttemptedChange, node: &Timeline, state: Option<State>, found: &mut Vec<Harm>) {
    let was = node.process_at(act.ended);
    if was == ProcessState::Down {
        return;
    }
    let there: Vec<(Micros, bool)> =
        node.process.iter().map(|(at, being)| (*at, *being != ProcessState::Down)).collect();
    let what = state.map_or("was deleted".to_owned(), |state| format!("was set {state}"));
    found.push(Harm {
        kind: HarmKind::RelabelledLive,
        at: act.ended,
        text: format!("the record of {} {what} while its process was {}", node.id, was.name()),
        blame: blame(act, since(&there, act.begun)),
        size: None,
    });
}

/// A Drainer's record that said `offline` let a closing Pump go.
fn released(scene: &Case<'_>, act: &AttemptedChange, drainer: &Timeline, found: &mut Vec<Harm>) {
    let closing = |pump: &&Timeline| pump.kind() == Kind::Pump && pump.process_at(act.ended) == ProcessState::Closing;
    for pump in scene.truth.nodes.iter().filter(closing) {
        let unread = match (drainer.who, pump.who) {
            (crate::sim::NodeIndex::Drainer(at), crate::sim::NodeIndex::Pump(pump)) => {
                scene.played.after.unread(at, pump)
            }
            _ => None,
        };
        if pump.record_at(scene.played.after.now()).is_none_or(|record| *record != State::Offline) || unread.is_none() {
            continue;
        }
        found.push(Harm {
            kind: HarmKind::RelabelledLive,
            at: act.ended,
            text: format!("{} was closing and was let go by writing {} offline", pump.id, drainer.id),
            blame: blame(act, since(&pump.process, act.begun)),
            size: None,
        });
    }
}
