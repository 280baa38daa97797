//! The words of a text as the search for secrets asks for them: each question takes the same time, however long the text is.

use super::lexer::{Token, TokenKind, deep_tokens, tokens};
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;

/// The function whose argument is a secret.
const ENCRYPT: &str = "encrypt";

/// `encrypt`, or a slip of the finger away from it.
pub(super) fn is_encrypt(word: &str) -> bool {
    const LENGTHS: std::ops::RangeInclusive<usize> = 5..=9;
    const CLOSE: f64 = 0.9;
    let may_be = LENGTHS.contains(&word.len()) && word.starts_with(['e', 'E']);
    word == ENCRYPT || (may_be && strsim::jaro_winkler(&word.to_lowercase(), ENCRYPT) >= CLOSE)
}

pub(super) fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '#')
}

/// Whose parameter something is.
#[derive(Clone, Copy)]
pub(super) enum Owner<'t> {
    Function(&'t str),
    Closure,
}

/// The words of a text, its comments left out: those are texts of their own, since a line that was commented out still
/// has its secret.
pub(super) struct Stream<'t> {
    text: &'t str,
    words: Vec<Token>,
    /// Whether it is a comment: most of its words are prose.
    is_prose: bool,
    /// Found when it is asked for: most texts speak of no secret.
    shape: OnceCell<StreamShape<'t>>,
}

impl<'t> Stream<'t> {
    /// The streams of `text`: its own, and one for each comment.
    pub(super) fn all(text: &'t str) -> Vec<Self> {
        let (words, comments) = deep_tokens(text);
        let of = |words, is_prose| Self { text, words, is_prose, shape: OnceCell::new() };
        let comment = |range: Range<usize>| {
            let begin = (range.start + 2).min(range.end);
            let inside = tokens(&text[begin..range.end]).into_iter();
            of(inside.map(|token| token.moved(begin)).collect(), true)
        };
        let comments: Vec<Self> = comments.into_iter().map(comment).collect();
        std::iter::once(of(words, false)).chain(comments).collect()
    }

    fn shape(&self) -> &StreamShape<'t> {
        self.shape.get_or_init(|| StreamShape::of(self))
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    pub(super) fn is_prose(&self) -> bool {
        self.is_prose
    }

    pub(super) fn kind(&self, at: usize) -> Option<TokenKind> {
        self.words.get(at).map(|word| word.kind)
    }

