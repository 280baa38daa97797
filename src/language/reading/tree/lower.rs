//! From Rhai's tree to ours.

use super::{Expr, ExprKind, Name, ScriptFunction, Spot, Stmt, Tree, Words};
use rhai::{
    AST, ASTFlags, ASTNode, Expr as Theirs, FnAccess, FnCallExpr, FnPtr, Ident, Module, Position, ScriptFuncDef,
    Shared, Stmt as TheirStmt, StmtBlock,
};
use std::collections::HashMap;

/// What Rhai calls the function of a closure begins so.
const CLOSURE: &str = "anon$";

/// The tree of `ast`, whose text has these words.
pub(crate) fn lower(ast: &AST, words: &Words) -> Tree {
    let mut closures = HashMap::new();
    let mut named = Vec::new();
    for (_, access, name, _, function) in ast.shared_lib().iter_script_fn_info() {
        match name.starts_with(CLOSURE) {
            true => drop(closures.insert(name.to_owned(), Shared::clone(function))),
            false => named.push((access, Shared::clone(function))),
        }
    }
    let lowering = Lowering { closures };
    named.sort_by_key(|(_, function)| function.body.start_position());
    let functions = named.iter().map(|(access, function)| lowering.function(*access, function, words)).collect();
    Tree { body: lowering.stmts(ast.statements()), functions }
}

struct Lowering {
    closures: HashMap<String, Shared<ScriptFuncDef>>,
}

impl Lowering {
    fn function(&self, access: FnAccess, function: &Shared<ScriptFuncDef>, words: &Words) -> ScriptFunction {
        let begins = Spot::from(function.body.start_position());
        let named = words.functions.iter().rev().find(|name| name.text == *function.name && name.at < begins);
        ScriptFunction {
            name: Name { text: function.name.to_string(), at: named.map_or(begins, |name| name.at) },
            params: function.params.iter().map(ToString::to_string).collect(),
            is_private: access == FnAccess::Private,
            body: self.body(function),
        }
    }

    /// The statements of a function. Rhai shows them to those only who walk a tree in which it is the only one.
    fn body(&self, function: &Shared<ScriptFuncDef>) -> Vec<Stmt> {
        let mut module = Module::new();
        module.set_script_fn(Shared::clone(function));
        let mut stmts = Vec::new();
        AST::new_from_module(module).walk(&mut |path: &[ASTNode<'_>]| {
            if let [ASTNode::Stmt(stmt)] = path {
                stmts.extend(self.stmt(stmt));
            }
            true
        });
        stmts
    }

    fn block(&self, block: &StmtBlock) -> Vec<Stmt> {
        self.stmts(block.statements())
    }

    fn stmts(&self, stmts: &[TheirStmt]) -> Vec<Stmt> {
        stmts.iter().filter_map(|stmt| self.stmt(stmt)).collect()
    }

    fn stmt(&self, stmt: &TheirStmt) -> Option<Stmt> {
        Some(match stmt {
            TheirStmt::Var(parts, flags, _) => Stmt::Let {
                name: name_of(&parts.0),
                value: self.expr(&parts.1),
                is_exported: flags.contains(ASTFlags::EXPORTED),
                is_constant: flags.contains(ASTFlags::CONSTANT),
            },
            TheirStmt::Assignment(parts) => Stmt::Assign {
                target: self.expr(&parts.1.lhs),
                value: self.expr(&parts.1.rhs),
                is_plain: !parts.0.is_op_assignment(),
            },
            TheirStmt::FnCall(call, at) => Stmt::Expr(self.call(call, *at)),
            TheirStmt::Expr(expr) => Stmt::Expr(self.expr(expr)),
            TheirStmt::BreakLoop(value, flags, _) => Stmt::Leave {
                value: value.as_deref().map(|value| self.expr(value)),
                is_break: flags.contains(ASTFlags::BREAK),
            },
            TheirStmt::Return(value, flags, _) => {
                let value = value.as_deref().map(|value| self.expr(value));
                match flags.contains(ASTFlags::BREAK) {
                    true => Stmt::Throw(value),
                    false => Stmt::Return(value),
                }
            }
            TheirStmt::Import(parts, _) => Stmt::Import { path: self.expr(&parts.0), alias: name_of(&parts.1) },
            TheirStmt::Export(parts, _) => {
                let alias = if parts.1.name.is_empty() { &parts.0.name } else { &parts.1.name };
                Stmt::Export { name: name_of(&parts.0), alias: alias.to_string() }
            }
            other => return self.around(other),
        })
    }

