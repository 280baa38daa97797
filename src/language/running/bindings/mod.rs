//! What a script can call: every operation, and the functions of the language's own.
//!
//! All of them are registered for any types of arguments and for a few too many of them, so that a wrong call reaches
//! our own check and gets an answer that says what the function takes.

mod builtin;
mod failure;
mod growing;
mod node;
mod params;
mod secret;
mod show;
mod steps;
mod time;
mod wait;

use builtin::{Builtin, check_count};

use crate::error::Result;
use crate::language::convert::{to_dynamic, to_value};
use crate::language::running::host::Host;
use crate::operations::{self, Changes, Function, Operation};
use rhai::{Dynamic, Engine, FuncRegistration, Module, NativeCallContext, RhaiFunc};
use std::any::TypeId;
use std::rc::Rc;

/// What Rhai's functions return.
type CallResult = std::result::Result<Dynamic, Box<rhai::EvalAltResult>>;

/// A function as Rhai keeps it.
type Bound = dyn Fn(Option<NativeCallContext<'_>>, &mut [&mut Dynamic]) -> CallResult;

/// How many arguments more than it takes a function is still registered for.
const TOO_MANY: usize = 2;

/// The language's own functions, in the order of the reference.
pub(crate) fn builtins() -> impl Iterator<Item = &'static Builtin> {
    [wait::ROWS, params::ROWS, steps::ROWS, show::ROWS].into_iter().flatten()
}

/// Binds everything to `engine`.
pub(crate) fn register(engine: &mut Engine, host: &Rc<Host>) {
    node::register(engine, host);
    time::register(engine, host);
    secret::register(engine);
    failure::register(engine, host);
    growing::register(engine, host);
    let mut module = Module::new();
    for operation in operations::all() {
        bind_operation(&mut module, host, operation);
    }
    for row in builtins() {
        bind_builtin(&mut module, host, row);
    }
    module.build_index();
    engine.register_global_module(module.into());
}

fn bind_operation(module: &mut Module, host: &Rc<Host>, operation: &'static Operation) {
    let function = &operation.function;
    let host = Rc::clone(host);
    let call = move |context: Option<NativeCallContext<'_>>, arguments: &mut [&mut Dynamic]| -> CallResult {
        if let Some(context) = context.filter(|_| function.changes != Changes::Nothing) {
            host.acting(function.name, context.call_source().unwrap_or_default(), context.call_position());
        }
        room_for_arguments(&host, arguments)?;
        operate(&host, operation, arguments).map_err(|error| host.raise(error))
    };
    bind(module, function, Rc::new(call));
}

/// What a function takes it takes as data, in which each text stands for itself.
fn room_for_arguments(host: &Host, arguments: &[&mut Dynamic]) -> std::result::Result<(), Box<rhai::EvalAltResult>> {
    host.room_to_write(arguments.iter().map(|argument| &**argument).filter(|argument| !argument.is_fnptr()), 1)
}

fn operate(host: &Host, operation: &'static Operation, arguments: &[&mut Dynamic]) -> Result<Dynamic> {
    let values = arguments.iter().map(|argument| to_value(argument, &host.shapes)).collect::<Result<Vec<_>>>()?;
    host.run(operation, values).map(|value| to_dynamic(value, &host.shapes))
}

fn bind_builtin(module: &mut Module, host: &Rc<Host>, row: &'static Builtin) {
    let Some(native) = row.call else { return };
    let host = Rc::clone(host);
    let call = move |context: Option<NativeCallContext<'_>>, arguments: &mut [&mut Dynamic]| -> CallResult {
        check_count(&row.function, arguments.len()).map_err(|error| host.raise(error))?;
        room_for_arguments(&host, arguments)?;
        match &context {
            Some(context) => native(&host, context, arguments),
            None => Ok(Dynamic::UNIT),
        }
    };
    bind(module, &row.function, Rc::new(call));
}

/// Registers one function for as many arguments of any type as it takes, and a few too many.
fn bind(module: &mut Module, function: &Function, call: Rc<Bound>) {
    for count in 0..=function.arguments().end() + TOO_MANY {
        for types in shadowing(function.name, count) {
            let called =
                RhaiFunc::Method { func: Rc::clone(&call), has_context: true, is_pure: true, is_volatile: true };
            FuncRegistration::new(function.name).in_global_namespace().set_into_module_raw(module, types, called);
        }
    }
}

/// The types under which a function is registered: any, and those of a function of Rhai's own that it stands before.
/// Rhai's `sleep` of an integer or a number would block for real and be deaf to Ctrl-C.
fn shadowing(name: &str, count: usize) -> Vec<Vec<TypeId>> {
    let mut all = vec![vec![TypeId::of::<Dynamic>(); count]];
    if name == "sleep" && count == 1 {
        all.push(vec![TypeId::of::<rhai::INT>()]);
        all.push(vec![TypeId::of::<rhai::FLOAT>()]);
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::language::functions;
    use crate::language::reading::dialect::bare;

    /// A function of Rhai's with the exact types of a call would win over ours, which takes any: `shadowing` has to
    /// know it.
    #[test]
    fn no_function_of_rhai_stands_before_one_of_ours() {
        let engine = bare();
        let values = ["1", "1.5", "\"a\"", "'a'", "true", "()", "[]", "#{}", "1..2", "|x| x"];
        let is_theirs = |name: &&str| {
            let one = values.iter().map(|a| format!("{name}({a})"));
            let two = values.iter().flat_map(|a| values.iter().map(move |b| format!("{name}({a}, {b})")));
            one.chain(two).any(|call| match engine.eval::<rhai::Dynamic>(&call) {
                Err(error) => !error.to_string().contains("Function not found"),
                Ok(_) => true,
            })
        };
        assert!(is_theirs(&"max") && !is_theirs(&"no_such_function"), "the calls find Rhai's functions");
        // Rhai's `sleep` really sleeps, so it is not called here; `shadowing` knows both of it.
        let both: Vec<&str> = functions::names().filter(|name| *name != "sleep").filter(is_theirs).collect();
        // Rhai's `start` takes a range only, `exit` any value as ours does, and `print` is told where to print.
        assert_eq!(both, ["start", "exit", "print"]);
    }
}
