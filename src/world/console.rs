//! The human, as a world sees them.

use crate::error::Result;
use crate::secret::Secret;
use serde::{Deserialize, Serialize};

/// A question for the operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// What is asked, with all that one needs to decide; may have several lines.
    pub text: String,
    /// What can be answered.
    #[serde(default)]
    pub wanted: Wanted,
    /// What is shown to whoever wants to know more before they answer.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub details: String,
}

/// What can be answered to a question; *quit* always can.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Yes or no.
    #[default]
    YesOrNo,
    /// Yes, no, or yes to everything that this step will ask.
    OrAll,
    /// This word, typed in full, is a yes; everything else is a no.
    Typed(String),
}

impl Question {
    /// A question that is answered with yes or no.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), wanted: Wanted::YesOrNo, details: String::new() }
    }
}

/// What the operator said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// Yes.
    Yes,
    /// Yes, and to everything else that this step will ask.
    All,
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

    /// Tells the operator what was done in their place; nothing is asked.
    fn tell(&mut self, _text: &str) {}

    /// Reads a secret without showing it; from standard input when that is no terminal.
    ///
    /// # Errors
    /// `local` when nothing can be read, `interrupted` on Ctrl-C.
    fn secret(&mut self, prompt: &str) -> Result<Secret>;
}
