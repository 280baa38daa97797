//! An expression that is evaluated again and again: its result, with what has changed since the last time marked.

use crate::text::on_one_line;
use crate::time::{Time, Zone};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use std::cell::Cell;

/// What is shown of an expression.
#[derive(Debug, Default)]
pub(crate) struct ExpressionView {
    title: String,
    /// When it was evaluated last: milliseconds since 1970, UTC.
    unix_ms: i64,
    before: Vec<String>,
    lines: Vec<String>,
    from: usize,
    /// How many lines there was room for.
    rows: Cell<usize>,
}

impl ExpressionView {
    /// Nothing yet of the expression `code`.
    pub(crate) fn new(code: &str) -> Self {
        Self { title: on_one_line(code).into_owned(), ..Self::default() }
    }

    /// It came to `text`. The first time nothing is new.
    pub(crate) fn see(&mut self, unix_ms: i64, text: &str) {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let is_first = self.unix_ms == 0;
        self.before = if is_first { lines.clone() } else { std::mem::take(&mut self.lines) };
        (self.lines, self.unix_ms) = (lines, unix_ms);
        self.turn(0);
    }

    /// Shows what is so many lines further down, or up.
    pub(crate) fn turn(&mut self, lines: isize) {
        let last = self.lines.len().saturating_sub(self.rows.get().max(1));
        self.from = self.from.saturating_add_signed(lines).min(last);
    }

    /// Draws it.
    pub(crate) fn draw(&self, area: Rect, buffer: &mut Buffer) {
        let time = match self.unix_ms {
            0 => String::new(),
            ms => Time::new(ms, Zone::Utc).format("%H:%M:%S UTC  "),
        };
        let room = usize::from(area.width);
        buffer.set_stringn(
            area.x,
            area.y,
            format!("{time}{}", self.title),
            room,
            Style::new().add_modifier(Modifier::BOLD),
        );
        let rows = usize::from(area.height).saturating_sub(1);
        self.rows.set(rows);
        for (row, at) in (self.from..self.lines.len()).take(rows).enumerate() {
            let y = area.y + 1 + u16::try_from(row).unwrap_or(0);
            let mut x = area.x;
            for (text, is_new) in parts(self.before.get(at).map(String::as_str), &self.lines[at]) {
                let style = if is_new { Style::new().add_modifier(Modifier::REVERSED) } else { Style::new() };
                let left = usize::from(area.right().saturating_sub(x));
                x = buffer.set_stringn(x, y, text, left, style).0;
            }
        }
    }
}

/// The words of a line, and whether each is other than what stood there before; so are the blanks between two that are.
fn parts<'a>(before: Option<&str>, line: &'a str) -> Vec<(&'a str, bool)> {
    let mut parts = Vec::new();
    for part in line.split_inclusive(' ') {
        let at = part.as_ptr() as usize - line.as_ptr() as usize;
        let word = part.trim_end();
        let is_new = !word.is_empty() && before.is_none_or(|before| !stands_at(before, word, at));
        parts.push((word, is_new));
        parts.push((&part[word.len()..], false));
    }
    parts
}

/// Whether `word` is a whole word of `line` at this place.
fn stands_at(line: &str, word: &str, at: usize) -> bool {
    let Some(rest) = line.get(at..) else { return false };
    let begins = at == 0 || line.as_bytes().get(at - 1) == Some(&b' ');
    begins && rest.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_new_is_marked_word_by_word() {
        let new = |before: Option<&str>, line: &str| -> Vec<String> {
            parts(before, line).into_iter().filter(|(_, is_new)| *is_new).map(|(text, _)| text.to_owned()).collect()
        };
        assert_eq!(new(Some("pump-1  online  0.5s"), "pump-1  paused  0.5s"), ["paused"]);
        assert_eq!(new(Some("lag 10s"), "lag 100s"), ["100s"]);
        assert_eq!(new(Some("lag 100s"), "lag 10s"), ["10s"]);
        assert_eq!(new(None, "a new line"), ["a", "new", "line"]);
        assert_eq!(new(Some("grüße an"), "grüße zu"), ["zu"]);
        let whole: String = parts(Some("x"), "a  b c").into_iter().map(|(text, _)| text).collect();
        assert_eq!(whole, "a  b c");
    }

    #[test]
    fn the_first_time_nothing_is_new() {
        let mut view = ExpressionView::new("pumps()");
        view.see(1000, "a b\n");
        assert_eq!(view.before, view.lines);
        view.see(2000, "a c\n");
        assert_eq!((view.before.concat(), view.lines.concat()), ("a b".into(), "a c".into()));
    }
}
