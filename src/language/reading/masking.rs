//! Texts of scripts without the secrets that stand in them: what is kept of a script, or shown, comes by here.
//!
//! A secret is what `encrypt` is given as a text: directly, through variables, or through functions of the script or its
//! modules that hand an argument on. Everything goes by names, whatever their scope: rather a text too much is hidden
//! than one too few. Nothing here needs a text to compile, since one that does not is kept and shown as well.

use crate::language::functions;
use crate::language::reading::lexer::{Token, TokenKind, deep_tokens, opening, tokens};
use crate::language::reading::spot::{Lines, Spot};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

/// What stands where a secret stood.
pub(crate) const MASK: &str = "***";

/// The function whose argument is a secret.
const ENCRYPT: &str = "encrypt";

/// What is secret in some texts that belong together: a script and its modules, the lines of a command.
#[derive(Clone, Debug, Default)]
pub struct Masking {
    /// Functions beside `encrypt` that hand an argument of theirs on to it.
    takers: BTreeSet<String>,
    /// Variables, constants and fields whose value is a secret, and functions that return one.
    names: BTreeSet<String>,
    /// Those of them that are given a value somewhere.
    set: BTreeSet<String>,
    /// Those of them that are nowhere given one: a secret whose quotes were forgotten.
    bare: BTreeSet<String>,
    /// Whether a secret comes by a way that cannot be followed, so that any text may be one.
    any: bool,
    /// Whether any of the texts encrypts something.
    speaks: bool,
}

impl Masking {
    /// What is secret in these texts.
    pub fn of(texts: &[&str]) -> Self {
        Self::default().with(texts)
    }

    /// What is secret in these texts, and was found to be in earlier ones, which may be gone by now.
    pub fn with(mut self, texts: &[&str]) -> Self {
        let streams: Vec<Stream<'_>> = texts.iter().flat_map(|text| Stream::all(text)).collect();
        self.speaks |= streams.iter().any(Stream::speaks_of_encrypt);
        if !self.speaks {
            return self;
        }
        // Each turn adds a name of the texts, or is the last.
        loop {
            let before = (self.takers.len(), self.names.len(), self.any);
            for stream in &streams {
                drop(self.secrets(stream));
            }
            for name in self.names.clone() {
                streams.iter().for_each(|stream| self.follow(stream, &name));
            }
            if before == (self.takers.len(), self.names.len(), self.any) {
                break;
            }
        }
        let is_set = |name: &&String| streams.iter().any(|stream| stream.gives(name));
        let set: Vec<String> = self.names.iter().filter(is_set).cloned().collect();
        self.set.extend(set);
        self.bare = self.names.difference(&self.set).cloned().collect();
        self
    }

    /// Learns from one more text; whether that may tell something new about earlier ones, which are then to be learnt from again.
    pub fn add(&mut self, text: &str) -> bool {
        let known = |masking: &Self| (masking.speaks, masking.any, masking.takers.len(), masking.names.len());
        let before = known(self);
        *self = std::mem::take(self).with(&[text]);
        before != known(self)
    }

