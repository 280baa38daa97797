//! Changes of the cluster: where they stand, and whether anybody looks what became of them.

use crate::check::finding::RuleFinding;
use crate::check::flow::{ChangingCall, FlowEvent, Flows, Invoke, ValueUse};
use crate::check::rule::{Family, Rule, Severity};
use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::Type;
use crate::language::tree::Spot;
use crate::node::State;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub(super) const FAMILY: Family = Family { rules: RULES, check };

const RULES: &[Rule] = &[ACT_OUTSIDE_STEP, ACT_WITHOUT_WAIT, LOOP_WITHOUT_CHECK, UPDATE_FOR_PAUSE];

const ACT_OUTSIDE_STEP: Rule = Rule {
    name: "act_outside_step",
    severity: Severity::Warning,
    about: "A script changes something outside a `step`.",
    why: "Steps are what people follow: they are shown while the script runs, named when it fails, and stand in the story \
          of a rehearsal. A function that acts is right if everybody who calls it does so in a step; functions of modules \
          and tests are for others to call.",
    caught: "//! Stops a Drainer.\npause_drainer(\"drainer-0\", #{ wait: \"1m\" });\n",
    left_alone: "//! Stops a Drainer.\nfn stop_one(id) {\n    pause_drainer(id, #{ wait: \"1m\" })\n}\nstep(\"pause\", || stop_one(\"drainer-0\"));\n",
};

const ACT_WITHOUT_WAIT: Rule = Rule {
    name: "act_without_wait",
    severity: Severity::Warning,
    about: "A node is told to stop or to close, nobody looks at the answer, and the script goes on without waiting for it.",
    why: "The call returns when the node has taken the order; it stops later, or not at all. What comes next may meet it \
          still running. Say `wait` in the call, or wait with `wait_for`, `wait_until` or `ensure` before anything else is \
          changed.",
    caught: "//! Replaces a Pump.\nstep(\"pause\", || pause_pump(\"pump-1\"));\nstep(\"replace\", || manual(\"Replace pump-1\", #{ starts: [\"pump-1\"] }));\nstep(\"wait\", || wait_for(\"pump-1\", \"online\"));\n",
    left_alone: "//! Replaces a Pump.\nstep(\"pause\", || pause_pump(\"pump-1\"));\nstep(\"wait until it stands\", || wait_for(\"pump-1\", \"paused\"));\nstep(\"replace\", || manual(\"Replace pump-1\", #{ starts: [\"pump-1\"] }));\nstep(\"wait\", || wait_for(\"pump-1\", \"online\"));\n",
};

const LOOP_WITHOUT_CHECK: Rule = Rule {
    name: "loop_without_check",
    severity: Severity::Warning,
    about: "A loop stops, closes or replaces one node after the other, and looks at nothing in between, or at nothing behind \
            the start of one.",
    why: "If the first does not come back, the loop takes the next one down all the same: that is how a cluster loses all \
          of its Pumps. Wait in the loop (`wait_for`, `wait_until` and the option `wait` count as a look), or `ensure` that \
          the last one is well; a `break`, `return`, `fail` or `confirm` is a check, too.",
    caught: "//! Stops all Drainers.\nfor drainer in drainers() {\n    step(`pause ${drainer}`, || pause_drainer(drainer));\n}\nfor drainer in drainers() {\n    wait_for(drainer, \"paused\");\n}\n",
    left_alone: "//! Stops all Drainers.\nfor drainer in drainers() {\n    step(`pause ${drainer}`, || pause_drainer(drainer));\n    wait_for(drainer, \"paused\");\n}\n",
};

const UPDATE_FOR_PAUSE: Rule = Rule {
    name: "update_for_pause",
    severity: Severity::Warning,
    about: "A state is written into a record where a node shall be stopped, closed or started.",
    why: "`update_pump` and `update_drainer` write what others read; the process does not notice, and writes its own state \
          over it within seconds. `paused` and `offline` by hand are a repair of the record of a process that is dead: \
          `probe` it first. Use `pause_*` to stop, `offline_*` to close; nothing but its process starts a node.",
    caught: "//! Stops a Pump.\nstep(\"pause\", || update_pump(\"pump-1\", \"paused\"));\n",
    left_alone: "//! Fixes the record of a dead Pump.\nensure(probe(\"pump-1\") == \"refused\", \"pump-1 is alive: pause it\");\nstep(\"fix\", || update_pump(\"pump-1\", \"paused\"));\n",
};

fn check(script: &Rc<Script>, words: &ScriptVocabulary, found: &mut Vec<RuleFinding>) {
    let flows = Flows::of(script, words);
    follow_changes(&flows, found);
    look_into_loops(&flows, found);
}

// A function may act outside a step, or leave the waiting to others, if whoever calls it makes up for that. So a change is
// judged once for every way from the script to it, and a finding stays only if no way to its place is right.

/// How many events are followed at most: functions that call each other can make any number of ways.
const MOST: usize = 100_000;

