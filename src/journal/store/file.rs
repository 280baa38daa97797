//! The files of the store: making them, who may read them, and setting a damaged one aside.
//!
//! Whoever has a store open holds a shared lock on `runs.db.lock`; setting it aside takes an exclusive one, so that
//! no process ever joins one store's database with another's log. The database itself is never opened here while
//! SQLite may have it open in this process: closing it again would drop SQLite's locks.
#![expect(clippy::disallowed_methods, reason = "they are this room's files")]

use super::fault::{self, StoreFault};
use super::{run, schema};
use crate::error::{Error, Result};
use rusqlite::Connection;
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;
use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::ErrorKind as Io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What SQLite keeps beside its database.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// How often it is looked whether another process still has the store for itself.
const LOOK: Duration = Duration::from_millis(20);

/// Keeps others from setting the store aside while it lives.
pub(super) struct InUse {
    lock: File,
}

impl InUse {
    pub(super) fn begin(store: &Path) -> Result<Self, StoreFault> {
        let path = with_suffix(store, ".lock");
        let said = |e: &std::io::Error| fault::of_file(&path, "open", e);
        let mut options = File::options();
        let lock = options.read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
        let lock = lock.map_err(|e| said(&e))?;
        let in_use = Self { lock };
        in_use.share(store, "open")?;
        Ok(in_use)
    }

    /// Whether nobody else has the store open; from then on nobody else does.
    fn alone(&self) -> bool {
        flock(&self.lock, FlockOperation::NonBlockingLockExclusive).is_ok()
    }

    /// Whoever has it alone is done with that in no time, unless somebody has stopped him.
    fn share(&self, store: &Path, doing: &str) -> Result<(), StoreFault> {
        let began = Instant::now();
        loop {
            match flock(&self.lock, FlockOperation::NonBlockingLockShared) {
                Ok(()) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(Errno::WOULDBLOCK) if began.elapsed() < fault::PATIENCE => std::thread::sleep(LOOK),
                Err(Errno::WOULDBLOCK) => return Err(fault::locked(store, doing)),
                Err(errno) => return Err(fault::of_file(store, doing, &errno.into())),
            }
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Makes the directory of the store, for its owner alone, unless it is there.
pub(super) fn make_directory(store: &Path) -> Result<(), StoreFault> {
    let dir = directory(store);
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|e| fault::of_file(dir, "make the directory", &e))
}

/// The address under which SQLite reads the database without writing anything, there or beside it; `None` if there is none.
///
/// It would make the index of a log where that is missing, and so does not look at the log then.
pub(super) fn to_look_at(store: &Path) -> Option<String> {
    let is_open = BESIDE.iter().all(|suffix| with_suffix(store, suffix).is_file());
    let path = store.is_file().then(|| std::path::absolute(store).ok())??;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte);
    let quoted = |byte: &u8| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02x}") };
    let path: String = path.as_os_str().as_encoded_bytes().iter().map(quoted).collect();
    Some(format!("file:{path}?{}", if is_open { "mode=ro&readonly_shm=1" } else { "immutable=1" }))
}

/// What tells one file from another of the same name; `None` without one.
pub(super) fn identity(store: &Path) -> Result<Option<u64>, StoreFault> {
    match fs::metadata(store) {
        Ok(found) => Ok(Some(found.ino())),
        Err(e) if e.kind() == Io::NotFound => Ok(None),
        Err(e) => Err(fault::of_file(store, "look at the store of runs", &e)),
    }
}

/// Makes sure that the database can be one, and that only its owner may read it.
pub(super) fn check(store: &Path) -> Result<(), StoreFault> {
    let said = |e: &std::io::Error| fault::of_file(store, "look at the store of runs", e);
    let found = fs::metadata(store).map_err(|e| said(&e))?;
    if !found.is_file() {
        return Err(StoreFault::Other(
            Error::local(format!("the store of runs {} is no file", store.display()))
                .hint("name another data directory"),
        ));
    }
    if found.len() == 0 {
        return Err(fault::damaged(store, "it is empty"));
    }
    if found.permissions().mode() & 0o077 != 0 {
        fs::set_permissions(store, Permissions::from_mode(0o600)).map_err(|e| said(&e))?;
    }
    Ok(())
}

/// Makes an empty store: it appears with all its tables, or not at all.
///
/// The log of a store that somebody removed is kept under another name: it must not be taken for the new one's.
pub(super) fn make(store: &Path, in_use: &InUse) -> Result<(), StoreFault> {
    let said = |e: &std::io::Error| fault::of_file(store, "make the store of runs", e);
    for suffix in BESIDE {
        let left = with_suffix(store, suffix);
        if left.exists() && in_use.alone() && !store.exists() {
            let kept = free_name(&with_suffix(&left, ".orphan"));
            fs::rename(&left, kept).map_err(|e| said(&e))?;
        }
    }
    in_use.share(store, "make")?;
    // For its owner alone: that is how the crate makes it.
    let new = tempfile::Builder::new().prefix(".runs-").suffix(".db").tempfile_in(directory(store));
    let new = new.map_err(|e| said(&e))?;
    fill(new.path()).map_err(|e| fault::of(store, "make", e))?;
    new.as_file().sync_all().map_err(|e| said(&e))?;
    match new.persist_noclobber(store) {
        Ok(_) => sync_directory(store),
        // Another process was quicker, and has made the same.
        Err(e) if e.error.kind() == Io::AlreadyExists => Ok(()),
        Err(e) => Err(said(&e.error)),
    }
}

fn fill(file: &Path) -> rusqlite::Result<()> {
    let mut connection = Connection::open(file)?;
    // Nobody sees it before it is whole and on the disk.
    connection.execute_batch("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
    schema::make(&mut connection)?;
    connection.execute_batch("PRAGMA journal_mode = WAL;")?;
    connection.close().map_err(|(_, e)| e)
}

fn sync_directory(store: &Path) -> Result<(), StoreFault> {
    let dir = directory(store);
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| fault::of_file(dir, "make durable the directory", &e))
}

/// Keeps the damaged store that is known by `identity` under another name, and says which.
///
/// Does nothing if another process has set it aside already.
pub(super) fn set_aside(store: &Path, known: u64, now_ms: i64) -> Result<Option<PathBuf>, StoreFault> {
    let said = |e: &std::io::Error| fault::of_file(store, "set aside the damaged store of runs", e);
    let in_use = InUse::begin(store)?;
    if !in_use.alone() {
        return Err(StoreFault::Other(
            Error::local(format!(
                "the store of runs {} is damaged, and cannot be set aside while another process has it open",
                store.display()
            ))
            .hint("end the other binlogsh, then try again"),
        ));
    }
    if identity(store)? != Some(known) {
        return Ok(None);
    }
    let kept = free_name(&with_suffix(store, &format!(".damaged-{}", run::stamp(now_ms)?)));
    // The database last: as long as it is there, what lies beside it is not taken for another's.
    for suffix in BESIDE {
        match fs::rename(with_suffix(store, suffix), with_suffix(&kept, suffix)) {
            Err(e) if e.kind() != Io::NotFound => return Err(said(&e)),
            _ => {}
        }
    }
    fs::rename(store, &kept).map_err(|e| said(&e))?;
    sync_directory(store)?;
    Ok(Some(kept))
}

/// `wanted`, or with a number behind it the first name that nobody has.
fn free_name(wanted: &Path) -> PathBuf {
    let numbered = (2..1000).map(|n| with_suffix(wanted, &format!("-{n}")));
    std::iter::once(wanted.to_owned()).chain(numbered).find(|path| !path.exists()).unwrap_or_else(|| wanted.to_owned())
}
