//! What goes wrong with the store, in words: the file, what was being done, why, and what to do next.

use crate::error::{Error, ErrorKind, Result};
use serde::Serialize;
use std::fmt::Display;
use std::path::Path;

/// How long a store that another process is writing to is waited for.
pub(super) const PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// Why something could not be done with the store.
#[derive(Debug)]
pub(super) enum StoreFault {
    /// The file is not what was written. It must not be written to.
    Damaged(Error),
    /// Anything else.
    Other(Error),
}

impl From<StoreFault> for Error {
    fn from(fault: StoreFault) -> Self {
        match fault {
            StoreFault::Damaged(error) | StoreFault::Other(error) => error,
        }
    }
}

impl From<Error> for StoreFault {
    fn from(error: Error) -> Self {
        Self::Other(error)
    }
}

/// The store `file` is not what was written: `what` is wrong.
pub(super) fn damaged(file: &Path, what: impl Display) -> StoreFault {
    StoreFault::Damaged(
        Error::local(format!("the store of runs {} is damaged: {what}", file.display()))
            .hint("keep the file: what can still be read of it can be exported; the next new run sets it aside"),
    )
}

/// What SQLite said while `doing` ("read the runs of") something with the store `file`.
pub(super) fn of(file: &Path, doing: &str, said: rusqlite::Error) -> StoreFault {
    use rusqlite::ErrorCode as Code;
    let cannot = |hint: &str| {
        StoreFault::Other(
            Error::local(format!("cannot {doing} the store of runs {}", file.display())).source(&said).hint(hint),
        )
    };
    match said.sqlite_error_code() {
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => locked(file, doing),
        Some(Code::DiskFull) => cannot("make room on the disk, then try again"),
        Some(Code::ReadOnly | Code::CannotOpen | Code::PermissionDenied | Code::AuthorizationForStatementDenied) => {
            cannot("check who may write the file and its directory")
        }
        Some(Code::SystemIoFailure | Code::FileLockingProtocolFailed | Code::OutOfMemory | Code::TooBig) => {
            cannot("check the disk (is it full?) and its file system")
        }
        // Everything else is about the content: not a database, a bad page, a table or a type that is not ours.
        _ => damaged(file, said),
    }
}

/// Another process kept us from `doing` something with the store `file` for as long as anybody is waited for.
pub(super) fn locked(file: &Path, doing: &str) -> StoreFault {
    StoreFault::Other(
        Error::local(format!(
            "cannot {doing} the store of runs {}: another process has had it locked for {} s",
            file.display(),
            PATIENCE.as_secs()
        ))
        .hint("find out who it is (`fuser` names it), then try again"),
    )
}

/// What the file system said while `doing` something with `file`.
pub(super) fn of_file(file: &Path, doing: &str, said: &std::io::Error) -> StoreFault {
    StoreFault::Other(
        Error::local(format!("cannot {doing} {}", file.display()))
            .source(said)
            .hint("check the disk, and who may write the file and its directory"),
    )
}

/// `value` as JSON. Whatever is kept can be written so, but for a defect.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|e| unwritable(&e))
}

pub(super) fn unwritable(said: &serde_json::Error) -> Error {
    Error::internal(format!("an entry of the journal cannot be written as JSON: {said}"))
}

/// The run `id` is no longer ours.
pub(super) fn lost(file: &Path, id: &str) -> Error {
    Error::new(
        ErrorKind::LockLost,
        format!("the run {id} in {} was taken over, abandoned or removed by another process", file.display()),
    )
    .hint("look at it with `runs show` before anything is done again")
}