/// How deep functions are followed: no deeper than the language lets them call each other.
const DEPTH: usize = 64;

/// Follows the script through its functions to every change, with what comes before and after it on that way.
fn follow_changes(flows: &Flows, found: &mut Vec<RuleFinding>) {
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
        if let Some(state) = act.state {
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
    fn written(&self, act: &ChangingCall, state: State) -> Option<RuleFinding> {
        let kind = act.function.params.iter().find_map(|param| match param.takes {
            Type::Node(kind) => kind,
            _ => None,
        })?;
        let hint = match state {
            State::Paused | State::Offline if self.is_known_dead() => return None,
            State::Paused | State::Pausing => {
                format!("to stop it use pause_{kind}; for a repair, `probe` first that it is dead")
            }
            State::Offline | State::Closing => {
                format!("to close it use offline_{kind}; for a repair, `probe` first that it is dead")
            }
            State::Online => "start its process; to have it done in a script use `manual` or `exec`".to_owned(),
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

/// Finds loops that act, and look at nothing in between.
fn look_into_loops(flows: &Flows, found: &mut Vec<RuleFinding>) {
    look_into(flows, flows.body(), found);
    for function in flows.own_functions() {
        look_into(flows, function, found);
    }
}

/// Finds the loops in `events`; whether one of them was found wrong.
fn look_into(flows: &Flows, events: &[FlowEvent], found: &mut Vec<RuleFinding>) -> bool {
    let mut any = false;
    for event in events {
        any |= match event {
            FlowEvent::Repeat(repeated) => {
                // The innermost loop is the one to fix.
                look_into(flows, repeated, found)
                    || wrong(flows, repeated).is_some_and(|finding| {
                        found.push(finding);
                        true
                    })
            }
            FlowEvent::Branch(ways) => ways.iter().fold(false, |any, way| any | look_into(flows, way, found)),
            FlowEvent::Step(events) | FlowEvent::Apart(events) => look_into(flows, events, found),
            _ => false,
        };
    }
    any
}

fn wrong(flows: &Flows, repeated: &[FlowEvent]) -> Option<RuleFinding> {
    let all = flows.traits(repeated);
    if all.looks || all.probes {
        return unseen_start(flows, repeated);
    }
    let (name, act, at) = risk(flows, repeated)?;
    let word = name.rsplit("::").next().unwrap_or(name).to_owned();
    let through = if name == act { String::new() } else { format!(" (through `{name}`)") };
    let message = format!("`{act}`{through} in a loop that looks at nothing in between");
    Some(RuleFinding::new(&LOOP_WITHOUT_CHECK, at, &word, message).hint(
        "wait for it in the loop, with the option `wait`, wait_for or wait_until, or `ensure` that all is well before the next",
    ))
}

/// What is wrong with a loop that stops a node, has it started, and goes on to the next without having seen it back.
fn unseen_start(flows: &Flows, repeated: &[FlowEvent]) -> Option<RuleFinding> {
    let events = without_steps(repeated);
    let start = |event: &&FlowEvent| match event {
        FlowEvent::Act(act) if act.starts => Some(act.at),
        _ => None,
    };
    let at = events.iter().rposition(|event| start(event).is_some())?;
    let behind = flows.traits(events[at + 1..].iter().copied());
    let stops = events[..at].iter().any(|event| matches!(event, FlowEvent::Act(act) if act.goes_on()));
    if !stops || behind.looks || behind.probes {
        return None;
    }
    let message = "a node is started in a loop that takes the next one down without having seen this one back";
    Some(RuleFinding::new(&LOOP_WITHOUT_CHECK, start(&events[at])?, "manual", message).hint(
        "wait in the loop behind its start, such as with pumps::wait_until_back, wait_for or wait_until: a process that runs is not \
         yet a node that is back",
    ))
}

/// The events, and those in steps among them.
fn without_steps(events: &[FlowEvent]) -> Vec<&FlowEvent> {
    let mut all = Vec::with_capacity(events.len());
    for event in events {
        match event {
            FlowEvent::Step(events) => all.extend(without_steps(events)),
            event => all.push(event),
        }
    }
    all
}

/// The first change in `events` that goes on after its call, or that somebody else makes: as it is written, as it is
/// called, and where.
fn risk<'a>(flows: &Flows, events: &'a [FlowEvent]) -> Option<(&'a str, &'static str, Spot)> {
    events.iter().find_map(|event| match event {
        FlowEvent::Act(act) => {
            let act_name = flows.traits(std::slice::from_ref(event)).risk?;
            Some((act.function.name, act_name, act.at))
        }
        FlowEvent::Invoke(call) => {
            let act = flows.traits(std::slice::from_ref(event)).risk?;
            Some((call.name.as_str(), act, call.at))
        }
        FlowEvent::Branch(ways) => ways.iter().find_map(|way| risk(flows, way)),
        FlowEvent::Step(events) | FlowEvent::Repeat(events) => risk(flows, events),
        _ => None,
    })
}
