//! The maintenance lock in PD's etcd: taking it, waiting for it, keeping it, giving it back.
//!
//! It does not exclude by itself: a process that was stopped for a minute goes on without it. So every write to etcd
//! compares the lock's key in its own transaction (`etcd::swap`), and what cannot be compared, a request to a node, is
//! sent only while the lease certainly outlives it.

mod held;

use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::live::clock::{Deadline, Stopwatch, since_boot, unix_ms};
use crate::live::etcd::{self, Created, Etcd};
use crate::time::show_seconds;
use crate::world::{Fence, LOCK_KEY, LockHolder, LockInfo, LockLease, Notice, Progress, lock_lost};
use etcd_client::KeyValue;
use held::HeldLease;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Whoever gives the lock back waits no longer than this for etcd: its lease ends it anyway.
const GIVING_BACK: Duration = Duration::from_secs(2);

/// What a wait shows is renewed this often.
const SHOWN_EVERY: Duration = Duration::from_secs(5);

/// How often the key may vanish between a look and the next before that counts as an error.
const TRIES: usize = 100;

/// The lock as this process may hold it.
pub(super) struct LiveLock {
    etcd: Arc<Etcd>,
    /// Whoever does not listen to it long after it was raised loses the lock.
    interrupt: Interrupt,
    held: Mutex<Option<Arc<HeldLease>>>,
}

impl LiveLock {
    /// Takes nothing.
    pub(super) fn new(etcd: Arc<Etcd>, interrupt: Interrupt) -> Self {
        Self { etcd, interrupt, held: Mutex::default() }
    }

    /// Whether there is anything to give back.
    pub(super) fn is_held(&self) -> bool {
        self.current().is_some()
    }

