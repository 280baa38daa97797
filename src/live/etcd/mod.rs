//! The cluster's records in etcd: listing, watching, compare-and-swap.
//!
//! Reads are linearizable and go to whichever endpoint answers; writes are transactions that compare what was read, so
//! that no update is lost and the answer to "did it happen" can always be looked up. Must not know what the records
//! are changed for.

mod alarm;
mod changefeeds;
mod events;
mod gc;
mod lease;
mod list;
mod lock;
mod pages;
mod swap;
mod tidb;
mod watch;

pub(super) use alarm::{Raised, alarms};
pub(super) use changefeeds::changefeeds;
pub(super) use events::{HeldWatch, events};
pub(super) use gc::gc_services;
pub(super) use lease::{grant, keep_alive, life, revoke};
pub(super) use list::list;
pub(super) use lock::{Created, create, delete_created, look, wait_for_change};
pub(super) use swap::{check_fence, delete, is_held, swap};
pub(super) use tidb::tidbs;
pub(super) use watch::changes;

use crate::error::Result;
use crate::live::clock::Deadline;
use crate::live::failover::{Again, AskingPlan, EndpointUrl, FirstAnswer, Refusal, Unanswered, race};
use crate::live::members::{Members, sources};
use crate::live::pace::Pace;
use crate::live::wire::Wire;
use crate::text::on_one_line;
use etcd_client::{Client, GetOptions, KeyValue, KvClient, TxnOpResponse, TxnResponse, WatchClient};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tonic::transport::Channel;

/// The largest answer that is read. Pages keep answers small; a value can be large.
pub(super) const MAX_ANSWER: usize = 64 << 20;

/// etcd through the endpoints of the settings, and those of PD's other members.
pub(super) struct Etcd {
    pub(super) wire: Arc<Wire>,
    pub(super) members: Members,
    /// Who answered last.
    preferred: Mutex<Option<String>>,
    pace: Mutex<Pace>,
}

impl Etcd {
    /// Connects nothing.
    pub(super) fn new(wire: Arc<Wire>) -> Self {
        Self { wire, members: Members::default(), preferred: Mutex::default(), pace: Mutex::default() }
    }

    /// The endpoints, who answered last first.
    pub(super) fn endpoints(&self) -> Vec<EndpointUrl> {
        sources(&self.wire.settings, &self.members, self.preferred().as_deref())
    }

    fn preferred(&self) -> Option<String> {
        self.preferred.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The connection to whoever answered last, to which something can be sent.
    pub(super) async fn nearest(&self) -> Result<(String, Channel), Refusal> {
        let nobody = || Refusal::Elsewhere("there is no endpoint".into());
        let source = self.endpoints().into_iter().next().ok_or_else(nobody)?;
        let channel = self.wire.channel(&source.url).map_err(Refusal::Final)?;
        self.members.clone().ours(source.clone(), channel.clone()).await?;
        Ok((source.url, channel))
    }

    /// Asks an endpoint, and others if it does not answer: all that were given at the same time while none is known to
    /// live. Who fails for a reason that may pass is asked again until the deadline.
    pub(super) async fn ask<T, F, W>(&self, what: &str, deadline: Deadline, ask: F) -> Result<(String, T)>
    where
        T: Send + 'static,
        F: Fn(Channel) -> W,
        W: Future<Output = Result<T, Refusal>> + Send + 'static,
    {
        let preferred = self.preferred();
        let patience = self.pace.lock().unwrap_or_else(PoisonError::into_inner).patience();
        let plan = match &preferred {
            Some(_) => AskingPlan { together: false, again: Again::Everybody, patience },
            None => AskingPlan { together: true, again: Again::Passing, patience },
        };
        let ask = |source: &EndpointUrl, channel: Channel| {
            let ours = self.members.clone().ours(source.clone(), channel.clone());
            let work = ask(channel);
            async move {
                ours.await?;
                work.await
            }
        };
        match race(&self.wire, &self.endpoints(), plan, deadline, what, ask).await {
            Ok(FirstAnswer { source, took, answer }) => {
                self.answered(&source.url, preferred, took);
                Ok((source.url, answer))
            }
            Err(unanswered) => {
                if let Unanswered::Nobody(_) = unanswered {
                    self.members.doubt();
                }
                Err(unanswered.into_error(what))
            }
        }
    }

    /// Remembers who answered, and how long it took. PD is asked for its members at first, and again when another had to
    /// answer.
    fn answered(&self, url: &str, before: Option<String>, took: Duration) {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).note(took);
        if before.as_deref().is_some_and(|before| before != url) {
            self.members.doubt();
        }
        *self.preferred.lock().unwrap_or_else(PoisonError::into_inner) = Some(url.to_owned());
        if let Some(asking) = self.members.if_due() {
            Members::learn(asking, self.wire.clone(), url.to_owned());
        }
    }

    /// The key and its value, and the endpoint that gave it.
    pub(super) async fn get(&self, key: &str, deadline: Deadline) -> Result<(String, Option<KeyValue>)> {
        let what = format!("read {}", on_one_line(key));
        let ask = |channel| {
            let key = key.to_owned();
            async move { Ok(kv(channel).await?.get(key, None).await?.take_kvs().pop()) }
        };
        self.ask(&what, deadline, ask).await
    }

    /// The revision of the key's last write, and the endpoint that gave it: its value may be larger than can be read.
    async fn last_write(&self, key: &[u8], shown: &str, deadline: Deadline) -> Result<(String, Option<i64>)> {
        let what = format!("look at {shown}");
        let ask = |channel| {
            let key = key.to_owned();
            async move {
                let answer = kv(channel).await?.get(key, Some(GetOptions::new().with_keys_only())).await?;
                Ok(answer.kvs().first().map(KeyValue::mod_revision))
            }
        };
        self.ask(&what, deadline, ask).await
    }

    /// The deadline of one exchange that begins now.
    pub(super) fn deadline(&self) -> Deadline {
        Deadline::after(self.wire.settings.timeout)
    }
}

/// Speaks etcd's services over `channel`.
async fn client(channel: Channel) -> Result<Client, etcd_client::Error> {
    Client::from_channel(etcd_client::Channel::Tonic(channel), None).await
}

async fn kv(channel: Channel) -> Result<KvClient, etcd_client::Error> {
    Ok(client(channel).await?.kv_client().max_decoding_message_size(MAX_ANSWER))
}

async fn watcher(channel: Channel) -> Result<WatchClient, etcd_client::Error> {
    Ok(client(channel).await?.watch_client().max_decoding_message_size(MAX_ANSWER))
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
