//! The words that the prompt knows.

use crate::language::{Changes, Function, Opt, Param, ValueType};
use crate::node::Kind;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

/// Every name that can be completed, as it is just now.
#[derive(Clone, Debug, Default)]
pub struct PromptVocabulary {
    /// Functions that need no module before them.
    pub functions: Vec<Callable>,
    /// Variables and constants of the lines before, and what each is.
    pub variables: BTreeMap<String, ValueType>,
    /// Names that can be imported.
    pub modules: Vec<String>,
    /// What stands before `::`: the imported modules first, then those of the library under their usual names.
    pub namespaces: Vec<Namespace>,
    /// The nodes of the cluster, as far as they were seen.
    pub nodes: Vec<(Kind, String)>,
    /// The functions that the language has beside ours.
    pub of_rhai: Rc<HashSet<String>>,
}

/// Something that can be called.
#[derive(Clone, Debug, Default)]
pub struct Callable {
    /// Its name.
    pub name: String,
    /// Its call: `pause_pump(pump, [#{...}])`.
    pub signature: String,
    /// What more is known of a function of the program.
    pub row: Option<&'static Function>,
}

impl Callable {
    /// A function of the program.
    pub fn ours(row: &'static Function) -> Self {
        Self { name: row.name.to_owned(), signature: row.signature(), row: Some(row) }
    }

    /// A function of a script or module.
    pub fn of_script(name: &str, params: &[impl AsRef<str>]) -> Self {
        let params: Vec<&str> = params.iter().map(AsRef::as_ref).collect();
        Self { name: name.to_owned(), signature: format!("{name}({})", params.join(", ")), row: None }
    }

    pub(super) fn options(&self) -> &'static [Opt] {
        self.row.map_or(&[], |row| row.options)
    }

    pub(super) fn guards(&self) -> impl Iterator<Item = &'static str> {
        self.row.into_iter().flat_map(|row| row.guards).map(|guard| guard.name())
    }

    /// Whether it changes something outside.
    pub(super) fn acts(&self) -> bool {
        self.row.is_some_and(|row| row.changes != Changes::Nothing)
    }

    /// What it takes, as it is written in its signature.
    pub(super) fn params(&self) -> Vec<&str> {
        let inside = self.signature.split_once('(').map_or("", |(_, rest)| rest.strip_suffix(')').unwrap_or(rest));
        inside.split(", ").filter(|param| !param.is_empty()).collect()
    }

    pub(super) fn param(&self, at: usize) -> Option<&'static Param> {
        self.row?.params.get(at)
    }
}

/// A module, as it is called in a line.
#[derive(Clone, Debug, Default)]
pub struct Namespace {
    /// What stands before `::`.
    pub name: String,
    /// Its functions, without the module's name.
    pub functions: Vec<Callable>,
    /// Whether it was imported in a line before.
    pub is_imported: bool,
}

impl PromptVocabulary {
    /// Whether the language has a function of this name, or a variable holds one.
    pub(super) fn is_known(&self, name: &str) -> bool {
        self.of_rhai.contains(name) || self.variables.contains_key(name)
    }

    /// The functions that can be called: of the module before `::`, or those that need none.
    pub fn functions(&self, module: Option<&str>) -> &[Callable] {
        match module {
            None => &self.functions,
            Some(name) => {
                let found = self.namespaces.iter().find(|namespace| namespace.name == name);
                found.map_or(&[], |namespace| &namespace.functions)
            }
        }
    }

    /// The function `name`, of the module before `::` if there is one.
    pub fn function(&self, module: Option<&str>, name: &str) -> Option<&Callable> {
        self.functions(module).iter().find(|function| function.name == name)
    }
}
