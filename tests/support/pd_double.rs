//! A double of PD on one port: it answers `pdpb.PD` itself, as PD does, and passes every other HTTP/2 request on to a
//! real etcd, streams included.

use super::etcd::Etcd;
use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, HeaderValue, Request, Response};
use prost::Message;
use rustls::ServerConfig;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex as AsyncMutex, oneshot};

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
}

/// What happens to a transaction on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Loss {
    /// It reaches etcd, and its answer is lost.
    Answer,
    /// It is lost before it reaches etcd.
    Request,
}

/// What was asked so far.
#[derive(Debug, Default)]
struct Counts {
    connections: AtomicUsize,
    members: AtomicUsize,
    timestamps: AtomicUsize,
    passed_on: AtomicUsize,
}

struct Shared {
    url: String,
    backend: SocketAddr,
    knobs: Mutex<Knobs>,
    counts: Counts,
    logical: AtomicI64,
}

impl Shared {
    /// Whether this request is one of the transactions that get lost.
    fn loss(&self, path: &str) -> Option<Loss> {
        let mut knobs = self.knobs.lock().unwrap();
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
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let knobs = Knobs {
            leader: Leader::Me,
            cluster_id: CLUSTER_ID,
            others: Vec::new(),
            silent: false,
            latency: Duration::ZERO,
            clock: None,
            offset_ms: 0,
            txns: (0, Loss::Answer),
        };
        let shared = Arc::new(Shared {
            url: format!("{scheme}://{}", listener.local_addr().unwrap()),
            backend: backend.trim_start_matches("http://").parse().unwrap(),
            knobs: Mutex::new(knobs),
            counts: Counts::default(),
            logical: AtomicI64::new(0),
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
            match acceptor {
                None => connection(shared, stream).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        connection(shared, stream).await;
                    }
                }
            }
        });
    }
}

/// The way to the real etcd, shared by the streams of one connection.
type Backend = Arc<AsyncMutex<Option<SendRequest<Bytes>>>>;

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
        path if path.starts_with("/pdpb.PD/") => refuse(respond, 12, "unknown method"),
        _ => {
            shared.counts.passed_on.fetch_add(1, Ordering::SeqCst);
            pass_on(&shared, backend, request, respond).await
        }
    }
}

// PD's messages, declared apart from the program's: two mistakes would have to agree.

#[derive(Clone, PartialEq, Message)]
struct RequestHeader {
    #[prost(uint64, tag = "1")]
    cluster_id: u64,
}

#[derive(Clone, PartialEq, Message)]
struct ResponseHeader {
    #[prost(uint64, tag = "1")]
    cluster_id: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Member {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    member_id: u64,
    #[prost(string, repeated, tag = "3")]
    peer_urls: Vec<String>,
    #[prost(string, repeated, tag = "4")]
    client_urls: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
struct GetMembersResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<ResponseHeader>,
    #[prost(message, repeated, tag = "2")]
    members: Vec<Member>,
    #[prost(message, optional, tag = "3")]
    leader: Option<Member>,
    #[prost(message, optional, tag = "4")]
    etcd_leader: Option<Member>,
}

#[derive(Clone, PartialEq, Message)]
struct TsoRequest {
    #[prost(message, optional, tag = "1")]
    header: Option<RequestHeader>,
    #[prost(uint32, tag = "2")]
    count: u32,
}

#[derive(Clone, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    physical: i64,
    #[prost(int64, tag = "2")]
    logical: i64,
}

#[derive(Clone, PartialEq, Message)]
struct TsoResponse {
    #[prost(message, optional, tag = "1")]
    header: Option<ResponseHeader>,
    #[prost(uint32, tag = "2")]
    count: u32,
    #[prost(message, optional, tag = "3")]
    timestamp: Option<Timestamp>,
}

/// The knobs as they are now, after the time that an answer takes.
async fn knobs(shared: &Shared) -> Knobs {
    let knobs = shared.knobs.lock().unwrap().clone();
    if knobs.silent {
        std::future::pending::<()>().await;
    }
    if !knobs.latency.is_zero() {
        tokio::time::sleep(knobs.latency).await;
    }
    knobs
}

