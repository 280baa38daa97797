//! What the lines of the prompt leave to those after them, and nothing more of them: of a hundred thousand lines a prompt holds no more than
//! its variables, its functions and its imports take.
//!
//! Rhai keeps all of it: a variable that is declared again stands behind the old one, and every text with a function or a closure is one
//! more place in which each call is looked for.

use super::{Interpreter, InterpreterState};
use crate::language::running::reach::{CLOSURE, Text};
use rhai::{Dynamic, FnPtr, GlobalRuntimeState, Module, Scope};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// So many lines that left something are not worth a look.
pub(super) const FEW: usize = 64;

impl Interpreter {
    /// A line is over: lets go of what no later one can come by.
    pub(super) fn forget_what_nobody_can_reach(&mut self) {
        forget_shadowed(&mut self.prompt.scope);
        forget_imported_again(&mut self.prompt.global);
        if self.lines.len() > self.many {
            let needed = needed(&self.prompt, &self.lines);
            self.prompt.global.lib.retain(|module| module.id().is_none_or(|key| needed.contains(key)));
            self.lines.retain(|line| needed.contains(line.key()));
            self.many = (self.lines.len() * 2).max(FEW);
        }
        self.host.sources.forget_lines(|key| self.lines.iter().any(|line| line.key() == key));
    }
}

/// Takes the variables out that others of the same name stand before.
fn forget_shadowed(scope: &mut Scope<'static>) {
    let mut newest: HashMap<&str, usize> = HashMap::new();
    for (at, (name, ..)) in (&*scope).into_iter().enumerate() {
        newest.insert(name, at);
    }
    if newest.len() == scope.len() {
        return;
    }
    let newest: HashSet<usize> = newest.into_values().collect();
    for (at, (name, value, _)) in std::mem::take(scope).into_iter().enumerate() {
        if newest.contains(&at) {
            // A constant stays one, and what closures share is still shared.
            scope.push_dynamic(name, value);
        }
    }
}

/// Takes the modules out whose names mean others by now.
fn forget_imported_again(global: &mut GlobalRuntimeState) {
    let newest: HashMap<_, _> = global.scan_imports_raw().enumerate().map(|(at, (name, _))| (name, at)).collect();
    if newest.len() == global.num_imports() {
        return;
    }
    let kept: Vec<_> = global
        .scan_imports_raw()
        .enumerate()
        .filter(|(at, (name, _))| newest.get(name) == Some(at))
        .map(|(_, (name, module))| (name.clone(), module.clone()))
        .collect();
    global.truncate_imports(0);
    for (name, module) in kept {
        global.push_import(name, module);
    }
}

/// The keys of those `lines` of which something can be called still: a function that no later one replaced, a closure that a variable or
/// such a function holds, a module under its name.
fn needed(state: &InterpreterState, lines: &[Rc<Text>]) -> HashSet<String> {
    let mut needed = HashSet::new();
    let by_key: HashMap<&str, &Rc<Text>> = lines.iter().map(|line| (line.key(), line)).collect();
    let mut closures = closures_in(state);
    let mut replaced = HashSet::new();
    for module in state.global.lib.iter().rev() {
        for signature in signatures(module) {
            let (name, ..) = signature;
            if replaced.insert(signature)
                && let Some(line) = module.id().and_then(|key| by_key.get(key))
            {
                needed.insert(line.key().to_owned());
                closures.extend(line.closures_in(name).map(str::to_owned));
            }
        }
    }
    let mut imported = HashSet::new();
    for line in lines.iter().rev() {
        if line.modules().filter(|module| imported.insert(*module)).count() > 0 {
            needed.insert(line.key().to_owned());
        }
    }
    let mut seen = HashSet::new();
    while let Some(closure) = closures.pop() {
        // Of two texts with the same closure Rhai calls the newer one's.
        let line = lines.iter().rev().find(|line| line.defines(&closure));
        if let Some(line) = line.filter(|_| seen.insert(closure.clone())) {
            needed.insert(line.key().to_owned());
            closures.extend(line.closures_in(&closure).map(str::to_owned));
        }
    }
    needed
}

/// The functions of a text, each by what a call of it is resolved by: name, type of `this`, number of parameters.
fn signatures(module: &Module) -> impl Iterator<Item = (&str, Option<&str>, usize)> {
    let all = module.iter_script_fn_info().filter(|(_, _, name, ..)| !name.starts_with(CLOSURE));
    all.map(|(_, _, name, count, function)| (name, function.this_type.as_deref(), count))
}

/// The names of the closures that the variables and constants hold.
fn closures_in(state: &InterpreterState) -> Vec<String> {
    let mut held = HeldClosures::default();
    for (_, _, value) in state.scope.iter_raw() {
        held.look_into(value);
    }
    if let Some(constants) = &state.global.constants {
        constants.borrow().values().for_each(|value| held.look_into(value));
    }
    held.names
}

/// Closures within values.
#[derive(Default)]
struct HeldClosures {
    names: Vec<String>,
    /// By address, what several share: closures can make a circle of it.
    seen: HashSet<usize>,
}

impl HeldClosures {
    fn look_into(&mut self, value: &Dynamic) {
        // How deep values are nested is bounded (`memory`), and between two lines nobody is changing one.
        if value.is_shared() {
            let Some(shared) = value.read_lock::<Dynamic>() else { return };
            if self.seen.insert(std::ptr::from_ref::<Dynamic>(&shared).addr()) {
                self.look_inside(&shared);
            }
            return;
        }
        self.look_inside(value);
    }

    fn look_inside(&mut self, value: &Dynamic) {
        if let Ok(items) = value.as_array_ref() {
            items.iter().for_each(|item| self.look_into(item));
        } else if let Ok(fields) = value.as_map_ref() {
            fields.values().for_each(|field| self.look_into(field));
        } else if let Some(closure) = value.read_lock::<FnPtr>() {
            self.names.push(closure.fn_name().to_owned());
            closure.iter_curry().for_each(|carried| self.look_into(carried));
        }
    }
}
