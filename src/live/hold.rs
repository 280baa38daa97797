//! A hold on TiKV's garbage collection: taking it through PD, keeping it, giving it up.
//!
//! PD heeds it for its time to live after each sign of life, and three of these come in that time, from the network's thread. Its
//! life counts from when a sign was sent, by a clock that goes on while the host sleeps: so we never believe in it longer than
//! PD does. Whoever is killed leaves it to its end, and so does a run that ends: what it held may still be needed by whoever
//! goes on with it.

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::live::Sent;
use crate::live::clock::{Deadline, since_boot};
use crate::live::etcd::Etcd;
use crate::live::pd::Pd;
use crate::live::wish::WishToStop;
use crate::text::Untrusted;
use crate::tso::Tso;
use crate::world::{GcHold, LockHolder, check_hold, hold_lost, hold_refused, not_renewed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::JoinHandle;

/// The hold as this process may have it.
pub(super) struct LiveHold {
    etcd: Arc<Etcd>,
    pd: Arc<Pd>,
    /// Whoever does not listen to it long after it was raised loses the hold.
    interrupt: Interrupt,
    /// The run or session that holds; of a world without one, an id of its own.
    id: Mutex<Option<String>>,
    held: Mutex<Option<Arc<KeptHold>>>,
}

/// A hold that PD took, and the task that keeps it alive.
struct KeptHold {
    hold: GcHold,
    state: Mutex<HoldState>,
}

struct HoldState {
    /// Until when PD heeds it at least, in time since the host was started.
    until: Duration,
    /// Why it is lost, once it is.
    lost: Option<Error>,
    keeper: Option<JoinHandle<()>>,
}

impl LiveHold {
    /// Holds nothing.
    pub(super) fn new(etcd: Arc<Etcd>, pd: Arc<Pd>, interrupt: Interrupt) -> Self {
        Self { etcd, pd, interrupt, id: Mutex::default(), held: Mutex::default() }
    }

    /// Who works from now on: their run is what PD knows the hold by. One that is held goes on under its name.
    pub(super) fn is_of(&self, holder: &LockHolder) {
        if let Some(run) = &holder.run {
            *self.id.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.as_str().to_owned());
        }
    }

    /// The name that PD knows us by.
    fn service(&self) -> Result<Untrusted> {
        let mut id = self.id.lock().unwrap_or_else(PoisonError::into_inner);
        if id.is_none() {
            let mut random = [0; 8];
            getrandom::fill(&mut random).map_err(|e| Error::local("the system gives no random bytes").source(e))?;
            *id = Some(format!("{:016x}", u64::from_be_bytes(random)));
        }
        Ok(GcHold::service_of(id.as_deref().unwrap_or_default()))
    }

    fn current(&self) -> Option<Arc<KeptHold>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, held: Option<Arc<KeptHold>>) -> Option<Arc<KeptHold>> {
        std::mem::replace(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner), held)
    }

    /// Makes sure that a hold, if there is one, was not lost. What is lost is told once: nobody holds it any more.
    ///
    /// # Errors
    /// `hold_lost`.
    pub(super) fn check(&self) -> Result<()> {
        let lost = self.current().and_then(|held| held.lost());
        match lost {
            None => Ok(()),
            Some(error) => {
                if let Some(held) = self.put(None) {
                    held.end();
                }
                Err(error)
            }
        }
    }

    /// Holds GC at `ts`, for `ttl` after each sign of life, and begins to keep that alive. Another one of ours that is there goes
    /// on if PD does not take this.
    ///
    /// # Errors
    /// `invalid` for a timestamp that PD has not given; `rejected` when GC has passed it, naming who holds the smallest safe point;
    /// `unreachable`, `timeout`.
    pub(super) async fn take(&self, ts: Tso, ttl: Duration, sent: &Sent) -> Result<GcHold> {
        let deadline = self.etcd.deadline();
        let now = self.pd.tso(deadline, None).await?;
        check_hold(ts, now, self.pd.gc_safe_point(deadline, None).await?)?;
        let service = match self.current() {
            Some(held) => held.hold.service.clone(),
            None => self.service()?,
        };
        let hold = GcHold { service, safe_point: ts, ttl };
        sent.mark(format!("gc_safepoints() shows whether {} is among those who hold GC", hold.service));
        match tell(&self.pd, &hold, deadline).await? {
            HoldReply::Held(until) => {
                let state = HoldState { until, lost: None, keeper: None };
                let held = Arc::new(KeptHold { hold: hold.clone(), state: Mutex::new(state) });
                held.begin(&self.etcd, &self.pd, self.interrupt.clone());
                if let Some(before) = self.put(Some(held)) {
                    before.end();
                }
                Ok(hold)
            }
            HoldReply::Refused(error) => Err(error),
        }
    }

    /// Gives up the hold of `service`, or our own. One that is not there is no error.
    ///
    /// # Errors
    /// `unreachable`, `timeout`: it ends by itself.
    pub(super) async fn give_up(&self, service: Option<&Untrusted>, sent: &Sent) -> Result<()> {
        let deadline = self.etcd.deadline();
        let own = self.current();
        let named = match (service, &own) {
            (Some(service), _) => service.clone(),
            (None, Some(own)) => own.hold.service.clone(),
            (None, None) => self.service()?,
        };
        // Whoever renews it meanwhile would take it again; if PD cannot be told now, it ends by itself.
        if own.is_some_and(|own| own.hold.service == named)
            && let Some(own) = self.put(None)
        {
            own.end();
        }
        sent.mark(format!("gc_safepoints() shows whether {named} is among those who hold GC"));
        self.pd.hold_gc(&named, Tso(0), 0, deadline).await.map(drop)
    }
}

