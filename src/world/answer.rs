//! What comes back from a world.

use crate::deployment;
use crate::error::Error;
use crate::node::{Kind, Malformed, NodeRef, Record, State};
use crate::secret::Secret;
use crate::text::Untrusted;
use crate::tso::Tso;
use crate::world::{
    Changefeeds, Choice, DownstreamCheckpoint, DownstreamReplication, Fence, GcHold, GcSafePoints, LockInfo,
    RecordEvents, RunSummary, Supervision,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use strum::{IntoStaticStr, VariantArray};

/// The counterpart of a request; which one belongs to which stands at the request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is done, and there is nothing to say.
    Done,
    /// Records and PD's time.
    Listing(Listing),
    /// What became of the records.
    Events(RecordEvents),
    /// What each node said of itself.
    Probes(Vec<Probe>),
    /// `/status` of each node, or why there is none.
    Statuses(Vec<Result<StatusReport, Error>>),
    /// What a Drainer has saved downstream.
    Checkpoint(DownstreamCheckpoint),
    /// What each Drainer's configuration says that it writes to.
    Replication(Vec<DownstreamReplication>),
    /// Samples of each node's `/metrics` by name with labels as written, or why there are none.
    Metrics(Vec<Result<BTreeMap<String, f64>, Error>>),
    /// What each node is and says of itself.
    Inspected(Vec<Inspected>),
    /// TiDB servers, by address.
    Tidbs(Vec<TidbServer>),
    /// Whether a TiDB server skips binlog.
    TidbBinlog(TidbBinlogState),
    /// PD's cluster.
    Cluster(ClusterInfo),
    /// PD's endpoints: those that we were given, then those that only its members name.
    Endpoints(Vec<Endpoint>),
    /// The alarms of PD's etcd.
    Alarms(Vec<Alarm>),
    /// PD's GC safe points.
    GcSafePoints(GcSafePoints),
    /// GC is held back.
    GcHeld(GcHold),
    /// TiCDC's changefeeds and servers.
    Changefeeds(Changefeeds),
    /// Runs, the latest first.
    Runs(Vec<RunSummary>),
    /// What a deployment tool knows of the cluster.
    Deployment(Option<Box<deployment::Deployment>>),
    /// How each node is started and stopped from here; `None` where nothing does.
    Supervision(Vec<Option<Supervision>>),
    /// Certificates: those that we were given, then those that servers show.
    Certificates(Vec<Certificate>),
    /// A timestamp.
    Timestamp(Tso),
    /// A timestamp of each node, or why there is none.
    Timestamps(Vec<Result<Tso, Error>>),
    /// This host's clocks.
    Now(Clocks),
    /// The node's own words when it did what it was told.
    Acted(Acted),
    /// The record as it was just written.
    Swapped(Record),
    /// Text, as it came.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// A secret somebody typed.
    Secret(Secret),
    /// How a program ended, and what it said.
    Ran(ProgramEnd),
    /// The maintenance lock is ours, under this fence.
    Locked(Fence),
    /// Who holds the maintenance lock, if anybody does.
    LockedBy(Option<LockInfo>),
    /// What the human chose.
    Chosen(Choice),
}

/// This host's clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clocks {
    /// Milliseconds since 1970, UTC; may be set back and forth.
    pub unix_ms: i64,
    /// Milliseconds of a clock that only goes forward, from an arbitrary start: for deadlines.
    pub monotonic_ms: i64,
}

/// What a node said when it did what it was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// Its own words.
    pub message: Untrusted,
    /// How long it was waited for until it was seen; `None` where nobody waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waited: Option<Duration>,
}

impl Acted {
    /// What was said, and nobody waited.
    pub fn said(message: impl Into<Untrusted>) -> Self {
        Self { message: message.into(), waited: None }
    }
}

/// How a program ended, and what it said: the last 64 KiB of each stream, with a line before them that says what was cut.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramEnd {
    /// Its exit code, or the negative number of the signal that ended it.
    pub status: i32,
    /// What it wrote on standard output, as UTF-8 with what is none replaced.
    pub stdout: String,
    /// The same of standard error.
    pub stderr: String,
}

/// All records of the cluster at one revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// The etcd revision of the whole listing.
    pub revision: i64,
    /// PD's timestamp of about the same moment.
    pub tso: Option<Tso>,
    /// Why there is no timestamp.
    pub tso_error: Option<Error>,
    /// Pumps, then Drainers, each by id.
    pub records: Vec<Record>,
    /// Keys that are no records.
    pub malformed: Vec<Malformed>,
}

impl Listing {
    /// The record of the node `id` of `kind`.
    pub fn find(&self, kind: Kind, id: &str) -> Option<&Record> {
        let is_meant = |record: &&Record| record.node.kind == kind && record.node.id == id;
        // They are in this order, unless somebody put them together by hand.
        let at = self.records.partition_point(|record| (record.node.kind, record.node.id.as_str()) < (kind, id));
        self.records.get(at).filter(is_meant).or_else(|| self.records.iter().find(is_meant))
    }

    /// The records of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(move |record| record.node.kind == kind)
    }
}

/// What one node said of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Who was asked.
    pub node: NodeRef,
    /// What came back.
    pub finding: ProbeFinding,
}

