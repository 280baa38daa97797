//! A line per property, as MySQL's `\G` does it.

use super::render::{Row, Shape, alone};
use crate::text::on_one_line;
use unicode_width::UnicodeWidthStr;

pub(super) fn render(shape: &Shape<'_>) -> String {
    match shape {
        Shape::Scalar(value) => alone(value) + "\n",
        Shape::Record(row) => block(row),
        Shape::Rows(rows) if rows.is_empty() => "(none)\n".into(),
        Shape::Rows(rows) => {
            let star = "*".repeat(27);
            let numbered = rows.iter().enumerate();
            numbered.map(|(at, row)| format!("{star} {}. row {star}\n{}", at + 1, block(row))).collect()
        }
    }
}

fn block(row: &Row<'_>) -> String {
    let names: Vec<_> = row.names().into_iter().map(on_one_line).collect();
    let widest = names.iter().map(|name| name.width()).max().unwrap_or(0);
    let line = |(key, name): (&str, &std::borrow::Cow<'_, str>)| {
        let pad = " ".repeat(widest - name.width());
        format!("{}\n", format!("{pad}{name}: {}", row.cell(key)).trim_end())
    };
    row.names().into_iter().zip(&names).map(line).collect()
}
