//! What stands in PD's etcd: records of nodes, keys, the maintenance lock, TiDB's servers.

use super::grammar::{Doc, Form, map, parts, raw, text};
use super::{Fuzzed, Weight, stays_the_same};
use crate::dice::Dice;
use binlogsh::error::{Error, Result};
use binlogsh::node::{Kind, Record, RecordState, State, key_called, key_name};
use binlogsh::world::{LOCK_KEY, LockHolder, LockInfo, LockOwner, TidbServer};

pub(super) const PARSERS: &[Fuzzed] = &[
    Fuzzed {
        name: "record",
        weight: Weight::Pure,
        form: Form::Json,
        valid: record,
        tokens: &[
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "\"state\"",
            "\"online\"",
            "\"host\"",
            "\\u12",
            "\\ud800",
            "null",
            "{\"state\":\"online\"}",
        ],
        read: read_record,
        errors: 10,
    },
    Fuzzed {
        name: "key",
        weight: Weight::Pure,
        form: Form::Parts,
        valid: key,
        tokens: &["/tidb-binlog/v1/", "pumps/", "drainers/", "not-text/", "%FF", "%25", "%", "\u{fffd}"],
        read: read_key,
        errors: 3,
    },
    Fuzzed {
        name: "lock",
        weight: Weight::Pure,
        form: Form::Json,
        valid: lock,
        tokens: &["{", "}", ":", ",", "\"user\"", "\"since\"", "\"pid\"", "7"],
        read: read_lock,
        errors: 1,
    },
    Fuzzed {
        name: "tidb_info",
        weight: Weight::Pure,
        form: Form::Json,
        valid: tidb_info,
        tokens: &["{", "}", ":", ",", "\"ip\"", "\"listening_port\"", "4000"],
        read: read_tidb_info,
        errors: 5,
    },
];

fn record(dice: &mut Dice) -> Doc {
    let states: Vec<&str> = State::ALL.iter().map(|state| state.name()).collect();
    let label = dice.one(&[raw("null"), map([("labels", map([("zone", text("a"))]))])]);
    let id = dice.one(&["pump-0", "10.0.0.5:8250", "пампа", ""]);
    let optional = ["nodeId", "isAlive", "score", "label", "maxCommitTS", "updateTS", "note", "state"];
    map([
        ("nodeId", text(id)),
        ("host", text(dice.one(&["10.0.0.5:8250", "[::1]:8250", "pump-0.pump:8250"]))),
        ("state", text(dice.one(&states))),
        ("isAlive", raw(dice.chance(50))),
        ("score", raw(0)),
        ("label", label),
        ("maxCommitTS", raw(dice.from(0, 1 << 62))),
        ("updateTS", raw(dice.from(0, 1 << 62))),
        ("note", map([("a", Doc::List(vec![raw("1e2"), text("\"x\\")]))])),
    ])
    .with_some(dice, &optional)
}

fn read_record(bytes: &[u8]) -> Result<()> {
    let key = |kind: Kind| format!("{}pump-0", kind.prefix());
    let read = |bytes: &[u8]| Record::parse(&key(Kind::Pump), bytes.to_vec(), 7);
    let record = read(bytes)?;
    assert_eq!(record.json.bytes(), bytes);
    stays_the_same(&record);
    let (paused, offline) = (record.with_state(State::Paused)?, record.with_state(State::Offline)?);
    let written = read(paused.bytes())?;
    assert_eq!(written.state, State::Paused);
    let others =
        |record: &Record| (record.node.clone(), record.max_commit_ts, record.update_ts, record.other_id.clone());
    assert_eq!(others(&written), others(&record));
    assert_eq!(written.with_state(State::Offline)?, offline, "what is not the state stays as it is, byte for byte");
    let differences = record.differences(&written)?;
    assert!(
        differences.iter().all(|one| one.to_lowercase().replace('ſ', "s").starts_with("state:")),
        "{differences:?}"
    );
    let from_nothing = read(b"{}")?.differences(&record)?;
    from_nothing.iter().try_for_each(|difference| readable(difference))?;
    if let RecordState::Known(state) = record.state {
        let again = read(written.with_state(state)?.bytes())?;
        assert_eq!(again.state, record.state);
    }
    only_the_state_differs(record.state.name(), bytes, paused.bytes());
    Ok(())
}

