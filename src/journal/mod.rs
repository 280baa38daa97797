//! What was asked of the world and what came back.
//!
//! A resumed run is its script run again over its journal: every request that the journal knows is answered from it,
//! and only what comes after goes to the world. This room knows no script, no world and no clock; it keeps entries.

mod entry;
mod memory;
pub mod store;
mod unkept;

pub(crate) use entry::Deeds;
pub use entry::{Entry, Outcome, Unfinished};
pub use memory::Memory;
pub(crate) use unkept::{Lenient, NoStore};

use crate::error::Result;
use crate::world::{Change, Request};

/// Where entries are kept. Whoever keeps them decides which of them it keeps.
pub trait Journal {
    /// The key under which secrets are hashed in this journal.
    fn secret_key(&self) -> [u8; 16];

    /// The next entry of an earlier execution that was not taken yet; `None` once everything was.
    fn next_replayed(&mut self) -> Option<Entry>;

    /// Once everything was given back: the change that began last and has no outcome. It is what must be asked next, or the
    /// script is another one. Given once.
    fn take_expected(&mut self) -> Option<Change> {
        None
    }

    /// What is asked next, if the script is the same: the request of the next entry that was not taken yet, or the change that
    /// began last and has no outcome.
    fn foreseen(&self) -> Option<Request> {
        None
    }

    /// Notes a read, or what the human was asked, what came of it, and who answered. Copies only what it keeps.
    ///
    /// # Errors
    /// `local` when it cannot be kept, `lock_lost` when the run is no longer ours.
    fn note(&mut self, request: &Request, outcome: &Outcome, by: Option<&str>) -> Result<()>;

    /// Notes, durably, that a change is about to be applied, and who consented. Returns once it is kept.
    ///
    /// # Errors
    /// `local` when it cannot be kept, `lock_lost` when the run is no longer ours: the change must not be applied then.
    fn began(&mut self, change: &Change, findings: &[String], by: Option<&str>) -> Result<()>;

    /// Notes, durably, what came of the change that `began` last.
    ///
    /// # Errors
    /// `local` when it cannot be kept, `lock_lost` when the run is no longer ours.
    fn done(&mut self, entry: Entry) -> Result<()>;

    /// A wait begins to look: what was noted before is kept, what follows may be forgotten.
    ///
    /// # Errors
    /// `lock_lost` when the run is no longer ours.
    fn mark(&mut self) -> Result<Mark>;

    /// The wait will look again: forgets what was noted since `mark`, so that of a wait only the last look is kept.
    /// Does nothing to a look that was replayed, if only in part, or in which a change began.
    fn forget(&mut self, mark: Mark);

    /// Whether it would like to know the cluster's id before the next change of it.
    fn wants_cluster(&self) -> bool {
        false
    }

    /// The cluster's id.
    fn on_cluster(&mut self, id: u64) {
        let _ = id;
    }

    /// The step of the script that the entries to come belong to; `None` outside of all.
    fn step(&mut self, name: Option<&str>) {
        let _ = name;
    }
}

/// A place in a journal to go back to.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// How many entries there were; `None` while an earlier execution was being replayed.
    length: Option<u64>,
    /// How many changes had begun.
    changes: u64,
}

/// Which requests a journal keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeps {
    /// All: for scripts, which are run again over it.
    Everything,
    /// What changes something or asks a human: for the prompt, which must not grow, and for single commands.
    Changes,
}

impl Keeps {
    /// Whether `request` is kept.
    pub fn keeps(self, request: &Request) -> bool {
        self == Self::Everything || !request.is_look()
    }
}
