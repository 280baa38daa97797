//! The parts of a script that people follow: steps, checks, and how it ends.

use crate::error::{Error, ErrorKind};
use crate::language::functions;
use crate::language::running::bindings::builtin::{closure, flag, text, wrong};
use crate::language::running::bindings::{Builtin, CallResult};
use crate::language::running::host::Host;
use crate::operations::FunctionRow;
use rhai::{Dynamic, NativeCallContext};

pub(crate) const ROWS: &[Builtin] = &[
    FunctionRow { function: functions::STEP, call: Some(step) },
    FunctionRow { function: functions::ENSURE, call: Some(ensure) },
    FunctionRow { function: functions::FAIL, call: Some(fail) },
    FunctionRow { function: functions::EXIT, call: Some(exit) },
];

fn step(host: &Host, context: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
    let name = text("step", "name", arguments[0]).map_err(|error| host.raise(error))?;
    let work = closure("step", "closure", arguments[1]).map_err(|error| host.raise(error))?;
    let outcome = host.within_step(name.clone(), || work.call_raw(context, None, []));
    outcome.inspect_err(|_| host.step_failed(name))
}

fn ensure(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
    let raise = |error| host.raise(error);
    let text = text("ensure", "text", arguments[1]).map_err(raise)?;
    match flag("ensure", "condition", arguments[0]).map_err(raise)? {
        true => Ok(Dynamic::UNIT),
        false => Err(host.raise(Error::new(ErrorKind::Failed, text))),
    }
}

fn fail(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
    let text = text("fail", "text", arguments[0]).map_err(|error| host.raise(error))?;
    Err(host.raise(Error::new(ErrorKind::Failed, text)))
}

fn exit(host: &Host, _: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
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
