//! A journal that ends with the process: for the prompt, the sandbox and rehearsals.

use crate::error::Result;
use crate::journal::{Entry, Journal, Outcome};
use crate::world::{Answer, Effect, Request};
use std::collections::VecDeque;

/// What a journal in memory keeps of what is read.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Reads {
    /// Nothing, so that an open prompt does not grow.
    #[default]
    None,
    /// The last listing before each change.
    LastListing,
    /// Everything, to be replayed.
    All,
}

/// Keeps changes, and of what is read as much as it was made for.
#[derive(Default)]
pub struct Memory {
    entries: Vec<Entry>,
    began: Option<Request>,
    replay: VecDeque<Entry>,
    reads: Reads,
}

impl Memory {
    /// A journal that keeps changes only.
    pub fn of_changes() -> Self {
        Self::default()
    }

    /// A journal that keeps changes, and before each the last listing: it does not grow while a script waits.
    pub fn of_changes_and_listings() -> Self {
        Self { reads: Reads::LastListing, ..Self::default() }
    }

    /// A journal that keeps everything.
    pub fn of_everything() -> Self {
        Self { reads: Reads::All, ..Self::default() }
    }

    /// A journal that first gives back `entries`, and keeps everything that comes after.
    pub fn replaying(entries: Vec<Entry>) -> Self {
        Self { replay: entries.into(), reads: Reads::All, ..Self::default() }
    }

    /// What it has kept since it began (not what it was given to replay).
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The change that began and is not done: it may or may not have happened.
    pub fn unfinished(&self) -> Option<&Request> {
        self.began.as_ref()
    }
}

impl Journal for Memory {
    fn secret_key(&self) -> [u8; 16] {
        // Hashes of this journal never leave the process, so a fixed key gives nothing away.
        *b"binlogsh-memory!"
    }

    fn next_replayed(&mut self) -> Option<Entry> {
        self.replay.pop_front()
    }

    fn note(&mut self, request: &Request, outcome: &Outcome) -> Result<()> {
        let is_listing = |outcome: &Outcome| matches!(outcome, Ok(Answer::Listing(_)));
        let is_kept = match self.reads {
            _ if request.effect() != Effect::Read => true,
            Reads::None => false,
            Reads::LastListing => is_listing(outcome),
            Reads::All => true,
        };
        if is_kept {
            if self.reads == Reads::LastListing {
                self.entries.pop_if(|last| is_listing(&last.outcome));
            }
            let (request, outcome) = (request.clone(), outcome.clone());
            self.entries.push(Entry { request, outcome, findings: Vec::new() });
        }
        Ok(())
    }

    fn began(&mut self, request: &Request, _findings: &[String]) -> Result<()> {
        self.began = Some(request.clone());
        Ok(())
    }

    fn done(&mut self, entry: Entry) -> Result<()> {
        self.began = None;
        self.entries.push(entry);
        Ok(())
    }
}

impl<J: Journal + ?Sized> Journal for std::rc::Rc<std::cell::RefCell<J>> {
    fn secret_key(&self) -> [u8; 16] {
        self.borrow().secret_key()
    }

    fn next_replayed(&mut self) -> Option<Entry> {
        self.borrow_mut().next_replayed()
    }

    fn note(&mut self, request: &Request, outcome: &Outcome) -> Result<()> {
        self.borrow_mut().note(request, outcome)
    }

    fn began(&mut self, request: &Request, findings: &[String]) -> Result<()> {
        self.borrow_mut().began(request, findings)
    }

    fn done(&mut self, entry: Entry) -> Result<()> {
        self.borrow_mut().done(entry)
    }
}
