//! What is said at the end of a script's run that changed something.

use super::open;
use crate::commands::compose::CommandContext;
use crate::journal::store::{LoadedRun, RunState};
use crate::journal::{Deeds, Entry, Memory};
use crate::recovery::OutOfWork;

/// Of a run in the store, as whoever resumes it would find it. Where it stands there: somebody may have given it up.
pub(super) fn of_stored(context: &CommandContext, id: &str, is_done: bool) -> Option<RunState> {
    match open().and_then(|store| store.load(id)) {
        Ok(loaded) => {
            let out = left_by(&loaded);
            say(context, &loaded.entries, &out, is_done.then(|| format!(", kept as the run {id}")));
            Some(loaded.line.state)
        }
        Err(error) => {
            context.output.warning(&format!("what the run {id} leaves cannot be told: {error}"));
            None
        }
    }
}

/// What a run leaves out of work.
pub(super) fn left_by(loaded: &LoadedRun) -> Vec<OutOfWork> {
    OutOfWork::of(&loaded.entries, loaded.left.iter().chain(&loaded.unfinished))
}

/// Of a run in a sandbox.
pub(super) fn of_memory(context: &CommandContext, journal: &Memory, is_done: bool) {
    let out = OutOfWork::of(journal.entries(), []);
    say(context, journal.entries(), &out, is_done.then(String::new));
}

/// `done` says where the run is kept; `None` if it did not come to its end.
fn say(context: &CommandContext, entries: &[Entry], out: &[OutOfWork], done: Option<String>) {
    let deeds = deeds(entries);
    if let Some(kept) = done.filter(|_| deeds != Deeds::default()) {
        context.output.last_word(&format!("done: {deeds}{kept}"));
    }
    if let Some(nodes) = listed(out) {
        context.output.last_word(&format!("out of work through this run: {nodes}"));
    }
}

/// What these entries did.
pub(super) fn deeds(entries: &[Entry]) -> Deeds {
    Deeds::count(entries.iter().map(|entry| (entry.request.change(), &entry.outcome)))
}

/// The nodes, as one text; `None` of none.
pub(super) fn listed(out: &[OutOfWork]) -> Option<String> {
    let nodes: Vec<String> = out.iter().map(ToString::to_string).collect();
    (!nodes.is_empty()).then(|| nodes.join("; "))
}
