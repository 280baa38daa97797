//! From the tree of a script to what happens in it.

use super::{ChangingCall, FlowEvent, Invoke, ValueUse};
use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::tree::{Expr, ExprKind, Name, Spot, Stmt};
use crate::language::{Called, Changes, Course, Function, Type};
use std::rc::Rc;

/// The methods of an array that call a closure for each of its elements.
const FOR_EACH: [&str; 15] = [
    "map",
    "filter",
    "for_each",
    "some",
    "all",
    "find",
    "find_map",
    "reduce",
    "reduce_rev",
    "retain",
    "drain",
    "sort",
    "order",
    "index_of",
    "dedup",
];

/// Writes down what happens in one script.
pub(super) struct Recorder<'a> {
    words: &'a ScriptVocabulary,
    scripts: &'a [Rc<Script>],
    script: &'a Rc<Script>,
}

/// What becomes of a block's last value, and of what a `return` in it gives.
#[derive(Clone, Copy)]
struct Ends {
    tail: ValueUse,
    returned: ValueUse,
}

impl<'a> Recorder<'a> {
    /// Of `script`, which is one of `scripts`.
    pub(super) fn new(words: &'a ScriptVocabulary, scripts: &'a [Rc<Script>], script: &'a Rc<Script>) -> Self {
        Self { words, scripts, script }
    }

    /// All that happens in a function, of whose value this becomes.
    pub(super) fn whole(&self, stmts: &[Stmt], value: ValueUse) -> Vec<FlowEvent> {
        self.block(stmts, Ends { tail: value, returned: value })
    }

    fn block(&self, stmts: &[Stmt], ends: Ends) -> Vec<FlowEvent> {
        let mut events = Vec::new();
        for (at, stmt) in stmts.iter().enumerate() {
            let is_last = at + 1 == stmts.len();
            let tail = if is_last { ends.tail } else { ValueUse::Ignored };
            self.stmt(stmt, Ends { tail, ..ends }, &mut events);
        }
        events
    }

    fn stmt(&self, stmt: &Stmt, ends: Ends, events: &mut Vec<FlowEvent>) {
        let inner = Ends { tail: ValueUse::Ignored, ..ends };
        match stmt {
            Stmt::Expr(expr) => self.expr(expr, ends, events),
            Stmt::Let { name, value, .. } => {
                let tail = if self.script.variables().is_read(name.at) { ValueUse::Used } else { ValueUse::Ignored };
                self.expr(value, Ends { tail, ..ends }, events);
            }
            Stmt::Assign { target, value, .. } => {
                self.used(target, ends, events);
                self.used(value, ends, events);
            }
            Stmt::If { condition, then, otherwise } => {
                self.used(condition, ends, events);
                events.push(FlowEvent::Branch(vec![self.block(then, ends), self.block(otherwise, ends)]));
            }
            Stmt::Switch { subject, cases } => {
                self.used(subject, ends, events);
                let case = |(condition, value): &(Expr, Expr)| {
                    let mut events = Vec::new();
                    self.used(condition, ends, &mut events);
                    self.expr(value, ends, &mut events);
                    events
                };
                events.push(FlowEvent::Branch(cases.iter().map(case).collect()));
            }
            Stmt::While { condition, body, .. } => {
                let mut repeated = Vec::new();
                self.used(condition, ends, &mut repeated);
                repeated.extend(self.block(body, inner));
                events.push(FlowEvent::Repeat(repeated));
            }
            Stmt::For { over, body, .. } => {
                self.used(over, ends, events);
                events.push(FlowEvent::Repeat(self.block(body, inner)));
            }
            Stmt::Block(body) => events.extend(self.block(body, ends)),
            Stmt::Try { body, handler, .. } => {
                events.extend(self.block(body, inner));
                events.push(FlowEvent::Branch(vec![self.block(handler, inner), Vec::new()]));
            }
            Stmt::Return(value) => self.leave(value.as_ref(), ends.returned, ends, FlowEvent::Gate, events),
            Stmt::Throw(value) => self.leave(value.as_ref(), ValueUse::Used, ends, FlowEvent::Wait, events),
            Stmt::Leave { value, is_break: true } => {
                self.leave(value.as_ref(), ValueUse::Used, ends, FlowEvent::Gate, events);
            }
            Stmt::Leave { .. } | Stmt::Import { .. } | Stmt::Export { .. } => {}
        }
    }

    fn leave(&self, value: Option<&Expr>, tail: ValueUse, ends: Ends, how: FlowEvent, events: &mut Vec<FlowEvent>) {
        if let Some(value) = value {
            self.expr(value, Ends { tail, ..ends }, events);
        }
        events.push(how);
    }

