//! Everything outside the program, behind one trait and one vocabulary of plain data.
//!
//! The cluster, PD's time, waiting, files that operations write, programs that a script runs, the human: whoever wants
//! something of them puts it into a [`Request`] and gets an [`Answer`]. There are two worlds, `live` and `sim`; this
//! room knows neither. It must not know who asks, either: guards, policy and scripts come after it.

mod answer;
mod ask;
mod awaited;
mod changefeeds;
mod changes;
mod checkpoint;
mod console;
mod control;
mod events;
mod exec;
mod fault;
mod gate;
mod gc;
mod guard_name;
mod known;
mod lock;
mod meanwhile;
mod notice;
mod query;
mod reads;
mod request;
mod runs;

pub(crate) use answer::metric_name;
pub use answer::{
    Acted, Alarm, AlarmKind, Answer, Certificate, CertificateRole, Clocks, ClusterInfo, DrainerStatus, Endpoint,
    Inspected, Listing, PdMember, Probe, ProbeFinding, ProgramEnd, PumpStatus, StatusReport, TidbBinlogState,
    TidbServer,
};
pub use ask::{Ask, SecretPrompt};
pub(crate) use awaited::Awaited;
pub(crate) use changefeeds::UNREADABLE;
pub use changefeeds::{Capture, Changefeed, Changefeeds, NewChangefeed};
pub(crate) use changes::Unseen;
pub use changes::{Action, Change, Effect, Manual, TidbBinlog, TidbRef, change};
pub use checkpoint::{DownstreamCheckpoint, DownstreamReplication, Replication, SavedCheckpoint};
pub use console::{Choice, Console, Question, Wanted};
pub use control::{Ability, Control, EndsBy, ProcessVerb, Restarts, Supervision};
pub use events::{RecordEvent, RecordEvents};
pub use exec::Exec;
pub use fault::{FAULTS, FaultKind, FaultRow, Victim, faults_markdown};
pub use gate::{Gate, WaitEnd};
pub use gc::{GcHold, GcSafePoints, ServiceSafePoint, hold_lost};
pub(crate) use gc::{HOLD_PREFIX, USUAL_HOLD, check_hold, check_ttl, hold_refused, not_bootstrapped, not_renewed};
pub use guard_name::{GuardClass, GuardName};
pub(crate) use known::KnownCluster;
pub use known::KnownNode;
pub use lock::{LOCK_KEY, LockHolder, LockInfo, LockLease, LockOwner, lock_lost};
pub(crate) use meanwhile::{check_is_of_a_node, still_the_key, still_the_record};
pub use notice::{Notice, Notices, OutputStream, Progress};
pub(crate) use query::{Query, reply_to};
pub use reads::{Read, read};
pub use request::{LockRequest, Play, Request};
pub use runs::{RunSummary, Runs};

use crate::error::Result;
use serde::{Deserialize, Serialize};

/// Somewhere requests are carried out: a real cluster or a simulated one.
pub trait World {
    /// Does what `request` says and returns what came back.
    ///
    /// Blocks; ends by its own deadline; may be interrupted. With a `fence`, a write to etcd happens only while the
    /// fence's key still has the revision that it names.
    ///
    /// # Errors
    /// `unreachable`, `timeout`, `rejected`, `conflict`, `in_doubt`, `lock_lost`, `not_found`, `invalid`, `local`
    /// or `interrupted`, each naming what was asked of whom.
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer>;
}

impl dyn World + '_ {
    /// Asks `query`, and returns what belongs to it.
    ///
    /// # Errors
    /// Those of [`World::apply`].
    pub fn ask<Q: Query>(&mut self, query: Q) -> Result<Q::Reply> {
        reply_to::<Q>(self.apply(&query.into(), None)?)
    }

    /// Milliseconds of a clock that only goes forward.
    ///
    /// # Errors
    /// Those of [`World::apply`].
    pub fn monotonic_ms(&mut self) -> Result<i64> {
        Ok(self.ask(read::Now)?.monotonic_ms)
    }

    /// All records, with PD's timestamp.
    ///
    /// # Errors
    /// Those of [`World::apply`].
    pub fn listing(&mut self) -> Result<Listing> {
        self.ask(read::Nodes)
    }
}

impl<W: World + ?Sized> World for Box<W> {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        (**self).apply(request, fence)
    }
}

/// The maintenance lock as an etcd write compares it in its own transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// The lock's key.
    pub key: String,
    /// The revision at which we created it.
    pub create_revision: i64,
}
