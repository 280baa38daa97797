//! The parts of a script that people follow: steps, checks, and how it ends.

use crate::error::{Error, ErrorKind};
use crate::language::bindings::builtin::{closure, flag, text, wrong};
use crate::language::bindings::{Builtin, Outcome};
use crate::language::host::Host;
use crate::operations::{Called, Course, Example, Function, Group, Param, Returns, Row, Type};
use rhai::{Dynamic, NativeCallContext};

pub(super) const ROWS: &[Builtin] = &[
    Row {
        function: Function {
            name: "step",
            group: Group::Steps,
            params: &[Param::new("name", Type::Text), Param::new("closure", Type::Closure(Called::AsStep))],
            returns: Returns::OfClosure,
            about: "Does a part of the work under a name that is shown when it begins.",
            example: Example::new("step(\"look around\", || pumps().len())"),
            ..Function::BASE
        },
        call: Some(step),
    },
    Row {
        function: Function {
            name: "ensure",
            group: Group::Steps,
            params: &[Param::new("condition", Type::Bool), Param::new("text", Type::Text)],
            course: &[Course::Waits],
            about: "Goes on if the condition is true, and fails with the text otherwise (exit code 1).",
            example: Example::new("ensure(pumps().len() > 1, \"this needs another Pump\")"),
            ..Function::BASE
        },
        call: Some(ensure),
    },
    Row {
        function: Function {
            name: "fail",
            group: Group::Steps,
            params: &[Param::new("text", Type::Text)],
            returns: Returns::Never,
            course: &[Course::Waits],
            about: "Fails with the text (exit code 1). A caller may catch it.",
            example: Example::new("if pumps().is_empty() { fail(\"no Pump is registered\") }"),
            ..Function::BASE
        },
        call: Some(fail),
    },
    Row {
        function: Function {
            name: "exit",
            group: Group::Steps,
            params: &[Param::optional("code", Type::Int)],
            returns: Returns::Never,
            course: &[Course::Gates],
            about: "Ends the script at once with an exit code from 0 to 255; 0 if none is given.\nNothing can catch \
                    it, and it prints nothing.",
            example: Example::new("if pumps().is_empty() { exit(2) }"),
            ..Function::BASE
        },
        call: Some(exit),
    },
];

fn step(host: &Host, context: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Outcome {
    let name = text("step", "name", arguments[0]).map_err(|error| host.raise(error))?;
    let work = closure("step", "closure", arguments[1]).map_err(|error| host.raise(error))?;
    let outcome = host.within_step(name.clone(), || work.call_raw(context, None, []));
    outcome.inspect_err(|_| host.step_failed(name))
}

fn ensure(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Outcome {
    let raise = |error| host.raise(error);
    let text = text("ensure", "text", arguments[1]).map_err(raise)?;
    match flag("ensure", "condition", arguments[0]).map_err(raise)? {
        true => Ok(Dynamic::UNIT),
        false => Err(host.raise(Error::new(ErrorKind::Failed, text))),
    }
}

fn fail(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Outcome {
    let text = text("fail", "text", arguments[0]).map_err(|error| host.raise(error))?;
    Err(host.raise(Error::new(ErrorKind::Failed, text)))
}

fn exit(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> Outcome {
    let code = arguments.first().map_or(Ok(0), |code| code.as_int());
    match code.map(u8::try_from) {
        Ok(Ok(code)) => Err(host.exit(code)),
        _ => {
            let given = arguments.first().map_or(Dynamic::UNIT, |code| (**code).clone());
            let error = match given.as_int() {
                Ok(code) => Error::invalid(format!("exit: `code` takes an integer from 0 to 255, and {code} is none"))
                    .hint("see help(\"exit\")"),
                Err(_) => wrong("exit", "code", "an integer from 0 to 255", &given),
            };
            Err(host.raise(error))
        }
    }
}
