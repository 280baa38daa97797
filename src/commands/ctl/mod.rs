//! binlogctl's face: its flags, its lines on standard output, its exit codes; what is done is done by our operations.
//!
//! Where binlogctl does not tell the truth, this does: a refused action is exit 1 with the node's words, hidden nodes
//! are counted, malformed keys are named. All of that goes to standard error, so that scripts that read standard
//! output go on working.

mod entry;
mod execute;
mod flags;
mod log;

pub(super) use entry::{Asked, main};
pub(super) use execute::COMMANDS;
pub use execute::{CtlHost, execute};
pub(super) use flags::definition;
pub use flags::{Flags, Usage, parse, shown};
pub use log::{Level, host_zone, line};
