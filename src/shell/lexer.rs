//! The words of a line, for colours and completion. What it does not understand is punctuation: it never fails.

use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word of the language.
    Keyword,
    /// Any other word.
    Word,
    /// Text in quotes; the quote at its end may be missing.
    Text,
    /// A number.
    Number,
    /// A comment.
    Comment,
    /// One character, or `#{`.
    Punctuation,
}

/// A piece of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
    /// Whether it goes on beyond the end of the line: an open quote.
    pub(super) is_open: bool,
}

impl Token {
    pub(super) fn of<'t>(&self, text: &'t str) -> &'t str {
        &text[self.range.clone()]
    }
}

/// The words of Rhai that mean something by themselves.
pub(super) const KEYWORDS: [&str; 26] = [
    "as", "break", "catch", "const", "continue", "do", "else", "export", "false", "fn", "for", "if", "import", "in",
    "let", "loop", "private", "return", "switch", "this", "throw", "true", "try", "until", "while", "global",
];

/// The tokens of `text`, white space left out.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let rest = &text[at..];
        let (kind, length, is_open) = match c {
            '"' | '\'' | '`' => quoted(rest, c),
            '/' if rest.starts_with("//") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => comment(rest),
            '#' if rest.starts_with("#{") => (Kind::Punctuation, 2, false),
            c if c.is_ascii_digit() => (Kind::Number, number(rest), false),
            c if c.is_alphabetic() || c == '_' => word(rest),
            c => (Kind::Punctuation, c.len_utf8(), false),
        };
        found.push(Token { kind, range: at..at + length, is_open });
        at += length;
    }
    found
}

fn quoted(rest: &str, quote: char) -> (Kind, usize, bool) {
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, c)) = letters.next() {
        match c {
            '\\' if quote != '`' => drop(letters.next()),
            c if c == quote => return (Kind::Text, at + 1, false),
            '\n' if quote != '`' => return (Kind::Text, at, false),
            _ => {}
        }
    }
    (Kind::Text, rest.len(), true)
}

fn comment(rest: &str) -> (Kind, usize, bool) {
    match rest[2..].find("*/") {
        Some(end) => (Kind::Comment, end + 4, false),
        None => (Kind::Comment, rest.len(), true),
    }
}

fn word(rest: &str) -> (Kind, usize, bool) {
    let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let kind = match KEYWORDS.contains(&&rest[..length]) {
        true => Kind::Keyword,
        false => Kind::Word,
    };
    (kind, length, false)
}

/// Digits with what belongs to them; a dot only if a digit follows, since `1..5` is a range and `5.max(6)` a call.
fn number(rest: &str) -> usize {
    let mut end = 0;
    for (at, c) in rest.char_indices() {
        let next_is_digit = || rest[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => {}
            '.' if next_is_digit() && !rest[..at].contains('.') => {}
            _ => break,
        }
        end = at + c.len_utf8();
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<(Kind, &str)> {
        tokens(text).iter().map(|token| (token.kind, token.of(text))).collect()
    }

    #[test]
    fn a_line_falls_into_its_words() {
        use Kind::{Comment, Keyword, Number, Punctuation, Text, Word};
        assert_eq!(
            seen("let x = p.lag + 1.5; // so"),
            [
                (Keyword, "let"),
                (Word, "x"),
                (Punctuation, "="),
                (Word, "p"),
                (Punctuation, "."),
                (Word, "lag"),
                (Punctuation, "+"),
                (Number, "1.5"),
                (Punctuation, ";"),
                (Comment, "// so"),
            ]
        );
        assert_eq!(seen("1..5")[0], (Number, "1"));
        assert_eq!(seen("#{ü: \"a\\\"b\"}")[3], (Text, "\"a\\\"b\""));
        assert_eq!(seen("'a' /* x */ `two\nlines`").len(), 3);
    }

    #[test]
    fn an_open_quote_goes_to_the_end() {
        let all = tokens("pump(\"pu");
        assert!(all[2].is_open && all[2].kind == Kind::Text);
        assert!(!tokens("\"a\"")[0].is_open);
    }
}
