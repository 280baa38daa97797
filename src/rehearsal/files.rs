//! The files of this room: snapshots, plans and stories, read whole and written whole or not at all; and what those in JSON
//! have in common: a version, no field that is not known, and words for what is wrong.

use crate::error::{Error, Result};
use crate::files::{self, FileMode, IfThere};
use crate::sim::{FileVersion, misspelt};
use crate::text::{ShownPath, decode, on_one_line};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

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
    files::check_target(path).map_err(|fault| fault.error(format!("cannot write {what} {}", path.shown())))
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
    let written = files::write(path, text.as_bytes(), FileMode::Fresh(0o644), IfThere::Replace);
    written.map_err(|fault| fault.error(format!("cannot write {what} {}", path.shown())))
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
        let (what, said) = (self.what, fault.to_string());
        let said = on_one_line(&said);
        if fault.is_eof() {
            return Error::invalid(format!("the {what} is cut short: {said}")).hint(self.again);
        }
        let hint = misspelt(fault).unwrap_or_else(|| self.again.into());
        Error::invalid(format!("this is no {what} that can be read: {said}")).hint(hint)
    }
}
