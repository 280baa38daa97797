//! What a script does to the cluster, and what it looks at, in the order in which that happens.

mod record;

use crate::check::script::Script;
use crate::check::vocabulary::ScriptVocabulary;
use crate::language::tree::Spot;
use crate::language::{Changes, Function};
use record::Recorder;
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
    pub(super) state: Option<String>,
    /// Whether the call waits for it.
    pub(super) waits: bool,
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

/// How many functions that call each other are looked through.
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
    pub(super) fn traits(&self, events: &[FlowEvent]) -> Traits {
        let mut all = Traits::default();
        for event in events {
            let one = self.traits_of(event);
            all.probes |= one.probes;
            all.looks |= one.looks;
            all.risk = all.risk.or(one.risk);
        }
        all
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
            FlowEvent::Branch(ways) => {
                let each = ways.iter().map(|way| self.traits(way));
                each.fold(Traits::default(), |all, one| Traits {
                    probes: all.probes | one.probes,
                    looks: all.looks | one.looks,
                    risk: all.risk.or(one.risk),
                })
            }
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
