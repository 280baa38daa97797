//! `docs/reference.md`: every function, type and kind of error, from the rows that bind them.

use crate::error::ErrorKind;
use crate::language::bindings::{ERROR_PROPERTIES, NODE_PROPERTIES, TIME_PROPERTIES};
use crate::language::describe::about_module;
use crate::language::docs::{FunctionDoc, functions};
use crate::language::library::stdlib;
use crate::language::library_docs::{LibraryFunction, library_functions, usual_alias};

/// Every kind of error with what it means, in the order of the reference.
pub(super) const KINDS: [(ErrorKind, &str); 17] = [
    (ErrorKind::Failed, "the script's own `fail` or `ensure`, or what it threw"),
    (ErrorKind::NotFound, "no such node, file, module or run"),
    (ErrorKind::Invalid, "bad arguments, a script that does not compile or runs away, an unreadable format"),
    (ErrorKind::Rejected, "the node said no (in its HTTP body)"),
    (ErrorKind::Refused, "a guard, the policy or the operator said no"),
    (ErrorKind::Unreachable, "nobody answered; says which endpoints were tried"),
    (ErrorKind::Timeout, "somebody was there and did not answer in time, or a wait was in vain"),
    (ErrorKind::Conflict, "somebody else changed it meanwhile; shows what"),
    (ErrorKind::Locked, "somebody else holds the maintenance lock"),
    (ErrorKind::LockLost, "the maintenance lock was lost; ends the run"),
    (ErrorKind::InDoubt, "it may or may not have happened; says how to find out"),
    (ErrorKind::Diverged, "the script no longer does what its journal says; ends the run"),
    (ErrorKind::Local, "this host: a file, the disk, the store, the terminal"),
    (ErrorKind::Harm, "a rehearsal of futures found harm"),
    (ErrorKind::Internal, "a defect of ours; ends the run"),
    (ErrorKind::NoEnd, "a rehearsal was stopped, since the script does not end; ends the rehearsal"),
    (ErrorKind::Interrupted, "a signal (128 + its number), or *quit* at a question; ends the run"),
];

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
        text.push_str(&section(&function));
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
    text.push_str(&properties("Node", "A Pump or Drainer as it was read. Prints as its id.", &NODE_PROPERTIES));
    text.push_str(&properties(
        "Time",
        "A point in time. Prints as RFC 3339. Times compare with each other, and with nothing else: make one of a text by \
         `tso_time(tso_at(text))`. `a - b` is a number of seconds; `a + 90`, `a - \"5m\"` are times.",
        &TIME_PROPERTIES,
    ));
    text.push_str(&properties(
        "Error",
        "What `catch (err)` gets from a function that failed. Thrown again it keeps all that it says; the line that is shown is \
         then that of the `throw`.",
        &ERROR_PROPERTIES,
    ));
    text.push_str(&errors());
    text
}

fn section(function: &FunctionDoc) -> String {
    let mut text = format!("\n### {}\n\n`{}` → {}\n\n", function.name, function.signature, function.returns);
    let about: Vec<&str> = function.about.lines().map(str::trim).collect();
    text.push_str(&format!("{}\n", about.join("\n")));
    if !function.options.is_empty() {
        text.push_str("\n| option | takes | does |\n|---|---|---|\n");
        for option in &function.options {
            text.push_str(&format!("| `{}` | {} | {} |\n", option.name, cell(option.takes), cell(option.about)));
        }
    }
    if !function.guards.is_empty() {
        let guards: Vec<String> = function.guards.iter().map(|guard| format!("`{guard}`")).collect();
        text.push_str(&format!("\nGuards: {}.\n", guards.join(", ")));
    }
    let code: Vec<&str> = function.example.lines().map(str::trim_end).collect();
    text.push_str(&format!("\n```rhai\n{}\n```\n", code.join("\n")));
    text
}

fn properties(name: &str, about: &str, properties: &[(&str, &str, &str)]) -> String {
    let mut text = format!("\n### {name}\n\n{about}\n\n| property | type | meaning |\n|---|---|---|\n");
    for (name, takes, meaning) in properties {
        text.push_str(&format!("| `{name}` | {} | {} |\n", cell(takes), cell(meaning)));
    }
    text
}

fn errors() -> String {
    let mut text = String::from(
        "\n## Errors\n\nIn `catch (err)` an error of a function above is an `Error`. An error of the language itself (such as a division by zero) is a map with \
         `message`. What ends the run cannot be caught.\n\n| kind | means | exit code |\n|---|---|---|\n",
    );
    for (kind, means) in KINDS {
        text.push_str(&format!("| `{}` | {means} | {} |\n", kind.name(), kind.exit_code()));
    }
    text
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
