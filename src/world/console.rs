//! The human, as a world sees them.

use crate::error::Result;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// A question for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What is asked, with all that one needs to decide; may have several lines.
    pub text: String,
}

/// What the operator said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// Yes.
    Yes,
    /// No; also what a bare Enter means.
    No,
}

/// Where the operator sits. The world is handed one if there is a terminal.
pub trait Console: Send {
    /// Whether somebody is there to be asked. A secret can be read all the same, from standard input.
    fn is_attended(&self) -> bool;

    /// Shows `question` with `y/N` and returns the answer.
    ///
    /// # Errors
    /// `refused` when nobody can be asked (no terminal, or its end), `interrupted` on Ctrl-C.
    fn ask(&mut self, question: &Question) -> Result<Choice>;

    /// Shows `text` and waits until the operator says that it was done (`y`).
    ///
    /// # Errors
    /// `refused` when they say no or nobody can be asked, `interrupted` on Ctrl-C.
    fn manual(&mut self, text: &str) -> Result<()>;

    /// Reads a secret without showing it; from standard input when that is no terminal.
    ///
    /// # Errors
    /// `local` when nothing can be read, `interrupted` on Ctrl-C.
    fn secret(&mut self, prompt: &str) -> Result<Secret>;
}
