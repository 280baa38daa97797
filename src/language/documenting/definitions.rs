//! Definition files: what editors with Rhai's language server read to complete and check our functions.

use crate::language::documenting::help::guards;
use crate::language::documenting::library_docs::library_functions;
use crate::language::functions::functions;
use crate::language::stdlib::stdlib;
use crate::operations::{Function, Returns};

/// The definition files, name and text: one for the functions that every script has, one for each library module.
pub fn definitions() -> Vec<(String, String)> {
    let mut bound = String::from("module static;\n");
    for function in functions() {
        let about = about(function);
        for parameters in calls(function) {
            bound.push_str(&definition(&about, function.name, &parameters, returned(&function.returns)));
        }
    }
    let mut files = vec![("binlogsh.d.rhai".to_owned(), bound)];
    for (module, _) in stdlib() {
        let mut text = match module.contains('/') {
            true => format!("module \"{module}\";\n"),
            false => format!("module {module};\n"),
        };
        for function in library_functions().into_iter().filter(|function| function.module == module) {
            text.push_str(&definition(&function.about, function.name, &function.params, "?"));
        }
        files.push((format!("{module}.d.rhai"), text));
    }
    files
}

fn about(function: &Function) -> String {
    let options: Vec<String> = function
        .options
        .iter()
        .map(|option| format!("- `{}`: {}; {}", option.name, option.takes.expected(), option.about))
        .collect();
    let mut text = function.about.to_owned();
    if !options.is_empty() {
        text.push_str(&format!("\n\nOptions:\n{}", options.join("\n")));
    }
    if !function.guards.is_empty() {
        text.push_str(&format!("\n\nGuards: {}", guards(function).join(", ")));
    }
    text
}

fn definition(about: &str, name: &str, parameters: &[&str], returns: &str) -> String {
    let comment: String = about.lines().map(|line| format!("/// {line}").trim_end().to_owned() + "\n").collect();
    let parameters: Vec<String> =
        parameters.iter().map(|name| format!("{name}: {}", if *name == "options" { "Map" } else { "?" })).collect();
    format!("\n{comment}fn {name}({}) -> {returns};\n", parameters.join(", "))
}

/// The parameters of each way to call a function: `f(a, [b], [#{...}])` can be called with one, with two, and each with a
/// map of options behind.
fn calls(function: &Function) -> Vec<Vec<&'static str>> {
    let names: Vec<&str> = function.params.iter().map(|param| param.name).collect();
    let mut calls = Vec::new();
    for count in function.required()..=names.len() {
        if !function.options.is_empty() {
            calls.push([&names[..count], &["options"]].concat());
        }
        calls.push(names[..count].to_vec());
    }
    calls
}

/// Rhai's type for what a function returns.
fn returned(returns: &Returns) -> &'static str {
    match returns {
        Returns::Nothing => "()",
        Returns::Bool => "bool",
        Returns::Integer => "int",
        Returns::Number => "float",
        Returns::Text | Returns::State | Returns::Kind => "String",
        Returns::Node => "Node",
        Returns::Time => "Time",
        Returns::List(_) => "Array",
        Returns::Map(_) | Returns::MapOf(_) => "Map",
        Returns::Never
        | Returns::Maybe(_)
        | Returns::Either(_)
        | Returns::OneOrEach(..)
        | Returns::OfClosure
        | Returns::OfParameter => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::functions::function;

    #[test]
    fn every_way_to_call_a_function_is_defined() {
        let ways = |name| calls(function(name).unwrap()).iter().map(|call| call.join(" ")).collect::<Vec<_>>();
        assert_eq!(ways("pumps"), [""]);
        assert_eq!(ways("update_pump"), ["pump state options", "pump state"]);
        assert_eq!(ways("wait_for"), ["node state", "node state timeout"]);
        assert_eq!(ways("encrypt"), ["options", "", "text options", "text"]);
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
