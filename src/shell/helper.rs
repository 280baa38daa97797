//! What rustyline asks while somebody types: candidates, hints, colours.

use super::Host;
use super::complete::{candidates, signature_hint};
use crate::language::lexer::{Kind, tokens};
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::validate::Validator;
use rustyline::{Context, Helper};
use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

/// Asks the host what it knows, key by key.
pub(super) struct Prompter {
    pub(super) host: Rc<RefCell<dyn Host>>,
    pub(super) commands: Vec<String>,
}

/// Shown behind the cursor, and never put into the line.
pub(super) struct Signature(String);

impl Hint for Signature {
    fn display(&self) -> &str {
        &self.0
    }

    fn completion(&self) -> Option<&str> {
        None
    }
}

impl Completer for Prompter {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _ctx: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let vocabulary = self.host.borrow().vocabulary();
        let (start, found) = candidates(&line[..pos], &vocabulary, &self.commands);
        let pair =
            |candidate: super::complete::Candidate| Pair { display: candidate.shown, replacement: candidate.text };
        Ok((start, found.into_iter().map(pair).collect()))
    }
}

impl Hinter for Prompter {
    type Hint = Signature;

    fn hint(&self, line: &str, pos: usize, _ctx: &Context<'_>) -> Option<Signature> {
        let at_the_end = pos == line.len() && !line.is_empty();
        at_the_end.then(|| signature_hint(line, &self.host.borrow().vocabulary())).flatten().map(Signature)
    }
}

impl Highlighter for Prompter {
    fn highlight<'l>(&self, line: &'l str, _pos: usize) -> Cow<'l, str> {
        Cow::Owned(colored(line))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _default: bool) -> Cow<'b, str> {
        Cow::Owned(format!("\x1b[1;32m{prompt}\x1b[0m"))
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        Cow::Owned(format!("\x1b[2m{hint}\x1b[0m"))
    }

    fn highlight_char(&self, _line: &str, _pos: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

impl Validator for Prompter {}

impl Helper for Prompter {}

/// Keywords, texts, numbers, comments and calls in colours; every other character as it is.
fn colored(line: &str) -> String {
    let all = tokens(line);
    let mut shown = String::with_capacity(line.len() * 2);
    let mut end = 0;
    for (at, token) in all.iter().enumerate() {
        let is_call = || all.get(at + 1).is_some_and(|next| next.of(line) == "(");
        let color = match token.kind {
            Kind::Keyword => "35",
            Kind::Text => "32",
            Kind::Number => "33",
            Kind::Comment => "2",
            Kind::Word if is_call() => "36",
            Kind::Word | Kind::Punctuation => "",
        };
        shown.push_str(&line[end..token.range.start]);
        match color {
            "" => shown.push_str(token.of(line)),
            color => shown.push_str(&format!("\x1b[{color}m{}\x1b[0m", token.of(line))),
        }
        end = token.range.end;
    }
    shown + &line[end..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_no_character() {
        for line in ["let p = pumps(); // all", "  \"open", "x  +`a\nb` ü"] {
            let mut plain = colored(line);
            for color in ["35", "32", "33", "2", "36", "0"] {
                plain = plain.replace(&format!("\x1b[{color}m"), "");
            }
            assert_eq!(plain, line);
        }
        assert_eq!(colored("pumps()"), "\x1b[36mpumps\x1b[0m()");
    }
}
