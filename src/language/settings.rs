//! What an interpreter is told once, before it runs anything.

use crate::secret::Secret;
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What an interpreter is told once.
#[derive(Clone, Debug, Default)]
pub struct ScriptSettings {
    /// The values given with `--param name=value`.
    pub parameters: IndexMap<String, String>,
    /// The values of secret parameters.
    pub secrets: IndexMap<String, Secret>,
    /// Directories beneath which modules may be imported by what comes from no file: at the prompt the current
    /// directory. A script imports from its own directory only.
    pub roots: Vec<PathBuf>,
    /// The modules that a run was begun with: then nothing is imported from anywhere else.
    pub pinned: Option<Vec<PinnedModule>>,
    /// Whether this goes on with a run that has begun: functions of its own that are called like ours stand before them, as they did
    /// then, since ours may be newer.
    pub goes_on: bool,
    /// Where a script that runs away is stopped.
    pub limits: Limits,
    /// What `help` finds beside what the language knows; asked when somebody wants help.
    pub topics: Option<fn() -> Vec<Topic>>,
}

/// A module as a run was begun with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinnedModule {
    /// The source that imports it, by name.
    pub importer: String,
    /// What it writes after `import`.
    pub path: String,
    /// The module's own name: its file, or `stdlib:NAME`.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// A page of `help` that another room has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The word that is looked up.
    pub name: &'static str,
    /// The page.
    pub text: String,
}

/// Where a script that runs away is stopped. None of them is met by a script that does something useful.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Steps of evaluation in one run, or in one line of the prompt.
    pub operations: u64,
    /// Calls within calls.
    pub call_levels: usize,
    /// Bytes of everything that it holds: values, closures and what they carry, texts, and at the prompt all variables.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { operations: 500_000_000, call_levels: 64, memory: 256 << 20 }
    }
}
