//! Columns without borders: they read best in the middle of the night, and `grep` and `awk` like them too.
//!
//! A table is as wide as it likes where nobody says how much room there is. Where there is less, texts are wrapped inside
//! their column, then addresses and ids; what still does not fit is shown as a line per property.

use super::cell::Cell;
use super::left_out::LeftOut;
use super::render::{Look, Row, Shape, columns, scalar_page};
use super::told::{Tone, labelled, told_value};
use super::vertical;
use super::widths::{GAP, Need, Shrinks, fitted, is_short_of};
use super::wrapping::{columns_of, wrapped};
use crate::text::on_one_line;
use crate::value::Value;
use std::borrow::Cow;

/// What a table of nodes shows; the other formats show every property.
const NODE_COLUMNS: [&str; 7] = ["id", "kind", "state", "address", "lag", "heartbeat_age", "odd"];

/// Who asked for Pumps knows their kind.
const OF_NODES: Columns = Columns { figures: &["lag", "heartbeat_age"], spare: &["kind"], names: &NODE_COLUMNS };

/// What is known of the columns of a table beyond their values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Columns {
    /// Those that stand to the right like numbers, though they are text.
    pub figures: &'static [&'static str],
    /// Those that go first where there is little room and all rows say the same.
    pub spare: &'static [&'static str],
    /// All of them, which CSV names also where there is no row.
    pub names: &'static [&'static str],
}

/// A column whose cells are no wider never shrinks.
const SHORT: usize = 12;

/// The table of a shape, of whose columns this is known.
pub(super) fn render(shape: &Shape<'_>, look: Look, known: Columns) -> String {
    match shape {
        Shape::Scalar(value) => scalar_page(value, look) + "\n",
        Shape::Record(row) => record(row, look),
        Shape::Rows(rows) if rows.is_empty() => "(none)\n".into(),
        Shape::Rows(rows) => match rows.iter().all(|row| matches!(row, Row::Node(_))) {
            true => {
                let left_out = LeftOut::of(rows);
                let shown: Vec<&Row<'_>> = rows.iter().filter(|row| !left_out.has(row)).collect();
                table(&shown, &NODE_COLUMNS, OF_NODES, look) + left_out.told(look).as_str()
            }
            false => table(&rows.iter().collect::<Vec<_>>(), &columns(rows), known, look),
        },
    }
}

/// A line per property, the values below each other; what is a table of its own stands there as one.
fn record(row: &Row<'_>, look: Look) -> String {
    let names: Vec<Cow<'_, str>> = row.names().into_iter().map(on_one_line).collect();
    let widest = names.iter().map(|name| columns_of(name)).max().unwrap_or(0);
    let line = |(key, name): (&str, &Cow<'_, str>)| {
        let pad = " ".repeat(widest - columns_of(name) + GAP);
        if let Some(inner) = row.value(key).filter(|value| is_table(value)) {
            return told_value(&format!("{name}{pad}"), &inner, look);
        }
        let cell = row.cell(key).cut();
        match cell.text.is_empty() {
            true => format!("{name}\n"),
            false => labelled(&format!("{name}{pad}"), &cell.text, cell.tone, look),
        }
    };
    row.names().into_iter().zip(&names).map(line).collect()
}

/// Whether it has rows with names.
fn is_table(value: &Value) -> bool {
    match value {
        Value::List(rows) => !rows.is_empty() && rows.iter().all(|row| matches!(row, Value::Map(_) | Value::Node(_))),
        _ => false,
    }
}

fn table<'a>(rows: &[&Row<'a>], columns: &[&'a str], known: Columns, look: Look) -> String {
    let cells: Vec<Cell<'a>> = rows.iter().flat_map(|row| columns.iter().map(|name| row.cell(name).cut())).collect();
    let names: Vec<Cow<'_, str>> = columns.iter().map(|name| on_one_line(name)).collect();
    let needs: Vec<Need> = (0..columns.len())
        .map(|at| need(&names[at], || cells.iter().skip(at).step_by(columns.len()), is_fixed(rows, columns[at])))
        .collect();
    let room = look.width.map(usize::from);
    if room.is_some_and(|room| is_short_of(&needs, room))
        && let Some(others) = without_spare(rows, columns, known.spare)
    {
        return table(rows, &others, known, look);
    }
    let Some(widths) = fitted(&needs, room) else { return vertical::narrow(rows, columns, look) };
    let is_figure = |name: &&str| known.figures.contains(name) || all_numbers(rows, name);
    let grid = Grid { to_the_right: columns.iter().map(is_figure).collect(), widths, colors: look.colors };
    let mut text = String::with_capacity((rows.len() + 1) * (grid.widths.iter().sum::<usize>() + 2 * columns.len()));
    let header: Vec<Cell<'_>> = names.into_iter().map(|text| Cell { text, tone: Tone::Strong }).collect();
    grid.write(&mut text, &header, name_parts);
    cells.chunks(columns.len().max(1)).for_each(|row| grid.write(&mut text, row, wrapped));
    text
}