/// What came back from a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProbeFinding {
    /// Its true state.
    State(State),
    /// No process behind the port (refused or reset).
    Refused,
    /// Connected, and no answer: starting, or hung.
    Silent,
    /// Another node answered: the address was reused.
    Other(Untrusted),
    /// Something that is no answer of a node, or a name that does not resolve: nothing is known.
    Unknown(Untrusted),
}

impl ProbeFinding {
    /// The word for it in scripts and tables, without what stands behind it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::State(state) => state.name(),
            Self::Refused => "refused",
            Self::Silent => "silent",
            Self::Other(_) => "other",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl std::fmt::Display for ProbeFinding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::State(state) => write!(f, "{state}"),
            Self::Refused => f.write_str("refused"),
            Self::Silent => f.write_str("silent"),
            Self::Other(id) => write!(f, "other ({id})"),
            Self::Unknown(why) => write!(f, "unknown ({why})"),
        }
    }
}

/// What one node is and says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspected {
    /// What a probe found.
    pub probe: Probe,
    /// Its `/status`, or why there is none; `None` for a Pump, and for one that says no state.
    pub status: Option<Result<StatusReport, Error>>,
    /// Of its `/metrics` the samples that were asked for, or why there are none; `None` for one that says no state.
    pub metrics: Option<Result<BTreeMap<String, f64>, Error>>,
}

/// The name of a metric's sample, which may have labels.
pub(crate) fn metric_name(sample: &str) -> &str {
    sample.split('{').next().unwrap_or(sample)
}

/// A node's `/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatusReport {
    /// A Pump's.
    Pump(PumpStatus),
    /// A Drainer's.
    Drainer(DrainerStatus),
}

/// A Pump's `/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PumpStatus {
    /// A fresh timestamp from PD, not a position.
    pub commit_ts: Tso,
    /// What it complains of; `context canceled` while closing.
    pub error: String,
}

/// A Drainer's `/status`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrainerStatus {
    /// Up to where it has read each Pump, by Pump id.
    pub pump_positions: BTreeMap<Arc<str>, Tso>,
    /// Five minutes without a real binlog; not "caught up".
    pub synced: bool,
    /// The last commit it has written downstream.
    pub last_ts: Tso,
}

/// A TiDB server as it registered itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TidbServer {
    /// `host:port`.
    pub address: String,
    /// Its version.
    pub version: String,
    /// `On`, `Off`, `Skipping` or `Unknown`.
    pub binlog_status: String,
    /// `host:port` of its status port, if it says that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_address: Option<String>,
}

/// What a TiDB server says itself of the binlog that it skips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TidbBinlogState {
    /// Whether it skips binlog.
    pub skips: bool,
    /// How many transactions that skipped are under way: until there is none, some are committed without binlog.
    pub under_way: i64,
}

/// PD's cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterInfo {
    /// The cluster id.
    pub id: u64,
    /// Its members, by name.
    pub members: Vec<PdMember>,
    /// The leader's name, if there is one just now.
    pub leader: Option<String>,
}

/// A member of PD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PdMember {
    /// Its name.
    pub name: String,
    /// Where clients reach it.
    pub client_urls: Vec<String>,
}

/// An endpoint of PD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its URL.
    pub url: String,
    /// The member that names it, if one does.
    pub member: Option<String>,
    /// Whether we were given it; otherwise we have it from PD.
    pub given: bool,
    /// Why it does not answer; `None` if it does.
    pub trouble: Option<String>,
}

/// What an alarm of etcd's is about. As long as there is one, etcd takes no write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlarmKind {
    /// A member's database has reached its quota.
    NoSpace,
    /// A member's data differs from the others'.
    Corrupt,
}

impl AlarmKind {
    /// The word in scripts.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What etcd answers to whoever writes.
    pub fn words(self) -> &'static str {
        match self {
            Self::NoSpace => "etcdserver: mvcc: database space exceeded",
            Self::Corrupt => "etcdserver: corrupt cluster",
        }
    }

    /// What can be done about it.
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoSpace => {
                "PD's etcd is full, and as long as it is neither PD nor a node can write: compact it (`etcdctl compact \
                 REVISION`), defragment every member (`etcdctl defrag`), end the alarm (`etcdctl alarm disarm`); or \
                 raise PD's quota-backend-bytes first"
            }
            Self::Corrupt => {
                "the data of one of PD's members differs from the others', and etcd writes nothing until that is \
                 resolved: find the member (`etcdctl endpoint hashkv --cluster`), replace it, then end the alarm \
                 (`etcdctl alarm disarm`)"
            }
        }
    }
}

/// An alarm of PD's etcd.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// What it is about.
    pub kind: AlarmKind,
    /// The member that raised it, by name; by etcd's id if PD does not name it.
    pub member: String,
}

/// Whose certificate it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum CertificateRole {
    /// An authority that we trust.
    Authority,
    /// Our own, which we show.
    Own,
    /// A server's, which it shows.
    Server,
}

impl CertificateRole {
    /// The word in scripts.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Certificate {
    /// Whose it is.
    pub role: CertificateRole,
    /// The file that it is in, or the address of the server that shows it.
    pub place: String,
    /// Its subject, such as `CN=pd-1`.
    pub subject: String,
    /// Until when it is valid: milliseconds since 1970, UTC.
    pub expires_ms: i64,
}
