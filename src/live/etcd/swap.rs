//! Changing a record or deleting a key so that no update is lost, under the lock's fence where there is one.
//!
//! Every write is a transaction that compares the revision of the last write that was read. A transaction without an
//! answer may have happened or may still happen; so the key is looked at again, and the same comparison is tried again:
//! of all these attempts at most one can succeed, whichever endpoint takes it.

use super::{Etcd, gets, kv};
use crate::error::{Error, ErrorKind, Result};
use crate::live::Sent;
use crate::live::clock::{Deadline, pause, within};
use crate::live::failover::Refusal;
use crate::node::{NodeRef, Record, State, key_called};
use crate::text::on_one_line;
use crate::world::{Fence, check_is_of_a_node, lock_lost, still_the_key, still_the_record};
use etcd_client::{Compare, CompareOp, KeyValue, Txn, TxnOp};
use std::time::Duration;

/// How often a write is tried: heartbeats come every second, so that more than two or three losses in a row are odd.
const TRIES: usize = 8;

/// All tries together may take so many time-outs: one to write, one to look again, one to try again.
const WHOLE: u32 = 3;

/// What became of one transaction.
enum SwapOutcome {
    /// It happened, at this revision.
    Done(i64),
    /// The key was written by somebody else; the lock's key is as the fence says.
    Lost,
    /// There is no answer: it may have happened.
    Unknown(String),
}

/// Writes `state` into the record `seen`, whose every other field stays as it is now.
///
/// # Errors
/// `conflict` when more than heartbeats has changed since it was seen (which shows what), or the key is gone;
/// `lock_lost` by the fence; `in_doubt` when no endpoint could say whether it happened, or others wrote before one could;
/// `unreachable`, `timeout`.
pub(in crate::live) async fn swap(
    etcd: &Etcd,
    seen: &Record,
    state: State,
    fence: Option<&Fence>,
    sent: &Sent,
) -> Result<Record> {
    let key = seen.node.key();
    let shown = &*on_one_line(&key);
    let whole = Deadline::after(etcd.wire.settings.timeout * WHOLE);
    let mut doubt: Option<Doubt> = None;
    for _ in 0..TRIES {
        let (url, now) = match etcd.get(&key, etcd.deadline()).await {
            Ok(found) => found,
            Err(error) => return Err(doubtful(doubt, error, shown)),
        };
        if let (Some(doubt), Some(kv)) = (&doubt, &now)
            && let Some(record) = doubt.is_settled_by(seen, kv)
        {
            return Ok(record);
        }
        let current = match still_the_record(seen, now.as_ref().map(|now| (now.value(), now.mod_revision()))) {
            Ok(current) => current,
            Err(error) => return Err(doubtful(doubt, error, shown)),
        };
        let value = current.with_state(state)?.bytes().to_vec();
        let txn = compared(key.as_bytes(), current.mod_revision, fence, TxnOp::put(key.as_str(), value.clone(), None));
        match execute(etcd, &url, &format!("write {shown}"), txn, shown, fence, sent).await {
            Err(error) => return Err(doubtful(doubt, error, shown)),
            Ok(SwapOutcome::Done(revision)) => return written(&value, &seen.node, revision),
            Ok(SwapOutcome::Lost) => {}
            Ok(SwapOutcome::Unknown(words)) => {
                doubt = Some(Doubt { compared: current.mod_revision, written: value, words });
                pause(Duration::from_millis(50)).await;
            }
        }
        if whole.is_over() {
            break;
        }
    }
    let busy =
        Error::new(ErrorKind::Conflict, format!("cannot write {shown}: it was written by others every time we tried"))
            .hint("the node is alive and writes its heartbeats: a state set by hand would not last");
    Err(doubtful(doubt, busy, shown))
}

/// Deletes the key called `name` if its last write is the one at `mod_revision`.
///
/// # Errors
/// `conflict` when it was written again since; `not_found` when it is gone; `lock_lost`, `in_doubt`, `unreachable`,
/// `timeout` as for a swap; `invalid` for a key that is none of ours.
pub(in crate::live) async fn delete(
    etcd: &Etcd,
    name: &str,
    mod_revision: i64,
    fence: Option<&Fence>,
    sent: &Sent,
) -> Result<()> {
    check_is_of_a_node(name)?;
    let (key, shown) = (&key_called(name), &*on_one_line(name));
    let whole = Deadline::after(etcd.wire.settings.timeout * WHOLE);
    let mut doubt: Option<Doubt> = None;
    for _ in 0..TRIES {
        let (url, now) = match etcd.last_write(key, shown, etcd.deadline()).await {
            Ok(found) => found,
            Err(error) => return Err(doubtful(doubt, error, shown)),
        };
        if now.is_none() && doubt.is_some() {
            return Ok(());
        }
        if let Err(error) = still_the_key(shown, mod_revision, now) {
            return Err(doubtful(doubt, error, shown));
        }
        let txn = compared(key, mod_revision, fence, TxnOp::delete(key.as_slice(), None));
        match execute(etcd, &url, &format!("delete {shown}"), txn, shown, fence, sent).await {
            Err(error) => return Err(doubtful(doubt, error, shown)),
            Ok(SwapOutcome::Done(_)) => return Ok(()),
            Ok(SwapOutcome::Lost) => {}
            Ok(SwapOutcome::Unknown(words)) => {
                doubt = Some(Doubt { compared: mod_revision, written: Vec::new(), words });
                pause(Duration::from_millis(50)).await;
            }
        }
        if whole.is_over() {
            break;
        }
    }
    let busy = Error::new(ErrorKind::Conflict, format!("cannot delete {shown}: it changes all the time"));
    Err(doubtful(doubt, busy, shown))
}

