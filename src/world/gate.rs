//! The gate as operations see it.

use crate::error::Result;
use crate::world::{Answer, GuardName, Notice, Request};

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
    /// so, whether what it waited for came. Returns the same, or what the journal says of it: of a wait that is replayed
    /// only the last look is there, at which a condition that remembers what it saw may say something else.
    ///
    /// # Errors
    /// `diverged` when the look asked for something else than the journal's.
    fn wait_looked(&mut self, ends: Option<bool>) -> Result<Option<bool>> {
        Ok(ends)
    }

    /// The wait looks again: what its last look read is of no interest any more.
    fn wait_goes_on(&mut self) {}

    /// The wait is over; its last look counts.
    fn wait_ends(&mut self) {}

    /// Lets a person see how it goes.
    fn tell(&mut self, notice: Notice);
}
