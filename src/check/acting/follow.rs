//! Follows a script through its functions to every change, with what comes before and after it on that way.

use super::{ACT_OUTSIDE_STEP, ACT_WITHOUT_WAIT, UPDATE_FOR_PAUSE};
use crate::check::finding::Finding;
use crate::check::flow::{Act, Event, Flows, Invoke, Value};
use crate::language::Type;
use crate::language::tree::Spot;
use std::cell::Cell;
use std::collections::BTreeMap;

/// How many events are followed at most: functions that call each other can make any number of ways.
const MOST: usize = 100_000;

/// How deep functions are followed: no deeper than the language lets them call each other.
const DEPTH: usize = 64;

pub(super) fn check(flows: &Flows, found: &mut Vec<Finding>) {
    let mut way = Way {
        flows,
        frames: Vec::new(),
        calls: Vec::new(),
        left: Cell::new(MOST),
        seen: Vec::new(),
        told: ToldAct::default(),
    };
    way.root(flows.body(), Root::Script);
    for function in flows.own_functions() {
        if !way.seen.contains(&function.as_ptr()) {
            way.root(function, Root::Function);
        }
    }
    found.extend(way.told.outside.into_values());
    found.extend(way.told.unwaited.into_values().flatten());
    found.extend(way.told.written.into_values().flatten());
}

/// What was found, by place. Where one way to a place is right, there is no finding.
#[derive(Default)]
struct ToldAct {
    outside: BTreeMap<Spot, Finding>,
    unwaited: BTreeMap<Spot, Option<Finding>>,
    written: BTreeMap<Spot, Option<Finding>>,
}

/// What is followed from its beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Root {
    /// The script: it ends when it ends.
    Script,
    /// A function that the script does not call: nobody knows what comes before and after it.
    Function,
}

/// What is being followed within something else.
struct Frame<'a> {
    events: &'a [Event],
    at: usize,
    kind: Kind<'a>,
}

#[derive(Clone, Copy)]
enum Kind<'a> {
    Root(Root),
    Part,
    Step,
    Apart,
    Call(&'a Invoke),
}

struct Way<'a> {
    flows: &'a Flows,
    frames: Vec<Frame<'a>>,
    /// The functions that it is in.
    calls: Vec<*const Event>,
    left: Cell<usize>,
    /// The functions that it was in.
    seen: Vec<*const Event>,
    told: ToldAct,
}

/// What comes after a change.
enum Next {
    /// Somebody waits for it, or nobody knows.
    Fine,
    /// Something else is changed.
    Act(&'static str),
    /// Nothing.
    End,
}

impl<'a> Way<'a> {
    fn root(&mut self, events: &'a [Event], root: Root) {
        self.enter(events, Kind::Root(root));
    }

    fn enter(&mut self, events: &'a [Event], kind: Kind<'a>) {
        self.frames.push(Frame { events, at: 0, kind });
        for (at, event) in events.iter().enumerate() {
            if !self.goes_on() {
                break;
            }
            if let Some(frame) = self.frames.last_mut() {
                frame.at = at;
            }
            self.event(event);
        }
        self.frames.pop();
    }

    /// Takes one step more; whether there is one left.
    fn goes_on(&self) -> bool {
        self.left.set(self.left.get().saturating_sub(1));
        self.left.get() > 0
    }

    fn event(&mut self, event: &'a Event) {
        match event {
            Event::Act(act) => self.act(act),
            Event::Invoke(call) => {
                let events = self.flows.of_call(call);
                let function = events.as_ptr();
                if self.calls.len() < DEPTH && !self.calls.contains(&function) {
                    self.seen.push(function);
                    self.calls.push(function);
                    self.enter(events, Kind::Call(call));
                    self.calls.pop();
                }
            }
            Event::Branch(ways) => {
                for way in ways {
                    self.enter(way, Kind::Part);
                }
            }
            Event::Repeat(events) => self.enter(events, Kind::Part),
            Event::Step(events) => self.enter(events, Kind::Step),
            Event::Apart(events) => self.enter(events, Kind::Apart),
            Event::Wait | Event::Gate | Event::Probe => {}
        }
    }

    /// The call in the script itself that leads into another script; none while it is in the script itself.
    fn foreign(&self) -> Option<&'a Invoke> {
        self.frames.iter().find_map(|frame| match frame.kind {
            Kind::Call(call) if call.script != 0 => Some(call),
            _ => None,
        })
    }

    fn act(&mut self, act: &'a Act) {
        self.outside_step(act);
        if self.foreign().is_some() {
            return;
        }
        if act.goes_on() && !act.waits && self.is_ignored(act.value) {
            let finding = unwaited(act, &self.next(act));
            keep(&mut self.told.unwaited, act.at, finding);
        }
        if let Some(state) = act.state.as_deref() {
            let finding = self.written(act, state);
            keep(&mut self.told.written, act.at, finding);
        }
    }

