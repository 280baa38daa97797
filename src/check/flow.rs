//! What a script does to the cluster, and what it looks at, in the order in which that happens.
//!
//! The tree of a script says what is written; a rule about changes wants to know what happens. So every function is written
//! down once as a list of events ([`Recorder`]), with branches and loops in it but without expressions, and a call stays a
//! call ([`Invoke`]): whoever asks what comes before or after a change goes along the calls from there.

use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::tree::{Expr, ExprKind, Name, Spot, Stmt};
use crate::language::{Called, Changes, Course, Function, Type};
use crate::node::State;
use std::rc::Rc;

/// Something that happens.
#[derive(Debug)]
pub(super) enum FlowEvent {
    /// Something is changed.
    Act(ChangingCall),
    /// The script waits for something, or fails unless something holds.
    Wait,
    /// The script asks, or leaves what it is in.
    Gate,
    /// A node itself is asked what it is.
    Probe,
    /// A function of a script is called.
    Invoke(Invoke),
    /// One of these happens.
    Branch(Vec<Vec<FlowEvent>>),
    /// This happens several times.
    Repeat(Vec<FlowEvent>),
    /// This happens in a step.
    Step(Vec<FlowEvent>),
    /// This happens when somebody calls the closure, which is not seen from here.
    Apart(Vec<FlowEvent>),
}

/// A change.
#[derive(Debug)]
pub(super) struct ChangingCall {
    pub(super) function: &'static Function,
    pub(super) at: Spot,
    /// The state that is written into a record, where that is a plain text.
    pub(super) state: Option<State>,
    /// Whether the call waits for it.
    pub(super) waits: bool,
    /// Whether somebody else is asked to start nodes.
    pub(super) starts: bool,
    pub(super) value: ValueUse,
}

impl ChangingCall {
    /// Whether it goes on after the call, which can wait for it.
    pub(super) fn goes_on(&self) -> bool {
        self.function.option("wait").is_some()
    }
}

/// A call of a function of a script.
#[derive(Debug)]
pub(super) struct Invoke {
    /// The script: 0 is the one that is checked, others are its modules.
    pub(super) script: usize,
    /// The function, as a place in the script's functions.
    pub(super) function: usize,
    /// As it is written.
    pub(super) name: String,
    pub(super) at: Spot,
    pub(super) value: ValueUse,
}

/// What becomes of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueUse {
    /// Somebody uses it.
    Used,
    /// Nobody does.
    Ignored,
    /// The function returns it.
    Returned,
}

/// What happens in a script and its modules.
pub(super) struct Flows {
    /// Script by script, the script itself first.
    bodies: Vec<Vec<FlowEvent>>,
    functions: Vec<Vec<Vec<FlowEvent>>>,
    /// What is known of each function.
    traits: Vec<Vec<Traits>>,
}

/// What happens somewhere in a function, or in those that it calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Traits {
    /// Whether a node itself is asked what it is.
    pub(super) probes: bool,
    /// Whether the script waits, asks, or leaves what it is in.
    pub(super) looks: bool,
    /// The first change that goes on after its call, or that somebody else makes.
    pub(super) risk: Option<&'static str>,
}

/// How many functions that call each other are looked through: each round carries what a function does one call further up,
/// and functions that call each other in a circle would otherwise need to be told apart.
const ROUNDS: usize = 32;

impl Flows {
    pub(super) fn of(script: &Rc<Script>, words: &ScriptVocabulary) -> Self {
        let scripts = script.family();
        let (mut bodies, mut functions) = (Vec::new(), Vec::new());
        for script in &scripts {
            let recorder = Recorder::new(words, &scripts, script);
            bodies.push(recorder.whole(&script.parsed.tree.body, ValueUse::Ignored));
            let each = script.functions().iter();
            functions.push(each.map(|function| recorder.whole(&function.body, ValueUse::Returned)).collect());
        }
        let traits = functions.iter().map(|all: &Vec<_>| vec![Traits::default(); all.len()]).collect();
        let mut flows = Self { bodies, functions, traits };
        for _ in 0..ROUNDS {
            let known = |events: &Vec<FlowEvent>| flows.traits(events);
            let next: Vec<Vec<Traits>> = flows.functions.iter().map(|all| all.iter().map(known).collect()).collect();
            if next == flows.traits {
                break;
            }
            flows.traits = next;
        }
        flows
    }

