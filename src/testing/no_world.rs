//! The world of a test file itself: there is none.

use crate::error::{Error, Result};
use crate::world::{Answer, Fence, Request, World};

/// Refuses everything: what a test does, it does in the cluster that it was given.
pub(super) struct NoWorld;

impl World for NoWorld {
    fn apply(&mut self, _request: &Request, _fence: Option<&Fence>) -> Result<Answer> {
        Err(Error::invalid("a test has no cluster of its own").hint(
            "run it in the test's: t.run(\"script.rhai\") or t.run_code(\"pumps()\"), and look at what came of it",
        ))
    }
}
