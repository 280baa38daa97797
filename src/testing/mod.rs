//! Tests of scripts, in Rhai: `*_test.rhai` files whose functions `test_*` take a simulated cluster.
//!
//! A test has no cluster but the one it is given: what it calls beside it meets a world in which nothing is. The script
//! under test is played as in a rehearsal, through the same gate, in virtual time. This room knows no terminal, no network
//! and no real clock; it opens files for scripts, scenarios and snapshots of stories.

mod files;
mod functions;
mod ran;
mod run;
mod test_cluster;

pub use files::TestFile;
pub(crate) use files::discover;
pub use run::{Options, TestVerdict, run};

/// What a test can do with `t`: name with parameters, and what it is for.
pub fn functions() -> impl Iterator<Item = (&'static str, &'static str)> {
    functions::ABOUT.iter().copied()
}
