//! A hold on TiKV's garbage collection in the simulated PD: it lives in virtual time, and is kept alive at a third of its time
//! unless this host is cut off from PD, or PD takes no write.

use super::Simulated;
use crate::error::{Error, Result};
use crate::sim::clock::Micros;
use crate::text::Untrusted;
use crate::tso::Tso;
use crate::world::{Answer, Fence, GcHold, check_hold, hold_lost, hold_refused, not_renewed};
use std::time::Duration;

/// The id of a world that nobody told of a run.
const NOBODY: &str = "simulated";

/// A hold that is ours.
pub(super) struct SimulatedHold {
    hold: GcHold,
    ttl: Micros,
    until: Micros,
    next_beat: Micros,
    lost: Option<Error>,
}

impl Simulated {
    /// When something happens to the hold next, if there is one.
    pub(super) fn next_beat_of_hold(&self) -> Option<Micros> {
        self.hold.as_ref().filter(|held| held.lost.is_none()).map(|held| held.next_beat.min(held.until))
    }

    /// Keeps the hold alive if it is time, or finds it lost.
    pub(super) fn beat_hold(&mut self) {
        let now = self.cluster.now();
        let cut_off = self.cluster.outside.etcd_fails > now || self.cluster.pd_gone();
        let Some(held) = self.hold.as_mut().filter(|held| held.lost.is_none()) else { return };
        if held.next_beat <= now && !cut_off {
            let (service, smallest) = self.cluster.hold_service(&held.hold.service, held.hold.safe_point, held.ttl);
            held.next_beat = now.saturating_add(held.ttl / 3);
            match smallest > held.hold.safe_point {
                true => {
                    let refused = hold_refused(held.hold.safe_point, &service, smallest);
                    held.lost = Some(hold_lost(&held.hold, &refused.message));
                }
                false => held.until = now.saturating_add(held.ttl),
            }
        } else if held.until <= now {
            held.lost = Some(hold_lost(&held.hold, &not_renewed(held.hold.ttl)));
        } else if held.next_beat <= now {
            held.next_beat = now.saturating_add((held.ttl / 20).max(1));
        }
    }

    /// What is lost is told once: nobody holds it any more.
    pub(super) fn still_held(&mut self) -> Result<()> {
        match self.hold.as_ref().and_then(|held| held.lost.clone()) {
            None => Ok(()),
            Some(error) => {
                self.hold = None;
                Err(error)
            }
        }
    }

    fn own_service(&self) -> Untrusted {
        match &self.hold {
            Some(held) => held.hold.service.clone(),
            None => GcHold::service_of(self.run.as_deref().unwrap_or(NOBODY)),
        }
    }

    pub(super) fn hold_gc(&mut self, ts: Tso, ttl: Duration, fence: Option<&Fence>) -> Result<Answer> {
        self.read_lock(fence)?;
        self.reach_pd("the hold on GC")?;
        self.writable("hold GC")?;
        let now = self.cluster.tso()?;
        check_hold(ts, now, self.cluster.tikv_safe_point())?;
        let hold = GcHold { service: self.own_service(), safe_point: ts, ttl };
        let length = Micros::try_from(ttl.as_micros()).unwrap_or(Micros::MAX);
        let (service, smallest) = self.cluster.hold_service(&hold.service, ts, length);
        if smallest > ts {
            return Err(hold_refused(ts, &service, smallest));
        }
        let now = self.cluster.now();
        let (until, next_beat) = (now.saturating_add(length), now.saturating_add(length / 3));
        self.hold = Some(SimulatedHold { hold: hold.clone(), ttl: length, until, next_beat, lost: None });
        Ok(Answer::GcHeld(hold))
    }

    pub(super) fn release_gc(&mut self, service: Option<&Untrusted>, fence: Option<&Fence>) -> Result<Answer> {
        self.read_lock(fence)?;
        self.reach_pd("the release of GC")?;
        let named = service.cloned().unwrap_or_else(|| self.own_service());
        if self.hold.as_ref().is_some_and(|held| held.hold.service == named) {
            self.hold = None;
        }
        self.writable("release GC")?;
        self.cluster.hold_service(&named, Tso(0), 0);
        Ok(Answer::Done)
    }

    pub(super) fn gc_safe_points(&mut self) -> Result<Answer> {
        self.reach_pd("the request for its GC safe points")?;
        Ok(Answer::GcSafePoints(self.cluster.gc_safe_points()))
    }

    pub(super) fn changefeeds(&mut self) -> Result<Answer> {
        self.reach_pd("the listing of changefeeds")?;
        Ok(Answer::Changefeeds(self.cluster.changefeeds()))
    }
}
