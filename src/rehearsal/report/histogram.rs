//! How many futures took how long: columns over ranges of time.

use super::canvas::{Anchor, Canvas, Layout};
use super::scale::{mark_text, step_for};
use crate::rehearsal::tally::Distribution;
use crate::sim::{HOUR, MINUTE, Micros, SECOND};

/// The height of the tallest column.
const HEIGHT: f64 = 130.0;
/// More columns than this nobody compares.
const COLUMNS: usize = 12;
/// The width of a column at most.
const WIDEST: f64 = 120.0;

/// Where columns begin when the lengths differ by orders of magnitude.
const LADDER: [Micros; 25] = [
    0,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    20 * SECOND,
    30 * SECOND,
    45 * SECOND,
    MINUTE,
    90 * SECOND,
    2 * MINUTE,
    3 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    20 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    12 * HOUR,
    24 * HOUR,
    48 * HOUR,
    168 * HOUR,
];

/// How many lengths lie in a range; the last one may have no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Column {
    from: Micros,
    to: Option<Micros>,
    count: u64,
}

impl Column {
    fn range(&self) -> String {
        match self.to {
            Some(to) => format!("{} to {}", mark_text(self.from), mark_text(to)),
            None => format!("{} and more", mark_text(self.from)),
        }
    }
}

/// The columns, from the least length to the greatest; those between that are empty are among them.
fn columns(lengths: &Distribution) -> Vec<Column> {
    let (Some(least), Some(greatest)) = (lengths.quantile(0), lengths.quantile(1_000)) else { return Vec::new() };
    let mut begins: Vec<Micros> = LADDER.to_vec();
    let within = begins.iter().filter(|begin| **begin > least && **begin <= greatest).count();
    if within < 3 {
        // They are all of one size: even columns tell more.
        let step = step_for((greatest - least).max(SECOND), COLUMNS as f64 - 2.0);
        let first = least.div_euclid(step) * step;
        begins = (0..).map(|place| first + place * step).take_while(|begin| *begin <= greatest + step).collect();
    }
    let ends = begins.iter().skip(1).copied().map(Some).chain([None]);
    let mut columns: Vec<Column> =
        begins.iter().zip(ends).map(|(from, to)| Column { from: *from, to, count: 0 }).collect();
    for (length, count) in lengths.all() {
        if let Some(column) = columns.iter_mut().rev().find(|column| column.from <= length) {
            column.count += count;
        }
    }
    let first = columns.iter().position(|column| column.count > 0).unwrap_or(0);
    let last = columns.iter().rposition(|column| column.count > 0).unwrap_or(0);
    columns[first..=last].to_vec()
}

/// Draws them: upright columns on desks, rows on phones.
pub(super) fn chart(layout: Layout, lengths: &Distribution, what: &str) -> String {
    let columns = columns(lengths);
    let most = columns.iter().map(|column| column.count).max().unwrap_or(0).max(1);
    let about = format!("{what} of {} futures", lengths.count());
    match layout {
        Layout::Wide => upright(&columns, most, what, &about),
        Layout::Narrow => rows(&columns, most, &about),
    }
}

fn tip(column: &Column) -> String {
    format!("{}: {} futures", column.range(), column.count)
}

fn upright(columns: &[Column], most: u64, what: &str, about: &str) -> String {
    let mut canvas = Canvas::new(Layout::Wide);
    let font = canvas.layout.font();
    let (left, right, top) = (26.0, canvas.width() - 26.0, 2.0 * font + 14.0);
    let bottom = top + HEIGHT;
    let each = ((right - left) / columns.len().max(1) as f64).min(WIDEST);
    canvas.text("about-axis", (2.0, font), Anchor::Start, "futures");
    for (place, column) in columns.iter().enumerate() {
        let x = left + place as f64 * each;
        let height = if column.count == 0 { 0.0 } else { (column.count as f64 / most as f64 * HEIGHT).max(2.0) };
        canvas.area("column", (x + 2.0, bottom - height), (each - 4.0, height), &tip(column));
        canvas.text("value", (x + each / 2.0, bottom - height - 5.0), Anchor::Middle, &column.count.to_string());
        let edge = canvas.measure(&mark_text(column.from)) + 6.0 <= each || place % 2 == 0;
        let marks = [
            edge.then_some((x, column.from)),
            column.to.filter(|_| place + 1 == columns.len()).map(|to| (x + each, to)),
        ];
        for (x, edge) in marks.into_iter().flatten() {
            canvas.text("mark", (x, bottom + font + 6.0), Anchor::Middle, &mark_text(edge));
            canvas.line("axis", (x, bottom), (x, bottom + 4.0));
        }
    }
    let end = left + each * columns.len() as f64;
    canvas.line("axis", (left, bottom), (end, bottom));
    let name = format!("{what}: each column is a range of time, not all of one width");
    canvas.text("about-axis", (2.0, bottom + 2.0 * font + 14.0), Anchor::Start, &name);
    canvas.done(bottom + 2.0 * font + 22.0, about)
}

fn rows(columns: &[Column], most: u64, about: &str) -> String {
    let mut canvas = Canvas::new(Layout::Narrow);
    let font = canvas.layout.font();
    let widest =
        |texts: Vec<String>, canvas: &Canvas| texts.iter().map(|text| canvas.measure(text)).fold(0.0, f64::max);
    let names = widest(columns.iter().map(Column::range).collect(), &canvas);
    let counts = widest(columns.iter().map(|column| column.count.to_string()).collect(), &canvas);
    let (left, right) = (names + 12.0, canvas.width() - counts.max(canvas.measure("futures")) - 10.0);
    canvas.text("about-axis", (names + 4.0, font), Anchor::End, "range");
    canvas.text("about-axis", (canvas.width() - 2.0, font), Anchor::End, "futures");
    let mut y = font + 8.0;
    for column in columns {
        let foot = y + 8.0 + font * 0.35;
        canvas.text("mark", (names + 4.0, foot), Anchor::End, &column.range());
        let share = column.count as f64 / most as f64 * (right - left);
        let width = if column.count == 0 { 0.0 } else { share.max(2.0) };
        canvas.area("column", (left, y), (width, 16.0), &tip(column));
        canvas.text("value", (canvas.width() - 2.0, foot), Anchor::End, &column.count.to_string());
        y += 20.0;
    }
    canvas.line("axis", (left, font + 6.0), (left, y));
    canvas.done(y + 4.0, about)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(lengths: &[(Micros, usize)]) -> Distribution {
        let mut all = Distribution::default();
        for (length, count) in lengths {
            (0..*count).for_each(|_| all.add(*length));
        }
        all
    }

    #[test]
    fn every_future_is_in_one_column() {
        let wide = of(&[(0, 5), (30 * SECOND, 17), (90 * SECOND, 113), (4 * HOUR, 3), (400 * HOUR, 1)]);
        let narrow = of(&[(100 * SECOND, 5), (101 * SECOND, 9), (110 * SECOND, 1)]);
        for lengths in [wide, narrow, of(&[(SECOND, 1)]), of(&[])] {
            let columns = columns(&lengths);
            assert_eq!(columns.iter().map(|column| column.count).sum::<u64>(), lengths.count(), "{columns:?}");
            assert!(columns.len() <= LADDER.len());
        }
    }
}
