//! Definition files: what editors with Rhai's language server read to complete and check our functions.

use crate::language::docs::{FunctionDoc, functions};
use crate::language::library::stdlib;
use crate::language::library_docs::library_functions;

/// The definition files, name and text: one for the functions that every script has, one for each library module.
pub fn definitions() -> Vec<(String, String)> {
    let mut bound = String::from("module static;\n");
    for function in functions() {
        let about = about(&function);
        for parameters in calls(&function.signature) {
            bound.push_str(&definition(&about, function.name, &parameters, returned(function.returns)));
        }
    }
    let mut files = vec![("binlogsh.d.rhai".to_owned(), bound)];
    for (module, _) in stdlib() {
        let mut text = match module.contains('/') {
            true => format!("module \"{module}\";\n"),
            false => format!("module {module};\n"),
        };
        for function in library_functions().into_iter().filter(|function| function.module == module) {
            for parameters in calls(&function.signature) {
                text.push_str(&definition(&function.about, function.name, &parameters, "?"));
            }
        }
        files.push((format!("{module}.d.rhai"), text));
    }
    files
}

fn about(function: &FunctionDoc) -> String {
    let options: Vec<String> = function
        .options
        .iter()
        .map(|option| format!("- `{}`: {}; {}", option.name, option.takes, option.about))
        .collect();
    let mut text = function.about.to_owned();
    if !options.is_empty() {
        text.push_str(&format!("\n\nOptions:\n{}", options.join("\n")));
    }
    if !function.guards.is_empty() {
        text.push_str(&format!("\n\nGuards: {}", function.guards.join(", ")));
    }
    text
}

fn definition(about: &str, name: &str, parameters: &[String], returns: &str) -> String {
    let comment: String = about.lines().map(|line| format!("/// {line}").trim_end().to_owned() + "\n").collect();
    let parameters: Vec<String> =
        parameters.iter().map(|name| format!("{name}: {}", if name == "options" { "Map" } else { "?" })).collect();
    format!("\n{comment}fn {name}({}) -> {returns};\n", parameters.join(", "))
}

/// The parameters of each way to call a function, from its signature: `f(a, [b], [#{...}])` can be called with one, with
/// two, and each with a map of options behind.
fn calls(signature: &str) -> Vec<Vec<String>> {
    let inside = signature.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map_or("", |(inside, _)| inside);
    let all: Vec<&str> = inside.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let has_options = all.last().is_some_and(|last| last.contains('#'));
    let named = if has_options { &all[..all.len() - 1] } else { &all[..] };
    let needed = named.iter().take_while(|name| !name.starts_with('[')).count();
    let plain = |name: &&str| name.trim_matches(['[', ']']).to_owned();
    let mut calls = Vec::new();
    for count in needed..=named.len() {
        let parameters: Vec<String> = named[..count].iter().map(plain).collect();
        if has_options {
            calls.push([&parameters[..], &["options".to_owned()]].concat());
        }
        calls.push(parameters);
    }
    calls
}

/// Rhai's type for what a row says that its function returns.
fn returned(says: &str) -> &'static str {
    let word = says.split([' ', ',', ':', '(']).next().unwrap_or_default();
    match word {
        "text" => "String",
        "array" => "Array",
        "number" => "float",
        "integer" | "timestamp" => "int",
        "bool" | "true" => "bool",
        "nothing" => "()",
        "Node" => "Node",
        "Time" => "Time",
        word if word.starts_with("#{") || word == "map" => "Map",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_call_a_function_is_defined() {
        let names = |calls: Vec<Vec<String>>| calls.iter().map(|call| call.join(" ")).collect::<Vec<_>>();
        assert_eq!(names(calls("f()")), [""]);
        assert_eq!(names(calls("f(a, b)")), ["a b"]);
        assert_eq!(names(calls("f(a, [b])")), ["a", "a b"]);
        assert_eq!(names(calls("f(a, [#{...}])")), ["a options", "a"]);
        assert_eq!(names(calls("m::f(a, [b], [#{ x }])")), ["a options", "a", "a b options", "a b"]);
    }

    #[test]
    fn every_function_has_its_definition_with_its_documentation() {
        let files = definitions();
        let (name, bound) = &files[0];
        assert_eq!(name, "binlogsh.d.rhai");
        assert!(bound.starts_with("module static;\n"));
        for function in functions() {
            assert!(bound.contains(&format!("\nfn {}(", function.name)), "{}", function.name);
        }
        assert!(bound.contains("fn pause_pump(pump: ?, options: Map) -> Map;"), "{bound}");
        assert!(files.iter().any(|(name, text)| name == "pumps.d.rhai" && text.contains("fn wait_until_back(")));
        for line in files.iter().flat_map(|(_, text)| text.lines()).filter(|line| line.starts_with("fn ")) {
            assert!(line.ends_with(';') && line.contains(") -> "), "{line}");
        }
    }
}
