//! Which guards a request has, and what they find.
//!
//! Guards read afresh, right before a change. What cannot be read is unknown, and unknown refuses. Their reads are no
//! entries of the journal; their findings are part of the change's entry.

mod finding;

pub use finding::{Finding, Verdict};

use crate::error::Result;
use crate::world::{Request, World};

/// What every guard of `request` finds in `world` just now.
///
/// # Errors
/// `interrupted` only: a guard that cannot read what it needs finds `Unknown`.
pub fn examine(_world: &mut dyn World, _request: &Request) -> Result<Vec<Finding>> {
    Ok(Vec::new())
}

/// What `request` does, to whom and in which state, in one sentence for the operator.
pub fn describe(_world: &mut dyn World, request: &Request) -> String {
    format!("{request:?}")
}
