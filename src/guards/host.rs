//! Guards about this host: files and keys.

use crate::error::{ErrorKind, Result};
use crate::guards::Verdict;
use crate::guards::view::ClusterView;
use crate::savepoint;
use crate::text::ShownPath;
use crate::time::{Time, Zone};
use crate::world::{Change, read};
use std::path::Path;

/// A savepoint that is there is a Drainer's only knowledge of where it stands.
pub(super) fn exists(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let Change::WriteSavepoint { dir, content } = change else {
        return Ok(Verdict::Clear);
    };
    let path = dir.join("savepoint");
    match scene.ask(read::ReadSavepoint { dir: dir.clone() }) {
        Ok(old) => Ok(Verdict::Trips(format!(
            "{} exists{}: it says {}, and {} would replace it",
            path.shown(),
            if savepoint::is_bare(&old) { "" } else { ", and is a Drainer's own" },
            shown(&old),
            shown(content)
        ))),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Verdict::Clear),
        Err(error) => Err(error),
    }
}

/// Whether what is there, if anything, is no more than a timestamp, as we and binlogctl write it: another can be made at any
/// time. A Drainer's own says where it stood and whether downstream is consistent, and nobody else knows that. What cannot be
/// read may be one.
pub(super) fn is_a_bare_savepoint(scene: &mut ClusterView<'_>, dir: &Path) -> bool {
    match scene.ask(read::ReadSavepoint { dir: dir.to_owned() }) {
        Ok(old) => savepoint::is_bare(&old),
        Err(error) => error.kind == ErrorKind::NotFound,
    }
}

/// The timestamp in a savepoint with its time, as far as it can be read.
fn shown(content: &str) -> String {
    match savepoint::parse(content) {
        Ok(read) => format!("{} ({})", read.ts, Time::of_tso(read.ts, Zone::Utc)),
        Err(_) => "no timestamp".into(),
    }
}

/// The key in binlogctl's source protects nothing.
pub(super) fn public_key(scene: &mut ClusterView<'_>, _change: &Change) -> Result<Verdict> {
    Ok(match scene.ask(read::HasKey)? {
        true => Verdict::Clear,
        false => Verdict::Trips(
            "BINLOG_SECRET_KEY is not set: the key that is used instead is public, so anybody can decrypt the result"
                .into(),
        ),
    })
}
