//! Which nodes a run took out of work and has not seen back, by its journal alone: nobody is asked.

use crate::error::ErrorKind;
use crate::journal::{Entry, Unfinished};
use crate::node::{NodeRef, RecordState, State};
use crate::world::{Action, Answer, Change, Control, Exec, Listing, Manual, ProcessVerb};
use std::fmt::{Display, Formatter, Result};

/// A node that is out of work through a run, as far as the run knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutOfWork {
    pub node: NodeRef,
    /// What the run did to it last.
    how: LastDone,
    /// Whether it did, or only may have.
    certain: bool,
    /// What its record said when the run looked at it last after that.
    record: Option<RecordState>,
}

/// What a run did last to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LastDone {
    Told(Action),
    Stopped,
    Started,
}

impl OutOfWork {
    /// What a journal of these entries leaves, in the order in which it came about; `unfinished` are its changes without
    /// an outcome, which have their places between the entries or behind them.
    pub(crate) fn of<'j>(
        entries: impl IntoIterator<Item = &'j Entry>,
        unfinished: impl IntoIterator<Item = &'j Unfinished>,
    ) -> Vec<Self> {
        let (mut out, mut open) = (Vec::new(), unfinished.into_iter().peekable());
        for entry in entries {
            while let Some(open) = open.next_if(|open| open.seq < entry.seq) {
                change(&mut out, &open.change, false);
            }
            if let Ok(Answer::Listing(listing)) = &entry.outcome {
                look(&mut out, listing);
            }
            let Some(done) = entry.request.change() else { continue };
            match &entry.outcome {
                Ok(_) => change(&mut out, done, true),
                Err(error) if may_have_happened(done, error.kind) => change(&mut out, done, false),
                Err(_) => {}
            }
        }
        open.for_each(|open| change(&mut out, &open.change, false));
        out
    }
}

/// Whether a change that ended in an error may have happened all the same, or half of it.
fn may_have_happened(change: &Change, error: ErrorKind) -> bool {
    let was_tried = matches!(error, ErrorKind::Timeout | ErrorKind::Failed);
    error == ErrorKind::InDoubt || (was_tried && matches!(change, Change::Control(_)))
}

/// What a change takes out of work. A start that nobody is certain of leaves a node as it was.
fn change(out: &mut Vec<OutOfWork>, change: &Change, certain: bool) {
    // Whoever takes a node out on purpose does not leave it out of work.
    let retire = |out: &mut Vec<OutOfWork>, key: &str| out.retain(|known| !certain || known.node.key() != key);
    let note = |out: &mut Vec<OutOfWork>, node: &NodeRef, how: LastDone| {
        out.retain(|known| known.node.key() != node.key());
        out.push(OutOfWork { node: node.clone(), how, certain, record: None });
    };
    match change {
        Change::Act { node, action } => note(out, node, LastDone::Told(*action)),
        Change::SwapRecord { seen, state: State::Offline } => retire(out, &seen.node.key()),
        Change::DeleteRecord { key, .. } => retire(out, key),
        Change::Manual(Manual { starts, stops, retires, .. }) => {
            retires.iter().for_each(|node| retire(out, &node.key()));
            let stays = |node: &&NodeRef| !(certain && retires.contains(node));
            stops.iter().filter(stays).for_each(|node| note(out, node, LastDone::Stopped));
            starts.iter().filter(|_| certain).for_each(|node| note(out, node, LastDone::Started));
        }
        Change::Control(Control { node, verb, .. }) => match verb {
            // It was seen online, or it is not there.
            ProcessVerb::Start | ProcessVerb::Restart if certain => retire(out, &node.key()),
            ProcessVerb::Start => {}
            ProcessVerb::Restart | ProcessVerb::Stop => note(out, node, LastDone::Stopped),
        },
        Change::Exec(Exec { starts, stops, .. }) => {
            stops.iter().for_each(|node| note(out, node, LastDone::Stopped));
            starts.iter().filter(|_| certain).for_each(|node| note(out, node, LastDone::Started));
        }
        Change::SwapRecord { state: State::Online | State::Pausing | State::Paused | State::Closing, .. }
        | Change::TriggerGc { .. }
        | Change::RecoverTidb { .. }
        | Change::WriteSavepoint { .. }
        | Change::Encrypt { .. }
        | Change::HoldGc { .. }
        | Change::ReleaseGc { .. }
        | Change::BreakLock { .. } => {}
    }
}

/// A node is back when its record says `online` after it said something else, or after the node was started. One that
/// closed is where it was to be when it is offline or gone.
fn look(out: &mut Vec<OutOfWork>, listing: &Listing) {
    out.retain_mut(|known| {
        let now = listing.find(known.node.kind, &known.node.id).map(|record| record.state.clone());
        let was_away =
            known.how == LastDone::Started || known.record.as_ref().is_some_and(|record| *record != State::Online);
        let says = |state| now.as_ref().is_some_and(|record| *record == state);
        let is_left = match known.how {
            LastDone::Told(Action::Close) => now.is_some() && !says(State::Offline),
            LastDone::Told(Action::Pause) | LastDone::Stopped | LastDone::Started => !(was_away && says(State::Online)),
        };
        known.record = now;
        is_left
    });
}

