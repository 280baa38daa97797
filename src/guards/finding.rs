//! What a guard found.

use crate::world::{GuardClass, GuardName};

/// What one guard says to one change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardFinding {
    /// Which guard.
    pub guard: GuardName,
    /// What is at stake.
    pub class: GuardClass,
    /// What it found.
    pub verdict: Verdict,
}

/// What a guard found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing against it.
    Clear,
    /// Nothing against it, but something worth knowing.
    Note(String),
    /// This is against it.
    Trips(String),
    /// It cannot see what it must see.
    Unknown(String),
}

impl Verdict {
    /// Whether it refuses.
    pub(crate) fn trips(&self) -> bool {
        matches!(self, Self::Trips(_) | Self::Unknown(_))
    }
}

impl GuardFinding {
    /// The finding, where the change is done all the same.
    pub(crate) fn overridden(&self) -> String {
        match &self.verdict {
            Verdict::Unknown(text) => format!("{}: unknown: {text}", self.guard),
            Verdict::Clear | Verdict::Note(_) | Verdict::Trips(_) => self.to_string(),
        }
    }
}

impl std::fmt::Display for GuardFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.verdict {
            Verdict::Clear => write!(f, "{}: clear", self.guard),
            Verdict::Note(text) => write!(f, "note: {text}"),
            Verdict::Trips(text) => write!(f, "{}: {text}", self.guard),
            Verdict::Unknown(text) => write!(f, "{}: unknown, which refuses: {text}", self.guard),
        }
    }
}
