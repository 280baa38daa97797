//! Whether a line of the prompt is whole, or goes on in the next.

use crate::error::Error;
use rhai::Position;

/// What a text at the prompt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// It can run.
    Complete,
    /// It goes on in the next line.
    Incomplete,
    /// It cannot run, and nothing that follows would fix it.
    Invalid,
}

/// What a scan of brackets, texts and comments finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scan {
    /// Everything that was opened is closed.
    Closed,
    /// Something is still open that may go on in the next line: a bracket, a template text.
    Open,
    /// A comment is still open, which begins behind so many characters.
    OpenComment {
        /// How many characters stand before it.
        behind: usize,
    },
    /// A bracket is closed that was not opened, or a text ends with its line.
    Broken,
}

/// Where a comment begins that is not closed: Rhai takes it for the end of the text, and would leave out everything
/// behind it without a word.
pub(super) fn unclosed_comment(text: &str) -> Option<Position> {
    let Scan::OpenComment { behind } = scan(text) else { return None };
    let before: String = text.chars().take(behind).collect();
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    Some(Position::new(u16::try_from(line).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(u16::MAX)))
}

/// What is wrong with a text that has such a comment.
pub(super) fn not_closed() -> Error {
    Error::invalid("this does not compile: the comment that begins here is not closed")
        .hint("everything behind `/*` would be left out: close it with `*/`")
}

/// Scans `text`. Rhai itself takes an unclosed comment for the end of the text.
pub(super) fn scan(text: &str) -> Scan {
    let mut open: Vec<char> = Vec::new();
    let mut rest = text.chars().peekable();
    let mut template = false;
    while let Some(letter) = rest.next() {
        if template {
            match letter {
                '`' if rest.next_if_eq(&'`').is_none() => template = false,
                '$' if rest.next_if_eq(&'{').is_some() => {
                    open.push('$');
                    template = false;
                }
                _ => {}
            }
            continue;
        }
        match letter {
            '`' => template = true,
            '"' | '\'' if !skip_text(&mut rest, letter) => return Scan::Broken,
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|letter| *letter != '\n').is_some() {},
            '/' if rest.next_if_eq(&'*').is_some() => {
                let left = rest.clone().count();
                if !skip_comment(&mut rest) {
                    return Scan::OpenComment { behind: text.chars().count() - left - 2 };
                }
            }
            '(' | '[' | '{' => open.push(letter),
            ')' | ']' | '}' => match (open.pop(), letter) {
                (Some('('), ')') | (Some('['), ']') | (Some('{'), '}') => {}
                (Some('$'), '}') => template = true,
                _ => return Scan::Broken,
            },
            _ => {}
        }
    }
    if open.is_empty() && !template { Scan::Closed } else { Scan::Open }
}

type Letters<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips the rest of a text in quotes; false if it is not closed on its line (a backslash at its end continues it).
fn skip_text(rest: &mut Letters<'_>, quote: char) -> bool {
    while let Some(letter) = rest.next() {
        match letter {
            '\\' => drop(rest.next()),
            '\n' => return false,
            letter if letter == quote => return true,
            _ => {}
        }
    }
    false
}

/// Skips the rest of a comment, which may hold others; false if it is not closed.
fn skip_comment(rest: &mut Letters<'_>) -> bool {
    let mut depth = 1;
    while let Some(letter) = rest.next() {
        match letter {
            '/' if rest.next_if_eq(&'*').is_some() => depth += 1,
            '*' if rest.next_if_eq(&'/').is_some() => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_that_is_not_closed_is_found_where_it_begins() {
        let text = "/* closed */ let a = 1;\nif a { /* open\n b }";
        let at = unclosed_comment(text).unwrap();
        assert_eq!((at.line(), at.position()), (Some(2), Some(8)));
        assert_eq!(unclosed_comment("let b = \"/*\"; // /*"), None);
    }

    #[test]
    fn what_is_open_goes_on() {
        for text in ["pumps(", "step(\"x\", || {", "#{ a: [1,", "let t = `one", "`a ${ b", "1 /* so", "/* a /* b */"] {
            assert_ne!(scan(text), Scan::Closed, "{text}");
        }
    }

    #[test]
    fn brackets_in_texts_and_comments_do_not_count() {
        for text in ["\"(\"", "'['", "`{ ${ \"}\" } {`", "1 // (", "1 /* ( */", "\"a\\\"(\"", "`a`` ( b`"] {
            assert_eq!(scan(text), Scan::Closed, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_mended_is_broken() {
        for text in [")", "(]", "\"open", "let x = \"a\nb\""] {
            assert_eq!(scan(text), Scan::Broken, "{text}");
        }
    }
}
