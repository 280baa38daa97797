//! The words that the prompt completes with and knows by colour, put together once for each entry.

use crate::commands::compose::Seen;
use crate::language::{Interpreter, LibraryFunction, functions, library_functions, usual_alias};
use crate::shell::{Callable, Namespace, PromptVocabulary};
use std::cell::{Cell, LazyCell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;
use std::sync::PoisonError;

/// Puts them together when something has changed, and keeps them while nothing has.
pub(super) struct PromptWords {
    seen: Seen,
    /// What never changes.
    ours: Vec<Callable>,
    library: LazyCell<Vec<Namespace>>,
    of_rhai: LazyCell<Rc<HashSet<String>>>,
    kept: RefCell<Option<Rc<PromptVocabulary>>>,
    /// The version of what was seen when they were put together.
    version: Cell<u64>,
}

impl PromptWords {
    pub(super) fn new(seen: Seen) -> Self {
        let ours = functions().into_iter().map(Callable::ours).collect();
        let (library, of_rhai) = (LazyCell::new(library as fn() -> _), LazyCell::new(of_rhai as fn() -> _));
        Self { seen, ours, library, of_rhai, kept: RefCell::default(), version: Cell::default() }
    }

    /// An entry may have declared something.
    pub(super) fn forget(&self) {
        self.kept.take();
    }

    pub(super) fn now(&self, interpreter: &Interpreter) -> Rc<PromptVocabulary> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = self.kept.borrow().as_ref().filter(|_| seen.version == self.version.get()) {
            return Rc::clone(kept);
        }
        self.version.set(seen.version);
        let names = interpreter.names();
        let mut known = self.ours.clone();
        let own = names.functions.into_iter().filter(|name| self.ours.iter().all(|known| known.name != *name));
        known.extend(own.map(|name| Callable { signature: format!("{name}("), name, row: None }));
        let imported = names.imported.into_iter().rev().map(|module| Namespace {
            name: module.name,
            functions: module.functions.iter().map(|own| Callable::of_script(&own.name, &own.params)).collect(),
            is_imported: true,
        });
        let now = Rc::new(PromptVocabulary {
            functions: known,
            variables: names.variables,
            modules: names.modules,
            namespaces: imported.chain(self.library.iter().cloned()).collect(),
            nodes: seen.nodes.iter().cloned().collect(),
            of_rhai: Rc::clone(&self.of_rhai),
        });
        *self.kept.borrow_mut() = Some(Rc::clone(&now));
        now
    }

    /// The secrets that were used since this was asked last.
    pub(super) fn secrets(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner).secrets)
    }
}

/// The library's modules under their usual names, as they can be called once they are imported.
fn library() -> Vec<Namespace> {
    let mut all: Vec<Namespace> = Vec::new();
    for LibraryFunction { module, name, params, .. } in library_functions() {
        let (alias, function) = (usual_alias(module), Callable::of_script(name, &params));
        match all.iter_mut().find(|namespace| namespace.name == alias) {
            Some(namespace) => namespace.functions.push(function),
            None => all.push(Namespace { name: alias.to_owned(), functions: vec![function], is_imported: false }),
        }
    }
    all
}

fn of_rhai() -> Rc<HashSet<String>> {
    Rc::new(crate::language::tree::functions_of_rhai().into_iter().map(|(name, _)| name).collect())
}