impl Display for OutOfWork {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { node, how, certain, record } = self;
        let action = |action: Action| match action {
            Action::Pause => "told to pause",
            Action::Close => "told to close",
        };
        let what = match how {
            LastDone::Told(Action::Pause)
                if *certain && record.as_ref().is_some_and(|record| *record == State::Paused) =>
            {
                return write!(f, "{} is paused", node.id);
            }
            LastDone::Told(told) => action(*told),
            LastDone::Stopped => "stopped from outside",
            LastDone::Started => "started from outside, and not seen online since",
        };
        let was = if *certain { "was" } else { "may have been" };
        write!(f, "{} {was} {what}", node.id)?;
        match record {
            Some(state) => write!(f, " (its record said {state} then)"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::recovery::entries::{by_hand, looked, node, paused};
    use crate::world::Request;

    fn left(entries: &[Entry], unfinished: Option<&Unfinished>) -> Vec<String> {
        OutOfWork::of(entries, unfinished).iter().map(ToString::to_string).collect()
    }

    fn nobody(entries: &[Entry]) {
        assert_eq!(left(entries, None), Vec::<String>::new());
    }

    #[test]
    fn a_node_is_back_when_it_is_seen_online_after_it_was_away() {
        assert_eq!(left(&[paused("p0")], None), ["p0 was told to pause"]);
        let told = [paused("p0"), looked(&[("p0", "online")])];
        assert_eq!(left(&told, None), ["p0 was told to pause (its record said online then)"], "it had not gone yet");
        let gone = [paused("p0"), looked(&[("p0", "online")]), looked(&[("p0", "paused")])];
        assert_eq!(left(&gone, None), ["p0 is paused"]);
        nobody(&[paused("p0"), looked(&[("p0", "paused")]), looked(&[("p0", "online")])]);
    }

    #[test]
    fn a_node_that_was_started_is_back_only_once_it_is_seen_online() {
        let started = [paused("p0"), looked(&[("p0", "paused")]), by_hand(&["p0"], &[])];
        assert_eq!(left(&started, None), ["p0 was started from outside, and not seen online since"]);
        nobody(&[&started[..], &[looked(&[("p0", "online")])]].concat());
        assert_eq!(left(&[by_hand(&[], &["p1"])], None), ["p1 was stopped from outside"]);
    }

    #[test]
    fn a_node_that_closed_is_where_it_was_to_be() {
        let closed =
            Entry { request: Request::Change(Change::Act { node: node("p0"), action: Action::Close }), ..paused("p0") };
        let told = [closed.clone(), looked(&[("p0", "online")])];
        assert_eq!(left(&told, None), ["p0 was told to close (its record said online then)"]);
        nobody(&[closed.clone(), looked(&[("p0", "offline")])]);
        nobody(&[closed, looked(&[])]);
    }

    #[test]
    fn a_node_that_was_taken_out_on_purpose_is_not_out_of_work() {
        let listing = match looked(&[("p0", "paused")]).outcome {
            Ok(Answer::Listing(listing)) => Some(listing),
            _ => None,
        };
        let seen = listing.unwrap().records[0].clone();
        let swapped = |state| Entry {
            request: Request::Change(Change::SwapRecord { seen: seen.clone(), state }),
            outcome: Ok(Answer::Swapped(seen.clone())),
            ..paused("p0")
        };
        nobody(&[paused("p0"), swapped(State::Offline)]);
        assert_eq!(left(&[paused("p0"), swapped(State::Paused)], None), ["p0 was told to pause"]);
        let key = seen.node.key();
        let deleted = Change::DeleteRecord { key, mod_revision: 1 };
        nobody(&[
            paused("p0"),
            Entry { request: Request::Change(deleted.clone()), outcome: Ok(Answer::Done), ..paused("p0") },
        ]);
        let open = Unfinished { seq: 2, at_ms: None, step: None, change: deleted, findings: Vec::new(), by: None };
        assert_eq!(left(&[paused("p0")], Some(&open)), ["p0 was told to pause"], "nobody knows whether it is deleted");
    }

    #[test]
    fn what_was_refused_is_not_and_what_is_in_doubt_may_be() {
        let with = |kind| Entry { outcome: Err(Error::new(kind, "it did not say")), ..paused("p0") };
        nobody(&[with(ErrorKind::Rejected)]);
        assert_eq!(left(&[with(ErrorKind::InDoubt)], None), ["p0 may have been told to pause"]);
        let change = paused("p0").request.change().unwrap().clone();
        let open = Unfinished { seq: 1, at_ms: None, step: None, change, findings: Vec::new(), by: None };
        assert_eq!(left(&[], Some(&open)), ["p0 may have been told to pause"]);
    }
}
