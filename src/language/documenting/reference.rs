//! `docs/reference.md`: every function, type and kind of error, from the rows that bind them.

use crate::error::ErrorKind;
use crate::language::documenting::help::guards;
use crate::language::documenting::library_docs::{LibraryFunction, library_functions, usual_alias};
use crate::language::functions::functions;
use crate::language::reading::describe::about_module;
use crate::language::stdlib::stdlib;
use crate::language::types::{TYPES, TypeDoc};
use crate::operations::Function;

/// What programs are given; a test makes it from what they really are.
const OUTPUT: &str = include_str!("output.md");

/// The whole reference as Markdown.
pub fn reference_markdown() -> String {
    let mut text = String::from(
        "# Reference\n\nMade by `binlogsh docs --reference` from the rows that bind the functions. \
         The language is [Rhai](https://rhai.rs/book) without `eval`.\n\n\
         Timestamps of PD are whole numbers beyond 2^53. In JSON they are numbers too, which programs that know floating point \
         only (`jq` 1.6) round in silence. With `--timestamps text` (`BINLOGSH_TIMESTAMPS`, or `timestamps = \"text\"` in a profile) \
         the `max_commit_ts` of a Node is always text. To a script a timestamp is a number like others, so elsewhere (`tso()`, \
         `tso_at`, `commit_ts`, `last_ts`, `pump_positions`, `ts`, in arrays and maps of your own) every whole number beyond 2^53 \
         is text, whatever it means, and smaller ones are numbers. This holds for `-o json`, for `json(x)`, and for what `runs show`, \
         `doctor` and `rehearse` print; not for what the program reads again (`runs export`, plans, snapshots, stories, the \
         answers of `rehearse --futures`), nor for CSV.\n",
    );
    let mut chapter = None;
    for function in functions() {
        if chapter != Some(function.group) {
            text.push_str(&format!("\n## {}\n", function.group.title()));
            chapter = Some(function.group);
        }
        text.push_str(&section(function));
    }
    for (module, source) in stdlib() {
        let (alias, about) = (usual_alias(module), about_module(source));
        text.push_str(&format!("\n## Library: {module}\n\n`import \"{module}\" as {alias};` {about}\n"));
        for function in library_functions().into_iter().filter(|function| function.module == module) {
            let LibraryFunction { name, signature, about, example, .. } = function;
            text.push_str(&format!("\n### {alias}::{name}\n\n`{signature}`\n\n{about}\n\n```rhai\n{example}\n```\n"));
        }
    }
    text.push_str("\n## Types\n");
    TYPES.iter().for_each(|known| text.push_str(&properties(known)));
    text.push_str(&errors());
    text.push('\n');
    text.push_str(OUTPUT);
    text
}

fn section(function: &Function) -> String {
    let mut text = format!("\n### {}\n\n`{}` → {}\n\n", function.name, function.signature(), function.returns);
    let about: Vec<&str> = function.about.lines().map(str::trim).collect();
    text.push_str(&format!("{}\n", about.join("\n")));
    if !function.options.is_empty() {
        text.push_str("\n| option | takes | does |\n|---|---|---|\n");
        for option in function.options {
            text.push_str(&format!(
                "| `{}` | {} | {} |\n",
                option.name,
                cell(option.takes.expected()),
                cell(option.about)
            ));
        }
    }
    if !function.guards.is_empty() {
        let guards: Vec<String> = guards(function).iter().map(|guard| format!("`{guard}`")).collect();
        text.push_str(&format!("\nGuards: {}.\n", guards.join(", ")));
    }
    let code: Vec<&str> = function.example.code.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n```rhai\n{}\n```\n", code.join("\n")));
    text
}

fn properties(known: &TypeDoc) -> String {
    let TypeDoc { name, about, properties } = known;
    let mut text = format!("\n### {name}\n\n{about}\n\n| property | type | meaning |\n|---|---|---|\n");
    for known in *properties {
        text.push_str(&format!("| `{}` | {} | {} |\n", known.name, cell(&known.is.to_string()), cell(known.about)));
    }
    text
}

fn errors() -> String {
    let mut text = String::from(
        "\n## Errors\n\nIn `catch (err)` an error of a function above is an `Error`. An error of the language itself (such as a division by zero) is a map with \
         `message`. What ends the run cannot be caught.\n\n| kind | means | exit code |\n|---|---|---|\n",
    );
    for kind in ErrorKind::ALL {
        text.push_str(&format!("| `{}` | {} | {} |\n", kind.name(), kind.means(), kind.exit_code()));
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
