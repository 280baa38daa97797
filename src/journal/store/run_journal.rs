//! The journal of a run that is going on.
//!
//! Nothing is written before the first change: that one brings the run and everything noted so far. *Began* and *done*
//! are durable when they return; what is noted in between is written in groups, so that a crash may lose the latest
//! reads, which is as if it had come earlier, but never a change.

use super::chain::{Hash, RowKind};
use super::fault;
use super::rows::RunRow;
use super::run::{Holder, RunEnding, RunHead, RunLine, StoredModule};
use super::write::GROUP;
use super::{Store, Sync};
use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Deeds, Entry, Journal, Keeps, Mark, Outcome, Unfinished};
use crate::secret::Secret;
use crate::world::{Change, Effect, Request};
use serde::Serialize;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Says what time it is: milliseconds since 1970, UTC.
pub type Clock = Box<dyn Fn() -> i64>;

/// Is told a step of the script; `None` outside of all.
pub(super) type GoesLive = Box<dyn FnOnce(Option<&str>)>;

/// A run that is about to begin.
pub struct NewRun {
    /// What it is.
    pub head: RunHead,
    /// The process that is at it: this one.
    pub holder: Holder,
    /// The key under which its secrets are hashed: random.
    pub secret_key: [u8; 16],
    /// What of it is kept.
    pub keeps: Keeps,
    /// For the times of its entries.
    pub clock: Clock,
}

/// The journal of a run that is going on, in a store.
pub struct RunJournal {
    pub(super) file: PathBuf,
    /// Open from the first change on.
    pub(super) store: Option<Store>,
    pub(super) head: RunHead,
    pub(super) secret_key: [u8; 16],
    pub(super) holder: Holder,
    pub(super) keeps: Keeps,
    pub(super) clock: Clock,
    /// The run's row as it is, or will be with the next write.
    pub(super) line: RunRow,
    /// The last link that is written, and which row that is.
    pub(super) tip: Hash,
    pub(super) written: u64,
    /// Rows after it that are written and forgotten: they go with the next write.
    pub(super) forgotten: bool,
    /// Rows that are not yet written.
    pub(super) buffer: Vec<(RowKind, String)>,
    /// At how many of them the next group is written.
    pub(super) group: usize,
    pub(super) replay: VecDeque<Entry>,
    pub(super) open: Option<Unfinished>,
    /// How many changes began in this process.
    pub(super) begun: u64,
    /// Is told the step when everything was given back and something new is asked.
    pub(super) goes_live: Option<GoesLive>,
    /// What a resumed script must ask once everything was given back.
    pub(super) expected: Option<Change>,
    pub(super) step: Option<String>,
    /// Why nothing can be noted any more.
    pub(super) broken: Option<Error>,
    pub(super) set_aside: Option<PathBuf>,
    /// The run's row as it was when it was taken up again, with what was added since.
    pub(super) before: Option<RunRow>,
}

impl RunJournal {
    /// The journal of a new run in the store `file`, which is not touched before the first change.
    ///
    /// If the store proves damaged then, it is set aside and a new one made ([`RunJournal::set_aside`]).
    pub fn new(file: &Path, run: NewRun) -> Self {
        let NewRun { head, holder, secret_key, keeps, clock } = run;
        let run = RunLine { holder: Some(holder.clone()), ..RunLine::beginning(&head) };
        Self {
            file: file.to_owned(),
            store: None,
            head,
            secret_key,
            holder,
            keeps,
            clock,
            line: RunRow { n: 0, run },
            tip: [0; 32],
            written: 0,
            forgotten: false,
            buffer: Vec::new(),
            group: GROUP,
            replay: VecDeque::new(),
            open: None,
            begun: 0,
            expected: None,
            goes_live: None,
            step: None,
            broken: None,
            set_aside: None,
            before: None,
        }
    }

    /// What the run is.
    pub fn head(&self) -> &RunHead {
        &self.head
    }

    /// Whether the run is in the store: it has begun a change.
    pub(crate) fn is_stored(&self) -> bool {
        self.line.n != 0
    }

    /// How many changes were made, what is under way included.
    pub fn changes(&self) -> u64 {
        self.line.run.changes
    }

