//! The words of a text, for colours and completion, and to find secrets in it. What it does not understand is
//! punctuation: it never fails.

use rhai::{MultiInputsStream, Position, TokenizeState, parse_string_literal};
use std::ops::Range;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
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
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Whether its end is missing: an open quote or comment.
    pub is_open: bool,
}

impl Token {
    /// Its letters in `text`, which it was found in.
    pub fn of<'t>(&self, text: &'t str) -> &'t str {
        &text[self.range.clone()]
    }

    /// What it says, escapes resolved, if it is a text in `text`, which it was found in.
    pub(crate) fn value(&self, text: &str) -> Option<String> {
        (self.kind == TokenKind::Text).then(|| spoken(self.of(text), self.is_open))
    }

    /// The same token of a longer text, in which so many bytes stand before.
    pub(crate) fn moved(self, bytes: usize) -> Self {
        Self { range: self.range.start + bytes..self.range.end + bytes, ..self }
    }
}

/// The words of Rhai that mean something by themselves.
pub const KEYWORDS: [&str; 26] = [
    "as", "break", "catch", "const", "continue", "do", "else", "export", "false", "fn", "for", "if", "import", "in",
    "let", "loop", "private", "return", "switch", "this", "throw", "true", "try", "until", "while", "global",
];

/// The tokens of `text`, white space left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(token) = next_token(text, at) {
        at = token.range.end;
        found.push(token);
    }
    found
}

