//! The scripts that come with the program, each in the cluster in which it has something to do: the good way, each way it
//! can go wrong, thousands of futures, a cut at every effect, and how they are found on the command line.

mod command;
mod cut;
mod futures;
mod good;
mod new_nodes;
mod wrong;

use binlogsh::interrupt::Interrupt;
use binlogsh::language::{ScriptSettings, Shipped, shipped};
use binlogsh::rehearsal::{Base, Bounds, Played, Subjects};
use binlogsh::sim::{Fault, Scenario};
use binlogsh::world::Notice;

/// The script called `name`.
fn script(name: &str) -> Shipped {
    shipped().find(|script| script.name == name).unwrap()
}

/// The script with these parameters instead of, or beside, those that it is tried with.
fn subjects(script: Shipped, scenario: Scenario, more: &[(&str, &str)]) -> Subjects {
    let tried = script.params.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let settings = ScriptSettings { parameters: tried.collect(), ..ScriptSettings::default() };
    Subjects { source: script.source(), settings, scenario, interrupt: Interrupt::default() }
}

/// The script in its own sample.
fn tried(script: Shipped, more: &[(&str, &str)]) -> Subjects {
    subjects(script, Scenario::named(script.sample).unwrap(), more)
}

const BOUNDS: Bounds = Bounds { time: 7 * 24 * binlogsh::sim::HOUR, calls: 200_000 };

fn base(subjects: &Subjects) -> Base {
    Base::play(&mut subjects.stage().unwrap(), BOUNDS).unwrap()
}

/// Plays it once, with these faults, each as it stands in a scenario.
fn play(subjects: &Subjects, faults: &[&str]) -> Played {
    let faults: Vec<Fault> = faults.iter().map(|fault| serde_json::from_str(fault).unwrap()).collect();
    subjects.stage().unwrap().play(&faults, BOUNDS).unwrap()
}

/// What people see of a play: its steps, questions, effects, and what it prints, in order, without times.
fn story(played: &Played) -> Vec<String> {
    let steps = played.said.iter().filter_map(|said| match &said.notice {
        Notice::StepBegan(name) => Some((said.order, format!("==> {name}"))),
        Notice::Printed(line) => Some((said.order, format!("> {line}"))),
        _ => None,
    });
    let asked = played.asked.iter().map(|asked| (asked.order, format!("? {}", asked.text.lines().next().unwrap())));
    let acts = played.acts.iter().filter_map(|act| {
        let effect = act.change.planned()?;
        let how = if act.outcome.is_ok() { "" } else { " failed" };
        Some((act.order, format!("- {effect}{how}")))
    });
    let mut all: Vec<(usize, String)> = steps.chain(asked).chain(acts).collect();
    all.sort_by_key(|(order, _)| *order);
    all.into_iter().map(|(_, line)| line).collect()
}
