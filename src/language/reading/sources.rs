//! The texts that run: the script, its modules, and every line of the prompt.
//!
//! An error names a source and a position; people want the file and the line itself. Rhai names the wrong source for a
//! closure that fails inside another file's function, so the functions of every source are kept as well.

use crate::error::{Error, Place, ScriptError};
use crate::language::reading::masking::Masking;
use crate::text::BYTE_ORDER_MARK;
use rhai::{AST, Position};
use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;
use std::rc::Rc;

/// A text to run.
#[derive(Clone, Debug)]
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
}

/// All sources of an interpreter, the newest last.
#[derive(Default)]
pub(crate) struct Sources {
    known: RefCell<Vec<Rc<Known>>>,
    /// What is secret in so many of them.
    masking: RefCell<(usize, Masking)>,
}

impl Sources {
    /// Keeps `source` and returns the key by which Rhai shall call it.
    pub(crate) fn add(&self, source: Source) -> String {
        let mut known = self.known.borrow_mut();
        let key = format!("{}#{}", source.name, known.len());
        known.push(Rc::new(Known { key: key.clone(), source, functions: HashSet::new() }));
        key
    }

    /// Notes which functions the source `key` defines, closures included.
    pub(crate) fn compiled(&self, key: &str, ast: &AST) {
        let mut known = self.known.borrow_mut();
        if let Some(entry) = known.iter_mut().rev().find(|known| known.key == key) {
            let functions = ast.iter_functions().map(|function| function.name.to_owned()).collect();
            *entry = Rc::new(Known { key: entry.key.clone(), source: entry.source.clone(), functions });
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
        let known = self.known.borrow();
        if self.masking.borrow().0 != known.len() {
            let texts: Vec<&str> = known.iter().map(|known| known.source.text.as_str()).collect();
            *self.masking.borrow_mut() = (known.len(), Masking::of(&texts));
        }
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