    fn outside_step(&mut self, act: &Act) {
        let excused = |frame: &Frame<'_>| matches!(frame.kind, Kind::Step | Kind::Apart | Kind::Root(Root::Function));
        if self.frames.iter().any(excused) {
            return;
        }
        let (at, word, message) = match self.foreign() {
            None => (act.at, act.function.name, format!("`{}` changes something outside a step", act.function.name)),
            Some(call) => {
                let word = call.name.rsplit("::").next().unwrap_or(&call.name);
                (
                    call.at,
                    word,
                    format!("`{}` changes something outside a step: it calls `{}`", call.name, act.function.name),
                )
            }
        };
        let finding = Finding::new(&ACT_OUTSIDE_STEP, at, word, message)
            .hint("wrap what belongs together: step(\"what it is for\", || { ... })");
        self.told.outside.entry(at).or_insert(finding);
    }

    /// Whether nobody looks at a value that is made here.
    fn is_ignored(&self, value: Value) -> bool {
        let calls = self.frames.iter().rev().filter_map(|frame| match frame.kind {
            Kind::Call(call) => Some(call.value),
            _ => None,
        });
        let value = std::iter::once(value).chain(calls).find(|value| *value != Value::Returned);
        value == Some(Value::Ignored)
    }

    /// What comes after `act` that matters.
    fn next(&self, act: &Act) -> Next {
        for frame in self.frames.iter().rev() {
            let after = frame.events.get(frame.at + 1..).unwrap_or_default();
            if let Some(next) = self.first(after, act, DEPTH) {
                return next;
            }
            match frame.kind {
                Kind::Root(Root::Script) => return Next::End,
                Kind::Root(Root::Function) | Kind::Apart => return Next::Fine,
                Kind::Part | Kind::Step | Kind::Call(_) => {}
            }
        }
        Next::Fine
    }

    /// What in `events` comes first that matters after `act`; where that would take too long, all is fine.
    fn first(&self, events: &[Event], act: &Act, depth: usize) -> Option<Next> {
        events.iter().find_map(|event| match event {
            _ if !self.goes_on() => Some(Next::Fine),
            Event::Wait => Some(Next::Fine),
            Event::Act(other) if is_alike(act.function.name, other.function.name) => None,
            Event::Act(other) => Some(Next::Act(other.function.name)),
            Event::Invoke(call) if depth > 0 => self.first(self.flows.of_call(call), act, depth - 1),
            Event::Branch(ways) => {
                let nexts: Vec<Next> = ways.iter().filter_map(|way| self.first(way, act, depth)).collect();
                let is_fine = nexts.iter().any(|next| matches!(next, Next::Fine));
                if is_fine { Some(Next::Fine) } else { nexts.into_iter().next() }
            }
            Event::Repeat(events) | Event::Step(events) => self.first(events, act, depth),
            Event::Invoke(_) | Event::Apart(_) | Event::Gate | Event::Probe => None,
        })
    }

    /// What is wrong with writing `state`.
    fn written(&self, act: &Act, state: &str) -> Option<Finding> {
        let kind = act.function.params.iter().find_map(|param| match param.takes {
            Type::Node(kind) => kind,
            _ => None,
        })?;
        let hint = match state {
            "paused" | "offline" if self.is_known_dead() => return None,
            "paused" | "pausing" => format!("to stop it use pause_{kind}; for a repair, `probe` first that it is dead"),
            "offline" | "closing" => {
                format!("to close it use offline_{kind}; for a repair, `probe` first that it is dead")
            }
            _ => "start its process; to have it done in a script use `manual` or `exec`".to_owned(),
        };
        let message =
            format!("`{}` only writes \"{state}\" into the record: the process does not notice", act.function.name);
        Some(Finding::new(&UPDATE_FOR_PAUSE, act.at, act.function.name, message).hint(hint))
    }

    /// Whether a node was asked before; nobody knows that of a function which the script does not call.
    fn is_known_dead(&self) -> bool {
        self.frames.iter().any(|frame| {
            let before = frame.events.get(..frame.at).unwrap_or_default();
            matches!(frame.kind, Kind::Root(Root::Function)) || self.flows.traits(before).probes
        })
    }
}

/// Keeps a finding, unless another way to the same place is right.
fn keep(told: &mut BTreeMap<Spot, Option<Finding>>, at: Spot, finding: Option<Finding>) {
    let known = told.entry(at).or_insert_with(|| finding.clone());
    if finding.is_none() {
        *known = None;
    }
}

fn unwaited(act: &Act, next: &Next) -> Option<Finding> {
    let what = match next {
        Next::Fine => return None,
        Next::Act(name) => format!("before `{name}`"),
        Next::End => "before the script ends".to_owned(),
    };
    let message = format!("nothing waits until `{}` is done {what}", act.function.name);
    let or = match act.function.name.split_once('_') {
        Some(("pause", _)) => ", or wait_for(id, \"paused\")",
        Some(("offline", _)) => ", or wait_for(id, \"offline\")",
        _ => "",
    };
    let hint = format!("add the option #{{ wait: \"10m\" }}{or}");
    Some(Finding::new(&ACT_WITHOUT_WAIT, act.at, act.function.name, message).hint(hint))
}

/// Whether two changes belong together, and may be waited for together.
fn is_alike(one: &str, other: &str) -> bool {
    let family = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
    family(one) == family(other)
}
