//! Columns without borders: they read best in the middle of the night, and `grep` and `awk` like them too.
//!
//! Only columns of long texts are ever wrapped, and only on a terminal: ids, addresses and timestamps stay whole.

use super::render::{Look, Row, Shape, alone, columns};
use super::text::on_one_line;
use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};
use unicode_width::UnicodeWidthStr;

/// What a table of nodes shows; the other formats show every property.
const NODE_COLUMNS: [&str; 7] = ["id", "kind", "state", "address", "lag", "heartbeat_age", "odd"];

/// Between two columns.
const GAP: u16 = 2;

/// A column is wrapped only if it is wider than this...
const LONG: u16 = 40;

/// ... and if at least so much is left for it.
const READABLE: u16 = 20;

pub(super) fn render(shape: &Shape<'_>, look: Look) -> String {
    match shape {
        Shape::Scalar(value) => alone(value) + "\n",
        Shape::Record(row) => {
            let cells = row.fields.keys().map(|name| vec![on_one_line(name).into_owned(), row.cell(name)]);
            lay_out(None, cells.collect(), look)
        }
        Shape::Rows(rows) if rows.is_empty() => "(none)\n".into(),
        Shape::Rows(rows) => {
            let columns = match rows.iter().all(|row| row.is_node) {
                true => NODE_COLUMNS.to_vec(),
                false => columns(rows),
            };
            let cells = |row: &Row<'_>| columns.iter().map(|name| row.cell(name)).collect();
            let header = columns.iter().map(|name| on_one_line(name).into_owned()).collect();
            lay_out(Some(header), rows.iter().map(cells).collect(), look)
        }
    }
}

fn lay_out(header: Option<Vec<String>>, rows: Vec<Vec<String>>, look: Look) -> String {
    let widths = widths(header.iter().chain(&rows));
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    let has_header = header.is_some();
    if let Some(header) = header {
        table.set_header(header);
    }
    table.add_rows(rows);
    let wrapped = look.width.and_then(|width| wrapped_columns(&widths, width));
    if let (Some(_), Some(width)) = (&wrapped, look.width) {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for (at, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, GAP));
        match &wrapped {
            Some(wrapped) if wrapped.contains(&at) => column.remove_constraint(),
            Some(_) => column.set_constraint(ColumnConstraint::ContentWidth),
            None => column,
        };
    }
    let text = table.trim_fmt();
    match text.split_once('\n') {
        Some((names, rest)) if has_header && look.colors => format!("\x1b[1m{names}\x1b[0m\n{rest}\n"),
        _ => text + "\n",
    }
}

fn widths<'a>(rows: impl Iterator<Item = &'a Vec<String>>) -> Vec<u16> {
    let mut widths = Vec::new();
    for row in rows {
        widths.resize(widths.len().max(row.len()), 0);
        for (widest, cell) in widths.iter_mut().zip(row) {
            *widest = (*widest).max(u16::try_from(cell.width()).unwrap_or(u16::MAX));
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
