//! The modules that a script or the prompt has imported, and what can be called in them.

use rhai::{FnAccess, Module};

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

/// What was imported, the latest last.
pub(crate) fn imported<'a>(imports: impl Iterator<Item = (&'a str, &'a Module)>) -> Vec<Imported> {
    imports.map(|(name, module)| of_module(name, module)).collect()
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
