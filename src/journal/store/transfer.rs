//! A run as one JSON document, to be moved to another host or kept.

use super::chain::{self, Hash, RowKind};
use super::fault::{self, StoreFault};
use super::load::{self, EntryReader, Pinned};
use super::rows::{self, RunRow, Stored};
use super::run::{RunHead, RunLine, RunState, is_id};
use super::table::{add, line_if_there};
use super::{Store, Sync};
use crate::error::{Error, Result};
use crate::nearest::named;
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The version of the document.
const VERSION: u32 = 1;

/// A run, whole.
#[derive(Serialize, Deserialize)]
struct Document {
    /// The version, under a name that says what the file is.
    binlogsh_run: u32,
    /// What the run is, as it was hashed.
    head: String,
    /// Its journal.
    entries: Vec<DocumentRow>,
    /// Where it stands.
    end: RunStatus,
    /// Over the last link of the chain and `end`, in hex.
    seal: String,
}

#[derive(Serialize, Deserialize)]
struct DocumentRow {
    kind: String,
    /// As it was hashed.
    body: String,
    /// In hex.
    hash: String,
}

/// What of the row in `runs` the journal does not say.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct RunStatus {
    state: RunState,
    ended_ms: Option<i64>,
    exit_code: Option<u8>,
    error: Option<Error>,
    why: Option<String>,
    step: Option<String>,
    changes: u64,
    unfinished: bool,
}

impl RunStatus {
    fn of(run: &RunLine) -> Self {
        Self {
            state: run.state,
            ended_ms: run.ended_ms,
            exit_code: run.exit_code,
            error: run.error.clone(),
            why: run.why.clone(),
            step: run.step.clone(),
            changes: run.changes,
            unfinished: run.unfinished,
        }
    }

