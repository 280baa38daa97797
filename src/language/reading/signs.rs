//! Signs that mean nothing to the language: what others begin comments with, operators of other languages, what a word
//! processor or a chat makes of quotes and dashes.
//!
//! The compiler often blames what stands before such a sign. None of them stands in a script that compiles.

use crate::error::Error;
use crate::language::reading::lexer::{Token, TokenKind, deep_tokens};
use crate::language::reading::spot::Spot;
use rhai::Position;

/// A sign, and what to write instead.
pub(crate) struct Sign {
    /// The error that names it.
    pub(crate) error: Error,
    /// Where it stands.
    pub(crate) at: Position,
}

/// Of ASCII: the longer before the shorter that it begins with.
const ASCII: [(&str, &str); 25] = [
    ("<!--", "a comment begins with `//`"),
    ("--", "a comment begins with `//`; one less is `x -= 1`, and a minus before a number stands apart: `a - -1`"),
    ("++", "one more is `x += 1`"),
    ("===", "equal is `==`"),
    ("!==", "not equal is `!=`"),
    ("<>", "not equal is `!=`"),
    ("=<", "at most is `<=`"),
    (":=", "a variable is made with `let x = 1`, and set with `x = 2`"),
    ("<-", "a variable is set with `x = 2`; less than a negative number is `x < -1`"),
    ("->", "a function is `fn add(a, b) { a + b }`, one without a name `|a, b| a + b`"),
    ("&&&", "and is `&&`"),
    ("|||", "or is `||`"),
    ("...", "a range is `0..10`, or `0..=10` with its end"),
    ("(*", "a comment begins with `//`, or stands between `/*` and `*/`"),
    ("*)", "a comment begins with `//`, or stands between `/*` and `*/`"),
    ("::<", "a function takes no types"),
    ("?.", ""),
    ("??", ""),
    ("?[", ""),
    ("?", "a choice is `if a { b } else { c }`; what may be missing is asked with `??` or `?.`"),
    ("#{", ""),
    ("#", "a comment begins with `//`"),
    ("$", "a variable is named without it; in a text between backquotes `${x}` stands for its value"),
    ("@", "a variable or function is named without it"),
    ("~", "not is `!`; a path or a pattern is a text, between double quotes"),
];

/// Of ASCII, which means something in texts only.
const BACKSLASH: &str = "a backslash means something in texts only; a line goes on in the next without one";

const QUOTES: &str = "“”„‟«»″＂「」『』〝〞〟";
const SINGLE_QUOTES: &str = "‘’‚‛‹›′´＇｀";
const DASHES: &str = "–—―−‐‑‒⁃﹣－";

/// What looks like a sign of the language, and which.
const LIKENESSES: [(&str, &str); 28] = [
    ("×✕✖∗⁎﹡＊", "*"),
    ("÷∕⁄／", "/"),
    ("≤⩽≦", "<="),
    ("≥⩾≧", ">="),
    ("≠≢", "!="),
    ("≡", "=="),
    ("＝﹦", "="),
    ("＋﹢", "+"),
    ("％﹪", "%"),
    ("∧", "&&"),
    ("∨", "||"),
    ("＆", "&"),
    ("｜∣", "|"),
    ("¬！﹗", "!"),
    ("？﹖", "?"),
    ("＜﹤", "<"),
    ("＞﹥", ">"),
    ("（﹙", "("),
    ("）﹚", ")"),
    ("［【〔", "["),
    ("］】〕", "]"),
    ("｛﹛", "{"),
    ("｝﹜", "}"),
    ("，、﹐", ","),
    ("；\u{37e}﹔", ";"),
    ("：﹕∶", ":"),
    ("．。·", "."),
    ("…‥", ".."),
];

/// The sign in `code` that the compiler stumbled over at `at`: one before that place, there, or right behind the word
/// there.
pub(crate) fn foreign(code: &str, at: Position) -> Option<Sign> {
    let (words, _) = deep_tokens(code);
    let end = offset(code, at).unwrap_or(code.len());
    // The word that is blamed, and the next one.
    let last = words.iter().find(|word| word.range.start > end).map_or(code.len(), |next| next.range.start);
    let before = words.iter().take_while(|word| word.range.start <= last);
    let (offset, length, hint) = before.into_iter().find_map(|word| in_word(code, word))?;
    let sign = &code[offset..offset + length];
    Some(Sign {
        error: Error::invalid(format!("{} means nothing here", shown(sign))).hint(hint),
        at: Spot::of(code, offset).position(),
    })
}

