//! The gate as operations see it.

use crate::error::Result;
use crate::world::query::{self, Query};
use crate::world::{Answer, GuardName, Listing, Manual, Notice, Request, read};

/// How a wait ends whose condition only the script knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// What it waited for came.
    Came,
    /// It did not come in time. What the condition said is missing; empty if it said nothing.
    InVain(String),
}

impl WaitEnd {
    /// As a journal keeps it.
    pub fn answer(&self) -> Answer {
        match self {
            Self::Came => Answer::Flag(true),
            Self::InVain(missing) if missing.is_empty() => Answer::Flag(false),
            Self::InVain(missing) => Answer::Text(missing.clone()),
        }
    }

    /// What a journal has kept.
    pub fn of(answer: Answer) -> Self {
        match answer {
            Answer::Flag(true) => Self::Came,
            Answer::Text(missing) => Self::InVain(missing),
            _ => Self::InVain(String::new()),
        }
    }
}

/// The one way from an operation to the world. The session is the only real one.
pub trait Gate {
    /// Does `request`: a read is applied, a change passes guards (but for those in `force`) and policy first.
    ///
    /// # Errors
    /// Those of [`World::apply`](crate::world::World::apply), `refused`, `locked`, and every fatal error again once
    /// one has happened.
    fn perform(&mut self, request: Request, force: &[GuardName]) -> Result<Answer>;

    /// A wait begins to look, and may look many times.
    ///
    /// # Errors
    /// `lock_lost` when the run is no longer ours.
    fn wait_begins(&mut self) -> Result<()> {
        Ok(())
    }

    /// A look of a wait is over whose condition only the script knows. `ends` says whether the wait ends with it, and if
    /// so, how. Returns the same, or what the journal says of it: of a wait that is replayed
    /// only the last look is there, at which a condition that remembers what it saw may say something else.
    ///
    /// # Errors
    /// `diverged` when the look asked for something else than the journal's.
    fn wait_looked(&mut self, ends: Option<WaitEnd>) -> Result<Option<WaitEnd>> {
        Ok(ends)
    }

    /// The wait looks again: what its last look read is of no interest any more.
    fn wait_goes_on(&mut self) {}

    /// The wait is over; its last look counts.
    fn wait_ends(&mut self) {}

    /// Whether what a human would be asked is done for them instead, by what starts and stops nodes; of a run that is gone on
    /// with, whether it was.
    ///
    /// # Errors
    /// Those of looking.
    fn stands_in(&mut self, work: &Manual) -> Result<bool> {
        let _ = work;
        Ok(false)
    }

    /// Lets a person see how it goes.
    fn tell(&mut self, notice: Notice);
}

impl dyn Gate + '_ {
    /// Asks `query`, which forces no guard, and returns what belongs to it.
    ///
    /// # Errors
    /// Those of [`Gate::perform`].
    pub fn ask<Q: Query>(&mut self, query: Q) -> Result<Q::Reply> {
        self.force(query, &[])
    }

    /// Asks `query` with these guards overridden, and returns what belongs to it.
    ///
    /// # Errors
    /// Those of [`Gate::perform`].
    pub fn force<Q: Query>(&mut self, query: Q, force: &[GuardName]) -> Result<Q::Reply> {
        query::reply_to::<Q>(self.perform(query.into(), force)?)
    }

    /// All records, with PD's timestamp.
    ///
    /// # Errors
    /// Those of [`Gate::perform`].
    pub fn listing(&mut self) -> Result<Listing> {
        self.ask(read::Nodes)
    }

    /// Milliseconds of a clock that only goes forward.
    ///
    /// # Errors
    /// Those of [`Gate::perform`].
    pub fn monotonic_ms(&mut self) -> Result<i64> {
        Ok(self.ask(read::Now)?.monotonic_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_wait_comes_out_of_a_journal_as_it_went_in() {
        let missing = |text: &str| WaitEnd::InVain(text.to_owned());
        for end in [WaitEnd::Came, missing(""), missing("drainer-0 says paused")] {
            assert_eq!(WaitEnd::of(end.answer()), end);
        }
    }
}
