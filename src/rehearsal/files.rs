//! The files of this room: snapshots, plans and stories, read whole and written whole or not at all; and what those in JSON
//! have in common: a version, no field that is not known, and words for what is wrong.
#![expect(clippy::disallowed_methods, reason = "they are this room's files")]

use crate::error::{Error, Result};
use crate::files;
use crate::sim::{FileVersion, misspelt};
use crate::text::{ShownPath, decode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// The largest file that is read: a thousand times what a cluster of 250 nodes needs.
const LARGEST: u64 = 128 << 20;

/// The text of the file `path`, which holds `what` ("the snapshot").
///
/// # Errors
/// `not_found` without it, `invalid` when it cannot be one (a directory, no text, empty, too large), `local` when it
/// cannot be read.
pub(super) fn read(what: &str, path: &Path) -> Result<String> {
    let cannot = format!("cannot read {what} {}", path.shown());
    let bytes = files::read(path, LARGEST).map_err(|fault| match fault.is_missing() {
        true => Error::not_found(format!("{cannot}: there is no such file")).hint("check its name"),
        false => fault.error(cannot.clone()),
    })?;
    let wrong = |why: &str| Err(Error::invalid(format!("{cannot}: {why}")).hint("is it the file that you meant?"));
    match bytes.is_empty() {
        true => wrong("it is empty"),
        false => decode(&format!("{what} {}", path.shown()), bytes),
    }
}

/// Whether the file `path`, which is to hold `what`, can be written: to be asked before the work whose result it holds.
///
/// # Errors
/// `local` when its directory is not there or cannot be written, or when it is no regular file: a directory, or a device
/// or pipe, which a file would replace.
pub fn check_target(what: &str, path: &Path) -> Result<()> {
    let cannot = |why: &dyn std::fmt::Display| {
        Error::local(format!("cannot write {what} {}", path.shown()))
            .source(why)
            .hint("name a file in a directory that is there and can be written")
    };
    let path = target(path);
    match std::fs::metadata(&path) {
        Ok(found) if found.is_dir() => Err(cannot(&"it is a directory")),
        Ok(found) if !found.is_file() => Err(cannot(&"it is a device, a pipe or a socket, and no file")),
        _ => tempfile::tempfile_in(directory(&path)).map(drop).map_err(|fault| cannot(&fault)),
    }
}

/// The file that is written: what a link leads to, so that the link stays.
fn target(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// The directory of a file; of a bare name the one where we are.
fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes `value` as JSON, as [`write`] does.
pub(super) fn write_json(what: &str, path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value);
    let text = text.map_err(|e| Error::internal(format!("cannot write {what} as JSON")).source(e))?;
    write(what, path, &(text + "\n"))
}

/// Writes `text` to the file `path`, which holds `what`: afterwards it is there completely, or as it was.
///
/// # Errors
/// `local`, naming the file.
pub(super) fn write(what: &str, path: &Path, text: &str) -> Result<()> {
    let failed = |step: &str, e: std::io::Error| {
        Error::local(format!("cannot write {what} {}: {step}", path.shown()))
            .source(e)
            .hint("name a file in a directory that is there and can be written")
    };
    check_target(what, path)?;
    let path = target(path);
    let dir = directory(&path);
    let mut file = tempfile::Builder::new()
        .prefix(".binlogsh-")
        .permissions(std::fs::Permissions::from_mode(0o644))
        .tempfile_in(dir)
        .map_err(|e| failed("making a temporary file beside it", e))?;
    file.write_all(text.as_bytes()).map_err(|e| failed("writing", e))?;
    file.as_file().sync_all().map_err(|e| failed("flushing", e))?;
    file.persist(&path).map_err(|e| failed("renaming", e.error))?;
    // The rename itself lasts only once the directory is on the disk.
    std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(|e| failed("flushing its directory", e))
}

pub(super) struct FileFormat {
    /// What a file of it is: `plan`.
    pub(super) what: &'static str,
    /// The version that this program reads and writes.
    pub(super) version: u32,
    /// What to do about a file that is none.
    pub(super) again: &'static str,
}

impl FileFormat {
    /// What the text says.
    ///
    /// # Errors
    /// `invalid` when it is no JSON, is cut short, is of another version, or has what this version does not know (with
    /// the nearest name).
    pub(super) fn parse<T: DeserializeOwned>(&self, text: &str) -> Result<T> {
        // A later version may have fields that this one does not know: the version is what is wrong then.
        let FileVersion { version } = serde_json::from_str(text).map_err(|fault| self.unreadable(&fault))?;
        if version == self.version {
            return serde_json::from_str(text).map_err(|fault| self.unreadable(&fault));
        }
        let (what, ours) = (self.what, self.version);
        let hint = match version > ours {
            true => "a newer binlogsh made it: use that one, or make it again with this one",
            false => self.again,
        };
        Err(Error::invalid(format!("the {what} is of version {version}, this program reads version {ours}")).hint(hint))
    }

    /// What serde found wrong, with the nearest name where one is misspelt.
    fn unreadable(&self, fault: &serde_json::Error) -> Error {
        let what = self.what;
        if fault.is_eof() {
            return Error::invalid(format!("the {what} is cut short: {fault}")).hint(self.again);
        }
        let hint = misspelt(fault).unwrap_or_else(|| self.again.into());
        Error::invalid(format!("this is no {what} that can be read: {fault}")).hint(hint)
    }
}
