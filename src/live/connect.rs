//! Connections with TLS or without, for etcd and PD as for nodes: whoever is reached must show a certificate for the name
//! that was asked for, wherever the way to it led.
//!
//! A server that does not take our certificate says so after the handshake, to the connection and not to a request, and
//! the HTTP/2 library keeps nothing of it. So what TLS says is noted on its way.

use crate::live::dial::Dialer;
use crate::live::tls::RenewedTls;
use crate::live::trouble::{Trouble, tls_trouble};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::codegen::{BoxFuture, Service, StdError, http::Uri};

/// What gRPC goes over.
const HTTP2: &[u8] = b"h2";

/// What TLS said last, if it has ended a connection since it was last looked at.
#[derive(Clone, Debug, Default)]
pub(super) struct LastWords(Arc<Mutex<Option<Trouble>>>);

impl LastWords {
    /// What it said, once.
    pub(super) fn take(&self) -> Option<Trouble> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, error: &io::Error) {
        if let Some(trouble) = tls_trouble(error) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
        }
    }
}

/// A server that has TLS and no HTTP/2.
#[derive(Debug)]
pub(super) struct NoHttp2;

impl std::fmt::Display for NoHttp2 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(crate::live::tls::NO_HTTP2)
    }
}

impl std::error::Error for NoHttp2 {}

/// Makes connections, plain or with TLS.
#[derive(Clone)]
pub(super) struct Connector {
    dialer: Dialer,
    tls: Arc<RenewedTls>,
    last_words: LastWords,
}

impl Connector {
    /// Each with the certificates of its moment.
    pub(super) fn new(dialer: Dialer, tls: Arc<RenewedTls>, last_words: LastWords) -> Self {
        Self { dialer, tls, last_words }
    }
}

/// What comes of a connection.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn ByteStream>>;
    type Error = StdError;
    type Future = BoxFuture<Self::Response, StdError>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), StdError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let address = uri.authority().map(ToString::to_string).unwrap_or_default();
        let (dialer, tls, last_words) = (self.dialer.clone(), self.tls.clone(), self.last_words.clone());
        Box::pin(async move {
            let tcp = dialer.connect(&address).await?;
            let stream: Box<dyn ByteStream> = match tls.now().client() {
                None => Box::new(tcp),
                Some(mut tls) => {
                    Arc::make_mut(&mut tls).alpn_protocols = vec![HTTP2.to_vec()];
                    let stream = secured(tls, &address, tcp).await?;
                    if stream.get_ref().1.alpn_protocol() != Some(HTTP2) {
                        return Err(NoHttp2.into());
                    }
                    Box::new(NotedConnection { stream, last_words })
                }
            };
            Ok(TokioIo::new(stream))
        })
    }
}

/// TLS over `tcp` with whoever `address` (`host:port`) names.
///
/// # Errors
/// What TLS says.
pub(super) async fn secured(tls: Arc<ClientConfig>, address: &str, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(tls).connect(name, tcp).await
}

/// How much is read before others have their turn.
pub(super) const TURN: usize = 16 << 10;

/// A connection that lets others have their turn: whoever floods us keeps neither a deadline nor a signal waiting.
pub(super) struct PacedConnection<S> {
    stream: S,
    /// How much was read in this turn.
    taken: usize,
}

impl<S> PacedConnection<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, taken: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PacedConnection<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.taken >= TURN {
            self.taken = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.taken = if read.is_ready() { self.taken + buf.filled().len() - before } else { 0 };
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PacedConnection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// A connection whose end is noted.
struct NotedConnection {
    stream: TlsStream<TcpStream>,
    last_words: LastWords,
}

impl NotedConnection {
    fn noted<T>(&self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if let Poll::Ready(Err(error)) = &result {
            self.last_words.note(error);
        }
        result
    }
}

impl AsyncRead for NotedConnection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.noted(read)
    }
}

impl AsyncWrite for NotedConnection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.noted(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.noted(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