/// Whether the lock's key is still the one that we created. What is not written in etcd cannot be fenced: this is as
/// close as one can come.
///
/// # Errors
/// `lock_lost`, `unreachable`, `timeout`.
pub(in crate::live) async fn check_fence(etcd: &Etcd, fence: &Fence) -> Result<()> {
    if is_held(etcd, fence, etcd.deadline()).await? { Ok(()) } else { Err(lock_lost(fence)) }
}

/// The same as yes or no, by `deadline`.
///
/// # Errors
/// `unreachable`, `timeout`.
pub(in crate::live) async fn is_held(etcd: &Etcd, fence: &Fence, deadline: Deadline) -> Result<bool> {
    let (_, now) = etcd.get(&fence.key, deadline).await?;
    Ok(now.is_some_and(|kv| kv.create_revision() == fence.create_revision))
}

/// A transaction without an answer.
struct Doubt {
    compared: i64,
    written: Vec<u8>,
    words: String,
}

impl Doubt {
    /// The record as `now` has it, if what was to be written into `seen` stands there: perhaps with heartbeats that came upon
    /// it since.
    fn is_settled_by(&self, seen: &Record, now: &KeyValue) -> Option<Record> {
        if now.mod_revision() <= self.compared {
            return None;
        }
        let key = seen.node.key();
        let wanted = Record::parse(&key, &*self.written, self.compared).ok()?;
        let found = Record::parse(&key, now.value(), now.mod_revision()).ok()?;
        wanted.differences(&found).is_ok_and(|differences| differences.is_empty()).then_some(found)
    }
}

/// The error `error`, unless an earlier attempt may have happened.
fn doubtful(doubt: Option<Doubt>, error: Error, key: &str) -> Error {
    match doubt {
        None => error,
        Some(doubt) => Error::new(
            ErrorKind::InDoubt,
            format!("whether {key} was changed is not known: the answer was lost ({})", doubt.words),
        )
        .hint("look at the record again once etcd answers")
        .source(error),
    }
}

fn written(value: &[u8], node: &NodeRef, revision: i64) -> Result<Record> {
    Record::parse(&node.key(), value, revision)
        .map_err(|e| Error::internal(format!("the record of {node} was written badly")).source(e))
}

/// A transaction that does `write` if the key and the lock's key are as they were read, and else reads the lock's key.
fn compared(key: &[u8], mod_revision: i64, fence: Option<&Fence>, write: TxnOp) -> Txn {
    let mut compares = vec![Compare::mod_revision(key, CompareOp::Equal, mod_revision)];
    let mut otherwise = Vec::new();
    if let Some(fence) = fence {
        compares.push(Compare::create_revision(fence.key.as_str(), CompareOp::Equal, fence.create_revision));
        otherwise.push(TxnOp::get(fence.key.as_str(), None));
    }
    Txn::new().when(compares).and_then([write]).or_else(otherwise)
}

/// Sends the transaction to the endpoint `url`, once.
async fn execute(
    etcd: &Etcd,
    url: &str,
    what: &str,
    txn: Txn,
    key: &str,
    fence: Option<&Fence>,
    sent: &Sent,
) -> Result<SwapOutcome> {
    let channel = etcd.wire.channel(url)?;
    let exchange = etcd.wire.exchange(url, what);
    sent.mark(format!("look at the record {key} again"));
    let answer = within(etcd.deadline(), async { kv(channel).await?.txn(txn).await }).await;
    let response = match answer {
        Some(Ok(response)) => response,
        Some(Err(error)) => {
            let refused = |error: Error| Error { message: format!("cannot {what}: {}", error.message), ..error };
            let words = Refusal::from(error).words().map_err(refused)?;
            exchange.ended(words.clone());
            return Ok(SwapOutcome::Unknown(words));
        }
        None => {
            exchange.ended("no answer");
            return Ok(SwapOutcome::Unknown(format!("no answer from {url}")));
        }
    };
    exchange.ended(if response.succeeded() { "ok" } else { "changed meanwhile" });
    if response.succeeded() {
        return Ok(SwapOutcome::Done(response.header().map_or(0, |header| header.revision())));
    }
    let held = |fence: &Fence| {
        let found = gets(&response).first().and_then(|get| get.kvs().first().map(KeyValue::create_revision));
        found == Some(fence.create_revision)
    };
    match fence {
        Some(fence) if !held(fence) => Err(lock_lost(fence)),
        _ => Ok(SwapOutcome::Lost),
    }
}