    /// The word at `at`; empty where there is none.
    pub(super) fn word(&self, at: usize) -> &'t str {
        self.words.get(at).map_or("", |word| word.of(self.text))
    }

    /// Where the word at `at` stands in the text.
    pub(super) fn place(&self, at: usize) -> Range<usize> {
        self.words.get(at).map_or(0..0, |word| word.range.clone())
    }

    /// The word so many before `at`.
    pub(super) fn before(&self, at: usize, count: usize) -> &'t str {
        at.checked_sub(count).map_or("", |at| self.word(at))
    }

    pub(super) fn is_path(&self, at: usize) -> bool {
        self.word(at) == ":" && self.word(at + 1) == ":"
    }

    /// Where its texts stand.
    pub(super) fn texts(&self) -> impl Iterator<Item = Range<usize>> {
        self.words.iter().filter(|word| word.kind == TokenKind::Text).map(|word| word.range.clone())
    }

    /// What those of its texts say whose place is wanted.
    pub(super) fn said(&self, is_wanted: impl Fn(&Range<usize>) -> bool) -> Vec<String> {
        let wanted = self.words.iter().filter(|word| is_wanted(&word.range));
        wanted.filter_map(|word| word.value(self.text)).collect()
    }

    /// Each name in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &'t str> {
        self.shape().names.keys().copied()
    }

    /// Where the name stands among its words.
    pub(super) fn places(&self, name: &str) -> impl Iterator<Item = usize> {
        self.shape().names.get(name).into_iter().flatten().copied()
    }

    pub(super) fn speaks_of_encrypt(&self) -> bool {
        self.names_encrypt()
            || self.words.iter().any(|word| word.kind == TokenKind::Word && is_encrypt(word.of(self.text)))
    }

    /// Whether a text in it names the function: `Fn("encrypt")`.
    pub(super) fn names_encrypt(&self) -> bool {
        (0..self.words.len()).any(|at| {
            self.kind(at) == Some(TokenKind::Text)
                && self.before(at, 2) == "Fn"
                && self.word(at).trim_matches(is_quote) == ENCRYPT
        })
    }

    /// Where the bracket is closed that is opened at `at`; the end where it is not.
    pub(super) fn closing(&self, at: usize) -> usize {
        self.shape().closes.get(at).copied().unwrap_or(self.words.len())
    }

    pub(super) fn inside(&self, open: usize) -> Range<usize> {
        open + 1..self.closing(open)
    }

    /// The first argument of the call whose bracket is at `open`; the options are none.
    pub(super) fn first_argument(&self, open: usize) -> Range<usize> {
        let all = self.inside(open);
        if self.word(all.start) == "#{" {
            return all.start..all.start;
        }
        all.start..self.until(all.start, End::Argument)
    }

    /// From `at` to the first sign of that kind that stands in no bracket, or to a bracket that is closed.
    fn until(&self, at: usize, end: End) -> usize {
        self.shape().ends[end as usize].get(at).copied().unwrap_or(self.words.len())
    }

    /// What a method is called on whose dot is at `dot`.
    pub(super) fn receiver(&self, dot: usize) -> Range<usize> {
        self.shape().receivers.get(dot).copied().unwrap_or(dot)..dot
    }

    /// What stands behind a function that is not called with brackets: `encrypt "x"`, `ctl -cmd encrypt -text x`.
    pub(super) fn slip(&self, at: usize) -> Range<usize> {
        if self.is_prose || matches!(self.word(at + 1), "" | ")" | "]" | "}" | "," | ";" | "." | "=" | ":") {
            return at..at;
        }
        let lines = &self.shape().lines;
        let line_end = lines.get(lines.partition_point(|end| *end < self.place(at).end));
        let end = line_end.map_or(self.words.len(), |end| self.words.partition_point(|word| word.range.start < *end));
        at + 1..end.max(at + 1)
    }

    /// The name of the function in which the word at `at` stands, or of the last one before it.
    pub(super) fn function_around(&self, at: usize) -> Option<&'t str> {
        let functions = &self.shape().functions;
        let last = functions.partition_point(|function| *function < at).checked_sub(1)?;
        functions.get(last).map(|function| self.word(function + 1))
    }

    /// What the name at `at` is set to there: as a variable, a constant or a field; what it goes through in a `for`; and
    /// what it returns as a function.
    pub(super) fn value(&self, at: usize) -> Option<Range<usize>> {
        match (self.word(at + 1), self.word(at + 2)) {
            ("=", "=") | (":", ":") => None,
            ("=", _) => Some(at + 2..self.until(at + 2, End::Statement)),
            ("+", "=") => Some(at + 3..self.until(at + 3, End::Statement)),
            (":", _) => Some(at + 2..self.until(at + 2, End::Field)),
            ("in", _) if self.before(at, 1) == "for" => Some(at + 2..self.until(at + 2, End::Loop)),
            ("(", _) if self.before(at, 1) == "fn" => Some(self.inside(self.closing(at + 1) + 1)),
            _ => None,
        }
    }

    /// Whether `name` is declared or set here, as whatever.
    pub(super) fn gives(&self, name: &str) -> bool {
        let is_declared = |at: usize| {
            matches!(self.before(at, 1), "let" | "const" | "for" | "as" | "catch" | ".")
                || self.before(at, 2) == "catch"
        };
        self.places(name).any(|at| self.value(at).is_some() || is_declared(at) || self.parameter_of(at).is_some())
    }

    /// The function or closure whose parameter the name at `at` is, as it is declared.
    pub(super) fn parameter_of(&self, at: usize) -> Option<Owner<'t>> {
        let lists = &self.shape().lists;
        let (list, owner) = lists.get(lists.partition_point(|(list, _)| list.end <= at))?;
        list.contains(&at).then_some(*owner)
    }

    /// Whose parameters the names and commas in `list` are.
    fn owner(&self, list: &Range<usize>) -> Option<Owner<'t>> {
        let left = list.start.checked_sub(1)?;
        match (self.word(left), self.word(list.end)) {
            ("(", ")") if self.before(left, 2) == "fn" => Some(Owner::Function(self.word(left - 1))),
            // A method of a type: `fn Node.set(x)`.
            ("(", ")") if self.before(left, 2) == "." && self.before(left, 4) == "fn" => {
                Some(Owner::Function(self.word(left - 1)))
            }
            ("|", "|") => Some(Owner::Closure),
            _ => None,
        }
    }
}

/// Where something ends.
#[derive(Clone, Copy)]
enum End {
    Argument,
    Statement,
    Field,
    Loop,
}

/// The signs that end each of them.
const ENDS: [&[&str]; 4] = [&[","], &[";"], &[",", ";"], &["{"]];