    /// `text`, one of those, with `***` in the place of each secret. Every line stays where it is.
    pub fn masked<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let ranges = self.ranges(text);
        if ranges.is_empty() {
            return Cow::Borrowed(text);
        }
        let (mut masked, mut done) = (String::with_capacity(text.len()), 0);
        for range in ranges {
            masked.push_str(&text[done..range.start]);
            masked.push_str(MASK);
            masked.extend(text[range.clone()].chars().filter(|letter| *letter == '\n'));
            done = range.end;
        }
        masked.push_str(&text[done..]);
        Cow::Owned(masked)
    }

    /// Whether something of `text`, one of those, is secret.
    pub fn hides(&self, text: &str) -> bool {
        !self.ranges(text).is_empty()
    }

    /// Where in `text`, one of those, secrets begin.
    pub fn secrets_in(&self, text: &str) -> Vec<Spot> {
        let places = Lines::of(text);
        self.ranges(text).into_iter().map(|range| places.spot(range.start)).collect()
    }

    /// What the texts in `text`, one of those, say from which a secret is put together. Where a secret comes by a way that cannot be
    /// followed they are none of these.
    pub fn parts(&self, text: &str) -> Vec<String> {
        if !self.speaks {
            return Vec::new();
        }
        let (mut masking, mut parts) = (self.clone(), Vec::new());
        for stream in Stream::all(text) {
            let ranges: HashSet<_> = masking.followed(&stream, &self.names).into_iter().collect();
            let words = stream.words.iter().filter(|word| ranges.contains(&word.range));
            parts.extend(words.filter_map(|word| word.value(text)));
        }
        parts
    }

    /// Whether there is nothing secret in any of them.
    pub(crate) fn is_silent(&self) -> bool {
        !self.speaks
    }

    /// `message`, which is about `text`, without what is secret in that.
    pub(crate) fn scrubbed(&self, message: &str, text: &str) -> String {
        let secrets = self.ranges(text).into_iter().map(|range| text[range].trim_matches(is_quote).to_owned());
        let long = secrets.filter(|secret| secret.chars().count() > 2);
        long.fold(message.to_owned(), |message, secret| message.replace(&secret, MASK))
    }

    /// Where the secrets in `text` stand, from its beginning to its end.
    fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        if !self.speaks {
            return Vec::new();
        }
        let mut masking = self.clone();
        let mut found: Vec<Range<usize>> = Vec::new();
        for stream in Stream::all(text) {
            found.extend(masking.followed(&stream, &self.names));
            if self.any {
                found.extend(
                    stream.words.iter().filter(|word| word.kind == TokenKind::Text).map(|word| word.range.clone()),
                );
            }
        }
        found.sort_by_key(|range| (range.start, range.end));
        found.dedup_by(|next, first| {
            let overlap = next.start < first.end;
            first.end = if overlap { first.end.max(next.end) } else { first.end };
            overlap
        });
        found
    }

    /// What is secret in `stream` by the names that lead to `encrypt`, and by these names.
    fn followed(&mut self, stream: &Stream<'_>, names: &BTreeSet<String>) -> Vec<Range<usize>> {
        let mut found = self.secrets(stream);
        for name in names {
            let values = stream.values(name);
            found.extend(values.into_iter().flat_map(|value| self.literals(stream, value)));
        }
        found
    }

    fn takes(&self, word: &str) -> bool {
        is_encrypt(word) || self.takers.contains(word)
    }

    /// The secrets that are given to `encrypt`, or to those who hand them on to it.
    fn secrets(&mut self, stream: &Stream<'_>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for at in 0..stream.words.len() {
            if stream.is_name_of_encrypt(at) {
                self.any = true;
            }
            let word = stream.word(at);
            if stream.kind(at) != Some(TokenKind::Word) || !self.takes(word) || stream.before(at, 1) == "fn" {
                continue;
            }
            if stream.before(at, 1) == "."
                && let Some(dot) = at.checked_sub(1)
            {
                let receiver = stream.receiver(dot);
                found.extend(self.literals(stream, receiver));
            }
            let given = match stream.word(at + 1) {
                "(" if self.takers.contains(word) => stream.inside(at + 1),
                "(" => stream.first_argument(at + 1),
                _ => stream.slip(at),
            };
            found.extend(self.literals(stream, given));
        }
        found
    }

    /// The texts among the words `given`, which are a secret; the names among them are of secrets as well.
    fn literals(&mut self, stream: &Stream<'_>, given: Range<usize>) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let mut at = given.start;
        while at < given.end {
            let (word, next) = (stream.word(at), stream.word(at + 1));
            match stream.kind(at) {
                Some(TokenKind::Text | TokenKind::Number) => found.push(stream.words[at].range.clone()),
                _ if stream.is_prose => {}
                Some(TokenKind::Keyword) if word == "this" => self.hand_on(stream, at),
                Some(TokenKind::Word) if stream.is_path(at + 1) => {}
                Some(TokenKind::Word)
                    if next == "(" && functions::names().any(|known| known == word) && !self.takes(word) =>
                {
                    // What a function of ours is asked for is no secret, only what it returns may be.
                    at = stream.closing(at + 1);
                }
                Some(TokenKind::Word) if next == "(" && stream.before(at, 1) == "." => {}
                Some(TokenKind::Word) => {
                    if self.bare.contains(word) {
                        found.push(stream.words[at].range.clone());
                    }
                    self.names.insert(word.to_owned());
                }
                _ => {}
            }
            at += 1;
        }
        found
    }

    /// Where the secret `name` comes from: what it is set to, and who calls the function whose parameter it is.
    fn follow(&mut self, stream: &Stream<'_>, name: &str) {
        for value in stream.values(name) {
            drop(self.literals(stream, value));
        }
        let is_name = |at: &usize| stream.kind(*at) == Some(TokenKind::Word) && stream.word(*at) == name;
        for at in (0..stream.words.len()).filter(is_name) {
            match stream.parameter_of(at) {
                Some(Owner::Function(function)) => drop(self.takers.insert(function.to_owned())),
                Some(Owner::Closure) => self.any = true,
                None => {}
            }
        }
    }

    /// `this` at `at` is a secret: the function that it stands in hands it on.
    fn hand_on(&mut self, stream: &Stream<'_>, at: usize) {
        let function = (0..at).rev().find(|at| stream.word(*at) == "fn").map(|at| stream.word(at + 1));
        match function {
            Some(function) => drop(self.takers.insert(function.to_owned())),
            None => self.any = true,
        }
    }
}

