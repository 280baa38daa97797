//! An entry that is taller than the screen. The line editor draws an entry as a whole and cannot reach what has left the
//! screen at its top, so of such an entry only as many rows are drawn as there are, with the cursor's among them.

use unicode_width::UnicodeWidthChar;

/// How far a tabulator goes.
const TAB: usize = 8;

/// The part of an entry that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Where it begins and ends, in bytes.
    pub(super) from: usize,
    pub(super) to: usize,
}

/// What of `entry` fits on a screen of so many rows and columns, if not all of it does; `prompt` columns stand before it, and
/// the cursor is at the byte `cursor`.
pub(super) fn window(entry: &str, cursor: usize, prompt: usize, (rows, columns): (usize, usize)) -> Option<Window> {
    // Most entries are short: an entry has no more rows than it has lines and full widths.
    let lines = entry.bytes().filter(|byte| *byte == b'\n').count() + 1;
    if lines + (entry.len() + prompt) / columns.max(1) < rows {
        return None;
    }
    let begins = rows_of(entry, prompt, columns);
    if begins.len() <= rows {
        return None;
    }
    let at = begins.partition_point(|begin| *begin <= cursor) - 1;
    let first = at.min(begins.len() - rows);
    let to = begins.get(first + rows).map_or(entry.len(), |next| match entry[..*next].ends_with('\n') {
        true => next - 1,
        false => *next,
    });
    Some(Window { from: begins[first], to })
}

/// How many rows lie above the one in which `entry` ends, behind a prompt of so many columns.
pub(super) fn rows_above(entry: &str, prompt: usize, columns: usize) -> usize {
    rows_of(entry, prompt, columns).len() - 1
}

/// Where each row of the screen begins in `entry`, in bytes.
fn rows_of(entry: &str, prompt: usize, columns: usize) -> Vec<usize> {
    let (mut begins, mut column) = (vec![0], prompt % columns.max(1));
    for (at, letter) in entry.char_indices() {
        if letter == '\n' {
            begins.push(at + 1);
            column = 0;
            continue;
        }
        let width = if letter == '\t' { TAB - column % TAB } else { letter.width().unwrap_or(0) };
        column += width;
        if column > columns {
            begins.push(at);
            column = width;
        }
    }
    if column == columns {
        begins.push(entry.len());
    }
    begins
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(entry: &str, cursor: usize) -> Option<&str> {
        window(entry, cursor, 2, (3, 10)).map(|window| &entry[window.from..window.to])
    }

    #[test]
    fn of_a_tall_entry_the_rows_around_the_cursor_are_shown() {
        let entry = "a\nb\nc\nd\ne";
        assert_eq!(shown("a\nb\nc", 0), None);
        assert_eq!(shown(entry, entry.len()), Some("c\nd\ne"));
        assert_eq!(shown(entry, 0), Some("a\nb\nc"));
        assert_eq!(shown(entry, 2), Some("b\nc\nd"));
    }

    #[test]
    fn long_lines_and_wide_letters_take_several_rows() {
        let entry = "一二三四五六七八\n0123456789012345\nx";
        assert_eq!(rows_of(entry, 2, 10).len(), 2 + 2 + 1);
        assert_eq!(shown(entry, entry.len()), Some("0123456789012345\nx"));
        assert_eq!(shown(entry, 0), Some("一二三四五六七八\n0123456789"));
    }
}
