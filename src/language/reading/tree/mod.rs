//! What a script says, as a plain tree: for those who read scripts without running them.
//!
//! Rhai's own tree is made for running: chains nest to the right, closures are functions of their own with what they
//! capture in front, and a block stands where an expression was. Here a chain is what it applies to and what is asked of
//! it, a closure stands where it is written, and everything has the place at which a person would look for it.

mod lower;
mod parser;
mod walk;
mod words;

pub use crate::language::reading::spot::Spot;
pub use parser::{Parsed, Parser, functions_of_rhai};
pub use walk::Part;
pub use words::{Comment, Words, words};

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The name.
    pub text: String,
    /// Where it begins.
    pub at: Spot,
}

/// A script or module.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// What runs, from top to bottom.
    pub body: Vec<Stmt>,
    /// The functions that it defines, in the order of their places.
    pub functions: Vec<ScriptFunction>,
}

/// A function that a script defines.
#[derive(Clone, Debug)]
pub struct ScriptFunction {
    /// Its name.
    pub name: Name,
    /// The names of its parameters.
    pub params: Vec<String>,
    /// Whether those who import it cannot call it.
    pub is_private: bool,
    /// What it does.
    pub body: Vec<Stmt>,
}

/// A statement.
#[derive(Clone, Debug)]
pub enum Stmt {
    /// An expression, whose value is the block's if it is the last.
    Expr(Expr),
    /// `let name = value`, `const name = value`.
    Let {
        /// The variable.
        name: Name,
        /// What it begins with.
        value: Expr,
        /// Whether importers can read it.
        is_exported: bool,
        /// Whether it is a `const`.
        is_constant: bool,
    },
    /// `target = value`, `target += value`.
    Assign {
        /// What is changed.
        target: Expr,
        /// What it becomes, or what is added to it.
        value: Expr,
        /// Whether it replaces the whole of what was there.
        is_plain: bool,
    },
    /// `if`, also as an expression.
    If {
        /// The condition.
        condition: Expr,
        /// If it holds.
        then: Vec<Stmt>,
        /// If it does not; empty without an `else`.
        otherwise: Vec<Stmt>,
    },
    /// `switch`, also as an expression.
    Switch {
        /// What is looked at.
        subject: Expr,
        /// Conditions behind `if`, and what is done, case by case.
        cases: Vec<(Expr, Expr)>,
    },
    /// `while`, `loop`.
    While {
        /// The condition; `()` for `loop`.
        condition: Expr,
        /// What is repeated.
        body: Vec<Stmt>,
        /// Where it begins.
        at: Spot,
    },
    /// `do`, whose body comes before the condition.
    Do {
        /// What is repeated.
        body: Vec<Stmt>,
        /// The condition behind it.
        condition: Expr,
        /// Where it begins.
        at: Spot,
    },
    /// `for`.
    For {
        /// The variable, and the counter if there is one.
        names: Vec<Name>,
        /// What is gone through.
        over: Expr,
        /// What is repeated.
        body: Vec<Stmt>,
        /// Where it begins.
        at: Spot,
    },
    /// `{ ... }`.
    Block(Vec<Stmt>),
    /// `try { ... } catch (name) { ... }`.
    Try {
        /// What is tried.
        body: Vec<Stmt>,
        /// The variable of the error.
        caught: Option<Name>,
        /// What is done about it.
        handler: Vec<Stmt>,
    },
    /// `return`.
    Return(Option<Expr>),
    /// `throw`.
    Throw(Option<Expr>),
    /// `break` and `continue`.
    Leave {
        /// The loop's value.
        value: Option<Expr>,
        /// Whether the loop ends there.
        is_break: bool,
    },
    /// `import path as alias`.
    Import {
        /// What is imported: mostly a plain text.
        path: Expr,
        /// The name by which the script calls it; empty without `as`.
        alias: Name,
    },
    /// `export name as alias`.
    Export {
        /// The variable.
        name: Name,
        /// What importers call it.
        alias: String,
    },
}

/// An expression and where it begins, or (of a call or a property) where its name stands.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where.
    pub at: Spot,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExprKind {
    /// `()`.
    Unit,
    /// `true`, `false`.
    Bool,
    /// A number.
    Number,
    /// A plain text, or a single letter.
    Text(String),
    /// A text with expressions in it.
    Template(Vec<Expr>),
    /// `[...]`.
    Array(Vec<Expr>),
    /// `#{ ... }`.
    Map(Vec<(Name, Expr)>),
    /// `name`, `module::name`.
    Variable {
        /// The modules before it, outermost first.
        path: Vec<Name>,
        /// Its name.
        name: String,
    },
    /// `this`.
    This,
    /// `name(...)`, `module::name(...)`.
    Call {
        /// The modules before it, outermost first.
        path: Vec<Name>,
        /// Its name.
        name: String,
        /// What it is given.
        args: Vec<Expr>,
    },
    /// `receiver.name(...)`.
    Method {
        /// What it is called on.
        receiver: Box<Expr>,
        /// Its name.
        name: String,
        /// What it is given beside the receiver.
        args: Vec<Expr>,
    },
    /// `receiver.name`.
    Property {
        /// What is looked into.
        receiver: Box<Expr>,
        /// The property's name.
        name: String,
    },
    /// `receiver[index]`.
    Index {
        /// What is looked into.
        receiver: Box<Expr>,
        /// Where.
        index: Box<Expr>,
    },
    /// `|a, b| ...`.
    Closure {
        /// Its own parameters, without what it captures.
        params: Vec<String>,
        /// What it does.
        body: Vec<Stmt>,
    },
    /// `a + b`, `!a`, `a && b`, `a ?? b`, `a..b`.
    Operator {
        /// The operator as it is written.
        name: String,
        /// What it works on.
        operands: Vec<Expr>,
    },
    /// A block, condition or loop as an expression.
    Block(Vec<Stmt>),
}
