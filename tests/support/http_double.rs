//! Something that speaks HTTP/1.1 like a node, or fails to in every way there is. Raw sockets, so that nothing is tidied
//! up on the way.

use super::{eventually, join_woken};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct HttpRequest {
    /// `GET`, `PUT`, ...
    pub(crate) method: String,
    /// As sent, still encoded.
    pub(crate) path: String,
}

/// What the double does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// HTTP status and body.
    Answer(u16, String),
    /// Resets the connection without an answer.
    Reset,
    /// Ends the connection without an answer.
    Close,
    /// Says nothing until the double ends.
    Silent,
    /// Answers after a while.
    Late(Duration, String),
    /// Sends the body a byte at a time, with such a pause after each.
    Trickle(Duration, String),
    /// A body of so many bytes.
    Huge(usize),
    /// HTTP 302 to there.
    Redirect(String),
    /// Bytes that are no HTTP.
    Raw(String),
}

impl Reply {
    /// HTTP 200 with this body.
    pub(crate) fn ok(body: impl Into<String>) -> Self {
        Self::Answer(200, body.into())
    }

    /// A node's own form of answer: HTTP 200 whatever the code.
    pub(crate) fn verdict(code: i64, message: &str) -> Self {
        let body = serde_json::json!({ "message": message, "code": code, "data": null });
        Self::ok(serde_json::to_string_pretty(&body).unwrap())
    }
}

type Handler = dyn Fn(&HttpRequest) -> Reply + Send + Sync;

/// A double of a node. It ends when it is dropped.
pub(crate) struct HttpDouble {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    handler: Box<Handler>,
    tls: Option<Arc<ServerConfig>>,
    stopped: AtomicBool,
    connections: AtomicUsize,
    /// How many connections are being served.
    serving: AtomicUsize,
    log: Mutex<Vec<HttpRequest>>,
}

impl HttpDouble {
    /// Answers each request with what `handler` says.
    pub(crate) fn start(handler: impl Fn(&HttpRequest) -> Reply + Send + Sync + 'static) -> Self {
        Self::start_with(None, handler)
    }

    /// The same, over TLS.
    pub(crate) fn start_with(
        tls: Option<Arc<ServerConfig>>,
        handler: impl Fn(&HttpRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::start_on("127.0.0.1", tls, handler)
    }

    /// The same, on an address of the loopback of its own: what goes down can come back without anybody else having
    /// taken its port.
    pub(crate) fn start_on(
        ip: &str,
        tls: Option<Arc<ServerConfig>>,
        handler: impl Fn(&HttpRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind((ip, 0)).unwrap(), tls, handler)
    }

    /// The same, at just this address, unless somebody else is there.
    pub(crate) fn start_at(
        address: SocketAddr,
        handler: impl Fn(&HttpRequest) -> Reply + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        Ok(Self::on(TcpListener::bind(address)?, None, handler))
    }

    /// The same, at just this `host:port`, which is this test's own.
    pub(crate) fn start_fixed(
        address: &str,
        tls: Option<Arc<ServerConfig>>,
        handler: impl Fn(&HttpRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind(address).unwrap(), tls, handler)
    }

    fn on(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        handler: impl Fn(&HttpRequest) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let shared = Arc::new(Shared {
            handler: Box::new(handler),
            tls,
            stopped: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            serving: AtomicUsize::new(0),
            log: Mutex::default(),
        });
        let double = Self { address: listener.local_addr().unwrap(), shared, thread: Mutex::default() };
        double.listen(listener);
        double
    }

    fn listen(&self, listener: TcpListener) {
        let shared = self.shared.clone();
        let accept = move || {
            for stream in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), shared) = (stream, shared.clone()) else { continue };
                shared.connections.fetch_add(1, Ordering::SeqCst);
                shared.serving.fetch_add(1, Ordering::SeqCst);
                std::thread::spawn(move || {
                    shared.serve(stream);
                    shared.serving.fetch_sub(1, Ordering::SeqCst);
                });
            }
        };
        *self.thread.lock().unwrap() = Some(std::thread::spawn(accept));
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.shared.log.lock().unwrap().clone()
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Whether every request that came to it was answered.
    pub(crate) fn is_idle(&self) -> bool {
        self.shared.serving.load(Ordering::SeqCst) == 0
    }

    /// What comes to it, to be looked at from elsewhere.
    pub(crate) fn traffic(&self) -> Traffic {
        Traffic(self.shared.clone())
    }

    /// From now on its port refuses, as that of a process that is gone.
    pub(crate) fn go_down(&self) {
        self.shared.stopped.store(true, Ordering::SeqCst);
        let Some(thread) = self.thread.lock().unwrap().take() else { return };
        join_woken(thread, || drop(TcpStream::connect(self.address)));
    }

    /// It is back at the same port.
    pub(crate) fn come_back(&self) {
        let mut listener = None;
        eventually(Duration::from_secs(5), || {
            listener = TcpListener::bind(self.address).ok();
            listener.is_some()
        });
        self.shared.stopped.store(false, Ordering::SeqCst);
        self.listen(listener.unwrap());
    }
}

