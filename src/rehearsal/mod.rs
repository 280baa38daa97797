//! Rehearsals: a cluster as it was found, and what a script would do to it.
//!
//! A [`Snapshot`] is taken through the world like everything else, so this room works the same on a live cluster and on
//! a simulated one. It must not know how either of them is reached.

mod files;
mod snapshot;

pub use snapshot::Snapshot;
