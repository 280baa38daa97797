//! Going through a tree when where something stands in it does not matter.

use super::{Expr, ExprKind, Stmt, Tree};

impl Tree {
    /// Shows every statement and expression, those of functions and closures too, to `visit`: what is around comes first.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(Part<'a>)) {
        walk_all(&self.body, visit);
        for function in &self.functions {
            walk_all(&function.body, visit);
        }
    }

    /// Shows every expression to `visit`.
    pub fn exprs<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.walk(&mut |part| {
            if let Part::Expr(expr) = part {
                visit(expr);
            }
        });
    }
}

/// A part of a tree.
#[derive(Clone, Copy, Debug)]
pub enum Part<'a> {
    /// A statement.
    Stmt(&'a Stmt),
    /// An expression.
    Expr(&'a Expr),
}

fn walk_all<'a>(stmts: &'a [Stmt], visit: &mut dyn FnMut(Part<'a>)) {
    for stmt in stmts {
        visit(Part::Stmt(stmt));
        let (exprs, blocks) = stmt.parts();
        for expr in exprs {
            walk_expr(expr, visit);
        }
        for block in blocks {
            walk_all(block, visit);
        }
    }
}

fn walk_expr<'a>(expr: &'a Expr, visit: &mut dyn FnMut(Part<'a>)) {
    visit(Part::Expr(expr));
    for part in expr.parts() {
        walk_expr(part, visit);
    }
    if let ExprKind::Closure { body, .. } | ExprKind::Block(body) = &expr.kind {
        walk_all(body, visit);
    }
}

impl Stmt {
    /// Its own expressions, then its blocks, each in the order in which they stand.
    pub fn parts(&self) -> (Vec<&Expr>, Vec<&[Stmt]>) {
        match self {
            Self::Expr(value) | Self::Let { value, .. } | Self::Import { path: value, .. } => (vec![value], Vec::new()),
            Self::Assign { target, value, .. } => (vec![target, value], Vec::new()),
            Self::If { condition, then, otherwise } => (vec![condition], vec![then, otherwise]),
            Self::Switch { subject, cases } => {
                let cases = cases.iter().flat_map(|(condition, value)| [condition, value]);
                (std::iter::once(subject).chain(cases).collect(), Vec::new())
            }
            Self::While { condition, body, .. } | Self::Do { condition, body, .. } => (vec![condition], vec![body]),
            Self::For { over, body, .. } => (vec![over], vec![body]),
            Self::Block(body) => (Vec::new(), vec![body]),
            Self::Try { body, handler, .. } => (Vec::new(), vec![body, handler]),
            Self::Return(value) | Self::Throw(value) | Self::Leave { value, .. } => {
                (value.iter().collect(), Vec::new())
            }
            Self::Export { .. } => (Vec::new(), Vec::new()),
        }
    }
}

impl Expr {
    /// The expressions in it, in the order in which they are evaluated; not those in its blocks.
    pub fn parts(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Template(parts) | ExprKind::Array(parts) | ExprKind::Operator { operands: parts, .. } => {
                parts.iter().collect()
            }
            ExprKind::Map(fields) => fields.iter().map(|(_, value)| value).collect(),
            ExprKind::Call { args, .. } => args.iter().collect(),
            ExprKind::Method { receiver, args, .. } => std::iter::once(&**receiver).chain(args).collect(),
            ExprKind::Property { receiver, .. } => vec![receiver],
            ExprKind::Index { receiver, index } => vec![receiver, index],
            _ => Vec::new(),
        }
    }

    /// The text, if it is a plain one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The name, if it is a variable of no module.
    pub fn variable(&self) -> Option<&str> {
        match &self.kind {
            ExprKind::Variable { path, name } if path.is_empty() => Some(name),
            _ => None,
        }
    }
}
