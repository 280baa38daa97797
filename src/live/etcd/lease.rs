//! Leases: keys that go when nobody keeps them alive.
//!
//! A keep-alive is one question that is answered once, not a stream that somebody must watch: so it moves to another
//! endpoint like every other question.

use super::{Etcd, client};
use crate::error::Result;
use crate::live::clock::Deadline;
use crate::world::LockLease;
use std::time::Duration;
use tonic::Code;

/// A lease of about `ttl`: its id, and how long it lives.
///
/// # Errors
/// `unreachable`, `timeout`.
pub(in crate::live) async fn grant(etcd: &Etcd, ttl: Duration) -> Result<(i64, Duration)> {
    let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX).max(1);
    let ask = move |channel| async move {
        let granted = client(channel).await?.lease_client().grant(seconds, None).await?;
        Ok((granted.id(), seconds_of(granted.ttl())))
    };
    // An endpoint that was asked in vain may have granted one too: nobody keeps that alive, and nothing hangs on it.
    Ok(etcd.ask("get a lease", etcd.deadline(), ask).await?.1)
}

/// Keeps the lease alive for as long again as it was granted, from when this was asked; false if etcd says that there is
/// none.
///
/// # Errors
/// `unreachable`, `timeout`.
pub(in crate::live) async fn keep_alive(etcd: &Etcd, lease: i64, deadline: Deadline) -> Result<bool> {
    let ask = move |channel| async move {
        // Returns once the first keep-alive is answered; the stream is not needed any longer.
        match client(channel).await?.lease_client().keep_alive(lease).await {
            Ok(_) => Ok(true),
            Err(etcd_client::Error::LeaseKeepAliveError(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    };
    Ok(etcd.ask("keep the maintenance lock alive", deadline, ask).await?.1)
}

/// Ends the lease, and with it every key that hangs on it. One that has ended is no error.
///
/// # Errors
/// `unreachable`, `timeout`.
pub(in crate::live) async fn revoke(etcd: &Etcd, lease: i64, deadline: Deadline) -> Result<()> {
    let ask = move |channel| async move {
        match client(channel).await?.lease_client().revoke(lease).await {
            Ok(_) => Ok(()),
            Err(etcd_client::Error::GRpcStatus(status)) if status.code() == Code::NotFound => Ok(()),
            Err(error) => Err(error.into()),
        }
    };
    etcd.ask("give the maintenance lock back", deadline, ask).await.map(drop)
}

/// How long the lease lives; `None` if there is none.
///
/// # Errors
/// `unreachable`, `timeout`.
pub(in crate::live) async fn life(etcd: &Etcd, lease: i64) -> Result<Option<LockLease>> {
    let ask = move |channel| async move {
        let life = client(channel).await?.lease_client().time_to_live(lease, None).await?;
        let left = (life.ttl() >= 0).then(|| seconds_of(life.ttl()));
        Ok(left.map(|left| LockLease { granted: seconds_of(life.granted_ttl()), left }))
    };
    Ok(etcd.ask("look at the lease of the maintenance lock", etcd.deadline(), ask).await?.1)
}

fn seconds_of(ttl: i64) -> Duration {
    Duration::from_secs(u64::try_from(ttl).unwrap_or(0))
}
