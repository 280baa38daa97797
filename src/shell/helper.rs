//! What rustyline asks while somebody types: candidates, hints, colours, and whether an entry is whole.

use super::colors::colored;
use super::complete::{Candidate, MARKS, candidates, signature_hint, that_fit};
use super::prompt_line::PromptLine;
use super::tall::{Window, rows_above, window};
use super::{DotCommand, PromptHost};
use crate::output::screen;
use crate::text::drives_the_terminal;
use rustyline::completion::{Completer, Pair};
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::{Hint, Hinter};
use rustyline::history::SearchDirection;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Context, Helper};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Asks the host what it knows, key by key.
pub(super) struct Prompter {
    pub(super) host: Rc<RefCell<dyn PromptHost>>,
    pub(super) commands: Rc<RefCell<Vec<DotCommand>>>,
    pub(super) colors: bool,
    /// The prompt that stands before the entry.
    pub(super) prompt: RefCell<PromptLine>,
    /// What of an entry is drawn that is taller than the screen.
    window: Cell<Option<Window>>,
    /// The candidate that is written last, and how many rows have to be left free below it: the line editor draws the entry
    /// anew where it believes it to stand, over so many of the rows that the list has just taken.
    last: RefCell<Option<(String, usize)>>,
}

/// What two blanks or more lie between, as the line editor writes candidates.
const BETWEEN: usize = 2;

/// Which of `pairs` the line editor writes last: it writes them row by row, in columns that go down.
fn written_last(pairs: &[Pair], columns: usize) -> Option<&Pair> {
    let widest = pairs.iter().map(|pair| pair.display.width()).max()? + BETWEEN;
    let beside = (columns / widest.min(columns).max(1)).max(1);
    let rows = pairs.len().div_ceil(beside);
    pairs.chunks(rows).rev().find_map(|column| column.get(rows - 1))
}

/// What all of `pairs` put into the line before it has to be chosen.
fn in_common(pairs: &[Pair]) -> &str {
    let Some((first, others)) = pairs.split_first() else { return "" };
    let shared = |end: &usize| others.iter().all(|pair| pair.replacement.get(..*end) == first.replacement.get(..*end));
    let ends = first.replacement.char_indices().map(|(at, _)| at).chain([first.replacement.len()]);
    &first.replacement[..ends.filter(shared).max().unwrap_or(0)]
}

impl Prompter {
    pub(super) fn new(host: Rc<RefCell<dyn PromptHost>>, commands: Rc<RefCell<Vec<DotCommand>>>, colors: bool) -> Self {
        Self { host, commands, colors, prompt: RefCell::default(), window: Cell::new(None), last: RefCell::default() }
    }

    /// How many columns are left behind the end of `line` in its row. A hint that goes on in the next row would stay there.
    fn room(&self, line: &str) -> usize {
        let last = line.rsplit('\n').next().unwrap_or(line);
        let before = if last.len() == line.len() { self.prompt.borrow().width() } else { 0 };
        let columns = screen().1;
        columns - (before + last.width()) % columns - 1
    }

    /// Looks how much of the entry fits on the screen.
    fn look(&self, line: &str, cursor: usize) -> Option<Window> {
        let found = window(line, cursor, self.prompt.borrow().width(), screen());
        self.window.set(found);
        found
    }
}

/// Shown behind the cursor.
pub(super) struct Shown {
    text: String,
    /// What is put into the line when it is taken.
    taken: Option<String>,
}

impl Hint for Shown {
    fn display(&self) -> &str {
        &self.text
    }

    fn completion(&self) -> Option<&str> {
        self.taken.as_deref()
    }
}

/// The line as it may be drawn: what would drive the terminal is a sign of as many bytes, so that every place stays where it is.
fn tame(line: &str) -> Cow<'_, str> {
    if !line.contains(drives_the_terminal) {
        return line.into();
    }
    let sign = |letter: char| match (drives_the_terminal(letter), letter.len_utf8()) {
        (false, _) => letter,
        (true, 1) => '?',
        (true, 2) => '¿',
        (true, _) => char::REPLACEMENT_CHARACTER,
    };
    line.chars().map(sign).collect::<String>().into()
}

/// As much of `text` as has room, with a sign where something is left out.
fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut used = 1;
    let fits = text.chars().take_while(|letter| {
        used += letter.width().unwrap_or(0);
        used <= room
    });
    let fits: String = fits.collect();
    if fits.is_empty() { fits } else { fits + "…" }
}