async fn get_members(shared: &Shared, mut body: RecvStream, respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    while read_message(&mut body, &mut Vec::new()).await?.is_some() {}
    let knobs = knobs(shared).await;
    let mut members = vec![("pd-0".to_owned(), shared.url.clone())];
    members.extend(knobs.others);
    let member = |at: usize, name: &str, url: &str| Member {
        name: name.to_owned(),
        member_id: at as u64 + 1,
        peer_urls: Vec::new(),
        client_urls: vec![url.to_owned()],
    };
    let members: Vec<_> = members.iter().enumerate().map(|(at, (name, url))| member(at, name, url)).collect();
    let leader = match &knobs.leader {
        Leader::Me => Some(members[0].clone()),
        Leader::Nobody => None,
        Leader::Other(url) => Some(
            members.iter().find(|m| m.client_urls.contains(url)).cloned().unwrap_or_else(|| member(99, "other", url)),
        ),
    };
    let header = Some(ResponseHeader { cluster_id: knobs.cluster_id });
    let answer = GetMembersResponse { header, members, etcd_leader: leader.clone(), leader };
    let mut stream = begin(respond)?;
    stream.send_data(frame(&answer), false)?;
    stream.send_trailers(status(0, ""))
}

async fn tso(shared: &Shared, mut body: RecvStream, respond: SendResponse<Bytes>) -> Result<(), h2::Error> {
    let mut buffer = Vec::new();
    let mut respond = Some(respond);
    let mut stream: Option<SendStream<Bytes>> = None;
    while let Some(message) = read_message(&mut body, &mut buffer).await? {
        shared.counts.timestamps.fetch_add(1, Ordering::SeqCst);
        let request = TsoRequest::decode(message).unwrap_or_default();
        let knobs = knobs(shared).await;
        let asked = request.header.unwrap_or_default().cluster_id;
        let refusal = if knobs.leader != Leader::Me {
            Some((14, "not leader".to_owned()))
        } else if asked != knobs.cluster_id {
            Some((9, format!("mismatch cluster id, need {} but got {asked}", knobs.cluster_id)))
        } else {
            None
        };
        match (refusal, &mut stream, respond.take()) {
            (Some((code, words)), Some(stream), _) => return stream.send_trailers(status(code, &words)),
            (Some((code, words)), None, Some(respond)) => return refuse(respond, code, &words),
            (None, _, respond) => {
                if let Some(respond) = respond {
                    stream = Some(begin(respond)?);
                }
                let (physical, logical) = now(shared, &knobs);
                let timestamp = Some(Timestamp { physical, logical });
                let header = Some(ResponseHeader { cluster_id: knobs.cluster_id });
                if let Some(stream) = &mut stream {
                    stream.send_data(frame(&TsoResponse { header, count: request.count, timestamp }), false)?;
                }
            }
            (Some(_), None, None) => return Ok(()),
        }
    }
    match (stream, respond) {
        (Some(mut stream), _) => stream.send_trailers(status(0, "")),
        (None, Some(respond)) => refuse(respond, 0, ""),
        (None, None) => Ok(()),
    }
}

fn now(shared: &Shared, knobs: &Knobs) -> (i64, i64) {
    if let Some(clock) = &knobs.clock {
        return clock();
    }
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let logical = shared.logical.fetch_add(1, Ordering::SeqCst) % (1 << 18);
    (i64::try_from(since.as_millis()).unwrap() + knobs.offset_ms, logical)
}

/// The next message of a gRPC stream, or `None` at its end.
async fn read_message(body: &mut RecvStream, buffer: &mut Vec<u8>) -> Result<Option<Bytes>, h2::Error> {
    loop {
        if let Some(length) = buffer.get(1..5) {
            let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
            if buffer.len() >= 5 + length {
                let message = buffer.drain(..5 + length).skip(5).collect::<Vec<_>>();
                return Ok(Some(message.into()));
            }
        }
        match body.data().await {
            None => return Ok(None),
            Some(data) => {
                let data = data?;
                body.flow_control().release_capacity(data.len())?;
                buffer.extend_from_slice(&data);
            }
        }
    }
}

