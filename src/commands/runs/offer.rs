//! A script that was stopped an earlier time: says so, and offers to go on.

use super::keep::Standing;
use super::list::progress;
use crate::cli::Run;
use crate::commands::compose::CommandContext;
use crate::config;
use crate::error::Result;
use crate::journal::store::{RunHead, RunLine, RunState, Store};
use crate::live::clock;
use crate::text::on_one_line;
use crate::time::show_seconds;
use crate::world::{Choice, Question};
use std::collections::BTreeSet;

/// How far back it is looked for a run that was stopped.
const LOOKED_AT: u32 = 50;

/// If a run of `script` was stopped, says so. One with the parameters that are `given` now is offered: its id if the operator
/// would rather go on with that one. One with others is something else, and only told of.
///
/// # Errors
/// `interrupted` when they want neither. What cannot be read is a matter of the first change, not of this.
pub(in crate::commands) fn offer(context: &CommandContext, script: &str, given: &Run) -> Result<Option<String>> {
    if context.global.sandbox.is_some() || context.global.read_only {
        return Ok(None);
    }
    let store = config::runs_file().ok().and_then(|file| Store::open_if_there(&file).ok().flatten());
    let all = store.and_then(|store| store.runs_of(script, LOOKED_AT).ok()).unwrap_or_default();
    let stopped: Vec<&(RunLine, RunHead)> = stopped(&all).collect();
    if let Some((run, head)) = stopped.iter().find(|(run, _)| Standing::of(run) == Standing::Says(RunState::Running)) {
        context.output.warning(&format!("another run of {script} is going on: {}", told(run, head)));
        return Ok(None);
    }
    let go_on = |run: &RunLine| {
        let resume = context.typed(&format!("runs resume {}", run.id));
        format!("to go on with it: {resume}; if nobody will: binlogsh runs abandon {} --why TEXT", run.id)
    };
    let Some((run, head)) = stopped.iter().find(|(_, head)| is_same(head, given)) else {
        if let Some((run, head)) = stopped.first() {
            let text = format!("A run of {script} with other parameters was stopped: {}", told(run, head));
            context.output.warning(&format!("{text}\nThis is another run; {}", go_on(run)));
        }
        return Ok(None);
    };
    let mut console = context.output.console(context.interrupt.clone());
    let text = format!("The last run of {script} was stopped: {}", told(run, head));
    if context.global.yes.is_some() || !console.is_attended() {
        context.output.warning(&format!("{text}\nThis is a new run, from the beginning; {}", go_on(run)));
        return Ok(None);
    }
    match console.ask(&Question::new(format!("{text}\nGo on with it? (no: a new run, from the beginning)")))? {
        Choice::Yes | Choice::All => Ok(Some(run.id.clone())),
        Choice::No => Ok(None),
    }
}

/// Those of the runs, the last first, that were stopped: without an end, told to stop, or by an error (a no is one) once they had
/// changed something; as long as no later one with the same parameters has come to its end.
fn stopped(all: &[(RunLine, RunHead)]) -> impl Iterator<Item = &(RunLine, RunHead)> {
    let is_over = |at: usize, head: &RunHead| {
        let later = all.iter().take(at);
        later.filter(|(run, _)| run.state == RunState::Done).any(|(_, other)| other.parameters == head.parameters)
    };
    let was_stopped = |run: &RunLine| match run.state {
        RunState::Running | RunState::Interrupted => true,
        RunState::Failed => run.changes > 0,
        RunState::Done | RunState::Abandoned => false,
    };
    let is_meant = move |(at, (run, head)): &(usize, &(RunLine, RunHead))| was_stopped(run) && !is_over(*at, head);
    all.iter().enumerate().filter(is_meant).map(|(_, one)| one)
}

/// Whether a run began with what is given now. What stands in files and variables is not read for that, and taken for the same.
fn is_same(head: &RunHead, given: &Run) -> bool {
    let elsewhere = given.sources.files.iter().chain(&given.sources.env).map(|(name, _)| name.as_str());
    let elsewhere: BTreeSet<&str> = elsewhere.collect();
    let shown = head.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let before: BTreeSet<(&str, &str)> = shown.filter(|(name, _)| !elsewhere.contains(name)).collect();
    let now: BTreeSet<(&str, &str)> =
        given.params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    before == now
}

fn told(run: &RunLine, head: &RunHead) -> String {
    let ago = show_seconds((clock::unix_ms() - run.begun_ms).max(0) as f64 / 1000.0);
    let given: Vec<String> = head.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let given = if given.is_empty() { String::new() } else { format!(" with {}", given.join(" ")) };
    let who = format!("{} on {}", run.user, run.host);
    on_one_line(&format!("{}{given}, begun {ago} ago by {who}: {}", run.id, progress(run, Standing::of(run))))
        .into_owned()
}
