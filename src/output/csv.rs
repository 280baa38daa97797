//! Comma separated values: a line of names, then a line a row, quoted as RFC 4180 says.
//!
//! Numbers are not rounded and durations stay seconds, since programs read them; lines end with a bare line feed, which
//! is what the tools of Unix expect. A text that a spreadsheet would take for a formula has an apostrophe before it.

use super::render::{Row, Shape, alone, columns};
use crate::text::on_one_line;
use crate::value::Value;

/// Where there is no row, the line of names is that of the columns `known`.
pub(super) fn render(shape: &Shape<'_>, known: &[&str]) -> String {
    match shape {
        Shape::Scalar(value) => format!("value\n{}\n", field(&cell(value))),
        Shape::Record(row) => lines(std::slice::from_ref(row)),
        Shape::Rows(rows) if rows.is_empty() && !known.is_empty() => line(known.iter().map(|name| field(name))),
        Shape::Rows(rows) => lines(rows),
    }
}

fn lines(rows: &[Row<'_>]) -> String {
    let columns = columns(rows);
    if columns.is_empty() {
        return String::new();
    }
    let mut text = line(columns.iter().map(|name| field(&unable_to_calculate(on_one_line(name).into_owned()))));
    for row in rows {
        text += &line(columns.iter().map(|name| field(&row.value(name).map_or(String::new(), |value| cell(&value)))));
    }
    text
}

/// A number is what it is, whatever sign it has.
fn cell(value: &Value) -> String {
    match value {
        Value::Int(_) | Value::Float(_) => alone(value),
        _ => unable_to_calculate(alone(value)),
    }
}

/// What begins so is a formula to a spreadsheet, and runs.
fn unable_to_calculate(text: String) -> String {
    match text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        true => format!("'{text}"),
        false => text,
    }
}

fn line(fields: impl Iterator<Item = String>) -> String {
    fields.collect::<Vec<_>>().join(",") + "\n"
}

fn field(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) || text.starts_with(' ') || text.ends_with(' ') {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}