/// `text` with `***` in the place of each secret that stands in it.
pub fn masked(text: &str) -> Cow<'_, str> {
    Masking::of(&[text]).masked(text)
}

/// What the texts in quotes say that stand in `text`, those in its comments among them.
pub fn text_values(text: &str) -> Vec<String> {
    let streams = Stream::all(text).into_iter();
    streams
        .flat_map(|stream| stream.words.into_iter().filter_map(|word| word.value(text)).collect::<Vec<_>>())
        .collect()
}

/// `encrypt`, or a slip of the finger away from it.
fn is_encrypt(word: &str) -> bool {
    const LENGTHS: std::ops::RangeInclusive<usize> = 5..=9;
    const CLOSE: f64 = 0.9;
    let may_be = LENGTHS.contains(&word.len()) && word.starts_with(['e', 'E']);
    word == ENCRYPT || (may_be && strsim::jaro_winkler(&word.to_lowercase(), ENCRYPT) >= CLOSE)
}

fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '#')
}

/// Whose parameter something is.
enum Owner<'t> {
    Function(&'t str),
    Closure,
}

/// The words of a text, its comments left out: those are texts of their own, since a line that was commented out still
/// has its secret.
struct Stream<'t> {
    text: &'t str,
    words: Vec<Token>,
    /// Whether it is a comment: most of its words are prose.
    is_prose: bool,
}

impl<'t> Stream<'t> {
    /// The streams of `text`: its own, and one for each comment.
    fn all(text: &'t str) -> Vec<Self> {
        let (words, comments) = deep_tokens(text);
        let comment = |range: Range<usize>| {
            let begin = (range.start + 2).min(range.end);
            let inside = tokens(&text[begin..range.end]).into_iter();
            let words = inside.map(|token| token.moved(begin)).collect();
            Self { text, words, is_prose: true }
        };
        let comments: Vec<Self> = comments.into_iter().map(comment).collect();
        std::iter::once(Self { text, words, is_prose: false }).chain(comments).collect()
    }

    fn kind(&self, at: usize) -> Option<TokenKind> {
        self.words.get(at).map(|word| word.kind)
    }