    /// How many entries of an earlier execution are still to be given back.
    pub fn to_replay(&self) -> usize {
        self.replay.len()
    }

    /// The change that began last, while it has no outcome. Of a resumed run it is what the journal ends with: find out
    /// whether it happened; if so, say [`Journal::done`], and if not, let it begin again. What is asked to find out is
    /// not noted (the script will not ask it): it belongs into the findings and the `by` of what is said then.
    pub fn unfinished(&self) -> Option<&Unfinished> {
        self.open.as_ref()
    }

    /// Where the damaged store was kept that this run found.
    pub fn set_aside(&self) -> Option<&Path> {
        self.set_aside.as_deref()
    }

    /// Says what the script is and imports: its text without the secrets in it, and, if there are any, the hash of the
    /// whole. Has an effect only before the run is stored.
    pub fn set_texts(&mut self, text: String, whole: Option<Secret>, modules: Vec<StoredModule>) {
        if !self.is_stored() {
            (self.head.text, self.head.whole, self.head.modules) = (text, whole, modules);
        }
    }

    /// Says on which cluster the run works. Has an effect only before the run is stored.
    pub(crate) fn set_cluster_id(&mut self, id: u64) {
        if !self.is_stored() {
            self.head.cluster_id = Some(id);
            self.line.run.cluster_id = Some(id);
        }
    }

    /// Writes, durably, what is not yet written. Does nothing before the first change.
    ///
    /// # Errors
    /// `local` when it cannot be kept, `lock_lost` when the run is no longer ours.
    pub fn flush(&mut self) -> Result<()> {
        match self.store {
            None => Ok(()),
            Some(_) => Ok(self.commit(Sync::Host)?),
        }
    }

    /// Writes, durably, how the run ended, and lets go of it. Does nothing to a run that changed nothing.
    ///
    /// # Errors
    /// `local` when it cannot be kept, `lock_lost` when the run is no longer ours.
    pub fn finish(&mut self, ending: RunEnding) -> Result<()> {
        if self.store.is_none() {
            return Ok(());
        }
        let before = self.line.run.clone();
        let run = &mut self.line.run;
        (run.state, run.exit_code, run.error) = (ending.state, Some(ending.exit_code), ending.error);
        run.ended_ms = Some((self.clock)());
        run.holder = None;
        if let Err(fault) = self.commit(Sync::Host) {
            self.line.run = before;
            return Err(fault.into());
        }
        self.store = None;
        self.broken = Some(Error::internal(format!("the run {} has ended, and still something happens", self.head.id)));
        Ok(())
    }

    /// How many rows the journal has.
    pub(super) fn length(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    /// Whether the store does not yet hold just what was noted.
    fn is_behind(&self) -> bool {
        !self.buffer.is_empty() || self.forgotten
    }

    fn push(&mut self, kind: RowKind, row: &impl Serialize) -> Result<()> {
        self.buffer.push((kind, fault::json(row)?));
        Ok(())
    }

    fn usable(&self) -> Result<()> {
        self.broken.clone().map_or(Ok(()), Err)
    }
}

impl Journal for RunJournal {
    fn secret_key(&self) -> [u8; 16] {
        self.secret_key
    }

    fn next_replayed(&mut self) -> Option<Entry> {
        let next = self.replay.pop_front();
        if next.is_none()
            && let Some(tell) = self.goes_live.take()
        {
            tell(self.step.as_deref());
        }
        next
    }

    fn take_expected(&mut self) -> Option<Change> {
        if self.replay.is_empty() { self.expected.take() } else { None }
    }

    fn foreseen(&self) -> Option<Request> {
        let next = self.replay.front().map(|entry| entry.request.clone());
        next.or_else(|| self.expected.clone().map(Request::Change))
    }

    fn note(&mut self, request: &Request, outcome: &Outcome, by: Option<&str>) -> Result<()> {
        self.usable()?;
        if !self.keeps.keeps(request) {
            return Ok(());
        }
        let at_ms = Some((self.clock)());
        let row = BorrowedEntry { at_ms, step: self.step.as_deref(), request, outcome, by };
        let body = fault::json(&row)?;
        self.buffer.push((RowKind::Asked, body));
        // What began before and has no outcome will get none: the run has gone on without it.
        self.open = None;
        match self.is_stored() && self.buffer.len() >= self.group {
            true => self.try_commit(),
            false => Ok(()),
        }
    }

