//! Taking up a run again: one process does, and its journal begins with what is there.

use super::chain::RowKind;
use super::fault::StoreFault;
use super::load::{self, Whole};
use super::rows::{self, Put, RunRow};
use super::run::{Holder, RunLine, RunState};
use super::run_journal::{Clock, NewRun, RunJournal};
use super::table::line_of;
use super::write::still_ours;
use super::{Store, Sync, fault};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Entry, Journal, Keeps};
use crate::world::{Answer, Choice};

/// Who takes up a run, and what it must know for that.
pub struct Claim<'c> {
    /// This process.
    pub holder: Holder,
    /// Whether a process that holds a run is still there. What cannot be known (another host's) counts as there.
    pub is_alive: &'c dyn Fn(&Holder) -> bool,
    /// For the times of the entries to come.
    pub clock: Clock,
}

impl Store {
    /// Takes up the run with this id (or the only one whose id begins so), for this process alone. The journal first
    /// gives back the entries that are there, then keeps everything that comes.
    ///
    /// # Errors
    /// `locked` when another process is at it, naming it; `refused` when it is done, abandoned or no script; else as
    /// [`Store::load`].
    pub fn resume(mut self, id: &str, claim: Claim<'_>) -> Result<RunJournal> {
        let id = self.seen(self.find(id))?.run.id;
        let (whole, line) = self.write(Sync::Host, |transaction, file| {
            let line = line_of(transaction, file, &id)?;
            may_be_resumed(&line.run, &claim)?;
            let whole = load::read(transaction, file, line.clone())?;
            if whole.loaded.lost_tail > 0 {
                let what = format!("the last {} entries of the run {id} are lost", whole.loaded.lost_tail);
                return Err(fault::damaged(file, what));
            }
            // How it ended stays until something is added: what ended it is tried again, also if this process dies first.
            let mut claimed = line.clone();
            claimed.run.state = RunState::Running;
            claimed.run.holder = Some(claim.holder.clone());
            rows::put(transaction, file, &claimed, Put::Change)?;
            Ok((whole, line))
        })?;
        Ok(self.go_on(whole, line, claim))
    }

    fn go_on(self, whole: Whole, before: RunRow, claim: Claim<'_>) -> RunJournal {
        let Whole { mut loaded, began_ms, n, secret_key, tip, rows } = whole;
        let (mut written, mut buffer) = (rows, Vec::new());
        if loaded.unfinished.is_none() {
            // What was read since the last change or answer is looked at afresh: as if the run had been stopped there.
            let last = loaded.entries.iter().rposition(|entry| !entry.request.is_look());
            loaded.entries.truncate(last.map_or(0, |last| last + 1));
            written = loaded.entries.last().map_or(0, |entry| entry.seq);
            if let Some(ended) = loaded.entries.pop_if(|last| ended_by(last, loaded.line.error.as_ref())) {
                loaded.unfinished = load::in_doubt(&ended, began_ms);
                buffer.push((RowKind::Again, again((claim.clock)())));
            }
        }
        let mut line = RunRow { n, ..before.clone() };
        line.run.state = RunState::Running;
        line.run.holder = Some(claim.holder.clone());
        (line.run.ended_ms, line.run.exit_code, line.run.error) = (None, None, None);
        let run = NewRun {
            head: loaded.head,
            holder: claim.holder,
            secret_key,
            keeps: Keeps::Everything,
            clock: claim.clock,
        };
        let mut journal = RunJournal::new(&self.file, run);
        journal.store = Some(self);
        journal.step.clone_from(&line.run.step);
        (journal.line, journal.before) = (line, Some(before));
        (journal.tip, journal.written, journal.forgotten, journal.buffer) = (tip, written, written < rows, buffer);
        journal.replay = loaded.entries.into();
        journal.expected = loaded.unfinished.as_ref().map(|open| open.change.clone());
        journal.open = loaded.unfinished;
        journal
    }
}

impl RunJournal {
    /// Says that the change which began last did happen, and with what outcome. The script is given it when it comes there.
    ///
    /// # Errors
    /// As [`Journal::done`].
    pub fn settle(&mut self, entry: Entry) -> Result<()> {
        self.done(entry.clone())?;
        self.expected = None;
        self.replay.push_back(entry);
        Ok(())
    }

    /// Has `tell` called, with the step of the script, as soon as everything was given back and something new is asked.
    pub(crate) fn when_live(&mut self, tell: impl FnOnce(Option<&str>) + 'static) {
        self.goes_live = Some(Box::new(tell));
    }

    /// Lets go of a run that was taken up again and did not go on: it stands where it stood, settled as it is.
    ///
    /// # Errors
    /// `local` when it cannot be kept, `lock_lost` when the run is no longer ours.
    pub fn put_back(&mut self) -> Result<()> {
        let (Some(mut before), Some(mut store)) = (self.before.take(), self.store.take()) else { return Ok(()) };
        before.run.holder = None;
        let ours = &self.holder;
        let made = store.write(Sync::Host, |transaction, file| {
            still_ours(transaction, file, &before, ours)?;
            rows::put(transaction, file, &before, Put::Change)
        });
        self.broken =
            Some(Error::internal(format!("the run {} was let go, and still something happens", self.head.id)));
        Ok(made?)
    }
}

/// The body of the row that says that what came before it is tried again.
fn again(at_ms: i64) -> String {
    serde_json::json!({ "at_ms": at_ms }).to_string()
}

/// Whether `last`, the last change or answer of a run, is what it ended with: an error that the script did not catch or cannot,
/// or an operator's no.
fn ended_by(last: &Entry, error: Option<&Error>) -> bool {
    match (&last.outcome, error) {
        (Err(outcome), _) if outcome.kind.is_fatal() => true,
        (Err(outcome), Some(error)) => outcome.kind == error.kind && error.message.contains(&outcome.message),
        (Ok(Answer::Chosen(Choice::No)), Some(error)) => error.kind == ErrorKind::Refused,
        _ => false,
    }
}

fn may_be_resumed(run: &RunLine, claim: &Claim<'_>) -> Result<(), StoreFault> {
    let refused = |why: String, hint: &str| Err(StoreFault::Other(Error::refused(why).hint(hint)));
    match (run.state, &run.holder) {
        _ if run.kind != super::RunKind::Script => {
            refused(format!("the run {} is no script's", run.id), "do the rest at the prompt")
        }
        (RunState::Done, _) => refused(format!("the run {} is done", run.id), "start a new run"),
        (RunState::Abandoned, _) => {
            let why = run.why.as_deref().unwrap_or("nobody said why");
            refused(format!("the run {} was abandoned: {why}", run.id), "start a new run")
        }
        (_, Some(holder)) if (claim.is_alive)(holder) => Err(StoreFault::Other(held(run, holder))),
        _ => Ok(()),
    }
}

fn held(run: &RunLine, holder: &Holder) -> Error {
    let Holder { user, host, pid, .. } = holder;
    Error::new(ErrorKind::Locked, format!("the run {} is going on: process {pid} on {host}, started by {user}", run.id))
        .hint(
            "wait for its end; if that host is gone for good, export the run and import it into another data directory",
        )
}
