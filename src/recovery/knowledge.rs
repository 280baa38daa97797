//! What a journal knows of the cluster: its last look, and what the run has done since.

use crate::journal::{Entry, Unfinished};
use crate::node::{NodeRef, RecordState, State};
use crate::world::{Action, Answer, Change, Control, Exec, KnownCluster, Listing, Manual, ProcessVerb};
use std::collections::BTreeMap;

/// What a run knew of the cluster when it was stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    /// The nodes of its last look.
    seen: KnownCluster,
    /// What each node's record may say through what was done, by key.
    through_us: BTreeMap<String, PossibleStates>,
}

impl Knowledge {
    /// What a journal of these entries, which ends with `unfinished`, knows; `None` if it never looked.
    pub fn of(entries: &[Entry], unfinished: Option<&Unfinished>) -> Option<Self> {
        let listing = |entry: &Entry| match &entry.outcome {
            Ok(Answer::Listing(listing)) => Some(KnownCluster::of(listing)),
            _ => None,
        };
        let (last, seen) = entries.iter().enumerate().rev().find_map(|(at, entry)| Some((at, listing(entry)?)))?;
        let mut through_us = BTreeMap::new();
        for (at, entry) in entries.iter().enumerate() {
            for (key, reach) in entry.request.change().map_or_else(Vec::new, reach) {
                // What had come about by the last look is over: whatever happened to the node since is somebody else's.
                if at > last || !reach.has_come(state_of(&seen, &key).as_ref()) {
                    through_us.insert(key, reach);
                } else {
                    through_us.remove(&key);
                }
            }
        }
        through_us.extend(unfinished.iter().flat_map(|open| reach(&open.change)));
        Some(Self { seen, through_us })
    }

    /// How the cluster as `now` shows it differs from what the run knew, beside what it did itself: a phrase each.
    pub fn differences(&self, now: &Listing) -> Vec<String> {
        let now = KnownCluster::of(now);
        let ours = |key: &str| {
            let (then, now) = (state_of(&self.seen, key), state_of(&now, key));
            let reached = self.through_us.get(key).is_some_and(|reach| reach.covers(now.as_ref()));
            // What a node does by itself once it was told.
            let settled = goes_on(then.as_ref(), now.as_ref());
            reached || settled
        };
        let left = |known: &KnownCluster| KnownCluster {
            nodes: known.nodes.iter().filter(|node| !ours(&node.key())).cloned().collect(),
            malformed: known.malformed.iter().filter(|key| !ours(key)).cloned().collect(),
        };
        left(&self.seen).differences("the journal", &left(&now))
    }
}

/// Whether a node comes from one state to the other by itself.
fn goes_on(then: Option<&RecordState>, now: Option<&RecordState>) -> bool {
    let is = |record: Option<&RecordState>, state| record.is_some_and(|record| *record == state);
    (is(then, State::Pausing) && is(now, State::Paused)) || (is(then, State::Closing) && is(now, State::Offline))
}

fn state_of(known: &KnownCluster, key: &str) -> Option<RecordState> {
    known.nodes.iter().find(|node| node.key() == key).map(|node| node.state.clone())
}

/// What a node's record may say through a change.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PossibleStates {
    /// On its way and in the end; `None` stands for no record. Nothing at all stands for anything.
    may_be: Vec<Option<RecordState>>,
    /// In the end.
    end: Option<RecordState>,
}

impl PossibleStates {
    fn covers(&self, state: Option<&RecordState>) -> bool {
        self.may_be.is_empty() || self.may_be.iter().any(|may_be| may_be.as_ref() == state)
    }

    fn has_come(&self, state: Option<&RecordState>) -> bool {
        self.end.as_ref() == state
    }
}

/// The keys that a change reaches, and what becomes of them.
fn reach(change: &Change) -> Vec<(String, PossibleStates)> {
    let anything = |nodes: &[NodeRef], end: State| -> Vec<(String, PossibleStates)> {
        nodes.iter().map(|node| (node.key(), PossibleStates { may_be: Vec::new(), end: Some(end.into()) })).collect()
    };
    match change {
        Change::Act { node, action } => {
            let (under_way, end) = match action {
                Action::Pause => (State::Pausing, State::Paused),
                Action::Close => (State::Closing, State::Offline),
            };
            let may_be = [State::Online, under_way, end].map(|state| Some(state.into())).to_vec();
            vec![(node.key(), PossibleStates { may_be, end: Some(end.into()) })]
        }
        Change::SwapRecord { seen, state } => {
            let end = Some(RecordState::from(*state));
            vec![(seen.node.key(), PossibleStates { may_be: vec![Some(seen.state.clone()), end.clone()], end })]
        }
        Change::DeleteRecord { key, .. } => vec![(key.clone(), PossibleStates { may_be: vec![None], end: None })],
        Change::Manual(Manual { starts, stops, retires, .. }) => {
            let mut all = anything(&[&stops[..], retires].concat(), State::Offline);
            all.extend(anything(starts, State::Online));
            all
        }
        Change::Control(Control { node, verb, .. }) => {
            let end = if *verb == ProcessVerb::Stop { State::Paused } else { State::Online };
            anything(std::slice::from_ref(node), end)
        }
        Change::Exec(Exec { starts, stops, .. }) => {
            let mut all = anything(stops, State::Paused);
            all.extend(anything(starts, State::Online));
            all
        }
        Change::TriggerGc { .. }
        | Change::RecoverTidb { .. }
        | Change::WriteSavepoint { .. }
        | Change::Encrypt { .. }
        | Change::HoldGc { .. }
        | Change::ReleaseGc { .. }
        | Change::BreakLock { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recovery::entries::{by_hand, listing, looked, paused};

    #[test]
    fn what_the_run_did_itself_is_no_difference() {
        let known = Knowledge::of(&[looked(&[("p0", "online"), ("p1", "online")]), paused("p0")], None).unwrap();
        assert_eq!(known.differences(&listing(&[("p0", "paused"), ("p1", "online")])), Vec::<String>::new());
        assert_eq!(known.differences(&listing(&[("p0", "pausing"), ("p1", "online")])), Vec::<String>::new());
    }

    #[test]
    fn what_others_did_is_a_difference() {
        let known = Knowledge::of(&[looked(&[("p0", "online"), ("p1", "online")]), paused("p0")], None).unwrap();
        let found = known.differences(&listing(&[("p0", "paused"), ("p1", "paused"), ("p2", "online")]));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("p1") && found[1].contains("p2"), "{found:?}");
        assert_eq!(known.differences(&listing(&[("p0", "offline"), ("p1", "online")])).len(), 1);
    }

    #[test]
    fn what_a_change_brings_about_later_is_no_difference_and_what_comes_after_that_is_one() {
        let started = by_hand(&["p0"], &[]);
        let known = Knowledge::of(&[paused("p0"), started.clone(), looked(&[("p0", "paused")])], None).unwrap();
        assert!(known.differences(&listing(&[("p0", "online")])).is_empty(), "it had only been started");
        let known = Knowledge::of(&[paused("p0"), started, looked(&[("p0", "online")])], None).unwrap();
        assert_eq!(known.differences(&listing(&[("p0", "paused")])).len(), 1, "somebody else paused it again");
    }

    #[test]
    fn what_a_node_goes_on_to_do_is_no_difference() {
        let known = Knowledge::of(&[paused("p0"), looked(&[("p0", "pausing")])], None).unwrap();
        assert!(known.differences(&listing(&[("p0", "paused")])).is_empty());
        assert!(Knowledge::of(&[paused("p0")], None).is_none());
    }
}
