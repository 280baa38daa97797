//! Who waits for whom: how far each Drainer has read each Pump, and which Drainers keep a Pump from closing.

use super::picture::{ClosingPump, DrainerReading};
use crate::node::{Kind, Record, State};
use crate::text::Untrusted;
use crate::tso::Tso;
use crate::world::{DrainerStatus, Inspected, Listing, ProbeFinding, StatusReport};

/// A Drainer waits for the Pump that is furthest behind, if that is behind the next by so many seconds.
const BEHIND_THE_NEXT: f64 = 10.0;

/// Where there is one Pump only, it is waited for when it is so many seconds behind.
const BEHIND: f64 = 30.0;

/// How far a Drainer with this `status` is with each Pump, at PD's `now`.
pub(super) fn reading(drainer: &Record, status: &DrainerStatus, listing: &Listing, now: Tso) -> DrainerReading {
    let counts = |id: &str| listing.find(Kind::Pump, id).is_some_and(|pump| pump.state != State::Offline);
    let behind = |(id, position): (&std::sync::Arc<str>, &Tso)| {
        let seconds = position.position_age(now).seconds().filter(|_| counts(id));
        seconds.map(|seconds| (Untrusted::from(id.as_ref()), seconds))
    };
    let mut pumps: Vec<(Untrusted, f64)> = status.pump_positions.iter().filter_map(behind).collect();
    pumps.sort_by(|one, other| other.1.total_cmp(&one.1));
    let waits = match pumps.as_slice() {
        [(_, first), (_, next), ..] => first - next > BEHIND_THE_NEXT,
        [(_, only)] => *only > BEHIND,
        [] => false,
    };
    DrainerReading { drainer: drainer.node.id.clone(), pumps, waits }
}

/// Who keeps `pump` from closing, if it closes.
pub(super) fn closing(pump: &Record, said: Option<&Inspected>, listing: &Listing) -> Option<ClosingPump> {
    let says_so = said.is_some_and(|said| said.probe.finding == ProbeFinding::State(State::Closing));
    if !says_so && pump.state != State::Closing {
        return None;
    }
    let lacks = |drainer: &Record| {
        let seconds = pump.max_commit_ts.seconds_since(drainer.max_commit_ts);
        (drainer.state != State::Offline && seconds > 0.0).then(|| (drainer.node.id.clone(), seconds))
    };
    let mut drainers: Vec<(Untrusted, f64)> = listing.of(Kind::Drainer).filter_map(lacks).collect();
    drainers.sort_by(|one, other| other.1.total_cmp(&one.1));
    Some(ClosingPump { pump: pump.node.id.clone(), drainers })
}

/// What a Drainer said of its positions.
pub(super) fn status(said: &Inspected) -> Option<&DrainerStatus> {
    match &said.status {
        Some(Ok(StatusReport::Drainer(status))) => Some(status),
        Some(Ok(StatusReport::Pump(_)) | Err(_)) | None => None,
    }
}
