//! What can be asked of the human at the console.

use crate::secret::Secret;
use crate::world::query::requests;
use crate::world::{Choice, Question, Request};
use serde::{Deserialize, Serialize};

/// Asks the human at the console.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// A question. Answer: `Chosen`.
    #[serde(rename = "ask")]
    Question(Question),
    /// A secret, from a hidden prompt, or from standard input without a terminal. Answer: `Secret`.
    #[serde(rename = "read_secret")]
    Secret(SecretPrompt),
}

/// A secret that somebody is to type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPrompt {
    /// What to show.
    pub prompt: String,
}

impl From<SecretPrompt> for Request {
    fn from(prompt: SecretPrompt) -> Self {
        Self::Ask(Ask::Secret(prompt))
    }
}

requests!(@query SecretPrompt Secret (Secret));

impl From<Question> for Request {
    fn from(question: Question) -> Self {
        Self::Ask(Ask::Question(question))
    }
}

requests!(@query Question Chosen (Choice));
