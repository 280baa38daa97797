//! The words and comments of a text: what Rhai's tree forgets.

use super::Name;
use crate::language::reading::lexer::{TokenKind, deep_tokens};
use crate::language::reading::spot::{Lines, Spot};

/// What stands in a text beside its tree.
#[derive(Clone, Debug, Default)]
pub struct Words {
    /// The names behind `fn`, in their order.
    pub functions: Vec<Name>,
    /// Every `//` comment.
    pub comments: Vec<Comment>,
}

/// A comment to the end of its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Where its first slash stands.
    pub at: Spot,
    /// The comment with its slashes.
    pub text: String,
    /// Whether nothing but blanks stands before it on its line.
    pub is_alone: bool,
}

/// Reads `text`. Whatever it is, this comes to an end; where it does not compile, the result is a guess.
pub fn words(text: &str) -> Words {
    let (words, comments) = deep_tokens(text);
    let places = Lines::of(text);
    let functions =
        words.iter().enumerate().filter(|(_, word)| word.kind == TokenKind::Keyword && word.of(text) == "fn");
    let named = functions.filter_map(|(at, _)| {
        // `fn Type.name()`: the type comes first.
        let is_of_type = words.get(at + 2).is_some_and(|dot| dot.of(text) == ".");
        let name = words.get(if is_of_type { at + 3 } else { at + 1 })?;
        let is_name = name.kind == TokenKind::Word;
        is_name.then(|| Name { text: name.of(text).to_owned(), at: places.spot(name.range.start) })
    });
    let lines = comments.into_iter().filter(|range| text[range.clone()].starts_with("//")).map(|range| {
        let (at, is_alone) = (places.spot(range.start), places.before(range.start).trim().is_empty());
        Comment { at, text: text[range].trim_end().to_owned(), is_alone }
    });
    Words { functions: named.collect(), comments: lines.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_functions_and_comments_are_found_and_what_only_looks_so_is_not() {
        let text = "// one\nfn a(x) { `fn b ${ \"fn c // no\" + fn_d } // no` } // two\n/* fn e /* // no */ */ private fn f() {}\nfn Node.g() {}";
        let found = words(text);
        let names: Vec<_> =
            found.functions.iter().map(|name| (name.text.as_str(), name.at.line, name.at.column)).collect();
        assert_eq!(names, [("a", 2, 4), ("f", 3, 35), ("g", 4, 9)]);
        let comments: Vec<_> = found.comments.iter().map(|c| (c.text.as_str(), c.at.line, c.is_alone)).collect();
        assert_eq!(comments, [("// one", 1, true), ("// two", 2, false)]);
    }
}
