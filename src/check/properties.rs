//! Properties of values: those that cannot be there.

use crate::check::comparisons;
use crate::check::finding::{RuleFinding, is_near};
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::types::KnownType;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::Returns;
use crate::language::tree::{Expr, ExprKind, Name, Part, ScriptFunction, Spot, Stmt};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[UNKNOWN_PROPERTY, comparisons::POINTLESS_COMPARISON];

const UNKNOWN_PROPERTY: Rule = Rule {
    name: "unknown_property",
    severity: Severity::Error,
    about: "A value has no such property: a `Node`, a `Time`, or a map that a function of the program returns.",
    why: "The run fails when it gets there. Where a script does not show what a value is, a name is caught that no value \
          has and that is a slip of the finger away from one that some have.",
    caught: "//! Shows which Pumps are online.\nfor pump in pumps() {\n    print(pump.sate);\n}\n",
    left_alone: "//! Shows which Pumps are online.\nfor pump in pumps() {\n    print(pump.state);\n}\n",
};

/// How many functions are looked into to know what one returns.
const DEPTH: usize = 32;

fn check(script: &Rc<Script>, words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    let family = script.family();
    let is_whole = family.iter().all(|script| script.imports.iter().all(|i| matches!(i.module, Some(Ok(_)))));
    let mut reader = PropertyReader {
        words,
        written: family.iter().flat_map(|script| script.fields()).map(String::as_str).collect(),
        guesses: is_whole && !script.is_module() && !script.is_test(),
        assigned: assigned_fields(script),
        script: Rc::clone(script),
        scopes: Vec::new(),
        returned: Vec::new(),
        inferred: HashMap::new(),
        inferring: Vec::new(),
        found: Vec::new(),
    };
    reader.block(&[], &script.parsed.tree.body);
    for function in script.functions() {
        reader.block(&unknown(&function.params), &function.body);
    }
    found.append(&mut reader.found);
}

/// The properties that a script gives to what has none of that name.
fn assigned_fields(script: &Script) -> HashSet<String> {
    let mut fields = HashSet::new();
    script.parsed.tree.walk(&mut |part| {
        if let Part::Stmt(Stmt::Assign { target, .. }) = part {
            match &target.kind {
                ExprKind::Property { name, .. } => drop(fields.insert(name.clone())),
                ExprKind::Index { index, .. } => fields.extend(index.text().map(str::to_owned)),
                _ => {}
            }
        }
    });
    fields
}

fn unknown(names: &[String]) -> Vec<(String, KnownType)> {
    names.iter().map(|name| (name.clone(), KnownType::Unknown)).collect()
}

struct PropertyReader<'a> {
    words: &'a ScriptVocabulary,
    /// The fields of every map that is written in the script or its modules.
    written: BTreeSet<&'a str>,
    /// Whether those are all that a value can have: what others give to a module or a test may have more.
    guesses: bool,
    assigned: HashSet<String>,
    /// The script whose names count just now.
    script: Rc<Script>,
    scopes: Vec<Vec<(String, KnownType)>>,
    /// What the function returns that is being read.
    returned: Vec<KnownType>,
    inferred: HashMap<*const ScriptFunction, KnownType>,
    inferring: Vec<*const ScriptFunction>,
    found: Vec<RuleFinding>,
}

