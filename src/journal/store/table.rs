//! Runs added to the tables, given up and removed.

use super::fault::{self, StoreFault};
use super::rows::{self, Put, RunRow};
use super::run::{RunLine, RunState};
use super::{Store, Sync, chain};
use crate::error::{Error, ErrorKind, Result};
use rusqlite::Transaction;
use std::path::Path;

impl Store {
    /// Gives up a run: it cannot be resumed, and a process that is still at it stops before its next change.
    ///
    /// # Errors
    /// `not_found`; `invalid` when it is done or abandoned already; `local`.
    pub fn abandon(&mut self, id: &str, why: &str, now_ms: i64) -> Result<()> {
        let id = self.seen(self.find(id))?.run.id;
        let made = self.write(Sync::Host, |transaction, file| {
            let mut line = line_of(transaction, file, &id)?;
            if matches!(line.run.state, RunState::Done | RunState::Abandoned) {
                return Err(StoreFault::Other(
                    Error::invalid(format!("the run {id} is {}", line.run.state.name()))
                        .hint("there is nothing to abandon"),
                ));
            }
            line.run.state = RunState::Abandoned;
            line.run.holder = None;
            line.run.why = Some(why.to_owned());
            line.run.ended_ms = Some(now_ms);
            rows::put(transaction, file, &line, Put::Change)
        });
        Ok(made?)
    }

    /// Removes the runs that ended before `older_than_ms` (milliseconds since 1970), and returns how many. What is
    /// running, or was when it was stopped, stays until it is abandoned.
    ///
    /// # Errors
    /// `local`.
    pub fn prune(&mut self, older_than_ms: i64) -> Result<u64> {
        let all = self.seen(self.lines())?;
        let is_old =
            |line: &RunLine| line.state != RunState::Running && line.ended_ms.unwrap_or(line.begun_ms) < older_than_ms;
        let old: Vec<String> = all.into_iter().filter(|line| is_old(&line.run)).map(|line| line.run.id).collect();
        let made = self.write(Sync::Host, |transaction, file| {
            let mut removed = 0;
            for id in &old {
                removed += remove_if(transaction, file, id, is_old)?;
            }
            let left = rows::tallied(transaction, file)? - i64::try_from(removed).unwrap_or(i64::MAX);
            rows::tally(transaction, left).map_err(|e| fault::of(file, "write to", e))?;
            Ok(removed)
        });
        Ok(made?)
    }
}

/// The row of the run `id`, which was there a moment ago.
pub(super) fn line_of(transaction: &Transaction<'_>, file: &Path, id: &str) -> Result<RunRow, StoreFault> {
    line_if_there(transaction, file, id)?
        .ok_or_else(|| StoreFault::Other(Error::not_found(format!("the run {id} was removed meanwhile"))))
}

pub(super) fn line_if_there(
    transaction: &Transaction<'_>,
    file: &Path,
    id: &str,
) -> Result<Option<RunRow>, StoreFault> {
    match rows::lines(transaction, file, "WHERE id = ?1", &[&id])?.pop() {
        Some(line) if line.run.id != id => Err(fault::damaged(file, "its index of runs is not as it was written")),
        found => Ok(found),
    }
}

/// Removes the run `id` if it is still one that `goes`.
fn remove_if(
    transaction: &Transaction<'_>,
    file: &Path,
    id: &str,
    goes: impl Fn(&RunLine) -> bool,
) -> Result<u64, StoreFault> {
    let Some(line) = line_if_there(transaction, file, id)?.filter(|line| goes(&line.run)) else { return Ok(0) };
    let said = |e| fault::of(file, "write to", e);
    rows::remove_after(transaction, file, line.n, 0)?;
    transaction.execute("DELETE FROM heads WHERE n = ?1", [line.n]).map_err(said)?;
    transaction.execute("DELETE FROM runs WHERE n = ?1", [line.n]).map_err(said)?;
    Ok(1)
}

/// Adds a run as the next of this store; its row says everything but its number.
pub(super) fn add(transaction: &Transaction<'_>, file: &Path, mut run: RunRow, head: &str) -> Result<i64, StoreFault> {
    let said = |e| fault::of(file, "write to", e);
    if line_if_there(transaction, file, &run.run.id)?.is_some() {
        return Err(StoreFault::Other(
            Error::new(
                ErrorKind::Conflict,
                format!("there is a run {} in {} already, with another content", run.run.id, file.display()),
            )
            .hint("compare them: `runs export` shows the one that is there"),
        ));
    }
    let last: Option<i64> = transaction.query_row("SELECT max(n) FROM runs", [], |row| row.get(0)).map_err(said)?;
    let next = last.unwrap_or(0).checked_add(1).filter(|n| *n < 1 << 31);
    run.n = next.ok_or_else(|| fault::damaged(file, "its runs are numbered out of bounds"))?;
    rows::put(transaction, file, &run, Put::New)?;
    let hash = chain::of_head(&run.run.id, head);
    let sql = "INSERT INTO heads (n, body, hash) VALUES (?1, ?2, ?3)";
    transaction.execute(sql, rusqlite::params![run.n, head, hash]).map_err(said)?;
    let runs = rows::tallied(transaction, file)? + 1;
    rows::tally(transaction, runs).map_err(said)?;
    Ok(run.n)
}
