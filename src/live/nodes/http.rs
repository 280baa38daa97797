//! One HTTP exchange with a node, and what can be said when it fails: whether the request was sent decides whether it
//! may have been carried out.

use super::NodeClient;
use super::probe::deafness;
use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::{Deadline, within};
use crate::live::connect::{ByteStream, PacedConnection, TURN, secured};
use crate::live::dial::{DialFailure, Dialer, NoConnection};
use crate::live::tls::RenewedTls;
use crate::live::trouble::{Trouble, causes, find, trouble};
use crate::node::NodeRef;
use crate::pd_url::authority;
use crate::text::on_one_line;
use crate::time::show_seconds;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, DATE, HOST, LOCATION};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::io::ErrorKind as Io;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::codegen::StdError;

/// What stands for itself in a path or a query; everything else is encoded.
const NOT_IN_A_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b':');

/// What to do about a name that leads nowhere from here.
pub(super) const NO_NAME: &str = "if only hosts of the cluster know this name, lead to it by `[profiles.NAME.addresses]` or --proxy: \
                                  see \"A cluster in Kubernetes, from outside\" in the guide";

/// The largest body that is read.
pub(super) const MAX_BODY: usize = 4 << 20;

/// One thing to ask of a node.
pub(super) struct HttpCall<'a> {
    pub(super) method: Method,
    /// The path's parts, not yet encoded.
    pub(super) path: &'a [&'a str],
    /// What stands behind the path, not yet encoded.
    pub(super) query: &'a [(&'a str, &'a str)],
    pub(super) max_body: usize,
    pub(super) deadline: Deadline,
}

/// What a node or a TiDB server answered. What it says is for its methods, which know no network.
#[derive(Clone, Debug, Default)]
pub struct HttpReply {
    /// HTTP's status, which says little: a node answers almost everything with 200.
    pub status: u16,
    /// What decides.
    pub body: Vec<u8>,
    /// The node's own clock, seconds since 1970.
    pub date: Option<i64>,
    /// Where a redirect would lead. It is not followed.
    pub location: Option<String>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum HttpFailure {
    /// The request cannot be made at all.
    Invalid(String),
    /// Nobody listens there: the request was not sent. In words, which say where that is.
    Refused(String),
    /// Its name leads nowhere from here: the request was not sent.
    NoName(String),
    /// There was no connection: the request was not sent.
    NotSent(String),
    /// The connection was reset after the request was sent.
    Reset,
    /// The connection ended without an answer after the request was sent.
    Closed,
    /// It was sent, and nothing came for so long.
    Silent(Duration),
    /// It was sent, and what came cannot be used.
    Broken(String),
}

impl HttpFailure {
    /// Whether the request never went out, so that nothing can have come of it.
    pub(super) fn is_unsent(&self) -> bool {
        match self {
            Self::Invalid(_) | Self::Refused(_) | Self::NoName(_) | Self::NotSent(_) => true,
            Self::Reset | Self::Closed | Self::Silent(_) | Self::Broken(_) => false,
        }
    }

    /// In words, without the node.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Invalid(why) | Self::Refused(why) | Self::NoName(why) | Self::NotSent(why) | Self::Broken(why) => {
                on_one_line(why).into_owned()
            }
            Self::Reset => "the connection was reset".into(),
            Self::Closed => "the connection was closed without an answer".into(),
            Self::Silent(took) => format!("connected, and no answer in {}", show_seconds(took.as_secs_f64())),
        }
    }

    /// As the error of a read.
    pub(super) fn into_error(self, what: &str, node: &NodeRef) -> Error {
        let kind = match self {
            Self::Invalid(_) | Self::Broken(_) => ErrorKind::Invalid,
            Self::Silent(_) => ErrorKind::Timeout,
            Self::Refused(_) | Self::NoName(_) | Self::NotSent(_) | Self::Reset | Self::Closed => {
                ErrorKind::Unreachable
            }
        };
        let hint = match self {
            Self::Invalid(_) => "the record in etcd is wrong: see `pumps()` and `drainers()`",
            Self::Broken(_) => "something else may listen at this address: probe the node",
            Self::NoName(_) => NO_NAME,
            Self::Silent(_) => "it is starting, or it hangs: probe it, and look at its log",
            Self::NotSent(_) => "it was not asked: what is in the way stands there",
            Self::Refused(_) | Self::Reset | Self::Closed => "probe it to see whether its process is gone",
        };
        Error::new(kind, format!("cannot {what} {node}: {}", self.words())).hint(hint)
    }
}

