//! Which variable a name means, and whether anybody reads it.

use crate::check::script::Script;
use crate::language::tree::{Expr, ExprKind, Name, Spot, Stmt};
use std::collections::HashSet;

/// What is known of a script's variables.
#[derive(Default)]
pub(super) struct ScriptVariables {
    /// Where variables were declared that somebody reads.
    read: HashSet<Spot>,
    /// Where names mean what a test is given.
    given: HashSet<Spot>,
    /// Names that mean no variable, in the order in which they were met.
    pub(super) unknown: Vec<UnknownVariable>,
}

/// A name that means no variable.
pub(super) struct UnknownVariable {
    /// What it is called.
    pub(super) name: String,
    /// Where.
    pub(super) at: Spot,
    /// The variables that could have been meant.
    pub(super) visible: Vec<String>,
}

impl ScriptVariables {
    /// Follows every name of `script`.
    pub(super) fn of(script: &Script) -> Self {
        let mut walk = Walk { script, scopes: Vec::new(), is_test: false, found: Self::default() };
        walk.block(&[], &script.parsed.tree.body);
        for function in script.functions() {
            walk.scopes.clear();
            walk.is_test = script.is_test() && function.name.text.starts_with("test_") && function.params.len() == 1;
            walk.block(&function.params, &function.body);
        }
        walk.found
    }

    /// Whether somebody reads the variable that is declared at `at`.
    pub(super) fn is_read(&self, at: Spot) -> bool {
        self.read.contains(&at)
    }

    /// Whether the name at `at` means what a test is given.
    pub(super) fn is_given(&self, at: Spot) -> bool {
        self.given.contains(&at)
    }
}

/// A variable: its name, and where it is declared if a `let` does that.
type Variable = (String, Option<Spot>);

struct Walk<'a> {
    script: &'a Script,
    scopes: Vec<Vec<Variable>>,
    /// Whether a test is being followed: its one parameter is its cluster.
    is_test: bool,
    found: ScriptVariables,
}

impl Walk<'_> {
    fn block(&mut self, names: &[String], stmts: &[Stmt]) {
        self.scopes.push(names.iter().map(|name| (name.clone(), None)).collect());
        for stmt in stmts {
            self.stmt(stmt);
        }
        self.scopes.pop();
    }

    fn declare(&mut self, name: &Name) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.push((name.text.clone(), Some(name.at)));
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Let { name, value, is_exported, .. } => {
                self.expr(value);
                self.declare(name);
                if *is_exported {
                    self.found.read.insert(name.at);
                }
            }
            Stmt::Assign { target, value, .. } => {
                match target.variable() {
                    Some(name) => drop(self.meant(name, target.at)),
                    None => self.expr(target),
                }
                self.expr(value);
            }
            Stmt::For { names, over, body, .. } => {
                self.expr(over);
                let names: Vec<String> = names.iter().map(|name| name.text.clone()).collect();
                self.block(&names, body);
            }
            Stmt::Try { body, caught, handler } => {
                self.block(&[], body);
                let caught: Vec<String> = caught.iter().map(|name| name.text.clone()).collect();
                self.block(&caught, handler);
            }
            Stmt::Export { name, .. } => self.use_of(&name.text, name.at),
            other => {
                let (exprs, blocks) = other.parts();
                for expr in exprs {
                    self.expr(expr);
                }
                for block in blocks {
                    self.block(&[], block);
                }
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::Variable { path, name } if path.is_empty() => self.use_of(name, expr.at),
            ExprKind::Closure { params, body } => self.block(params, body),
            ExprKind::Block(body) => self.block(&[], body),
            _ => {
                for part in expr.parts() {
                    self.expr(part);
                }
            }
        }
    }

    fn use_of(&mut self, name: &str, at: Spot) {
        if let Some(Some(declared)) = self.meant(name, at) {
            self.found.read.insert(declared);
        }
    }

    /// The variable that `name` means, with where it was declared. A function's name stands for the function.
    fn meant(&mut self, name: &str, at: Spot) -> Option<Option<Spot>> {
        let depths = self.scopes.iter().enumerate().rev();
        let mut all = depths.flat_map(|(depth, scope)| scope.iter().rev().map(move |variable| (depth, variable)));
        let found = all.find(|(_, (known, _))| known == name).map(|(depth, (_, declared))| (depth, *declared));
        if self.is_test && found == Some((0, None)) {
            self.found.given.insert(at);
        }
        let variables = self.scopes.iter().rev().flat_map(|scope| scope.iter().rev());
        let meant = found.map(|(_, declared)| declared);
        if meant.is_none() && !self.script.defines(name) {
            let visible = variables.map(|(known, _)| known.clone()).collect();
            self.found.unknown.push(UnknownVariable { name: name.to_owned(), at, visible });
        }
        meant
    }
}
