//! Asking one of several endpoints, and another when it does not answer.
//!
//! etcd-client does not fail over by itself, and a frozen process still accepts connections: only an answer proves that
//! an endpoint lives. So a question that may be asked twice goes to the endpoint that answered last; to another at once
//! when that one fails, and beside it when it is slower than answers were lately (`live/pace`); the first answer counts. Who failed for a reason that may pass, as
//! a process that is being restarted, is asked again until the deadline. What may not be asked twice (a transaction) does
//! not come through here.

use crate::error::{Error, ErrorKind, Result};
use crate::live::answers::ServerWords;
use crate::live::clock::{Deadline, pause, within};
use crate::live::connect::LastWords;
use crate::live::pace::LONGEST;
use crate::live::trouble::{Trouble, root, trouble};
use crate::live::wire::{Connection, Wire};
use crate::time::show_seconds;
use std::future::Future;
use std::time::Duration;
use tokio::task::JoinSet;
use tonic::transport::Channel;

/// How long an endpoint is left alone that failed or asks for patience; doubled with each time that it failed.
const REST: Duration = Duration::from_millis(100);

/// The longest of these rests.
const LONGEST_REST: Duration = Duration::from_millis(800);

/// Where something can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EndpointUrl {
    pub(super) url: String,
    /// PD has named it; we were not given it.
    pub(super) learned: bool,
}

/// How several endpoints are asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct AskingPlan {
    /// All at once, since none is known to live.
    pub(super) together: bool,
    pub(super) again: Again,
    /// How long one may think before the next is asked beside it. One that PD has named comes later: it is first asked
    /// whose it is.
    pub(super) patience: Duration,
}

/// Who is asked again until the deadline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Again {
    /// Nobody but who asks for patience.
    Patient,
    /// Who failed for a reason that may pass.
    Passing,
    /// Everybody: something answered before.
    Everybody,
}

/// Why an endpoint gave no answer that counts.
#[derive(Debug)]
pub enum Refusal {
    /// It cannot answer; another may, and it may itself later.
    Elsewhere(String),
    /// It can never answer as it is; another may.
    Never(String),
    /// It answered that it cannot do so just now, as during an election; it may in a moment.
    Again(ServerWords),
    /// It answered, and so would every other.
    Final(Error),
}

impl Refusal {
    /// The same, or what TLS said when it ended the connection.
    fn or_said_by_tls(self, last_words: &LastWords) -> Self {
        match self {
            Self::Elsewhere(words) => last_words.take().map_or(Self::Elsewhere(words), Self::from),
            other => other,
        }
    }

    /// In words, unless every other endpoint would say the same.
    ///
    /// # Errors
    /// What every endpoint would say.
    pub fn words(self) -> Result<String> {
        match self {
            Self::Elsewhere(words) | Self::Never(words) => Ok(words),
            Self::Again(said) => Ok(said.words),
            Self::Final(error) => Err(error),
        }
    }
}

impl From<Trouble> for Refusal {
    fn from(trouble: Trouble) -> Self {
        if trouble.lasting { Self::Never(trouble.words) } else { Self::Elsewhere(trouble.words) }
    }
}

impl From<etcd_client::Error> for Refusal {
    fn from(error: etcd_client::Error) -> Self {
        match error {
            etcd_client::Error::GRpcStatus(status) => status.into(),
            etcd_client::Error::TransportError(error) => trouble(&error).into(),
            other => Self::Elsewhere(root(&other)),
        }
    }
}

/// One endpoint that was asked in vain.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) source: EndpointUrl,
    pub(super) words: String,
    pub(super) took: Duration,
    pub(super) heard: Heard,
}

/// What was heard of an endpoint that was asked in vain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Heard {
    /// It was there and said nothing.
    Nothing,
    /// There was no way to it.
    NoWay,
    /// It said that it cannot answer just now; with what can be done about it.
    Words(&'static str),
}

/// Why a question has no answer.
pub(super) enum Unanswered {
    /// Every endpoint, and what it said.
    Nobody(Vec<Attempt>),
    /// An endpoint said what every other would.
    Final(Error),
}