    fn used(&self, expr: &Expr, ends: Ends, events: &mut Vec<FlowEvent>) {
        self.expr(expr, Ends { tail: ValueUse::Used, ..ends }, events);
    }

    fn expr(&self, expr: &Expr, ends: Ends, events: &mut Vec<FlowEvent>) {
        match &expr.kind {
            ExprKind::Call { path, name, args } => self.call(path, name, args.iter().collect(), expr.at, ends, events),
            ExprKind::Method { receiver, name, args } => {
                let is_loop = FOR_EACH.contains(&name.as_str());
                if !is_loop && self.words.ours(name).is_some() {
                    let args = std::iter::once(&**receiver).chain(args).collect();
                    return self.call(&[], name, args, expr.at, ends, events);
                }
                self.used(receiver, ends, events);
                for arg in args {
                    match &arg.kind {
                        ExprKind::Closure { body, .. } if is_loop => {
                            events.push(FlowEvent::Repeat(self.whole(body, ValueUse::Used)));
                        }
                        _ => self.used(arg, ends, events),
                    }
                }
            }
            ExprKind::Closure { body, .. } => events.push(FlowEvent::Apart(self.whole(body, ValueUse::Used))),
            ExprKind::Block(body) => events.extend(self.block(body, ends)),
            ExprKind::Operator { name, operands } if matches!(name.as_str(), "&&" | "||" | "??") => {
                for (at, operand) in operands.iter().enumerate() {
                    let mut one = Vec::new();
                    self.used(operand, ends, &mut one);
                    match at {
                        0 => events.append(&mut one),
                        _ => events.push(FlowEvent::Branch(vec![one, Vec::new()])),
                    }
                }
            }
            _ => {
                for part in expr.parts() {
                    self.used(part, ends, events);
                }
            }
        }
    }

    fn call(&self, path: &[Name], name: &str, args: Vec<&Expr>, at: Spot, ends: Ends, events: &mut Vec<FlowEvent>) {
        let ours = path.is_empty().then(|| self.words.ours(name)).flatten();
        for arg in &args {
            let called = ours.and_then(closure_of);
            match (&arg.kind, called) {
                (ExprKind::Closure { body, .. }, Some(Called::AsStep)) => {
                    events.push(FlowEvent::Step(self.whole(body, ends.tail)));
                }
                (ExprKind::Closure { body, .. }, Some(Called::UntilMet)) => {
                    events.extend(self.whole(body, ValueUse::Used));
                }
                _ => self.used(arg, ends, events),
            }
        }
        if let Some((script, function)) = self.function(path, name, args.len()) {
            let written = path.iter().map(|name| name.text.as_str()).chain([name]).collect::<Vec<_>>().join("::");
            events.push(FlowEvent::Invoke(Invoke { script, function, name: written, at, value: ends.tail }));
        } else if let Some(ours) = ours {
            events.extend(ours.course.iter().map(|course| match course {
                Course::Probes => FlowEvent::Probe,
                Course::Waits => FlowEvent::Wait,
                Course::Gates => FlowEvent::Gate,
            }));
            events.extend(act(ours, &args, at, ends.tail).map(FlowEvent::Act));
        } else if matches!(self.script.module_at(path), Ok(None)) && !path.is_empty() {
            // A module that only a run knows may look at anything.
            events.extend([FlowEvent::Probe, FlowEvent::Wait]);
        }
    }

    /// The function of a script that a call means.
    fn function(&self, path: &[Name], name: &str, count: usize) -> Option<(usize, usize)> {
        let script = match path {
            [] => self.script,
            _ => self.script.module_at(path).ok()??,
        };
        let place = self.scripts.iter().position(|known| Rc::ptr_eq(known, script))?;
        let function = script.functions().iter().position(|f| f.name.text == name && f.params.len() == count)?;
        Some((place, function))
    }
}

/// When a closure is called that `function` is given.
fn closure_of(function: &Function) -> Option<Called> {
    function.params.iter().find_map(|param| match param.takes {
        Type::Closure(called) => Some(called),
        _ => None,
    })
}

fn act(function: &'static Function, args: &[&Expr], at: Spot, value: ValueUse) -> Option<ChangingCall> {
    if function.changes == Changes::Nothing {
        return None;
    }
    let waits = match args.last().map(|last| &last.kind) {
        // What is misspelt is told by another rule.
        Some(ExprKind::Map(options)) => {
            options.iter().any(|(option, _)| option.text == "wait" || function.option(&option.text).is_none())
        }
        // Options that are made elsewhere may say that it waits.
        _ => !function.options.is_empty() && args.len() == *function.arguments().end(),
    };
    let state = function.params.iter().position(|param| param.takes == Type::State);
    let state = state.and_then(|at| args.get(at)?.text());
    Some(ChangingCall { function, at, state: state.map(str::to_owned), waits, value })
}
