//! The hold on TiKV's garbage collection of a run that goes on: it is taken again before anything else is done or asked, since its end
//! may be near.

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Entry, Unfinished};
use crate::world::{Change, GcHold, World, change, check_ttl, hold_lost};

/// The hold that a run had when it was stopped, by its journal. One that it was about to release is needed no more, whether PD
/// heard of it or not.
fn standing(entries: &[Entry], unfinished: Option<&Unfinished>) -> Option<GcHold> {
    let changes = entries.iter().filter_map(|entry| Some((entry.request.change()?, &entry.outcome)));
    let held = changes.fold(None, |held, (change, outcome)| GcHold::after(held, change, outcome));
    let releasing = |hold: &GcHold| match unfinished.map(|open| &open.change) {
        Some(Change::ReleaseGc { service }) => hold.is_released_by(service.as_ref()),
        Some(_) | None => false,
    };
    held.filter(|hold| !releasing(hold))
}

/// Takes the hold again in `world` that a run with these entries had, which ends with `unfinished`; `None` if it had none.
///
/// # Errors
/// `hold_lost` where PD refuses it: the range behind it may have been collected. `invalid` where no run can have had such a hold. Those
/// of reaching PD.
pub fn hold_again(entries: &[Entry], unfinished: Option<&Unfinished>, world: &mut dyn World) -> Result<Option<GcHold>> {
    let Some(hold) = standing(entries, unfinished) else { return Ok(None) };
    // What was exported elsewhere may say anything.
    check_ttl(hold.ttl).map_err(|error| {
        Error::invalid(format!("the journal of the run has a hold on GC that no run can have had: {}", error.message))
            .hint("the journal was altered: begin a new run")
    })?;
    match world.ask(change::HoldGc { ts: hold.safe_point, ttl: hold.ttl }) {
        Ok(again) => Ok(Some(again)),
        Err(error) if error.kind == ErrorKind::Rejected => {
            let lost = hold_lost(&hold, &error.message);
            Err(Error { hint: error.hint.or(lost.hint.clone()), ..lost })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tso::Tso;
    use crate::world::{Answer, Request};
    use std::time::Duration;

    fn change(change: Change, outcome: Result<Answer>) -> Entry {
        Entry::new(Request::Change(change), outcome)
    }

    fn hold() -> GcHold {
        GcHold { service: "binlogsh-1".into(), safe_point: Tso(5), ttl: Duration::from_secs(60) }
    }

    fn takes() -> Entry {
        change(Change::HoldGc { ts: Tso(5), ttl: Duration::from_secs(60) }, Ok(Answer::GcHeld(hold())))
    }

    fn releases(service: Option<&str>) -> Change {
        Change::ReleaseGc { service: service.map(Into::into) }
    }

    #[test]
    fn a_hold_stands_until_it_is_released_lost_or_about_to_be_released() {
        let about_to = |change| Unfinished { seq: 1, at_ms: None, change, step: None, findings: Vec::new(), by: None };
        assert_eq!(standing(&[takes()], None), Some(hold()));
        assert_eq!(standing(&[takes(), change(releases(None), Ok(Answer::Done))], None), None);
        let other = change(releases(Some("binlogsh-2")), Ok(Answer::Done));
        assert_eq!(standing(&[takes(), other], None), Some(hold()));
        let refused = change(releases(None), Err(Error::refused("no")));
        assert_eq!(standing(&[takes(), refused], None), Some(hold()));
        let lost = change(releases(None), Err(Error::new(ErrorKind::HoldLost, "gone")));
        assert_eq!(standing(&[takes(), lost], None), None);
        assert_eq!(standing(&[takes()], Some(&about_to(releases(None)))), None);
        assert_eq!(standing(&[takes()], Some(&about_to(releases(Some("binlogsh-2"))))), Some(hold()));
    }
}
