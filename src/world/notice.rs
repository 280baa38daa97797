//! What lower rooms want a person to see while they work. They never print themselves.

use crate::error::Place;
use crate::value::Value;
use std::fmt::{Display, Formatter};
use std::sync::Arc;
use std::time::Duration;

/// Something to show.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// Something is odd, and the work goes on.
    Warning(String),
    /// How far a wait has come; a terminal shows the newest only.
    Progress(Progress),
    /// A script sleeps for so long, waiting for nothing.
    Sleeping(Duration),
    /// The wait is over: what progress showed can go.
    ProgressEnd,
    /// A script's `print`.
    Printed(String),
    /// A script's `table(x)`, or the result of a line at the prompt.
    Shown(Value),
    /// A script's `json(x)`.
    ShownAsJson(Value),
    /// A script's step begins (its name).
    StepBegan(String),
    /// The line of a script that is about to change something.
    Acting(Place),
    /// A question that was answered with yes in somebody's place.
    Answered {
        /// What they would have been asked.
        question: String,
        /// What answered: `--yes`.
        by: String,
    },
    /// What a change is about to do, and what it did.
    Changed(String),
    /// A change that goes on after its call has only begun: how it is waited for, for whoever types one line after the other.
    Begun(String),
    /// A line that a program wrote, as it came.
    Said {
        /// Where it wrote it.
        stream: OutputStream,
        /// The line, without its end.
        line: String,
    },
    /// One exchange with the cluster, for `--verbose`: whom, what, how long, how it ended. Never a secret.
    Traced {
        /// The endpoint that was asked.
        endpoint: String,
        /// What it was asked.
        what: String,
        /// How long it took.
        took: Duration,
        /// `ok`, or the error in a few words.
        outcome: String,
    },
}

/// How a wait stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// What is waited for: while it stays the same, it is the same wait.
    pub what: String,
    /// What is seen of it; empty if that is nothing.
    pub seen: String,
    /// Whom it is held up by, as an id, if that is known.
    pub(crate) held_up_by: Option<String>,
    /// Numbers that change from look to look; empty if there are none.
    pub figures: String,
    /// How long it takes so far, and how long it may.
    pub time: Option<WaitTime>,
    /// How much of how much is done, of work that takes as long as it takes.
    pub share: Option<(u64, u64)>,
}

/// The time of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WaitTime {
    /// So far.
    pub waited: Duration,
    /// At most, or in all.
    pub of: Duration,
}

impl Progress {
    /// A wait for `what` of which nothing is seen.
    pub fn of(what: impl Into<String>) -> Self {
        Self { what: what.into(), ..Self::default() }
    }

    /// With these numbers.
    #[must_use]
    pub fn figures(self, figures: impl Into<String>) -> Self {
        Self { figures: figures.into(), ..self }
    }

    /// With so many of so many `things` done.
    #[must_use]
    pub fn done(self, share: (u64, u64), things: &str) -> Self {
        Self { share: Some(share), ..self }.figures(format!("{} of {} {things}", share.0, share.1))
    }

    /// After so long, of so much.
    #[must_use]
    pub fn after(self, waited: Duration, of: Duration) -> Self {
        Self { time: Some(WaitTime { waited, of }), ..self }
    }

    /// The same without its time: first what it is held up by, which many want to know and few screens have room for.
    pub fn without_time(&self) -> String {
        match &self.held_up_by {
            Some(_) => {
                let parts = [&self.figures, &self.seen, &self.what].into_iter().filter(|part| !part.is_empty());
                parts.map(String::as_str).collect::<Vec<_>>().join("; ")
            }
            None => self.to_string(),
        }
    }

    /// Whether the other one differs in its numbers alone.
    pub(crate) fn stands_as(&self, other: &Self) -> bool {
        (&self.what, &self.seen, &self.held_up_by) == (&other.what, &other.seen, &other.held_up_by)
    }
}

impl Display for Progress {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.what)?;
        if !self.seen.is_empty() {
            write!(f, ": {}", self.seen)?;
        }
        if self.figures.is_empty() { Ok(()) } else { write!(f, " ({})", self.figures) }
    }
}

/// One of the two streams that a program writes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Where notices go. Called from any thread.
pub type Notices = Arc<dyn Fn(Notice) + Send + Sync>;
