//! Follows a script through its functions to every change, with what comes before and after it on that way.

use super::{ACT_OUTSIDE_STEP, ACT_WITHOUT_WAIT, UPDATE_FOR_PAUSE};
use crate::check::finding::RuleFinding;
use crate::check::flow::{ChangingCall, FlowEvent, Flows, Invoke, ValueUse};
use crate::language::Type;
use crate::language::tree::Spot;
use std::cell::Cell;
use std::collections::BTreeMap;

/// How many events are followed at most: functions that call each other can make any number of ways.
const MOST: usize = 100_000;

/// How deep functions are followed: no deeper than the language lets them call each other.
const DEPTH: usize = 64;

pub(super) fn check(flows: &Flows, found: &mut Vec<RuleFinding>) {
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
    outside: BTreeMap<Spot, RuleFinding>,
    unwaited: BTreeMap<Spot, Option<RuleFinding>>,
    written: BTreeMap<Spot, Option<RuleFinding>>,
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
    events: &'a [FlowEvent],
    at: usize,
    kind: FrameKind<'a>,
}

#[derive(Clone, Copy)]
enum FrameKind<'a> {
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
    calls: Vec<*const FlowEvent>,
    left: Cell<usize>,
    /// The functions that it was in.
    seen: Vec<*const FlowEvent>,
    told: ToldAct,
}

/// What comes after a change.
enum AfterChange {
    /// Somebody waits for it, or nobody knows.
    Fine,
    /// Something else is changed.
    Act(&'static str),
    /// Nothing.
    End,
}

impl<'a> Way<'a> {
    fn root(&mut self, events: &'a [FlowEvent], root: Root) {
        self.enter(events, FrameKind::Root(root));
    }

    fn enter(&mut self, events: &'a [FlowEvent], kind: FrameKind<'a>) {
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

    fn event(&mut self, event: &'a FlowEvent) {
        match event {
            FlowEvent::Act(act) => self.act(act),
            FlowEvent::Invoke(call) => {
                let events = self.flows.of_call(call);
                let function = events.as_ptr();
                if self.calls.len() < DEPTH && !self.calls.contains(&function) {
                    self.seen.push(function);
                    self.calls.push(function);
                    self.enter(events, FrameKind::Call(call));
                    self.calls.pop();
                }
            }
            FlowEvent::Branch(ways) => {
                for way in ways {
                    self.enter(way, FrameKind::Part);
                }
            }
            FlowEvent::Repeat(events) => self.enter(events, FrameKind::Part),
            FlowEvent::Step(events) => self.enter(events, FrameKind::Step),
            FlowEvent::Apart(events) => self.enter(events, FrameKind::Apart),
            FlowEvent::Wait | FlowEvent::Gate | FlowEvent::Probe => {}
        }
    }

    /// The call in the script itself that leads into another script; none while it is in the script itself.
    fn foreign(&self) -> Option<&'a Invoke> {
        self.frames.iter().find_map(|frame| match frame.kind {
            FrameKind::Call(call) if call.script != 0 => Some(call),
            _ => None,
        })
    }

    fn act(&mut self, act: &'a ChangingCall) {
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

    fn outside_step(&mut self, act: &ChangingCall) {
        let excused = |frame: &Frame<'_>| {
            matches!(frame.kind, FrameKind::Step | FrameKind::Apart | FrameKind::Root(Root::Function))
        };
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
        let finding = RuleFinding::new(&ACT_OUTSIDE_STEP, at, word, message)
            .hint("wrap what belongs together: step(\"what it is for\", || { ... })");
        self.told.outside.entry(at).or_insert(finding);
    }

    /// Whether nobody looks at a value that is made here.
    fn is_ignored(&self, value: ValueUse) -> bool {
        let calls = self.frames.iter().rev().filter_map(|frame| match frame.kind {
            FrameKind::Call(call) => Some(call.value),
            _ => None,
        });
        let value = std::iter::once(value).chain(calls).find(|value| *value != ValueUse::Returned);
        value == Some(ValueUse::Ignored)
    }

