//! Host names to addresses, within a deadline, many at the same time.
//!
//! The system's resolver blocks for seconds when a name server is silent. So each name is looked up on a thread of its own,
//! whoever wants it meanwhile waits for that, nobody longer than their limit, and what was found, or not, is believed for a
//! moment: who has no address costs nobody else anything.

use crate::live::clock::{Deadline, Stopwatch, within};
use crate::time::show_seconds;
use hyper_util::client::legacy::connect::dns::Name;
use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::task::{JoinSet, spawn_blocking};
use tonic::codegen::Service;

/// For how long what was found is believed: a process that comes back elsewhere has a new address soon.
const FRESH: Duration = Duration::from_secs(2);

/// A name that has no address here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unresolved {
    name: String,
    why: String,
}

impl std::fmt::Display for Unresolved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the name {} does not resolve on this host ({})", self.name, self.why)
    }
}

impl std::error::Error for Unresolved {}

type Resolved = Result<Vec<SocketAddr>, Unresolved>;
type Turn = tokio::sync::Mutex<()>;
type Lookup = fn(&str) -> io::Result<Vec<SocketAddr>>;

/// What is known of names, shared by all who look them up; each has a limit of its own.
#[derive(Clone)]
pub(super) struct NameCache {
    known: Arc<Mutex<HashMap<String, KnownName>>>,
    /// Whoever looks a name up has its turn.
    turns: Arc<Mutex<HashMap<String, Arc<Turn>>>>,
    lookup: Lookup,
    limit: Duration,
}

struct KnownName {
    since: Stopwatch,
    found: Resolved,
    /// If nobody answered: how long that was waited for.
    in_vain: Option<Duration>,
}

impl NameCache {
    /// The system's resolver, for which nobody waits longer than `limit`.
    pub(super) fn new(limit: Duration) -> Self {
        let (known, turns) = Default::default();
        Self { known, turns, lookup: |name| Ok((name, 0).to_socket_addrs()?.collect()), limit }
    }

    /// The same for somebody with another limit.
    pub(super) fn within(&self, limit: Duration) -> Self {
        Self { limit, ..self.clone() }
    }

    /// The addresses of `name`.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn resolve(&self, name: &str) -> Resolved {
        if let Some(found) = self.known(name) {
            return found;
        }
        let (deadline, turn) = (Deadline::after(self.limit), self.turn(name));
        let turn = within(deadline, turn.lock()).await;
        if let Some(found) = self.known(name) {
            return found;
        }
        let (lookup, asked) = (self.lookup, name.to_owned());
        let work = async {
            match &turn {
                Some(_) => spawn_blocking(move || lookup(&asked)).await,
                // Somebody with more patience still looks it up.
                None => std::future::pending().await,
            }
        };
        let unresolved = |why: String| Unresolved { name: name.to_owned(), why };
        let (found, in_vain) = match within(deadline, work).await {
            Some(Ok(Ok(addresses))) if addresses.is_empty() => (Err(unresolved("it has no address".into())), None),
            Some(Ok(Ok(addresses))) => (Ok(addresses), None),
            Some(Ok(Err(error))) => {
                let why = error.to_string();
                // The standard library's words before the system's own.
                let why = why.strip_prefix("failed to lookup address information: ").unwrap_or(&why);
                (Err(unresolved(why.to_owned())), None)
            }
            Some(Err(_)) => (Err(unresolved("looking it up failed".into())), None),
            None => {
                let waited = show_seconds(self.limit.as_secs_f64());
                (Err(unresolved(format!("no name server has answered in {waited}"))), Some(self.limit))
            }
        };
        let known = KnownName { since: Stopwatch::start(), found: found.clone(), in_vain };
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), known);
        found
    }

    fn turn(&self, name: &str) -> Arc<Turn> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        turns.entry(name.to_owned()).or_default().clone()
    }

    fn known(&self, name: &str) -> Option<Resolved> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(name).filter(|known| known.since.elapsed() < FRESH)?;
        // Who has more patience waits once more.
        known.in_vain.is_none_or(|waited| waited >= self.limit).then(|| known.found.clone())
    }

    /// Looks up the hosts of all `addresses` (`host:port`) at the same time, so that nobody waits for one after the other.
    pub(super) async fn prepare<'a>(&self, addresses: impl Iterator<Item = &'a str>) {
        let hosts: HashSet<&str> = addresses.filter_map(|address| Some(address.rsplit_once(':')?.0)).collect();
        let names = hosts.into_iter().filter(|host| !host.starts_with('[') && host.parse::<IpAddr>().is_err());
        let mut under_way = JoinSet::new();
        for name in names {
            let (own, name) = (self.clone(), name.to_owned());
            under_way.spawn(async move { own.resolve(&name).await.map(drop) });
        }
        while under_way.join_next().await.is_some() {}
    }
}

/// For whoever connects.
impl Service<Name> for NameCache {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = Unresolved;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Unresolved>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unresolved>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let own = self.clone();
        Box::pin(async move { Self::resolve(&own, name.as_str()).await.map(Vec::into_iter) })
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a name server that is slow is so in real time")]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static LOOKED_UP: AtomicUsize = AtomicUsize::new(0);

    fn run<T>(work: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(work);
        runtime.shutdown_background();
        result
    }

    fn with(lookup: Lookup, limit_ms: u64) -> NameCache {
        NameCache { lookup, ..NameCache::new(Duration::from_millis(limit_ms)) }
    }

    /// A name server that says nothing, as the system's resolver shows it.
    fn silent(_: &str) -> io::Result<Vec<SocketAddr>> {
        std::thread::sleep(Duration::from_secs(3));
        Ok(Vec::new())
    }

    #[test]
    fn many_names_that_nobody_answers_for_cost_no_more_than_one() {
        let watch = Stopwatch::start();
        let names = with(silent, 300);
        let addresses: Vec<String> = (0..400).map(|at| format!("pump-{at}.pods:8250")).collect();
        run(async {
            names.prepare(addresses.iter().map(String::as_str)).await;
            for address in &addresses {
                let unresolved = names.resolve(address.rsplit_once(':').unwrap().0).await.unwrap_err().to_string();
                assert!(unresolved.contains("does not resolve on this host (no name server has answered in 0.3s)"));
            }
        });
        assert!(watch.elapsed() < Duration::from_secs(2), "{:?}", watch.elapsed());
    }

    #[test]
    fn who_has_more_patience_asks_once_more_and_a_definite_answer_is_believed() {
        fn counted(name: &str) -> io::Result<Vec<SocketAddr>> {
            LOOKED_UP.fetch_add(1, Ordering::SeqCst);
            match name {
                "slow" => std::thread::sleep(Duration::from_millis(200)),
                _ => return Err(io::Error::other("failed to lookup address information: Name or service not known")),
            }
            Ok(vec![([127, 0, 0, 1], 0).into()])
        }
        let hasty = with(counted, 20);
        run(async {
            assert!(hasty.resolve("slow").await.is_err());
            assert!(hasty.within(Duration::from_secs(10)).resolve("slow").await.is_ok());
            let words = hasty.resolve("nowhere").await.unwrap_err().to_string();
            assert_eq!(words, "the name nowhere does not resolve on this host (Name or service not known)");
            assert!(hasty.resolve("nowhere").await.is_err());
        });
        assert_eq!(LOOKED_UP.load(Ordering::SeqCst), 3, "twice the slow one, once the other");
    }
}
