//! Texts of scripts without the secrets that stand in them: what is kept of a script, or shown, comes by here.
//!
//! A secret is what `encrypt` is given as a text: directly, through variables, or through functions of the script or its
//! modules that hand an argument on. Everything goes by names, whatever their scope: rather a text too much is hidden
//! than one too few. Nothing here needs a text to compile, since one that does not is kept and shown as well.

use crate::language::functions;
use crate::language::reading::lexer::TokenKind;
use crate::language::reading::spot::{Lines, Spot};
use crate::language::reading::stream::{Owner, Stream, is_encrypt, is_quote};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

/// What stands where a secret stood.
pub(crate) const MASK: &str = "***";

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
        // Each turn adds a name of the texts, or is the last; most texts need two.
        loop {
            let before = (self.takers.len(), self.names.len(), self.any);
            streams.iter().for_each(|stream| self.learn(&mut SecretWalk::over(stream)));
            if before == (self.takers.len(), self.names.len(), self.any) {
                break;
            }
        }
        for stream in &streams {
            let set = stream.names().filter(|name| self.names.contains(*name) && stream.gives(name));
            self.set.extend(set.map(str::to_owned));
        }
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
            let mut walk = SecretWalk::over(&stream);
            masking.learn(&mut walk);
            let found: HashSet<_> = walk.found.into_iter().collect();
            parts.extend(stream.said(|range| found.contains(range)));
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
            let mut walk = SecretWalk::over(&stream);
            masking.learn(&mut walk);
            found.append(&mut walk.found);
            if self.any {
                found.extend(stream.texts());
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

    fn takes(&self, word: &str) -> bool {
        is_encrypt(word) || self.takers.contains(word)
    }

    /// Finds the secrets of a stream: what `encrypt` is given, and those who hand it on, and where that comes from.
    fn learn(&mut self, walk: &mut SecretWalk<'_, '_>) {
        self.any |= walk.stream.names_encrypt();
        walk.fresh = walk.stream.names().filter(|name| self.takes(name) || self.names.contains(*name)).collect();
        while let Some(word) = walk.fresh.pop() {
            if self.takes(word) {
                self.given(walk, word);
            }
            if self.names.contains(word) {
                self.follow(walk, word);
            }
        }
    }

    /// What `taker` is given wherever it is called.
    fn given(&mut self, walk: &mut SecretWalk<'_, '_>, taker: &str) {
        let stream = walk.stream;
        for at in stream.places(taker).filter(|at| stream.before(*at, 1) != "fn") {
            if stream.before(at, 1) == "."
                && let Some(dot) = at.checked_sub(1)
            {
                self.literals(walk, stream.receiver(dot));
            }
            let given = match stream.word(at + 1) {
                "(" if self.takers.contains(taker) => stream.inside(at + 1),
                "(" => stream.first_argument(at + 1),
                _ => stream.slip(at),
            };
            self.literals(walk, given);
        }
    }

    /// The texts among the words `given`, which are a secret; the names among them are of secrets as well.
    fn literals(&mut self, walk: &mut SecretWalk<'_, '_>, given: Range<usize>) {
        let stream = walk.stream;
        let mut at = given.start;
        while at < given.end {
            if let Some(end) = walk.pass(at, given.end) {
                at = end;
                continue;
            }
            let (word, next) = (stream.word(at), stream.word(at + 1));
            match stream.kind(at) {
                Some(TokenKind::Text | TokenKind::Number) => walk.found.push(stream.place(at)),
                _ if stream.is_prose() => {}
                Some(TokenKind::Keyword) if word == "this" => self.hand_on(walk, at),
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
                        walk.found.push(stream.place(at));
                    }
                    if self.names.insert(word.to_owned()) {
                        walk.fresh.push(word);
                    }
                }
                _ => {}
            }
            at += 1;
        }
    }

    /// Where the secret `name` comes from: what it is set to, and who calls the function whose parameter it is.
    fn follow(&mut self, walk: &mut SecretWalk<'_, '_>, name: &str) {
        let stream = walk.stream;
        for at in stream.places(name) {
            if let Some(value) = stream.value(at) {
                self.literals(walk, value);
            }
            match stream.parameter_of(at) {
                Some(Owner::Function(function)) => self.taker(walk, function),
                Some(Owner::Closure) => self.any = true,
                None => {}
            }
        }
    }

    /// `this` at `at` is a secret: the function that it stands in hands it on.
    fn hand_on(&mut self, walk: &mut SecretWalk<'_, '_>, at: usize) {
        match walk.stream.function_around(at) {
            Some(function) => self.taker(walk, function),
            None => self.any = true,
        }
    }

    fn taker<'t>(&mut self, walk: &mut SecretWalk<'_, 't>, function: &'t str) {
        if self.takers.insert(function.to_owned()) {
            walk.fresh.push(function);
        }
    }
}

/// One search of a stream for secrets. What was gone through is not gone through again, so that it takes the time that its
/// words take, however they refer to each other.
struct SecretWalk<'s, 't> {
    stream: &'s Stream<'t>,
    /// For each word how far it was gone through from there; 0 if it was not.
    passed: Vec<usize>,
    /// Names that were found and are not yet followed.
    fresh: Vec<&'t str>,
    /// Where secrets stand.
    found: Vec<Range<usize>>,
}

impl<'s, 't> SecretWalk<'s, 't> {
    fn over(stream: &'s Stream<'t>) -> Self {
        Self { stream, passed: vec![0; stream.len()], fresh: Vec::new(), found: Vec::new() }
    }

    /// Notes that it goes from the word `at` on to `end`; if it did so before, how far it came then.
    fn pass(&mut self, at: usize, end: usize) -> Option<usize> {
        let passed = self.passed.get_mut(at)?;
        let before = *passed;
        *passed = before.max(end);
        (before > at).then_some(before)
    }
}

/// `text` with `***` in the place of each secret that stands in it.
pub fn masked(text: &str) -> Cow<'_, str> {
    Masking::of(&[text]).masked(text)
}

/// What the texts in quotes say that stand in `text`, those in its comments among them.
pub fn text_values(text: &str) -> Vec<String> {
    Stream::all(text).iter().flat_map(|stream| stream.said(|_| true)).collect()
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
