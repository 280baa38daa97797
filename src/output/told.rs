//! Lines that tell one thing after the other: a narrow head, and text that is wrapped beside it.

use super::Format;
use super::render::{Look, render};
use super::wrapping::{columns_of, wrapped};
use crate::text::on_lines;
use crate::value::Value;

/// How much a line matters. Only where there are colours does it show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As any other.
    Plain,
    /// It begins or ends something.
    Strong,
    /// It is as it should be.
    Good,
    /// It says what it means.
    Note,
    /// It may be passed over.
    Faint,
    /// It is odd.
    Odd,
    /// It is bad.
    Bad,
}

impl Tone {
    fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Strong => Some("1"),
            Self::Good => Some("32"),
            Self::Note => Some("36"),
            Self::Faint => Some("2"),
            Self::Odd => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }

    /// The text in its colour, without the blanks at its end.
    pub(super) fn painted(self, text: &str, colors: bool) -> String {
        match self.code().filter(|_| colors && !text.trim().is_empty()) {
            Some(code) => format!("\x1b[{code}m{}\x1b[0m", text.trim_end()),
            None => text.trim_end().to_owned(),
        }
    }
}

/// Fewer columns than this are no place for text: then it stands below its head.
const NARROW: usize = 16;

/// Fewer are none for a table.
const TABLE: usize = 36;

/// How far to the right of its head.
const BELOW: usize = 4;

/// The head and the text beside it, wrapped to the width of the terminal, each line with its end.
pub fn told(head: &str, text: &str, tone: Tone, look: Look) -> String {
    let lines = beside(head, text, look.width).into_iter().map(|(head, part)| format!("{head}{part}"));
    lines.map(|line| tone.painted(&line, look.colors) + "\n").collect()
}

/// The same with a head that names what is told, and is not painted.
pub(super) fn labelled(head: &str, text: &str, tone: Tone, look: Look) -> String {
    let lines = beside(head, text, look.width).into_iter();
    lines
        .map(|(head, part)| format!("{}\n", format!("{head}{}", tone.painted(&part, look.colors)).trim_end()))
        .collect()
}

/// The head and a value beside it as a table that fits, or below it where beside it is no room for one.
pub(super) fn told_value(head: &str, value: &Value, look: Look) -> String {
    let head = on_lines(head);
    let is_below = look.width.is_some_and(|width| usize::from(width) < columns_of(&head) + TABLE);
    let (first, indent) = match is_below {
        true => (format!("{}\n", head.trim_end()), BELOW / 2),
        false => (String::new(), columns_of(&head)),
    };
    let width = look.width.map(|width| width.saturating_sub(u16::try_from(indent).unwrap_or(u16::MAX)).max(1));
    let table = render(value, Format::Table, Look { width, ..look });
    let margin = |at: usize| if at == 0 && !is_below { head.to_string() } else { " ".repeat(indent) };
    let lines = table.lines().enumerate().map(|(at, line)| format!("{}{line}", margin(at)));
    std::iter::once(first).chain(lines.map(|line| format!("{}\n", line.trim_end()))).collect()
}

/// Each line of the text, and what stands before it: the head, or blanks.
fn beside(head: &str, text: &str, width: Option<u16>) -> Vec<(String, String)> {
    let (text, width) = (on_lines(text), width.map(usize::from));
    let mut head = on_lines(head).into_owned();
    let mut indent = columns_of(&head);
    let mut lines = Vec::new();
    if width.is_some_and(|width| width < indent + NARROW) {
        indent = (head.len() - head.trim_start().len() + BELOW).min(indent);
        if !head.trim().is_empty() {
            lines.push((head.trim_end().to_owned(), String::new()));
        }
        head = " ".repeat(indent);
    }
    let room = width.map(|width| width.saturating_sub(indent).max(1));
    for part in text.lines().flat_map(|line| wrapped(line, room)) {
        let blanks = " ".repeat(indent);
        lines.push((std::mem::replace(&mut head, blanks), part.into_owned()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: Option<u16>, text: &str) -> String {
        told("1m04s - ", text, Tone::Bad, Look { width, colors: false })
    }

    #[test]
    fn text_is_wrapped_beside_its_head_and_no_word_is_lost() {
        let text = "pause pump-1, whose record says online, and wait";
        assert_eq!(plain(Some(38), text), "1m04s - pause pump-1, whose record\n        says online, and wait\n");
        assert_eq!(plain(Some(32), &"x".repeat(30)), format!("1m04s - {}\n        xxxxxx\n", "x".repeat(24)));
        assert_eq!(plain(None, text), format!("1m04s - {text}\n"));
        let below = "1m04s -\n    pause pump-1,\n    whose record\n    says online, and\n    wait\n";
        assert_eq!(plain(Some(20), text), below, "below its head where beside it is no room");
        assert_eq!(plain(Some(80), "a\nb\x1b[1m"), "1m04s - a\n        b\\u{1b}[1m\n");
        for width in 32..60 {
            let lines = plain(Some(width), text);
            assert!(lines.lines().all(|line| columns_of(line) <= usize::from(width)), "{width}: {lines}");
            let words: Vec<&str> = lines.split_whitespace().skip(2).collect();
            assert_eq!(words.join(" "), text);
        }
    }

    #[test]
    fn a_value_stands_beside_its_head() {
        let row = |id: &str| Value::map([("id", id.into()), ("lag", 3.into())]);
        let text = told_value("15s > ", &Value::List(vec![row("pump-0"), row("pump-1")]), Look::default());
        assert_eq!(text, "15s > id      lag\n      pump-0    3\n      pump-1    3\n");
    }

    #[test]
    fn a_tone_is_a_colour_where_there_are_colours() {
        let look = Look { width: None, colors: true };
        assert_eq!(told("", "lost", Tone::Bad, look), "\x1b[1;31mlost\x1b[0m\n");
        assert_eq!(told("", "done", Tone::Plain, look), "done\n");
    }
}
