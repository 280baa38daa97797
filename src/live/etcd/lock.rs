//! The lock's key: created by one, seen by all, deleted by its revision.
//!
//! Every question here may be asked twice: a key is created with a lease that only one session has, and deleted only as
//! it was seen.

use super::{Etcd, gets, kv, watcher};
use crate::error::Result;
use crate::live::clock::{Deadline, pause, within};
use crate::live::failover::Refusal;
use etcd_client::{Compare, CompareOp, KeyValue, PutOptions, Txn, TxnOp, WatchOptions};
use std::time::Duration;

/// What came of the wish to create a key.
pub(in crate::live) enum Created {
    /// It is ours, created at this revision.
    Ours(i64),
    /// Somebody else's stands there; with the revision at which that was seen.
    Taken(Box<KeyValue>, i64),
    /// Somebody else's stood there, and is gone already.
    Gone,
}

/// Creates `key` with `lease`, if it is not there.
///
/// # Errors
/// `unreachable`, `timeout`: it may be there all the same, until the lease ends.
pub(in crate::live) async fn create(etcd: &Etcd, key: &'static str, value: &str, lease: i64) -> Result<Created> {
    let ask = |channel| {
        let put = TxnOp::put(key, value, Some(PutOptions::new().with_lease(lease)));
        let absent = Compare::create_revision(key, CompareOp::Equal, 0);
        let txn = Txn::new().when([absent]).and_then([put]).or_else([TxnOp::get(key, None)]);
        async move {
            let response = kv(channel).await?.txn(txn).await?;
            let revision = response.header().map_or(0, |header| header.revision());
            if response.succeeded() {
                return Ok(Created::Ours(revision));
            }
            let found = gets(&response).first().and_then(|get| get.kvs().first().cloned());
            Ok(match found {
                // The same wish came first on another way.
                Some(found) if found.lease() == lease => Created::Ours(found.create_revision()),
                Some(found) => Created::Taken(Box::new(found), revision),
                None => Created::Gone,
            })
        }
    };
    Ok(etcd.ask("take the maintenance lock", etcd.deadline(), ask).await?.1)
}

/// What stands under `key`, and the revision at which that was so.
///
/// # Errors
/// `unreachable`, `timeout`.
pub(in crate::live) async fn look(etcd: &Etcd, key: &'static str) -> Result<(Option<KeyValue>, i64)> {
    let ask = |channel| async move {
        let mut response = kv(channel).await?.get(key, None).await?;
        let revision = response.header().map_or(0, |header| header.revision());
        Ok((response.take_kvs().pop(), revision))
    };
    Ok(etcd.ask("look at the maintenance lock", etcd.deadline(), ask).await?.1)
}

/// Deletes `key` if it was created at `create_revision`. Gives the create revision of what stands there instead, if
/// anything does.
///
/// # Errors
/// `unreachable`, `timeout`.
pub(in crate::live) async fn delete_created(
    etcd: &Etcd,
    key: &'static str,
    create_revision: i64,
) -> Result<Option<i64>> {
    let ask = |channel| {
        let same = Compare::create_revision(key, CompareOp::Equal, create_revision);
        let txn = Txn::new().when([same]).and_then([TxnOp::delete(key, None)]).or_else([TxnOp::get(key, None)]);
        async move {
            let response = kv(channel).await?.txn(txn).await?;
            Ok(gets(&response).first().and_then(|get| get.kvs().first().map(KeyValue::create_revision)))
        }
    };
    Ok(etcd.ask("take the maintenance lock away", etcd.deadline(), ask).await?.1)
}

/// Waits until something happens to `key` after `revision`, or `limit`, or the watch breaks. Whoever waits looks again:
/// so nothing is missed, and silence is believed no longer than that.
pub(in crate::live) async fn wait_for_change(etcd: &Etcd, key: &'static str, revision: i64, limit: Deadline) {
    let broken = within(limit, watch(etcd, key, revision)).await.is_some_and(|seen| seen.is_err());
    if broken {
        pause(Duration::from_millis(100).min(limit.left())).await;
    }
}

/// Watches at the endpoint that answered last.
async fn watch(etcd: &Etcd, key: &'static str, revision: i64) -> Result<(), Refusal> {
    let broken = || Refusal::Elsewhere("the watch broke".into());
    let (_, channel) = etcd.nearest().await?;
    let options = WatchOptions::new().with_start_revision(revision.saturating_add(1));
    let mut stream = watcher(channel).await?.watch(key, Some(options)).await?;
    loop {
        let message = stream.message().await?.ok_or_else(broken)?;
        if !message.events().is_empty() || message.compact_revision() > 0 {
            return Ok(());
        }
        if message.canceled() {
            return Err(broken());
        }
    }
}
