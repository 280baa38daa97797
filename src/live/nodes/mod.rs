//! Pumps and Drainers over HTTP: what they say of themselves, and what they are told.
//!
//! A node answers everything with HTTP status 200; its body decides. Every exchange has a connection of its own, so that
//! "refused" is the truth of this moment and not of a connection made earlier. Must not know what is in etcd.

mod act;
mod http;
mod inspect;
mod metrics;
mod probe;
mod status;
mod tidb;

pub use act::ActionAnswer;
pub(super) use act::{ActOutcome, act, gone, trigger_gc};
pub use http::HttpReply;
pub(super) use inspect::inspect;
pub use metrics::Started;
pub(super) use metrics::{metrics, started_at};
pub(super) use probe::{probe, probe_all};
pub(super) use status::{binlog_at, commit_ts, pump_drainers, statuses};
pub(super) use tidb::{recover_tidb, tidb_binlog};

use crate::error::{Error, Result};
use crate::live::clock::Deadline;
use crate::live::wire::Wire;
use crate::node::NodeRef;
use http::HttpClient;
use rustix::process::{Resource, getrlimit};
use serde::Deserialize;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// How many are asked at the same time at most, and at least.
const AT_ONCE: std::ops::RangeInclusive<usize> = 64..=1024;
/// How many open files are left to the rest of the process.
const OTHER_FILES: usize = 128;

/// The HTTP side of the live world.
pub(super) struct NodeClient {
    wire: Arc<Wire>,
    asker: HttpClient,
    prober: HttpClient,
}

impl NodeClient {
    /// The addresses of a host's name; none where it leads nowhere from here.
    pub(super) async fn addresses_of(&self, host: &str) -> Vec<IpAddr> {
        self.wire.dialer.addresses_of(host).await
    }

    /// Connects nothing.
    pub(super) fn new(wire: Arc<Wire>) -> Self {
        // A connection that takes the whole deadline leaves no time to tell "no route" from "silent".
        let client = |dialer, whole| HttpClient { dialer, tls: wire.tls.clone(), limit: whole * 3 / 4 };
        let (timeout, probe_timeout) = (wire.settings.timeout, wire.settings.probe_timeout);
        let asker = client(wire.dialer.within(timeout / 2), timeout);
        let prober = client(wire.dialer.clone(), probe_timeout);
        Self { wire, asker, prober }
    }

    /// By when a question that is asked now is answered, or in vain.
    fn deadline(&self) -> Deadline {
        Deadline::after(self.wire.settings.timeout)
    }
}

/// The form of most of a node's answers: `code` 200 is success, whatever HTTP says.
#[derive(Debug, Deserialize)]
struct CodedAnswer {
    code: i64,
    message: String,
    #[serde(default)]
    data: serde_json::Value,
}

/// Asks all nodes `whom`, each as soon as it has its turn; who shares an address by the map is known before the first is asked.
async fn each_node<T, F, W>(nodes: &Arc<NodeClient>, whom: &[NodeRef], ask: F) -> Result<Vec<T>>
where
    T: Send + 'static,
    F: Fn(Arc<NodeClient>, NodeRef) -> W,
    W: Future<Output = T> + Send + 'static,
{
    nodes.wire.dialer.announce(whom.iter().map(|node| node.address.as_str()));
    each(whom, |node| ask(nodes.clone(), node)).await
}

/// Asks `everybody` at the same time, and gives what each said in their order. Each has its whole time from the moment at
/// which it is asked: no more wait for their turn than this process has files for, so that those who are silent keep nobody
/// waiting.
pub(super) async fn each<N, T, F, W>(everybody: &[N], ask: F) -> Result<Vec<T>>
where
    N: Clone,
    T: Send + 'static,
    F: Fn(N) -> W,
    W: Future<Output = T> + Send + 'static,
{
    let failed = |why| Error::internal("asking somebody failed").source(why);
    let permits = Arc::new(Semaphore::new(at_once()));
    let (mut under_way, mut said) = (JoinSet::new(), Vec::with_capacity(everybody.len()));
    for (at, one) in everybody.iter().enumerate() {
        // It is never closed. Whoever waits for their turn takes no memory yet.
        let permit = permits.clone().acquire_owned().await;
        let work = ask(one.clone());
        under_way.spawn(async move {
            let _permit = permit;
            (at, work.await)
        });
        while let Some(one) = under_way.try_join_next() {
            said.push(one.map_err(failed)?);
        }
    }
    while let Some(one) = under_way.join_next().await {
        said.push(one.map_err(failed)?);
    }
    said.sort_by_key(|(at, _)| *at);
    Ok(said.into_iter().map(|(_, one)| one).collect())
}

/// As many as this process may have files open for: two for each, of which one is a probe.
fn at_once() -> usize {
    let files = getrlimit(Resource::Nofile).current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    (files.saturating_sub(OTHER_FILES) / 2).clamp(*AT_ONCE.start(), *AT_ONCE.end())
}
