//! Telling a node to pause or close, or a Pump to collect garbage, and finding out whether it did when its answer is
//! lost.

use super::http::{HttpCall, HttpFailure, HttpReply, MAX_BODY};
use super::metrics::started_by;
use super::probe::probe_by;
use super::{CodedAnswer, NodeClient};
use crate::error::{Error, ErrorKind, Result};
use crate::live::Sent;
use crate::live::clock::{Deadline, Stopwatch, pause};
use crate::node::{NodeRef, State};
use crate::text::on_one_line;
use crate::world::{Action, ProbeFinding};
use hyper::Method;
use std::time::Duration;

/// How long is waited before it is looked whether the node did what it was told: it sets its state before it answers.
const A_MOMENT: Duration = Duration::from_millis(100);

/// How far a node's start time, given in whole seconds of its own clock, may be off.
const CLOCK_SLACK: f64 = 2.0;

/// What is known of an action.
pub(in crate::live) enum ActOutcome {
    /// Done; the node's own words, or how else we know.
    Done(String),
    /// The process is gone: its record must tell whether it did what it was told. Holds why there is no answer.
    Gone(String),
}

/// `PUT /state/{id}/{action}`; the body's code decides. An answer that was lost is replaced by a probe where that can
/// tell. All ends by `whole`: the last part of the time is kept for that probe.
///
/// # Errors
/// `rejected` with the node's own words; `unreachable` when it was not sent, or the node shows that nothing happened;
/// `in_doubt` when nobody can tell.
pub(in crate::live) async fn act(
    nodes: &NodeClient,
    node: &NodeRef,
    action: Action,
    sent: &Sent,
    whole: Deadline,
) -> Result<ActOutcome> {
    let what = format!("{} {node}", action.name());
    let path = ["state", &node.id, action.name()];
    let (left, probe_timeout) = (whole.left(), nodes.wire.settings.probe_timeout);
    let deadline = whole.at_most(left - (probe_timeout * 5 / 4).min(left / 2));
    let ask = HttpCall { method: Method::PUT, path: &path, query: &[], max_body: MAX_BODY, deadline };
    sent.mark(format!("probe the node: `probe(\"{}\")`", node.id));
    let since = Stopwatch::start();
    let lost = match nodes.exchange(&nodes.asker, &node.address, ask).await {
        Ok(reply) => match reply.verdict() {
            ActionAnswer::Done(words) => return Ok(ActOutcome::Done(words)),
            ActionAnswer::Rejected(words) => return Err(rejected(&what, &words)),
            ActionAnswer::Lost(words) => Lost { words, late: false },
        },
        Err(failure) if failure.is_unsent() => {
            return Err(failure.into_error(action.name(), node));
        }
        Err(failure) => Lost { words: failure.words(), late: matches!(failure, HttpFailure::Silent(_)) },
    };
    resolve(nodes, node, action, lost, (since, whole)).await
}

/// What a node says to an action that it was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActionAnswer {
    /// It does it; its own words.
    Done(String),
    /// It does not; its own words.
    Rejected(String),
    /// Nothing that a node says: in words, what came instead.
    Lost(String),
}

impl HttpReply {
    /// What the answer to an action says: the code in the body decides.
    pub fn verdict(&self) -> ActionAnswer {
        match serde_json::from_slice::<CodedAnswer>(&self.body) {
            Ok(said) if said.code == 200 && self.status == 200 => ActionAnswer::Done(said.message),
            Ok(said) if said.code != 200 => ActionAnswer::Rejected(said.message),
            Ok(_) | Err(_) => ActionAnswer::Lost(self.words()),
        }
    }
}

/// An answer that was lost: why, and whether the request may still be carried out later.
struct Lost {
    words: String,
    late: bool,
}

