//! A story kept as a file: which faults at which times do harm to which script, so that it can be told again.

use crate::error::{Error, Result};
use crate::rehearsal::files;
use crate::rehearsal::files::FileFormat;
use crate::rehearsal::harm::{Blame, HarmKind};
use crate::sim::{Cluster, Fault, Scenario};
use crate::text::ShownPath;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What these files are called in messages.
const WHAT: &str = "the story";

/// The version of the format.
const VERSION: u32 = 1;

const FORMAT: FileFormat =
    FileFormat { what: "story", version: VERSION, again: "make it again with `binlogsh rehearse SCRIPT --futures N`" };

/// A story kept as a file: everything that is needed to tell it again but the script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedStory {
    /// The format's version.
    pub version: u32,
    /// The script's name.
    pub script: String,
    /// The script's text without the secrets in it, to notice that it is another by now.
    pub script_text: String,
    /// The script's parameters, by name.
    pub parameters: IndexMap<String, String>,
    /// The harm that is done.
    pub harm: HarmKind,
    /// Who is to blame.
    pub blame: Blame,
    /// The harm in a sentence.
    pub text: String,
    /// What goes wrong, every one of which is needed.
    pub faults: Vec<Fault>,
    /// The cluster.
    pub scenario: Scenario,
}

impl SavedStory {
    /// A story of the present format.
    pub(crate) fn version() -> u32 {
        VERSION
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `not_found`, `local`; `invalid` for what is no story: truncated, of a newer version, with a field that does not
    /// exist, with a fault that cannot happen to its cluster.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = files::read(WHAT, path)?;
        let named = |error: Error| {
            let message = format!("{}: {}", path.shown(), error.message);
            let hint = error.hint.clone().unwrap_or_else(|| FORMAT.again.into());
            Error { message, ..error }.hint(hint)
        };
        Self::parse(&text).map_err(named)
    }

    /// The story that `text` is.
    ///
    /// # Errors
    /// `invalid`, as for [`SavedStory::read`].
    pub fn parse(text: &str) -> Result<Self> {
        let story: Self = FORMAT.parse(text)?;
        story.check_itself()?;
        Ok(story)
    }

    /// Whether its faults can happen to its cluster, as they always can unless the file was edited.
    fn check_itself(&self) -> Result<()> {
        let invalid = |error: Error| Error { message: error.message, hint: error.hint, ..Error::invalid("") };
        self.scenario.check().map_err(invalid)?;
        let mut cluster = Cluster::new(&self.scenario).map_err(invalid)?;
        self.faults.iter().try_for_each(|fault| cluster.add_fault(fault.clone()).map(drop).map_err(invalid))
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// `local` when the file cannot be written; what was there before is then intact.
    pub(crate) fn save(&self, path: &Path) -> Result<()> {
        files::write_json(WHAT, path, self)
    }
}
