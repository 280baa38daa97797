//! A double of PD on one port: it answers `pdpb.PD` itself, as PD does, and passes every other HTTP/2 request on to a
//! real etcd, streams included.

mod gc;
mod passing;
mod service;

use super::etcd::Etcd;
use bytes::Bytes;
use h2::RecvStream;
use h2::server::SendResponse;
use http::Request;
use passing::{Backend, pass_on};
use rustls::ServerConfig;
use service::{get_members, refuse, tso};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

/// The cluster id of every double, unless told otherwise.
pub(crate) const CLUSTER_ID: u64 = 7_012_345_678_901_234_567;

/// Who leads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Leader {
    /// This double.
    Me,
    /// Nobody: an election.
    Nobody,
    /// Another member, by its client URL.
    Other(String),
}

type Clock = Arc<dyn Fn() -> (i64, i64) + Send + Sync>;

/// How it behaves; may change at any time.
#[derive(Clone)]
pub(crate) struct Knobs {
    /// Who leads.
    pub(crate) leader: Leader,
    /// Its cluster id.
    pub(crate) cluster_id: u64,
    /// The client URL under which it and the others know it, if that is not its own.
    pub(crate) advertised: Option<String>,
    /// etcd's id of it.
    pub(crate) member_id: u64,
    /// Members beside itself: name and client URL.
    pub(crate) others: Vec<(String, String)>,
    /// PD's own service says nothing at all.
    pub(crate) silent: bool,
    /// How long every answer of PD's own service takes.
    pub(crate) latency: Duration,
    /// The time: physical milliseconds and logical counter. Without it, this host's clock.
    pub(crate) clock: Option<Clock>,
    /// Added to this host's clock, in milliseconds.
    pub(crate) offset_ms: i64,
    /// What happens to so many transactions from now on.
    pub(crate) txns: (usize, Loss),
    /// Keep-alives of leases are lost on their way.
    pub(crate) loses_keep_alives: bool,
    /// Whether a TiKV has ever joined it.
    pub(crate) bootstrapped: bool,
}

/// What happens to a transaction on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loss {
    /// It reaches etcd, and its answer is lost.
    Answer,
    /// It is lost before it reaches etcd.
    Request,
    /// It reaches etcd, and no answer ever comes.
    AnswerHeld,
    /// It never reaches etcd, and nothing is said about that.
    RequestHeld,
}

/// What was asked so far.
#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    members: AtomicUsize,
    timestamps: AtomicUsize,
    holds: AtomicUsize,
    passed_on: AtomicUsize,
}

struct Shared {
    url: String,
    backend: SocketAddr,
    knobs: Mutex<Knobs>,
    counts: Counts,
    logical: AtomicI64,
    gone: watch::Sender<bool>,
}

impl Shared {
    /// Whether this request is one of those that get lost.
    fn loss(&self, path: &str) -> Option<Loss> {
        let mut knobs = self.knobs.lock().unwrap();
        if knobs.loses_keep_alives && path == "/etcdserverpb.Lease/LeaseKeepAlive" {
            return Some(Loss::Request);
        }
        let (left, loss) = &mut knobs.txns;
        (path == "/etcdserverpb.KV/Txn" && *left > 0).then(|| {
            *left -= 1;
            *loss
        })
    }
}

