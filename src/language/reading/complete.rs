//! Whether a line of the prompt is whole, or goes on in the next.

use crate::error::Error;
use crate::language::reading::lexer::{TokenKind, tokens};
use crate::language::reading::spot::Spot;
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
pub(crate) enum Scan {
    /// Everything that was opened is closed.
    Closed,
    /// Something is still open that may go on in the next line: a bracket, a template text.
    Open,
    /// A comment is still open, which begins at this byte.
    OpenComment(usize),
    /// A bracket is closed that was not opened, or a text ends with its line.
    Broken,
}

/// Where a comment begins that is not closed: Rhai takes it for the end of the text, and would leave out everything
/// behind it without a word.
pub(crate) fn unclosed_comment(text: &str) -> Option<Position> {
    let Scan::OpenComment(at) = scan(text) else { return None };
    Some(Spot::of(text, at).position())
}

/// What is wrong with a text that has such a comment.
pub(crate) fn not_closed() -> Error {
    Error::invalid("this does not compile: the comment that begins here is not closed")
        .hint("everything behind `/*` would be left out: close it with `*/`")
}

/// Whether a bracket, a template text or a comment of `text` goes on in the next line.
pub fn is_open(text: &str) -> bool {
    matches!(scan(text), Scan::Open | Scan::OpenComment(_))
}

/// Scans `text`. Rhai itself takes an unclosed comment for the end of the text.
pub(crate) fn scan(text: &str) -> Scan {
    let mut open = Vec::new();
    for token in tokens(text) {
        match (token.kind, token.of(text)) {
            (TokenKind::Comment, _) if token.is_open => return Scan::OpenComment(token.range.start),
            (TokenKind::Text, of) if token.is_open && of.starts_with(['`', '#']) => return Scan::Open,
            (TokenKind::Text, _) if token.is_open => return Scan::Broken,
            (TokenKind::Punctuation, bracket @ ("(" | "[" | "{" | "#{")) => open.push(bracket),
            (TokenKind::Punctuation, bracket @ (")" | "]" | "}")) => match (open.pop(), bracket) {
                (Some("("), ")") | (Some("["), "]") | (Some("{" | "#{"), "}") => {}
                _ => return Scan::Broken,
            },
            _ => {}
        }
    }
    if open.is_empty() { Scan::Closed } else { Scan::Open }
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
