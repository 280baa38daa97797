//! Values as JSON: one document, every property, nothing rounded.

use super::Format;
use super::timestamps::Timestamps;
use crate::text::deceives;
use crate::value::{Fields, Value, node_fields};
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

/// The document, with a line end; on one line for [`Format::JsonLines`].
pub(super) fn render(value: &Value, timestamps: Timestamps, format: Format) -> String {
    let document = match timestamps {
        Timestamps::Number => to_json(value),
        Timestamps::Text => timestamps.applied(with_text(value)),
    };
    unable_to_deceive(match format {
        Format::JsonLines => format!("{document}\n"),
        _ => format!("{document:#}\n"),
    })
}

/// As [`to_json`], with what is known to be a timestamp as text, however small it is.
fn with_text(value: &Value) -> Json {
    match value {
        Value::Node(node) => {
            let mut fields = node_fields(node);
            fields.insert("max_commit_ts".to_owned(), node.record.max_commit_ts.to_string().into());
            object(&fields)
        }
        Value::List(list) => list.iter().map(with_text).collect(),
        Value::Map(fields) => {
            Json::Object(fields.iter().map(|(name, value)| (name.clone(), with_text(value))).collect())
        }
        other => to_json(other),
    }
}

/// JSON leaves some characters in texts as they are that drive a terminal or hide; as `\u....` they mean the same.
pub(super) fn unable_to_deceive(json: String) -> String {
    if json.is_ascii() && !json.contains('\x7f') || !json.contains(deceives) {
        return json;
    }
    let mut whole = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        match deceives(c) {
            true => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| whole.push_str(&format!("\\u{unit:04x}"))),
            false => whole.push(c),
        }
    }
    whole
}
