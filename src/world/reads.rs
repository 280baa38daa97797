//! What can be looked at.

use crate::deployment;
use crate::error::Error;
use crate::node::NodeRef;
use crate::tso;
use crate::world;
use crate::world::query::requests;
use crate::world::{
    Alarm, Certificate, Clocks, ClusterInfo, DownstreamCheckpoint, DownstreamReplication, Endpoint, Inspected, Listing,
    LockInfo, RecordEvents, RunSummary, StatusReport, Supervision, TidbBinlogState, TidbRef, TidbServer,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

requests! {
    /// Looks at something, and changes nothing.
    Read as Read, in read: "What can be looked at, each as a type that knows its reply."

    /// All records, with PD's timestamp of the same moment.
    Nodes => Listing(Listing);
    /// The records once one was changed after revision `after` otherwise than by a heartbeat, or `patience` is over.
    Changes {
        /// A listing's revision.
        after: i64,
        /// How long to wait at most.
        patience: Duration,
    } => Listing(Listing);
    /// What becomes of the records after revision `after`, heartbeats included, as soon as something does or once `patience`
    /// is over. All questions that follow each other are answered from one watch of etcd.
    Events {
        /// Up to which revision it is known already; 0 for all records as they are.
        after: i64,
        /// How long to wait at most.
        patience: Duration,
    } => Events(RecordEvents);
    /// Asks the nodes themselves, without side effects; the reply is in the order asked.
    Probe {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
    } => Probes(Vec<world::Probe>);
    /// `GET /status` of the nodes; the reply is in the order asked.
    Status {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
    } => Statuses(Vec<Result<StatusReport, Error>>);
    /// `GET /commit_ts` of Drainers; the reply is in the order asked.
    CommitTs {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
    } => Timestamps(Vec<Result<tso::Tso, Error>>);
    /// What a Drainer has saved downstream: the row of our cluster in its table of checkpoints, or its savepoint file. Whatever is in
    /// the way of that is part of the reply: only an interrupt is an error.
    Checkpoint {
        /// The Drainer.
        node: NodeRef,
    } => Checkpoint(DownstreamCheckpoint);
    /// What Drainers write to and leave out, as a copy of the configuration of each, tiup or the profile says; the reply is in the order
    /// asked. Whatever is in the way of that is part of it.
    Replication {
        /// The Drainers.
        nodes: Vec<NodeRef>,
    } => Replication(Vec<DownstreamReplication>);
    /// `GET /metrics` of the nodes; the reply is in the order asked.
    Metrics {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
    } => Metrics(Vec<Result<BTreeMap<String, f64>, Error>>);
    /// Probes the nodes, and asks those that say a state for their metrics and, the Drainers, for their status. Everybody is
    /// asked at the same time, so that nobody waits for somebody else's silence. The reply is in the order asked.
    Inspect {
        /// Whom to ask.
        nodes: Vec<NodeRef>,
        /// The names of the metrics that are wanted, without labels; a node has hundreds.
        metrics: Vec<String>,
    } => Inspected(Vec<Inspected>);
    /// `GET /drainers` of a Pump: the Drainer records as the Pump sees them (JSON).
    PumpDrainers {
        /// The Pump.
        node: NodeRef,
    } => Text(String);
    /// `GET /debug/binlog/{ts}` of a Pump.
    BinlogAt {
        /// The Pump.
        node: NodeRef,
        /// The commit timestamp.
        ts: tso::Tso,
    } => Text(String);
    /// The TiDB servers and their binlog status.
    Tidbs => Tidbs(Vec<TidbServer>);
    /// `GET /binlog/recover?op=status` of a TiDB server's status port.
    TidbBinlog {
        /// The server.
        server: TidbRef,
    } => TidbBinlog(TidbBinlogState);
    /// PD's cluster id, members and leader.
    Cluster => Cluster(ClusterInfo);
    /// Whether each endpoint of PD answers: those that we were given, and those that its members name.
    Endpoints => Endpoints(Vec<Endpoint>);
    /// The alarms that PD's etcd has raised and nobody has ended.
    Alarms => Alarms(Vec<Alarm>);
    /// PD's GC safe point, and that of each service that holds GC back.
    GcSafePoints => GcSafePoints(world::GcSafePoints);
    /// TiCDC's changefeeds and servers, as PD's etcd has them.
    Changefeeds => Changefeeds(world::Changefeeds);
    /// The certificates that we were given, and those that PD and the nodes show; none without TLS.
    Certificates {
        /// Whom to ask beside PD.
        nodes: Vec<NodeRef>,
    } => Certificates(Vec<Certificate>);
    /// How the nodes are started and stopped from here, as the profile says; the reply is in the order asked.
    Supervisors {
        /// Which nodes.
        nodes: Vec<NodeRef>,
    } => Supervision(Vec<Option<Supervision>>);
    /// The runs of this user, the latest first; a simulated world has none.
    Runs => Runs(Vec<RunSummary>);
    /// What a deployment tool knows of the cluster, as it stands in its file now; nothing where the cluster was not named by it.
    Deployment => Deployment(Option<Box<deployment::Deployment>>);
    /// A timestamp from PD.
    Tso => Timestamp(tso::Tso);
    /// Who holds the maintenance lock.
    LockStatus => LockedBy(Option<LockInfo>);
    /// This host's clocks.
    Now => Now(Clocks);
    /// Waits.
    Sleep {
        /// How long.
        time: Duration,
    } => Done;
    /// Reads `{dir}/savepoint`; `not_found` without one.
    ReadSavepoint {
        /// The directory.
        dir: PathBuf,
    } => Text(String);
    /// Whether an encryption key of our own is set (never the key).
    HasKey => Flag(bool);
}

impl Read {
    /// Whether it looks at the cluster, and not at this host alone.
    pub(crate) fn concerns_cluster(&self) -> bool {
        match self {
            Self::Nodes
            | Self::Changes { .. }
            | Self::Events { .. }
            | Self::Probe { .. }
            | Self::Status { .. }
            | Self::CommitTs { .. }
            | Self::Checkpoint { .. }
            | Self::Metrics { .. }
            | Self::Inspect { .. }
            | Self::PumpDrainers { .. }
            | Self::BinlogAt { .. }
            | Self::Tidbs
            | Self::TidbBinlog { .. }
            | Self::Cluster
            | Self::Endpoints
            | Self::Alarms
            | Self::GcSafePoints
            | Self::Changefeeds
            | Self::Certificates { .. }
            | Self::Tso => true,
            // Who holds the lock is asked before anybody takes it.
            Self::Runs
            | Self::Deployment
            | Self::Replication { .. }
            | Self::Supervisors { .. }
            | Self::LockStatus
            | Self::Now
            | Self::Sleep { .. }
            | Self::ReadSavepoint { .. }
            | Self::HasKey => false,
        }
    }
}
