//! Rows of the tables, read and written. What the chain of hashes does not cover is sealed with a hash of its own.

use super::chain::{self, Hash, RowKind};
use super::fault::{self, StoreFault};
use super::run::{Holder, RunLine};
use crate::error::Error;
use crate::nearest::named;
use rusqlite::types::{FromSql, Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params_from_iter};
use serde::{Serialize, de::DeserializeOwned};
use siphasher::sip128::{Hasher128, SipHasher24};
use std::hash::Hasher;
use std::path::Path;
use strum::VariantArray;

/// The columns of `runs` but for the seal, in order.
const COLUMNS: &str = "n, id, kind, script, cluster, user, host, pid, begun_ms, state, holder, ended_ms, exit_code, \
                       error, why, rows, changes, unfinished, step";

/// How many they are.
const COUNT: usize = 19;

/// A row of `runs`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RunRow {
    /// The number of the run in this store.
    pub(super) n: i64,
    /// What it says.
    pub(super) run: RunLine,
}

/// Where the rows of run `n` lie: the place of row `seq`.
pub(super) fn place(n: i64, seq: u64) -> i64 {
    (n << 32) | i64::try_from(seq).unwrap_or(i64::MAX)
}

fn seal<'v>(values: impl Iterator<Item = ValueRef<'v>>) -> [u8; 16] {
    let mut hasher = SipHasher24::new();
    for value in values {
        let real;
        let (tag, number, bytes): (u8, i64, &[u8]) = match value {
            ValueRef::Null => (0, 0, &[]),
            ValueRef::Integer(number) => (1, number, &[]),
            ValueRef::Real(number) => {
                real = number.to_be_bytes();
                (2, 0, &real)
            }
            ValueRef::Text(text) => (3, 0, text),
            ValueRef::Blob(bytes) => (4, 0, bytes),
        };
        hasher.write_u8(tag);
        hasher.write_i64(number);
        hasher.write_usize(bytes.len());
        hasher.write(bytes);
    }
    hasher.finish128().as_bytes()
}

fn values(line: &RunRow) -> Result<Vec<Value>, Error> {
    fn json(value: Option<&impl Serialize>) -> Result<Value, Error> {
        match value {
            None => Ok(Value::Null),
            Some(value) => fault::json(value).map(Value::Text),
        }
    }
    let text = |text: &Option<String>| text.clone().map_or(Value::Null, Value::Text);
    let count = |count: u64| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX));
    let run = &line.run;
    Ok(vec![
        Value::Integer(line.n),
        Value::Text(run.id.clone()),
        Value::Text(run.kind.name().to_owned()),
        Value::Text(run.script.clone()),
        text(&run.cluster_id.map(|id| id.to_string())),
        Value::Text(run.user.clone()),
        Value::Text(run.host.clone()),
        Value::Integer(i64::from(run.pid)),
        Value::Integer(run.begun_ms),
        Value::Text(run.state.name().to_owned()),
        json(run.holder.as_ref())?,
        run.ended_ms.map_or(Value::Null, Value::Integer),
        run.exit_code.map_or(Value::Null, |code| Value::Integer(i64::from(code))),
        json(run.error.as_ref())?,
        text(&run.why),
        count(run.rows),
        count(run.changes),
        Value::Integer(i64::from(run.unfinished)),
        text(&run.step),
    ])
}

/// How a row is written.
#[derive(Clone, Copy)]
pub(super) enum Put {
    /// It is not there.
    New,
    /// It is there.
    Change,
}

/// Writes the row.
pub(super) fn put(connection: &Connection, file: &Path, line: &RunRow, put: Put) -> Result<(), StoreFault> {
    let mut values = values(line)?;
    let seal = seal(values.iter().map(ValueRef::from));
    values.push(Value::Blob(seal.to_vec()));
    let sql = match put {
        Put::New => format!("INSERT INTO runs ({COLUMNS}, seal) VALUES ({})", vec!["?"; COUNT + 1].join(", ")),
        // Only what can change, so that the index stays as it is.
        Put::Change => "UPDATE runs SET state = ?10, holder = ?11, ended_ms = ?12, exit_code = ?13, error = ?14, \
                        why = ?15, rows = ?16, changes = ?17, unfinished = ?18, step = ?19, seal = ?20 WHERE n = ?1"
            .to_owned(),
    };
    connection.execute(&sql, params_from_iter(values)).map_err(|e| fault::of(file, "write to", e))?;
    Ok(())
}

