//! The hold on TiKV's garbage collection of a run that goes on: it is taken again before anything else is done or asked, since its end
//! may be near.

use crate::error::{Error, ErrorKind, Result};
use crate::journal::Entry;
use crate::world::{Answer, Change, GcHold, Request, World, change, hold_lost};

/// The hold that a run had when it was stopped, by its journal.
fn standing(entries: &[Entry]) -> Option<GcHold> {
    let mut held: Option<GcHold> = None;
    for entry in entries {
        match (&entry.request, &entry.outcome) {
            (Request::Change(Change::HoldGc { .. }), Ok(Answer::GcHeld(hold))) => held = Some(hold.clone()),
            (Request::Change(Change::ReleaseGc { service: None }), Ok(_)) => held = None,
            (Request::Change(Change::ReleaseGc { service: Some(service) }), Ok(_)) => {
                held = held.filter(|hold| hold.service != *service);
            }
            _ => {}
        }
    }
    held
}

/// Takes the hold again in `world` that a run with these entries had; `None` if it had none.
///
/// # Errors
/// `hold_lost` where PD refuses it: the range behind it may have been collected. Those of reaching PD.
pub fn hold_again(entries: &[Entry], world: &mut dyn World) -> Result<Option<GcHold>> {
    let Some(hold) = standing(entries) else { return Ok(None) };
    match world.ask(change::HoldGc { ts: hold.safe_point, ttl: hold.ttl }) {
        Ok(again) => Ok(Some(again)),
        Err(error) if error.kind == ErrorKind::Rejected => {
            let lost = hold_lost(&hold, &error.message);
            Err(Error { hint: error.hint.or(lost.hint.clone()), ..lost })
        }
        Err(error) => Err(error),
    }
}
