//! Values of operations as values of scripts, and back.

use crate::error::{Error, Result};
use crate::language::failure::Failure;
use crate::language::shapes::Shapes;
use crate::node::Node;
use crate::secret::Secret;
use crate::time::Time;
use crate::value::{Fields, Value};
use rhai::{Array, Dynamic, Map};
use std::cell::RefCell;
use std::sync::Arc;

/// A node as a script holds it: copied by every assignment, so it is shared.
pub(crate) type NodeValue = Arc<Node>;

/// How deep arrays and maps may be nested. A closure can make a value that contains itself.
const DEEPEST: usize = 64;

/// `value` as a script gets it.
pub(crate) fn to_dynamic(value: Value, shapes: &RefCell<Shapes>) -> Dynamic {
    match value {
        Value::Unit => Dynamic::UNIT,
        Value::Bool(flag) => flag.into(),
        Value::Int(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Secret(secret) => Dynamic::from(secret),
        Value::Time(time) => Dynamic::from(time),
        Value::Node(node) => Dynamic::from(node),
        Value::List(list) => {
            let items: Array = list.into_iter().map(|item| to_dynamic(item, shapes)).collect();
            items.into()
        }
        Value::Map(fields) => {
            shapes.borrow_mut().learn(fields.keys().map(String::as_str));
            let map: Map = fields.into_iter().map(|(name, value)| (name.into(), to_dynamic(value, shapes))).collect();
            map.into()
        }
    }
}

/// A script's value as operations take it.
///
/// # Errors
/// `invalid` for what is no data: a function, a range, or a value nested without end.
pub(crate) fn to_value(dynamic: &Dynamic, shapes: &RefCell<Shapes>) -> Result<Value> {
    value_at(dynamic, shapes, 0)
}

fn value_at(dynamic: &Dynamic, shapes: &RefCell<Shapes>, depth: usize) -> Result<Value> {
    if let Ok(number) = dynamic.as_int() {
        return Ok(Value::Int(number));
    }
    if let Ok(text) = dynamic.as_immutable_string_ref() {
        return Ok(Value::Text(text.to_string()));
    }
    if let Ok(flag) = dynamic.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(number) = dynamic.as_float() {
        return Ok(Value::Float(number));
    }
    if dynamic.is_unit() {
        return Ok(Value::Unit);
    }
    if let Ok(letter) = dynamic.as_char() {
        return Ok(Value::Text(letter.to_string()));
    }
    if let Some(node) = dynamic.read_lock::<NodeValue>() {
        return Ok(Value::Node(NodeValue::clone(&node)));
    }
    if let Some(secret) = dynamic.read_lock::<Secret>() {
        return Ok(Value::Secret(secret.clone()));
    }
    if let Some(time) = dynamic.read_lock::<Time>() {
        return Ok(Value::Time(*time));
    }
    if let Some(failure) = dynamic.read_lock::<Failure>() {
        return Ok(failure_value(&failure));
    }
    if depth == DEEPEST {
        return Err(Error::invalid("a value is nested more than 64 deep")
            .hint("an array or map that contains itself cannot be given to a function or shown"));
    }
    collection(dynamic, shapes, depth + 1)
}

fn collection(dynamic: &Dynamic, shapes: &RefCell<Shapes>, depth: usize) -> Result<Value> {
    if let Ok(items) = dynamic.as_array_ref() {
        let items: Result<Vec<Value>> = items.iter().map(|item| value_at(item, shapes, depth)).collect();
        return items.map(Value::List);
    }
    if let Ok(map) = dynamic.as_map_ref() {
        let order = shapes.borrow().order_of(map.keys().map(|name| name.as_str())).map(<[String]>::to_vec);
        let names = order.unwrap_or_else(|| map.keys().map(|name| name.to_string()).collect());
        let field = |name: String| match map.get(name.as_str()) {
            Some(value) => value_at(value, shapes, depth).map(|value| (name, value)),
            None => Ok((name, Value::Unit)),
        };
        return names.into_iter().map(field).collect::<Result<Fields>>().map(Value::Map);
    }
    let what = match dynamic.type_name() {
        "Fn" => "a function",
        name if name.contains("Range") => "a range",
        name => return Err(Error::invalid(format!("a value of type {name} is not data"))),
    };
    Err(Error::invalid(format!("{what} is not data")).hint("give a value; did you mean to call the function?"))
}

fn failure_value(failure: &Failure) -> Value {
    Value::map([
        ("kind", failure.0.kind.name().into()),
        ("message", failure.0.to_string().into()),
        ("hint", failure.0.advice("").into()),
    ])
}
