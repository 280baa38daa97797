//! How a run that was cut off is taken up again: what became of the change that it was about, and whether the cluster is
//! still as it left it.
//!
//! The world is asked, and nothing is changed. What its answer proves is taken; what it does not prove is a question for
//! the operator, with the evidence. This room knows no script and no terminal.

mod fate;
mod knowledge;
mod settle;

pub use fate::{Fate, fate};
pub use knowledge::Knowledge;
pub use settle::{Assume, Settled, settle};
