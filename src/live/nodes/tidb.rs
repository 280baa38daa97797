//! A TiDB server's status port, as far as binlog goes: whether it skips it, and having it write it again.
//!
//! `GET /binlog/recover`: `op=status` changes nothing; `op=nowait` leaves the skipping state and does not wait until the
//! transactions that skipped have ended; `op=reset` forgets these. Each answers how it stands then (TiDB's source).

use super::NodeClient;
use super::http::{HttpCall, HttpFailure, HttpReply, MAX_BODY, NO_NAME};
use crate::error::{Error, ErrorKind, Result};
use crate::live::Sent;
use crate::live::clock::Deadline;
use crate::world::{TidbBinlogState, TidbRef};
use hyper::Method;
use serde::Deserialize;

#[derive(Deserialize)]
struct SkippingBody {
    #[serde(rename = "Skipped")]
    skipped: bool,
    #[serde(rename = "SkippedCommitterCounter")]
    committers: i64,
}

/// Whether the server skips binlog, as it says itself.
///
/// # Errors
/// `unreachable`, `timeout`, or `invalid` when the answer is none of a TiDB server's.
pub(in crate::live) async fn tidb_binlog(nodes: &NodeClient, server: &TidbRef) -> Result<TidbBinlogState> {
    match recover(nodes, server, "status", nodes.deadline()).await {
        Ok(StatusAnswer::State(state)) => Ok(state),
        Ok(StatusAnswer::Words(words)) => Err(Error::invalid(cannot("ask", server, &words)).hint(ELSE)),
        Err(failure) => Err(failed("ask", server, failure)),
    }
}

/// Has the server write binlog again; with `reset` it then forgets the transactions that skipped: one more of them may begin
/// before it does.
///
/// # Errors
/// `rejected` with its words, `unreachable`, or `in_doubt` when the answer was lost.
pub(in crate::live) async fn recover_tidb(
    nodes: &NodeClient,
    server: &TidbRef,
    reset: bool,
    sent: &Sent,
) -> Result<TidbBinlogState> {
    const AGAIN: &str = "to recover it again does no harm; tidbs() tells whether it skips binlog";
    sent.mark(AGAIN.into());
    let (mut state, deadline) = (None, nodes.deadline());
    for op in if reset { &["nowait", "reset"][..] } else { &["nowait"] } {
        state = match recover(nodes, server, op, deadline).await {
            Ok(StatusAnswer::State(state)) => Some(state),
            Ok(StatusAnswer::Words(words)) => {
                return Err(Error::new(ErrorKind::Rejected, cannot("recover", server, &words)).hint(ELSE));
            }
            Err(failure) if failure.is_unsent() => {
                return Err(failed("recover", server, failure));
            }
            Err(lost) => {
                let message = format!("whether the {server} was recovered is not known: {}", lost.words());
                return Err(Error::new(ErrorKind::InDoubt, message).hint(AGAIN));
            }
        };
    }
    state.ok_or_else(|| Error::internal("a TiDB server was told nothing"))
}

/// What a status port says.
enum StatusAnswer {
    /// How it stands.
    State(TidbBinlogState),
    /// Something else.
    Words(String),
}

async fn recover(
    nodes: &NodeClient,
    server: &TidbRef,
    op: &str,
    deadline: Deadline,
) -> Result<StatusAnswer, HttpFailure> {
    let (path, query) = (["binlog", "recover"], [("op", op)]);
    let ask = HttpCall { method: Method::GET, path: &path, query: &query, max_body: MAX_BODY, deadline };
    let reply = nodes.exchange(&nodes.asker, &server.status_address, ask).await?;
    Ok(reply.skipping().map_or_else(StatusAnswer::Words, StatusAnswer::State))
}

impl HttpReply {
    /// What `/binlog/recover` of a TiDB server's status port says of the binlog that it skips.
    ///
    /// # Errors
    /// In words, what came instead.
    pub fn skipping(&self) -> Result<TidbBinlogState, String> {
        match serde_json::from_slice::<SkippingBody>(&self.body) {
            Ok(SkippingBody { skipped, committers }) if self.status == 200 => {
                Ok(TidbBinlogState { skips: skipped, under_way: committers })
            }
            Ok(_) | Err(_) => Err(self.words()),
        }
    }
}

const ELSE: &str = "something else may listen at this address: see status_port in its configuration";

fn cannot(what: &str, server: &TidbRef, why: &str) -> String {
    format!("cannot {what} the {server} at its status port {}: {why}", server.status_address)
}

fn failed(what: &str, server: &TidbRef, failure: HttpFailure) -> Error {
    let (kind, hint) = match &failure {
        HttpFailure::Invalid(_) | HttpFailure::Broken(_) => (ErrorKind::Invalid, ELSE),
        HttpFailure::Silent(_) => (ErrorKind::Timeout, "it is starting, or it hangs: look at its log"),
        HttpFailure::NoName(_) => (ErrorKind::Unreachable, NO_NAME),
        HttpFailure::NotSent(_) => (ErrorKind::Unreachable, "it was not asked: what is in the way stands there"),
        HttpFailure::Refused(_) | HttpFailure::Reset | HttpFailure::Closed => {
            (ErrorKind::Unreachable, "see whether its process runs: it may have stopped for want of a Pump")
        }
    };
    Error::new(kind, cannot(what, server, &failure.words())).hint(hint)
}
