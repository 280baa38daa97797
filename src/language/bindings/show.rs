//! Showing values, and help.

use crate::language::bindings::builtin::text;
use crate::language::bindings::{Builtin, Outcome};
use crate::language::convert::to_value;
use crate::language::docs;
use crate::language::help;
use crate::language::host::Host;
use crate::operations::{Example, Function, Group, Param, Returns, Row, Type};
use crate::world::Notice;
use rhai::{Dynamic, NativeCallContext};

pub(super) const ROWS: &[Builtin] = &[
    Row {
        function: Function {
            name: "print",
            group: Group::Show,
            params: &[Param::new("x", Type::Anything)],
            about: "Prints the value as text on a line of standard output.",
            example: Example::new("print(`${pumps().len()} Pumps`)"),
            ..Function::BASE
        },
        call: None,
    },
    Row {
        function: Function {
            name: "table",
            group: Group::Show,
            params: &[Param::new("x", Type::Anything)],
            about: "Shows nodes, maps or an array of them as a table (or as `--output` says).",
            example: Example::new("table(pumps())"),
            ..Function::BASE
        },
        call: Some(table),
    },
    Row {
        function: Function {
            name: "json",
            group: Group::Show,
            params: &[Param::new("x", Type::Anything)],
            about: "Shows the value as JSON, whatever `--output` says.",
            example: Example::new("json(pumps())"),
            ..Function::BASE
        },
        call: Some(json),
    },
    Row {
        function: Function {
            name: "help",
            group: Group::Show,
            params: &[Param::optional("name", Type::Text)],
            returns: Returns::Text,
            about: "Without a name a list of all functions; with one its signature, documentation, options, guards \
                    and an example.\n`help(\"Node\")`, `help(\"Time\")` and `help(\"Error\")` describe the types. It \
                    also knows the modules of the library, the guards, the kinds of errors and of harm, and the rules \
                    of `check`.",
            example: Example::new("help(\"pumps\")"),
            ..Function::BASE
        },
        call: Some(show_help),
    },
];

fn table(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Outcome {
    let value = to_value(arguments[0], &host.shapes).map_err(|error| host.raise(error))?;
    host.tell(Notice::Shown(value));
    Ok(Dynamic::UNIT)
}

fn json(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Outcome {
    let value = to_value(arguments[0], &host.shapes).map_err(|error| host.raise(error))?;
    host.tell(Notice::ShownAsJson(value));
    Ok(Dynamic::UNIT)
}

fn show_help(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Outcome {
    let page = match arguments.first() {
        None => Ok(docs::overview()),
        Some(name) => text("help", "name", name)
            .and_then(|name| help::page(&name, &host.settings.topics.map_or_else(Vec::new, |all| all()))),
    };
    page.map(Into::into).map_err(|error| host.raise(error))
}