    /// A statement that has others in it.
    fn around(&self, stmt: &TheirStmt) -> Option<Stmt> {
        Some(match stmt {
            TheirStmt::If(parts, _) => Stmt::If {
                condition: self.expr(&parts.expr),
                then: self.block(&parts.body),
                otherwise: self.block(&parts.branch),
            },
            TheirStmt::Switch(parts, _) => Stmt::Switch {
                subject: self.expr(&parts.0),
                cases: parts.1.expressions.iter().map(|case| (self.expr(&case.lhs), self.expr(&case.rhs))).collect(),
            },
            TheirStmt::While(parts, at) => {
                Stmt::While { condition: self.expr(&parts.expr), body: self.block(&parts.body), at: Spot::from(*at) }
            }
            TheirStmt::Do(parts, _, at) => {
                Stmt::Do { body: self.block(&parts.body), condition: self.expr(&parts.expr), at: Spot::from(*at) }
            }
            TheirStmt::For(parts, at) => {
                let (item, counter, parts) = &**parts;
                Stmt::For {
                    names: std::iter::once(item).chain(counter).map(name_of).collect(),
                    over: self.expr(&parts.expr),
                    body: self.block(&parts.body),
                    at: Spot::from(*at),
                }
            }
            TheirStmt::Block(block) => Stmt::Block(self.block(block)),
            TheirStmt::TryCatch(parts, _) => Stmt::Try {
                body: self.block(&parts.body),
                caught: caught(&parts.expr),
                handler: self.block(&parts.branch),
            },
            // `Noop`, and `Share`, which makes what a closure captures ready to be.
            _ => return None,
        })
    }

    fn exprs(&self, exprs: &[Theirs]) -> Vec<Expr> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    fn expr(&self, expr: &Theirs) -> Expr {
        let kind = match expr {
            Theirs::DynamicConstant(value, _) => match value.read_lock::<FnPtr>() {
                Some(pointer) => self.closure(pointer.fn_name(), 0),
                None => ExprKind::Unit,
            },
            Theirs::BoolConstant(..) => ExprKind::Bool,
            Theirs::IntegerConstant(..) | Theirs::FloatConstant(..) => ExprKind::Number,
            Theirs::CharConstant(letter, _) => ExprKind::Text(letter.to_string()),
            Theirs::StringConstant(text, _) => ExprKind::Text(text.to_string()),
            Theirs::InterpolatedString(parts, _) => ExprKind::Template(self.exprs(parts)),
            Theirs::Array(items, _) => ExprKind::Array(self.exprs(items)),
            Theirs::Map(map, _) => {
                ExprKind::Map(map.0.iter().map(|(name, value)| (name_of(name), self.expr(value))).collect())
            }
            Theirs::Variable(parts, ..) => {
                ExprKind::Variable { path: parts.2.path.iter().map(name_of).collect(), name: parts.1.to_string() }
            }
            Theirs::ThisPtr(_) => ExprKind::This,
            Theirs::Stmt(block) => return self.block_expr(block),
            Theirs::FnCall(call, at) | Theirs::MethodCall(call, at) => return self.call(call, *at),
            Theirs::Dot(parts, flags, at) => {
                return self.member(self.expr(&parts.lhs), Link::Dot, &parts.rhs, *flags, *at);
            }
            Theirs::Index(parts, flags, at) => {
                return self.member(self.expr(&parts.lhs), Link::Index, &parts.rhs, *flags, *at);
            }
            Theirs::And(operands, _) => operator("&&", self.exprs(operands)),
            Theirs::Or(operands, _) => operator("||", self.exprs(operands)),
            Theirs::Coalesce(operands, _) => operator("??", self.exprs(operands)),
            Theirs::Property(parts, _) => ExprKind::Variable { path: Vec::new(), name: parts.2.to_string() },
            // `()`, and syntax of somebody's own, of which there is none.
            _ => ExprKind::Unit,
        };
        let at = match expr {
            // A variable of a module stands at its name, as a call does.
            Theirs::Variable(..) => expr.position(),
            _ => expr.start_position(),
        };
        Expr { kind, at: Spot::from(at) }
    }

