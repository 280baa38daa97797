//! One operator at a time: the maintenance lock between real sessions and real processes, on real etcd.
//!
//! The lease lives for two seconds here instead of thirty, so that a test can see its end.

mod lost;
mod process;
mod program;
mod rounds;
mod second;
mod simulated;
mod taken;

use crate::support::etcd::{Etcd, Kv};
use crate::support::eventually;
use binlogsh::error::Result;
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::Memory;
use binlogsh::live::{Live, LiveSettings};
use binlogsh::node::Record;
use binlogsh::policy::Yes;
use binlogsh::session::{LockPlan, LockSpan, Parts, Session};
use binlogsh::world::{Answer, Change, Gate, GuardName, LOCK_KEY, LockHolder, Notice, Notices, Read, Request};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How long a lease lives here: etcd gives none for less.
const TTL: Duration = Duration::from_secs(2);

/// A key that no guard protects, since it is no record.
const FIRST: &str = "/tidb-binlog/v1/pumps/first";
/// Another one.
const SECOND: &str = "/tidb-binlog/v1/pumps/second";

/// How one session is put together.
#[derive(Clone)]
struct Setup {
    urls: Vec<String>,
    user: String,
    span: LockSpan,
    wait: Option<Duration>,
    ttl: Duration,
    timeout: Duration,
}

impl Setup {
    fn new(url: String, user: &str) -> Self {
        let (span, timeout) = (LockSpan::Session, Duration::from_secs(5));
        Self { urls: vec![url], user: user.into(), span, wait: None, ttl: TTL, timeout }
    }

    fn for_each_change(self) -> Self {
        Self { span: LockSpan::Change, ..self }
    }

    fn waiting(self, seconds: u64) -> Self {
        Self { wait: Some(Duration::from_secs(seconds)), ..self }
    }

    fn start(self) -> Operator {
        let settings = LiveSettings::new(&self.urls, None).unwrap().timeout(self.timeout).unwrap().lock_ttl(self.ttl);
        let (interrupt, heard) = (Interrupt::default(), Arc::<Mutex<Vec<Notice>>>::default());
        let sink = heard.clone();
        let notices: Notices = Arc::new(move |notice| sink.lock().unwrap().push(notice));
        let holder = LockHolder {
            user: self.user.into(),
            host: "here".into(),
            pid: std::process::id(),
            run: None,
            script: Some("test.rhai".into()),
            version: "0".into(),
        };
        let session = Session::new(Parts {
            world: Box::new(Live::new(settings, notices.clone(), interrupt.clone(), None)),
            journal: Box::new(Memory::of_changes()),
            policy: Box::new(Yes { notices: notices.clone() }),
            notices,
            interrupt: interrupt.clone(),
            lock: Some(LockPlan { holder, wait: self.wait, span: self.span, predecessor: None }),
        });
        Operator { session, interrupt, heard }
    }
}

/// A session that does what it is told.
struct Operator {
    session: Session,
    interrupt: Interrupt,
    heard: Arc<Mutex<Vec<Notice>>>,
}

impl Operator {
    fn perform(&mut self, request: Request, force: &[GuardName]) -> Result<Answer> {
        self.session.perform(request, force)
    }

    /// Deletes a key that is no record.
    fn delete(&mut self, key: &str) -> Result<Answer> {
        let listing = match self.perform(Request::Read(Read::Nodes), &[])? {
            Answer::Listing(listing) => listing,
            other => panic!("{other:?}"),
        };
        let found = listing.malformed.iter().find(|malformed| malformed.key == key).unwrap();
        self.perform(Request::Change(Change::DeleteRecord { key: key.into(), mod_revision: found.mod_revision }), &[])
    }

    fn record(&mut self) -> Record {
        match self.perform(Request::Read(Read::Nodes), &[]).unwrap() {
            Answer::Listing(mut listing) => listing.records.remove(0),
            other => panic!("{other:?}"),
        }
    }

    fn heard(&self) -> Vec<Notice> {
        self.heard.lock().unwrap().clone()
    }
}

/// One etcd with two keys that can be deleted.
fn etcd() -> (Etcd, Kv) {
    let etcd = Etcd::start();
    let mut kv = etcd.kv();
    kv.put(FIRST, "{");
    kv.put(SECOND, "{");
    (etcd, kv)
}

fn is_locked(kv: &mut Kv) -> bool {
    kv.get(LOCK_KEY).is_some()
}

/// Waits until the lock's key is there or gone.
#[track_caller]
fn until_locked(kv: &mut Kv, locked: bool) {
    assert!(eventually(Duration::from_secs(15), || is_locked(kv) == locked), "locked is never {locked}");
}
