//! One HTTP exchange with a node, and what can be said when it fails: whether the request was sent decides whether it
//! may have been carried out.

use super::NodeClient;
use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::{Deadline, within};
use crate::live::trouble::{Trouble, causes, root, trouble};
use crate::node::NodeRef;
use crate::pd_url::authority;
use crate::text::on_one_line;
use crate::time::show_seconds;
use reqwest::header::{DATE, LOCATION};
use reqwest::{Client, Method, Response, Url};
use std::io::ErrorKind as Io;
use std::time::Duration;

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

/// What came back.
pub(super) struct HttpReply {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    /// The node's own clock, seconds since 1970.
    pub(super) date: Option<i64>,
    /// Where a redirect would lead. It is not followed.
    pub(super) location: Option<String>,
}

/// Why nothing came back.
#[derive(Debug)]
pub(super) enum HttpFailure {
    /// The request cannot be made at all.
    Invalid(String),
    /// Nobody listens there: the request was not sent.
    Refused,
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
    /// In words, without the node.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Invalid(why) | Self::NotSent(why) | Self::Broken(why) => on_one_line(why).into_owned(),
            Self::Refused => "connection refused".into(),
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
            Self::Refused | Self::NotSent(_) | Self::Reset | Self::Closed => ErrorKind::Unreachable,
        };
        let hint = match self {
            Self::Invalid(_) => "the record in etcd is wrong: see `pumps()` and `drainers()`",
            Self::Broken(_) => "something else may listen at this address: probe the node",
            Self::Silent(_) => "it is starting, or it hangs: probe it, and look at its log",
            _ => "probe it to see whether its process is gone",
        };
        Error::new(kind, format!("cannot {what} {node}: {}", self.words())).hint(hint)
    }
}

impl NodeClient {
    /// One exchange, traced. It ends by `ask.deadline`, its body included.
    pub(super) async fn exchange(
        &self,
        client: &Client,
        address: &str,
        ask: HttpCall<'_>,
    ) -> Result<HttpReply, HttpFailure> {
        let mut url = url(self.wire.tls.scheme(), address, ask.path).map_err(HttpFailure::Invalid)?;
        if !ask.query.is_empty() {
            url.query_pairs_mut().extend_pairs(ask.query);
        }
        let behind = url.query().map_or(String::new(), |query| format!("?{query}"));
        let exchange = self.wire.exchange(address, format!("{} {}{behind}", ask.method, url.path()));
        let whole = ask.deadline.left();
        let work = async {
            let response = client.request(ask.method, url).send().await.map_err(|e| failure(&e))?;
            read(response, ask.max_body).await
        };
        let result = within(ask.deadline, work).await.unwrap_or(Err(HttpFailure::Silent(whole)));
        exchange.ended(match &result {
            Ok(reply) => format!("HTTP {}", reply.status),
            Err(failure) => failure.words(),
        });
        result
    }

    /// A `GET` whose answer has HTTP status 200.
    ///
    /// # Errors
    /// `unreachable`, `timeout`, or `invalid` when the answer is none of a node's.
    pub(super) async fn get(&self, node: &NodeRef, path: &[&str], max_body: usize) -> Result<HttpReply> {
        let what = format!("get /{} of", path.join("/"));
        let deadline = Deadline::after(self.wire.settings.timeout);
        let ask = HttpCall { method: Method::GET, path, query: &[], max_body, deadline };
        let reply =
            self.exchange(&self.asker, &node.address, ask).await.map_err(|failure| failure.into_error(&what, node))?;
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

/// The URL of a node's `path`. What cannot be put there unharmed is an error, not another path.
fn url(scheme: &str, address: &str, path: &[&str]) -> Result<Url, String> {
    let authority = authority(address).map_err(|why| format!("its address `{address}` cannot be used: {why}"))?;
    let mut url = Url::parse(&format!("{scheme}://{authority}/"))
        .map_err(|why| format!("its address `{address}` cannot be used: {why}"))?;
    if let Some(part) = path.iter().find(|part| matches!(**part, "" | "." | "..")) {
        return Err(format!("`{part}` cannot be part of a path"));
    }
    if let Ok(mut parts) = url.path_segments_mut() {
        parts.clear().extend(path);
    }
    Ok(url)
}

/// What a failed exchange means.
fn failure(error: &reqwest::Error) -> HttpFailure {
    if error.is_builder() {
        return HttpFailure::Invalid(root(error));
    }
    let Trouble { words, unheard, .. } = trouble(error);
    if error.is_connect() {
        return match () {
            () if has_io(error, &[Io::ConnectionRefused]) => HttpFailure::Refused,
            () if error.is_timeout() => {
                HttpFailure::NotSent("no connection: nobody answers at this address in time".into())
            }
            () => HttpFailure::NotSent(format!("no connection: {words}")),
        };
    }
    // Whose certificate is not taken is told so after the request was sent, and was not heard.
    if unheard {
        return HttpFailure::NotSent(format!("no connection: {words}"));
    }
    let closed = causes(error).any(|cause| cause.to_string().contains("before message completed"));
    match () {
        () if has_io(error, &[Io::ConnectionReset, Io::BrokenPipe, Io::ConnectionAborted]) => HttpFailure::Reset,
        () if closed || has_io(error, &[Io::UnexpectedEof]) => HttpFailure::Closed,
        () => HttpFailure::Broken(format!("what came is no HTTP answer; perhaps it asks for TLS ({words})")),
    }
}

/// Whether some cause of `error` is an I/O error of one of these kinds.
fn has_io(error: &reqwest::Error, kinds: &[Io]) -> bool {
    causes(error).any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|io| kinds.contains(&io.kind())))
}

/// Reads the body up to its limit.
async fn read(mut response: Response, max_body: usize) -> Result<HttpReply, HttpFailure> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let location = header(LOCATION).map(str::to_owned);
    let date =
        header(DATE).and_then(|text| chrono::DateTime::parse_from_rfc2822(text).ok()).map(|date| date.timestamp());
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| failure(&e))? {
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

    #[test]
    fn an_id_is_encoded_in_the_path() {
        let url = url("http", "h:1", &["state", "a b/c?d#e%f", "pause"]).unwrap();
        assert_eq!(url.as_str(), "http://h:1/state/a%20b%2Fc%3Fd%23e%25f/pause");
    }

    #[test]
    fn what_would_change_the_path_is_an_error() {
        assert!(url("http", "h:1", &["state", "..", "pause"]).is_err());
        assert!(url("http", "h:1/x?", &["status"]).is_err());
        assert!(url("http", "user@h:1", &["status"]).is_err());
        assert!(url("http", "h", &["status"]).is_err());
    }
}