impl PropertyReader<'_> {
    /// Reads a block that begins with these variables; what its last expression is.
    fn block(&mut self, variables: &[(String, KnownType)], stmts: &[Stmt]) -> KnownType {
        self.scopes.push(variables.to_vec());
        let mut value = KnownType::Unknown;
        for stmt in stmts {
            value = self.stmt(stmt);
        }
        self.scopes.pop();
        value
    }

    fn stmt(&mut self, stmt: &Stmt) -> KnownType {
        match stmt {
            Stmt::Expr(expr) => return self.expr(expr),
            Stmt::Let { name, value, .. } => {
                let value = self.expr(value);
                if let Some(scope) = self.scopes.last_mut() {
                    scope.push((name.text.clone(), value));
                }
            }
            Stmt::For { names, over, body, .. } => {
                let over = self.expr(over);
                let types = [over.element(), KnownType::Unknown];
                let names: Vec<_> = names.iter().map(|name| name.text.clone()).zip(types).collect();
                self.block(&names, body);
            }
            Stmt::If { condition, then, otherwise } => {
                self.expr(condition);
                let then = self.block(&[], then);
                return then.or(self.block(&[], otherwise));
            }
            Stmt::Try { body, caught, handler } => {
                self.block(&[], body);
                let caught: Vec<_> = caught.iter().map(|name| (name.text.clone(), KnownType::Unknown)).collect();
                self.block(&caught, handler);
            }
            Stmt::Block(body) => return self.block(&[], body),
            Stmt::Return(Some(value)) => {
                let value = self.expr(value);
                self.returned.push(value);
                return KnownType::Nothing;
            }
            // What is assigned to needs not be there yet.
            Stmt::Assign { target, value, .. } => {
                for part in target.parts() {
                    self.expr(part);
                }
                self.expr(value);
            }
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
        KnownType::Unknown
    }

    fn expr(&mut self, expr: &Expr) -> KnownType {
        match &expr.kind {
            ExprKind::Text(_) | ExprKind::Template(_) => {
                self.parts(expr);
                KnownType::Text
            }
            ExprKind::Array(items) => {
                let items = items.iter().map(|item| self.expr(item)).collect::<Vec<_>>();
                KnownType::array(items.into_iter().fold(KnownType::Nothing, KnownType::or))
            }
            ExprKind::Map(fields) => {
                let fields = fields.iter().map(|(name, value)| (name.text.clone(), self.expr(value)));
                KnownType::written(fields.collect())
            }
            ExprKind::Variable { path, name } if path.is_empty() => self.variable(name),
            ExprKind::Call { path, name, args } => {
                let args: Vec<KnownType> = args.iter().map(|arg| self.expr(arg)).collect();
                self.call(path, name, &args)
            }
            ExprKind::Method { receiver, name, args } => self.method(receiver, name, args),
            ExprKind::Property { receiver, name } => {
                let of = self.expr(receiver);
                self.look(&of, name, expr.at, name)
            }
            ExprKind::Index { receiver, index } => {
                let of = self.expr(receiver);
                self.expr(index);
                match (index.text(), &of) {
                    (Some(name), KnownType::Named(_) | KnownType::Returned(..)) => {
                        self.look(&of, name, index.at, &format!("\"{name}\""))
                    }
                    _ => of.element(),
                }
            }
            ExprKind::Number => KnownType::Number,
            ExprKind::Operator { name, operands } => {
                let types: Vec<KnownType> = operands.iter().map(|operand| self.expr(operand)).collect();
                comparisons::look(name, operands, &types, &mut self.found);
                KnownType::Unknown
            }
            ExprKind::Closure { params, body } => self.block(&unknown(params), body),
            ExprKind::Block(body) => self.block(&[], body),
            _ => {
                self.parts(expr);
                KnownType::Unknown
            }
        }
    }

    fn parts(&mut self, expr: &Expr) {
        for part in expr.parts() {
            self.expr(part);
        }
    }

    fn variable(&self, name: &str) -> KnownType {
        if self.script.reassigned().contains(name) {
            return KnownType::Unknown;
        }
        let mut variables = self.scopes.iter().rev().flat_map(|scope| scope.iter().rev());
        variables.find(|(known, _)| known == name).map_or(KnownType::Unknown, |(_, value)| value.clone())
    }

    /// What the property `name` of a value is; it stands at `at` as `word`.
    fn look(&mut self, of: &KnownType, name: &str, at: Spot, word: &str) -> KnownType {
        let (known, owner): (Vec<&str>, String) = match of {
            KnownType::Named(named) => {
                let rows = self.words.properties_of(named);
                if let Some(known) = rows.iter().find(|known| known.name == name) {
                    return KnownType::of(named, &known.is);
                }
                (rows.iter().map(|known| known.name).collect(), format!("a {named}"))
            }
            KnownType::Returned(function, fields) => {
                if let Some((_, is)) = fields.iter().find(|(field, _)| *field == name) {
                    return KnownType::of(function, is);
                }
                (fields.iter().map(|(field, _)| *field).collect(), format!("what {function} returns"))
            }
            KnownType::Written(fields) => {
                if let Some((_, value)) = fields.iter().find(|(field, _)| field == name) {
                    return value.clone();
                }
                self.guess(name, at, word);
                return KnownType::Unknown;
            }
            _ => {
                self.guess(name, at, word);
                return KnownType::Unknown;
            }
        };
        if !known.contains(&name) && !self.assigned.contains(name) {
            let message = format!("{owner} has no property `{name}`");
            let otherwise = format!("it has {}", known.join(", "));
            let finding = RuleFinding::new(&UNKNOWN_PROPERTY, at, word, message).meant(name, known, otherwise);
            self.found.push(if word == name { finding } else { finding.without_fix() });
        }
        KnownType::Unknown
    }

    /// Looks at the property `name` of something that is not known.
    fn guess(&mut self, name: &str, at: Spot, word: &str) {
        if !self.guesses || self.words.has_property(name) || self.written.contains(name) {
            return;
        }
        let near = |known: &&str| is_near(name, known);
        let written = self.written.iter().copied();
        let known: BTreeSet<&str> = self.words.properties().chain(written).filter(near).collect();
        if !known.is_empty() {
            let message = format!("nothing has a property `{name}`");
            let finding =
                RuleFinding::new(&UNKNOWN_PROPERTY, at, word, message).meant(name, known, "look at its spelling");
            self.found.push(if word == name { finding } else { finding.without_fix() });
        }
    }

    fn call(&mut self, path: &[Name], name: &str, args: &[KnownType]) -> KnownType {
        let script = match path {
            [] => Rc::clone(&self.script),
            _ => match self.script.module_at(path) {
                Ok(Some(module)) => Rc::clone(module),
                _ => return KnownType::Unknown,
            },
        };
        match (script.function(name, args.len()), path) {
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

    fn method(&mut self, receiver: &Expr, name: &str, args: &[Expr]) -> KnownType {
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
