//! `param`: what a script can be told with `--param name=value`.

use crate::error::{Error, Result};
use crate::language::bindings::builtin::text;
use crate::language::bindings::{Builtin, Outcome};
use crate::language::convert::to_dynamic;
use crate::language::host::Host;
use crate::operations::{Example, Function, Group, Opt, Param, Returns, Row, Type};
use rhai::{Dynamic, NativeCallContext};

pub(super) const ROWS: &[Builtin] = &[Row {
    function: Function {
        name: "param",
        group: Group::Steps,
        params: &[Param::new("name", Type::Text)],
        options: &[
            Opt::new("about", Type::Text, "what it is for, shown by `run FILE --help`"),
            Opt::new("default", Type::Literal, "its value when it is not given"),
            Opt::new(
                "type",
                Type::Text,
                "`text`, `integer`, `number`, `bool`, `duration` (a text such as `90s`) or `secret`; if it is not \
                 said, the default's",
            ),
            Opt::new("choices", Type::Literals, "the values that it may have"),
        ],
        returns: Returns::OfParameter,
        about: "The value given with `--param name=value`, or the default.\nName and options are literals, so that \
                `run FILE --help` knows them without running the script.\nWithout a default it must be given. That, \
                its type and its choices are checked before the script begins.\n\nA `secret` has no default. It is \
                asked for without showing it, or comes from `--param-file name=FILE` or `--param-env name=VARIABLE`, \
                never from the command line itself. It prints as `***`, is taken by `encrypt`, and is kept nowhere: a \
                run that is resumed asks for it again.",
        example: Example::new(
            "param(\"takes\", #{ about: \"how long a restart takes\", type: \"duration\", default: \"30s\" })",
        ),
        ..Function::BASE
    },
    call: Some(param),
}];

fn param(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Outcome {
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
