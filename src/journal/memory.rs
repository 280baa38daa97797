//! A journal that ends with the process: for the sandbox, rehearsals and tests.

use crate::error::Result;
use crate::journal::{Entry, Journal, Mark, Outcome};
use crate::world::{Answer, Change, Request};
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
    began: Option<Change>,
    changes: u64,
    replay: VecDeque<Entry>,
    reads: Reads,
}

impl Memory {
    /// A journal that keeps changes only.
    pub fn of_changes() -> Self {
        Self::default()
    }

    /// A journal that keeps changes, and before each the last listing: it does not grow while a script waits.
    pub(crate) fn of_changes_and_listings() -> Self {
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
    pub fn unfinished(&self) -> Option<&Change> {
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

    fn foreseen(&self) -> Option<Request> {
        self.replay.front().map(|entry| entry.request.clone())
    }

    fn note(&mut self, request: &Request, outcome: &Outcome, by: Option<&str>) -> Result<()> {
        let is_listing = |outcome: &Outcome| matches!(outcome, Ok(Answer::Listing(_)));
        let is_kept = match self.reads {
            _ if !request.is_look() => true,
            Reads::None => false,
            Reads::LastListing => is_listing(outcome),
            Reads::All => true,
        };
        if is_kept {
            if self.reads == Reads::LastListing {
                self.entries.pop_if(|last| is_listing(&last.outcome));
            }
            let by = by.map(str::to_owned);
            self.entries.push(Entry { by, ..Entry::new(request.clone(), outcome.clone()) });
        }
        Ok(())
    }

    fn began(&mut self, change: &Change, _findings: &[String], _by: Option<&str>) -> Result<()> {
        self.changes += 1;
        self.began = Some(change.clone());
        Ok(())
    }

    fn done(&mut self, entry: Entry) -> Result<()> {
        self.began = None;
        self.entries.push(entry);
        Ok(())
    }

    fn mark(&mut self) -> Result<Mark> {
        let length = self.replay.is_empty().then_some(self.entries.len() as u64);
        Ok(Mark { length, changes: self.changes })
    }

    fn forget(&mut self, mark: Mark) {
        if let Some(length) = mark.length
            && mark.changes == self.changes
        {
            self.entries.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        }
    }
}

impl<J: Journal + ?Sized> Journal for std::rc::Rc<std::cell::RefCell<J>> {
    fn secret_key(&self) -> [u8; 16] {
        self.borrow().secret_key()
    }

    fn next_replayed(&mut self) -> Option<Entry> {
        self.borrow_mut().next_replayed()
    }

    fn take_expected(&mut self) -> Option<Change> {
        self.borrow_mut().take_expected()
    }

    fn foreseen(&self) -> Option<Request> {
        self.borrow().foreseen()
    }

    fn note(&mut self, request: &Request, outcome: &Outcome, by: Option<&str>) -> Result<()> {
        self.borrow_mut().note(request, outcome, by)
    }

    fn began(&mut self, change: &Change, findings: &[String], by: Option<&str>) -> Result<()> {
        self.borrow_mut().began(change, findings, by)
    }

    fn done(&mut self, entry: Entry) -> Result<()> {
        self.borrow_mut().done(entry)
    }

    fn mark(&mut self) -> Result<Mark> {
        self.borrow_mut().mark()
    }

    fn forget(&mut self, mark: Mark) {
        self.borrow_mut().forget(mark);
    }

    fn wants_cluster(&self) -> bool {
        self.borrow().wants_cluster()
    }

    fn on_cluster(&mut self, id: u64) {
        self.borrow_mut().on_cluster(id);
    }

    fn step(&mut self, name: Option<&str>) {
        self.borrow_mut().step(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tso::Tso;
    use crate::world::{Answer, Read};

    fn read(journal: &mut Memory, tso: i64) {
        journal.note(&Request::Read(Read::Tso), &Ok(Answer::Timestamp(Tso(tso))), None).unwrap();
    }

    #[test]
    fn of_a_wait_only_the_last_look_is_kept() {
        let mut journal = Memory::of_everything();
        read(&mut journal, 1);
        for look in 2..5 {
            let mark = journal.mark().unwrap();
            read(&mut journal, look);
            if look < 4 {
                journal.forget(mark);
            }
        }
        let kept: Vec<_> = journal.entries().iter().map(|entry| entry.outcome.clone().unwrap()).collect();
        assert_eq!(kept, [Answer::Timestamp(Tso(1)), Answer::Timestamp(Tso(4))]);
    }

    #[test]
    fn a_look_that_began_while_replaying_is_not_forgotten() {
        let old = Entry::new(Request::Read(Read::Tso), Ok(Answer::Timestamp(Tso(1))));
        let mut journal = Memory::replaying(vec![old]);
        let mark = journal.mark().unwrap();
        assert!(journal.next_replayed().is_some());
        read(&mut journal, 2);
        journal.forget(mark);
        assert_eq!(journal.entries().len(), 1);
    }
}
