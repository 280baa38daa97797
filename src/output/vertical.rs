//! A line per property, as MySQL's `\G` does it.

use super::render::{Look, Row, Shape, scalar_page};
use super::told::{Tone, labelled};
use super::wrapping::columns_of;
use crate::text::on_one_line;
use std::borrow::Cow;

/// How many stars stand before and behind the number of a row, if there is room for them.
const STARS: usize = 27;

pub(super) fn render(shape: &Shape<'_>, look: Look) -> String {
    match shape {
        Shape::Scalar(value) => scalar_page(value, look) + "\n",
        Shape::Record(row) => block(row, &row.names(), false, look),
        Shape::Rows(rows) if rows.is_empty() => "(none)\n".into(),
        Shape::Rows(rows) => {
            rows.iter().enumerate().map(|(at, row)| numbered(at, row, &row.names(), false, look)).collect()
        }
    }
}

/// These columns of rows that make no table in so little room; what is absurdly long is cut.
pub(super) fn narrow<'a>(rows: &[&Row<'a>], columns: &[&'a str], look: Look) -> String {
    rows.iter().enumerate().map(|(at, row)| numbered(at, row, columns, true, look)).collect()
}

fn numbered<'a>(at: usize, row: &Row<'a>, names: &[&'a str], is_cut: bool, look: Look) -> String {
    let number = format!(" {}. row ", at + 1);
    let room = look.width.map_or(2 * STARS, |width| usize::from(width).saturating_sub(number.len()));
    let star = "*".repeat(STARS.min(room / 2));
    format!(
        "{}\n{}",
        Tone::Strong.painted(&format!("{star}{number}{star}"), look.colors),
        block(row, names, is_cut, look)
    )
}

fn block<'a>(row: &Row<'a>, names: &[&'a str], is_cut: bool, look: Look) -> String {
    let shown: Vec<Cow<'_, str>> = names.iter().map(|name| on_one_line(name)).collect();
    let widest = shown.iter().map(|name| columns_of(name)).max().unwrap_or(0);
    let line = |(key, name): (&&'a str, &Cow<'_, str>)| {
        let pad = " ".repeat(widest - columns_of(name));
        let cell = if is_cut { row.cell(key).cut() } else { row.cell(key) };
        match cell.text.is_empty() {
            true if is_cut => String::new(),
            true => format!("{pad}{name}:\n"),
            false => labelled(&format!("{pad}{name}: "), &cell.text, cell.tone, look),
        }
    };
    names.iter().zip(&shown).map(line).collect()
}
