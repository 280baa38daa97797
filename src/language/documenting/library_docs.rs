//! The documentation of the embedded library, from the comments in its modules.

use crate::language::reading::describe::{about, about_module};
use crate::language::stdlib::stdlib;

/// A function of the embedded library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LibraryFunction {
    /// The module that it is in.
    pub module: &'static str,
    /// Its name in the module.
    pub name: &'static str,
    /// Its call: `pumps::chosen(only)`.
    pub signature: String,
    /// What it takes, in order.
    pub params: Vec<&'static str>,
    /// What it does.
    pub about: String,
    /// Code that shows it; it needs the module imported under its own name.
    pub example: String,
    /// The sample cluster in which the example runs.
    pub scenario: String,
}

impl LibraryFunction {
    /// The first sentence of its documentation.
    pub fn summary(&self) -> String {
        let text = self.about.split("\n\n").next().unwrap_or_default().replace('\n', " ");
        let end = text.find(". ").unwrap_or(text.len());
        text[..end].trim_end_matches('.').to_owned()
    }
}

/// What a module is imported as in documentation: `import "doctor/findings" as findings;`.
pub fn usual_alias(module: &str) -> &str {
    module.rsplit('/').next().unwrap_or(module)
}

/// The embedded library's modules, and the first line of what each is for.
pub(crate) fn modules() -> impl Iterator<Item = (&'static str, String)> {
    stdlib().map(|(module, text)| {
        let about = about_module(text);
        (module, about.split("\n\n").next().unwrap_or_default().replace('\n', " "))
    })
}

/// Every function that a script can call in the embedded library, by module, in the order in which they stand.
pub fn library_functions() -> Vec<LibraryFunction> {
    stdlib().flat_map(|(module, text)| functions_of(module, text)).collect()
}

fn functions_of(module: &'static str, text: &'static str) -> Vec<LibraryFunction> {
    let alias = usual_alias(module);
    let mut found = Vec::new();
    let mut comment: Vec<&str> = Vec::new();
    for line in text.lines() {
        if line.starts_with("///") {
            comment.push(line);
            continue;
        }
        if let Some((call, _)) = line.strip_prefix("fn ").and_then(|rest| rest.split_once(" {")) {
            let (name, params) = call.trim_end_matches(')').split_once('(').unwrap_or((call, ""));
            let params = params.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
            let signature = format!("{alias}::{call}");
            let (about, scenario, example) = without_example(&about(&comment.join("\n")));
            found.push(LibraryFunction { module, name, signature, params, about, example, scenario });
        }
        comment.clear();
    }
    found
}

/// A comment apart from the code block in it: the text, the sample that the block names, and the code.
fn without_example(comment: &str) -> (String, String, String) {
    let Some((about, rest)) = comment.split_once("```rhai") else {
        return (comment.to_owned(), String::new(), String::new());
    };
    let (sample, rest) = rest.split_once('\n').unwrap_or((rest, ""));
    let (code, after) = rest.split_once("```").unwrap_or((rest, ""));
    let about = format!("{}\n\n{}", about.trim(), after.trim());
    let sample = if sample.trim().is_empty() { "default" } else { sample.trim() };
    (about.trim().to_owned(), sample.to_owned(), code.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_of_the_library_is_documented() {
        let all = library_functions();
        assert!(all.iter().any(|function| function.signature == "pumps::others_online(pump)"));
        assert!(all.iter().all(|function| !function.about.is_empty() && !function.example.is_empty()), "{all:?}");
        assert!(all.iter().all(|function| function.name != "started_after"), "private functions are not listed");
    }
}
