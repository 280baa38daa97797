//! States that the script wrote by hand where it must not.

use super::{Blame, Case, Harm, HarmKind, PROBE_WINDOW, forced_or};
use crate::node::{Kind, State};
use crate::rehearsal::trace::AttemptedChange;
use crate::rehearsal::truth::{ProcessState, Timeline, since};
use crate::sim::Micros;
use crate::world::Change;

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Harm>) {
    for act in case.played.acts.iter().filter(|act| act.outcome.is_ok()) {
        let Some(key) = act.change.record_key() else { continue };
        let Some(timeline) = Kind::of_key(&key).and_then(|(kind, id)| case.truth.named(kind, id)) else { continue };
        let state = if let Change::SwapRecord { state, .. } = &act.change { Some(*state) } else { None };
        over_live(act, timeline, state, found);
        if timeline.kind() == Kind::Drainer && matches!(state, None | Some(State::Offline)) {
            released(case, act, timeline, found);
        }
    }
}

fn blame(act: &AttemptedChange, condition: Micros) -> Blame {
    forced_or(act, Blame::of(Some(act.begun), condition, PROBE_WINDOW))
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
    let text = format!("the record of {} {what} while its process was {}", node.id, was.name());
    found.push(Harm::new(HarmKind::RelabelledLive, act.ended, blame(act, since(&there, act.begun)), text));
}

/// A Drainer's record that said `offline` let a closing Pump go.
fn released(case: &Case<'_>, act: &AttemptedChange, drainer: &Timeline, found: &mut Vec<Harm>) {
    let closing = |pump: &&Timeline| pump.kind() == Kind::Pump && pump.process_at(act.ended) == ProcessState::Closing;
    for pump in case.truth.nodes.iter().filter(closing) {
        let unread = match (drainer.who, pump.who) {
            (crate::sim::NodeIndex::Drainer(at), crate::sim::NodeIndex::Pump(pump)) => {
                case.played.after.unread(at, pump)
            }
            _ => None,
        };
        if pump.record_at(case.played.after.now()).is_none_or(|record| *record != State::Offline) || unread.is_none() {
            continue;
        }
        let text = format!("{} was closing and was let go by writing {} offline", pump.id, drainer.id);
        found.push(Harm::new(HarmKind::RelabelledLive, act.ended, blame(act, since(&pump.process, act.begun)), text));
    }
}
