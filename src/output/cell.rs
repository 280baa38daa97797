//! A value in a cell, as people read it: on one line, ages in units, numbers rounded, nothing as `-`, and a sign where
//! there is something to see. Programs take JSON or CSV, where values are what they are.

use super::json::{to_json, unable_to_deceive};
use super::render::{scalar, texts};
use super::told::Tone;
use super::wrapping::columns_of;
use crate::node::{Node, RecordState, State};
use crate::text::on_one_line;
use crate::time::show_seconds;
use crate::tso::Tso;
use crate::value::{Value, node_field};
use serde_json::Value as Json;
use std::borrow::Cow;
use unicode_width::UnicodeWidthChar;

/// A cell holds so many columns at most of a word, and so many of a text or a nested value: more is of no use in a table,
/// and hides the others.
const LONGEST_WORD: usize = 200;
const LONGEST_TEXT: usize = 1000;

/// How much of the end of what is too long is shown: long ids differ there.
const TAIL: usize = 30;

/// A value as it stands in a table.
pub(super) struct Cell<'a> {
    /// Its text, on one line.
    pub(super) text: Cow<'a, str>,
    /// How much it matters.
    pub(super) tone: Tone,
}

impl<'a> Cell<'a> {
    pub(super) fn plain(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    /// A value of a map or a list.
    pub(super) fn of(value: &'a Value) -> Self {
        Self::plain(match value {
            Value::Unit => "-".into(),
            Value::Float(number) => rounded(*number).into(),
            Value::Text(text) => on_one_line(text),
            Value::List(list) => texts(list).map_or_else(|| nested(value), Cow::Owned),
            Value::Node(_) | Value::Map(_) => nested(value),
            Value::Bool(_) | Value::Int(_) | Value::Secret(_) | Value::Time(_) => scalar(value).into(),
        })
    }

    /// The property `name` of a node.
    pub(super) fn of_node(node: &'a Node, name: &str) -> Self {
        match name {
            "state" => state(&node.record.state),
            "odd" if !node.odd.is_empty() => {
                Self { text: format!("! {}", on_one_line(&node.odd.join("; "))).into(), tone: Tone::Odd }
            }
            _ => match (node_text(node, name), node_field(node, name)) {
                (Some(text), _) => Self::plain(on_one_line(text)),
                (None, Some(Value::Float(seconds))) => Self::plain(show_seconds(seconds)),
                (None, Some(Value::Unit) | None) => Self::plain("-"),
                (None, Some(value)) => Self::plain(scalar(&value)),
            },
        }
    }

    /// The same, cut and marked if it is absurdly long.
    pub(super) fn cut(self) -> Self {
        // A column takes a byte at least.
        if self.text.len() <= LONGEST_WORD {
            return self;
        }
        let longest = if self.text.contains([' ', ',']) { LONGEST_TEXT } else { LONGEST_WORD };
        match columns_of(&self.text) > longest {
            true => Self { text: shortened(&self.text, longest).into(), ..self },
            false => self,
        }
    }
}

/// What stands in the column `name` of a node, and how much it matters.
pub(crate) fn node_cell(node: &Node, name: &str) -> (String, Tone) {
    let cell = Cell::of_node(node, name);
    (cell.text.into_owned(), cell.tone)
}

/// The beginning of a text, cut where a value in it ends if that is near, and its end.
fn shortened(text: &str, longest: usize) -> String {
    let head = within(text.chars(), longest - TAIL);
    let tail: String = within(text.chars().rev(), TAIL).chars().rev().collect();
    let near = head.len() / 2;
    let border = head.rfind([' ', ',']).filter(|at| *at >= near).map_or(head.len(), |at| at + 1);
    format!("{} ... {tail} ({} characters)", head[..border].trim_end(), text.chars().count())
}

fn within(letters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut used = 0;
    letters
        .take_while(|letter| {
            used += letter.width().unwrap_or(0);
            used <= columns
        })
        .collect()
}

/// A state, with a sign for those that cannot or need not tell colours apart.
fn state(state: &RecordState) -> Cell<'_> {
    let (sign, tone) = match state {
        RecordState::Known(State::Online) => return Cell { text: state.name().into(), tone: Tone::Good },
        RecordState::Known(State::Pausing | State::Paused | State::Closing) => ("~", Tone::Odd),
        RecordState::Known(State::Offline) => ("x", Tone::Faint),
        RecordState::Other(_) => ("!", Tone::Bad),
    };
    Cell { text: format!("{} {sign}", on_one_line(state.name())).into(), tone }
}

/// Compact JSON, its numbers rounded.
fn nested(value: &Value) -> Cow<'static, str> {
    let mut json = to_json(value);
    round(&mut json);
    unable_to_deceive(json.to_string()).into()
}

fn round(json: &mut Json) {
    match json {
        Json::Number(number) if number.is_f64() => {
            let near = number.as_f64().and_then(|number| rounded(number).parse::<f64>().ok());
            if let Some(near) = near.and_then(serde_json::Number::from_f64) {
                *number = near;
            }
        }
        Json::Array(items) => items.iter_mut().for_each(round),
        Json::Object(fields) => fields.values_mut().for_each(round),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

/// A number in a cell: three decimals, or three digits of what is smaller than 1.
fn rounded(number: f64) -> String {
    let text = match number.abs() < 1.0 {
        true => format!("{number:.2e}"),
        false => format!("{number:.3}"),
    };
    text.parse::<f64>().map_or(text, |rounded| format!("{rounded:?}"))
}

/// The property `name` of a node where it is text that stands there already; nothing odd is text without a letter.
fn node_text<'a>(node: &'a Node, name: &str) -> Option<&'a str> {
    let record = &node.record;
    match name {
        "id" => Some(&record.node.id),
        "kind" => Some(record.node.kind.name()),
        "state" => Some(record.state.name()),
        "address" => Some(&record.node.address),
        "odd" if node.odd.is_empty() => Some(""),
        "lag" if record.max_commit_ts == Tso::default() => Some("nothing yet"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_wherever_they_stand() {
        let seen = [1.083_333_333_333, 0.1 + 0.2, 0.000_123_456, 12.0, -2.0006, 1e300, f64::INFINITY].map(rounded);
        assert_eq!(seen, ["1.083", "0.3", "0.000123", "12.0", "-2.001", "1e300", "inf"]);
        let list = Value::from(vec![3.020_999_999_999_999_5, 0.5]);
        assert_eq!(Cell::of(&list).text, "[3.021,0.5]");
        let map = Value::map([("lag", Value::Map([("p".to_owned(), Value::Float(0.1 + 0.2))].into()))]);
        assert_eq!(Cell::of(&map).text, r#"{"lag":{"p":0.3}}"#);
        assert_eq!(Cell::of(&Value::Int(470_641_375_911_346_178)).text, "470641375911346178");
    }

    #[test]
    fn what_is_absurdly_long_is_cut_and_marked() {
        let cut = |text: String| Cell::plain(text).cut().text.into_owned();
        assert_eq!(cut("x".repeat(200)), "x".repeat(200));
        let word = cut(format!("{}-end", "x".repeat(70_000)));
        assert!(word.ends_with("xx-end (70004 characters)") && columns_of(&word) < 240, "{word}");
        let nested = cut(format!("[{}]", vec![r#"{"key":"value"}"#; 500].join(",")));
        assert!(nested.contains(r#"{"key":"value"}, ... "#), "{nested}");
        assert!(columns_of(&cut("日".repeat(70_000))) < 240);
    }
}
