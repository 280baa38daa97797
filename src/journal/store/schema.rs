//! The tables, and how an older store becomes one of this version.
//!
//! A row of a journal lies at `(number of its run) * 2^32 + seq`, so that a run is one range of one tree: no index can
//! disagree with it. The tables say exactly what is written here, or the file is taken for damaged.

use super::fault::{self, StoreFault};
use crate::error::Error;
use rusqlite::Connection;
use std::path::Path;

/// What a store says it is, in its header: "bnsh".
const APPLICATION: i64 = 0x626e_7368;

/// A step brings a store from the version of its index to the next.
const STEPS: &[&[(&str, &str)]] = &[VERSION_1];

/// The tables of the current version, by name.
const TABLES: &[(&str, &str)] = VERSION_1;

const VERSION_1: &[(&str, &str)] = &[
    (
        "runs",
        "CREATE TABLE runs (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL, kind TEXT NOT NULL, script TEXT NOT NULL, cluster TEXT, user TEXT NOT NULL,
  host TEXT NOT NULL, pid INTEGER NOT NULL, begun_ms INTEGER NOT NULL, state TEXT NOT NULL, holder TEXT,
  ended_ms INTEGER, exit_code INTEGER, error TEXT, why TEXT, rows INTEGER NOT NULL, changes INTEGER NOT NULL,
  unfinished INTEGER NOT NULL, step TEXT, seal BLOB NOT NULL)",
    ),
    ("runs_by_id", "CREATE UNIQUE INDEX runs_by_id ON runs (id)"),
    ("heads", "CREATE TABLE heads (n INTEGER PRIMARY KEY, body TEXT NOT NULL, hash BLOB NOT NULL)"),
    (
        "entries",
        "CREATE TABLE entries (place INTEGER PRIMARY KEY, kind TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL)",
    ),
    ("tally", "CREATE TABLE tally (one INTEGER PRIMARY KEY, runs INTEGER NOT NULL, seal BLOB NOT NULL)"),
    (
        "journal",
        "CREATE VIEW journal AS SELECT runs.id AS run, place & 4294967295 AS seq, entries.kind, body
  FROM entries JOIN runs ON runs.n = place >> 32",
    ),
];

/// The version of a store that this program writes.
pub(super) const fn version() -> i64 {
    STEPS.len() as i64
}

/// Makes the tables in an empty database.
pub(super) fn make(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION)?;
    step_up(connection, 0)?;
    super::rows::tally(connection, 0)
}

/// Applies, in one transaction, the steps that a store of version `from` lacks.
fn step_up(connection: &mut Connection, from: usize) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for (_, sql) in STEPS.iter().skip(from).copied().flatten() {
        transaction.execute(sql, [])?;
    }
    transaction.pragma_update(None, "user_version", version())?;
    transaction.commit()
}

/// Makes sure that an opened database is a store of this version; brings an older one up to it.
pub(super) fn check(connection: &mut Connection, file: &Path) -> Result<(), StoreFault> {
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let text = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, String>(0));
    let said = |e| fault::of(file, "open", e);
    if number("application_id").map_err(said)? != APPLICATION {
        return Err(fault::damaged(file, "it is a database, but no store of runs"));
    }
    let found = number("user_version").map_err(said)?;
    if found > version() {
        return Err(StoreFault::Other(newer(file, found)));
    }
    let plain = number("auto_vacuum").map_err(said)? == 0
        && text("encoding").map_err(said)? == "UTF-8"
        && text("journal_mode").map_err(said)? == "wal";
    if found < 1 || !plain {
        return Err(fault::damaged(file, "its header is not one of a store"));
    }
    if found < version() {
        step_up(connection, usize::try_from(found).unwrap_or_default()).map_err(said)?;
    }
    match tables(connection).map_err(said)? == TABLES.iter().map(|(_, sql)| (*sql).to_owned()).collect::<Vec<_>>() {
        true => Ok(()),
        false => Err(fault::damaged(file, "its tables are not those of a store")),
    }
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY rowid")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

fn newer(file: &Path, found: i64) -> Error {
    Error::invalid(format!(
        "the store of runs {} was written by a newer binlogsh: it is of version {found}, this one knows {}",
        file.display(),
        version()
    ))
    .hint("use the newer binlogsh, or name another data directory")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_lead_to_the_tables_of_the_current_version() {
        let mut connection = Connection::open_in_memory().unwrap();
        make(&mut connection).unwrap();
        let sql: Vec<_> = TABLES.iter().map(|(_, sql)| (*sql).to_owned()).collect();
        assert_eq!(tables(&connection).unwrap(), sql);
        let names: Vec<String> = {
            let mut names = connection.prepare("SELECT name FROM sqlite_schema ORDER BY rowid").unwrap();
            names.query_map([], |row| row.get(0)).unwrap().map(|name| name.unwrap()).collect()
        };
        assert_eq!(names, TABLES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    }
}
