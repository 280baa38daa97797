//! Waiting until a record changes.

use super::{Etcd, list, watcher};
use crate::error::Result;
use crate::live::clock::{Deadline, within};
use crate::live::failover::{Refusal, status_words};
use crate::node::{Kind, ROOT};
use crate::world::Listing;
use etcd_client::{Event, WatchOptions, WatchStream};
use std::time::Duration;

/// How a watch ended.
enum Seen {
    /// Something changed, or the history is compacted: the listing tells.
    Change,
    /// Nothing for as long as one believes silence.
    Silence,
    /// The watch broke.
    Broken,
}

/// The listing once some record has changed after revision `after`, or `patience` is over.
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
        let seen = within(window, watch(etcd, after)).await.unwrap_or(Seen::Silence);
        let listing = list(etcd, etcd.deadline()).await?;
        let changed =
            listing.records.iter().map(|r| r.mod_revision).chain(listing.malformed.iter().map(|m| m.mod_revision));
        if matches!(seen, Seen::Change) || deadline.is_over() || changed.max().is_some_and(|newest| newest > after) {
            return Ok(listing);
        }
        if matches!(seen, Seen::Broken) {
            crate::live::clock::pause(Duration::from_millis(100).min(deadline.left())).await;
        }
    }
}

/// Watches at the endpoint that answered last until something happens.
async fn watch(etcd: &Etcd, after: i64) -> Seen {
    let Some(url) = etcd.endpoints().into_iter().next() else { return Seen::Broken };
    let Ok(channel) = etcd.wire.channel(&url) else { return Seen::Broken };
    let exchange = etcd.wire.exchange(&url, format!("watch from {}", after + 1));
    let (seen, words) = match watch_on(channel, after).await {
        Ok(seen) => (seen, "ok".into()),
        Err(Refusal::Elsewhere(words)) => (Seen::Broken, words),
        Err(Refusal::Final(error)) => (Seen::Broken, error.to_string()),
    };
    exchange.ended(words);
    seen
}

async fn watch_on(channel: tonic::transport::Channel, after: i64) -> Result<Seen, Refusal> {
    let options = WatchOptions::new().with_prefix().with_start_revision(after.saturating_add(1));
    let mut stream: WatchStream = watcher(channel).await?.watch(ROOT, Some(options)).await?;
    loop {
        let message = match stream.message().await {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(Seen::Broken),
            Err(etcd_client::Error::GRpcStatus(status)) => return Err(Refusal::Elsewhere(status_words(&status))),
            Err(other) => return Err(other.into()),
        };
        // Compacted: what changed meanwhile cannot be told apart any more.
        if message.compact_revision() > 0 {
            return Ok(Seen::Change);
        }
        if message.canceled() {
            return Ok(Seen::Broken);
        }
        if message.events().iter().any(concerns_a_node) {
            return Ok(Seen::Change);
        }
    }
}

/// Whether the event's key is beneath one of the two prefixes.
fn concerns_a_node(event: &Event) -> bool {
    let key = event.kv().map_or(&[][..], |kv| kv.key());
    Kind::ALL.iter().any(|kind| key.starts_with(kind.prefix().as_bytes()))
}
