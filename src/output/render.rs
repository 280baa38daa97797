//! From a value to text: what shape it has, and which format writes that shape.

use super::cell::Cell;
use super::json::{to_json, unable_to_deceive};
use super::table::Columns;
use super::timestamps::Timestamps;
use super::wrapping::page;
use super::{Format, csv, json, table, vertical};
use crate::node::Node;
use crate::text::{on_lines, on_one_line};
use crate::value::{Fields, NODE_FIELDS, Value, node_field};
use std::borrow::Cow;

/// What the place looks like that the text is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; without one nothing is wrapped.
    pub width: Option<u16>,
    /// Whether it shows colours.
    pub colors: bool,
}

/// The text of `value`, with its last line end; empty for `Unit`.
pub fn render(value: &Value, format: Format, look: Look) -> String {
    if *value == Value::Unit {
        return String::new();
    }
    match format {
        Format::Json | Format::JsonLines => json::render(value, Timestamps::Number, format),
        Format::Csv => csv::render(&Shape::of(value), &[]),
        Format::Table => table::render(&Shape::of(value), look, Columns::default()),
        Format::Vertical => vertical::render(&Shape::of(value), look),
    }
}

/// How a value is laid out.
pub(super) enum Shape<'a> {
    /// One value without parts.
    Scalar(&'a Value),
    /// Named values.
    Record(Row<'a>),
    /// Rows with named columns; where an element of a list has no names, its only column is `value`.
    Rows(Vec<Row<'a>>),
}

/// One row.
pub(super) enum Row<'a> {
    /// Named values.
    Fields(&'a Fields),
    /// A node, by its properties.
    Node(&'a Node),
    /// A value without a name.
    Alone(&'a Value),
}

/// The only column of values without names.
const ALONE: &str = "value";

impl<'a> Shape<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::List(list) => {
                let named: Option<Vec<Row<'a>>> = list.iter().map(Row::of).collect();
                Self::Rows(named.unwrap_or_else(|| list.iter().map(Row::Alone).collect()))
            }
            _ => match Row::of(value) {
                Some(row) => Self::Record(row),
                None => Self::Scalar(value),
            },
        }
    }
}

impl<'a> Row<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        match value {
            Value::Map(fields) => Some(Self::Fields(fields)),
            Value::Node(node) => Some(Self::Node(node)),
            _ => None,
        }
    }

    /// The names of its columns.
    pub(super) fn names(&self) -> Vec<&'a str> {
        match self {
            Self::Fields(fields) => fields.keys().map(String::as_str).collect(),
            Self::Node(_) => NODE_FIELDS.to_vec(),
            Self::Alone(_) => vec![ALONE],
        }
    }

    /// The value in the column `name`.
    pub(super) fn value(&self, name: &str) -> Option<Cow<'a, Value>> {
        match self {
            Self::Fields(fields) => fields.get(name).map(Cow::Borrowed),
            Self::Node(node) => node_field(node, name).map(Cow::Owned),
            Self::Alone(value) => (name == ALONE).then_some(Cow::Borrowed(value)),
        }
    }

    /// The cell `name`.
    pub(super) fn cell(&self, name: &str) -> Cell<'a> {
        match self {
            Self::Fields(fields) => fields.get(name).map_or_else(|| Cell::plain("-"), Cell::of),
            Self::Node(node) => Cell::of_node(node, name),
            Self::Alone(value) => Cell::of(value),
        }
    }
}

/// Every column that some row has, in the order of their first appearance.
pub(super) fn columns<'a>(rows: &[Row<'a>]) -> Vec<&'a str> {
    let mut columns: indexmap::IndexSet<&str> = indexmap::IndexSet::new();
    for row in rows {
        columns.extend(row.names());
    }
    columns.into_iter().collect()
}

/// A value on one line, as it is: several texts separated by semicolons, other nested values as compact JSON.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::Unit => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => on_one_line(text).into_owned(),
        Value::Secret(secret) => secret.to_string(),
        Value::Time(time) => time.to_string(),
        Value::List(list) => texts(list).unwrap_or_else(|| compact(value)),
        Value::Node(_) | Value::Map(_) => compact(value),
    }
}

/// A value that stands alone: text keeps its lines.
pub(super) fn alone(value: &Value) -> String {
    match value {
        Value::Text(text) => on_lines(text).into_owned(),
        other => scalar(other),
    }
}

/// The same for people. A text of several lines is a page, as of the help; one line is left as it is, to be copied.
pub(super) fn scalar_page(value: &Value, look: Look) -> String {
    let text = alone(value);
    match text.contains('\n') {
        true => page(&text, look.width),
        false => text,
    }
}

/// A list of texts alone.
pub(super) fn texts(list: &[Value]) -> Option<String> {
    let texts: Option<Vec<_>> = list
        .iter()
        .map(|item| match item {
            Value::Text(text) => Some(on_one_line(text)),
            _ => None,
        })
        .collect();
    texts.map(|texts| texts.join("; "))
}

fn compact(value: &Value) -> String {
    unable_to_deceive(to_json(value).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_in_tables_alone() {
        let row = Value::map([("hours", Value::Float(1.083_333_333_333_333_3))]);
        let text = |format| render(&row, format, Look::default());
        assert_eq!(text(Format::Table), "hours  1.083\n");
        assert!(text(Format::Json).contains("1.0833333333333333"));
        assert!(text(Format::Csv).contains("1.0833333333333333"));
        assert_eq!(render(&Value::Float(0.1 + 0.2), Format::Table, Look::default()), "0.30000000000000004\n");
    }
}
