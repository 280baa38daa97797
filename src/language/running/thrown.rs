//! Values and errors for functions that another room binds (see [`Interpreter::extend`](super::Interpreter::extend)).

use crate::error::{Error, Result};
use crate::language::convert::{to_dynamic, to_value};
use crate::language::failure::Failure;
use crate::value::Value;
use rhai::{Dynamic, EvalAltResult, Position};
use std::cell::RefCell;

/// `error` as a script gets it from a function: to be caught, or to end it.
pub fn thrown(error: Error) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(Dynamic::from(Failure::new(error)), Position::NONE).into()
}

/// A value as a script has it.
pub fn to_script(value: Value) -> Dynamic {
    to_dynamic(value, &RefCell::default())
}

/// A value that a script hands in.
///
/// # Errors
/// `invalid` for what is no value of ours, such as a closure.
pub fn from_script(value: &Dynamic) -> Result<Value> {
    to_value(value, &RefCell::default())
}
