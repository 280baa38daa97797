//! The texts that run: the script, its modules, and every line of the prompt.
//!
//! An error names a source and a position; people want the file and the line itself. Rhai names the wrong source for a
//! closure that fails inside another file's function, so the functions of every source are kept as well.

use crate::error::{Error, Place, ScriptError};
use crate::language::reading::masking::Masking;
use crate::text::BYTE_ORDER_MARK;
use rhai::{AST, Position};
use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::path::PathBuf;
use std::rc::Rc;

/// A text to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, or what stands for it: `<-e>`, `<stdin>`, `<prompt>`.
    pub name: String,
    /// The text.
    pub text: String,
    /// The directory that imports are relative to, if the text comes from a file.
    pub root: Option<PathBuf>,
}

impl Source {
    /// A text that comes from no file; a byte order mark is no part of it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let mut text = text.into();
        if text.starts_with(BYTE_ORDER_MARK) {
            text.remove(0);
        }
        Self { name: name.into(), text, root: None }
    }

    /// The text as the compiler takes it: a `#!` line is blank, everything stays on its line.
    pub(crate) fn code(&self) -> std::borrow::Cow<'_, str> {
        if !self.text.starts_with("#!") {
            return (&self.text).into();
        }
        let end = self.text.find('\n').unwrap_or(self.text.len());
        self.text[end..].to_owned().into()
    }
}

/// One source as it is kept.
pub(crate) struct Known {
    /// What Rhai calls it.
    pub(crate) key: String,
    /// The source itself.
    pub(crate) source: Source,
    functions: HashSet<String>,
    /// How many came before it.
    number: usize,
    /// Whether it is a line of the prompt, of which there can be any number.
    is_line: bool,
}

/// How many lines of the prompt are kept whatever they left: what one of them has may prove to be a secret later.
const NEWEST_LINES: usize = 2000;

/// So many more are kept until some are forgotten, since to find out which takes a while.
const MORE_LINES: usize = 200;

/// All sources of an interpreter, the newest last.
#[derive(Default)]
pub(crate) struct Sources {
    known: RefCell<Vec<Rc<Known>>>,
    /// How many there were.
    count: Cell<usize>,
    /// What is secret in the first of them, and how many these are.
    masking: RefCell<(usize, Masking)>,
}

impl Sources {
    /// Keeps `source` and returns the key by which Rhai shall call it.
    pub(crate) fn add(&self, source: Source) -> String {
        self.keep(source, false)
    }

    /// The same for a line of the prompt, which may be forgotten later.
    pub(crate) fn add_line(&self, source: Source) -> String {
        self.keep(source, true)
    }

    /// The same for a module, which may be read for many lines.
    pub(crate) fn add_module(&self, source: Source) -> String {
        let is_it = |known: &&Rc<Known>| !known.is_line && known.source == source;
        let there = self.known.borrow().iter().rev().find(is_it).map(|known| known.key.clone());
        there.unwrap_or_else(|| self.add(source))
    }

    fn keep(&self, source: Source, is_line: bool) -> String {
        let number = self.count.get();
        self.count.set(number + 1);
        let key = format!("{}#{number}", source.name);
        let known = Known { key: key.clone(), source, functions: HashSet::new(), number, is_line };
        self.known.borrow_mut().push(Rc::new(known));
        key
    }

    /// Forgets lines of the prompt, once there are many: all but the newest, those that are needed by what they left, and those
    /// with a secret, for which messages are searched.
    pub(crate) fn forget_lines(&self, is_needed: impl Fn(&str) -> bool) {
        let lines = self.known.borrow().iter().filter(|known| known.is_line).count();
        if lines <= NEWEST_LINES + MORE_LINES {
            return;
        }
        self.mask();
        let masking = self.masking.borrow();
        let mut older = lines - NEWEST_LINES;
        self.known.borrow_mut().retain(|known| {
            let is_old = known.is_line && older > 0;
            older -= usize::from(is_old);
            !is_old || is_needed(&known.key) || masking.1.hides(&known.source.text)
        });
    }

