//! What the JSON files of this room have in common: a version, no field that is not known, and words for what is wrong.

use crate::error::{Error, Result};
use crate::sim::{FileVersion, misspelt};
use serde::de::DeserializeOwned;

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