/// A running double. It ends when it is dropped.
pub(crate) struct PdDouble {
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl PdDouble {
    /// A PD with `etcd` inside.
    pub(crate) fn start(etcd: &Etcd) -> Self {
        Self::start_with(&etcd.url(), None)
    }

    /// The same, in front of the etcd at `backend`, over TLS if `tls` is given (its ALPN must have `h2`).
    pub(crate) fn start_with(backend: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        Self::start_at("127.0.0.1:0", backend, tls)
    }

    /// The same, at just this `host:port`.
    pub(crate) fn start_at(address: &str, backend: &str, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = std::net::TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let knobs = Knobs {
            leader: Leader::Me,
            cluster_id: CLUSTER_ID,
            advertised: None,
            member_id: 1,
            others: Vec::new(),
            silent: false,
            latency: Duration::ZERO,
            clock: None,
            offset_ms: 0,
            txns: (0, Loss::Answer),
            loses_keep_alives: false,
            bootstrapped: true,
        };
        let shared = Arc::new(Shared {
            url: format!("{scheme}://{}", listener.local_addr().unwrap()),
            backend: backend.trim_start_matches("http://").parse().unwrap(),
            knobs: Mutex::new(knobs),
            counts: Counts::default(),
            logical: AtomicI64::new(0),
            gone: watch::Sender::new(false),
        });
        let (stop, stopped) = oneshot::channel();
        let inside = shared.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = accept(inside, listener, tls) => {}
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Self { shared, stop: Some(stop), thread: Some(thread) }
    }

    /// `http://127.0.0.1:port` (or `https`).
    pub(crate) fn url(&self) -> String {
        self.shared.url.clone()
    }

    /// Changes how it behaves.
    pub(crate) fn set(&self, change: impl FnOnce(&mut Knobs)) {
        change(&mut self.shared.knobs.lock().unwrap());
    }

    /// Whether it and its etcd are gone: every connection ends, and so does every new one.
    pub(crate) fn set_gone(&self, gone: bool) {
        self.shared.gone.send_replace(gone);
    }

    /// The timestamp that it would give now.
    pub(crate) fn now(&self) -> i64 {
        let knobs = self.shared.knobs.lock().unwrap().clone();
        let (physical, logical) = service::now(&self.shared, &knobs);
        (physical << 18) | logical
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.shared.counts.connections.load(Ordering::SeqCst)
    }

    /// How often its members were asked for.
    pub(crate) fn members_asked(&self) -> usize {
        self.shared.counts.members.load(Ordering::SeqCst)
    }

    /// How many timestamps were asked of it.
    pub(crate) fn timestamps_asked(&self) -> usize {
        self.shared.counts.timestamps.load(Ordering::SeqCst)
    }

    /// How often it was told of a service's safe point.
    pub(crate) fn holds_asked(&self) -> usize {
        self.shared.counts.holds.load(Ordering::SeqCst)
    }

    /// How many requests it passed on to etcd.
    pub(crate) fn passed_on(&self) -> usize {
        self.shared.counts.passed_on.load(Ordering::SeqCst)
    }
}

impl Drop for PdDouble {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(shared: Arc<Shared>, listener: std::net::TcpListener, tls: Option<Arc<ServerConfig>>) {
    let listener = TcpListener::from_std(listener).unwrap();
    let acceptor = tls.map(tokio_rustls::TlsAcceptor::from);
    while let Ok((stream, _)) = listener.accept().await {
        shared.counts.connections.fetch_add(1, Ordering::SeqCst);
        let _ = stream.set_nodelay(true);
        let (shared, acceptor) = (shared.clone(), acceptor.clone());
        tokio::spawn(async move {
            let mut gone = shared.gone.subscribe();
            let talk = async {
                match acceptor {
                    None => connection(shared, stream).await,
                    Some(acceptor) => {
                        if let Ok(stream) = acceptor.accept(stream).await {
                            connection(shared, stream).await;
                        }
                    }
                }
            };
            tokio::select! {
                biased;
                _ = gone.wait_for(|gone| *gone) => {}
                () = talk => {}
            }
        });
    }
}

async fn connection(shared: Arc<Shared>, io: impl AsyncRead + AsyncWrite + Unpin) {
    let mut builder = h2::server::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 22);
    let Ok(mut connection) = builder.handshake::<_, Bytes>(io).await else { return };
    let backend = Backend::default();
    while let Some(Ok((request, respond))) = connection.accept().await {
        let (shared, backend) = (shared.clone(), backend.clone());
        tokio::spawn(async move {
            // A client that went away is no concern of the double.
            let _ = serve(shared, backend, request, respond).await;
        });
    }
}

async fn serve(
    shared: Arc<Shared>,
    backend: Backend,
    request: Request<RecvStream>,
    respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    match request.uri().path() {
        "/pdpb.PD/GetMembers" => {
            shared.counts.members.fetch_add(1, Ordering::SeqCst);
            get_members(&shared, request.into_body(), respond).await
        }
        "/pdpb.PD/Tso" => tso(&shared, request.into_body(), respond).await,
        "/pdpb.PD/GetGCSafePoint" => gc::get_safe_point(&shared, request.into_body(), respond).await,
        "/pdpb.PD/UpdateServiceGCSafePoint" => gc::update_service(&shared, request.into_body(), respond).await,
        path if path.starts_with("/pdpb.PD/") => refuse(respond, 12, "unknown method"),
        _ => {
            shared.counts.passed_on.fetch_add(1, Ordering::SeqCst);
            pass_on(&shared, backend, request, respond).await
        }
    }
}
