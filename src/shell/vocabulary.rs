//! The words that the prompt knows.

/// Every name that can be completed, as it is just now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    /// Functions with their signatures.
    pub functions: Vec<Function>,
    /// Variables and constants of the lines before.
    pub variables: Vec<String>,
    /// Modules that can be imported.
    pub modules: Vec<String>,
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

impl Vocabulary {
    /// The function `name`.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }
}
