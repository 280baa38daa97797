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

    /// Lets a person see how it goes.
    fn tell(&mut self, notice: Notice);
}
