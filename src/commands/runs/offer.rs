//! A script that was stopped the last time: says so, and offers to go on.

use super::keep::Standing;
use super::list::progress;
use crate::commands::compose::CommandContext;
use crate::config;
use crate::error::Result;
use crate::journal::store::{RunLine, RunState, Store};
use crate::live::clock;
use crate::text::on_one_line;
use crate::time::show_seconds;
use crate::world::{Choice, Question};

/// If the last run of `script` was stopped, says so; gives its id if the operator would rather go on with that one.
///
/// # Errors
/// `interrupted` when they want neither. What cannot be read is a matter of the first change, not of this.
pub(in crate::commands) fn offer(context: &CommandContext, script: &str) -> Result<Option<String>> {
    if context.global.sandbox.is_some() || context.global.read_only {
        return Ok(None);
    }
    let found = config::runs_file().ok().and_then(|file| Store::open_if_there(&file).ok().flatten());
    let Some(run) = found.and_then(|store| store.last_stopped(script).ok().flatten()) else { return Ok(None) };
    if Standing::of(&run) == Standing::Says(RunState::Running) {
        context.output.warning(&format!("another run of {script} is going on: {}", told(&run)));
        return Ok(None);
    }
    let mut console = context.output.console(context.interrupt.clone());
    let text = format!("The last run of {script} was stopped: {}", told(&run));
    if context.global.yes.is_some() || !console.is_attended() {
        let resume = context.typed(&format!("runs resume {}", run.id));
        let go_on = format!("to go on with it: {resume}; if nobody will: binlogsh runs abandon {} --why TEXT", run.id);
        context.output.warning(&format!("{text}\nThis is a new run, from the beginning; {go_on}"));
        return Ok(None);
    }
    match console.ask(&Question::new(format!("{text}\nGo on with it? (no: a new run, from the beginning)")))? {
        Choice::Yes | Choice::All => Ok(Some(run.id)),
        Choice::No => Ok(None),
    }
}

fn told(run: &RunLine) -> String {
    let ago = show_seconds((clock::unix_ms() - run.begun_ms).max(0) as f64 / 1000.0);
    on_one_line(&format!(
        "{}, begun {ago} ago by {} on {}: {}",
        run.id,
        run.user,
        run.host,
        progress(run, Standing::of(run))
    ))
    .into_owned()
}
