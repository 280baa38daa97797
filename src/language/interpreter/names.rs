//! The names that are known at the prompt just now.

use super::{Interpreter, State, functions};
use crate::language::{docs, stdlib};
use rhai::{FnAccess, Module};
use std::collections::BTreeSet;

/// The names that can be completed at the prompt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Variables and constants.
    pub variables: Vec<String>,
    /// Functions, ours and the prompt's own.
    pub functions: Vec<String>,
    /// Modules that can be imported: those of the embedded library.
    pub modules: Vec<String>,
    /// What was imported, the latest last.
    pub imported: Vec<Imported>,
}

/// A module that was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What it was imported as.
    pub name: String,
    /// Its functions that importers can call, by name.
    pub functions: Vec<ImportedFunction>,
}

/// A function of a module that was imported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImportedFunction {
    /// Its name in the module.
    pub name: String,
    /// The names of its parameters.
    pub params: Vec<String>,
}

impl Interpreter {
    /// The names that can be completed at the prompt.
    pub fn names(&self) -> Names {
        let scope: BTreeSet<String> = self.prompt.scope.iter().map(|(name, ..)| name.to_owned()).collect();
        let script = functions(&self.prompt).into_iter().map(|(name, _)| name);
        let known: BTreeSet<String> = docs::names().map(str::to_owned).chain(script).collect();
        Names {
            variables: scope.into_iter().collect(),
            functions: known.into_iter().collect(),
            modules: stdlib().map(|(name, _)| name.to_owned()).collect(),
            imported: imported(&self.prompt),
        }
    }
}

/// What was imported, the latest last.
pub(super) fn imported(state: &State) -> Vec<Imported> {
    state.global.iter_imports().map(|(name, module)| of_module(name, module)).collect()
}

fn of_module(name: &str, module: &Module) -> Imported {
    let public = module.iter_script_fn_info().filter(|(_, access, ..)| *access == FnAccess::Public);
    let functions = public.filter(|(_, _, name, ..)| !name.starts_with("anon$")).map(|(_, _, name, _, function)| {
        let params = function.params.iter().map(ToString::to_string).collect();
        ImportedFunction { name: name.to_owned(), params }
    });
    let mut functions: Vec<ImportedFunction> = functions.collect();
    functions.sort_by(|a, b| a.name.cmp(&b.name));
    Imported { name: name.to_owned(), functions }
}
