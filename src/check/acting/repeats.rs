//! Loops that act, and whether they look at anything in between.

use super::LOOP_WITHOUT_CHECK;
use crate::check::finding::RuleFinding;
use crate::check::flow::{FlowEvent, Flows};
use crate::language::tree::Spot;

pub(super) fn check(flows: &Flows, found: &mut Vec<RuleFinding>) {
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
        return None;
    }
    let (name, act, at) = risk(flows, repeated)?;
    let word = name.rsplit("::").next().unwrap_or(name).to_owned();
    let through = if name == act { String::new() } else { format!(" (through `{name}`)") };
    let message = format!("`{act}`{through} in a loop that looks at nothing in between");
    Some(RuleFinding::new(&LOOP_WITHOUT_CHECK, at, &word, message).hint(
        "wait for it in the loop, with the option `wait`, wait_for or wait_until, or `ensure` that all is well before the next",
    ))
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
