//! Columns without borders: they read best in the middle of the night, and `grep` and `awk` like them too.
//!
//! Only columns of long texts are ever wrapped, and only on a terminal: ids, addresses and timestamps stay whole.

use super::render::{Look, Row, Shape, alone, columns};
use crate::text::on_one_line;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr;

/// What a table of nodes shows; the other formats show every property.
const NODE_COLUMNS: [&str; 7] = ["id", "kind", "state", "address", "lag", "heartbeat_age", "odd"];

/// Between two columns.
const GAP: u16 = 2;

/// A column is wrapped only if it is wider than this...
const LONG: u16 = 40;

/// ... and if at least so much is left for it.
const READABLE: u16 = 20;

pub(super) fn render<'a>(shape: &Shape<'a>, look: Look) -> String {
    match shape {
        Shape::Scalar(value) => alone(value) + "\n",
        Shape::Record(row) => {
            let cells = row.names().into_iter().flat_map(|name| [on_one_line(name), row.cell(name)]);
            lay_out(&Cells { columns: 2, has_header: false, cells: cells.collect() }, look)
        }
        Shape::Rows(rows) if rows.is_empty() => "(none)\n".into(),
        Shape::Rows(rows) => {
            let columns = match rows.iter().all(|row| matches!(row, Row::Node(_))) {
                true => NODE_COLUMNS.to_vec(),
                false => columns(rows),
            };
            let mut cells = Vec::with_capacity((rows.len() + 1) * columns.len());
            cells.extend(columns.iter().map(|name| on_one_line(name)));
            for row in rows {
                cells.extend(columns.iter().map(|name| row.cell(name)));
            }
            lay_out(&Cells { columns: columns.len(), has_header: true, cells }, look)
        }
    }
}

/// The cells of a table, row after row.
struct Cells<'a> {
    columns: usize,
    has_header: bool,
    cells: Vec<Cow<'a, str>>,
}

impl<'a> Cells<'a> {
    fn rows(&self) -> impl Iterator<Item = &[Cow<'a, str>]> {
        self.cells.chunks(self.columns.max(1))
    }
}

fn lay_out(cells: &Cells<'_>, look: Look) -> String {
    let widths = widths(cells);
    let wrapped = look.width.and_then(|width| Some((wrapped_columns(&widths, width)?, width)));
    let text = match wrapped {
        Some((wrapped, width)) => wrap(cells, &wrapped, width),
        None => align(cells, &widths),
    };
    match text.split_once('\n') {
        Some((names, rest)) if cells.has_header && look.colors => format!("\x1b[1m{names}\x1b[0m\n{rest}"),
        _ => text,
    }
}

/// Everything on its line: for programs, and for tables that fit. Ten thousand rows go through here.
fn align(cells: &Cells<'_>, widths: &[u16]) -> String {
    let line: usize = widths.iter().map(|width| usize::from(*width + GAP)).sum();
    let mut text = String::with_capacity(cells.cells.len() / cells.columns.max(1) * (line + 1));
    for row in cells.rows() {
        // Blanks are owed until something comes after them, so that no line ends with any.
        let mut owed = 0;
        for (cell, width) in row.iter().zip(widths) {
            if !cell.is_empty() {
                text.extend(std::iter::repeat_n(' ', owed));
                text += cell;
                owed = 0;
            }
            owed += usize::from(*width + GAP).saturating_sub(columns_of(cell));
        }
        text.push('\n');
    }
    text
}

/// Long columns on several lines, so that the table fits into `width`.
fn wrap(cells: &Cells<'_>, wrapped: &[usize], width: u16) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    let mut rows = cells.rows();
    if cells.has_header {
        table.set_header(rows.next().unwrap_or_default());
    }
    table.add_rows(rows);
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP));
        match wrapped.contains(&at) {
            true => column.remove_constraint(),
            false => column.set_constraint(ColumnConstraint::ContentWidth),
        };
    }
    table.trim_fmt() + "\n"
}

/// How many columns of a terminal a text takes.
fn columns_of(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.width(),
    }
}

fn widths(cells: &Cells<'_>) -> Vec<u16> {
    let mut widths = vec![0; cells.columns];
    for row in cells.rows() {
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(u16::try_from(columns_of(cell)).unwrap_or(u16::MAX));
        }
    }
    widths
}

/// Which columns to wrap so that the table fits into `width`; `None` if it fits, or never will.
fn wrapped_columns(widths: &[u16], width: u16) -> Option<Vec<usize>> {
    let total: u32 = widths.iter().map(|column| u32::from(*column) + u32::from(GAP)).sum();
    if total <= u32::from(width) {
        return None;
    }
    let long: Vec<usize> = (0..widths.len()).filter(|at| widths[*at] > LONG).collect();
    let whole: u32 = (0..widths.len()).filter(|at| !long.contains(at)).map(|at| u32::from(widths[at] + GAP)).sum();
    let left = u32::from(width).checked_sub(whole)?;
    let needed = long.len() as u32 * u32::from(READABLE + GAP);
    (!long.is_empty() && left >= needed).then_some(long)
}