impl Unanswered {
    /// As an error: `timeout` when somebody was there, else `unreachable`.
    pub(super) fn into_error(self, what: &str) -> Error {
        let attempts = match self {
            Self::Final(error) => return Error { message: format!("cannot {what}: {}", error.message), ..error },
            Self::Nobody(attempts) => attempts,
        };
        let tried = attempts.iter().map(|attempt| {
            let learned = if attempt.source.learned { " (named by PD)" } else { "" };
            let took = show_seconds(attempt.took.as_secs_f64());
            format!("{}{learned}: {} ({took})", attempt.source.url, attempt.words)
        });
        let tried = tried.collect::<Vec<_>>().join("; ");
        let advice = attempts.iter().find_map(|attempt| match attempt.heard {
            Heard::Words(advice) => Some(advice),
            Heard::Nothing | Heard::NoWay => None,
        });
        if let Some(advice) = advice {
            return Error::new(
                ErrorKind::Timeout,
                format!("cannot {what}: PD's etcd answers, and cannot do it; {tried}"),
            )
            .hint(advice);
        }
        let silent = attempts.iter().any(|attempt| attempt.heard == Heard::Nothing);
        let kind = if silent { ErrorKind::Timeout } else { ErrorKind::Unreachable };
        Error::new(kind, format!("cannot {what}: no endpoint answered; {tried}")).hint(
            "check --pd-urls and TLS settings, and whether PD runs: `curl URL/pd/api/v1/members` shows its members",
        )
    }
}

/// Asks the one endpoint at `url`, once.
///
/// # Errors
/// Why it gave no answer.
pub(super) async fn one<T, F, W>(wire: &Wire, url: &str, deadline: Deadline, what: &str, ask: F) -> Result<T, Refusal>
where
    F: FnOnce(Channel) -> W,
    W: Future<Output = Result<T, Refusal>>,
{
    let Connection { channel, last_words } = wire.connection(url).map_err(Refusal::Final)?;
    let exchange = wire.exchange(url, what);
    let result = within(deadline, ask(channel)).await.unwrap_or(Err(Refusal::Elsewhere("no answer".into())));
    let result = result.map_err(|refusal| refusal.or_said_by_tls(&last_words));
    exchange.ended(outcome(&result));
    result
}

/// The answer that came first.
pub(super) struct FirstAnswer<T> {
    /// Who gave it.
    pub(super) source: EndpointUrl,
    /// How long that one took.
    pub(super) took: Duration,
    pub(super) answer: T,
}

/// Asks `sources` in their order until one answers: all at once if they are asked together, else each when the one before
/// failed or is slow.
pub(super) async fn race<T, F, W>(
    wire: &Wire,
    sources: &[EndpointUrl],
    pace: AskingPlan,
    deadline: Deadline,
    what: &str,
    ask: F,
) -> Result<FirstAnswer<T>, Unanswered>
where
    T: Send + 'static,
    F: Fn(&EndpointUrl, Channel) -> W,
    W: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    let whole = deadline.left();
    let waiting = sources.iter();
    let mut race = Race {
        wire,
        what,
        ask,
        again: pace.again,
        waiting,
        under_way: JoinSet::new(),
        pending: vec![],
        failed: vec![],
    };
    let mut another = true;
    loop {
        while another && race.ask_next() {
            another = pace.together;
        }
        if race.under_way.is_empty() {
            return Err(Unanswered::Nobody(race.failed));
        }
        let patience = match race.waiting.as_slice() {
            [] => deadline,
            [next, ..] => deadline.at_most(if next.learned { LONGEST } else { pace.patience }),
        };
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
struct EndpointAnswer<T> {
    source: EndpointUrl,
    took: Duration,
    result: Result<T, Refusal>,
}

/// An endpoint that is being asked, or rests before it is asked again.
struct Pending {
    source: EndpointUrl,
    /// How it failed last.
    last: Option<Attempt>,
    /// How often it has failed.
    failures: u32,
}

/// The endpoints not asked yet, those that are being asked, and those that are not asked again.
struct Race<'a, T, F> {
    wire: &'a Wire,
    what: &'a str,
    ask: F,
    again: Again,
    waiting: std::slice::Iter<'a, EndpointUrl>,
    under_way: JoinSet<EndpointAnswer<T>>,
    pending: Vec<Pending>,
    failed: Vec<Attempt>,
}