/// Where a text has one state, as it is written usually, everything around it is the same afterwards.
fn only_the_state_differs(state: &str, before: &[u8], after: &[u8]) {
    let Ok(text) = std::str::from_utf8(before) else { return };
    let written = format!("\"state\": \"{state}\"");
    if text.matches(&written).count() == 1 && text.to_lowercase().matches("tate").count() == 1 && !text.contains('\\') {
        assert_eq!(text.replace(&written, "\"state\": \"paused\"").as_bytes(), after);
    }
}

fn key(dice: &mut Dice) -> Doc {
    let prefix = dice.one(&[Kind::Pump.prefix(), Kind::Drainer.prefix()]);
    parts([
        prefix,
        dice.one(&["", "", "not-text/"]),
        dice.one(&["pump-0", "a%25", "10.0.0.5:8250"]),
        dice.one(&["", "%FF", "b"]),
    ])
}

/// A key beneath one of the prefixes, named and found again by its name; and a record under it.
fn read_key(bytes: &[u8]) -> Result<()> {
    if !Kind::ALL.iter().any(|kind| bytes.starts_with(kind.prefix().as_bytes())) {
        return Err(Error::invalid("the key is none of a node's"));
    }
    let name = key_name(bytes);
    assert_eq!(key_called(&name), bytes, "its name {name:?} leads to another key");
    let text = std::str::from_utf8(bytes).map_err(|_| Error::invalid("the key is not text"))?;
    let record = Record::parse(text, b"{}".to_vec(), 1)?;
    assert_eq!(record.node.key(), text);
    Ok(())
}

fn lock(dice: &mut Dice) -> Doc {
    map([
        ("user", text(dice.one(&["ann", "root"]))),
        ("host", text("ops-1")),
        ("pid", raw(dice.from(0, 1 << 22))),
        ("run", text("r42")),
        ("script", text("restart.rhai")),
        ("version", text("0.1.0")),
        ("since", text(dice.one(&["2026-11-18T11:06:40.123Z", "2026-11-18T11:06:40+08:00", "1969-12-31T23:59:59Z"]))),
    ])
    .with_some(dice, &["run", "script"])
}

fn read_lock(bytes: &[u8]) -> Result<()> {
    let info = LockInfo::new(5, bytes, None);
    stays_the_same(&info);
    let error = info.locked(None);
    assert!(error.message.contains("it has no lease") && error.hint.is_some_and(|hint| !hint.is_empty()));
    match info.owner {
        LockOwner::Holder { ref holder, since_ms } => {
            let again = LockInfo::new(5, LockHolder::value(holder, since_ms).as_bytes(), None);
            assert_eq!(again, info);
            readable(&error.message)
        }
        LockOwner::Foreign(_) => Err(Error::invalid(format!("the key {LOCK_KEY} is held: {info}"))),
    }
}

/// What is said of a value that was taken.
fn readable(said: &str) -> Result<()> {
    assert!(!said.contains(|c: char| c == '\n' || binlogsh::text::deceives(c)), "{said:?}");
    Ok(())
}

fn tidb_info(dice: &mut Dice) -> Doc {
    map([
        ("version", text("5.7.25-TiDB-v6.5.0")),
        ("git_hash", text("0")),
        ("ddl_id", text("x")),
        ("ip", text(dice.one(&["10.0.0.1", "fd00::1", "tidb-0"]))),
        ("listening_port", raw(4000)),
        ("status_port", raw(dice.one(&[10080, 0]))),
        ("lease", text("45s")),
        ("binlog_status", text(dice.one(&["On", "Off", "Skipping", "Unknown", ""]))),
        ("labels", map([])),
    ])
    .with_some(dice, &["git_hash", "ddl_id", "lease", "labels", "status_port", "version", "binlog_status"])
}

fn read_tidb_info(bytes: &[u8]) -> Result<()> {
    assert_eq!(TidbServer::registered("/tidb/server/info/x/y", bytes)?, None);
    let server = TidbServer::registered("/tidb/server/info/x", bytes)?.unwrap();
    stays_the_same(&server);
    Ok(())
}
