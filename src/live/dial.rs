//! The one way to a `host:port`, for etcd, PD, nodes and TiDB servers alike: the map of addresses, then the proxy or the
//! name servers, then the port.
//!
//! Only where the connection goes is looked up here. Whoever speaks over it (TLS, HTTP) goes on to use the name that was
//! asked for.

use crate::address_map::{AddressMap, place, two_to_one};
use crate::live::members::address_of;
use crate::live::names::{NameCache, Unresolved};
use crate::live::settings::LiveSettings;
use crate::live::socks::{ProxyTrouble, through};
use crate::live::trouble::{io_words, root};
use crate::proxy_url::ProxyUrl;
use hyper_util::client::legacy::connect::HttpConnector;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tonic::codegen::Service;
use tonic::codegen::http::Uri;

/// Makes connections. Clones share what they know; each has a limit of its own for names and proxies.
#[derive(Clone)]
pub(super) struct Dialer {
    route: Arc<Route>,
    names: NameCache,
    limit: Duration,
}

/// How addresses are reached.
struct Route {
    map: AddressMap,
    proxy: Option<ProxyUrl>,
    /// Who was led where: each address with the names that lead there.
    led: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

/// Where an address is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Led {
    /// `host:port`.
    target: String,
    by_map: bool,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) struct NoConnection {
    /// Where the map led, if it did.
    led: Option<String>,
    pub(super) why: DialFailure,
}

/// What was in the way.
#[derive(Debug)]
pub(super) enum DialFailure {
    /// The map leads nowhere, or two names to one address.
    Map(String),
    /// The name has no address here.
    Name(Unresolved),
    /// The port does not connect.
    Port { kind: Option<io::ErrorKind>, words: String },
    /// It is the proxy, or what it says.
    Proxy(ProxyTrouble),
}

impl DialFailure {
    /// Whether somebody is there who said that nobody listens at the port.
    pub(super) fn is_refused(&self) -> bool {
        match self {
            Self::Port { kind, .. } => *kind == Some(io::ErrorKind::ConnectionRefused),
            Self::Proxy(trouble) => trouble.is_refused(),
            Self::Map(_) | Self::Name(_) => false,
        }
    }

    /// Whether it does not pass by itself.
    pub(super) fn is_lasting(&self) -> bool {
        match self {
            Self::Map(_) | Self::Name(_) => true,
            Self::Port { .. } => false,
            Self::Proxy(trouble) => trouble.is_lasting(),
        }
    }
}

impl std::fmt::Display for NoConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.why {
            DialFailure::Map(why) => f.write_str(why)?,
            DialFailure::Name(why) => why.fmt(f)?,
            DialFailure::Port { words, .. } => f.write_str(words)?,
            DialFailure::Proxy(why) => why.fmt(f)?,
        }
        match &self.led {
            Some(target) => write!(f, " (the address map leads to {target})"),
            None => Ok(()),
        }
    }
}

impl Error for NoConnection {}

impl Dialer {
    /// As the settings say. A probe must find out within its deadline that a name leads nowhere, or a proxy says nothing.
    pub(super) fn new(settings: &LiveSettings) -> Self {
        let (map, proxy) = (settings.addresses.clone(), settings.proxy.clone());
        let limit = settings.probe_timeout * 2 / 3;
        Self { route: Arc::new(Route { map, proxy, led: Mutex::default() }), names: NameCache::new(limit), limit }
    }

    /// The same for somebody with another limit.
    pub(super) fn within(&self, limit: Duration) -> Self {
        Self { names: self.names.within(limit), limit, ..self.clone() }
    }

    /// A connection to whoever is at `address` (`host:port`).
    ///
    /// # Errors
    /// What is in the way, and where.
    pub(super) async fn connect(&self, address: &str) -> Result<TcpStream, NoConnection> {
        let led = self.route.lead(address).map_err(|why| NoConnection { led: None, why: DialFailure::Map(why) })?;
        let connected = match &self.route.proxy {
            Some(proxy) => through(self, proxy, &led.target, self.limit).await.map_err(DialFailure::Proxy),
            None => self.port(&led.target).await,
        };
        connected.map_err(|why| NoConnection { led: led.by_map.then_some(led.target), why })
    }

