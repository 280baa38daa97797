//! What was asked of the world and what came back.
//!
//! A resumed run is its script run again over its journal: every request that the journal knows is answered from it,
//! and only what comes after goes to the world. This room knows no script and no world; it keeps entries.

mod entry;
mod memory;

pub use entry::{Entry, Outcome};
pub use memory::Memory;

use crate::error::Result;
use crate::world::Request;

/// Where entries are kept. Whoever keeps them decides which of them it keeps.
pub trait Journal {
    /// The key under which secrets are hashed in this journal.
    fn secret_key(&self) -> [u8; 16];

    /// The next entry of an earlier execution that was not taken yet; `None` once everything was.
    fn next_replayed(&mut self) -> Option<Entry>;

    /// Notes a read, or what the human was asked, and what came of it. Copies only what it keeps.
    ///
    /// # Errors
    /// `local` when it cannot be kept.
    fn note(&mut self, request: &Request, outcome: &Outcome) -> Result<()>;

    /// Notes, durably, that a change is about to be applied. Returns once it is kept.
    ///
    /// # Errors
    /// `local` when it cannot be kept: the change must not be applied then.
    fn began(&mut self, request: &Request, findings: &[String]) -> Result<()>;

    /// Notes what came of the change that `began` last.
    ///
    /// # Errors
    /// `local` when it cannot be kept.
    fn done(&mut self, entry: Entry) -> Result<()>;
}