    /// What `rhs` asks of `receiver`. Rhai hangs the rest of a chain under its first link.
    fn member(&self, receiver: Expr, link: Link, rhs: &Theirs, flags: ASTFlags, at: Position) -> Expr {
        let goes_on = !flags.contains(ASTFlags::BREAK);
        match rhs {
            Theirs::Dot(parts, next, place) if goes_on => {
                let first = self.asked(receiver, link, &parts.lhs, at);
                self.member(first, Link::Dot, &parts.rhs, *next, *place)
            }
            Theirs::Index(parts, next, place) if goes_on => {
                let first = self.asked(receiver, link, &parts.lhs, at);
                self.member(first, Link::Index, &parts.rhs, *next, *place)
            }
            other => self.asked(receiver, link, other, at),
        }
    }

    fn asked(&self, receiver: Expr, link: Link, rhs: &Theirs, at: Position) -> Expr {
        let receiver = Box::new(receiver);
        match (link, rhs) {
            (Link::Dot, Theirs::Property(parts, at)) => {
                let kind = ExprKind::Property { receiver, name: parts.2.to_string() };
                Expr { kind, at: Spot::from(*at) }
            }
            (Link::Dot, Theirs::MethodCall(call, at) | Theirs::FnCall(call, at)) => {
                let kind = ExprKind::Method { receiver, name: call.name.to_string(), args: self.exprs(&call.args) };
                Expr { kind, at: Spot::from(*at) }
            }
            (_, index) => {
                let kind = ExprKind::Index { receiver, index: Box::new(self.expr(index)) };
                Expr { kind, at: Spot::from(at) }
            }
        }
    }

    fn call(&self, call: &FnCallExpr, at: Position) -> Expr {
        let args = self.exprs(&call.args);
        let name = call.name.to_string();
        let kind = match call.op_token.is_some() {
            true => operator(&name, args),
            false => ExprKind::Call { path: call.namespace.path.iter().map(name_of).collect(), name, args },
        };
        Expr { kind, at: Spot::from(at) }
    }

    /// A block as an expression: also a closure that captures, which Rhai makes in a block of its own.
    fn block_expr(&self, block: &StmtBlock) -> Expr {
        let at = Spot::from(block.position());
        if let [TheirStmt::Share(_), TheirStmt::Expr(made)] = block.statements()
            && let Theirs::FnCall(curry, _) = &**made
            && let Some(Theirs::DynamicConstant(value, begins)) = curry.args.first()
            && let Some(pointer) = value.read_lock::<FnPtr>()
        {
            let kind = self.closure(pointer.fn_name(), curry.args.len() - 1);
            return Expr { kind, at: Spot::from(*begins) };
        }
        Expr { kind: ExprKind::Block(self.block(block)), at }
    }

    /// The closure called `name`, whose first `captured` parameters are the variables around it.
    fn closure(&self, name: &str, captured: usize) -> ExprKind {
        match self.closures.get(name) {
            Some(function) => ExprKind::Closure {
                params: function.params.iter().skip(captured).map(ToString::to_string).collect(),
                body: self.body(function),
            },
            None => ExprKind::Unit,
        }
    }
}

/// How something is asked of a value.
#[derive(Clone, Copy)]
enum Link {
    Dot,
    Index,
}

fn operator(name: &str, operands: Vec<Expr>) -> ExprKind {
    ExprKind::Operator { name: name.to_owned(), operands }
}

fn caught(expr: &Theirs) -> Option<Name> {
    match expr {
        Theirs::Variable(parts, _, at) => Some(Name { text: parts.1.to_string(), at: Spot::from(*at) }),
        _ => None,
    }
}

fn name_of(name: &Ident) -> Name {
    Name { text: name.name.to_string(), at: Spot::from(name.pos) }
}
