//! One gRPC connection per endpoint, shared by etcd and PD, and the trace of every exchange.
//!
//! A connection is made at its first use and made again after it broke; HTTP/2 pings find out when its other end has
//! gone without a word.

use crate::error::{Error, Result};
use crate::live::clock::Stopwatch;
use crate::live::connect::{Connector, LastWords};
use crate::live::dial::Dialer;
use crate::live::settings::LiveSettings;
use crate::live::tls::RenewedTls;
use crate::live::trouble::root;
use crate::world::{Notice, Notices};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};

/// How much of an answer may be under way before it is asked to go on: a page of records, so that none waits half way.
const WINDOW: u32 = 4 << 20;

/// How often a connection is pinged, so that one whose other end has gone is made anew.
const PING: Duration = Duration::from_secs(10);

/// A connection, and what TLS said when it ended.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) channel: Channel,
    pub(super) last_words: LastWords,
}

/// What every exchange needs: the settings, the certificates, the connections, and where its trace goes.
pub(super) struct Wire {
    pub(super) settings: LiveSettings,
    pub(super) tls: Arc<RenewedTls>,
    /// The way to every address.
    pub(super) dialer: Dialer,
    trace: WireTrace,
    channels: Mutex<HashMap<String, Connection>>,
}

impl Wire {
    /// Reads the certificates; connects nothing.
    ///
    /// # Errors
    /// `local` or `invalid`, naming the certificate file.
    pub(super) fn new(settings: LiveSettings, notices: Notices) -> Result<Self> {
        let tls = Arc::new(RenewedTls::new(settings.tls.clone(), notices.clone())?);
        let dialer = Dialer::new(&settings);
        let trace = WireTrace { notices, dialer: dialer.clone() };
        Ok(Self { settings, tls, dialer, trace, channels: Mutex::default() })
    }

    /// The connection to `url` (whose scheme gives way to what TLS asks for).
    pub(super) fn channel(&self, url: &str) -> Result<Channel> {
        Ok(self.connection(url)?.channel)
    }

    /// The connection to `url`, and what TLS says of it.
    pub(super) fn connection(&self, url: &str) -> Result<Connection> {
        let mut channels = self.channels.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channel) = channels.get(url) {
            return Ok(channel.clone());
        }
        let bad = |e: tonic::transport::Error| Error::invalid(format!("cannot use the address {url}")).source(root(&e));
        let address = url.split_once("://").map_or(url, |(_, rest)| rest);
        // The connector speaks TLS itself; servers are told of it by the origin.
        let endpoint = Endpoint::from_shared(format!("http://{address}")).map_err(bad)?;
        let origin = format!("{}://{address}", self.tls.scheme()).parse();
        let origin = origin.map_err(|_| Error::invalid(format!("cannot use the address {url}")))?;
        let endpoint = endpoint
            .origin(origin)
            // Name, port and TLS: a handshake without end would keep every later question from a new connection.
            .connect_timeout(self.settings.timeout)
            .initial_stream_window_size(WINDOW)
            .initial_connection_window_size(WINDOW)
            .http2_keep_alive_interval(PING)
            .keep_alive_timeout(self.settings.timeout)
            .keep_alive_while_idle(true);
        let (dialer, last_words) = (self.dialer.within(self.settings.timeout / 2), LastWords::default());
        let connector = Connector::new(dialer, self.tls.clone(), last_words.clone());
        let channel = Connection { channel: endpoint.connect_with_connector_lazy(connector), last_words };
        channels.insert(url.to_owned(), channel.clone());
        Ok(channel)
    }

    /// Begins the trace of an exchange.
    pub(super) fn exchange(&self, endpoint: &str, what: impl Into<String>) -> Exchange {
        self.trace.exchange(endpoint, what)
    }

    /// What a task of its own begins traces with.
    pub(super) fn trace(&self) -> WireTrace {
        self.trace.clone()
    }

    /// Shows a person how it goes.
    pub(super) fn tell(&self, notice: Notice) {
        (self.trace.notices)(notice);
    }

    /// Shows a person something odd.
    pub(super) fn warn(&self, text: String) {
        (self.trace.notices)(Notice::Warning(text));
    }
}

/// Where traces go.
#[derive(Clone)]
pub(super) struct WireTrace {
    notices: Notices,
    /// Tells where an endpoint is reached.
    dialer: Dialer,
}

impl WireTrace {
    /// Begins the trace of an exchange.
    pub(super) fn exchange(&self, endpoint: &str, what: impl Into<String>) -> Exchange {
        let (endpoint, what) = (self.dialer.described(endpoint), what.into());
        Exchange { notices: self.notices.clone(), endpoint, what, watch: Stopwatch::start(), open: true }
    }
}

/// One exchange under way. Its trace is told when it ends, or when it is given up.
pub(super) struct Exchange {
    notices: Notices,
    endpoint: String,
    what: String,
    watch: Stopwatch,
    open: bool,
}

impl Exchange {
    /// It ended so. Gives back how long it took.
    pub(super) fn ended(mut self, outcome: impl Into<String>) -> Duration {
        self.tell(outcome.into())
    }

    fn tell(&mut self, outcome: String) -> Duration {
        self.open = false;
        let took = self.watch.elapsed();
        let (endpoint, what) = (std::mem::take(&mut self.endpoint), std::mem::take(&mut self.what));
        (self.notices)(Notice::Traced { endpoint, what, took, outcome });
        took
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.open {
            self.tell("given up".into());
        }
    }
}