/// How the words of a stream belong together: found once, in the time that they take.
struct StreamShape<'t> {
    /// Where each name stands.
    names: BTreeMap<&'t str, Vec<usize>>,
    /// For each word where the bracket is closed that it opens; itself if it opens none, the end if that is missing.
    closes: Vec<usize>,
    /// For each word the first end from there on.
    ends: [Vec<usize>; 4],
    /// For each word where that begins what it is a dot behind.
    receivers: Vec<usize>,
    /// The words `fn`.
    functions: Vec<usize>,
    /// Lists of parameters, and whose.
    lists: Vec<(Range<usize>, Owner<'t>)>,
    /// Where lines of the text end, in bytes; not for prose, for which nobody asks.
    lines: Vec<usize>,
}

impl<'t> StreamShape<'t> {
    fn of(stream: &Stream<'t>) -> Self {
        let mut names: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in (0..stream.len()).filter(|at| stream.kind(*at) == Some(TokenKind::Word)) {
            names.entry(stream.word(at)).or_default().push(at);
        }
        let (opens, closes) = brackets(stream);
        Self {
            names,
            ends: ENDS.map(|signs| ends(stream, &closes, signs)),
            receivers: receivers(stream, &opens),
            functions: (0..stream.len()).filter(|at| stream.word(*at) == "fn").collect(),
            lists: lists(stream),
            lines: lines(stream),
            closes,
        }
    }
}

fn lines(stream: &Stream<'_>) -> Vec<usize> {
    match stream.is_prose {
        true => Vec::new(),
        false => stream.text.match_indices('\n').map(|(at, _)| at).collect(),
    }
}

/// For each word where its bracket is opened, and where it is closed. Any bracket closes any other.
fn brackets(stream: &Stream<'_>) -> (Vec<usize>, Vec<usize>) {
    let mut opens: Vec<usize> = (0..stream.len()).collect();
    let mut closes = opens.clone();
    let mut open = Vec::new();
    for at in 0..stream.len() {
        match stream.word(at) {
            "(" | "[" | "{" | "#{" => {
                closes[at] = stream.len();
                open.push(at);
            }
            ")" | "]" | "}" => match open.pop() {
                Some(begin) => (opens[at], closes[begin]) = (begin, at),
                None => opens[at] = 0,
            },
            _ => {}
        }
    }
    (opens, closes)
}

/// For each word the first of `signs` from there on that stands in no bracket, or a bracket that is closed; the end without one.
fn ends(stream: &Stream<'_>, closes: &[usize], signs: &[&str]) -> Vec<usize> {
    let mut ends = vec![stream.len(); stream.len()];
    for at in (0..stream.len()).rev() {
        let word = stream.word(at);
        let is_end = signs.contains(&word) || matches!(word, ")" | "]" | "}");
        // Behind a bracket it goes on where that is closed.
        ends[at] = if is_end { at } else { ends.get(closes[at] + 1).copied().unwrap_or(stream.len()) };
    }
    ends
}

/// For each word where the chain of calls, fields and indices begins that ends before it.
fn receivers(stream: &Stream<'_>, opens: &[usize]) -> Vec<usize> {
    let mut receivers: Vec<usize> = Vec::with_capacity(stream.len());
    for at in 0..stream.len() {
        let Some(last) = at.checked_sub(1) else {
            receivers.push(0);
            continue;
        };
        let begin = opens[last];
        let behind = begin.checked_sub(1);
        let is_call = matches!(stream.word(begin), "(" | "[")
            && behind.is_some_and(|behind| is_value(stream.kind(behind), stream.word(behind)));
        receivers.push(match behind {
            Some(link) if matches!(stream.word(link), "." | ":") => receivers[link],
            Some(_) if is_call => receivers[begin],
            _ => begin,
        });
    }
    receivers
}

/// The names and commas between brackets that are parameters.
fn lists<'t>(stream: &Stream<'t>) -> Vec<(Range<usize>, Owner<'t>)> {
    let is_list = |at: usize| stream.kind(at) == Some(TokenKind::Word) || stream.word(at) == ",";
    let mut lists = Vec::new();
    let mut begin = 0;
    for at in 0..=stream.len() {
        if at < stream.len() && is_list(at) {
            continue;
        }
        if begin < at {
            lists.extend(stream.owner(&(begin..at)).map(|owner| (begin..at, owner)));
        }
        begin = at + 1;
    }
    lists
}

/// Whether what stands there is a value, on which an index or a call follows.
fn is_value(kind: Option<TokenKind>, word: &str) -> bool {
    matches!(kind, Some(TokenKind::Word | TokenKind::Text | TokenKind::Number)) || matches!(word, ")" | "]" | "}")
}
