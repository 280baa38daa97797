//! Journals for where nothing can be kept: one that lets nothing begin, and one that lets everything.

use crate::error::{Error, ErrorKind, Result};
use crate::journal::{Entry, Journal, Mark, Memory, Outcome};
use crate::world::{Change, Notice, Notices, Request};

/// Lets be read, and refuses to let a change begin: there is nowhere to keep it.
pub(crate) struct NoStore {
    memory: Memory,
    why: Error,
}

impl NoStore {
    /// `why` there is nowhere to keep anything.
    pub(crate) fn new(why: Error) -> Self {
        Self { memory: Memory::of_changes(), why }
    }
}

impl Journal for NoStore {
    fn secret_key(&self) -> [u8; 16] {
        self.memory.secret_key()
    }

    fn next_replayed(&mut self) -> Option<Entry> {
        None
    }

    fn note(&mut self, _request: &Request, _outcome: &Outcome, _by: Option<&str>) -> Result<()> {
        Ok(())
    }

    fn began(&mut self, _change: &Change, _findings: &[String], _by: Option<&str>) -> Result<()> {
        Err(self.why.clone())
    }

    fn done(&mut self, entry: Entry) -> Result<()> {
        self.memory.done(entry)
    }

    fn mark(&mut self) -> Result<Mark> {
        self.memory.mark()
    }

    fn forget(&mut self, mark: Mark) {
        self.memory.forget(mark);
    }
}

/// Keeps what another journal keeps, and goes on without it, with a warning, where that cannot: for `ctl`, which does what
/// binlogctl does on a full disk too.
pub(crate) struct Lenient<J> {
    inner: J,
    notices: Notices,
    warned: bool,
    /// A change is under way whose begin could not be kept.
    unkept: bool,
}

impl<J: Journal> Lenient<J> {
    /// Around `inner`; warnings go to `notices`.
    pub(crate) fn new(inner: J, notices: Notices) -> Self {
        Self { inner, notices, warned: false, unkept: false }
    }

    /// Whether it was kept; what is no matter of this host's files stays an error.
    fn forgive(&mut self, kept: Result<()>) -> Result<bool> {
        match kept {
            Err(error) if error.kind == ErrorKind::Local => {
                if !std::mem::replace(&mut self.warned, true) {
                    (self.notices)(Notice::Warning(format!("this is not kept among the runs: {error}")));
                }
                Ok(false)
            }
            kept => kept.map(|()| true),
        }
    }
}

impl<J: Journal> Journal for Lenient<J> {
    fn secret_key(&self) -> [u8; 16] {
        self.inner.secret_key()
    }

    fn next_replayed(&mut self) -> Option<Entry> {
        self.inner.next_replayed()
    }

    fn take_expected(&mut self) -> Option<Change> {
        self.inner.take_expected()
    }

    fn note(&mut self, request: &Request, outcome: &Outcome, by: Option<&str>) -> Result<()> {
        let kept = self.inner.note(request, outcome, by);
        self.forgive(kept).map(drop)
    }

    fn began(&mut self, change: &Change, findings: &[String], by: Option<&str>) -> Result<()> {
        let kept = self.inner.began(change, findings, by);
        self.unkept = !self.forgive(kept)?;
        Ok(())
    }

    fn done(&mut self, entry: Entry) -> Result<()> {
        if std::mem::take(&mut self.unkept) {
            return Ok(());
        }
        let kept = self.inner.done(entry);
        self.forgive(kept).map(drop)
    }

    fn mark(&mut self) -> Result<Mark> {
        self.inner.mark()
    }

    fn forget(&mut self, mark: Mark) {
        self.inner.forget(mark);
    }

    fn wants_cluster(&self) -> bool {
        self.inner.wants_cluster()
    }

    fn on_cluster(&mut self, id: u64) {
        self.inner.on_cluster(id);
    }

    fn step(&mut self, name: Option<&str>) {
        self.inner.step(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::Entry;
    use crate::node::{Kind, NodeRef};
    use crate::world::{Answer, Read};
    use std::sync::{Arc, Mutex};

    fn gc() -> Change {
        Change::TriggerGc { node: NodeRef { kind: Kind::Pump, id: "p0".into(), address: "p0:1".into() } }
    }

    #[test]
    fn with_nowhere_to_keep_it_a_change_does_not_begin() {
        let mut journal = NoStore::new(Error::local("no home"));
        assert!(journal.note(&Request::Read(Read::Tso), &Ok(Answer::Done), None).is_ok());
        assert_eq!(journal.began(&gc(), &[], None).unwrap_err().message, "no home");
    }

    #[test]
    fn a_lenient_journal_warns_once_and_goes_on() {
        let told: Arc<Mutex<Vec<Notice>>> = Arc::default();
        let heard = told.clone();
        let notices: Notices = Arc::new(move |notice| heard.lock().unwrap().push(notice));
        let mut journal = Lenient::new(NoStore::new(Error::local("no home")), notices);
        for _ in 0..2 {
            journal.began(&gc(), &[], None).unwrap();
            journal.done(Entry::new(gc().into(), Ok(Answer::Done))).unwrap();
        }
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}
