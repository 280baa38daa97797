//! The words that the prompt knows.

use crate::language::{Function, Opt, Param};

/// Every name that can be completed, as it is just now.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    /// Functions that need no module before them.
    pub functions: Vec<Callable>,
    /// Variables and constants of the lines before.
    pub variables: Vec<String>,
    /// Names that can be imported.
    pub modules: Vec<String>,
    /// What stands before `::`: the imported modules first, then those of the library under their usual names.
    pub namespaces: Vec<Namespace>,
    /// Properties of values, such as those of nodes.
    pub properties: Vec<String>,
    /// Ids of nodes, as far as they were seen.
    pub node_ids: Vec<String>,
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

impl Vocabulary {
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
