//! The documentation of every function, from the rows that also bind it: what [`help`](super::help), completion and the
//! reference use.

use crate::language::bindings::{self, Builtin};
use crate::language::describe::about_module;
use crate::language::library::stdlib;
use crate::language::library_docs::{library_functions, usual_alias};
use crate::operations::{self, Group, Operation};
use std::ops::RangeInclusive;

/// A function as people read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// Its call: `pause_pump(pump, [#{...}])`.
    pub signature: String,
    /// How many arguments it takes, with the trailing map.
    pub arguments: RangeInclusive<usize>,
    /// Whether its last argument may only be the trailing map of its options.
    pub ends_with_options: bool,
    /// The chapter it stands in.
    pub group: Group,
    /// What it does: the first line in a few words, the others in detail.
    pub about: &'static str,
    /// Code that shows it.
    pub example: &'static str,
    /// The sample cluster in which the example runs.
    pub scenario: &'static str,
    /// Keys of its trailing map.
    pub options: Vec<OptionDoc>,
    /// The names of its guards.
    pub guards: Vec<&'static str>,
    /// Whether it changes something outside.
    pub changes: bool,
    /// What it returns.
    pub returns: &'static str,
}

/// A key of a trailing map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionDoc {
    /// The key.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// What it does.
    pub about: &'static str,
}

impl FunctionDoc {
    /// The first line of its documentation.
    pub fn summary(&self) -> &'static str {
        self.about.lines().next().unwrap_or_default()
    }

    /// Whether only a simulated cluster has it.
    pub fn is_of_the_sandbox(&self) -> bool {
        self.group == Group::Sandbox
    }

    fn of_operation(row: &'static Operation) -> Self {
        let mut params: Vec<String> = row
            .params
            .iter()
            .map(|param| if param.optional { format!("[{}]", param.name) } else { param.name.to_owned() })
            .collect();
        if !row.options.is_empty() {
            params.push("[#{...}]".into());
        }
        let option = |option: &operations::Opt| OptionDoc {
            name: option.name,
            takes: option.takes.expected(),
            about: option.about,
        };
        let required = row.params.iter().filter(|param| !param.optional).count();
        Self {
            name: row.name,
            arguments: required..=params.len(),
            ends_with_options: !row.options.is_empty(),
            signature: format!("{}({})", row.name, params.join(", ")),
            group: row.group,
            about: row.about,
            example: row.example.code,
            scenario: row.example.scenario,
            options: row.options.iter().map(option).collect(),
            guards: row.guards.iter().map(|guard| guard.name()).collect(),
            changes: row.changes,
            returns: row.returns,
        }
    }

    fn of_builtin(row: &'static Builtin) -> Self {
        let option =
            |(name, takes, about): &(&'static str, &'static str, &'static str)| OptionDoc { name, takes, about };
        let required = row.params.iter().filter(|param| !param.optional).count();
        Self {
            name: row.name,
            arguments: required..=row.params.len(),
            ends_with_options: !row.options.is_empty(),
            signature: row.signature(),
            group: row.group,
            about: row.about,
            example: row.example.code,
            scenario: row.example.scenario,
            options: row.options.iter().map(option).collect(),
            guards: Vec::new(),
            changes: false,
            returns: row.returns,
        }
    }
}

/// Every function that a script can call, by chapter, in the order of the reference.
pub fn functions() -> Vec<FunctionDoc> {
    let operations = operations::all().map(FunctionDoc::of_operation);
    let mut all: Vec<FunctionDoc> = operations.chain(bindings::builtins().map(FunctionDoc::of_builtin)).collect();
    all.sort_by_key(|function| function.group);
    all
}

/// The signature of the function `name`, if there is one.
pub(super) fn signature(name: &str) -> Option<String> {
    functions().into_iter().find(|function| function.name == name).map(|function| function.signature)
}

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    operations::all().map(|row| row.name).chain(bindings::builtins().map(|row| row.name))
}

/// The embedded library's modules, and the first line of what each is for.
pub(super) fn library() -> impl Iterator<Item = (&'static str, String)> {
    stdlib().map(|(module, text)| {
        let about = about_module(text);
        (module, about.split("\n\n").next().unwrap_or_default().replace('\n', " "))
    })
}

/// The list that `help()` shows.
pub fn overview() -> String {
    let functions = functions();
    let width = functions.iter().map(|function| function.signature.len()).filter(|width| *width <= 40).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    let mut chapter = None;
    for function in &functions {
        if chapter != Some(function.group) {
            let space = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{space}{}\n", function.group.title()));
            chapter = Some(function.group);
        }
        text.push_str(&format!("  {:width$}  {}\n", function.signature, function.summary()));
    }
    for (module, about) in library() {
        text.push_str(&format!("\nLibrary: import \"{module}\" as {};\n", usual_alias(module)));
        text.push_str(&format!("  {about}\n"));
        for function in library_functions().into_iter().filter(|function| function.module == module) {
            text.push_str(&format!("  {:width$}  {}\n", function.signature, function.summary()));
        }
    }
    text.push_str(
        "\nhelp(\"NAME\") says more about one of them, about a module of the library, the types Node, Time and \
                   Error, a guard, or a kind of error",
    );
    text
}
