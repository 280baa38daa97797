//! The maintenance lock in the simulated etcd: its key stands there for everybody, its lease lives in virtual time.
//!
//! The lease is kept alive every ten seconds, unless this host is cut off from etcd. While PD as a whole is gone no lease
//! ends, since nobody is there to end it.

use super::Simulated;
use crate::error::{Error, Result};
use crate::sim::clock::{Micros, SECOND};
use crate::sim::cluster::Cluster;
use crate::sim::etcd::KeyValue;
use crate::world::{Answer, Fence, LOCK_KEY, LockHolder, LockInfo, LockLease, lock_lost};
use std::time::Duration;

/// How long the lease lives after each sign of life.
const TTL: Micros = 30 * SECOND;
/// How often it is kept alive.
const BEAT: Micros = 10 * SECOND;

/// A lock that is ours.
pub(super) struct SimulatedLease {
    fence: Fence,
    until: Micros,
    next_beat: Micros,
}

impl Simulated {
    /// When something happens to the lease next, if there is one.
    pub(super) fn next_beat_of_lock(&self) -> Option<Micros> {
        self.lock.as_ref().map(|held| held.next_beat.min(held.until))
    }

    /// Keeps the lease alive if it is time, or lets it end.
    pub(super) fn beat_lock(&mut self) {
        let now = self.cluster.now();
        let cut_off = self.cluster.outside.etcd_fails > now;
        let Some(held) = &mut self.lock else { return };
        if held.next_beat > now && held.until > now {
            return;
        }
        if held.next_beat <= now {
            held.next_beat = now.saturating_add(BEAT);
        }
        if !cut_off || self.cluster.pd_gone() {
            held.until = now.saturating_add(TTL);
        } else if held.until <= now {
            let create_revision = held.fence.create_revision;
            self.lock = None;
            self.delete_lock(create_revision);
        }
    }

    fn delete_lock(&mut self, create_revision: i64) {
        if self.cluster.get(LOCK_KEY).is_some_and(|pair| pair.create_revision == create_revision) {
            self.cluster.delete(LOCK_KEY);
        }
    }

    pub(super) fn take_lock(
        &mut self,
        holder: &LockHolder,
        wait: Option<Duration>,
        fence: Option<&Fence>,
    ) -> Result<Answer> {
        if let Some(fence) = fence {
            return self.read_lock(Some(fence)).map(|()| Answer::Locked(fence.clone()));
        }
        self.reach_pd("the maintenance lock")?;
        let limit = wait.map_or(0, |wait| Micros::try_from(wait.as_micros()).unwrap_or(Micros::MAX));
        let until = self.cluster.now().saturating_add(limit);
        self.pass_until(until, |cluster| cluster.get(LOCK_KEY).is_none())?;
        match self.cluster.get(LOCK_KEY) {
            None => {
                self.writable("get a lease")?;
                let now = self.cluster.now();
                let value = holder.value(self.cluster.unix_ms(now));
                let create_revision = self.cluster.put(LOCK_KEY, value.as_bytes());
                let fence = Fence { key: LOCK_KEY.into(), create_revision };
                let held = SimulatedLease { fence: fence.clone(), until: now + TTL, next_beat: now + BEAT };
                self.lock = Some(held);
                Ok(Answer::Locked(fence))
            }
            Some(found) => match &self.lock {
                Some(held) if held.fence.create_revision == found.create_revision => {
                    Ok(Answer::Locked(held.fence.clone()))
                }
                _ => Err(self.describe_lock(&found).locked(wait)),
            },
        }
    }

    pub(super) fn give_lock_back(&mut self) -> Answer {
        if let Some(held) = self.lock.take() {
            self.delete_lock(held.fence.create_revision);
        }
        Answer::Done
    }

    pub(super) fn lock_status(&mut self) -> Result<Answer> {
        self.reach_pd("the maintenance lock")?;
        let found = self.cluster.get(LOCK_KEY);
        Ok(Answer::LockedBy(found.map(|found| self.describe_lock(&found))))
    }

    pub(super) fn break_lock(&mut self, seen: &LockInfo) -> Result<Answer> {
        self.reach_pd("the maintenance lock")?;
        match self.cluster.get(LOCK_KEY) {
            Some(found) if found.create_revision != seen.create_revision => Err(LockInfo::taken_meanwhile()),
            _ => {
                self.delete_lock(seen.create_revision);
                Ok(Answer::Done)
            }
        }
    }

    /// The lock as others see it; of somebody else's no lease is known.
    fn describe_lock(&self, found: &KeyValue) -> LockInfo {
        let ours = self.lock.as_ref().filter(|held| held.fence.create_revision == found.create_revision);
        let span = |time: Micros| Duration::from_micros(u64::try_from(time).unwrap_or(0));
        let left = ours.map(|held| held.until - self.cluster.now());
        let lease = left.map(|left| LockLease { granted: span(TTL), left: span(left) });
        LockInfo::new(found.create_revision, &found.value, lease)
    }

    /// What is not written in etcd cannot compare the lock's key: it is read first.
    pub(super) fn read_lock(&mut self, fence: Option<&Fence>) -> Result<()> {
        if fence.is_some() {
            self.reach_pd("the maintenance lock")?;
        }
        check(&self.cluster, fence)
    }
}

/// Whether the lock's key is as the fence says.
pub(super) fn check(cluster: &Cluster, fence: Option<&Fence>) -> Result<(), Error> {
    let Some(fence) = fence else { return Ok(()) };
    match cluster.get(&fence.key) {
        Some(lock) if lock.create_revision == fence.create_revision => Ok(()),
        _ => Err(lock_lost(fence)),
    }
}