/// Where in `word` such a sign begins, how long it is, and what to write instead.
fn in_word(code: &str, word: &Token) -> Option<(usize, usize, String)> {
    let begin = word.range.start;
    match word.kind {
        TokenKind::Text | TokenKind::Comment => None,
        TokenKind::Word | TokenKind::Number | TokenKind::Keyword => {
            let (at, letter) = word.of(code).char_indices().find(|(_, letter)| !letter.is_ascii())?;
            Some((begin + at, letter.len_utf8(), beyond_ascii(letter)))
        }
        TokenKind::Punctuation => {
            let rest = &code[begin..];
            let letter = rest.chars().next()?;
            if !letter.is_ascii() || letter.is_ascii_control() {
                return Some((begin, letter.len_utf8(), beyond_ascii(letter)));
            }
            if letter == '\\' {
                return Some((begin, 1, BACKSLASH.to_owned()));
            }
            // `??` and the like are two tokens here: the second is no sign of its own.
            let is_second = begin > 0 && letter == '?' && code[..begin].ends_with('?');
            let (sign, hint) = ASCII.into_iter().find(|(sign, _)| rest.starts_with(sign))?;
            (!hint.is_empty() && !is_second).then(|| (begin, sign.len(), hint.to_owned()))
        }
    }
}

/// What to write instead of a letter beyond ASCII.
fn beyond_ascii(letter: char) -> String {
    if QUOTES.contains(letter) {
        return "a text stands between straight double quotes: \"text\"".into();
    }
    if SINGLE_QUOTES.contains(letter) {
        return "a text stands between straight double quotes, \"text\", or between backquotes, `text`".into();
    }
    if DASHES.contains(letter) {
        return "minus is `-`; a text with a dash stands between double quotes".into();
    }
    if letter == '＃' {
        return "a comment begins with `//`".into();
    }
    if let Some((_, meant)) = LIKENESSES.into_iter().find(|(all, _)| all.contains(letter)) {
        return format!("write `{meant}`");
    }
    match letter {
        '→' | '⇒' | '←' | '⇐' => {
            "a function is `fn add(a, b) { a + b }`, one without a name `|a, b| a + b`".into()
        }
        letter if is_unseen(letter) => "it cannot be seen: delete it".into(),
        letter if letter.is_alphanumeric() => {
            "names have letters from a to z, digits and `_`; a text stands between double quotes".into()
        }
        _ => "a text stands between double quotes".into(),
    }
}

/// A sign as it is named: one that looks like another, or like nothing, with its number.
fn shown(sign: &str) -> String {
    match sign.chars().next() {
        Some(letter) if is_unseen(letter) => format!("the sign U+{:04X}", u32::from(letter)),
        Some(letter) if !letter.is_ascii() => format!("`{sign}` (U+{:04X})", u32::from(letter)),
        _ => format!("`{sign}`"),
    }
}

/// Whether nothing is seen where it stands.
fn is_unseen(letter: char) -> bool {
    let is_joiner = matches!(letter, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
    is_joiner || letter.is_control() || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}')
}

