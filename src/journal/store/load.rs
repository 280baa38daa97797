//! Reading a run whole.

use super::Store;
use super::chain::{self, Hash, RowKind};
use super::fault::{self, StoreFault};
use super::rows::{self, RunRow, Stored};
use super::run::{RunHead, RunLine};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Entry, Unfinished};
use crate::world::Change;
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A run as it was stored, every part of it checked.
#[derive(Clone, Debug, PartialEq)]
pub struct LoadedRun {
    /// What it is.
    pub head: RunHead,
    /// Where it stands.
    pub line: RunLine,
    /// What was asked and what came of it, in order.
    pub entries: Vec<Entry>,
    /// The change with which the journal ends, if it has no outcome.
    pub unfinished: Option<Unfinished>,
    /// Changes before it that never had an outcome although the run went on: by `seq` they belong between entries.
    pub left: Vec<Unfinished>,
    /// What ended the run and was tried again: by `seq` they belong between entries.
    pub again: Vec<Entry>,
    /// How many rows at the journal's end are lost with a damage of the file: what is here is an earlier state.
    pub lost_tail: u64,
}

impl Store {
    /// The run with this id, or the only one whose id begins so.
    ///
    /// # Errors
    /// `not_found` with the nearest; `invalid` when more than one begins so; `local` when it is not as it was written,
    /// naming run, entry and file.
    pub fn load(&self, id: &str) -> Result<LoadedRun> {
        Ok(self.seen(self.load_whole(id))?)
    }

    fn load_whole(&self, id: &str) -> Result<LoadedRun, StoreFault> {
        let _snapshot = self.snapshot()?;
        let line = self.find(id)?;
        Ok(read(&self.connection, &self.file, line)?.loaded)
    }
}

/// What the first link of a chain is made of.
#[derive(Serialize, Deserialize)]
pub(super) struct Pinned {
    pub(super) head: RunHead,
    /// The key under which its secrets are hashed, in hex.
    pub(super) secret_key: String,
}

impl Pinned {
    pub(super) fn new(head: RunHead, secret_key: [u8; 16]) -> Self {
        Self { head, secret_key: format!("{:032x}", u128::from_be_bytes(secret_key)) }
    }

    pub(super) fn key(&self) -> Option<[u8; 16]> {
        u128::from_str_radix(&self.secret_key, 16).ok().map(u128::to_be_bytes)
    }
}

/// A run and what is needed to go on with it.
pub(super) struct Whole {
    pub(super) loaded: LoadedRun,
    /// When the change began that was done last.
    pub(super) began_ms: Option<i64>,
    pub(super) n: i64,
    pub(super) secret_key: [u8; 16],
    /// The last link of its chain, and which row that is.
    pub(super) tip: Hash,
    pub(super) rows: u64,
}

/// The first link of run `n`, and what it is made of.
pub(super) fn head(connection: &Connection, file: &Path, line: &RunRow) -> Result<(String, Hash), StoreFault> {
    let said = |e| fault::of(file, "read", e);
    let sql = "SELECT body, hash FROM heads WHERE n = ?1";
    let found = connection.query_row(sql, [line.n], |row| Ok((row.get::<_, String>(0)?, row.get::<_, Hash>(1)?)));
    let id = &line.run.id;
    match found.optional().map_err(said)? {
        Some((body, hash)) if chain::of_head(id, &body) == hash => Ok((body, hash)),
        _ => Err(fault::damaged(file, format!("the head of the run {id} is not as it was written"))),
    }
}

/// What the run of `line` began with.
pub(super) fn beginning(connection: &Connection, file: &Path, line: &RunRow) -> Result<RunHead, StoreFault> {
    let (body, _) = head(connection, file, line)?;
    let pinned: Pinned = serde_json::from_str(&body)
        .map_err(|_| fault::damaged(file, format!("the head of the run {} cannot be read", line.run.id)))?;
    Ok(pinned.head)
}

/// Reads the run of `line`, and makes sure of its chain.
pub(super) fn read(connection: &Connection, file: &Path, line: RunRow) -> Result<Whole, StoreFault> {
    let id = line.run.id.clone();
    let (body, first) = head(connection, file, &line)?;
    let unreadable = |what: &str| fault::damaged(file, format!("{what} of the run {id} cannot be read"));
    let pinned: Pinned = serde_json::from_str(&body).map_err(|_| unreadable("the head"))?;
    let secret_key = pinned.key().ok_or_else(|| unreadable("the secret key"))?;
    let mut reader = EntryReader::default();
    let (rows, tip) = rows::walk(connection, file, (line.n, &id, first), |row| {
        let seq = row.seq;
        reader.take(&row).ok_or_else(|| unreadable(&format!("entry {seq}")))
    })?;
    if rows > line.run.rows {
        return Err(fault::damaged(file, format!("the run {id} has {rows} entries, of {}", line.run.rows)));
    }
    let lost_tail = line.run.rows - rows;
    let EntryReader { entries, open, left, again, began_ms } = reader;
    let loaded = LoadedRun { head: pinned.head, line: line.run, entries, unfinished: open, left, again, lost_tail };
    Ok(Whole { loaded, began_ms, n: line.n, secret_key, tip, rows })
}

/// Makes entries of rows.
#[derive(Default)]
pub(super) struct EntryReader {
    entries: Vec<Entry>,
    open: Option<Unfinished>,
    left: Vec<Unfinished>,
    again: Vec<Entry>,
    began_ms: Option<i64>,
}

impl EntryReader {
    /// Takes the next row; `None` if it makes no sense after those before it.
    pub(super) fn take(&mut self, row: &Stored<'_>) -> Option<()> {
        match row.kind {
            RowKind::Began => {
                let began: Unfinished = serde_json::from_str(row.body).ok()?;
                // Work by hand that is asked for again is the same work.
                let is_same =
                    |open: &Unfinished| matches!(open.change, Change::Manual(_)) && open.change == began.change;
                self.left.extend(self.open.take().filter(|open| !is_same(open)));
                self.open = Some(Unfinished { seq: row.seq, ..began });
            }
            RowKind::Asked => {
                self.left.extend(self.open.take());
                self.entries.push(entry(row)?);
            }
            RowKind::Done => {
                let (entry, began) = (entry(row)?, self.open.take()?);
                if entry.request.change() != Some(&began.change) {
                    return None;
                }
                self.began_ms = began.at_ms;
                self.entries.push(Entry { by: entry.by.or(began.by), ..entry });
            }
            RowKind::Again => {
                let ended = self.entries.pop()?;
                self.open = in_doubt(&ended, self.began_ms);
                self.again.push(ended);
            }
        }
        Some(())
    }
}

/// The change of `entry`, which began at `began_ms`, if nobody knows whether it happened: it was in doubt, or was not seen to
/// be done by hand while somebody waited for it, and may have been done since.
pub(super) fn in_doubt(entry: &Entry, began_ms: Option<i64>) -> Option<Unfinished> {
    let change = entry.request.change()?.clone();
    match (&change, &entry.outcome) {
        (_, Err(Error { kind: ErrorKind::InDoubt, .. }))
        | (Change::Manual(_), Err(Error { kind: ErrorKind::Timeout, .. })) => {}
        _ => return None,
    }
    let Entry { seq, at_ms, step, findings, by, .. } = entry.clone();
    Some(Unfinished { seq, at_ms: began_ms.or(at_ms), step, change, findings, by })
}

fn entry(row: &Stored<'_>) -> Option<Entry> {
    let entry = serde_json::from_str(row.body).ok()?;
    Some(Entry { seq: row.seq, ..entry })
}
