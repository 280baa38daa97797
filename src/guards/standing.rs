//! What keeps a change from coming to anything, however it is forced: nobody is there to be told, the node is about it
//! already, or the record says so already. Said before any guard looks at others, whom it would blame.

use crate::error::{AdvisedCommand, Error, ErrorKind, Result};
use crate::guards::control;
use crate::guards::view::ClusterView;
use crate::guards::watch::{how_fresh, is_beating};
use crate::node::{Kind, NodeRef, Record, RecordState, State};
use crate::world::{Action, Awaited, Change, ProbeFinding};

/// Why `change` can come to nothing, and what to do instead; `None` where it can.
///
/// # Errors
/// Fatal ones only: what cannot be seen is for the guards.
pub(super) fn obstacle(scene: &mut ClusterView<'_>, change: &Change) -> Result<Option<Error>> {
    let found = match change {
        Change::Act { node, action } => told(scene, node, *action),
        Change::SwapRecord { seen, state } => Ok(written(seen, *state)),
        Change::Control(control) => control::unable(scene, control),
        Change::TriggerGc { .. }
        | Change::RecoverTidb { .. }
        | Change::DeleteRecord { .. }
        | Change::WriteSavepoint { .. }
        | Change::Encrypt { .. }
        | Change::HoldGc { .. }
        | Change::ReleaseGc { .. }
        | Change::BreakLock { .. }
        | Change::Manual(_)
        | Change::Exec(_) => Ok(None),
    };
    match found {
        Err(error) if error.kind.is_fatal() => Err(error),
        Err(_) => Ok(None),
        Ok(found) => Ok(found),
    }
}

/// Why a state need not be written. What is wrong with the others is for the guard `pointless`, whatever the record says.
fn written(seen: &Record, state: State) -> Option<Error> {
    let is_repair = match state {
        State::Paused | State::Offline => true,
        State::Online | State::Pausing | State::Closing => false,
    };
    (is_repair && seen.state == state).then(|| {
        let (id, kind) = (&seen.node.id, seen.node.kind);
        Error::refused(format!("not done: the record of {kind} {id} says {state} already"))
            .hint(format!("probe(\"{id}\") tells what it really is"))
    })
}

/// Why a node cannot be told that.
fn told(scene: &mut ClusterView<'_>, node: &NodeRef, action: Action) -> Result<Option<Error>> {
    let listing = scene.listing()?;
    let record = listing.find(node.kind, &node.id);
    if record.is_some_and(|record| !record.node.is_at(&node.address)) {
        // It has moved since it was looked at: whoever answers there is not what the record is about.
        return Ok(None);
    }
    let says = record.map(|record| &record.state);
    let awaited = || record.and_then(|pump| Awaited::by(pump, &listing));
    let id = &node.id;
    let not_done = |kind, why: String| Error::new(kind, format!("not done: {} {id} {why}", node.kind));
    Ok(match scene.probe_again(node)? {
        ProbeFinding::State(State::Closing) => {
            let waits = awaited().filter(|_| node.kind == Kind::Pump);
            let text = waits.as_ref().map_or(String::new(), |awaited| format!(": {}", awaited.text));
            let first = match waits {
                Some(Awaited { drainer, state, .. }) if state == State::Online => {
                    format!("see why {} is behind, and ", drainer.id)
                }
                Some(Awaited { drainer, .. }) => format!("bring {} back, and ", drainer.id),
                None => String::new(),
            };
            let error = not_done(ErrorKind::Rejected, format!("is closing already{text}"));
            Some(error.hint(format!("{first}wait until it is gone: wait_for(\"{id}\", \"offline\", \"2h\")")))
        }
        ProbeFinding::State(State::Pausing) => {
            let error = not_done(ErrorKind::Rejected, "is pausing already".to_owned());
            Some(error.hint(format!("wait until it is: wait_for(\"{id}\", \"paused\")")))
        }
        ProbeFinding::Refused => Some(match is_beating(&listing, node) {
            true => not_done(
                ErrorKind::Unreachable,
                format!(
                    "cannot be told: nobody answers at {} from here, though its heartbeat {}",
                    node.address,
                    how_fresh(&listing)
                ),
            )
            .hint("do this on a host that reaches it; if it ended just now, look again in some seconds"),
            false => nobody(node, action, says),
        }),
        ProbeFinding::State(State::Online | State::Paused | State::Offline)
        | ProbeFinding::Silent
        | ProbeFinding::Other(_)
        | ProbeFinding::Unknown(_) => None,
    })
}

/// Nobody is there to be told: what the record says, and what to do instead.
fn nobody(node: &NodeRef, action: Action, says: Option<&RecordState>) -> Error {
    let (id, kind) = (&node.id, node.kind.name());
    let not_done = |why: String, hint: String| {
        Error::new(ErrorKind::Unreachable, format!("not done: {kind} {id} {why}")).hint(hint)
    };
    let (why, hint) = match (says, action) {
        (Some(RecordState::Known(State::Paused)), Action::Pause) => {
            ("is paused already".to_owned(), format!("nothing is left to do; only its process starts {id} again"))
        }
        (Some(RecordState::Known(State::Paused)), Action::Close) => (
            "is paused, so nobody is there to be told".to_owned(),
            format!("start it first, wait_for(\"{id}\", \"online\"), then close it: never relabel it"),
        ),
        (Some(RecordState::Known(State::Offline)), _) => (
            "is offline already".to_owned(),
            format!(
                "nothing is left to do; forget_{kind}(\"{id}\") deletes its record, once it has rested for some days"
            ),
        ),
        (Some(state), _) => {
            let why = format!("its record says {state}: it was killed, or its host is gone");
            let hint = format!("update_{kind}(\"{id}\", ...) if it is lost for good; else start it first");
            return not_done(format!("has no process at {}, though {why}", node.address), hint)
                .command(AdvisedCommand::AfterCrash);
        }
        (None, _) => {
            ("has no record, and no process".to_owned(), "pumps() and drainers() list what there is".to_owned())
        }
    };
    not_done(why, hint)
}