/// Where `at` is in `code`, in bytes.
fn offset(code: &str, at: Position) -> Option<usize> {
    let line = match at.line()?.checked_sub(2) {
        None => 0,
        Some(before) => code.match_indices('\n').nth(before)?.0 + 1,
    };
    let column = at.position().unwrap_or(1).saturating_sub(1);
    code.get(line..)?.char_indices().map(|(at, _)| line + at).chain([code.len()]).nth(column)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::reading::dialect;
    use rhai::Engine;

    /// The sign that is named for `code`, which does not compile, where it stands, and what is said.
    fn named(engine: &Engine, code: &str) -> Option<(usize, String, String)> {
        let error = engine.compile(code).err()?;
        let sign = foreign(code, error.position())?;
        Some((sign.at.position()?, sign.error.message, sign.error.hint.unwrap_or_default()))
    }

    /// Code, the column of the sign in it, its name, and a part of the hint.
    const CASES: &[(&str, usize, &str, &str)] = &[
        ("print(1) # done", 10, "`#`", "`//`"),
        ("# done", 1, "`#`", "`//`"),
        ("print # done", 7, "`#`", "`//`"),
        ("pause_pump # done", 12, "`#`", "`//`"),
        ("#!/bin/sh", 1, "`#`", "`//`"),
        ("-- comment", 1, "`--`", "`//`"),
        ("print(1) -- comment", 10, "`--`", "`//`"),
        ("<!-- comment -->", 1, "`<!--`", "`//`"),
        ("(* comment *)", 1, "`(*`", "`//`"),
        ("let x = 1; x++", 13, "`++`", "x += 1"),
        ("let x = 1; x--", 13, "`--`", "x -= 1"),
        ("$x", 1, "`$`", "without it"),
        ("print($x)", 7, "`$`", "without it"),
        ("${x}", 1, "`$`", "${x}"),
        ("@x", 1, "`@`", "without it"),
        ("~/x", 1, "`~`", "double quotes"),
        ("a \\ b", 3, "`\\`", "texts only"),
        ("true ? 1 : 2", 6, "`?`", "if a { b } else { c }"),
        ("a ?? b ? c", 8, "`?`", "if a"),
        ("let x := 3", 7, "`:=`", "let x = 1"),
        ("x === 3", 3, "`===`", "`==`"),
        ("x !== 3", 3, "`!==`", "`!=`"),
        ("x <> 3", 3, "`<>`", "`!=`"),
        ("x =< 3", 3, "`=<`", "`<=`"),
        ("x <- 3", 3, "`<-`", "x = 2"),
        ("x -> 3", 3, "`->`", "fn add"),
        ("a &&& b", 3, "`&&&`", "`&&`"),
        ("a ||| b", 3, "`|||`", "`||`"),
        ("0...3", 2, "`...`", "0..10"),
        ("f::<int>(1)", 2, "`::<`", "no types"),
        ("print(“text”)", 7, "`“` (U+201C)", "\"text\""),
        ("print(‘text’)", 7, "`‘` (U+2018)", "\"text\""),
        ("print(«text»)", 7, "`«` (U+00AB)", "\"text\""),
        ("pump-1 – 2", 8, "`–` (U+2013)", "`-`"),
        ("1 − 2", 3, "`−` (U+2212)", "`-`"),
        ("1 × 2", 3, "`×` (U+00D7)", "`*`"),
        ("1 ≤ 2", 3, "`≤` (U+2264)", "`<=`"),
        ("1 ≠ 2", 3, "`≠` (U+2260)", "`!=`"),
        ("print（1）", 6, "`（` (U+FF08)", "`(`"),
        ("print(1)；", 9, "`；` (U+FF1B)", "`;`"),
        ("[1，2]", 3, "`，` (U+FF0C)", "`,`"),
        ("＃ note", 1, "`＃` (U+FF03)", "`//`"),
        ("print(1)\u{37e}", 9, "(U+037E)", "`;`"),
        ("1..…", 4, "`…` (U+2026)", "`..`"),
        ("x → 1", 3, "`→` (U+2192)", "fn add"),
        ("let ä = 1", 5, "`ä` (U+00E4)", "from a to z"),
        ("раuse_pump(1)", 1, "`р` (U+0440)", "from a to z"),
        ("let x１ = 1", 6, "`１` (U+FF11)", "from a to z"),
        ("1 € 2", 3, "`€` (U+20AC)", "double quotes"),
        ("pri\u{200b}nt(1)", 4, "U+200B", "delete it"),
        ("print(1)\u{feff}", 9, "U+FEFF", "delete it"),
        ("\u{202e}print(1)", 1, "U+202E", "delete it"),
        ("print(1) \u{1b}", 10, "U+001B", "delete it"),
        ("`${a # b}`", 6, "`#`", "`//`"),
    ];

    #[test]
    fn a_sign_is_named_where_it_stands_with_what_to_write_instead() {
        let engine = dialect::reading(false);
        for (code, column, sign, instead) in CASES.iter().copied() {
            let Some((at, message, hint)) = named(&engine, code) else { unreachable!("{code}: nothing is named") };
            assert_eq!(at, column, "{code}: {message}");
            assert!(message.contains(sign), "{code}: {message}");
            assert!(hint.contains(instead), "{code}: {hint}");
        }
    }

    #[test]
    fn every_sign_of_ascii_that_the_language_does_not_know_is_named_and_no_other() {
        let engine = dialect::reading(false);
        for sign in ('!'..='~').filter(|sign| !sign.is_ascii_alphanumeric()) {
            let code = format!("let x = 1;\nx {sign} 2");
            let is_known = "!\"%&'()*+,-./:;<=>[]^_`{|}".contains(sign);
            match named(&engine, &code) {
                Some((column, message, _)) => assert!(!is_known && column == 3, "{code}: {message}"),
                None => assert!(is_known, "{code}: nothing is named"),
            }
        }
        for all in [QUOTES, SINGLE_QUOTES, DASHES].into_iter().chain(LIKENESSES.map(|(all, _)| all)) {
            for sign in all.chars() {
                let named = named(&engine, &format!("let x = 1;\nx {sign} 2"));
                assert!(named.is_some_and(|(column, message, _)| column == 3 && message.contains(sign)), "{sign}");
            }
        }
    }

    #[test]
    fn what_stands_in_a_script_that_compiles_is_no_such_sign() {
        for (name, text) in crate::language::stdlib() {
            let (words, _) = deep_tokens(text);
            let found: Vec<_> = words.iter().filter_map(|word| in_word(text, word)).collect();
            assert!(found.is_empty(), "{name}: {found:?}");
        }
        let text =
            "let a = #{ b: 1 }; a?.b ?? 2; a?[\"b\"]; 'x'; \"# $ ü “\"; `- ${a?.b} #`; 1..=3; x -= -1; !!true // # é";
        let (words, _) = deep_tokens(text);
        assert!(words.iter().all(|word| in_word(text, word).is_none()));
        assert!(dialect::reading(false).compile(text).is_ok());
    }

    #[test]
    fn a_fault_before_a_sign_is_told_first() {
        let engine = dialect::reading(false);
        assert!(named(&engine, "let = 1;\nprint(2); # done").is_none());
        assert!(named(&engine, "print(1;\n# done").is_none_or(|(_, message, _)| message.contains('#')));
    }
}
