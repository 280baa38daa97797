//! The words that the prompt knows.

/// Every name that can be completed, as it is just now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// Functions with their signatures.
    pub functions: Vec<Function>,
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

/// A function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its call: `pause_pump(pump, [#{...}])`.
    pub signature: String,
    /// The keys of its trailing map.
    pub options: Vec<String>,
    /// The names of its guards.
    pub guards: Vec<String>,
}

/// A module, as it is called in a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// What stands before `::`.
    pub name: String,
    /// Its functions, without the module's name.
    pub functions: Vec<Function>,
    /// Whether it was imported in a line before.
    pub is_imported: bool,
}

impl Vocabulary {
    /// The functions that can be called: of the module before `::`, or those that need none.
    pub fn functions(&self, module: Option<&str>) -> &[Function] {
        match module {
            None => &self.functions,
            Some(name) => {
                let found = self.namespaces.iter().find(|namespace| namespace.name == name);
                found.map_or(&[], |namespace| &namespace.functions)
            }
        }
    }

    /// The function `name`, of the module before `::` if there is one.
    pub fn function(&self, module: Option<&str>, name: &str) -> Option<&Function> {
        self.functions(module).iter().find(|function| function.name == name)
    }
}