    fn seal(&self, id: &str, rows: u64, tip: &Hash) -> Result<String> {
        Ok(hex(&chain::next(tip, id, rows + 1, RowKind::Asked, &fault::json(self)?)))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

impl Store {
    /// The run with this id (or the only one whose id begins so) as one JSON document, hashes and all. It holds what
    /// the journal holds, secrets as hashes, and the key under which they were hashed.
    ///
    /// # Errors
    /// As [`Store::load`].
    pub fn export(&self, id: &str) -> Result<String> {
        let document = self.seen(self.document(id))?;
        serde_json::to_string_pretty(&document).map(|text| text + "\n").map_err(|e| fault::unwritable(&e))
    }

    fn document(&self, id: &str) -> Result<Document, StoreFault> {
        let _snapshot = self.snapshot()?;
        let line = self.find(id)?;
        let (head, first) = load::head(&self.connection, &self.file, &line)?;
        let mut entries = Vec::new();
        let (n, id) = (line.n, line.run.id.as_str());
        let (rows, tip) = rows::walk(&self.connection, &self.file, (n, id, first), |row| {
            let (kind, body) = (row.kind.name().to_owned(), row.body.to_owned());
            entries.push(DocumentRow { kind, body, hash: hex(&row.hash) });
            Ok(())
        })?;
        let end = RunStatus::of(&line.run);
        let seal = end.seal(id, rows, &tip)?;
        Ok(Document { binlogsh_run: VERSION, head, entries, end, seal })
    }

    /// Adds the run of a document that [`Store::export`] made, and returns its id. Nobody is at it then, whoever was
    /// when it was exported. To import the same again does nothing.
    ///
    /// # Errors
    /// `invalid` when it is no such document, not as it was written, made by a newer version, or has what cannot be read;
    /// `conflict` when there
    /// is a run of that id with another content; `local`.
    pub fn import(&mut self, text: &str) -> Result<String> {
        let checked = CheckedDocument::read(text)?;
        self.write(Sync::Host, |transaction, file| checked.add(transaction, file))?;
        Ok(checked.run.id)
    }
}

/// A document whose chain is whole.
struct CheckedDocument {
    run: RunLine,
    head: String,
    rows: Vec<(RowKind, String, Hash)>,
}

impl CheckedDocument {
    fn read(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            binlogsh_run: u32,
        }
        let version: Version = serde_json::from_str(text).map_err(|e| unreadable(&e))?;
        if version.binlogsh_run != VERSION {
            let found = version.binlogsh_run;
            return Err(Error::invalid(format!(
                "the run was exported as version {found}, this binlogsh knows {VERSION}"
            ))
            .hint("use the binlogsh that exported it"));
        }
        let document: Document = serde_json::from_str(text).map_err(|e| unreadable(&e))?;
        let pinned: Pinned = serde_json::from_str(&document.head).map_err(|e| unreadable(&e))?;
        pinned.key().ok_or_else(|| altered("its secret key"))?;
        let id = pinned.head.id.clone();
        if !is_id(&id) {
            return Err(altered("its id"));
        }
        let mut tip = chain::of_head(&id, &document.head);
        let mut rows = Vec::with_capacity(document.entries.len());
        let mut reader = EntryReader::default();
        for (seq, row) in (1..).zip(document.entries) {
            let kind = named(&row.kind).ok_or_else(|| altered(&format!("entry {seq}")))?;
            tip = chain::next(&tip, &id, seq, kind, &row.body);
            if hex(&tip) != row.hash {
                return Err(altered(&format!("entry {seq}")));
            }
            // Whoever looked at it later would be told that the whole store is damaged.
            if reader.take(&Stored { seq, kind, body: &row.body, hash: tip }).is_none() {
                return Err(Error::invalid(format!(
                    "entry {seq} of the exported run is none that this binlogsh knows"
                ))
                .hint("use the binlogsh that exported it"));
            }
            rows.push((kind, row.body, tip));
        }
        // The store keeps no larger number.
        if i64::try_from(document.end.changes).is_err() {
            return Err(altered("its end"));
        }
        if document.end.seal(&id, rows.len() as u64, &tip)? != document.seal {
            return Err(altered("its end"));
        }
        let run = line(&pinned.head, document.end, rows.len() as u64);
        Ok(Self { run, head: document.head, rows })
    }

    fn add(&self, transaction: &Transaction<'_>, file: &Path) -> Result<(), StoreFault> {
        if let Some(there) = line_if_there(transaction, file, &self.run.id)?
            && self.is(transaction, file, &there)?
        {
            return Ok(());
        }
        let n = add(transaction, file, RunRow { n: 0, run: self.run.clone() }, &self.head)?;
        let stored =
            (1..).zip(&self.rows).map(|(seq, (kind, body, hash))| Stored { seq, kind: *kind, body, hash: *hash });
        rows::insert(transaction, file, n, stored)
    }

    /// Whether the run that is there is this one, as far as it had come.
    fn is(&self, transaction: &Transaction<'_>, file: &Path, there: &RunRow) -> Result<bool, StoreFault> {
        let (_, first) = load::head(transaction, file, there)?;
        let (_, tip) = rows::walk(transaction, file, (there.n, &there.run.id, first), |_| Ok(()))?;
        let ours = self.rows.last().map_or_else(|| chain::of_head(&self.run.id, &self.head), |(_, _, hash)| *hash);
        Ok(tip == ours && RunStatus::of(&there.run) == RunStatus::of(&self.run))
    }
}

fn line(head: &RunHead, end: RunStatus, rows: u64) -> RunLine {
    let RunStatus { state, ended_ms, exit_code, error, why, step, changes, unfinished } = end;
    let begun = RunLine::beginning(head);
    RunLine { state, ended_ms, exit_code, error, why, rows, changes, unfinished, step, ..begun }
}

fn unreadable(said: &serde_json::Error) -> Error {
    Error::invalid("this is no exported run").source(said).hint("name a file that `runs export` wrote")
}

fn altered(what: &str) -> Error {
    Error::invalid(format!("the exported run is damaged: {what} is not as it was written"))
        .hint("export it again, and move the file as it is")
}
