//! What calls return: of functions of the script, of ours, and of methods.

use super::{DEPTH, PropertyReader, unknown};
use crate::check::script::Script;
use crate::check::types::KnownType;
use crate::language::Returns;
use crate::language::tree::{Expr, ExprKind, Name, ScriptFunction};
use std::rc::Rc;

impl PropertyReader<'_> {
    pub(super) fn call(&mut self, path: &[Name], name: &str, args: &[KnownType]) -> KnownType {
        let script = match path {
            [] => Rc::clone(&self.script),
            _ => match self.script.module_at(path) {
                Ok(Some(module)) => Rc::clone(module),
                _ => return KnownType::Unknown,
            },
        };
        let wanted = |f: &ScriptFunction| f.name.text == name && f.params.len() == args.len();
        match (script.functions().iter().find(|f| wanted(f)), path) {
            (Some(function), _) => self.infer(&script, function),
            (None, []) => self.ours(name, args),
            (None, _) => KnownType::Unknown,
        }
    }

    fn ours(&self, name: &str, args: &[KnownType]) -> KnownType {
        match self.words.ours(name) {
            Some(function) if function.returns == Returns::OfClosure => {
                args.last().cloned().unwrap_or(KnownType::Unknown)
            }
            Some(function) => KnownType::of(function.name, &function.returns),
            None => KnownType::Unknown,
        }
    }

    /// What a function of a script returns, whatever it is given.
    fn infer(&mut self, script: &Rc<Script>, function: &ScriptFunction) -> KnownType {
        let key = std::ptr::from_ref(function);
        if let Some(known) = self.inferred.get(&key) {
            return known.clone();
        }
        if self.inferring.contains(&key) || self.inferring.len() >= DEPTH {
            return KnownType::Unknown;
        }
        self.inferring.push(key);
        let scopes = std::mem::take(&mut self.scopes);
        let returned = std::mem::take(&mut self.returned);
        let around = std::mem::replace(&mut self.script, Rc::clone(script));
        let found = self.found.len();
        let tail = self.block(&unknown(&function.params), &function.body);
        let value = std::mem::replace(&mut self.returned, returned).into_iter().fold(tail, KnownType::or);
        // What is wrong in it is found when it is read for its own sake.
        self.found.truncate(found);
        (self.scopes, self.script) = (scopes, around);
        self.inferring.pop();
        self.inferred.insert(key, value.clone());
        value
    }

    pub(super) fn method(&mut self, receiver: &Expr, name: &str, args: &[Expr]) -> KnownType {
        let of = self.expr(receiver);
        let element = of.element();
        let mut value = KnownType::Unknown;
        for arg in args {
            value = match &arg.kind {
                ExprKind::Closure { params, body } => {
                    let given = closure_takes(name, &element);
                    let types = given.into_iter().chain(std::iter::repeat(KnownType::Unknown));
                    let params: Vec<_> = params.iter().cloned().zip(types).collect();
                    self.block(&params, body)
                }
                _ => self.expr(arg),
            };
        }
        match name {
            "filter" | "extract" | "drain" => KnownType::array(element),
            "map" => KnownType::array(value),
            "find" | "shift" | "pop" => element,
            "keys" => KnownType::array(KnownType::Text),
            _ => self.ours(name, &[]),
        }
    }
}

/// What the closure gets that the method `name` of an array is given.
fn closure_takes(name: &str, element: &KnownType) -> Vec<KnownType> {
    match name {
        "reduce" | "reduce_rev" => vec![KnownType::Unknown, element.clone()],
        "sort" | "order" => vec![element.clone(), element.clone()],
        "map" | "filter" | "find" | "find_map" | "some" | "all" | "retain" | "drain" | "index_of" | "dedup" => {
            vec![element.clone()]
        }
        _ => Vec::new(),
    }
}
