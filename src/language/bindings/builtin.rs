//! The row of a function that is the language's own: what an operation's row says, and a function that sees the call.

use crate::error::{Error, Result};
use crate::language::bindings::Called;
use crate::language::convert::to_value;
use crate::language::host::Host;
use crate::operations::{Example, Group};
use crate::value::Value;
use rhai::{Dynamic, FnPtr, NativeCallContext};

/// What a function of the language's own does, given the call and its arguments.
type Function = fn(&Host, &NativeCallContext<'_>, &mut [&mut Dynamic]) -> Called;

/// A function of the language's own.
pub(in crate::language) struct Builtin {
    /// Its name in scripts.
    pub(in crate::language) name: &'static str,
    /// The chapter of the reference it stands in.
    pub(in crate::language) group: Group,
    /// What it takes, in order; those that can be left out come last.
    pub(in crate::language) params: &'static [BuiltinParam],
    /// Keys of the trailing map: name, what it takes, what it does.
    pub(in crate::language) options: &'static [(&'static str, &'static str, &'static str)],
    /// What it returns.
    pub(in crate::language) returns: &'static str,
    /// Its documentation.
    pub(in crate::language) about: &'static str,
    /// Code that shows it.
    pub(in crate::language) example: Example,
    /// Does it; `None` for what Rhai has already.
    pub(in crate::language) call: Option<Function>,
}

/// A parameter of such a function.
pub(in crate::language) struct BuiltinParam {
    /// Its name.
    pub(in crate::language) name: &'static str,
    /// Whether it can be left out.
    pub(in crate::language) optional: bool,
}

impl BuiltinParam {
    /// A parameter that must be given.
    pub(in crate::language) const fn new(name: &'static str) -> Self {
        Self { name, optional: false }
    }

    /// A parameter that can be left out.
    pub(in crate::language) const fn optional(name: &'static str) -> Self {
        Self { name, optional: true }
    }
}

impl Builtin {
    /// Its call as people write it: `step(name, closure)`.
    pub(in crate::language) fn signature(&self) -> String {
        let params = self.params.iter().map(|param| match param.optional {
            true => format!("[{}]", param.name),
            false => param.name.to_owned(),
        });
        format!("{}({})", self.name, params.collect::<Vec<_>>().join(", "))
    }

    /// Whether it takes `count` arguments.
    ///
    /// # Errors
    /// `invalid`, with the signature.
    pub(in crate::language) fn check_count(&self, count: usize) -> Result<()> {
        let required = self.params.iter().filter(|param| !param.optional).count();
        if (required..=self.params.len()).contains(&count) {
            return Ok(());
        }
        Err(Error::invalid(format!("{}: takes {}, not {count} argument(s)", self.name, self.signature()))
            .hint(format!("see help(\"{}\")", self.name)))
    }
}

/// The argument `name` of `function`, as text.
pub(super) fn text(function: &str, name: &str, argument: &Dynamic) -> Result<String> {
    match argument.as_immutable_string_ref() {
        Ok(text) => Ok(text.to_string()),
        Err(_) => Err(wrong(function, name, "text", argument)),
    }
}

/// The argument `name` of `function`, as a closure.
pub(super) fn closure(function: &str, name: &str, argument: &Dynamic) -> Result<FnPtr> {
    match argument.read_lock::<FnPtr>() {
        Some(closure) => Ok(closure.clone()),
        None => Err(wrong(function, name, "a closure such as || pumps().len() > 1", argument)),
    }
}

/// The argument `name` of `function`, as true or false.
pub(super) fn flag(function: &str, name: &str, argument: &Dynamic) -> Result<bool> {
    argument.as_bool().map_err(|_| wrong(function, name, "true or false", argument))
}

/// `function` was given something else for `name` than it takes.
pub(super) fn wrong(function: &str, name: &str, takes: &str, given: &Dynamic) -> Error {
    let given = match given.is_fnptr() {
        true => "a function",
        false => type_name(given),
    };
    Error::invalid(format!("{function}: `{name}` takes {takes}, not {given}")).hint(format!("see help(\"{function}\")"))
}

fn type_name(given: &Dynamic) -> &'static str {
    to_value(given, &std::cell::RefCell::default()).as_ref().map_or("such a value", Value::type_name)
}
