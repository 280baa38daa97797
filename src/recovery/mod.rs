//! How a run that was stopped is taken up again: what became of the change that it was about, and whether the cluster is
//! still as it left it; and which nodes a run leaves out of work.
//!
//! The world is asked, and nothing is changed. What its answer proves is taken; what it does not prove is a question for
//! the operator, with the evidence. This room knows no script and no terminal.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

#[cfg(test)]
mod entries;
mod fate;
mod hold;
mod knowledge;
mod out_of_work;
mod settle;

pub use fate::{Fate, fate};
pub use hold::hold_again;
pub use knowledge::Knowledge;
pub(crate) use out_of_work::OutOfWork;
pub use settle::{Assume, Settled, settle};
