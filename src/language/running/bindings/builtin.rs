//! A function that is the language's own: a row like an operation's, and a function that sees the call.

use crate::error::{Error, Result};
use crate::language::convert::to_value;
use crate::language::running::bindings::CallResult;
use crate::language::running::host::Host;
use crate::operations::{Function, FunctionRow};
use crate::value::Value;
use rhai::{Dynamic, FnPtr, NativeCallContext};

/// What a function of the language's own does, given the call and its arguments.
type Native = fn(&Host, &NativeCallContext<'_>, &mut [&mut Dynamic]) -> CallResult;

/// A function of the language's own; nothing does it where Rhai has it already.
pub(crate) type Builtin = FunctionRow<Option<Native>>;

/// Whether `function` takes `count` arguments.
///
/// # Errors
/// `invalid`, with the signature.
pub(crate) fn check_count(function: &Function, count: usize) -> Result<()> {
    if function.arguments().contains(&count) {
        return Ok(());
    }
    Err(Error::invalid(format!("{}: takes {}, not {count} argument(s)", function.name, function.signature()))
        .hint(format!("see help(\"{}\")", function.name)))
}

/// The argument `name` of `function`, as text.
pub(crate) fn text(function: &str, name: &str, argument: &Dynamic) -> Result<String> {
    match argument.as_immutable_string_ref() {
        Ok(text) => Ok(text.to_string()),
        Err(_) => Err(wrong(function, name, "text", argument)),
    }
}

/// The argument `name` of `function`, as a closure.
pub(crate) fn closure(function: &str, name: &str, argument: &Dynamic) -> Result<FnPtr> {
    match argument.read_lock::<FnPtr>() {
        Some(closure) => Ok(closure.clone()),
        None => Err(wrong(function, name, "a closure such as || pumps().len() > 1", argument)),
    }
}

/// The argument `name` of `function`, as true or false.
pub(crate) fn flag(function: &str, name: &str, argument: &Dynamic) -> Result<bool> {
    argument.as_bool().map_err(|_| wrong(function, name, "true or false", argument))
}

/// `function` was given something else for `name` than it takes.
pub(crate) fn wrong(function: &str, name: &str, takes: &str, given: &Dynamic) -> Error {
    let given = match given.is_fnptr() {
        true => "a function",
        false => type_name(given),
    };
    Error::invalid(format!("{function}: `{name}` takes {takes}, not {given}")).hint(format!("see help(\"{function}\")"))
}

fn type_name(given: &Dynamic) -> &'static str {
    to_value(given, &std::cell::RefCell::default()).as_ref().map_or("such a value", Value::type_name)
}
