//! Every function that a script can call, from the rows that also bind it: what [`help`](super::help), completion, the
//! reference and `check` read.

use crate::language::bindings;
use crate::language::describe::about_module;
use crate::language::library::stdlib;
use crate::language::library_docs::{library_functions, usual_alias};
use crate::operations::{self, Function};

/// Every function that a script can call, by chapter, in the order of the reference.
pub fn functions() -> Vec<&'static Function> {
    let mut all: Vec<&Function> = rows().collect();
    all.sort_by_key(|function| function.group);
    all
}

fn rows() -> impl Iterator<Item = &'static Function> {
    operations::all().map(|row| &row.function).chain(bindings::builtins().map(|row| &row.function))
}

/// The function `name`, if there is one.
pub fn function(name: &str) -> Option<&'static Function> {
    rows().find(|function| function.name == name)
}

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    rows().map(|function| function.name)
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
    let width = functions.iter().map(|function| function.signature().len()).filter(|width| *width <= 40).max();
    let width = width.unwrap_or_default();
    let mut text = String::new();
    let mut chapter = None;
    for function in &functions {
        if chapter != Some(function.group) {
            let space = if text.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{space}{}\n", function.group.title()));
            chapter = Some(function.group);
        }
        text.push_str(&format!("  {:width$}  {}\n", function.signature(), function.summary()));
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
