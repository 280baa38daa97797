//! The words and comments of a text: what Rhai's tree forgets.

use super::{Name, Spot};

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
    let mut reader = Reader { rest: text.chars().peekable(), at: Spot { line: 1, column: 1 }, is_alone: true };
    let mut found = Words::default();
    // For every `${` the depth of braces at which it ends.
    let mut templates: Vec<usize> = Vec::new();
    let mut braces = 0;
    let mut follows_fn = false;
    while let Some((letter, at)) = reader.next() {
        let alone = reader.is_alone;
        reader.is_alone = alone && letter.is_whitespace();
        match letter {
            '\n' => reader.is_alone = true,
            '"' | '\'' => reader.skip_text(letter),
            '`' if reader.skip_template() => {
                templates.push(braces);
                braces += 1;
            }
            '{' => braces += 1,
            '}' => {
                braces = braces.saturating_sub(1);
                if templates.last() == Some(&braces) {
                    templates.pop();
                    if reader.skip_template() {
                        templates.push(braces);
                        braces += 1;
                    }
                }
            }
            '/' if reader.rest.peek() == Some(&'/') => {
                let text = format!("/{}", reader.rest_of_line());
                found.comments.push(Comment { at, text, is_alone: alone });
            }
            '/' if reader.rest.peek() == Some(&'*') => reader.skip_comment(),
            letter if letter.is_alphabetic() || letter == '_' => {
                let word = reader.word(letter);
                let is_fn = word == "fn";
                match (follows_fn, reader.next_is_dot()) {
                    // `fn Type.name()`: the name is still to come.
                    (true, true) => continue,
                    (true, false) => found.functions.push(Name { text: word, at }),
                    (false, _) => {}
                }
                follows_fn = is_fn;
            }
            '(' => follows_fn = false,
            _ => {}
        }
    }
    found
}

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    at: Spot,
    is_alone: bool,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<(char, Spot)> {
        let letter = self.rest.next()?;
        let at = self.at;
        self.at = match letter {
            '\n' => Spot { line: at.line + 1, column: 1 },
            _ => Spot { column: at.column + 1, ..at },
        };
        Some((letter, at))
    }

    fn next_if(&mut self, wanted: char) -> bool {
        let is_there = self.rest.peek() == Some(&wanted);
        if is_there {
            self.next();
        }
        is_there
    }

    /// Skips the rest of a text in quotes; one that is not closed ends with its line.
    fn skip_text(&mut self, quote: char) {
        while self.rest.peek().is_some_and(|letter| *letter != '\n') {
            match self.next() {
                Some(('\\', _)) => drop(self.next()),
                Some((letter, _)) if letter == quote => return,
                _ => {}
            }
        }
    }

    /// Skips a text in backticks up to its end, or up to the expression in it: then true.
    fn skip_template(&mut self) -> bool {
        while let Some((letter, _)) = self.next() {
            match letter {
                '`' if !self.next_if('`') => return false,
                '$' if self.next_if('{') => return true,
                _ => {}
            }
        }
        false
    }

    fn rest_of_line(&mut self) -> String {
        let mut text = String::new();
        while self.rest.peek().is_some_and(|letter| *letter != '\n') {
            text.extend(self.next().map(|(letter, _)| letter));
        }
        text.trim_end().to_owned()
    }

    /// Skips the rest of a comment behind its slash; it may hold others.
    fn skip_comment(&mut self) {
        self.next();
        let mut depth = 1;
        while let Some((letter, _)) = self.next() {
            match letter {
                '/' if self.next_if('*') => depth += 1,
                '*' if self.next_if('/') => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn word(&mut self, first: char) -> String {
        let mut word = String::from(first);
        while self.rest.peek().is_some_and(|letter| letter.is_alphanumeric() || *letter == '_') {
            word.extend(self.next().map(|(letter, _)| letter));
        }
        word
    }

    fn next_is_dot(&mut self) -> bool {
        self.rest.peek() == Some(&'.')
    }
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
