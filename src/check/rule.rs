//! The row of a rule, and of a family of rules.

use super::finding::RuleFinding;
use super::script::Script;
use super::vocabulary::ScriptVocabulary;
use std::rc::Rc;

/// What a rule finds, why that matters, and how it looks.
#[derive(Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name: what findings show, and what a comment that silences it says.
    pub name: &'static str,
    /// How bad what it finds is.
    pub severity: Severity,
    /// What it finds, in one sentence.
    pub about: &'static str,
    /// Why that matters, and what to do instead.
    pub why: &'static str,
    /// A script that it catches.
    pub caught: &'static str,
    /// A script like it that it leaves alone.
    pub left_alone: &'static str,
}

/// Rules that are found in one go.
pub(super) struct Family {
    /// Its rules, in the order of the documentation.
    pub(super) rules: &'static [Rule],
    /// Finds what they find.
    pub(super) check: fn(&Rc<Script>, &ScriptVocabulary, &mut Vec<RuleFinding>),
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The script fails there, or does something else than it says.
    Error,
    /// The script runs, and an operator may come to harm.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}
