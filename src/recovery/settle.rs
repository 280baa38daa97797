//! The change that a run was about when it was stopped: done, not done, or for the operator to say.

use super::fate::{Fate, fate};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::store::RunJournal;
use crate::journal::{Entry, Unfinished};
use crate::world::{Acted, Answer, Change, Choice, ProgramEnd, Question, Request, World, read};
use std::time::Duration;

/// How often a change is looked at that is unclear, and with how long between.
const LOOKS: u32 = 6;
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// What the operator says of a change of which nobody can tell whether it happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assume {
    /// It happened.
    Done,
    /// It did not, and may be done again.
    Undone,
}

/// What was found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Whether it happened.
    pub done: bool,
    /// The change, and why that is so: for the operator.
    pub text: String,
}

/// Finds out what became of the change with which `journal` ends, if it ends with one, and settles it there: one that
/// happened is given to the script when it comes there, one that did not begins again.
///
/// What nobody can tell is `assumed`, or `ask`ed: yes means that it happened.
///
/// # Errors
/// Those of looking and asking; `in_doubt` when nobody can be asked; `local`, `lock_lost` of the journal.
pub fn settle(
    journal: &mut RunJournal,
    world: &mut dyn World,
    assumed: Option<Assume>,
    ask: &mut dyn FnMut(&mut dyn World, Question) -> Result<Choice>,
) -> Result<Option<Settled>> {
    let Some(open) = journal.unfinished().cloned() else { return Ok(None) };
    let what = open.change.to_string();
    let settled = |done, evidence: &str| {
        let word = if done { "it was done" } else { "it was not done" };
        Some(Settled { done, text: format!("`{what}` had begun when the run was stopped: {word} ({evidence})") })
    };
    match patient_fate(world, &open.change, open.at_ms.unwrap_or(i64::MIN))? {
        Fate::Done { answer, evidence } => {
            journal.settle(entry(open, answer, None))?;
            Ok(settled(true, &evidence))
        }
        Fate::Undone { evidence } => Ok(settled(false, &evidence)),
        Fate::Unclear { evidence } => {
            let (says, by) = match assumed {
                Some(assumed) => (assumed, "--assume"),
                None => (asked(world, &what, &evidence, ask)?, "the operator, who was asked"),
            };
            if says == Assume::Done {
                let answer = answer_of(world, &open.change)?;
                journal.settle(entry(open, answer, Some(by.to_owned())))?;
            }
            Ok(settled(says == Assume::Done, &format!("says {by}; seen: {evidence}")))
        }
    }
}

/// What became of a change, looked at until it is clear, a few seconds at most: a node that is just going says nothing.
fn patient_fate(world: &mut dyn World, change: &Change, began_ms: i64) -> Result<Fate> {
    for _ in 1..LOOKS {
        match fate(world, change, began_ms)? {
            Fate::Unclear { .. } => world.ask(read::Sleep { time: BETWEEN_LOOKS })?,
            clear @ (Fate::Done { .. } | Fate::Undone { .. }) => return Ok(clear),
        };
    }
    Ok(match (change, fate(world, change, began_ms)?) {
        // Whoever was to do it can say so when they are asked again.
        (Change::Manual(_), Fate::Unclear { evidence }) => {
            Fate::Undone { evidence: format!("{evidence}; a human is asked again") }
        }
        (_, fate) => fate,
    })
}

fn asked(
    world: &mut dyn World,
    what: &str,
    evidence: &str,
    ask: &mut dyn FnMut(&mut dyn World, Question) -> Result<Choice>,
) -> Result<Assume> {
    let text = format!(
        "`{what}` had begun when the run was stopped, and nobody can tell whether it happened.\n  {evidence}\n\
         Did it happen? (no: it is done again)"
    );
    match ask(world, Question::new(text)) {
        Ok(Choice::Yes | Choice::All) => Ok(Assume::Done),
        Ok(Choice::No) => Ok(Assume::Undone),
        Err(error) if error.kind.is_fatal() => Err(error),
        Err(error) => Err(Error::new(
            ErrorKind::InDoubt,
            format!("`{what}` had begun when the run was stopped, and nobody can tell whether it happened: {evidence}"),
        )
        .source(error)
        .hint("find out, then say it: --assume done, or --assume undone to have it done again")),
    }
}

fn entry(open: Unfinished, answer: Answer, by: Option<String>) -> Entry {
    let Unfinished { seq, step, change, findings, by: consent, .. } = open;
    Entry {
        seq,
        at_ms: None,
        step,
        request: Request::Change(change),
        outcome: Ok(answer),
        findings,
        by: by.or(consent),
    }
}

/// What the world would have answered, had it been heard.
fn answer_of(world: &mut dyn World, change: &Change) -> Result<Answer> {
    Ok(match change {
        Change::Act { .. } | Change::TriggerGc { .. } => {
            Answer::Acted(Acted::said("success (said after an interruption)"))
        }
        Change::Control(_) => Answer::Acted(Acted::said("done (said after an interruption)")),
        Change::SwapRecord { seen, .. } => {
            let now = world.listing()?.find(seen.node.kind, &seen.node.id).cloned();
            Answer::Swapped(now.unwrap_or_else(|| seen.clone()))
        }
        Change::RecoverTidb { server, .. } => {
            Answer::TidbBinlog(world.ask(read::TidbBinlog { server: server.clone() })?)
        }
        Change::Exec(_) => Answer::Ran(ProgramEnd::default()),
        Change::Encrypt { .. } => return Err(Error::internal("whether a text was encrypted is nothing to be settled")),
        Change::HoldGc { .. } | Change::ReleaseGc { .. } => {
            return Err(Error::internal("whether GC was held or released is nothing to be settled: it is done again"));
        }
        Change::DeleteRecord { .. } | Change::WriteSavepoint { .. } | Change::BreakLock { .. } | Change::Manual(_) => {
            Answer::Done
        }
    })
}
