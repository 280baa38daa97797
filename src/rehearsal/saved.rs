//! A story kept as a file: which faults at which times do harm to which script, so that it can be told again.

use crate::error::{Error, Result};
use crate::rehearsal::files;
use crate::rehearsal::harm::{Blame, HarmKind};
use crate::sim::{Fault, Scenario};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What these files are called in messages.
const WHAT: &str = "the story";

/// The version of the format.
const VERSION: u32 = 1;

/// A story kept as a file: everything that is needed to tell it again but the script.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedStory {
    /// The format's version.
    pub version: u32,
    /// The script's name.
    pub script: String,
    /// The script's text, to notice that it is another by now.
    pub script_text: String,
    /// Its parameters.
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
    pub fn version() -> u32 {
        VERSION
    }

    /// Reads a file.
    ///
    /// # Errors
    /// `not_found`, `local`; `invalid` for what is no story: truncated, of a newer version, with a field that does not
    /// exist.
    pub fn read(path: &Path) -> Result<Self> {
        let text = files::read(WHAT, path)?;
        let wrong = |why: String| Error::invalid(format!("{} is no story of a rehearsal: {why}", path.display()));
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version == u64::from(VERSION) => {}
            Some(version) => {
                return Err(
                    wrong(format!("it is of version {version}")).hint(format!("this program reads version {VERSION}"))
                );
            }
            None => return Err(wrong("it has no version".into())),
        }
        let story: Self = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        story.scenario.check().map_err(|error| wrong(error.message))?;
        Ok(story)
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// `local` when the file cannot be written; what was there before is then intact.
    pub fn save(&self, path: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)
            .map_err(|error| Error::internal("a story cannot be written as JSON").source(error))?;
        files::write(WHAT, path, &(json + "\n"))
    }
}