fn frame(message: &impl Message) -> Bytes {
    let body = message.encode_to_vec();
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[0], length.as_slice(), &body].concat().into()
}

fn status(code: u32, words: &str) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from(code));
    trailers.insert("grpc-message", HeaderValue::from_str(&words.replace(' ', "%20")).unwrap());
    trailers
}

fn begin(mut respond: SendResponse<Bytes>) -> Result<SendStream<Bytes>, h2::Error> {
    let response = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    respond.send_response(response, false)
}

/// An answer without a message: what gRPC calls trailers only.
fn refuse(mut respond: SendResponse<Bytes>, code: u32, words: &str) -> Result<(), h2::Error> {
    let mut response = Response::builder().header("content-type", "application/grpc").body(()).unwrap();
    response.headers_mut().extend(status(code, words));
    respond.send_response(response, true).map(drop)
}

/// Passes the request on to etcd, and etcd's answer back.
async fn pass_on(
    shared: &Shared,
    backend: Backend,
    request: Request<RecvStream>,
    mut respond: SendResponse<Bytes>,
) -> Result<(), h2::Error> {
    let loss = shared.loss(request.uri().path());
    if loss == Some(Loss::Request) {
        respond.send_reset(Reason::INTERNAL_ERROR);
        return Ok(());
    }
    let Some(sender) = sender(shared, &backend).await else {
        return refuse(respond, 14, "the etcd behind the double is gone");
    };
    let Ok(mut sender) = sender.ready().await else {
        return refuse(respond, 14, "the etcd behind the double is gone");
    };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut onwards = Request::builder().method(parts.method).uri(format!("http://{}{path}", shared.backend));
    if let Some(headers) = onwards.headers_mut() {
        headers.extend(parts.headers);
    }
    let (response, upstream) = sender.send_request(onwards.body(()).unwrap(), false)?;
    let up = tokio::spawn(copy(body, upstream));
    let back = async {
        let (head, body) = response.await?.into_parts();
        if loss == Some(Loss::Answer) {
            return Err(Reason::INTERNAL_ERROR.into());
        }
        let mut answer = Response::builder().status(head.status);
        if let Some(headers) = answer.headers_mut() {
            headers.extend(head.headers);
        }
        let over = body.is_end_stream();
        let stream = respond.send_response(answer.body(()).unwrap(), over)?;
        if over { Ok(()) } else { copy(body, stream).await }
    };
    let result = back.await;
    up.abort();
    if let Err(error) = &result {
        respond.send_reset(error.reason().unwrap_or(Reason::CANCEL));
    }
    result
}

/// A way to etcd, made anew when the last one broke.
async fn sender(shared: &Shared, backend: &Backend) -> Option<SendRequest<Bytes>> {
    let mut backend = backend.lock().await;
    if let Some(sender) = &*backend
        && sender.clone().ready().await.is_ok()
    {
        return Some(sender.clone());
    }
    let stream = TcpStream::connect(shared.backend).await.ok()?;
    let _ = stream.set_nodelay(true);
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(1 << 20).initial_connection_window_size(1 << 22);
    let (sender, connection) = builder.handshake::<_, Bytes>(stream).await.ok()?;
    tokio::spawn(connection);
    *backend = Some(sender.clone());
    Some(sender)
}

/// Copies data and trailers until the end; an end of either side ends the other.
async fn copy(mut from: RecvStream, mut to: SendStream<Bytes>) -> Result<(), h2::Error> {
    loop {
        let data = tokio::select! {
            data = from.data() => data,
            _ = std::future::poll_fn(|cx| to.poll_reset(cx)) => return Err(Reason::CANCEL.into()),
        };
        match data {
            Some(Ok(data)) => {
                from.flow_control().release_capacity(data.len())?;
                to.send_data(data, false)?;
            }
            Some(Err(error)) => {
                to.send_reset(Reason::CANCEL);
                return Err(error);
            }
            None => break,
        }
    }
    match from.trailers().await? {
        Some(trailers) => to.send_trailers(trailers),
        None => to.send_data(Bytes::new(), true),
    }
}
