//! The journal of a run as a session uses it: what is given back, what is noted, and when it is written.

use super::RunJournal;
use crate::error::{Error, Result};
use crate::journal::store::Sync;
use crate::journal::store::chain::RowKind;
use crate::journal::store::fault;
use crate::journal::{Deeds, Entry, Journal, Mark, Outcome, Unfinished};
use crate::world::{Change, Effect, Request};
use serde::Serialize;

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

    fn note(&mut self, request: &Request, outcome: &Outcome, by: Option<&str>) -> Result<()> {
        self.usable()?;
        if !self.keeps.keeps(request) {
            return Ok(());
        }
        let at_ms = Some((self.clock)());
        let row = BorrowedEntry { at_ms, step: self.step.as_deref(), request, outcome, by };
        let body = serde_json::to_string(&row).map_err(|e| fault::unwritable(&e))?;
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
