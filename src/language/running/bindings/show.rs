//! Showing values, and help.

use crate::language::convert::to_value;
use crate::language::documenting::help;
use crate::language::functions;
use crate::language::running::bindings::builtin::text;
use crate::language::running::bindings::{Builtin, CallResult};
use crate::language::running::host::Host;
use crate::operations::FunctionRow;
use crate::world::Notice;
use rhai::{Dynamic, NativeCallContext};

pub(crate) const ROWS: &[Builtin] = &[
    FunctionRow { function: functions::PRINT, call: None },
    FunctionRow { function: functions::TABLE, call: Some(table) },
    FunctionRow { function: functions::JSON, call: Some(json) },
    FunctionRow { function: functions::HELP, call: Some(show_help) },
];

fn table(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
    let value = to_value(arguments[0], &host.shapes).map_err(|error| host.raise(error))?;
    host.tell(Notice::Shown(value));
    Ok(Dynamic::UNIT)
}

fn json(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
    let value = to_value(arguments[0], &host.shapes).map_err(|error| host.raise(error))?;
    host.tell(Notice::ShownAsJson(value));
    Ok(Dynamic::UNIT)
}

fn show_help(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
    let page = match arguments.first() {
        None => Ok(help::overview()),
        Some(name) => text("help", "name", name)
            .and_then(|name| help::page(&name, &host.settings.topics.map_or_else(Vec::new, |all| all()))),
    };
    page.map(Into::into).map_err(|error| host.raise(error))
}