    fn current(&self) -> Option<Arc<HeldLease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn put(&self, held: Option<Arc<HeldLease>>) -> Option<Arc<HeldLease>> {
        std::mem::replace(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner), held)
    }

    /// Our lock, if it is the one of `fence`.
    fn ours(&self, fence: &Fence) -> Option<Arc<HeldLease>> {
        self.current().filter(|held| held.fence().as_ref() == Some(fence))
    }

    /// Takes the lock, waiting for whoever has it for at most `wait`, and begins to keep it alive.
    ///
    /// # Errors
    /// `locked`, naming the holder; `unreachable`, `timeout`.
    pub(super) async fn take(&self, holder: &LockHolder, wait: Option<Duration>) -> Result<Fence> {
        if let Some(fence) = self.current().and_then(|held| held.fence()) {
            return self.confirm(&fence).await.map(|()| fence);
        }
        let mut waiting = Waiting { watch: Stopwatch::start(), until: wait.map(Deadline::after), shown: false };
        let taken = self.take_in_turn(holder, &mut waiting).await;
        if waiting.shown {
            self.etcd.wire.tell(Notice::ProgressEnd);
        }
        if taken.is_err() {
            // The lease ends by itself if this fails.
            let _ = self.give_back().await;
        }
        taken
    }

    async fn take_in_turn(&self, holder: &LockHolder, waiting: &mut Waiting) -> Result<Fence> {
        for _ in 0..TRIES {
            match self.attempt(holder).await? {
                Created::Ours(create_revision) => {
                    let fence = Fence { key: LOCK_KEY.into(), create_revision };
                    if let Some(held) = self.current() {
                        held.begin(&self.etcd, fence.clone(), self.interrupt.clone());
                    }
                    return Ok(fence);
                }
                Created::Gone => {}
                Created::Taken(found, revision) => {
                    self.give_back().await?;
                    self.until_gone(*found, revision, waiting).await?;
                }
            }
        }
        Err(Error::new(ErrorKind::Locked, "the maintenance lock goes from hand to hand")
            .hint("others work on this cluster: talk to them, or try again later"))
    }

    /// Tries to create the key, with a lease of its own.
    async fn attempt(&self, holder: &LockHolder) -> Result<Created> {
        let held = match self.current() {
            Some(held) => held,
            None => {
                let asked = since_boot();
                let (lease, ttl) = etcd::grant(&self.etcd, self.etcd.wire.settings.lock_ttl).await?;
                let held = Arc::new(HeldLease::new(lease, ttl, asked));
                self.put(Some(held.clone()));
                held
            }
        };
        etcd::create(&self.etcd, LOCK_KEY, &holder.value(unix_ms()), held.lease).await
    }

    /// Waits until the key that was found at `revision` has gone, telling whose it is.
    async fn until_gone(&self, found: KeyValue, revision: i64, waiting: &mut Waiting) -> Result<()> {
        let (mut found, mut revision) = (found, revision);
        loop {
            let info = self.describe(&found).await?;
            let Some(until) = waiting.until.filter(|until| !until.is_over()) else {
                return Err(info.locked(waiting.until.map(|_| waiting.watch.elapsed())));
            };
            let waited = waiting.watch.elapsed();
            let progress = Progress::of("waiting for the maintenance lock").figures(format!("held by {info}"));
            self.etcd.wire.tell(Notice::Progress(progress.after(waited, waited + until.left())));
            waiting.shown = true;
            let window = until.at_most(SHOWN_EVERY.min(self.etcd.wire.settings.lock_ttl / 3));
            etcd::wait_for_change(&self.etcd, LOCK_KEY, revision, window).await;
            (found, revision) = match etcd::look(&self.etcd, LOCK_KEY).await? {
                (None, _) => return Ok(()),
                (Some(now), revision) => (now, revision),
            };
        }
    }

    async fn describe(&self, found: &KeyValue) -> Result<LockInfo> {
        let ended = LockLease { granted: self.etcd.wire.settings.lock_ttl, left: Duration::ZERO };
        let lease = match found.lease() {
            0 => None,
            // One that has just ended takes the key with it in a moment.
            lease => Some(etcd::life(&self.etcd, lease).await?.unwrap_or(ended)),
        };
        Ok(LockInfo::new(found.create_revision(), found.value(), lease))
    }

    /// Makes sure that the lock of `fence` is still ours: its lease lives, and its key is the one that we created. A lease that
    /// is kept alive lives on when somebody takes the key away.
    ///
    /// # Errors
    /// `lock_lost`; `unreachable` or `timeout` when etcd does not answer while the lease lives.
    pub(super) async fn confirm(&self, fence: &Fence) -> Result<()> {
        let Some(held) = self.ours(fence) else {
            return etcd::check_fence(&self.etcd, fence).await;
        };
        match held.left().is_zero() {
            true => self.renewed(&held, fence).await,
            false => self.looked(&held, fence).await,
        }
    }

    /// The key is still ours.
    ///
    /// # Errors
    /// As [`LiveLock::confirm`].
    async fn looked(&self, held: &HeldLease, fence: &Fence) -> Result<()> {
        match held.look(&self.etcd, fence).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(lock_lost(fence)),
            Err(error) if held.left().is_zero() => Err(lock_lost(fence).source(error)),
            Err(error) => Err(error),
        }
    }

    /// Keeps the lock alive now.
    ///
    /// # Errors
    /// `lock_lost` when etcd says so, or its lease may have ended and etcd says nothing; `unreachable` or `timeout`
    /// while it certainly lives.
    async fn renewed(&self, held: &HeldLease, fence: &Fence) -> Result<()> {
        if held.is_gone() {
            return Err(lock_lost(fence));
        }
        match held.renew(&self.etcd, fence).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(lock_lost(fence)),
            Err(error) if held.left().is_zero() => Err(lock_lost(fence).source(error)),
            Err(error) => Err(error),
        }
    }

    /// Right before a request that cannot be fenced and may take `deadline`: the lock is ours, and its lease lives at
    /// least twice as long.
    ///
    /// # Errors
    /// `lock_lost`; `unreachable` or `timeout` when etcd does not answer while the lease lives.
    pub(super) async fn check_for(&self, fence: &Fence, deadline: Duration) -> Result<()> {
        let Some(held) = self.ours(fence) else {
            return etcd::check_fence(&self.etcd, fence).await;
        };
        let enough = deadline * 2;
        for _ in 0..2 {
            if held.left() < enough {
                self.renewed(&held, fence).await?;
            }
            self.looked(&held, fence).await?;
            if held.left() >= enough {
                return Ok(());
            }
        }
        let (left, enough) = (show_seconds(held.left().as_secs_f64()), show_seconds(enough.as_secs_f64()));
        Err(Error {
            message: format!(
                "the maintenance lock {} may end too soon: its lease lives {left} more, and a request to a node needs \
                 {enough}: nothing more was changed",
                fence.key
            ),
            ..lock_lost(fence)
        })
    }

    /// Gives the lock back, if there is one.
    ///
    /// # Errors
    /// `unreachable`, `timeout`: it goes by itself when its lease ends.
    pub(super) async fn give_back(&self) -> Result<()> {
        let Some(held) = self.put(None) else { return Ok(()) };
        held.end();
        etcd::revoke(&self.etcd, held.lease, self.etcd.deadline().at_most(GIVING_BACK)).await
    }

    /// Who holds the lock.
    ///
    /// # Errors
    /// `unreachable`, `timeout`.
    pub(super) async fn status(&self) -> Result<Option<LockInfo>> {
        match etcd::look(&self.etcd, LOCK_KEY).await?.0 {
            None => Ok(None),
            Some(found) => self.describe(&found).await.map(Some),
        }
    }

    /// Takes the lock away from whoever holds it, as it was seen.
    ///
    /// # Errors
    /// `conflict` when it is another one by now; `unreachable`, `timeout`.
    pub(super) async fn break_seen(&self, seen: &LockInfo) -> Result<()> {
        match etcd::delete_created(&self.etcd, LOCK_KEY, seen.create_revision).await? {
            None => Ok(()),
            Some(_) => Err(LockInfo::taken_meanwhile()),
        }
    }
}

/// A wait for the lock.
struct Waiting {
    watch: Stopwatch,
    until: Option<Deadline>,
    shown: bool,
}
