//! Values as JSON: one document, every property, nothing rounded.

use super::node_fields::node_fields;
use super::text::drives_the_terminal;
use crate::value::{Fields, Value};
use serde_json::Value as Json;

/// The JSON of a value: a time as RFC 3339 text, a node as an object of its properties, a number that JSON cannot
/// say (infinite, or none) as `null`.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Unit => Json::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Int(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
        Value::Secret(secret) => secret.to_string().into(),
        Value::Time(time) => time.to_string().into(),
        Value::Node(node) => object(&node_fields(node)),
        Value::List(list) => list.iter().map(to_json).collect(),
        Value::Map(fields) => object(fields),
    }
}

fn object(fields: &Fields) -> Json {
    Json::Object(fields.iter().map(|(name, value)| (name.clone(), to_json(value))).collect())
}

pub(super) fn render(value: &Value) -> String {
    unable_to_drive(format!("{:#}\n", to_json(value)))
}

/// JSON leaves some control characters in texts as they are; as `\u....` they mean the same and drive no terminal.
pub(super) fn unable_to_drive(json: String) -> String {
    if !json.contains(drives_the_terminal) {
        return json;
    }
    let mut whole = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        match drives_the_terminal(c) {
            true => whole.push_str(&format!("\\u{:04x}", u32::from(c))),
            false => whole.push(c),
        }
    }
    whole
}