    /// What comes after `act` that matters.
    fn next(&self, act: &ChangingCall) -> AfterChange {
        for frame in self.frames.iter().rev() {
            let after = frame.events.get(frame.at + 1..).unwrap_or_default();
            if let Some(next) = self.first(after, act, DEPTH) {
                return next;
            }
            match frame.kind {
                FrameKind::Root(Root::Script) => return AfterChange::End,
                FrameKind::Root(Root::Function) | FrameKind::Apart => return AfterChange::Fine,
                FrameKind::Part | FrameKind::Step | FrameKind::Call(_) => {}
            }
        }
        AfterChange::Fine
    }

    /// What in `events` comes first that matters after `act`; where that would take too long, all is fine.
    fn first(&self, events: &[FlowEvent], act: &ChangingCall, depth: usize) -> Option<AfterChange> {
        events.iter().find_map(|event| match event {
            _ if !self.goes_on() => Some(AfterChange::Fine),
            FlowEvent::Wait => Some(AfterChange::Fine),
            FlowEvent::Act(other) if is_alike(act.function.name, other.function.name) => None,
            FlowEvent::Act(other) => Some(AfterChange::Act(other.function.name)),
            FlowEvent::Invoke(call) if depth > 0 => self.first(self.flows.of_call(call), act, depth - 1),
            FlowEvent::Branch(ways) => {
                let nexts: Vec<AfterChange> = ways.iter().filter_map(|way| self.first(way, act, depth)).collect();
                let is_fine = nexts.iter().any(|next| matches!(next, AfterChange::Fine));
                if is_fine { Some(AfterChange::Fine) } else { nexts.into_iter().next() }
            }
            FlowEvent::Repeat(events) | FlowEvent::Step(events) => self.first(events, act, depth),
            FlowEvent::Invoke(_) | FlowEvent::Apart(_) | FlowEvent::Gate | FlowEvent::Probe => None,
        })
    }

    /// What is wrong with writing `state`.
    fn written(&self, act: &ChangingCall, state: &str) -> Option<RuleFinding> {
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
        Some(RuleFinding::new(&UPDATE_FOR_PAUSE, act.at, act.function.name, message).hint(hint))
    }

    /// Whether a node was asked before; nobody knows that of a function which the script does not call.
    fn is_known_dead(&self) -> bool {
        self.frames.iter().any(|frame| {
            let before = frame.events.get(..frame.at).unwrap_or_default();
            matches!(frame.kind, FrameKind::Root(Root::Function)) || self.flows.traits(before).probes
        })
    }
}

/// Keeps a finding, unless another way to the same place is right.
fn keep(told: &mut BTreeMap<Spot, Option<RuleFinding>>, at: Spot, finding: Option<RuleFinding>) {
    let known = told.entry(at).or_insert_with(|| finding.clone());
    if finding.is_none() {
        *known = None;
    }
}

fn unwaited(act: &ChangingCall, next: &AfterChange) -> Option<RuleFinding> {
    let what = match next {
        AfterChange::Fine => return None,
        AfterChange::Act(name) => format!("before `{name}`"),
        AfterChange::End => "before the script ends".to_owned(),
    };
    let message = format!("nothing waits until `{}` is done {what}", act.function.name);
    let or = match act.function.name.split_once('_') {
        Some(("pause", _)) => ", or wait_for(id, \"paused\")",
        Some(("offline", _)) => ", or wait_for(id, \"offline\")",
        _ => "",
    };
    let hint = format!("add the option #{{ wait: \"10m\" }}{or}");
    Some(RuleFinding::new(&ACT_WITHOUT_WAIT, act.at, act.function.name, message).hint(hint))
}

/// Whether two changes belong together, and may be waited for together.
fn is_alike(one: &str, other: &str) -> bool {
    let family = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
    family(one) == family(other)
}
