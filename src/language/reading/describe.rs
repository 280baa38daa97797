//! What a script says of itself without being run: its `//!` text and its parameters.

use crate::error::Error;
use crate::language::reading::parameter::{ParamDoc, declaration, shown};
use indexmap::IndexMap;
use rhai::{AST, ASTNode, Expr, FnCallExpr, Position, Stmt};

/// What a script says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptDoc {
    /// Its `//!` lines, without the leader.
    pub about: String,
    /// Its parameters, in the order in which they stand.
    pub params: Vec<ParamDoc>,
}

impl ScriptDoc {
    /// Its secret parameters.
    pub fn secrets(&self) -> impl Iterator<Item = &ParamDoc> {
        self.params.iter().filter(|param| param.is_secret())
    }

    /// What the script gets when these parameters are given: the others have their defaults.
    pub fn parameters(&self, given: &IndexMap<String, String>) -> IndexMap<String, String> {
        let mut all = given.clone();
        for param in &self.params {
            if let Some(default) = &param.default {
                all.entry(param.name.clone()).or_insert_with(|| shown(default));
            }
        }
        all
    }
}

/// What a script says of itself: `ast`, made from `text`.
///
/// # Errors
/// `invalid` and where, when a parameter is not declared by literals.
pub(crate) fn describe(ast: &AST, text: &str) -> Result<ScriptDoc, (Error, Position)> {
    let mut params: Vec<ParamDoc> = Vec::new();
    let mut wrong = None;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        let Some((call, at)) = path.last().and_then(call_of) else { return true };
        if call.name != "param" || !call.namespace.is_empty() {
            return true;
        }
        match declaration(call) {
            Ok(param) if params.iter().any(|known| known.name == param.name) => true,
            Ok(param) => {
                params.push(param);
                true
            }
            Err(error) => {
                wrong = Some((error, at));
                false
            }
        }
    });
    match wrong {
        Some(wrong) => Err(wrong),
        None => Ok(ScriptDoc { about: about_module(text), params }),
    }
}

fn call_of<'a>(node: &ASTNode<'a>) -> Option<(&'a FnCallExpr, Position)> {
    match node {
        ASTNode::Expr(Expr::FnCall(call, at)) | ASTNode::Stmt(Stmt::FnCall(call, at)) => Some((call, *at)),
        _ => None,
    }
}

/// What the text of a script or module says that it is for: the `//!` lines at its beginning, after a `#!` line.
pub fn about_module(text: &str) -> String {
    let lines = text.lines().skip_while(|line| line.starts_with("#!") || line.trim().is_empty());
    let header: Vec<&str> = lines.take_while(|line| line.starts_with("//!")).collect();
    about(&header.join("\n"))
}

/// Doc lines without their leader.
pub(crate) fn about(doc: &str) -> String {
    let line = |line: &str| {
        let text = line.trim_start().trim_start_matches("//!").trim_start_matches("///");
        text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned()
    };
    doc.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}
