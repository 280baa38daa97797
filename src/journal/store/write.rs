//! How what a run noted gets into the store: in one transaction, wholly or not at all.

use super::chain::{self, Hash, RowKind};
use super::fault::{self, StoreFault};
use super::load::Pinned;
use super::rows::{self, Put, RunRow, Stored};
use super::run::{Holder, RunLine};
use super::run_journal::RunJournal;
use super::{Store, Sync, anew, table};
use crate::error::{Error, ErrorKind, Result};
use rusqlite::Transaction;
use std::path::Path;

/// So many reads are written together.
pub(super) const GROUP: usize = 64;

impl RunJournal {
    /// Writes a group. That it could not be written is said by the next change, which needs it: until then the reads
    /// are as good as noted a moment later.
    pub(super) fn try_commit(&mut self) -> Result<()> {
        match self.commit(Sync::Process).map_err(Error::from) {
            Err(error) if error.kind == ErrorKind::LockLost => Err(error),
            Err(_) => {
                self.group = self.buffer.len() * 2;
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    /// Writes what is not yet written, wholly or not at all.
    pub(super) fn commit(&mut self, sync: Sync) -> Result<(), StoreFault> {
        self.line.run.rows = self.length();
        self.line.run.unfinished = self.open.is_some();
        let (tip, n) = match &mut self.store {
            Some(store) => {
                let work = RunAddition { line: &self.line, rows: &self.buffer, after: self.written };
                let (holder, forgotten) = (&self.holder, self.forgotten);
                let made = store.write(sync, |transaction, file| {
                    still_ours(transaction, file, work.line, holder)?;
                    let tip = if forgotten { work.go_back(transaction, file)? } else { self.tip };
                    work.write(transaction, file, tip)
                });
                if let Err(StoreFault::Other(error)) = &made
                    && error.kind == ErrorKind::LockLost
                {
                    self.broken = Some(error.clone());
                }
                (made?, self.line.n)
            }
            None => self.store_first(sync)?,
        };
        (self.tip, self.line.n) = (tip, n);
        (self.written, self.forgotten, self.group) = (self.length(), false, GROUP);
        self.buffer.clear();
        if let Some(before) = &mut self.before {
            let RunLine { rows, changes, unfinished, step, .. } = &self.line.run;
            (before.run.rows, before.run.changes, before.run.unfinished) = (*rows, *changes, *unfinished);
            before.run.step.clone_from(step);
        }
        Ok(())
    }

    /// Writes the run itself, and all that it has noted.
    fn store_first(&mut self, sync: Sync) -> Result<(Hash, i64), StoreFault> {
        let pinned = Pinned::new(self.head.clone(), self.secret_key);
        let head = fault::json(&pinned)?;
        let (file, line, buffer) = (&self.file, &self.line, &self.buffer);
        let attempt = || {
            let mut store = Store::open_or_make(file)?;
            let made = store.write(sync, |transaction, file| {
                let n = table::add(transaction, file, line.clone(), &head)?;
                let line = RunRow { n, ..line.clone() };
                let work = RunAddition { line: &line, rows: buffer, after: 0 };
                Ok((work.insert(transaction, file, chain::of_head(&line.run.id, &head))?, n))
            })?;
            Ok((store, made))
        };
        let ((store, made), kept) = anew(file, (self.clock)(), attempt)?;
        self.store = Some(store);
        self.set_aside = kept;
        Ok(made)
    }
}

/// What one transaction adds to a run.
struct RunAddition<'w> {
    line: &'w RunRow,
    rows: &'w [(RowKind, String)],
    /// The row after which they come.
    after: u64,
}

impl RunAddition<'_> {
    /// Removes the rows that were written and forgotten; the link of the last that stays.
    fn go_back(&self, transaction: &Transaction<'_>, file: &Path) -> Result<Hash, StoreFault> {
        rows::remove_after(transaction, file, self.line.n, self.after)?;
        let last = [rows::place(self.line.n, self.after)];
        transaction
            .query_row("SELECT hash FROM entries WHERE place = ?1", last, |row| row.get(0))
            .map_err(|e| fault::of(file, "write to", e))
    }

    fn write(&self, transaction: &Transaction<'_>, file: &Path, tip: Hash) -> Result<Hash, StoreFault> {
        rows::put(transaction, file, self.line, Put::Change)?;
        self.insert(transaction, file, tip)
    }

    fn insert(&self, transaction: &Transaction<'_>, file: &Path, mut tip: Hash) -> Result<Hash, StoreFault> {
        let linked = (self.after + 1..).zip(self.rows).map(|(seq, (kind, body))| {
            tip = chain::next(&tip, &self.line.run.id, seq, *kind, body);
            Stored { seq, kind: *kind, body, hash: tip }
        });
        rows::insert(transaction, file, self.line.n, linked)?;
        Ok(tip)
    }
}

/// Makes sure that no other process took the run over, abandoned or removed it.
pub(super) fn still_ours(
    transaction: &Transaction<'_>,
    file: &Path,
    line: &RunRow,
    holder: &Holder,
) -> Result<(), StoreFault> {
    let id = &line.run.id;
    match table::line_if_there(transaction, file, id)? {
        Some(found) if found.n == line.n && found.run.holder.as_ref() == Some(holder) => Ok(()),
        _ => Err(StoreFault::Other(fault::lost(file, id))),
    }
}