/// Makes a connection for each exchange.
pub(super) struct HttpClient {
    pub(super) dialer: Dialer,
    pub(super) tls: Arc<RenewedTls>,
    /// How long a connection may take, TLS included.
    pub(super) limit: Duration,
}

impl HttpClient {
    /// A connection to whoever `address` (`host:port`) names. It takes only a part of what is left until `deadline`: what ends
    /// then was sent, and what was not sent is known to be.
    async fn connect(&self, address: &str, deadline: Deadline) -> Result<Box<dyn ByteStream>, HttpFailure> {
        let limit = self.limit.min(deadline.left() * 3 / 4);
        let dialer = self.dialer.within(limit * 2 / 3);
        let connecting = async {
            let tcp = dialer.connect(address).await?;
            Ok::<Box<dyn ByteStream>, StdError>(match self.tls.now().client() {
                None => Box::new(tcp),
                Some(tls) => Box::new(secured(tls, address, tcp).await?),
            })
        };
        match within(Deadline::after(limit), connecting).await {
            Some(Ok(stream)) => Ok(stream),
            Some(Err(error)) => Err(unconnected(error.as_ref())),
            None => Err(HttpFailure::NotSent("no connection: nobody answers at this address in time".into())),
        }
    }
}

impl NodeClient {
    /// One exchange, traced. It ends by `ask.deadline`, its body included.
    pub(super) async fn exchange(
        &self,
        client: &HttpClient,
        address: &str,
        ask: HttpCall<'_>,
    ) -> Result<HttpReply, HttpFailure> {
        let request = request(address, &ask).map_err(HttpFailure::Invalid)?;
        let exchange = self.wire.exchange(address, format!("{} {}", request.method(), request.uri()));
        let whole = ask.deadline.left();
        let work = async {
            let stream = client.connect(address, ask.deadline).await?;
            let sent = within(ask.deadline, send(stream, request, ask.max_body)).await;
            sent.unwrap_or(Err(HttpFailure::Silent(whole)))
        };
        let result = work.await;
        exchange.ended(match &result {
            Ok(reply) => format!("HTTP {}", reply.status),
            Err(failure) => failure.words(),
        });
        result
    }

    /// A `GET` whose answer has HTTP status 200. It ends by `deadline`, and as soon as it is known that the node does not even
    /// answer a probe: of many nodes those who are silent cost a probe and no more.
    ///
    /// # Errors
    /// `unreachable`, `timeout`, or `invalid` when the answer is none of a node's.
    pub(super) async fn get(
        &self,
        node: &NodeRef,
        path: &[&str],
        max_body: usize,
        deadline: Deadline,
    ) -> Result<HttpReply> {
        let what = format!("get /{} of", path.join("/"));
        let ask = HttpCall { method: Method::GET, path, query: &[], max_body, deadline };
        let answer = tokio::select! {
            biased;
            answer = self.exchange(&self.asker, &node.address, ask) => answer,
            deaf = deafness(self, node) => Err(deaf),
        };
        let reply = answer.map_err(|failure| failure.into_error(&what, node))?;
        if reply.status == 200 { Ok(reply) } else { Err(reply.no_answer(&what, node)) }
    }
}

impl HttpReply {
    /// It is no answer of a node, for its status or its body.
    pub(super) fn no_answer(&self, what: &str, node: &NodeRef) -> Error {
        Error::invalid(format!("cannot {what} {node}: {}", self.words()))
            .hint("something else may listen at this address: probe the node")
    }

    /// What came, in a few words.
    pub(super) fn words(&self) -> String {
        let to = self.location.as_ref().map(|to| format!(" with a redirect to {to}, which is not followed"));
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(200)]);
        let text = text.trim().replace(['\n', '\r'], " ");
        on_one_line(&format!("it answered HTTP {}{}: \"{text}\"", self.status, to.unwrap_or_default())).into_owned()
    }

    /// The body as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The request for `ask` at a node's `address`. What cannot be put there unharmed is an error, not another path.