impl Completer for Prompter {
    type Candidate = Pair;

    fn complete(&self, line: &str, pos: usize, _ctx: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        let vocabulary = self.host.borrow().vocabulary();
        let (start, found) = candidates(&line[..pos], &vocabulary, &self.commands.borrow());
        let (rows, columns) = screen();
        let prompt = self.prompt.borrow().width();
        let above = rows_above(line, prompt, columns);
        // As many as fit above the entry without scrolling it away.
        let found = that_fit(&line[start..pos], found, (rows.saturating_sub(3 + above).max(1), columns));
        // A quote that stands behind the cursor already is not put in once more.
        let pair = |Candidate { shown, text }: Candidate| {
            let is_there = text.ends_with('"') && line[pos..].starts_with('"');
            let replacement = if is_there { text[..text.len() - 1].to_owned() } else { text };
            Pair { display: shown, replacement }
        };
        let pairs: Vec<Pair> = found.into_iter().map(pair).collect();
        let put = in_common(&pairs);
        let word = if put.len() > pos - start { put } else { &line[start..pos] };
        let above = rows_above(&format!("{}{word}{}", &line[..start], &line[pos..]), prompt, columns);
        *self.last.borrow_mut() = written_last(&pairs, columns).map(|last| (last.display.clone(), above));
        Ok((start, pairs))
    }
}

impl Hinter for Prompter {
    type Hint = Shown;

    /// The signature of the call that is typed; else how an entry of the history goes on.
    fn hint(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Option<Shown> {
        if pos != line.len() || line.is_empty() || self.look(line, pos).is_some() {
            return None;
        }
        let room = self.room(line);
        if let Some(text) = signature_hint(line, &self.host.borrow().vocabulary()) {
            return Some(Shown { text: cut(&text, room), taken: None });
        }
        let last = ctx.history().len().checked_sub(1)?;
        let found = ctx.history().starts_with(line, last, SearchDirection::Reverse).ok()??;
        let rest = found.entry.get(line.len()..).filter(|rest| !rest.is_empty() && !rest.contains('\n'))?;
        // Without colours it is told from what was typed by signs.
        let shown = tame(rest);
        let text = if self.colors { shown.into_owned() } else { format!("{}{shown}{}", MARKS.0, MARKS.1) };
        Some(Shown { text: cut(&text, room), taken: Some(rest.to_owned()) })
    }
}

impl Highlighter for Prompter {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        let part = self.window.get().map_or(0..line.len(), |window| window.from..window.to);
        match (tame(line), self.colors && !line.is_empty()) {
            (Cow::Borrowed(line), false) => Cow::Borrowed(&line[part]),
            (Cow::Owned(line), false) => Cow::Owned(line[part].to_owned()),
            (line, true) => Cow::Owned(colored(&line, part, Some(pos), &self.host.borrow().vocabulary())),
        }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, default: bool) -> Cow<'b, str> {
        if !default {
            return Cow::Borrowed(prompt);
        }
        // The part of an entry that does not begin with it has no room for the prompt.
        match self.window.get() {
            Some(window) if window.from > 0 => Cow::Borrowed(""),
            _ => {
                let now = self.host.borrow().prompt_now(&self.prompt.borrow());
                Cow::Owned(now.shown(self.colors))
            }
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.colors {
            true => Cow::Owned(format!("\x1b[2m{hint}\x1b[0m")),
            false => Cow::Borrowed(hint),
        }
    }

    fn highlight_candidate<'c>(&self, candidate: &'c str, _: CompletionType) -> Cow<'c, str> {
        match &*self.last.borrow() {
            Some((last, above)) if last == candidate && *above > 0 => {
                Cow::Owned(format!("{candidate}{}", "\n".repeat(*above)))
            }
            _ => Cow::Borrowed(candidate),
        }
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        let is_tall = self.look(line, pos).is_some();
        // Brackets that belong together are seen when the cursor moves, too.
        let at = |at: usize| line.as_bytes().get(at).is_some_and(|byte| b"()[]{}".contains(byte));
        is_tall || kind != CmdKind::MoveCursor || (self.colors && (at(pos) || at(pos.wrapping_sub(1))))
    }
}

impl Validator for Prompter {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        let is_command = super::dot_command(text).is_some() || super::asked(text).is_some();
        Ok(match !is_command && self.host.borrow().is_incomplete(text) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Helper for Prompter {}