    fn began(&mut self, change: &Change, findings: &[String], by: Option<&str>) -> Result<()> {
        self.usable()?;
        let seq = self.length() + 1;
        let counts = u64::from(may_count(change));
        let (change, findings, by) = (change.clone(), findings.to_vec(), by.map(str::to_owned));
        let began = Unfinished { seq, at_ms: Some((self.clock)()), step: self.step.clone(), change, findings, by };
        self.push(RowKind::Began, &began)?;
        let before = self.open.replace(began);
        self.line.run.changes += counts;
        self.begun += 1;
        self.commit(Sync::Host).map_err(|fault| {
            // It will not be applied, so it did not begin.
            self.buffer.pop();
            self.line.run.changes -= counts;
            self.begun -= 1;
            self.open = before;
            fault.into()
        })
    }

    fn done(&mut self, entry: Entry) -> Result<()> {
        self.usable()?;
        let change =
            entry.request.change().filter(|done| self.open.as_ref().is_some_and(|began| began.change == **done));
        let Some(change) = change else { return Err(Error::internal("a change is done that did not begin")) };
        let at_ms = entry.at_ms.or_else(|| Some((self.clock)()));
        let step = entry.step.clone().or_else(|| self.step.clone());
        let happened = Deeds::count([(Some(change), &entry.outcome)]).changes > 0;
        if may_count(change) && !happened {
            self.line.run.changes = self.line.run.changes.saturating_sub(1);
        }
        self.push(RowKind::Done, &Entry { at_ms, step, ..entry })?;
        self.open = None;
        self.commit(Sync::Host).map_err(|fault| {
            // It did happen: nothing may come after it before that is noted, which the end tries once more.
            let error = Error::from(fault);
            self.broken.get_or_insert_with(|| error.clone());
            error
        })
    }

    fn mark(&mut self) -> Result<Mark> {
        self.usable()?;
        // A journal that is only read again stays as it is.
        if self.is_stored() && self.replay.is_empty() && self.is_behind() {
            self.try_commit()?;
        }
        let length = self.replay.is_empty().then(|| self.length());
        Ok(Mark { length, changes: self.begun })
    }

    fn forget(&mut self, mark: Mark) {
        let Some(length) = mark.length.filter(|length| mark.changes == self.begun && *length <= self.length()) else {
            return;
        };
        match usize::try_from(length.saturating_sub(self.written)) {
            Ok(stay) if length >= self.written => self.buffer.truncate(stay),
            _ => {
                self.buffer.clear();
                self.written = length;
                self.forgotten = true;
            }
        }
    }

    fn wants_cluster(&self) -> bool {
        !self.is_stored() && self.head.cluster_id.is_none()
    }

    fn on_cluster(&mut self, id: u64) {
        self.set_cluster_id(id);
    }

    fn step(&mut self, name: Option<&str>) {
        self.step = name.map(str::to_owned);
        if let Some(name) = name {
            self.line.run.step = Some(name.to_owned());
        }
    }
}

impl Drop for RunJournal {
    fn drop(&mut self) {
        let ours = self.broken.as_ref().is_none_or(|error| error.kind != ErrorKind::LockLost);
        if self.store.is_some() && ours && self.replay.is_empty() && self.is_behind() {
            // Nobody is left to hear of a failure; what is lost is as if it had ended a moment earlier.
            let _ = self.commit(Sync::Host);
        }
    }
}

/// An entry that is not yet owned.
#[derive(Serialize)]
struct BorrowedEntry<'n> {
    #[serde(skip_serializing_if = "Option::is_none")]
    at_ms: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<&'n str>,
    request: &'n Request,
    outcome: &'n Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'n str>,
}

/// Whether a change that begins is one of those that are counted, if it happens.
fn may_count(change: &Change) -> bool {
    let effect = change.effect();
    effect.changes() && effect != Effect::Manual
}
