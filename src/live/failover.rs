//! Asking one of several endpoints, and another when it does not answer.
//!
//! etcd-client does not fail over by itself, and a frozen process still accepts connections: only an answer proves that
//! an endpoint lives. So a question that may be asked twice goes to the endpoint that answered last; to another at once
//! when that one fails, and beside it when it is slow; the first answer counts. What may not be asked twice (a
//! transaction) does not come through here.

use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::{Deadline, pause};
use crate::live::wire::{Wire, root};
use crate::time::show_seconds;
use std::future::Future;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::transport::Channel;
use tonic::{Code, Status};

/// How long one endpoint may think before another is asked beside it.
const HEDGE: Duration = Duration::from_millis(250);

/// How long an endpoint is left alone that asks for patience.
const AGAIN: Duration = Duration::from_millis(100);

/// Why an endpoint gave no answer that counts.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It cannot answer; another may.
    Elsewhere(String),
    /// It cannot answer just now, as during an election; it may in a moment.
    Again(String),
    /// It answered, and so would every other.
    Final(Error),
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        let words = status_words(&status);
        match status.code() {
            Code::PermissionDenied | Code::Unauthenticated => Self::Final(
                Error::new(ErrorKind::Rejected, format!("the cluster does not let us: {words}"))
                    .hint("give a certificate that the cluster accepts"),
            ),
            Code::Unavailable if words.starts_with("etcdserver: ") => Self::Again(words),
            _ => Self::Elsewhere(words),
        }
    }
}

impl From<etcd_client::Error> for Refusal {
    fn from(error: etcd_client::Error) -> Self {
        match error {
            etcd_client::Error::GRpcStatus(status) => status.into(),
            other => Self::Elsewhere(root(&other)),
        }
    }
}

/// What a status says, in the words of whoever knows most.
pub(super) fn status_words(status: &Status) -> String {
    match std::error::Error::source(status) {
        Some(source) => root(source),
        None if status.message().is_empty() => format!("{:?}", status.code()),
        None => status.message().to_owned(),
    }
}

/// One endpoint that was asked in vain.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) url: String,
    pub(super) words: String,
    pub(super) took: Duration,
    /// Whether it was there and said nothing.
    pub(super) silent: bool,
}

/// Why a question has no answer.
pub(super) enum Unanswered {
    /// Every endpoint, and what it said.
    Nobody(Vec<Attempt>),
    /// An endpoint said what every other would.
    Final(Error),
}

impl Unanswered {
    /// As an error: `unreachable`, or `timeout` when somebody was there and silent.
    pub(super) fn into_error(self, what: &str) -> Error {
        let attempts = match self {
            Self::Final(error) => return error,
            Self::Nobody(attempts) => attempts,
        };
        let kind = if attempts.iter().any(|a| a.silent) { ErrorKind::Timeout } else { ErrorKind::Unreachable };
        let tried = attempts.iter().map(|a| format!("{}: {} ({})", a.url, a.words, show_seconds(a.took.as_secs_f64())));
        let tried: Vec<_> = tried.collect();
        Error::new(kind, format!("cannot {what}: no endpoint answered; {}", tried.join("; "))).hint(
            "check --pd-urls and TLS settings, and whether PD runs: `curl URL/pd/api/v1/members` shows its members",
        )
    }
}

/// Asks `urls` in their order until one answers: all at once with `together`, else each when the one before failed or
/// is slow. Gives the answer and who gave it.
pub(super) async fn race<T, F, W>(
    wire: &Wire,
    urls: &[String],
    together: bool,
    deadline: Deadline,
    what: &str,
    ask: F,
) -> Result<(String, T), Unanswered>
where
    T: Send + 'static,
    F: Fn(Channel) -> W,
    W: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    let whole = deadline.left();
    let mut race =
        Race { wire, what, ask, waiting: urls.iter(), under_way: JoinSet::new(), pending: vec![], failed: vec![] };
    let mut another = true;
    loop {
        while another && race.ask_next()? {
            another = together;
        }
        if race.under_way.is_empty() {
            return Err(Unanswered::Nobody(race.failed));
        }
        let patience = if race.waiting.len() > 0 { deadline.at_most(HEDGE) } else { deadline };
        let asked = tokio::select! {
            biased;
            asked = race.under_way.join_next() => asked,
            () = pause(patience.left()) => None,
        };
        match asked {
            Some(Ok(asked)) => {
                if let Some(end) = race.note(asked) {
                    return end;
                }
            }
            None if deadline.is_over() => return Err(race.give_up(whole)),
            // Slow, or a task that panicked and has said so: the next one is asked.
            Some(Err(_)) | None => {}
        }
        another = true;
    }
}

/// What one endpoint said.
struct Asked<T> {
    url: String,
    took: Duration,
    result: Result<T, Refusal>,
}

/// The endpoints not asked yet, those that are being asked, and those that failed.
struct Race<'a, T, F> {
    wire: &'a Wire,
    what: &'a str,
    ask: F,
    waiting: std::slice::Iter<'a, String>,
    under_way: JoinSet<Asked<T>>,
    /// With what it said last, if it asked for patience.
    pending: Vec<(String, Option<String>)>,
    failed: Vec<Attempt>,
}

impl<T, F, W> Race<'_, T, F>
where
    T: Send + 'static,
    F: Fn(Channel) -> W,
    W: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    /// Asks the next endpoint, if there is one.
    fn ask_next(&mut self) -> Result<bool, Unanswered> {
        let Some(url) = self.waiting.next() else { return Ok(false) };
        self.spawn(url.clone(), Duration::ZERO, None)?;
        Ok(true)
    }

    fn spawn(&mut self, url: String, delay: Duration, said: Option<String>) -> Result<(), Unanswered> {
        let work = (self.ask)(self.wire.channel(&url).map_err(Unanswered::Final)?);
        let (asked, what, trace) = (url.clone(), self.what.to_owned(), self.wire.trace());
        self.under_way.spawn(async move {
            pause(delay).await;
            let exchange = trace.exchange(&asked, what);
            let result = work.await;
            let took = exchange.ended(outcome(&result));
            Asked { url: asked, took, result }
        });
        self.pending.push((url, said));
        Ok(())
    }

    /// Notes what one endpoint said; gives the end of the race if that is one.
    fn note(&mut self, asked: Asked<T>) -> Option<Result<(String, T), Unanswered>> {
        let Asked { url, took, result } = asked;
        self.pending.retain(|(pending, _)| *pending != url);
        match result {
            Ok(answer) => Some(Ok((url, answer))),
            Err(Refusal::Final(error)) => Some(Err(Unanswered::Final(error))),
            Err(Refusal::Again(words)) => self.spawn(url, AGAIN, Some(words)).err().map(Err),
            Err(Refusal::Elsewhere(words)) => {
                self.failed.push(Attempt { url, words, took, silent: false });
                None
            }
        }
    }

    /// The time is over: who was asked and has not answered is silent.
    fn give_up(mut self, whole: Duration) -> Unanswered {
        let pending = self.pending.into_iter().chain(self.waiting.map(|url| (url.clone(), None)));
        let silent = pending.map(|(url, said)| Attempt {
            url,
            words: said.unwrap_or_else(|| "no answer".into()),
            took: whole,
            silent: true,
        });
        self.failed.extend(silent);
        Unanswered::Nobody(self.failed)
    }
}

fn outcome<T>(result: &Result<T, Refusal>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(Refusal::Elsewhere(words) | Refusal::Again(words)) => words.clone(),
        Err(Refusal::Final(error)) => error.to_string(),
    }
}