/// What comes to a double.
#[derive(Clone)]
pub(crate) struct Traffic(Arc<Shared>);

impl Traffic {
    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.0.connections.load(Ordering::SeqCst)
    }

    /// The requests so far.
    pub(crate) fn requests(&self) -> Vec<HttpRequest> {
        self.0.log.lock().unwrap().clone()
    }
}

impl Drop for HttpDouble {
    fn drop(&mut self) {
        self.go_down();
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
        let _ = stream.set_nodelay(true);
        match &self.tls {
            Some(config) => {
                let connection = ServerConnection::new(config.clone()).unwrap();
                self.talk(StreamOwned::new(connection, stream));
            }
            None => match peek(&stream) {
                // Closed with the request unread, the system sends a reset.
                Some(request) if matches!(self.decide(&request), Some(Reply::Reset)) => {}
                _ => self.talk(stream),
            },
        }
    }

    /// Whether the answer is a reset, which must be known before the request is read.
    fn decide(&self, request: &HttpRequest) -> Option<Reply> {
        let reply = (self.handler)(request);
        self.log.lock().unwrap().push(request.clone());
        PLANNED.with_borrow_mut(|planned| *planned = Some(reply.clone()));
        Some(reply)
    }

    fn talk(&self, mut stream: impl Read + Write) {
        let Some(request) = read_head(&mut stream) else { return };
        let reply = PLANNED.with_borrow_mut(Option::take).unwrap_or_else(|| {
            self.log.lock().unwrap().push(request.clone());
            (self.handler)(&request)
        });
        // Whoever asked may have gone; that is no concern of the double.
        let _ = self.reply(&mut stream, reply);
    }

    fn reply(&self, stream: &mut impl Write, reply: Reply) -> std::io::Result<()> {
        match reply {
            Reply::Answer(status, body) => answer(stream, status, "", body.as_bytes()),
            Reply::Redirect(to) => answer(stream, 302, &format!("Location: {to}\r\n"), b"elsewhere"),
            Reply::Late(time, body) => {
                self.pause(time);
                answer(stream, 200, "", body.as_bytes())
            }
            Reply::Trickle(time, body) => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len())?;
                for byte in body.bytes() {
                    stream.write_all(&[byte])?;
                    stream.flush()?;
                    self.pause(time);
                }
                Ok(())
            }
            Reply::Huge(size) => {
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {size}\r\n\r\n")?;
                let part = [b'x'; 65536];
                for _ in 0..size / part.len() {
                    stream.write_all(&part)?;
                }
                Ok(())
            }
            Reply::Raw(text) => stream.write_all(text.as_bytes()).and_then(|()| stream.flush()),
            Reply::Silent => {
                self.pause(Duration::from_secs(60));
                Ok(())
            }
            Reply::Reset | Reply::Close => Ok(()),
        }
    }

    /// Waits, but not longer than the double lives.
    fn pause(&self, time: Duration) {
        let began = std::time::Instant::now();
        eventually(time, || began.elapsed() >= time || self.stopped.load(Ordering::SeqCst));
    }
}

thread_local! {
    /// The answer that was decided while the request was only peeked at.
    static PLANNED: std::cell::RefCell<Option<Reply>> = const { std::cell::RefCell::new(None) };
}

fn answer(stream: &mut impl Write, status: u16, headers: &str, body: &[u8]) -> std::io::Result<()> {
    let date = chrono::Utc::now().format("%a, %d %b %Y %H:%M:%S GMT");
    write!(
        stream,
        "HTTP/1.1 {status} Any\r\n{headers}Date: {date}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    stream.flush()
}

/// Looks at the request without taking it from the socket.
fn peek(stream: &TcpStream) -> Option<HttpRequest> {
    let mut buffer = [0; 8192];
    let mut found = None;
    eventually(Duration::from_secs(30), || {
        let size = stream.peek(&mut buffer).unwrap_or(0);
        found = parse(&buffer[..size]);
        found.is_some() || size == 0
    });
    found
}

fn read_head(stream: &mut impl Read) -> Option<HttpRequest> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && head.len() < 8192 {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    parse(&head)
}

fn parse(head: &[u8]) -> Option<HttpRequest> {
    let text = String::from_utf8_lossy(head);
    let (line, _) = text.contains("\r\n\r\n").then(|| text.split_once("\r\n")).flatten()?;
    let mut words = line.split(' ');
    Some(HttpRequest { method: words.next()?.to_owned(), path: words.next()?.to_owned() })
}
