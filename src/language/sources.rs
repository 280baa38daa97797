//! The texts that run: the script, its modules, and every line of the prompt.
//!
//! An error names a source and a position; people want the file and the line itself. Rhai names the wrong source for a
//! closure that fails inside another file's function, so the functions of every source are kept as well.

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
    pub(super) fn code(&self) -> std::borrow::Cow<'_, str> {
        if !self.text.starts_with("#!") {
            return (&self.text).into();
        }
        let end = self.text.find('\n').unwrap_or(self.text.len());
        self.text[end..].to_owned().into()
    }
}

/// One source as it is kept.
pub(super) struct Known {
    /// What Rhai calls it.
    pub(super) key: String,
    /// The source itself.
    pub(super) source: Source,
    functions: HashSet<String>,
}

/// All sources of an interpreter, the newest last.
#[derive(Default)]
pub(super) struct Sources {
    known: RefCell<Vec<Rc<Known>>>,
}

impl Sources {
    /// Keeps `source` and returns the key by which Rhai shall call it.
    pub(super) fn add(&self, source: Source) -> String {
        let mut known = self.known.borrow_mut();
        let key = format!("{}#{}", source.name, known.len());
        known.push(Rc::new(Known { key: key.clone(), source, functions: HashSet::new() }));
        key
    }

    /// Notes which functions the source `key` defines, closures included.
    pub(super) fn compiled(&self, key: &str, ast: &AST) {
        let mut known = self.known.borrow_mut();
        if let Some(entry) = known.iter_mut().rev().find(|known| known.key == key) {
            let functions = ast.iter_functions().map(|function| function.name.to_owned()).collect();
            *entry = Rc::new(Known { key: entry.key.clone(), source: entry.source.clone(), functions });
        }
    }

    /// The source called `key`.
    pub(super) fn get(&self, key: &str) -> Option<Rc<Known>> {
        self.known.borrow().iter().rev().find(|known| known.key == key).cloned()
    }

    /// The keys of all sources, the newest last.
    pub(super) fn keys(&self) -> Vec<String> {
        self.known.borrow().iter().map(|known| known.key.clone()).collect()
    }

    /// The directory that imports of the source `key` are relative to.
    pub(super) fn root(&self, key: &str) -> Option<PathBuf> {
        self.get(key).and_then(|known| known.source.root.clone())
    }

    /// The source whose function `name` is, where Rhai says `said` and the caller is `caller`.
    pub(super) fn defining(&self, name: &str, said: &str, caller: &str) -> String {
        let known = self.known.borrow();
        let defines = |known: &&Rc<Known>| known.functions.contains(name);
        let found = known.iter().rev().find(|known| known.key == said).filter(defines);
        let found = found.or_else(|| known.iter().rev().find(defines));
        found.map_or_else(|| caller.to_owned(), |known| known.key.clone())
    }
}

impl Known {
    /// The line at `position`, if the source has one there.
    pub(super) fn line(&self, position: Position) -> Option<&str> {
        let line = self.source.text.lines().nth(position.line()?.checked_sub(1)?)?;
        let column = position.position().unwrap_or(0);
        (column <= line.chars().count() + 1).then_some(line)
    }
}
