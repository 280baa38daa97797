//! From a value to text: what shape it has, and which format writes that shape.

use super::json::{to_json, unable_to_drive};
use super::node_fields::node_fields;
use super::text::on_one_line;
use super::{Format, csv, json, on_lines, table, vertical};
use crate::time::show_seconds;
use crate::value::{Fields, Value};
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
        Format::Json => json::render(value),
        Format::Csv => csv::render(&Shape::of(value)),
        Format::Table => table::render(&Shape::of(value), look),
        Format::Vertical => vertical::render(&Shape::of(value)),
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

/// One row, and whether it is a node's.
pub(super) struct Row<'a> {
    pub(super) fields: Cow<'a, Fields>,
    pub(super) is_node: bool,
}

impl<'a> Shape<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::List(list) => {
                let named: Option<Vec<Row<'a>>> = list.iter().map(Row::of).collect();
                Self::Rows(named.unwrap_or_else(|| list.iter().map(Row::unnamed).collect()))
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
            Value::Map(fields) => Some(Self { fields: Cow::Borrowed(fields), is_node: false }),
            Value::Node(node) => Some(Self { fields: Cow::Owned(node_fields(node)), is_node: true }),
            _ => None,
        }
    }

    fn unnamed(value: &'a Value) -> Self {
        let fields = [("value".to_owned(), value.clone())].into_iter().collect();
        Self { fields: Cow::Owned(fields), is_node: false }
    }

    /// The cell `name` as people read it: ages of nodes in units, nothing as `-`.
    pub(super) fn cell(&self, name: &str) -> String {
        match self.fields.get(name) {
            None | Some(Value::Unit) => "-".into(),
            Some(Value::Float(seconds)) if self.is_node => show_seconds(*seconds),
            Some(value) => scalar(value),
        }
    }
}

/// Every column that some row has, in the order of their first appearance.
pub(super) fn columns<'r>(rows: &'r [Row<'_>]) -> Vec<&'r str> {
    let mut columns: indexmap::IndexSet<&str> = indexmap::IndexSet::new();
    for row in rows {
        columns.extend(row.fields.keys().map(String::as_str));
    }
    columns.into_iter().collect()
}

/// A value in a cell: on one line, several texts separated by semicolons, other nested values as compact JSON.
pub(super) fn scalar(value: &Value) -> String {
    match value {
        Value::Unit => String::new(),
        Value::Bool(flag) => flag.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:?}"),
        Value::Text(text) => on_one_line(text).into_owned(),
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

fn texts(list: &[Value]) -> Option<String> {
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
    unable_to_drive(to_json(value).to_string())
}
