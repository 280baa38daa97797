//! The maintenance lock as a session uses it: when it is taken, and when it is given back.

use crate::error::{Error, ErrorKind, Result};
use crate::world::{Answer, Fence, LockHolder, LockInfo, LockOwner, LockRequest, Request, World, change};
use std::time::Duration;

/// For how long a session keeps the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockSpan {
    /// For a single change of the cluster: the prompt, `-e`, `ctl`.
    Change,
    /// To the end of the session: a script.
    Session,
}

/// That a session takes the maintenance lock for its changes of the cluster, and how. A part of a session; one without
/// it takes no lock, as where a world has nobody else in it, or nothing can be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockPlan {
    /// What others are told of us.
    pub holder: LockHolder,
    /// How long to wait for whoever has it.
    pub wait: Option<Duration>,
    /// How long it is kept.
    pub span: LockSpan,
    /// The lock of an earlier process of the same run that is known to be gone: nobody need wait for its lease.
    pub predecessor: Option<LockInfo>,
}

impl LockPlan {
    /// Takes the lock in `world`, or makes sure that the one of `held` is still ours. A session that is then given the
    /// world has it already.
    ///
    /// # Errors
    /// `locked`, `lock_lost`, and those of reaching etcd.
    pub fn take(&mut self, world: &mut dyn World, held: Option<&Fence>) -> Result<Fence> {
        if let Some(seen) = self.predecessor.take() {
            let why = "its process is gone, and its run goes on".to_owned();
            match world.ask(change::BreakLock { seen, why }) {
                // It went by itself; whoever has the lock now is met below.
                Err(error) if error.kind == ErrorKind::Conflict => {}
                broken => broken?,
            }
        }
        match world.apply(&Request::Lock(LockRequest::Take { holder: self.holder.clone(), wait: self.wait }), held) {
            Ok(Answer::Locked(fence)) => Ok(fence),
            Ok(other) => Err(Error::internal(format!("the world answered the wish for the lock with {other:?}"))),
            Err(error) => {
                // It may have been on its way to us when we were stopped. One that we had is kept unless it is known to be lost.
                if held.is_none() || error.kind == ErrorKind::LockLost {
                    let _ = world.apply(&Request::Lock(LockRequest::GiveBack), None);
                }
                Err(error)
            }
        }
    }
}

/// The plan, and the lock while it is ours.
pub(super) struct Lock {
    plan: Option<LockPlan>,
    fence: Option<Fence>,
}

impl Lock {
    pub(super) fn new(plan: Option<LockPlan>) -> Self {
        Self { plan, fence: None }
    }

    /// What every write to etcd compares.
    pub(super) fn fence(&self) -> Option<&Fence> {
        self.fence.as_ref()
    }

    /// Takes the lock, or makes sure that it is still ours.
    ///
    /// # Errors
    /// `locked`, `lock_lost`, and those of reaching etcd.
    pub(super) fn take(&mut self, world: &mut dyn World) -> Result<()> {
        let Some(plan) = &mut self.plan else { return Ok(()) };
        match plan.take(world, self.fence.as_ref()) {
            Ok(fence) => {
                self.fence = Some(fence);
                Ok(())
            }
            Err(error) => {
                self.fence = self.fence.take().filter(|_| error.kind != ErrorKind::LockLost);
                Err(error)
            }
        }
    }

    /// Whether the lock was taken by this session's holder: a world may have it before its session does.
    pub(super) fn is_of_ours(&self, info: &LockInfo) -> bool {
        let ours = self.plan.as_ref().map(|plan| &plan.holder);
        matches!(&info.owner, LockOwner::Holder { holder, .. } if Some(holder) == ours)
    }

    /// Whether it is taken at all.
    pub(super) fn is_planned(&self) -> bool {
        self.plan.is_some()
    }

    /// Who works, as others are told.
    pub(super) fn operator(&self) -> String {
        self.plan.as_ref().map_or_else(
            || "the operator".to_owned(),
            |LockPlan { holder, .. }| format!("{} on {}", holder.user, holder.host),
        )
    }

    /// Whether a change is the end of its span.
    pub(super) fn is_for_one_change(&self) -> bool {
        self.plan.as_ref().is_some_and(|plan| plan.span == LockSpan::Change)
    }

    /// Gives the lock back, if it is ours.
    ///
    /// # Errors
    /// Those of reaching etcd: the lock then goes when its lease ends.
    pub(super) fn give_back(&mut self, world: &mut dyn World) -> Result<()> {
        match self.fence.take() {
            Some(_) => world.apply(&Request::Lock(LockRequest::GiveBack), None).map(drop),
            None => Ok(()),
        }
    }
}
