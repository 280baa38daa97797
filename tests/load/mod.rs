//! Much of everything: ten thousand nodes, a thousand processes, a hundred thousand lines at one prompt. What they take grows no faster
//! than they do, and what they leave behind does not grow at all.
//!
//! Nothing here is held to a time: one part of a test is compared with another of the same run. A sample is taken, under `BINLOGSH_SOAK`
//! the whole.

#![expect(clippy::print_stdout, reason = "a soak tells its figures")]

mod lines;
mod nodes;
mod processes;
mod prompts;
mod ran;