/// What PD says to a hold.
enum HoldReply {
    /// It heeds it until then at least, in time since the host was started.
    Held(Duration),
    /// It did not take it.
    Refused(Error),
}

/// Tells PD of `hold` once.
///
/// # Errors
/// `unreachable`, `timeout`; `rejected` where PD is not bootstrapped, or another cluster's.
async fn tell(pd: &Pd, hold: &GcHold, deadline: Deadline) -> Result<HoldReply> {
    let asked = since_boot();
    let ttl = hold.ttl.as_secs();
    let seconds = i64::try_from(ttl).unwrap_or(i64::MAX);
    let (service, smallest) = pd.hold_gc(&hold.service, hold.safe_point, seconds, deadline).await?;
    Ok(match smallest > hold.safe_point {
        true => HoldReply::Refused(hold_refused(hold.safe_point, &service, smallest)),
        false => HoldReply::Held(asked.saturating_add(Duration::from_secs(ttl))),
    })
}

impl KeptHold {
    fn state(&self) -> std::sync::MutexGuard<'_, HoldState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it is kept alive.
    fn begin(self: &Arc<Self>, etcd: &Arc<Etcd>, pd: &Arc<Pd>, interrupt: Interrupt) {
        let keeper = tokio::spawn(keep(etcd.clone(), pd.clone(), self.clone(), WishToStop::new(interrupt)));
        self.state().keeper = Some(keeper);
    }

    /// Nobody keeps it alive any more.
    fn end(&self) {
        if let Some(keeper) = self.state().keeper.take() {
            keeper.abort();
        }
    }

    /// Why it is lost, if it is: PD said so, or its end came without a sign of life.
    fn lost(&self) -> Option<Error> {
        let state = self.state();
        let is_over = since_boot() >= state.until;
        state.lost.clone().or_else(|| is_over.then(|| hold_lost(&self.hold, &not_renewed(self.hold.ttl))))
    }

    /// Keeps it alive once; false, for good, when PD holds nothing at it any more.
    async fn renew(&self, etcd: &Etcd, pd: &Pd) -> Result<bool> {
        let deadline = etcd.deadline().at_most(self.hold.ttl / 3);
        match tell(pd, &self.hold, deadline).await? {
            HoldReply::Held(until) => {
                let mut state = self.state();
                state.until = state.until.max(until);
                Ok(true)
            }
            HoldReply::Refused(error) => {
                self.state().lost = Some(hold_lost(&self.hold, &error.message));
                Ok(false)
            }
        }
    }
}

/// Keeps the hold alive three times in its life, and tries again soon when that fails.
async fn keep(etcd: Arc<Etcd>, pd: Arc<Pd>, held: Arc<KeptHold>, mut wish: WishToStop) {
    let ttl = held.hold.ttl;
    let mut rest = ttl / 3;
    loop {
        wish.rest(rest).await;
        rest = match held.renew(&etcd, &pd).await {
            Ok(true) => ttl / 3,
            Err(_) => ttl / 20,
            Ok(false) => return,
        };
    }
}
