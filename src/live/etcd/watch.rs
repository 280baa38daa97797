//! Waiting until a record changes otherwise than by a heartbeat.

use super::{Etcd, list, watcher};
use crate::error::Result;
use crate::live::answers::is_too_large;
use crate::live::clock::{Deadline, within};
use crate::live::failover::Refusal;
use crate::node::{Kind, ROOT, Record};
use crate::world::Listing;
use etcd_client::{Event, EventType, KeyValue, WatchOptions, WatchStream};
use std::time::Duration;

/// How a watch ended.
enum WatchEvent {
    /// Something changed, or what did cannot be told: the listing tells.
    Change,
    /// Nothing for as long as one believes silence.
    Silence,
    /// The watch broke.
    Broken,
}

/// The listing once some record was changed after revision `after` otherwise than by a heartbeat, or `patience` is
/// over.
///
/// Silence is believed for one time-out only: then another read must prove that the endpoint lives, or moves the watch
/// to another. The watch always begins at `after`, so that no change between two watches is missed.
///
/// # Errors
/// `unreachable` or `timeout`, naming every endpoint that was tried.
pub(in crate::live) async fn changes(etcd: &Etcd, after: i64, patience: Duration) -> Result<Listing> {
    let deadline = Deadline::after(patience);
    loop {
        let window = deadline.at_most(etcd.wire.settings.timeout);
        let seen = within(window, watch(etcd, after)).await.unwrap_or(WatchEvent::Silence);
        let listing = list(etcd, etcd.deadline()).await?;
        if matches!(seen, WatchEvent::Change) || deadline.is_over() {
            return Ok(listing);
        }
        if matches!(seen, WatchEvent::Broken) {
            crate::live::clock::pause(Duration::from_millis(100).min(deadline.left())).await;
        }
    }
}

/// Watches at the endpoint that answered last until something happens.
async fn watch(etcd: &Etcd, after: i64) -> WatchEvent {
    let Ok((url, channel)) = etcd.nearest().await else { return WatchEvent::Broken };
    let exchange = etcd.wire.exchange(&url, format!("watch from {}", after + 1));
    let (seen, words) = match watch_on(channel, after).await {
        Ok(seen) => (seen, "ok".into()),
        Err(refusal) => (WatchEvent::Broken, refusal.words().unwrap_or_else(|error| error.to_string())),
    };
    exchange.ended(words);
    seen
}

async fn watch_on(channel: tonic::transport::Channel, after: i64) -> Result<WatchEvent, Refusal> {
    let options = WatchOptions::new().with_prefix().with_prev_key().with_start_revision(after.saturating_add(1));
    let mut stream: WatchStream = watcher(channel).await?.watch(ROOT, Some(options)).await?;
    loop {
        let message = match stream.message().await {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(WatchEvent::Broken),
            // Too much happened to be told at once.
            Err(etcd_client::Error::GRpcStatus(status)) if is_too_large(&status) => return Ok(WatchEvent::Change),
            Err(other) => return Err(other.into()),
        };
        // Compacted: what changed meanwhile cannot be told apart any more.
        if message.compact_revision() > 0 {
            return Ok(WatchEvent::Change);
        }
        if message.canceled() {
            return Ok(WatchEvent::Broken);
        }
        if message.events().iter().any(is_more_than_a_heartbeat) {
            return Ok(WatchEvent::Change);
        }
    }
}

/// Whether the event is a node's, and is anything but a heartbeat: a put that changes a heartbeat's fields only.
fn is_more_than_a_heartbeat(event: &Event) -> bool {
    let Some(now) = event.kv() else { return false };
    if !Kind::ALL.iter().any(|kind| now.key().starts_with(kind.prefix().as_bytes())) {
        return false;
    }
    let parse = |kv: &KeyValue| Record::parse(std::str::from_utf8(kv.key()).ok()?, kv.value(), kv.mod_revision()).ok();
    let (before, after) = (event.prev_kv().and_then(parse), parse(now));
    match (event.event_type(), before, after) {
        // What cannot be compared may have changed.
        (EventType::Put, Some(before), Some(after)) => {
            before.differences(&after).map_or(true, |found| !found.is_empty())
        }
        _ => true,
    }
}
