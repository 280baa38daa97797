//! The pages that `help("NAME")` shows: functions, modules of the library, types, guards, kinds of errors.
//!
//! What other rooms want to be found here as well they hand in as [`Topic`]s.

use crate::error::{Error, ErrorKind, Result};
use crate::language::documenting::library_docs::{LibraryFunction, library_functions, modules, usual_alias};
use crate::language::functions::{self, functions};
use crate::language::settings::Topic;
use crate::language::types::{self, TYPES};
use crate::nearest::{did_you_mean, named, names_of};
use crate::operations::Function;
use crate::world::GuardName;

/// The page that `help(name)` shows. A word that means several things has all of them on it.
///
/// # Errors
/// `not_found` with the nearest names.
pub fn page(name: &str, topics: &[Topic]) -> Result<String> {
    let name = name.trim().trim_end_matches("()");
    let pages: Vec<String> =
        [function(name), library_function(name), type_page(name), guard(name), kind_of_error(name), module(name)]
            .into_iter()
            .flatten()
            .chain(topics.iter().filter(|topic| topic.name == name).map(|topic| topic.text.clone()))
            .collect();
    match pages.is_empty() {
        false => Ok(pages.join("\n\n")),
        true => {
            let known = known(topics);
            let hint = did_you_mean(name, known.iter().map(String::as_str));
            Err(Error::not_found(format!("there is no help on `{name}`"))
                .hint(hint.unwrap_or_else(|| "help() lists all functions".into())))
        }
    }
}

/// Every word that has a page.
pub fn known(topics: &[Topic]) -> Vec<String> {
    let library = library_functions().into_iter().map(|function| called(&function));
    let modules = modules().map(|(module, _)| module);
    let words = functions::names()
        .chain(TYPES.iter().map(|known| known.name))
        .chain(names_of::<GuardName>())
        .chain(names_of::<ErrorKind>())
        .chain(modules)
        .chain(topics.iter().map(|topic| topic.name));
    words.map(str::to_owned).chain(library).collect()
}

fn called(function: &LibraryFunction) -> String {
    format!("{}::{}", usual_alias(function.module), function.name)
}

fn function(name: &str) -> Option<String> {
    functions::function(name).map(function_page)
}

fn library_function(name: &str) -> Option<String> {
    if !name.contains("::") {
        return None;
    }
    let function = library_functions().into_iter().find(|function| called(function) == name)?;
    let module = function.module;
    let (about, example) = (indented(&function.about), indented(&function.example));
    let import = format!("  import \"{module}\" as {};", usual_alias(module));
    Some(format!("{}\n\n{about}\n\nExample\n{import}\n{example}", function.signature))
}

fn type_page(name: &str) -> Option<String> {
    let known = types::find(name)?;
    let properties = known.properties.iter();
    let lines: String =
        properties.map(|known| format!("\n  .{}: {} - {}", known.name, known.is, known.about)).collect();
    Some(format!("{name}: {}\n{lines}", known.about))
}

fn guard(name: &str) -> Option<String> {
    let guard = GuardName::from_name(name)?;
    let all = functions();
    let guarded = || all.iter().filter(|function| function.guards.contains(&guard));
    let mut text = format!("{name}: a guard\n\n  It refuses when {}.\n\nIt guards\n", guard.about());
    for function in guarded() {
        text.push_str(&format!("  {}\n", function.signature()));
    }
    if let Some(first) = guarded().next() {
        let forced = first.signature().replace("[#{...}]", &format!("#{{ force: [\"{name}\"] }}"));
        text.push_str(&format!("\nOnly its name overrides it; --yes does not\n  {forced}"));
    }
    Some(text)
}

fn kind_of_error(name: &str) -> Option<String> {
    let kind: ErrorKind = named(name)?;
    let caught = match kind.is_fatal() {
        true => "It ends the run: a script cannot catch it.".to_owned(),
        false => format!("try {{ ... }} catch (err) {{ if err.kind == \"{name}\" {{ ... }} else {{ throw err }} }}"),
    };
    Some(format!("{name}: a kind of error\n\n  {}\n\nExit code {}\n\n  {caught}", kind.means(), kind.exit_code()))
}

fn module(name: &str) -> Option<String> {
    let (module, about) = modules().find(|(module, _)| *module == name || usual_alias(module) == name)?;
    let alias = usual_alias(module);
    let all = library_functions();
    let own = || all.iter().filter(|function| function.module == module);
    let width = own().map(|function| function.signature.len()).max().unwrap_or_default();
    let mut text = format!("import \"{module}\" as {alias};  (a module of the library)\n\n  {about}\n");
    for function in own() {
        text.push_str(&format!("\n  {:width$}  {}", function.signature, function.summary()));
    }
    Some(text)
}

fn function_page(function: &Function) -> String {
    let mut text = format!("{} -> {}\n\n{}\n", function.signature(), function.returns, indented(function.about));
    if !function.options.is_empty() {
        text.push_str("\nOptions\n");
        for option in function.options {
            text.push_str(&format!("  {}: {} - {}\n", option.name, option.takes.expected(), option.about));
        }
    }
    if !function.guards.is_empty() {
        text.push_str(&format!("\nGuards\n  {}\n", guards(function).join(", ")));
    }
    text.push_str(&format!("\nExample\n{}", indented(function.example.code)));
    text
}

/// The names of its guards.
pub(crate) fn guards(function: &Function) -> Vec<&'static str> {
    function.guards.iter().map(|guard| guard.name()).collect()
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {}", line.trim_start())).collect::<Vec<_>>().join("\n")
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
    for (module, about) in modules() {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guard_says_when_it_refuses_what_it_guards_and_how_it_is_overridden() {
        insta::assert_snapshot!(page("last_pump", &[]).unwrap(), @r#"
        last_pump: a guard

          It refuses when no other Pump is online and answers: TiDB would stop, or silently skip binlog.

        It guards
          pause_pump(pump, [#{...}])
          offline_pump(pump, [#{...}])
          stop(node, [#{...}])
          restart(node, [#{...}])
          manual(text, [#{...}])

        Only its name overrides it; --yes does not
          pause_pump(pump, #{ force: ["last_pump"] })
        "#);
    }

    #[test]
    fn every_guard_guards_something_and_every_kind_of_error_has_a_page() {
        for guard in GuardName::ALL {
            let page = page(guard.name(), &[]).unwrap();
            assert!(page.contains("#{ force: [\""), "{page}");
        }
        for kind in ErrorKind::ALL {
            assert!(page(kind.name(), &[]).unwrap().contains("a kind of error"), "{}", kind.name());
        }
    }

    #[test]
    fn a_name_that_is_a_function_and_a_module_has_both() {
        let both = page("pumps", &[]).unwrap();
        assert!(both.contains("pumps() -> array of Node") && both.contains("pumps::drain(pump, options)"), "{both}");
        assert!(page("doctor/findings", &[]).unwrap().contains("import \"doctor/findings\" as findings;"));
    }

    #[test]
    fn what_nobody_knows_is_answered_with_the_nearest() {
        let hint = |name| page(name, &[Topic { name: "two_down", text: "x".into() }]).unwrap_err().hint.unwrap();
        assert_eq!(hint("last_pmp"), "did you mean `last_pump`?");
        assert_eq!(hint("tow_down"), "did you mean `two_down`?");
        assert_eq!(page("two_down", &[Topic { name: "two_down", text: "a harm".into() }]).unwrap(), "a harm");
    }
}
