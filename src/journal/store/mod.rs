//! The store of runs: one SQLite database in which every run that changed something is kept, with its journal.
//!
//! A run is written with its first change and not before ([`RunJournal`]); it is read whole ([`Store::load`]), listed
//! ([`Store::runs`]), taken up again ([`Store::resume`]), and moved to another host ([`Store::export`]). What is read
//! was written so, or it is an error that names the file: rows of a journal are chained by hashes, all others sealed.
//! This room reads no clock, draws no random bytes and knows no process: the caller hands them in.

mod chain;
mod fault;
mod file;
mod load;
mod resume;
mod rows;
mod run;
mod run_journal;
mod schema;
mod table;
mod transfer;
mod write;

pub use load::LoadedRun;
pub use resume::Claim;
pub use run::{Holder, RunEnding, RunFilter, RunHead, RunKind, RunLine, RunState, StoredModule, run_id};
pub use run_journal::{Clock, NewRun, RunJournal};

use crate::error::{Error, Result};
use fault::StoreFault;
use file::InUse;
use rows::RunRow;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};

/// An open store.
pub struct Store {
    file: PathBuf,
    connection: Connection,
    sync: Sync,
    // After the connection, so that nobody sets the store aside while that is being closed.
    _in_use: InUse,
}

/// How durable a write is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sync {
    /// It survives the process; with the next write of the other kind it survives the host.
    Process,
    /// It survives the host.
    Host,
}

impl Store {
    /// Opens the store `file`, making it and its directory if need be.
    ///
    /// # Errors
    /// `local`, naming the file: damaged (nothing was written then), locked by another process for five seconds, not
    /// ours to write. `invalid`: written by a newer version.
    pub fn open(file: &Path) -> Result<Self> {
        Ok(Self::open_or_make(file)?)
    }

