//! Writing a file: beside its place, flushed, and then put there in one stroke.

use crate::error::Error;
use std::fs::{File, Permissions};
use std::io::{ErrorKind as Io, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// What becomes of a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfThere {
    /// The new one takes its place, and belongs to the same; where a link leads to it, the link stays.
    Replace,
    /// It stays, and nothing is written.
    Refuse,
}

/// Who may do what with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileMode {
    /// Those of the file in whose place it comes; where there is none these, without those that the user's umask takes away.
    Fresh(u32),
    /// Just these.
    Exactly(u32),
}

/// What the group of a file may do with it, and that programs run as it.
const GROUP: u32 = 0o2070;

/// Why a file was not written. It is then as it was, unless it says otherwise.
#[derive(Debug)]
pub enum WriteFault {
    /// This stands there, and no regular file.
    NoFile(&'static str),
    /// The system did not let us: in doing what, and why.
    Refused(&'static str, std::io::Error),
    /// It is written, but may be gone again if the host stops now.
    NotFlushed(std::io::Error),
}

impl WriteFault {
    /// Whether a file is there that is to stay.
    pub fn is_there_already(&self) -> bool {
        matches!(self, Self::Refused(_, fault) if fault.kind() == Io::AlreadyExists)
    }

    /// Whether there is no such directory.
    pub fn has_no_directory(&self) -> bool {
        matches!(self, Self::Refused(_, fault) if fault.kind() == Io::NotFound)
    }

    /// The error behind `cannot` ("cannot write the plan p.json"): `local`. Where another place would do, the hint is `elsewhere`.
    pub fn error_or(self, cannot: impl Into<String>, elsewhere: &str) -> Error {
        let cannot = cannot.into();
        match self {
            Self::NoFile(what) => Error::local(cannot).source(what).hint(elsewhere),
            Self::Refused(step, fault) => {
                let hint = if is_full(&fault) { ROOM } else { elsewhere };
                Error::local(format!("{cannot}: {step}")).source(fault).hint(hint)
            }
            Self::NotFlushed(fault) => {
                Error::local(format!("{cannot} for good: it is there, but its directory could not be flushed"))
                    .source(fault)
                    .hint("see what is wrong with that disk, then write it again")
            }
        }
    }

    /// The same, where the operator names the file.
    pub fn error(self, cannot: impl Into<String>) -> Error {
        self.error_or(cannot, "name a file in a directory that is there and can be written")
    }
}

/// What to do about a disk that takes no more.
const ROOM: &str = "make room on that disk (`df`, `quota`, `ulimit -f`), then try again; what was there is as it was";

/// Whether there is no room for what is written.
fn is_full(fault: &std::io::Error) -> bool {
    matches!(fault.kind(), Io::StorageFull | Io::QuotaExceeded | Io::FileTooLarge)
}

/// Whether the file `path` can be written: to be asked before the work whose result it holds.
///
/// # Errors
/// When its directory is not there or cannot be written, or when it is no regular file: a directory, or a device or pipe,
/// which a file would replace.
pub fn check_target(path: &Path) -> Result<(), WriteFault> {
    let path = target(path)?;
    let made = tempfile::tempfile_in(directory(&path));
    made.map(drop).map_err(|fault| WriteFault::Refused("making a temporary file beside it", fault))
}

/// Writes `bytes` to the file `path`: afterwards it is there completely, or as it was, whatever
/// happens.
///
/// # Errors
/// As it says; nothing is left behind.
pub fn write(path: &Path, bytes: &[u8], mode: FileMode, if_there: IfThere) -> Result<(), WriteFault> {
    let step = |step| move |fault| WriteFault::Refused(step, fault);
    let path = match if_there {
        IfThere::Replace => target(path)?,
        IfThere::Refuse => path.to_owned(),
    };
    let dir = directory(&path);
    let replaced = Some(if_there).filter(|if_there| *if_there == IfThere::Replace).and_then(|_| path.metadata().ok());
    let mode = match (mode, &replaced) {
        (FileMode::Fresh(_), Some(replaced)) => FileMode::Exactly(replaced.permissions().mode() & 0o7777),
        (FileMode::Fresh(_) | FileMode::Exactly(_), _) => mode,
    };
    let (FileMode::Fresh(bits) | FileMode::Exactly(bits)) = mode;
    // Until it is known whose group it is, it is nobody's.
    let mut file = tempfile::Builder::new()
        .prefix(".binlogsh-")
        .permissions(Permissions::from_mode(if replaced.is_some() { bits & !GROUP } else { bits }))
        .tempfile_in(dir)
        .map_err(step("making a temporary file beside it"))?;
    // Not through the crate, whose errors name a file that nobody has asked for.
    file.as_file_mut().write_all(bytes).map_err(step("writing"))?;
    let mut bits = bits;
    if let Some(replaced) = &replaced {
        let owns = file.as_file().metadata().map_err(step("looking at its owner"))?;
        // Only root can, and only root needs it: a savepoint stays the Drainer's own.
        let _ = fchown(file.as_file(), Some(replaced.uid()), None);
        // Whoever is of the group can. Another group may do what everybody may.
        if owns.gid() != replaced.gid() && fchown(file.as_file(), None, Some(replaced.gid())).is_err() {
            bits = (bits & !GROUP) | (bits & 0o7) << 3;
        }
    }
    if let FileMode::Exactly(_) = mode {
        file.as_file().set_permissions(Permissions::from_mode(bits)).map_err(step("setting its permissions"))?;
    }
    file.as_file().sync_all().map_err(step("flushing"))?;
    put(file, &path, if_there).map_err(step("renaming"))?;
    // The rename itself lasts only once the directory is on the disk.
    match File::open(dir).and_then(|dir| dir.sync_all()) {
        Err(fault) if ![Io::PermissionDenied, Io::InvalidInput, Io::Unsupported].contains(&fault.kind()) => {
            Err(WriteFault::NotFlushed(fault))
        }
        // Some directories cannot be read, and some network file systems flush none.
        Ok(()) | Err(_) => Ok(()),
    }
}

fn put(file: NamedTempFile, path: &Path, if_there: IfThere) -> std::io::Result<()> {
    let put = match if_there {
        IfThere::Replace => file.persist(path),
        IfThere::Refuse => file.persist_noclobber(path),
    };
    put.map(drop).map_err(|fault| fault.error)
}

/// The file that is written: what a link leads to.
fn target(path: &Path) -> Result<PathBuf, WriteFault> {
    let Ok(path) = path.canonicalize() else {
        return match path.is_symlink() {
            true => Err(WriteFault::NoFile("it is a link that leads nowhere")),
            false => Ok(path.to_owned()),
        };
    };
    match path.metadata() {
        Ok(found) if found.is_dir() => Err(WriteFault::NoFile("it is a directory")),
        Ok(found) if !found.is_file() => Err(WriteFault::NoFile("it is a device, a pipe or a socket, and no file")),
        _ => Ok(path),
    }
}

/// The directory of a file; of a bare name the one where we are.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