/// Where the bracket is opened that is closed at the `close`th of the words that `word` tells; the beginning where it is not.
pub(crate) fn opening<'t>(word: impl Fn(usize) -> &'t str, close: usize) -> usize {
    let mut depth = 0_usize;
    for at in (0..=close).rev() {
        match word(at) {
            ")" | "]" | "}" => depth += 1,
            "(" | "[" | "{" | "#{" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    0
}

/// The tokens of `text`, those of expressions in templates among them, and where its comments stand.
pub(crate) fn deep_tokens(text: &str) -> (Vec<Token>, Vec<Range<usize>>) {
    let (mut words, mut comments) = (Vec::new(), Vec::new());
    let mut reader = DeepReader { text, at: 0, unclosed: Vec::new() };
    while let Some(piece) = reader.piece() {
        match piece {
            DeepPiece::Token(token) if token.kind == TokenKind::Comment => comments.push(token.range),
            DeepPiece::Token(token) => words.push(token),
            DeepPiece::EndOfExpression => {}
        }
    }
    (words, comments)
}

/// The tokens of `text` in their order, comments and those of expressions in templates among them.
pub fn all_tokens(text: &str) -> Vec<Token> {
    let (mut words, comments) = deep_tokens(text);
    words.extend(comments.into_iter().map(|range| Token { kind: TokenKind::Comment, range, is_open: false }));
    words.sort_by_key(|token| token.range.start);
    words
}

/// The first token of `text` from the byte `at` on.
fn next_token(text: &str, at: usize) -> Option<Token> {
    let rest = text[at..].trim_start();
    let at = text.len() - rest.len();
    let (kind, length, is_open) = match rest.chars().next()? {
        c @ ('"' | '\'') => quoted(rest, c),
        BACKQUOTE => template(rest),
        // Of many `#` the first has looked already at what is behind them.
        '#' if !text[..at].ends_with('#') && is_raw_text(rest) => raw_text(rest),
        '/' if rest.starts_with("//") => (TokenKind::Comment, rest.find('\n').unwrap_or(rest.len()), false),
        '/' if rest.starts_with("/*") => comment(rest),
        '#' if rest.starts_with("#{") => (TokenKind::Punctuation, 2, false),
        c if c.is_ascii_digit() => (TokenKind::Number, number(rest), false),
        c if c.is_alphabetic() || c == '_' => word(rest),
        c => (TokenKind::Punctuation, c.len_utf8(), false),
    };
    Some(Token { kind, range: at..at + length, is_open })
}

/// What a text says that is written so; where the language cannot read it, what stands between its quotes.
fn spoken(written: &str, is_open: bool) -> String {
    let marks = written.len() - written.trim_start_matches('#').len();
    let Some(quote) = written[marks..].chars().next().filter(|letter| matches!(letter, '"' | '\'' | '`')) else {
        return template_letters(written.strip_suffix('`').unwrap_or(written));
    };
    let end = format!("{quote}{}", "#".repeat(marks));
    let inside = &written[marks + 1..];
    let inside = if is_open { inside } else { inside.strip_suffix(&end).unwrap_or(inside) };
    match quote {
        _ if marks > 0 => inside.to_owned(),
        '`' => template_letters(inside),
        quote => unescaped(inside, quote).unwrap_or_else(|| inside.to_owned()),
    }
}

/// The letters of a template between expressions, in which a backquote is doubled.
fn template_letters(part: &str) -> String {
    part.replace("``", "`")
}

/// What the language reads between two such quotes.
fn unescaped(inside: &str, quote: char) -> Option<String> {
    let letters = [inside, quote.encode_utf8(&mut [0; 4])].map(str::to_owned);
    let streams = letters.iter().map(|part| part.chars().peekable()).collect();
    let mut stream = MultiInputsStream { buf: [None, None], index: 0, streams };
    let mut state = TokenizeState {
        max_string_len: None,
        next_token_cannot_be_unary: false,
        tokenizer_control: rhai::TokenizerControl::default(),
        comment_level: 0,
        include_comments: false,
        is_within_text_terminated_by: None,
        last_token: None,
    };
    let read = parse_string_literal(&mut stream, &mut state, &mut Position::new(1, 1), quote, false, true, false);
    read.ok().map(|(text, ..)| text.to_string())
}

/// A text in quotes: it ends with its line, unless a backslash stands there; a doubled quote is one of its letters.
fn quoted(rest: &str, quote: char) -> (TokenKind, usize, bool) {
    let mut letters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = letters.next() {
        match c {
            '\\' => drop(letters.next()),
            c if c == quote && letters.peek().is_some_and(|(_, next)| *next == quote) => drop(letters.next()),
            c if c == quote => return (TokenKind::Text, at + 1, false),
            '\n' => return (TokenKind::Text, at, true),
            _ => {}
        }
    }
    (TokenKind::Text, rest.len(), true)
}

/// A text in backquotes, the expressions in it included.
fn template(rest: &str) -> (TokenKind, usize, bool) {
    let mut reader = DeepReader { text: rest, at: 0, unclosed: Vec::new() };
    while reader.piece().is_some() {
        if reader.unclosed.is_empty() {
            return (TokenKind::Text, reader.at, false);
        }
    }
    (TokenKind::Text, rest.len(), true)
}

/// Where the innermost expression begins in which `template`, a text in backquotes without its end, breaks off.
pub(crate) fn open_expression(template: &str) -> Option<usize> {
    let mut reader = DeepReader { text: template, at: 0, unclosed: Vec::new() };
    while reader.piece().is_some() {}
    reader.unclosed.iter().rev().find_map(|unclosed| match unclosed {
        Unclosed::Expression { begins, .. } => Some(*begins),
        Unclosed::Template => None,
    })
}

/// What a text in backquotes begins and ends with; two of them are a letter of it.
const BACKQUOTE: char = '`';

/// What is not closed yet at the place up to which a text was read.
enum Unclosed {
    /// A text in backquotes.
    Template,
    /// An expression in one: where it begins behind its `${`, and how many brackets are open, its own among them.
    Expression { begins: usize, brackets: usize },
}

/// A piece of a text whose templates are looked into.
enum DeepPiece {
    /// A token; of a template the letters between its expressions.
    Token(Token),
    /// The bracket behind an expression.
    EndOfExpression,
}

/// Reads a text with the expressions in its templates, however deep they are nested: what is open is kept here, and not on the stack.
struct DeepReader<'t> {
    text: &'t str,
    at: usize,
    unclosed: Vec<Unclosed>,
}

impl DeepReader<'_> {
    /// The next piece; none at the end.
    fn piece(&mut self) -> Option<DeepPiece> {
        if let Some(Unclosed::Template) = self.unclosed.last() {
            return (self.at < self.text.len()).then(|| self.letters(self.at));
        }
        let begin = self.text.len() - self.text[self.at..].trim_start().len();
        if self.text[begin..].starts_with(BACKQUOTE) {
            self.unclosed.push(Unclosed::Template);
            self.at = begin + BACKQUOTE.len_utf8();
            return Some(self.letters(begin));
        }
        let token = next_token(self.text, begin)?;
        self.at = token.range.end;
        if let Some(Unclosed::Expression { brackets, .. }) = self.unclosed.last_mut() {
            match token.of(self.text) {
                "{" | "#{" => *brackets += 1,
                "}" => *brackets -= 1,
                _ => {}
            }
            if *brackets == 0 {
                self.unclosed.pop();
                return Some(DeepPiece::EndOfExpression);
            }
        }
        Some(DeepPiece::Token(token))
    }

    /// The letters of the template that is open, from `begin` to its next expression or to its end.
    fn letters(&mut self, begin: usize) -> DeepPiece {
        let mut is_open = true;
        let mut end = self.text.len();
        while let Some(letter) = self.text[self.at..].chars().next() {
            let rest = &self.text[self.at..];
            let here = self.at;
            self.at += match letter {
                BACKQUOTE if rest.starts_with("``") => 2,
                BACKQUOTE => {
                    self.unclosed.pop();
                    (end, is_open) = (here + 1, false);
                    1
                }
                '$' if rest.starts_with("${") => {
                    self.unclosed.push(Unclosed::Expression { begins: here + 2, brackets: 1 });
                    (end, is_open) = (here, false);
                    2
                }
                letter => letter.len_utf8(),
            };
            if !is_open {
                break;
            }
        }
        DeepPiece::Token(Token { kind: TokenKind::Text, range: begin..end, is_open })
    }
}

/// `#"`, with any number of `#`.
fn is_raw_text(rest: &str) -> bool {
    rest.trim_start_matches('#').starts_with('"')
}