    /// A connection to the port `address` (`host:port`) itself.
    ///
    /// # Errors
    /// As [`Dialer::connect`].
    pub(super) async fn port(&self, address: &str) -> Result<TcpStream, DialFailure> {
        let bad = |words: String| DialFailure::Port { kind: None, words };
        let uri: Uri = format!("http://{address}").parse().map_err(|_| bad(format!("{address} is no address")))?;
        let mut tcp = HttpConnector::new_with_resolver(self.names.clone());
        tcp.set_nodelay(true);
        let connected = async {
            poll_fn(|cx| Service::<Uri>::poll_ready(&mut tcp, cx)).await?;
            tcp.call(uri).await
        };
        match connected.await {
            Ok(stream) => Ok(stream.into_inner()),
            Err(error) => Err(port_failure(&error)),
        }
    }

    /// Makes ready for a look at many: whoever shares an address with another is known before the first of them is asked.
    pub(super) fn announce<'a>(&self, addresses: impl Iterator<Item = &'a str>) {
        addresses.for_each(|address| drop(self.route.lead(address)));
    }

    /// The same, and their names are looked up at the same time.
    pub(super) async fn prepare<'a>(&self, addresses: impl Iterator<Item = &'a str>) {
        let targets: Vec<String> =
            addresses.filter_map(|address| Some(self.route.lead(address).ok()?.target)).collect();
        if self.route.proxy.is_none() {
            self.names.prepare(targets.iter().map(String::as_str)).await;
        }
    }

    /// The addresses of a host's name; none where it leads nowhere from here.
    pub(super) async fn addresses_of(&self, host: &str) -> Vec<IpAddr> {
        self.names.resolve(host).await.map_or_else(|_| Vec::new(), |all| all.iter().map(SocketAddr::ip).collect())
    }

    /// Whether a map, where there is one, leaves `address` out, and its name leads nowhere from here: whoever has it is known
    /// inside the cluster only, and is reached from here by others' names.
    pub(super) async fn is_inner_name(&self, address: &str) -> bool {
        let Route { map, proxy, .. } = &*self.route;
        if map.is_empty() || proxy.is_some() || map.lead(address) != Ok(None) {
            return false;
        }
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        !host.starts_with('[') && host.parse::<IpAddr>().is_err() && self.names.resolve(host).await.is_err()
    }

    /// An address or URL with where it is reached behind it, for the trace.
    pub(super) fn described(&self, endpoint: &str) -> String {
        let led = self.route.map.lead(address_of(endpoint)).ok().flatten();
        match (led, &self.route.proxy) {
            (None, None) => endpoint.to_owned(),
            (Some(target), None) => format!("{endpoint} (at {target})"),
            (None, Some(proxy)) => format!("{endpoint} (by {proxy})"),
            (Some(target), Some(proxy)) => format!("{endpoint} (at {target} by {proxy})"),
        }
    }
}

impl Route {
    /// Where `address` is reached. Nobody is, as soon as two names are known to be led to one address: which of them answers
    /// there is not known.
    fn lead(&self, address: &str) -> Result<Led, String> {
        let Some(target) = self.map.lead(address)? else {
            return Ok(Led { target: address.to_owned(), by_map: false });
        };
        let mut led = self.led.lock().unwrap_or_else(PoisonError::into_inner);
        let names = led.entry(place(&target)).or_default();
        names.insert(address.to_ascii_lowercase());
        let mut names = names.iter();
        match (names.next(), names.next()) {
            (Some(one), Some(other)) => Err(two_to_one(one, other, &target).message),
            _ => Ok(Led { target, by_map: true }),
        }
    }
}

fn port_failure(error: &(dyn Error + 'static)) -> DialFailure {
    let causes = || std::iter::successors(Some(error), |&error| error.source());
    if let Some(unresolved) = causes().find_map(|cause| cause.downcast_ref::<Unresolved>()) {
        return DialFailure::Name(unresolved.clone());
    }
    let kind = causes().find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
    let words = kind.and_then(io_words).map_or_else(|| root(error), str::to_owned);
    DialFailure::Port { kind, words }
}
