//! The whole test suite, one binary: a file per promise.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and needs clocks, files and processes to look from outside"
)]

mod recorded;
mod rooms;
mod session;
mod sim_facts;
mod sim_world;
