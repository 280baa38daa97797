//! A journal that ends with the process: for the prompt, the sandbox and rehearsals.

use crate::error::Result;
use crate::journal::{Entry, Journal, Outcome};
use crate::world::{Effect, Request};
use std::collections::VecDeque;

/// Keeps changes only, so that an open prompt does not grow; or everything, to be replayed.
#[derive(Default)]
pub struct Memory {
    entries: Vec<Entry>,
    began: Option<Request>,
    replay: VecDeque<Entry>,
    keeps_reads: bool,
}

impl Memory {
    /// A journal that keeps changes only.
    pub fn of_changes() -> Self {
        Self::default()
    }

    /// A journal that keeps everything.
    pub fn of_everything() -> Self {
        Self { keeps_reads: true, ..Self::default() }
    }

    /// A journal that first gives back `entries`, and keeps everything that comes after.
    pub fn replaying(entries: Vec<Entry>) -> Self {
        Self { replay: entries.into(), keeps_reads: true, ..Self::default() }
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
        if self.keeps_reads || request.effect() != Effect::Read {
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