    /// The word at `at`; empty where there is none.
    fn word(&self, at: usize) -> &'t str {
        self.words.get(at).map_or("", |word| word.of(self.text))
    }

    /// The word so many before `at`.
    fn before(&self, at: usize, count: usize) -> &'t str {
        at.checked_sub(count).map_or("", |at| self.word(at))
    }

    fn is_path(&self, at: usize) -> bool {
        self.word(at) == ":" && self.word(at + 1) == ":"
    }

    fn speaks_of_encrypt(&self) -> bool {
        (0..self.words.len()).any(|at| {
            self.is_name_of_encrypt(at) || (self.kind(at) == Some(TokenKind::Word) && is_encrypt(self.word(at)))
        })
    }

    /// Whether the text at `at` names the function: `Fn("encrypt")`.
    fn is_name_of_encrypt(&self, at: usize) -> bool {
        self.kind(at) == Some(TokenKind::Text)
            && self.before(at, 2) == "Fn"
            && self.word(at).trim_matches(is_quote) == ENCRYPT
    }

    /// Where the bracket is closed that is opened at `at`; the end where it is not.
    fn closing(&self, at: usize) -> usize {
        let mut depth = 0_usize;
        for (at, _) in self.words.iter().enumerate().skip(at) {
            match self.word(at) {
                "(" | "[" | "{" | "#{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                return at;
            }
        }
        self.words.len()
    }

    fn inside(&self, open: usize) -> Range<usize> {
        open + 1..self.closing(open)
    }

    /// The first argument of the call whose bracket is at `open`; the options are none.
    fn first_argument(&self, open: usize) -> Range<usize> {
        let all = self.inside(open);
        if self.word(all.start) == "#{" {
            return all.start..all.start;
        }
        all.start..self.until(all.start, all.end, &[","])
    }

    /// From `at` to the first of `ends` that stands in no bracket, or to a bracket that is closed.
    fn until(&self, at: usize, end: usize, ends: &[&str]) -> usize {
        let mut at = at;
        while at < end {
            match self.word(at) {
                word if ends.contains(&word) => return at,
                "(" | "[" | "{" | "#{" => at = self.closing(at),
                ")" | "]" | "}" => return at,
                _ => {}
            }
            at += 1;
        }
        end
    }

    /// What a method is called on whose dot is at `dot`.
    fn receiver(&self, dot: usize) -> Range<usize> {
        let mut begin = dot;
        loop {
            let Some(last) = begin.checked_sub(1) else { return begin..dot };
            begin = match self.word(last) {
                ")" | "]" | "}" => opening(|at| self.word(at), last),
                _ => last,
            };
            let is_chained = matches!(self.before(begin, 1), "." | ":")
                || (matches!(self.word(begin), "(" | "[")
                    && begin > 0
                    && is_value(self.kind(begin - 1), self.word(begin - 1)));
            match (is_chained, self.before(begin, 1)) {
                (false, _) => return begin..dot,
                (true, "." | ":") => begin -= 1,
                (true, _) => {}
            }
        }
    }

    /// What stands behind a function that is not called with brackets: `encrypt "x"`, `ctl -cmd encrypt -text x`.
    fn slip(&self, at: usize) -> Range<usize> {
        let is_end = self.is_prose || matches!(self.word(at + 1), "" | ")" | "]" | "}" | "," | ";" | "." | "=" | ":");
        let line_end =
            self.words.get(at).and_then(|word| self.text[word.range.end..].find('\n').map(|n| word.range.end + n));
        let in_line =
            |at: &usize| self.words.get(*at).is_some_and(|word| line_end.is_none_or(|end| word.range.start < end));
        match is_end {
            true => at..at,
            false => at + 1..(at + 1..).take_while(in_line).last().map_or(at + 1, |last| last + 1),
        }
    }

    /// What `name` is set to, wherever that is: as a variable, a constant or a field; what it goes through in a `for`; and
    /// what it returns as a function.
    fn values(&self, name: &str) -> Vec<Range<usize>> {
        let end = self.words.len();
        let is_name = |at: &usize| self.kind(*at) == Some(TokenKind::Word) && self.word(*at) == name;
        let value = |at: usize| match (self.word(at + 1), self.word(at + 2)) {
            ("=", "=") | (":", ":") => None,
            ("=", _) => Some(at + 2..self.until(at + 2, end, &[";"])),
            ("+", "=") => Some(at + 3..self.until(at + 3, end, &[";"])),
            (":", _) => Some(at + 2..self.until(at + 2, end, &[",", ";"])),
            ("in", _) if self.before(at, 1) == "for" => Some(at + 2..self.until(at + 2, end, &["{"])),
            ("(", _) if self.before(at, 1) == "fn" => Some(self.inside(self.closing(at + 1) + 1)),
            _ => None,
        };
        (0..end).filter(is_name).filter_map(value).collect()
    }

    /// Whether `name` is declared or set here, as whatever.
    fn gives(&self, name: &str) -> bool {
        let is_name = |at: &usize| self.kind(*at) == Some(TokenKind::Word) && self.word(*at) == name;
        let is_declared = |at: usize| {
            matches!(self.before(at, 1), "let" | "const" | "for" | "as" | "catch" | ".")
                || self.before(at, 2) == "catch"
        };
        !self.values(name).is_empty()
            || (0..self.words.len()).filter(is_name).any(|at| is_declared(at) || self.parameter_of(at).is_some())
    }

    /// The function or closure whose parameter the word at `at` is, as it is declared.
    fn parameter_of(&self, at: usize) -> Option<Owner<'t>> {
        let is_list = |at: &usize| self.kind(*at) == Some(TokenKind::Word) || self.word(*at) == ",";
        let left = (0..at).rev().find(|at| !is_list(at))?;
        let right = (at + 1..self.words.len()).find(|at| !is_list(at))?;
        match (self.word(left), self.word(right)) {
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

/// Whether what stands there is a value, on which an index or a call follows.
fn is_value(kind: Option<TokenKind>, word: &str) -> bool {
    matches!(kind, Some(TokenKind::Word | TokenKind::Text | TokenKind::Number)) || matches!(word, ")" | "]" | "}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_encrypt_is_given_is_masked() {
        for (text, kept) in [
            (r#"encrypt("hush")"#, "encrypt(***)"),
            (
                r#"let x = encrypt ( "hush" , #{ force: ["public_key"] });"#,
                r#"let x = encrypt ( *** , #{ force: ["public_key"] });"#,
            ),
            (r#""hush".encrypt()"#, "***.encrypt()"),
            (r#"("hu" + "sh").encrypt(#{})"#, "(*** + ***).encrypt(#{})"),
            ("encrypt(\"hush", "encrypt(***"),
            ("encrypt(\n`hu\nsh`\n)", "encrypt(\n***\n\n)"),
            ("encrypt(`a${ \"hush\" }b`)", "encrypt(***${ *** }***"),
            ("`is ${encrypt(`hush`)}`", "`is ${encrypt(***)}`"),
            ("encrypt('hush')", "encrypt(***)"),
            (r##"encrypt(#"hu"sh"#)"##, "encrypt(***)"),
            ("encrypt(hush)", "encrypt(***)"),
            ("encrypt(4711)", "encrypt(***)"),
            (
                r#"encrpyt("hush"); Encrypt("hush"); encript("hush"); ecnrypt("hush"); encypt("hush")"#,
                "encrpyt(***); Encrypt(***); encript(***); ecnrypt(***); encypt(***)",
            ),
            (r#"encrypt "hush""#, "encrypt ***"),
            ("// encrypt(\"hush\") was it", "// encrypt(***) was it"),
            ("/* encrypt(\"hush\") */ 1", "/* encrypt(***) */ 1"),
            (r#"if true { encrypt("hush".replace("s", "z")) }"#, "if true { encrypt(***.replace(***, ***)) }"),
        ] {
            assert_eq!(masked(text).trim_end_matches([')']), kept.trim_end_matches([')']), "{text}");
            assert!(Masking::of(&[text]).hides(text), "{text}");
        }
    }

    #[test]
    fn a_secret_is_followed_to_where_it_stands() {
        for text in [
            r#"let pw = "hush"; encrypt(pw)"#,
            r#"const PW = "hush"; encrypt(global::PW)"#,
            r#"let pw = ""; pw += "hush"; pw.encrypt()"#,
            r#"let a = #{ user: "root", pw: "hush" }; encrypt(a.pw)"#,
            r#"fn enc(text) { encrypt(text) } enc("hush")"#,
            r#"fn enc(a) { if a { lib::deeper(1, a) } } fn deeper(n, b) { encrypt(b) } enc("hush")"#,
            r#"fn enc() { encrypt(this) } "hush".enc()"#,
            r#"fn secret() { "hush" } encrypt(secret())"#,
            r#"for pw in ["hush", "husk"] { encrypt(pw) }"#,
            r#"["hush"].map(|pw| encrypt(pw))"#,
            r#"let f = Fn("encrypt"); f.call("hush")"#,
            r#"["hush"].map(Fn("encrypt"))"#,
            r#"["x", "hush"][1].trim().encrypt()"#,
            "ctl -cmd encrypt -text hush",
        ] {
            assert!(!masked(text).contains("hush"), "{text}: {}", masked(text));
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "encrypt()",
            "encrypt(#{ force: [\"public_key\"] })",
            "help(\"encrypt\")",
            "encode(1)",
            "// Encrypts a text, as encrypt(text) does: see encrypt \"x\"",
            "pumps()",
            "let pw = param(\"pw\", #{ type: \"secret\", about: \"of root\" }); pause_pump(\"pump-1\"); encrypt(pw)",
            "encrypt(param(\"pw\", #{ type: \"secret\" }), #{ force: [\"public_key\"] }); confirm(\"done?\")",
            "let encrypt = 1; print(encrypt)",
            "entry(\"pump-1\"); empty(\"x\"); expect(\"y\"); encoded(\"z\")",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn a_module_that_encrypts_makes_secrets_of_what_it_is_given() {
        let module = r#"fn seal(text) { encrypt(text) }"#;
        let script = r#"import "m" as m; m::seal("hush"); print("loud")"#;
        let masking = Masking::of(&[module, script]);
        assert_eq!(masking.masked(script), r#"import "m" as m; m::seal(***); print("loud")"#);
        assert_eq!(masking.masked(module), module);
    }

    #[test]
    fn a_message_about_a_text_says_no_secret_of_it() {
        let text = "encrypt('hush')";
        assert_eq!(Masking::of(&[text]).scrubbed("write \"hush\"", text), "write \"***\"");
    }
}