/// Finds out by probe and start time whether the action was carried out.
async fn resolve(
    nodes: &NodeClient,
    node: &NodeRef,
    action: Action,
    lost: Lost,
    (since, whole): (Stopwatch, Deadline),
) -> Result<ActOutcome> {
    let what = format!("{} {node}", action.name());
    pause(A_MOMENT.min(whole.left() / 8)).await;
    let finding = probe_by(nodes, node, whole.at_most(nodes.wire.settings.probe_timeout)).await;
    let in_doubt = |more: &str| {
        Error::new(ErrorKind::InDoubt, format!("whether it did {what} is not known: {}{more}", lost.words))
            .hint("probe the node and look at its record and its log before you try again")
    };
    match (action, &finding) {
        (Action::Close, ProbeFinding::State(State::Closing | State::Offline))
        | (Action::Pause, ProbeFinding::State(State::Pausing | State::Paused)) => {
            Ok(ActOutcome::Done(format!("the answer was lost ({}); a probe says {finding}", lost.words)))
        }
        (_, ProbeFinding::Refused) => Ok(ActOutcome::Gone(lost.words)),
        (_, ProbeFinding::State(State::Online)) if lost.late => {
            Err(in_doubt("; a probe says online, but it may still be carried out"))
        }
        (_, ProbeFinding::State(State::Online)) => match uptime(nodes, node, whole).await {
            Some(up) if up > since.elapsed().as_secs_f64() + CLOCK_SLACK => {
                Err(Error::new(ErrorKind::Unreachable, format!("cannot {what}: {}", lost.words))
                    .hint("it was not done: the same process is still online, as a probe and its start time show"))
            }
            Some(_) => Err(in_doubt("; it was started again meanwhile and is online")),
            None => Err(in_doubt("; a probe says online, but its start time is not known")),
        },
        (_, ProbeFinding::State(state)) => Err(rejected(&what, &format!("a probe says {state}"))),
        _ => Err(in_doubt(&format!("; a probe says {finding}"))),
    }
}

/// For how many seconds its process has run, by its own clock.
async fn uptime(nodes: &NodeClient, node: &NodeRef, deadline: Deadline) -> Option<f64> {
    let started = started_by(nodes, node, deadline).await.ok()?;
    Some(started.now - started.at)
}

/// The error when the process is gone and its record does not say why.
pub(in crate::live) fn gone(node: &NodeRef, action: Action, lost: &str, record: &str) -> Error {
    Error::new(
        ErrorKind::InDoubt,
        format!("whether it did {} {node} is not known: {lost}; its process is gone, and {record}", action.name()),
    )
    .hint("look at its log: it may have been killed while it was told")
}

/// `POST /debug/gc/trigger`; gives the Pump's own words.
///
/// # Errors
/// `rejected` with its words, `unreachable`, or `in_doubt` when the answer was lost.
pub(in crate::live) async fn trigger_gc(nodes: &NodeClient, node: &NodeRef, sent: &Sent) -> Result<String> {
    let path = ["debug", "gc", "trigger"];
    let deadline = Deadline::after(nodes.wire.settings.timeout);
    let ask = HttpCall { method: Method::POST, path: &path, query: &[], max_body: MAX_BODY, deadline };
    let hint = "its metric binlog_pump_storage_gc_ts moves when GC runs; triggering it again does no harm";
    sent.mark(hint.into());
    let failure = match nodes.exchange(&nodes.asker, &node.address, ask).await {
        Ok(reply) => {
            let text = reply.text().trim().to_owned();
            if reply.status == 200 && matches!(text.as_str(), "trigger gc success" | "gc is working") {
                return Ok(text);
            }
            return Err(rejected(&format!("trigger GC of {node}"), &reply.words()));
        }
        Err(failure) => failure,
    };
    match failure {
        unsent if unsent.is_unsent() => Err(unsent.into_error("trigger GC of", node)),
        lost => Err(Error::new(
            ErrorKind::InDoubt,
            format!("whether GC of {node} was triggered is not known: {}", lost.words()),
        )
        .hint(hint)),
    }
}

fn rejected(what: &str, words: &str) -> Error {
    Error::new(ErrorKind::Rejected, format!("cannot {what}: {}", on_one_line(words)))
        .hint("probe the node to see its true state")
}