impl<T, F, W> Race<'_, T, F>
where
    T: Send + 'static,
    F: Fn(&EndpointUrl, Channel) -> W,
    W: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    /// Asks the next endpoint, if there is one.
    fn ask_next(&mut self) -> bool {
        let Some(source) = self.waiting.next() else { return false };
        self.spawn(Pending { source: source.clone(), last: None, failures: 0 }, Duration::ZERO);
        true
    }

    fn spawn(&mut self, whom: Pending, delay: Duration) {
        let source = whom.source.clone();
        let Connection { channel, last_words } = match self.wire.connection(&source.url) {
            Ok(connection) => connection,
            Err(error) => {
                let took = Duration::ZERO;
                self.failed.push(Attempt { source, words: error.message, took, heard: Heard::NoWay });
                return;
            }
        };
        let work = (self.ask)(&source, channel);
        let (what, trace) = (self.what.to_owned(), self.wire.trace());
        self.under_way.spawn(async move {
            pause(delay).await;
            let exchange = trace.exchange(&source.url, what);
            let result = work.await.map_err(|refusal| refusal.or_said_by_tls(&last_words));
            let took = exchange.ended(outcome(&result));
            EndpointAnswer { source, took, result }
        });
        self.pending.push(whom);
    }

    /// Notes what one endpoint said; gives the end of the race if that is one.
    fn note(&mut self, asked: EndpointAnswer<T>) -> Option<Result<FirstAnswer<T>, Unanswered>> {
        let EndpointAnswer { source, took, result } = asked;
        let at = self.pending.iter().position(|pending| pending.source == source);
        let failures = at.map_or(0, |at| self.pending.swap_remove(at).failures);
        let (words, heard, again) = match result {
            Ok(answer) => return Some(Ok(FirstAnswer { source, took, answer })),
            Err(Refusal::Final(error)) => return Some(Err(Unanswered::Final(error))),
            Err(Refusal::Again(said)) => (said.words, Heard::Words(said.advice), true),
            Err(Refusal::Elsewhere(words)) => (words, Heard::NoWay, self.again != Again::Patient),
            Err(Refusal::Never(words)) => (words, Heard::NoWay, self.again == Again::Everybody),
        };
        let rest = if matches!(heard, Heard::Words(_)) { REST } else { rest_after(failures) };
        let last = Attempt { source: source.clone(), words, took, heard };
        if !again {
            self.failed.push(last);
            return None;
        }
        self.spawn(Pending { source, last: Some(last), failures: failures + 1 }, rest);
        None
    }

    /// The time is over: who was asked and has not answered is silent, and who failed did so for all that time.
    fn give_up(mut self, whole: Duration) -> Unanswered {
        let silent =
            |source: EndpointUrl| Attempt { source, words: "no answer".into(), took: whole, heard: Heard::Nothing };
        let pending = self.pending.into_iter().map(|pending| match pending.last {
            Some(last) => Attempt { took: whole, ..last },
            None => silent(pending.source),
        });
        self.failed.extend(pending);
        self.failed.extend(self.waiting.cloned().map(silent));
        Unanswered::Nobody(self.failed)
    }
}

fn rest_after(failures: u32) -> Duration {
    REST.saturating_mul(1 << failures.min(8)).min(LONGEST_REST)
}

fn outcome<T>(result: &Result<T, Refusal>) -> String {
    match result {
        Ok(_) => "ok".into(),
        Err(Refusal::Elsewhere(words) | Refusal::Never(words)) => words.clone(),
        Err(Refusal::Again(said)) => said.words.clone(),
        Err(Refusal::Final(error)) => error.to_string(),
    }
}