/// The columns without the first of these in which all rows say the same.
fn without_spare<'a>(rows: &[&Row<'_>], columns: &[&'a str], spare: &[&str]) -> Option<Vec<&'a str>> {
    let says_one_thing = |name: &&&str| {
        let mut values = rows.iter().map(|row| row.value(name));
        let first = values.next();
        columns.contains(name) && values.all(|value| Some(value) == first)
    };
    let one = spare.iter().find(says_one_thing)?;
    Some(columns.iter().copied().filter(|name| name != one).collect())
}

/// Whether every row has a number there, or nothing, and some row a number.
fn all_numbers(rows: &[&Row<'_>], name: &str) -> bool {
    let mut some = false;
    rows.iter().filter_map(|row| row.value(name)).all(|value| {
        let is_number = matches!(*value, Value::Int(_) | Value::Float(_));
        some |= is_number;
        is_number || *value == Value::Unit
    }) && some
}

/// Whether the column holds what is never cut: numbers, times, yes and no.
fn is_fixed(rows: &[&Row<'_>], name: &str) -> bool {
    let mut values = rows.iter().filter_map(|row| row.value(name));
    values
        .all(|value| matches!(*value, Value::Int(_) | Value::Float(_) | Value::Bool(_) | Value::Time(_) | Value::Unit))
}

fn need<'c, 'a: 'c, I: Iterator<Item = &'c Cell<'a>>>(name: &str, cells: impl Fn() -> I, is_fixed: bool) -> Need {
    let widest = cells().map(|cell| columns_of(&cell.text)).max().unwrap_or(0);
    let has_words = || cells().any(|cell| cell.text.contains([' ', ',']));
    Need {
        cells: widest,
        name: columns_of(name),
        name_part: name.split_inclusive(['_', ' ']).map(|part| columns_of(part.trim_end())).max().unwrap_or(0),
        shrinks: match widest <= SHORT || is_fixed {
            true => Shrinks::Never,
            false if has_words() => Shrinks::AsText,
            false => Shrinks::AsWord,
        },
    }
}

/// A name on lines of its own: cut where its words end.
fn name_parts(name: &str, room: Option<usize>) -> Vec<Cow<'_, str>> {
    match room.is_some_and(|room| columns_of(name) > room) {
        true => name.split_inclusive(['_', ' ']).map(|part| part.trim_end().into()).collect(),
        false => vec![name.into()],
    }
}

/// Where the columns of a table are.
struct Grid {
    widths: Vec<usize>,
    to_the_right: Vec<bool>,
    colors: bool,
}

impl Grid {
    /// Adds a row, on as many lines as its cells need. Ten thousand rows go through here.
    fn write(
        &self,
        text: &mut String,
        row: &[Cell<'_>],
        cut: impl for<'t> Fn(&'t str, Option<usize>) -> Vec<Cow<'t, str>>,
    ) {
        if row.iter().zip(&self.widths).all(|(cell, width)| columns_of(&cell.text) <= *width) {
            return self.line(text, row.iter().map(|cell| (cell.text.as_ref(), cell.tone)));
        }
        let parts: Vec<Vec<Cow<'_, str>>> =
            row.iter().zip(&self.widths).map(|(cell, width)| cut(&cell.text, Some(*width))).collect();
        for at in 0..parts.iter().map(Vec::len).max().unwrap_or(0) {
            let line = parts.iter().zip(row).map(|(parts, cell)| (parts.get(at).map_or("", |part| part), cell.tone));
            self.line(text, line);
        }
    }

    /// Adds a line. Blanks are owed until something comes after them, so that none ends with any.
    fn line<'c>(&self, text: &mut String, cells: impl Iterator<Item = (&'c str, Tone)>) {
        let mut owed = 0;
        for (at, (cell, tone)) in cells.enumerate() {
            let spare = self.widths[at].saturating_sub(columns_of(cell));
            if cell.is_empty() {
                owed += spare + GAP;
                continue;
            }
            let before = if self.to_the_right[at] { spare } else { 0 };
            text.extend(std::iter::repeat_n(' ', owed + before));
            match self.colors {
                true => text.push_str(&tone.painted(cell, true)),
                false => text.push_str(cell),
            }
            owed = spare - before + GAP;
        }
        text.push('\n');
    }
}