    /// Opens the store `file`, if there is one.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_if_there(file: &Path) -> Result<Option<Self>> {
        match file::identity(file)? {
            None => Ok(None),
            Some(_) => Ok(Some(Self::connect(file, InUse::begin(file)?)?)),
        }
    }

    /// The latest runs whose id begins with `id`, `limit` of them at most, the last stored first; none without a store.
    ///
    /// Nothing is written anywhere, and nobody is waited for: a store of another version is not brought up to this one, and what
    /// only a log without its index tells is not seen.
    ///
    /// # Errors
    /// `local`: damaged, or cannot be read.
    pub fn peek(file: &Path, id: &str, limit: usize) -> Result<Vec<RunLine>> {
        let said = |e| fault::of(file, "read", e);
        let Some(uri) = file::to_look_at(file) else { return Ok(Vec::new()) };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(uri, flags).map_err(said)?;
        connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;").map_err(said)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let latest = "WHERE substr(id, 1, length(?1)) = ?1 ORDER BY n DESC LIMIT ?2";
        let found = rows::lines(&connection, file, latest, &[&id, &limit])?;
        Ok(found.into_iter().map(|line| line.run).collect())
    }

    fn open_or_make(file: &Path) -> Result<Self, StoreFault> {
        file::make_directory(file)?;
        let in_use = InUse::begin(file)?;
        if file::identity(file)?.is_none() {
            file::make(file, &in_use)?;
        }
        Self::connect(file, in_use)
    }

    fn connect(file: &Path, in_use: InUse) -> Result<Self, StoreFault> {
        file::check(file)?;
        let said = |e| fault::of(file, "open", e);
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(file, flags).map_err(said)?;
        connection.busy_timeout(fault::PATIENCE).map_err(said)?;
        let settings = "PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";
        connection.execute_batch(settings).map_err(said)?;
        // Closing writes the log into the database: not if that proves damaged.
        let no_log_on_close = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        connection.set_db_config(no_log_on_close, true).map_err(said)?;
        schema::check(&mut connection, file)?;
        connection.set_db_config(no_log_on_close, false).map_err(said)?;
        Ok(Self { file: file.to_owned(), connection, sync: Sync::Host, _in_use: in_use })
    }

    /// Hands on what came of using the store. Once that has proved damaged nothing more is written to it: closing it would write
    /// its log into the database.
    fn seen<T>(&self, made: Result<T, StoreFault>) -> Result<T, StoreFault> {
        if matches!(made, Err(StoreFault::Damaged(_))) {
            // Without this setting closing writes what is in the log anyway, which was written before.
            let _ = self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        }
        made
    }

    /// The file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The runs that `filter` takes, the last stored first.
    ///
    /// # Errors
    /// `local`: damaged, or cannot be read.
    pub fn runs(&self, filter: &RunFilter) -> Result<Vec<RunLine>> {
        let lines = self.seen(self.lines())?.into_iter().rev().map(|line| line.run).filter(|line| filter.takes(line));
        Ok(lines.take(filter.limit.unwrap_or(usize::MAX)).collect())
    }

    /// The last runs of the script `script`, at most so many, the last stored first, each with what it began with.
    ///
    /// # Errors
    /// `local`: damaged, or cannot be read.
    pub fn runs_of(&self, script: &str, limit: u32) -> Result<Vec<(RunLine, RunHead)>> {
        let of_script = "WHERE kind = 'script' AND script = ?1 ORDER BY n DESC LIMIT ?2";
        let rows = self.seen(rows::lines(&self.connection, &self.file, of_script, &[&script, &limit]))?;
        let with_head = |row: RunRow| {
            let head = self.seen(load::beginning(&self.connection, &self.file, &row))?;
            Ok((row.run, head))
        };
        rows.into_iter().map(with_head).collect()
    }

    /// All rows of `runs` in the order stored; none of them can be missing.
    fn lines(&self) -> Result<Vec<RunRow>, StoreFault> {
        let _snapshot = self.snapshot()?;
        let expected = rows::tallied(&self.connection, &self.file)?;
        let lines = rows::lines(&self.connection, &self.file, "ORDER BY n", &[])?;
        let ascending = lines.is_sorted_by(|one, next| one.n < next.n);
        match ascending && i64::try_from(lines.len()) == Ok(expected) {
            true => Ok(lines),
            false => Err(fault::damaged(&self.file, format!("it has {} of {expected} runs", lines.len()))),
        }
    }

    /// The run with this id, or the only one whose id begins so.
    fn find(&self, id: &str) -> Result<RunRow, StoreFault> {
        let _snapshot = self.snapshot()?;
        let begin_so = "WHERE id >= ?1 AND id < ?1 || char(1114111) ORDER BY id LIMIT 8";
        let mut found = rows::lines(&self.connection, &self.file, begin_so, &[&id])?;
        if !found.iter().all(|line| line.run.id.starts_with(id)) {
            return Err(fault::damaged(&self.file, "its index of runs is not as it was written"));
        }
        match (found.iter().position(|line| line.run.id == id), found.len()) {
            (Some(at), _) => Ok(found.swap_remove(at)),
            (None, 1) if !id.is_empty() => Ok(found.swap_remove(0)),
            (None, 0) => Err(self.not_found(id)),
            (None, _) => Err(StoreFault::Other(ambiguous(id, &found))),
        }
    }

    fn not_found(&self, id: &str) -> StoreFault {
        let lines = match self.lines() {
            Ok(lines) => lines,
            Err(fault) => return fault,
        };
        let names: Vec<&str> = lines.iter().map(|line| line.run.id.as_str()).collect();
        if names.iter().any(|name| name.starts_with(id)) {
            return fault::damaged(&self.file, "its index of runs is not as it was written");
        }
        let error = Error::not_found(format!("there is no run `{id}` in {}", self.file.display()));
        let hint = crate::nearest::did_you_mean(id, names);
        StoreFault::Other(error.hint(hint.unwrap_or_else(|| "`binlogsh runs` lists them".to_owned())))
    }

    /// While it lives, what is read is one state of the store. `None` within another one, which sees to that.
    fn snapshot(&self) -> Result<Option<Transaction<'_>>, StoreFault> {
        let begin = || self.connection.unchecked_transaction();
        self.connection.is_autocommit().then(begin).transpose().map_err(|e| fault::of(&self.file, "read", e))
    }

    /// Does `work` as one transaction: wholly, or not at all.
    fn write<T>(
        &mut self,
        sync: Sync,
        work: impl FnOnce(&Transaction<'_>, &Path) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let made = self.write_whole(sync, work);
        self.seen(made)
    }

    fn write_whole<T>(
        &mut self,
        sync: Sync,
        work: impl FnOnce(&Transaction<'_>, &Path) -> Result<T, StoreFault>,
    ) -> Result<T, StoreFault> {
        let said = |e| fault::of(&self.file, "write to", e);
        if self.sync != sync {
            let level = if sync == Sync::Host { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", level).map_err(said)?;
            self.sync = sync;
        }
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(said)?;
        let made = work(&transaction, &self.file)?;
        transaction.commit().map_err(said)?;
        Ok(made)
    }
}

/// Does `work` with the store `file`; if that is damaged, sets it aside and does it again with a new one.
fn anew<T>(
    file: &Path,
    now_ms: i64,
    mut work: impl FnMut() -> Result<T, StoreFault>,
) -> Result<(T, Option<PathBuf>), StoreFault> {
    let before = file::identity(file)?;
    match (work(), before) {
        (Err(StoreFault::Damaged(_)), Some(known)) => {
            let kept = file::set_aside(file, known, now_ms)?;
            Ok((work()?, kept))
        }
        (made, _) => Ok((made?, None)),
    }
}

fn ambiguous(id: &str, found: &[RunRow]) -> Error {
    let names: Vec<&str> = found.iter().map(|line| line.run.id.as_str()).collect();
    Error::invalid(format!("more than one run begins with `{id}`: {}", names.join(", "))).hint("say more of its id")
}