    /// What happens somewhere in `events`.
    pub(super) fn traits<'e>(&self, events: impl IntoIterator<Item = &'e FlowEvent>) -> Traits {
        let each = events.into_iter().map(|event| self.traits_of(event));
        each.fold(Traits::default(), |all, one| Traits {
            probes: all.probes | one.probes,
            looks: all.looks | one.looks,
            risk: all.risk.or(one.risk),
        })
    }

    fn traits_of(&self, event: &FlowEvent) -> Traits {
        match event {
            FlowEvent::Act(act) => {
                let is_risky = act.goes_on() || act.function.changes == Changes::Outside;
                let risk = is_risky.then_some(act.function.name);
                Traits { looks: act.goes_on() && act.waits, risk, probes: false }
            }
            FlowEvent::Wait | FlowEvent::Gate => Traits { looks: true, ..Traits::default() },
            FlowEvent::Probe => Traits { probes: true, ..Traits::default() },
            FlowEvent::Invoke(call) => {
                let known = self.traits.get(call.script).and_then(|all| all.get(call.function));
                known.copied().unwrap_or_default()
            }
            FlowEvent::Branch(ways) => self.traits(ways.iter().flatten()),
            FlowEvent::Repeat(events) | FlowEvent::Step(events) => self.traits(events),
            FlowEvent::Apart(_) => Traits::default(),
        }
    }

    /// What happens in the script itself.
    pub(super) fn body(&self) -> &[FlowEvent] {
        self.bodies.first().map_or(&[], Vec::as_slice)
    }

    /// What happens in the functions of the script itself.
    pub(super) fn own_functions(&self) -> &[Vec<FlowEvent>] {
        self.functions.first().map_or(&[], Vec::as_slice)
    }

    /// What happens in the function that is called.
    pub(super) fn of_call(&self, call: &Invoke) -> &[FlowEvent] {
        self.functions.get(call.script).and_then(|all| all.get(call.function)).map_or(&[], Vec::as_slice)
    }
}

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
struct Recorder<'a> {
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
    fn new(words: &'a ScriptVocabulary, scripts: &'a [Rc<Script>], script: &'a Rc<Script>) -> Self {
        Self { words, scripts, script }
    }

    /// All that happens in a function, of whose value this becomes.
    fn whole(&self, stmts: &[Stmt], value: ValueUse) -> Vec<FlowEvent> {
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
                    let mut events = self.condition(condition, ends);
                    self.expr(value, ends, &mut events);
                    events
                };
                events.push(FlowEvent::Branch(cases.iter().map(case).collect()));
            }
            Stmt::While { condition, body, .. } => {
                let parts = [self.condition(condition, ends), self.block(body, inner)];
                events.push(FlowEvent::Repeat(parts.into_iter().flatten().collect()));
            }
            Stmt::Do { body, condition, .. } => {
                let parts = [self.block(body, inner), self.condition(condition, ends)];
                events.push(FlowEvent::Repeat(parts.into_iter().flatten().collect()));
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

    fn condition(&self, condition: &Expr, ends: Ends) -> Vec<FlowEvent> {
        let mut events = Vec::new();
        self.used(condition, ends, &mut events);
        events
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
    let starts = match args.last().map(|last| &last.kind) {
        Some(ExprKind::Map(options)) => options.iter().any(|(option, _)| option.text == "starts"),
        _ => false,
    };
    let state = function.params.iter().position(|param| param.takes == Type::State);
    let state = state.and_then(|at| State::from_name(args.get(at)?.text()?));
    Some(ChangingCall { function, at, state, waits, starts, value })
}
