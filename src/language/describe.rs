//! What a script says of itself without being run: its `//!` text and its parameters.

use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::value::Value;
use indexmap::IndexMap;
use rhai::{AST, ASTNode, Dynamic, Expr, FnCallExpr, Position, Stmt};
use std::cell::RefCell;

use crate::language::convert::to_value;

/// What a script says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptDoc {
    /// Its `//!` lines, without the leader.
    pub about: String,
    /// Its parameters, in the order in which they stand.
    pub params: Vec<ParamDoc>,
}

/// A parameter of a script.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamDoc {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub about: Option<String>,
    /// Its value when it is not given; without one it must be given.
    pub default: Option<Value>,
    /// The values that it may have; empty if any.
    pub choices: Vec<Value>,
}

impl ParamDoc {
    /// Its value, where `given` stands on the command line.
    ///
    /// # Errors
    /// `invalid` when it is missing, not of the default's type, or none of the choices.
    pub(super) fn value(&self, given: Option<&str>) -> Result<Value> {
        let value = match (given, &self.default) {
            (None, None) => return Err(self.missing()),
            (None, Some(default)) => default.clone(),
            (Some(text), _) => self.parse(text)?,
        };
        if self.choices.is_empty() || self.choices.contains(&value) {
            return Ok(value);
        }
        let choices: Vec<String> = self.choices.iter().map(shown).collect();
        let hint = did_you_mean(&shown(&value), choices.iter().map(String::as_str));
        Err(Error::invalid(format!("--param {}: `{}` is none of {}", self.name, shown(&value), choices.join(", ")))
            .hint(hint.unwrap_or_else(|| "give one of these".into())))
    }

    fn parse(&self, text: &str) -> Result<Value> {
        let wanted = self.default.as_ref().or_else(|| self.choices.first());
        let (value, takes) = match wanted {
            Some(Value::Bool(_)) => (text.parse().ok().map(Value::Bool), "true or false"),
            Some(Value::Int(_)) => (text.parse().ok().map(Value::Int), "an integer"),
            Some(Value::Float(_)) => (text.parse().ok().map(Value::Float), "a number"),
            _ => (Some(Value::from(text)), "text"),
        };
        value.ok_or_else(|| {
            Error::invalid(format!("--param {}: takes {takes}, and `{text}` is none", self.name))
                .hint("`run FILE --help` lists the parameters")
        })
    }

    fn missing(&self) -> Error {
        Error::invalid(format!("the parameter `{}` must be given{}", self.name, self.about()))
            .hint(format!("--param {}=VALUE", self.name))
    }

    fn about(&self) -> String {
        self.about.as_ref().map_or(String::new(), |about| format!(" ({about})"))
    }
}

/// Checks what was given on the command line against what the script declares.
///
/// # Errors
/// `invalid`: a parameter that the script does not have, one that it needs, or a value that does not fit.
pub(super) fn check(declared: &[ParamDoc], given: &IndexMap<String, String>) -> Result<()> {
    let names = || declared.iter().map(|param| param.name.as_str());
    if let Some(unknown) = given.keys().find(|name| !names().any(|known| known == *name)) {
        let hint = match (did_you_mean(unknown, names()), declared.is_empty()) {
            (Some(hint), _) => hint,
            (None, true) => "it has no parameters at all".into(),
            (None, false) => format!("it has {}", names().collect::<Vec<_>>().join(", ")),
        };
        return Err(Error::invalid(format!("--param {unknown}: the script has no such parameter")).hint(hint));
    }
    let missing: Vec<&ParamDoc> =
        declared.iter().filter(|param| param.default.is_none() && !given.contains_key(&param.name)).collect();
    match missing.as_slice() {
        [] => {}
        [one] => return Err(one.missing()),
        several => {
            let lines: Vec<String> = several.iter().map(|param| format!("  {}{}", param.name, param.about())).collect();
            return Err(Error::invalid(format!("these parameters must be given:\n{}", lines.join("\n")))
                .hint("give each as --param NAME=VALUE"));
        }
    }
    declared.iter().try_for_each(|param| param.value(given.get(&param.name).map(String::as_str)).map(drop))
}

/// What a script says of itself: `ast`, made from `text`.
///
/// # Errors
/// `invalid` and where, when a parameter is not declared by literals.
pub(super) fn describe(ast: &AST, text: &str) -> std::result::Result<ScriptDoc, (Error, Position)> {
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
pub(super) fn about(doc: &str) -> String {
    let line = |line: &str| {
        let text = line.trim_start().trim_start_matches("//!").trim_start_matches("///");
        text.strip_prefix(' ').unwrap_or(text).trim_end().to_owned()
    };
    doc.lines().map(line).collect::<Vec<_>>().join("\n").trim().to_owned()
}

fn declaration(call: &FnCallExpr) -> Result<ParamDoc> {
    let literal = |at: usize| call.args.get(at).map(|argument| argument.get_literal_value(None));
    let not_literal = || {
        Error::invalid("param takes literals: it must be known without running the script")
            .hint("write param(\"name\", #{ about: \"...\", default: \"...\" })")
    };
    let name = literal(0).flatten().ok_or_else(not_literal)?;
    let name = name.into_string().map_err(|_| Error::invalid("param: `name` takes text"))?;
    let mut param = ParamDoc { name, about: None, default: None, choices: Vec::new() };
    let options = match literal(1) {
        None => Dynamic::from(rhai::Map::new()),
        Some(options) => options.ok_or_else(not_literal)?,
    };
    let Value::Map(options) = to_value(&options, &RefCell::default())? else {
        return Err(Error::invalid("param: `options` takes a map").hint("write #{ about: \"...\", default: \"...\" }"));
    };
    for (option, value) in options {
        match (option.as_str(), value) {
            ("about", Value::Text(about)) => param.about = Some(about),
            ("default", value @ (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Text(_))) => {
                param.default = Some(value);
            }
            ("choices", Value::List(choices)) => param.choices = choices,
            (known @ ("about" | "default" | "choices"), other) => {
                return Err(Error::invalid(format!("param: option `{known}` does not take {}", other.type_name()))
                    .hint("see help(\"param\")"));
            }
            (unknown, _) => {
                let hint = did_you_mean(unknown, ["about", "default", "choices"]);
                return Err(Error::invalid(format!("param has no option `{unknown}`"))
                    .hint(hint.unwrap_or_else(|| "its options are about, default, choices".into())));
            }
        }
    }
    Ok(param)
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        other => other.type_name().to_owned(),
    }
}