fn request(address: &str, ask: &HttpCall<'_>) -> Result<Request<Empty<Bytes>>, String> {
    let bad = |why: &dyn std::fmt::Display| format!("its address `{address}` cannot be used: {why}");
    let authority = authority(address).map_err(|why| bad(&why))?;
    if let Some(part) = ask.path.iter().find(|part| matches!(**part, "" | "." | "..")) {
        return Err(format!("`{part}` cannot be part of a path"));
    }
    let encoded = |text: &str| utf8_percent_encode(text, NOT_IN_A_PATH).to_string();
    let path: String = ask.path.iter().map(|part| format!("/{}", encoded(part))).collect();
    let query: Vec<String> =
        ask.query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    let behind = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    Request::builder()
        .method(ask.method.clone())
        .uri(format!("{path}{behind}"))
        .header(HOST, authority)
        .header(ACCEPT, "*/*")
        .body(Empty::new())
        .map_err(|why| bad(&why))
}

/// Sends `request` over a connection that is for it alone, and reads what comes.
async fn send(
    stream: Box<dyn ByteStream>,
    request: Request<Empty<Bytes>>,
    max_body: usize,
) -> Result<HttpReply, HttpFailure> {
    // All that is in its buffer is looked at in one go.
    let handshake = http1::Builder::new().max_buf_size(TURN).handshake(TokioIo::new(PacedConnection::new(stream)));
    let (mut sender, connection) = handshake.await.map_err(|e| failure(&e))?;
    // It goes on while this is waited for, and ends with it.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    read(sender.send_request(request).await.map_err(|e| failure(&e))?, max_body).await
}

/// Why there is no connection.
fn unconnected(error: &(dyn std::error::Error + 'static)) -> HttpFailure {
    let words = trouble(error).words;
    match find::<NoConnection>(error) {
        Some(none) if none.why.is_refused() => HttpFailure::Refused(words),
        Some(none) if matches!(none.why, DialFailure::Name(_)) => {
            HttpFailure::NoName(format!("no connection: {words}"))
        }
        Some(_) | None => HttpFailure::NotSent(format!("no connection: {words}")),
    }
}

/// What a failed exchange means.
fn failure(error: &hyper::Error) -> HttpFailure {
    let Trouble { words, unheard, .. } = trouble(error);
    // Whose certificate is not taken is told so after the request was sent, and was not heard.
    if unheard {
        return HttpFailure::NotSent(format!("no connection: {words}"));
    }
    let closed = error.is_incomplete_message() || error.is_canceled() || error.is_closed();
    match () {
        () if has_io(error, &[Io::ConnectionReset, Io::BrokenPipe, Io::ConnectionAborted]) => HttpFailure::Reset,
        () if closed || has_io(error, &[Io::UnexpectedEof]) => HttpFailure::Closed,
        () => HttpFailure::Broken(format!("what came is no HTTP answer; perhaps it asks for TLS ({words})")),
    }
}

/// Whether some cause of `error` is an I/O error of one of these kinds.
fn has_io(error: &hyper::Error, kinds: &[Io]) -> bool {
    causes(error).any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|io| kinds.contains(&io.kind())))
}

/// Reads the body up to its limit.
async fn read(mut response: Response<Incoming>, max_body: usize) -> Result<HttpReply, HttpFailure> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let location = header(LOCATION).map(str::to_owned);
    let date =
        header(DATE).and_then(|text| chrono::DateTime::parse_from_rfc2822(text).ok()).map(|date| date.timestamp());
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(frame) = response.frame().await {
        let Ok(chunk) = frame.map_err(|e| failure(&e))?.into_data() else { continue };
        if body.len() + chunk.len() > max_body {
            return Err(HttpFailure::Broken(format!("its answer is larger than {} MiB", max_body >> 20)));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpReply { status, body, date, location })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(address: &str, path: &[&str]) -> Result<String, String> {
        let query = [("op", "a b&c")];
        let deadline = Deadline::after(Duration::ZERO);
        let ask = HttpCall { method: Method::PUT, path, query: &query, max_body: 0, deadline };
        request(address, &ask).map(|request| request.uri().to_string())
    }

    #[test]
    fn an_id_is_encoded_in_the_path() {
        let url = url("h:1", &["state", "a b/c?d#e%f", "pause"]).unwrap();
        assert_eq!(url, "/state/a%20b%2Fc%3Fd%23e%25f/pause?op=a%20b%26c");
    }

    #[test]
    fn what_would_change_the_path_is_an_error() {
        assert!(url("h:1", &["state", "..", "pause"]).is_err());
        assert!(url("h:1/x?", &["status"]).is_err());
        assert!(url("user@h:1", &["status"]).is_err());
        assert!(url("h", &["status"]).is_err());
    }
}