/// A text between `#"` and `"#`, in which no sign means anything.
fn raw_text(rest: &str) -> (TokenKind, usize, bool) {
    let marks = rest.len() - rest.trim_start_matches('#').len();
    let end = format!("\"{}", "#".repeat(marks));
    match rest[marks + 1..].find(&end) {
        Some(at) => (TokenKind::Text, marks + 1 + at + end.len(), false),
        None => (TokenKind::Text, rest.len(), true),
    }
}

/// A comment between `/*` and `*/`, which may hold others.
fn comment(rest: &str) -> (TokenKind, usize, bool) {
    let (mut at, mut depth) = (2, 1_usize);
    while let Some(c) = rest[at..].chars().next() {
        let behind = &rest[at..];
        at += match c {
            '/' if behind.starts_with("/*") => {
                depth += 1;
                2
            }
            '*' if behind.starts_with("*/") => {
                depth -= 1;
                2
            }
            c => c.len_utf8(),
        };
        if depth == 0 {
            return (TokenKind::Comment, at, false);
        }
    }
    (TokenKind::Comment, rest.len(), true)
}

fn word(rest: &str) -> (TokenKind, usize, bool) {
    let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
    let kind = match KEYWORDS.contains(&&rest[..length]) {
        true => TokenKind::Keyword,
        false => TokenKind::Word,
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

    fn seen(text: &str) -> Vec<(TokenKind, &str)> {
        tokens(text).iter().map(|token| (token.kind, token.of(text))).collect()
    }

    #[test]
    fn a_line_falls_into_its_words() {
        use TokenKind::{Comment, Keyword, Number, Punctuation, Text, Word};
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
        assert_eq!(seen("'a' /* x /* y */ */ `two\nlines`").len(), 3);
    }

    #[test]
    fn a_text_ends_where_the_language_ends_it() {
        for whole in [
            "\"a\"\"b\"",
            "''",
            "\"\"",
            "`a ${ f(\"}`\", `b ${ c } d`) } e`",
            "`a `` b`",
            "#\"a \"b\" c\"#",
            "##\"a \"# b\"##",
            "\"a\\\"b\"",
        ] {
            assert_eq!(seen(&format!("{whole} x")), [(TokenKind::Text, whole), (TokenKind::Word, "x")]);
        }
    }

    /// A template in a template, so many times.
    fn nested(depth: usize) -> String {
        format!("{}1{}", "`${".repeat(depth), "}`".repeat(depth))
    }

    #[test]
    fn templates_nest_as_deep_as_anybody_likes() {
        const DEEP: usize = 200_000;
        let whole = nested(DEEP);
        assert_eq!(seen(&format!("{whole} x")), [(TokenKind::Text, whole.as_str()), (TokenKind::Word, "x")]);
        assert_eq!(deep_tokens(&whole).0.len(), 2 * DEEP + 1);
        let open = "`${".repeat(DEEP);
        assert!(tokens(&open)[0].is_open);
        assert_eq!(open_expression(&open), Some(open.len()));
        assert_eq!(all_tokens(&open).len(), DEEP);
    }

    #[test]
    fn what_stands_in_a_template_is_found_where_it_stands() {
        let text = "`a${ f(`b${x}c`, #{ y: \"}\" }) /* } */ }``${z`";
        let found: Vec<_> = all_tokens(text).iter().map(|token| token.of(text).to_owned()).collect();
        let all = ["`a", "f", "(", "`b", "x", "c`", ",", "#{", "y", ":", "\"}\"", "}", ")", "/* } */", "``", "z", "`"];
        assert_eq!(found, all);
        assert!(all_tokens(text).last().is_some_and(|last| last.is_open));
    }

    #[test]
    fn many_marks_of_raw_texts_are_read_in_the_time_that_their_letters_take() {
        assert_eq!(tokens(&"#".repeat(1_000_000)).len(), 1_000_000);
    }

    #[test]
    fn a_text_says_what_the_language_reads() {
        let engine = rhai::Engine::new_raw();
        for text in [
            r#""a\"b\\c""#,
            r#""a""b""#,
            r#""\x41\u00e9\t'""#,
            "\"a\\\n    b\"",
            "`a``b\\n`",
            "``",
            "\"\"",
            "#\"a\\\"b\"#",
        ] {
            let token = &tokens(text)[0];
            assert_eq!(token.range, 0..text.len(), "{text}");
            assert_eq!(token.value(text), Some(engine.eval::<String>(text).unwrap()), "{text}");
        }
        // What it cannot read is what stands there.
        let value = |text: &str| tokens(text)[0].value(text).unwrap();
        assert_eq!((value(r#""a\q""#).as_str(), value("\"open").as_str(), value("'").as_str()), ("a\\q", "open", ""));
    }

    #[test]
    fn an_open_quote_goes_to_the_end() {
        let all = tokens("pump(\"pu");
        assert!(all[2].is_open && all[2].kind == TokenKind::Text);
        assert!(!tokens("\"a\"")[0].is_open);
    }
}
