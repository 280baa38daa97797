//! What is asked of the cluster: few requests, each about everybody at once.

use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::node::{Kind, Malformed, NodeRef, Record, RecordState, State};
use crate::sim::NodeControlSpec;
use crate::tso::Tso;
use crate::world::{
    Changefeeds, ClusterInfo, DownstreamReplication, DrainerStatus, GcSafePoints, Listing, ProbeFinding, StatusReport,
    TidbServer, World, read,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often everybody is asked again because a record was changed meanwhile.
const LOOKS: usize = 3;

/// A cluster as it was observed.
pub(super) struct Observed {
    pub(super) cluster: ClusterInfo,
    pub(super) tidbs: Vec<TidbServer>,
    pub(super) malformed: Vec<Malformed>,
    /// What a deployment tool knows of it, or why that cannot be read.
    pub(super) deployment: Result<Option<Box<Deployment>>>,
    /// Who holds TiKV's garbage collection back, or why that cannot be read.
    pub(super) gc: Result<GcSafePoints>,
    /// TiCDC, or why that cannot be read.
    pub(super) changefeeds: Result<Changefeeds>,
    pub(super) nodes: Vec<ObservedNode>,
    /// What starts and stops them, if anything does without a human.
    pub(super) node_control: Option<NodeControlSpec>,
    /// PD's time at the first listing.
    pub(super) began: Tso,
    /// PD's time at the last one: that of the snapshot.
    pub(super) now: Tso,
}

/// A node as it was observed.
pub(super) struct ObservedNode {
    /// Its record at the end.
    pub(super) record: Record,
    /// Its record at the beginning, if it had one.
    pub(super) before: Option<Record>,
    /// What it says of itself.
    pub(super) finding: ProbeFinding,
    /// The samples of its metrics, if it gave any.
    pub(super) metrics: BTreeMap<String, f64>,
    pub(super) status: Option<DrainerStatus>,
    /// A Drainer's own word for where it stands.
    pub(super) commit_ts: Option<Tso>,
    /// What a Drainer's configuration says, as far as it can be seen from here.
    pub(super) replication: Option<DownstreamReplication>,
}

/// What the nodes themselves say, by node.
#[derive(Default)]
struct NodeAnswers {
    findings: BTreeMap<NodeRef, ProbeFinding>,
    metrics: BTreeMap<NodeRef, BTreeMap<String, f64>>,
    statuses: BTreeMap<NodeRef, StatusReport>,
    stamps: BTreeMap<NodeRef, Tso>,
}

impl Observed {
    /// Lists, waits, asks the nodes, and lists again. If a state was changed while they were asked, they are asked
    /// once more.
    pub(super) fn look(world: &mut dyn World, observe: Duration) -> Result<Self> {
        let cluster = world.ask(read::Cluster)?;
        let (first, began) = list(world)?;
        if !observe.is_zero() {
            world.ask(read::Sleep { time: observe })?;
        }
        let tidbs = world.ask(read::Tidbs)?;
        let deployment = unless_fatal(world.ask(read::Deployment))?;
        let mut said = NodeAnswers::ask(world, &first)?;
        let (mut last, mut now) = list(world)?;
        let mut asked = states(&first);
        for _ in 1..LOOKS {
            if asked == states(&last) {
                break;
            }
            asked = states(&last);
            said = NodeAnswers::ask(world, &last)?;
            (last, now) = list(world)?;
        }
        let everybody: Vec<NodeRef> = last.records.iter().map(|record| record.node.clone()).collect();
        let supervision = world.ask(read::Supervisors { nodes: everybody.clone() })?;
        let node_control = NodeControlSpec::of(&everybody.into_iter().zip(supervision).collect::<Vec<_>>());
        let mut nodes: Vec<ObservedNode> = last.records.into_iter().map(|record| said.of(record, &first)).collect();
        let all = nodes.iter().map(|seen| &seen.record.node);
        let asked: Vec<NodeRef> = all.filter(|node| node.kind == Kind::Drainer).cloned().collect();
        let mut replications = world.ask(read::Replication { nodes: asked })?.into_iter();
        for seen in nodes.iter_mut().filter(|seen| seen.record.node.kind == Kind::Drainer) {
            seen.replication = replications.next();
        }
        // What these tell does not depend on the moment: they come after it.
        let gc = unless_fatal(world.ask(read::GcSafePoints))?;
        let changefeeds = unless_fatal(world.ask(read::Changefeeds))?;
        let malformed = last.malformed;
        Ok(Self { cluster, tidbs, malformed, deployment, gc, changefeeds, nodes, node_control, began, now })
    }

    /// How long the records were watched, in milliseconds.
    pub(super) fn watched_ms(&self) -> i64 {
        self.now.physical_ms() - self.began.physical_ms()
    }

    /// How old `ts` was at the snapshot's moment, in milliseconds; what lies ahead of it is new, and nothing is older
    /// than PD's calendar.
    pub(super) fn age_ms(&self, ts: Tso) -> i64 {
        let now = self.now.physical_ms();
        (now - ts.physical_ms()).clamp(0, now.max(0))
    }
}

/// What was found, or why not; what ends the look is an error.
fn unless_fatal<T>(known: Result<T>) -> Result<Result<T>> {
    match known {
        Err(error) if error.kind.is_fatal() => Err(error),
        known => Ok(known),
    }
}

impl ObservedNode {
    /// Whether its heartbeat was seen to move; `None` where it was not watched for long enough to tell.
    pub(super) fn moves(&self, watched_ms: i64) -> Option<bool> {
        let before = self.before.as_ref()?;
        let moved = before.mod_revision != self.record.mod_revision;
        let interval_ms = beat_ms(self.record.node.kind);
        (moved || watched_ms > interval_ms * 5 / 2).then_some(moved)
    }

    /// Whether others wait for it, or for its binlog.
    pub(super) fn counts(&self) -> bool {
        self.record.state != State::Offline
    }
}

/// How often a node of `kind` writes its record, in milliseconds.
pub(super) fn beat_ms(kind: Kind) -> i64 {
    match kind {
        Kind::Pump => 2_000,
        Kind::Drainer => 1_000,
    }
}

/// What is no heartbeat in a listing.
fn states(listing: &Listing) -> Vec<(NodeRef, RecordState)> {
    listing.records.iter().map(|record| (record.node.clone(), record.state.clone())).collect()
}

impl NodeAnswers {
    /// Probes everybody, and asks those that answer how it goes.
    fn ask(world: &mut dyn World, listing: &Listing) -> Result<Self> {
        let nodes: Vec<NodeRef> = listing.records.iter().map(|record| record.node.clone()).collect();
        if nodes.is_empty() {
            return Ok(Self::default());
        }
        let probes = world.ask(read::Probe { nodes })?;
        let findings: BTreeMap<NodeRef, ProbeFinding> =
            probes.into_iter().map(|probe| (probe.node, probe.finding)).collect();
        let answering = findings.iter().filter(|(_, finding)| matches!(finding, ProbeFinding::State(_)));
        let answering: Vec<NodeRef> = answering.map(|(node, _)| node.clone()).collect();
        let drainers: Vec<NodeRef> = answering.iter().filter(|node| node.kind == Kind::Drainer).cloned().collect();
        let mut said = Self { findings, ..Self::default() };
        if answering.is_empty() {
            return Ok(said);
        }
        said.metrics = answers(&answering, world.ask(read::Metrics { nodes: answering.clone() })?);
        said.statuses = answers(&answering, world.ask(read::Status { nodes: answering.clone() })?);
        if !drainers.is_empty() {
            said.stamps = answers(&drainers, world.ask(read::CommitTs { nodes: drainers.clone() })?);
        }
        Ok(said)
    }

    /// All that is known of the node of `record`.
    fn of(&mut self, record: Record, first: &Listing) -> ObservedNode {
        let node = &record.node;
        let unasked = || ProbeFinding::Unknown("its record came while the others were asked".into());
        let status = match self.statuses.remove(node) {
            Some(StatusReport::Drainer(status)) => Some(status),
            Some(StatusReport::Pump(_)) | None => None,
        };
        ObservedNode {
            before: first.find(node.kind, &node.id).cloned(),
            finding: self.findings.remove(node).unwrap_or_else(unasked),
            metrics: self.metrics.remove(node).unwrap_or_default(),
            commit_ts: self.stamps.remove(node),
            replication: None,
            status,
            record,
        }
    }
}

/// What those said that did say something.
fn answers<T>(asked: &[NodeRef], said: Vec<Result<T>>) -> BTreeMap<NodeRef, T> {
    asked.iter().zip(said).filter_map(|(node, said)| Some((node.clone(), said.ok()?))).collect()
}

/// All records, and PD's time.
fn list(world: &mut dyn World) -> Result<(Listing, Tso)> {
    let listing = world.listing()?;
    match (listing.tso, &listing.tso_error) {
        (Some(tso), _) => Ok((listing, tso)),
        (None, Some(error)) => Err(error.clone()),
        (None, None) => Err(Error::internal("the world gave neither PD's time nor why there is none")),
    }
}
