//! What both worlds say when what was seen in etcd may have changed meanwhile.

use crate::error::{Error, ErrorKind, Result};
use crate::node::{Kind, Record};

/// The record as it is `now` (its value, and the revision of that), if nothing but heartbeats has changed it since it was
/// `seen`.
///
/// # Errors
/// `conflict`, saying what has changed.
pub(crate) fn still_the_record(seen: &Record, now: Option<(&[u8], i64)>) -> Result<Record> {
    let key = seen.node.key();
    let changed = |what: String| Error::new(ErrorKind::Conflict, what).hint("look at the node again, then decide anew");
    let (value, mod_revision) = now.ok_or_else(|| changed(format!("{key} is gone: somebody deleted it meanwhile")))?;
    let now = Record::parse(&key, value, mod_revision)
        .map_err(|error| changed(format!("{key} holds no record any more ({error})")))?;
    let differences = seen.differences(&now)?;
    match differences.is_empty() {
        true => Ok(now),
        false => Err(changed(format!("somebody else changed {key} meanwhile: {}", differences.join(", ")))),
    }
}

/// Makes sure that a key which was last written at the revision `now` is the one that was seen at `mod_revision`.
///
/// # Errors
/// `not_found` when it is gone, `conflict` when it was written again.
pub(crate) fn still_the_key(key: &str, mod_revision: i64, now: Option<i64>) -> Result<()> {
    match now {
        None => Err(Error::not_found(format!("there is no key {key} any more"))),
        Some(now) if now == mod_revision => Ok(()),
        Some(now) => Err(Error::new(
            ErrorKind::Conflict,
            format!("{key} was written again, at revision {now}, and was not deleted"),
        )
        .hint("whoever writes it may be alive: look at the node again")),
    }
}

/// Makes sure that a key is a node's: no other is deleted here.
///
/// # Errors
/// `invalid` for any other.
pub(crate) fn check_is_of_a_node(key: &str) -> Result<()> {
    match Kind::of_key(key).is_some() {
        true => Ok(()),
        false => Err(Error::invalid(format!("the key {key} is neither a Pump's nor a Drainer's"))),
    }
}
