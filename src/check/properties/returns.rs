//! What calls return: of functions of the script, of ours, and of methods.

use super::{DEPTH, Reader, unknown};
use crate::check::script::Script;
use crate::check::types::Type;
use crate::language::Returns;
use crate::language::tree::{Expr, ExprKind, Function, Name};
use std::rc::Rc;

impl Reader<'_> {
    pub(super) fn call(&mut self, path: &[Name], name: &str, args: &[Type]) -> Type {
        let script = match path {
            [] => Rc::clone(&self.script),
            _ => match self.script.module_at(path) {
                Ok(Some(module)) => Rc::clone(module),
                _ => return Type::Unknown,
            },
        };
        let wanted = |f: &Function| f.name.text == name && f.params.len() == args.len();
        match (script.functions().iter().find(|f| wanted(f)), path) {
            (Some(function), _) => self.infer(&script, function),
            (None, []) => self.ours(name, args),
            (None, _) => Type::Unknown,
        }
    }

    fn ours(&self, name: &str, args: &[Type]) -> Type {
        match self.words.ours(name) {
            Some(function) if function.returns == Returns::OfClosure => args.last().cloned().unwrap_or(Type::Unknown),
            Some(function) => Type::of(function.name, &function.returns),
            None => Type::Unknown,
        }
    }

    /// What a function of a script returns, whatever it is given.
    fn infer(&mut self, script: &Rc<Script>, function: &Function) -> Type {
        let key = std::ptr::from_ref(function);
        if let Some(known) = self.inferred.get(&key) {
            return known.clone();
        }
        if self.inferring.contains(&key) || self.inferring.len() >= DEPTH {
            return Type::Unknown;
        }
        self.inferring.push(key);
        let scopes = std::mem::take(&mut self.scopes);
        let returned = std::mem::take(&mut self.returned);
        let around = std::mem::replace(&mut self.script, Rc::clone(script));
        let found = self.found.len();
        let tail = self.block(&unknown(&function.params), &function.body);
        let value = std::mem::replace(&mut self.returned, returned).into_iter().fold(tail, Type::or);
        // What is wrong in it is found when it is read for its own sake.
        self.found.truncate(found);
        (self.scopes, self.script) = (scopes, around);
        self.inferring.pop();
        self.inferred.insert(key, value.clone());
        value
    }

    pub(super) fn method(&mut self, receiver: &Expr, name: &str, args: &[Expr]) -> Type {
        let of = self.expr(receiver);
        let element = of.element();
        let mut value = Type::Unknown;
        for arg in args {
            value = match &arg.kind {
                ExprKind::Closure { params, body } => {
                    let given = closure_takes(name, &element);
                    let types = given.into_iter().chain(std::iter::repeat(Type::Unknown));
                    let params: Vec<_> = params.iter().cloned().zip(types).collect();
                    self.block(&params, body)
                }
                _ => self.expr(arg),
            };
        }
        match name {
            "filter" | "extract" | "drain" => Type::array(element),
            "map" => Type::array(value),
            "find" | "shift" | "pop" => element,
            "keys" => Type::array(Type::Text),
            _ => self.ours(name, &[]),
        }
    }
}

/// What the closure gets that the method `name` of an array is given.
fn closure_takes(name: &str, element: &Type) -> Vec<Type> {
    match name {
        "reduce" | "reduce_rev" => vec![Type::Unknown, element.clone()],
        "sort" | "order" => vec![element.clone(), element.clone()],
        "map" | "filter" | "find" | "find_map" | "some" | "all" | "retain" | "drain" | "index_of" | "dedup" => {
            vec![element.clone()]
        }
        _ => Vec::new(),
    }
}