/// The rows of `runs` that `clause` selects, each whole.
pub(super) fn lines(
    connection: &Connection,
    file: &Path,
    clause: &str,
    with: &[&dyn ToSql],
) -> Result<Vec<RunRow>, StoreFault> {
    let said = |e| fault::of(file, "read", e);
    let mut statement = connection.prepare(&format!("SELECT {COLUMNS}, seal FROM runs {clause}")).map_err(said)?;
    let mut rows = statement.query(with).map_err(said)?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next().map_err(said)? {
        lines.push(line(row, file)?);
    }
    Ok(lines)
}

fn line(row: &Row<'_>, file: &Path) -> Result<RunRow, StoreFault> {
    let said = |e| fault::of(file, "read", e);
    let mut values = [ValueRef::Null; COUNT];
    for (at, value) in values.iter_mut().enumerate() {
        *value = row.get_ref(at).map_err(said)?;
    }
    let kept = row.get_ref(COUNT).map_err(said)?;
    if kept != ValueRef::Blob(&seal(values.iter().copied())) {
        return Err(fault::damaged(file, format!("the row of {} is not as it was written", name_of(values[1]))));
    }
    read(&SealedRow { values, file }).map_err(|_| fault::damaged(file, "a row of its runs cannot be read"))
}

fn name_of(id: ValueRef<'_>) -> String {
    id.as_str().map_or_else(|_| "a run".to_owned(), |id| format!("the run {id}"))
}

/// The values of a row, whose seal is whole.
struct SealedRow<'r> {
    values: [ValueRef<'r>; COUNT],
    file: &'r Path,
}

impl SealedRow<'_> {
    fn get<T: FromSql>(&self, at: usize) -> Result<T, StoreFault> {
        T::column_result(self.values[at]).map_err(|e| fault::damaged(self.file, e))
    }

    fn json<T: DeserializeOwned>(&self, at: usize) -> Result<Option<T>, StoreFault> {
        match self.values[at] {
            ValueRef::Text(text) => serde_json::from_slice(text).map(Some).map_err(|e| fault::damaged(self.file, e)),
            _ => Ok(None),
        }
    }

    fn named<T: VariantArray + Into<&'static str> + Copy>(&self, at: usize) -> Result<T, StoreFault> {
        let name: String = self.get(at)?;
        named(&name).ok_or_else(|| fault::damaged(self.file, format!("it says `{name}`")))
    }
}

fn read(cells: &SealedRow<'_>) -> Result<RunRow, StoreFault> {
    let cluster: Option<String> = cells.get(4)?;
    let run = RunLine {
        id: cells.get(1)?,
        kind: cells.named(2)?,
        script: cells.get(3)?,
        cluster_id: cluster.and_then(|id| id.parse().ok()),
        user: cells.get(5)?,
        host: cells.get(6)?,
        pid: cells.get(7)?,
        begun_ms: cells.get(8)?,
        state: cells.named(9)?,
        holder: cells.json::<Holder>(10)?,
        ended_ms: cells.get(11)?,
        exit_code: cells.get(12)?,
        error: cells.json::<Error>(13)?,
        why: cells.get(14)?,
        rows: cells.get::<i64>(15)?.unsigned_abs(),
        changes: cells.get::<i64>(16)?.unsigned_abs(),
        unfinished: cells.get(17)?,
        step: cells.get(18)?,
    };
    Ok(RunRow { n: cells.get(0)?, run })
}

