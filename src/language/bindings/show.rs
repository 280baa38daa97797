//! Showing values, and help.

use crate::language::bindings::builtin::text;
use crate::language::bindings::{Builtin, BuiltinParam, Called};
use crate::language::convert::to_value;
use crate::language::docs;
use crate::language::host::Host;
use crate::operations::{Example, Group};
use crate::world::Notice;
use rhai::{Dynamic, NativeCallContext};

pub(super) const ROWS: &[Builtin] = &[
    Builtin {
        name: "print",
        group: Group::Show,
        params: &[BuiltinParam::new("x")],
        options: &[],
        returns: "()",
        about: "Prints the value as text on a line of standard output.",
        example: Example::new("print(`${pumps().len()} Pumps`)"),
        call: None,
    },
    Builtin {
        name: "table",
        group: Group::Show,
        params: &[BuiltinParam::new("x")],
        options: &[],
        returns: "()",
        about: "Shows nodes, maps or an array of them as a table (or as `--output` says).",
        example: Example::new("table(pumps())"),
        call: Some(table),
    },
    Builtin {
        name: "json",
        group: Group::Show,
        params: &[BuiltinParam::new("x")],
        options: &[],
        returns: "()",
        about: "Shows the value as JSON, whatever `--output` says.",
        example: Example::new("json(pumps())"),
        call: Some(json),
    },
    Builtin {
        name: "help",
        group: Group::Show,
        params: &[BuiltinParam::optional("name")],
        options: &[],
        returns: "text",
        about: "Without a name a list of all functions; with one its signature, documentation, options, guards and an \
                example.\n`help(\"Node\")`, `help(\"Time\")` and `help(\"Error\")` describe the types.",
        example: Example::new("help(\"pumps\")"),
        call: Some(help),
    },
];

fn table(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Called {
    let value = to_value(arguments[0], &host.shapes).map_err(|error| host.raise(error))?;
    host.tell(Notice::Shown(value));
    Ok(Dynamic::UNIT)
}

fn json(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Called {
    let value = to_value(arguments[0], &host.shapes).map_err(|error| host.raise(error))?;
    host.tell(Notice::ShownAsJson(value));
    Ok(Dynamic::UNIT)
}

fn help(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Called {
    let page = match arguments.first() {
        None => Ok(docs::overview()),
        Some(name) => text("help", "name", name).and_then(|name| docs::page(&name)),
    };
    page.map(Into::into).map_err(|error| host.raise(error))
}
