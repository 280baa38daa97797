//! Lines that tell one thing after the other: a narrow head, and text that is wrapped beside it.

use super::Format;
use super::render::{Look, render};
use crate::text::on_lines;
use crate::value::Value;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// How much a line matters. Only where there are colours does it show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As any other.
    Plain,
    /// It begins or ends something.
    Strong,
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
            Self::Note => Some("36"),
            Self::Faint => Some("2"),
            Self::Odd => Some("33"),
            Self::Bad => Some("1;31"),
        }
    }
}

/// Fewer columns than this are no place for text: then the terminal may wrap it as it likes.
const NARROW: usize = 24;

/// The head and the text beside it, wrapped to the width of the terminal, each line with its end.
pub fn told(head: &str, text: &str, tone: Tone, look: Look) -> String {
    let indent = head.width();
    let room = look.width.map(usize::from).and_then(|width| width.checked_sub(indent)).filter(|room| *room >= NARROW);
    let text = on_lines(text);
    let mut whole = String::new();
    let mut head = on_lines(head).into_owned();
    for line in text.lines().flat_map(|line| wrapped(line, room)) {
        let line = format!("{head}{line}");
        whole += &match tone.code().filter(|_| look.colors) {
            Some(code) => format!("\x1b[{code}m{line}\x1b[0m\n"),
            None => format!("{}\n", line.trim_end()),
        };
        head = " ".repeat(indent);
    }
    whole
}

/// The head and a value beside it, as a table that fits.
pub(super) fn told_value(head: &str, value: &Value, look: Look) -> String {
    let indent = head.width();
    let width = look.width.map(|width| width.saturating_sub(u16::try_from(indent).unwrap_or(u16::MAX)).max(1));
    let table = render(value, Format::Table, Look { width, ..look });
    let mut whole = String::new();
    let mut head = on_lines(head).into_owned();
    for line in table.lines() {
        whole += &format!("{}\n", format!("{head}{line}").trim_end());
        head = " ".repeat(indent);
    }
    whole
}

/// The line in parts of at most `room` columns, cut at spaces where there are some.
fn wrapped(line: &str, room: Option<usize>) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = line;
    while let Some(at) = room.and_then(|room| beyond(rest, room)) {
        let cut = rest[..at].rfind(' ').filter(|cut| *cut > 0);
        parts.push(&rest[..cut.unwrap_or(at)]);
        rest = rest[cut.unwrap_or(at)..].trim_start();
    }
    parts.push(rest);
    parts
}

/// Where the text goes beyond so many columns, if it does.
fn beyond(text: &str, room: usize) -> Option<usize> {
    let mut used = 0;
    let too_far = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > room
    });
    // A space just beyond is where a line ends anyway.
    too_far.map(|(at, c)| if c == ' ' { at + 1 } else { at }).filter(|_| text.width() > room)
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
        assert_eq!(plain(Some(20), text), format!("1m04s - {text}\n"));
        assert_eq!(plain(Some(80), "a\nb\x1b[1m"), "1m04s - a\n        b\\u{1b}[1m\n");
        for width in 32..60 {
            let lines = plain(Some(width), text);
            assert!(lines.lines().all(|line| line.width() <= usize::from(width)), "{width}: {lines}");
            let words: Vec<&str> = lines.split_whitespace().skip(2).collect();
            assert_eq!(words.join(" "), text);
        }
    }

    #[test]
    fn a_value_stands_beside_its_head() {
        let row = |id: &str| Value::map([("id", id.into()), ("lag", 3.into())]);
        let text = told_value("15s > ", &Value::List(vec![row("pump-0"), row("pump-1")]), Look::default());
        assert_eq!(text, "15s > id      lag\n      pump-0  3\n      pump-1  3\n");
    }

    #[test]
    fn a_tone_is_a_colour_where_there_are_colours() {
        let look = Look { width: None, colors: true };
        assert_eq!(told("", "lost", Tone::Bad, look), "\x1b[1;31mlost\x1b[0m\n");
        assert_eq!(told("", "done", Tone::Plain, look), "done\n");
    }
}
