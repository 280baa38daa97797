//! An entry in colours. Every character stays as it is.

use super::vocabulary::PromptVocabulary;
use crate::language::lexer::{Token, TokenKind, all_tokens};
use std::ops::Range;

const KEYWORD: &str = "35";
const TEXT: &str = "32";
const NUMBER: &str = "33";
const COMMENT: &str = "2";
/// A function that only looks.
const LOOKS: &str = "36";
/// A function that changes something.
const ACTS: &str = "1;33";
/// A function that nobody knows: most likely it is misspelt.
const UNKNOWN: &str = "4;31";
/// The two brackets that belong together.
const PAIR: &str = "1;7";
/// A bracket that closes what was not opened, or something else.
const WRONG: &str = "1;41";

/// What of `entry` is within `part`, in colours; the cursor is at the byte `cursor`, or nowhere.
pub(super) fn colored(entry: &str, part: Range<usize>, cursor: Option<usize>, vocabulary: &PromptVocabulary) -> String {
    let tokens = all_tokens(entry);
    let brackets = Brackets::of(entry, &tokens, cursor);
    let mut shown = String::with_capacity(part.len() * 2);
    let mut end = part.start;
    for (at, token) in tokens.iter().enumerate() {
        let range = token.range.start.max(part.start)..token.range.end.min(part.end);
        if range.is_empty() {
            continue;
        }
        shown.push_str(&entry[end..range.start]);
        end = range.end;
        match color(entry, &tokens, at, &brackets, vocabulary) {
            "" => shown.push_str(&entry[range]),
            color => shown.push_str(&format!("\x1b[{color}m{}\x1b[0m", &entry[range])),
        }
    }
    shown + &entry[end..part.end]
}

fn color(entry: &str, tokens: &[Token], at: usize, brackets: &Brackets, vocabulary: &PromptVocabulary) -> &'static str {
    let token = &tokens[at];
    match token.kind {
        TokenKind::Keyword => KEYWORD,
        TokenKind::Text => TEXT,
        TokenKind::Number => NUMBER,
        TokenKind::Comment => COMMENT,
        TokenKind::Punctuation if brackets.wrong.contains(&at) => WRONG,
        TokenKind::Punctuation if brackets.pair.is_some_and(|(open, close)| at == open || at == close) => PAIR,
        TokenKind::Punctuation => "",
        TokenKind::Word if tokens.get(at + 1).is_some_and(|next| next.of(entry) == "(") => {
            call(entry, tokens, at, vocabulary)
        }
        TokenKind::Word => "",
    }
}

/// The colour of a function that is called.
fn call(entry: &str, tokens: &[Token], at: usize, vocabulary: &PromptVocabulary) -> &'static str {
    let before = |count: usize| at.checked_sub(count).map_or("", |at| tokens[at].of(entry));
    let name = tokens[at].of(entry);
    match (vocabulary.function(None, name), before(1)) {
        (Some(known), _) if known.acts() => ACTS,
        (Some(_), _) => LOOKS,
        // A method, a module's function, and one that is just being defined are somebody else's.
        (None, "." | ":" | "fn") => LOOKS,
        (None, _) if vocabulary.is_known(name) || is_declared(entry, tokens, name) => LOOKS,
        (None, _) => UNKNOWN,
    }
}

/// Whether the entry itself declares `name`, as a function or a variable.
fn is_declared(entry: &str, tokens: &[Token], name: &str) -> bool {
    let declares = |pair: &[Token]| matches!(pair[0].of(entry), "fn" | "let" | "const") && pair[1].of(entry) == name;
    tokens.windows(2).any(declares)
}

/// The brackets that are worth a colour, by their places among the tokens.
#[derive(Default)]
struct Brackets {
    pair: Option<(usize, usize)>,
    wrong: Vec<usize>,
}

impl Brackets {
    fn of(entry: &str, tokens: &[Token], cursor: Option<usize>) -> Self {
        let (mut open, mut found): (Vec<(usize, &str)>, Self) = Default::default();
        let is_at = |at: usize| {
            let range = &tokens[at].range;
            cursor.is_some_and(|cursor| range.start == cursor || range.end == cursor)
        };
        for (at, token) in tokens.iter().enumerate().filter(|(_, token)| token.kind == TokenKind::Punctuation) {
            match token.of(entry) {
                bracket @ ("(" | "[" | "{" | "#{") => open.push((at, bracket)),
                bracket @ (")" | "]" | "}") => match (open.last().copied(), bracket) {
                    (Some((begin, "(")), ")") | (Some((begin, "[")), "]") | (Some((begin, "{" | "#{")), "}") => {
                        open.pop();
                        if is_at(begin) || is_at(at) {
                            found.pair = Some((begin, at));
                        }
                    }
                    _ => found.wrong.push(at),
                },
                _ => {}
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::function;
    use crate::shell::Callable;

    fn vocabulary() -> PromptVocabulary {
        let ours = |name| Callable::ours(function(name).unwrap());
        PromptVocabulary { functions: ["pumps", "pause_pump"].map(ours).into(), ..PromptVocabulary::default() }
    }

    fn shown(entry: &str, cursor: Option<usize>) -> String {
        colored(entry, 0..entry.len(), cursor, &vocabulary())
    }

    /// `text` without what sets colours.
    fn plain(text: &str) -> String {
        text.split("\x1b[")
            .enumerate()
            .map(|(at, part)| if at == 0 { part } else { &part[part.find('m').unwrap() + 1..] })
            .collect()
    }

    #[test]
    fn colours_change_no_character() {
        for entry in ["let p = pumps(); // all", "  \"open", "x  +`a ${ b(1) }\nb` ü", "pause_pump(\"x\"))"] {
            for cursor in [None, Some(0), Some(entry.len())] {
                assert_eq!(plain(&shown(entry, cursor)), entry);
            }
        }
    }

    #[test]
    fn what_acts_what_looks_and_what_nobody_knows_are_told_apart() {
        assert_eq!(shown("pumps", None), "pumps");
        assert_eq!(shown("pumps()", None), format!("\x1b[{LOOKS}mpumps\x1b[0m()"));
        assert_eq!(shown("pause_pump(", None), format!("\x1b[{ACTS}mpause_pump\x1b[0m("));
        assert_eq!(shown("pmups(", None), format!("\x1b[{UNKNOWN}mpmups\x1b[0m("));
        assert!(!shown("x.pmups(1); a::b(2); fn mine(x) { }", None).contains(UNKNOWN));
        assert!(!shown("fn mine(x) { x } let f = |x| x; mine(f(1));", None).contains(UNKNOWN));
        assert!(shown("`a ${pumps()}`", None).contains(&format!("\x1b[{LOOKS}mpumps")), "an expression in a text");
    }

    #[test]
    fn brackets_that_belong_together_and_a_wrong_one_are_seen() {
        let pair = |letter: &str| format!("\x1b[{PAIR}m{letter}\x1b[0m");
        assert_eq!(shown("[1]", Some(3)), format!("{}\x1b[{NUMBER}m1\x1b[0m{}", pair("["), pair("]")));
        assert_eq!(shown("(]", None), format!("(\x1b[{WRONG}m]\x1b[0m"));
        assert!(!shown("\")\"", Some(3)).contains(WRONG));
    }
}
