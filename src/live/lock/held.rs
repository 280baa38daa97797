//! A lock that is ours: its lease, and how long that certainly lives.
//!
//! Its life counts from when a keep-alive was sent, not from when its answer came, and goes by a clock that goes on
//! while the host sleeps: so we never believe in it longer than etcd does.

use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::live::clock::since_boot;
use crate::live::etcd::{self, Etcd};
use crate::live::wish::WishToStop;
use crate::world::Fence;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// A lease, the key that hangs on it, and the task that keeps it alive.
pub(super) struct HeldLease {
    pub(super) lease: i64,
    /// How long the lease lives after each sign of life.
    ttl: Duration,
    state: Mutex<LeaseState>,
}

struct LeaseState {
    /// The lock's key as we created it; none while it is being created.
    fence: Option<Fence>,
    /// Until when the lease lives at least, in time since the host was started.
    until: Duration,
    /// Etcd said that it is not ours any more.
    gone: bool,
    keeper: Option<JoinHandle<()>>,
}

impl HeldLease {
    /// A lease that was asked for at `asked` (time since the host was started).
    pub(super) fn new(lease: i64, ttl: Duration, asked: Duration) -> Self {
        let state = LeaseState { fence: None, until: asked.saturating_add(ttl), gone: false, keeper: None };
        Self { lease, ttl, state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, LeaseState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock is ours: from now on its lease is kept alive.
    pub(super) fn begin(self: &Arc<Self>, etcd: &Arc<Etcd>, fence: Fence, interrupt: Interrupt) {
        let wish = WishToStop::new(interrupt);
        let keeper = tokio::spawn(keep(etcd.clone(), self.clone(), fence.clone(), wish));
        let mut state = self.state();
        state.fence = Some(fence);
        state.keeper = Some(keeper);
    }

    /// Nobody keeps it alive any more.
    pub(super) fn end(&self) {
        if let Some(keeper) = self.state().keeper.take() {
            keeper.abort();
        }
    }

    /// The fence of the lock, once it is ours.
    pub(super) fn fence(&self) -> Option<Fence> {
        self.state().fence.clone()
    }

    /// How long the lease certainly lives; nothing once etcd said that it has gone.
    pub(super) fn left(&self) -> Duration {
        let state = self.state();
        if state.gone { Duration::ZERO } else { state.until.saturating_sub(since_boot()) }
    }

    /// Whether etcd said that it is not ours any more.
    pub(super) fn is_gone(&self) -> bool {
        self.state().gone
    }

    /// Keeps it alive once; false, for good, when it is not ours any more.
    ///
    /// # Errors
    /// `unreachable` or `timeout`: it may be ours, or not.
    pub(super) async fn renew(&self, etcd: &Etcd, fence: &Fence) -> Result<bool> {
        let asked = since_boot();
        let deadline = etcd.deadline().at_most(self.ttl / 3);
        if etcd::keep_alive(etcd, self.lease, deadline).await? {
            let mut state = self.state();
            state.until = state.until.max(asked.saturating_add(self.ttl));
        }
        // The key tells: a lease lives on without it when somebody took the lock away, and a member that lags behind may not
        // know a lease that lives.
        self.look(etcd, fence).await
    }

    /// Looks whether the key is still ours; false, for good, when it is not.
    ///
    /// # Errors
    /// `unreachable` or `timeout`: it may be ours, or not.
    pub(super) async fn look(&self, etcd: &Etcd, fence: &Fence) -> Result<bool> {
        let ours = etcd::is_held(etcd, fence, etcd.deadline().at_most(self.ttl / 3)).await?;
        let mut state = self.state();
        state.gone |= !ours;
        Ok(!state.gone)
    }
}

/// Keeps the lease alive three times in its life, and tries again soon when that fails: an answer moves its end, and
/// only etcd's word ends it.
async fn keep(etcd: Arc<Etcd>, held: Arc<HeldLease>, fence: Fence, mut wish: WishToStop) {
    let mut rest = held.ttl / 3;
    loop {
        wish.rest(rest).await;
        let before = held.left();
        rest = match held.renew(&etcd, &fence).await {
            Ok(true) if held.left() > before => held.ttl / 3,
            Ok(true) | Err(_) => held.ttl / 20,
            Ok(false) => return,
        };
    }
}
