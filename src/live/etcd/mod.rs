//! The cluster's records in etcd: listing, watching, compare-and-swap.
//!
//! Reads are linearizable and go to whichever endpoint answers; writes are transactions that compare what was read, so
//! that no update is lost and the answer to "did it happen" can always be looked up. Must not know what the records
//! are changed for.

mod lease;
mod list;
mod lock;
mod swap;
mod tidb;
mod watch;

pub(super) use lease::{grant, keep_alive, life, revoke};
pub(super) use list::list;
pub(super) use lock::{Created, create, delete_created, look, wait_for_change};
pub(super) use swap::{check_fence, delete, swap};
pub(super) use tidb::tidbs;
pub(super) use watch::changes;

use crate::error::Result;
use crate::live::clock::Deadline;
use crate::live::failover::{Refusal, race};
use crate::live::wire::Wire;
use etcd_client::{Client, KeyValue, KvClient, LeaseClient, TxnOpResponse, TxnResponse, WatchClient};
use std::sync::{Arc, Mutex, PoisonError};
use tonic::transport::Channel;

/// The largest answer that is read. Pages keep answers small; a value can be large.
const MAX_ANSWER: usize = 64 << 20;

/// etcd through the endpoints of the settings.
pub(super) struct Etcd {
    pub(super) wire: Arc<Wire>,
    /// Who answered last.
    preferred: Mutex<Option<String>>,
}

impl Etcd {
    /// Connects nothing.
    pub(super) fn new(wire: Arc<Wire>) -> Self {
        Self { wire, preferred: Mutex::default() }
    }

    /// The endpoints, who answered last first.
    pub(super) fn endpoints(&self) -> Vec<String> {
        let mut urls = self.wire.settings.pd_urls.clone();
        let preferred = self.preferred.lock().unwrap_or_else(PoisonError::into_inner).clone();
        urls.sort_by_key(|url| Some(url) != preferred.as_ref());
        urls
    }

    fn known(&self) -> bool {
        self.preferred.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Asks an endpoint, and others if it does not answer: all at the same time while none is known to live.
    pub(super) async fn ask<T, F, W>(&self, what: &str, deadline: Deadline, ask: F) -> Result<(String, T)>
    where
        T: Send + 'static,
        F: Fn(Channel) -> W,
        W: Future<Output = Result<T, Refusal>> + Send + 'static,
    {
        let answer = race(&self.wire, &self.endpoints(), !self.known(), deadline, what, ask).await;
        let (url, answer) = answer.map_err(|unanswered| unanswered.into_error(what))?;
        *self.preferred.lock().unwrap_or_else(PoisonError::into_inner) = Some(url.clone());
        Ok((url, answer))
    }

    /// The key and its value, and the endpoint that gave it.
    pub(super) async fn get(&self, key: &str, deadline: Deadline) -> Result<(String, Option<KeyValue>)> {
        let what = format!("read {key}");
        let ask = |channel| {
            let key = key.to_owned();
            async move { Ok(kv(channel).await?.get(key, None).await?.take_kvs().pop()) }
        };
        self.ask(&what, deadline, ask).await
    }

    /// The deadline of one exchange that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.wire.settings.timeout)
    }
}

/// Speaks etcd's key-value service over `channel`.
async fn kv(channel: Channel) -> Result<KvClient, etcd_client::Error> {
    let client = Client::from_channel(etcd_client::Channel::Tonic(channel), None).await?;
    Ok(client.kv_client().max_decoding_message_size(MAX_ANSWER))
}

/// Speaks etcd's watch service over `channel`.
async fn watcher(channel: Channel) -> Result<WatchClient, etcd_client::Error> {
    let client = Client::from_channel(etcd_client::Channel::Tonic(channel), None).await?;
    Ok(client.watch_client().max_decoding_message_size(MAX_ANSWER))
}

/// Speaks etcd's lease service over `channel`.
async fn lease_client(channel: Channel) -> Result<LeaseClient, etcd_client::Error> {
    Ok(Client::from_channel(etcd_client::Channel::Tonic(channel), None).await?.lease_client())
}

/// The end of the range of all keys that begin with `prefix`.
fn end_of(prefix: &str) -> Vec<u8> {
    let mut end = prefix.as_bytes().to_vec();
    // Our prefixes end in `/`, which has a successor.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

/// What the reads of a transaction gave, in their order.
fn gets(response: &TxnResponse) -> Vec<etcd_client::GetResponse> {
    let all = response.op_responses().into_iter();
    all.filter_map(|answer| if let TxnOpResponse::Get(get) = answer { Some(get) } else { None }).collect()
}