    /// Notes which functions the source `key` defines, closures included.
    pub(crate) fn compiled(&self, key: &str, ast: &AST) {
        let mut known = self.known.borrow_mut();
        if let Some(entry) = known.iter_mut().rev().find(|known| known.key == key) {
            let functions = ast.iter_functions().map(|function| function.name.to_owned()).collect();
            let Known { key, source, number, is_line, .. } = &**entry;
            let (key, source) = (key.clone(), source.clone());
            *entry = Rc::new(Known { key, source, functions, number: *number, is_line: *is_line });
        }
    }

    /// `place`, whose line is of a source, without a secret that stands in it. A column behind one is left out, since the
    /// line is not as long as it was.
    pub(crate) fn shown(&self, place: Place) -> Place {
        self.mask();
        let (known, masking) = (self.known.borrow(), self.masking.borrow());
        let lines_of = |text: &str| text.lines().nth(place.line.saturating_sub(1)).map(str::to_owned);
        let is_its = |known: &&Rc<Known>| {
            known.source.name == place.file && lines_of(&known.source.text).is_some_and(|line| line == place.text)
        };
        let Some(found) = known.iter().rev().filter(|_| !masking.1.is_silent()).find(is_its) else { return place };
        let text = lines_of(&masking.1.masked(&found.source.text)).unwrap_or_default();
        let before = |line: &str, column: usize| line.chars().take(column.saturating_sub(1)).collect::<String>();
        let column = place.column.filter(|column| before(&text, *column) == before(&place.text, *column));
        Place { text, column, ..place }
    }

    /// `text`, which is of a source, without a secret that stands in it.
    pub(crate) fn masked(&self, text: &str) -> String {
        self.mask();
        self.masking.borrow().1.masked(text).into_owned()
    }

    /// `failed`, without a secret that stands in a source.
    pub(crate) fn told(&self, failed: ScriptError) -> ScriptError {
        self.mask();
        if self.masking.borrow().1.is_silent() {
            return failed;
        }
        let shown = |place: Option<Box<Place>>| place.map(|place| Box::new(self.shown(*place)));
        let known = self.known.borrow();
        let scrubbed = |text: String| {
            let masking = &self.masking.borrow().1;
            known.iter().fold(text, |text, known| masking.scrubbed(&text, &known.source.text))
        };
        let Error { message, hint, source, .. } = failed.error.clone();
        let (message, hint, source) = (scrubbed(message), hint.map(scrubbed), source.map(scrubbed));
        let error = Error { message, hint, source, ..failed.error };
        ScriptError { error, place: shown(failed.place), called_from: shown(failed.called_from), ..failed }
    }

    /// Finds out what is secret in the sources that are known by now.
    fn mask(&self) {
        let (known, count) = (self.known.borrow(), self.count.get());
        let mut masking = self.masking.borrow_mut();
        let (seen, learnt) = &mut *masking;
        let new = known.iter().filter(|known| known.number >= *seen);
        if new.filter(|known| learnt.add(&known.source.text)).count() > 0 {
            let texts: Vec<&str> = known.iter().map(|known| known.source.text.as_str()).collect();
            *learnt = std::mem::take(learnt).with(&texts);
        }
        *seen = count;
    }

    /// The source called `key`.
    pub(crate) fn get(&self, key: &str) -> Option<Rc<Known>> {
        self.known.borrow().iter().rev().find(|known| known.key == key).cloned()
    }

    /// The keys of all sources, the newest last.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.known.borrow().iter().map(|known| known.key.clone()).collect()
    }

    /// The directory that imports of the source `key` are relative to.
    pub(crate) fn root(&self, key: &str) -> Option<PathBuf> {
        self.get(key).and_then(|known| known.source.root.clone())
    }

    /// The source whose function `name` is, where Rhai says `said` and the caller is `caller`.
    pub(crate) fn defining(&self, name: &str, said: &str, caller: &str) -> String {
        let known = self.known.borrow();
        let defines = |known: &&Rc<Known>| known.functions.contains(name);
        let found = known.iter().rev().find(|known| known.key == said).filter(defines);
        let found = found.or_else(|| known.iter().rev().find(defines));
        found.map_or_else(|| caller.to_owned(), |known| known.key.clone())
    }
}

impl Known {
    /// The line at `position`, if the source has one there.
    pub(crate) fn line(&self, position: Position) -> Option<&str> {
        let line = self.source.text.lines().nth(position.line()?.checked_sub(1)?)?;
        let column = position.position().unwrap_or(0);
        (column <= line.chars().count() + 1).then_some(line)
    }
}
