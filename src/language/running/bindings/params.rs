//! `param`: what a script can be told with `--param name=value`.

use crate::error::{Error, Result};
use crate::language::convert::to_dynamic;
use crate::language::functions;
use crate::language::running::bindings::builtin::text;
use crate::language::running::bindings::{Builtin, CallResult};
use crate::language::running::host::Host;
use crate::operations::FunctionRow;
use rhai::{Dynamic, NativeCallContext};

pub(crate) const ROWS: &[Builtin] = &[FunctionRow { function: functions::PARAM, call: Some(param) }];

fn param(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
    let look = || -> Result<Dynamic> {
        let name = text("param", "name", arguments[0])?;
        let declared = host.declared.borrow();
        let Some(param) = declared.iter().find(|param| param.name == name) else {
            return Err(Error::invalid(format!("param: `{name}` is not declared by literals in the script itself"))
                .hint("write param(\"name\", #{ about: \"...\", default: ... }) with literal values"));
        };
        let value = match param.is_secret() {
            true => param.secret(&host.settings.secrets)?,
            false => param.value(host.settings.parameters.get(&name).map(String::as_str))?,
        };
        Ok(to_dynamic(value, &host.shapes))
    };
    look().map_err(|error| host.raise(error))
}
