//! The files of this room: snapshots, stories, read whole and written whole or not at all.
#![expect(clippy::disallowed_methods, reason = "snapshots are this room's files")]

use crate::error::{Error, Result};
use std::io::{ErrorKind as Io, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// The largest file that is read: a thousand times what a cluster of 250 nodes needs.
const LARGEST: u64 = 128 << 20;

/// The text of the file `path`, which holds `what` ("the snapshot").
///
/// # Errors
/// `not_found` without it, `invalid` when it cannot be one (a directory, no text, empty, too large), `local` when it
/// cannot be read.
pub(super) fn read(what: &str, path: &Path) -> Result<String> {
    let cannot = format!("cannot read {what} {}", path.display());
    let unreadable = |e: std::io::Error| match e.kind() {
        Io::NotFound => Error::not_found(format!("{cannot}: there is no such file")).hint("check its name"),
        Io::IsADirectory => Error::invalid(format!("{cannot}: it is a directory")).hint("name the file in it"),
        _ => Error::local(cannot.clone()).source(e).hint("check who may read the file"),
    };
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let wrong = |why: &str| Err(Error::invalid(format!("{cannot}: {why}")).hint("is it the file that you meant?"));
    match (bytes.len() as u64, String::from_utf8(bytes)) {
        (0, _) => wrong("it is empty"),
        (size, _) if size > LARGEST => wrong("it is larger than 128 MiB"),
        (_, Err(_)) => wrong("it is not text"),
        (_, Ok(text)) => Ok(text),
    }
}

/// Writes `text` to the file `path`, which holds `what`: afterwards it is there completely, or as it was.
///
/// # Errors
/// `local`, naming the file.
pub(super) fn write(what: &str, path: &Path, text: &str) -> Result<()> {
    let failed = |step: &str, e: std::io::Error| {
        Error::local(format!("cannot write {what} {}: {step}", path.display()))
            .source(e)
            .hint("name a file in a directory that is there and can be written")
    };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .prefix(".binlogsh-")
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(dir)
        .map_err(|e| failed("making a temporary file beside it", e))?;
    file.write_all(text.as_bytes()).map_err(|e| failed("writing", e))?;
    file.as_file().sync_all().map_err(|e| failed("flushing", e))?;
    file.persist(path).map_err(|e| failed("renaming", e.error))?;
    // The rename itself lasts only once the directory is on the disk.
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| failed("flushing its directory", e))
}

/// Makes sure that a file can be written there, before there is anything to write.
///
/// # Errors
/// `not_found` without the directory, `invalid` when it is a directory itself, `local` when nothing can be written.
pub fn check_target(path: &Path) -> Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !dir.is_dir() {
        return Err(Error::not_found(format!(
            "there is no directory {} to write {} into",
            dir.display(),
            path.display()
        ))
        .hint("make it first, or name a file elsewhere"));
    }
    if path.is_dir() {
        return Err(Error::invalid(format!("{} is a directory", path.display())).hint("name a file in it"));
    }
    let probe = tempfile::NamedTempFile::new_in(dir);
    probe.map(drop).map_err(|fault| Error::local(format!("cannot write into {}", dir.display())).source(fault))
}
