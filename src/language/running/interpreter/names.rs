//! The names that are known at the prompt just now.

use super::{Interpreter, functions};
use crate::language::functions::names;
use crate::language::reading::imported::{Imported, imported};
use crate::language::stdlib;
use crate::language::value_type::ValueType;
use std::collections::{BTreeMap, BTreeSet};

/// The names that can be completed at the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Variables and constants, and what each is.
    pub variables: BTreeMap<String, ValueType>,
    /// Functions, ours and the prompt's own.
    pub functions: Vec<String>,
    /// Modules that can be imported: those of the embedded library.
    pub modules: Vec<String>,
    /// What was imported, the latest last.
    pub imported: Vec<Imported>,
}

impl Interpreter {
    /// The names that can be completed at the prompt.
    pub fn names(&self) -> Names {
        let scope = (&self.prompt.scope).into_iter().map(|(name, value, _)| (name.to_owned(), ValueType::of(value)));
        let variables = scope.collect();
        let script = functions(&self.prompt).into_iter().map(|(name, _)| name);
        let known: BTreeSet<String> = names().map(str::to_owned).chain(script).collect();
        Names {
            variables,
            functions: known.into_iter().collect(),
            modules: stdlib().map(|(name, _)| name.to_owned()).collect(),
            imported: imported(self.prompt.global.iter_imports()),
        }
    }
}