/// Notes how many runs there are, so that none can be lost unseen.
pub(super) fn tally(connection: &Connection, runs: i64) -> rusqlite::Result<()> {
    let seal = seal([ValueRef::Integer(runs)].into_iter()).to_vec();
    let sql = "INSERT OR REPLACE INTO tally (one, runs, seal) VALUES (1, ?1, ?2)";
    connection.execute(sql, rusqlite::params![runs, seal]).map(drop)
}

/// How many runs there are.
pub(super) fn tallied(connection: &Connection, file: &Path) -> Result<i64, StoreFault> {
    let sql = "SELECT runs, seal FROM tally WHERE one = 1";
    let found = connection.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    match found.optional().map_err(|e| fault::of(file, "read", e))? {
        Some((runs, kept)) if kept == seal([ValueRef::Integer(runs)].into_iter()) => Ok(runs),
        _ => Err(fault::damaged(file, "how many runs it has is not as it was written")),
    }
}

/// Adds rows to the journal of run `n`.
pub(super) fn insert<'r>(
    connection: &Connection,
    file: &Path,
    n: i64,
    rows: impl Iterator<Item = Stored<'r>>,
) -> Result<(), StoreFault> {
    let said = |e| fault::of(file, "write to", e);
    let sql = "INSERT INTO entries (place, kind, body, hash) VALUES (?1, ?2, ?3, ?4)";
    let mut statement = connection.prepare(sql).map_err(said)?;
    for Stored { seq, kind, body, hash } in rows {
        statement.execute(rusqlite::params![place(n, seq), kind.name(), body, hash]).map_err(said)?;
    }
    Ok(())
}

/// Removes the rows of run `n` that come after row `seq`.
pub(super) fn remove_after(connection: &Connection, file: &Path, n: i64, seq: u64) -> Result<(), StoreFault> {
    let sql = "DELETE FROM entries WHERE place > ?1 AND place < ?2";
    connection.execute(sql, [place(n, seq), place(n + 1, 0)]).map_err(|e| fault::of(file, "write to", e))?;
    Ok(())
}

/// A row of a journal as it is stored.
pub(super) struct Stored<'r> {
    pub(super) seq: u64,
    pub(super) kind: RowKind,
    pub(super) body: &'r str,
    pub(super) hash: Hash,
}

/// Goes through the rows of run `n`, whose id is `id` and whose head hashes to `tip`, and makes sure of the chain.
/// Returns how many they are, and the last link.
pub(super) fn walk(
    connection: &Connection,
    file: &Path,
    (n, id, mut tip): (i64, &str, Hash),
    mut take: impl FnMut(Stored<'_>) -> Result<(), StoreFault>,
) -> Result<(u64, Hash), StoreFault> {
    let said = |e| fault::of(file, "read", e);
    let sql = "SELECT place, kind, body, hash FROM entries WHERE place > ?1 AND place < ?2 ORDER BY place";
    let mut statement = connection.prepare(sql).map_err(said)?;
    let mut rows = statement.query([place(n, 0), place(n + 1, 0)]).map_err(said)?;
    let mut seq = 0;
    while let Some(row) = rows.next().map_err(said)? {
        seq += 1;
        let broken = || fault::damaged(file, format!("entry {seq} of the run {id} is not as it was written"));
        let stored = stored(row, n, seq).ok_or_else(broken)?;
        tip = chain::next(&tip, id, seq, stored.kind, stored.body);
        if tip != stored.hash {
            return Err(broken());
        }
        take(stored)?;
    }
    Ok((seq, tip))
}

fn stored<'r>(row: &'r Row<'_>, n: i64, seq: u64) -> Option<Stored<'r>> {
    let at: i64 = row.get(0).ok()?;
    let kind = named(row.get_ref(1).ok()?.as_str().ok()?)?;
    let body = row.get_ref(2).ok()?.as_str().ok()?;
    let hash = row.get_ref(3).ok()?.as_blob().ok()?.try_into().ok()?;
    (at == place(n, seq)).then_some(Stored { seq, kind, body, hash })
}
