//! What each request asks of etcd, of PD and of the nodes: asynchronous, on the network's thread.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

use crate::error::{Error, Result};
use crate::interrupt::Interrupt;
use crate::live::Sent;
use crate::live::certificates::certificates;
use crate::live::clock::{Deadline, within};
use crate::live::etcd::{self, Etcd};
use crate::live::hold::LiveHold;
use crate::live::lock::LiveLock;
use crate::live::nodes::{self, ActOutcome, NodeClient};
use crate::live::pd::{LEADER_TRIES, Pd};
use crate::live::settings::LiveSettings;
use crate::live::wire::Wire;
use crate::node::{NodeRef, Record, State};
use crate::tso::Tso;
use crate::world::{Acted, Action, Alarm, Answer, Change, Fence, GcSafePoints, Listing, Notices, Read};
use std::sync::Arc;
use std::time::Duration;

/// A listing waits no longer than this for its timestamp (what PD's own client waits).
const TSO_WITH_LISTING: Duration = Duration::from_secs(3);

/// The parts of a cluster.
pub(super) struct LiveCluster {
    etcd: Arc<Etcd>,
    pd: Arc<Pd>,
    pub(super) nodes: Arc<NodeClient>,
    pub(super) lock: LiveLock,
    pub(super) hold: LiveHold,
    /// The watch that tells whoever asks for events.
    events: etcd::HeldWatch,
}

impl LiveCluster {
    /// Reads the certificates; connects nothing.
    ///
    /// # Errors
    /// `local` or `invalid`, naming the certificate file.
    pub(super) fn new(settings: LiveSettings, notices: Notices, interrupt: Interrupt) -> Result<Self> {
        let wire = Arc::new(Wire::new(settings, notices)?);
        let etcd = Arc::new(Etcd::new(wire.clone()));
        let (pd, lock) = (Arc::new(Pd::new(etcd.clone())), LiveLock::new(etcd.clone(), interrupt.clone()));
        let hold = LiveHold::new(etcd.clone(), pd.clone(), interrupt);
        let events = etcd::HeldWatch::default();
        Ok(Self { pd, nodes: Arc::new(NodeClient::new(wire)), lock, hold, etcd, events })
    }

    /// Looks at the cluster.
    ///
    /// # Errors
    /// Those of [`World::apply`](crate::world::World::apply).
    pub(super) async fn read(&self, read: Read) -> Result<Answer> {
        Ok(match read {
            Read::Nodes => Answer::Listing(self.list().await?),
            Read::Changes { after, patience } => {
                let mut listing = etcd::changes(&self.etcd, after, patience).await?;
                with_time(&mut listing, self.time_of_listing().await);
                Answer::Listing(listing)
            }
            Read::Events { after, patience } => {
                let mut told = etcd::events(&self.etcd, &self.events, after, patience).await?;
                if let Some(listing) = &mut told.anew {
                    with_time(listing, self.time_of_listing().await);
                }
                Answer::Events(told)
            }
            Read::Probe { nodes } => Answer::Probes(nodes::probe_all(&self.nodes, &nodes).await?),
            Read::Status { nodes } => Answer::Statuses(nodes::statuses(&self.nodes, &nodes).await?),
            Read::CommitTs { nodes } => Answer::Timestamps(nodes::commit_ts(&self.nodes, &nodes).await?),
            Read::Metrics { nodes } => Answer::Metrics(nodes::metrics(&self.nodes, &nodes).await?),
            Read::Inspect { nodes, metrics } => Answer::Inspected(nodes::inspect(&self.nodes, &nodes, metrics).await?),
            Read::PumpDrainers { node } => Answer::Text(nodes::pump_drainers(&self.nodes, &node).await?),
            Read::BinlogAt { node, ts } => Answer::Text(nodes::binlog_at(&self.nodes, &node, ts).await?),
            Read::TidbBinlog { server } => Answer::TidbBinlog(nodes::tidb_binlog(&self.nodes, &server).await?),
            Read::Tidbs => Answer::Tidbs(etcd::tidbs(&self.etcd).await?),
            Read::Cluster => Answer::Cluster(self.pd.cluster(self.etcd.deadline()).await?),
            Read::Endpoints => Answer::Endpoints(self.pd.endpoints(self.etcd.deadline()).await?),
            Read::Alarms => Answer::Alarms(self.alarms().await?),
            Read::GcSafePoints => Answer::GcSafePoints(self.gc_safe_points().await?),
            Read::Changefeeds => Answer::Changefeeds(etcd::changefeeds(&self.etcd, self.etcd.deadline()).await?),
            Read::Certificates { nodes } => Answer::Certificates(certificates(&self.etcd.wire, &nodes).await?),
            Read::LockStatus => Answer::LockedBy(self.lock.status().await?),
            Read::Tso => Answer::Timestamp(self.pd.tso(self.etcd.deadline(), None).await?),
            Read::Checkpoint { .. }
            | Read::Replication { .. }
            | Read::Supervisors { .. }
            | Read::Runs
            | Read::Deployment
            | Read::Now
            | Read::Sleep { .. }
            | Read::ReadSavepoint { .. }
            | Read::HasKey => {
                return Err(Error::internal(format!("{read:?} is not asked of the cluster")));
            }
        })
    }

    /// Changes the cluster, under the lock's fence if there is one.
    ///
    /// # Errors
    /// Those of [`World::apply`](crate::world::World::apply).
    pub(super) async fn change(&self, change: Change, fence: Option<Fence>, sent: Sent) -> Result<Answer> {
        let fence = fence.as_ref();
        match change {
            Change::SwapRecord { seen, state } => {
                etcd::swap(&self.etcd, &seen, state, fence, &sent).await.map(Answer::Swapped)
            }
            Change::DeleteRecord { key, mod_revision } => {
                etcd::delete(&self.etcd, &key, mod_revision, fence, &sent).await.map(|()| Answer::Done)
            }
            Change::Act { node, action } => {
                self.still_locked(fence).await?;
                self.act(&node, action, &sent).await.map(|message| Answer::Acted(Acted::said(message)))
            }
            Change::TriggerGc { node } => {
                self.still_locked(fence).await?;
                let message = nodes::trigger_gc(&self.nodes, &node, &sent).await?;
                Ok(Answer::Acted(Acted::said(message)))
            }
            Change::RecoverTidb { server, reset } => {
                self.still_locked(fence).await?;
                nodes::recover_tidb(&self.nodes, &server, reset, &sent).await.map(Answer::TidbBinlog)
            }
            Change::HoldGc { ts, ttl } => {
                self.still_locked(fence).await?;
                self.hold.take(ts, ttl, &sent).await.map(Answer::GcHeld)
            }
            Change::ReleaseGc { service } => {
                self.still_locked(fence).await?;
                self.hold.give_up(service.as_ref(), &sent).await.map(|()| Answer::Done)
            }
            Change::BreakLock { seen, .. } => self.lock.break_seen(&seen).await.map(|()| Answer::Done),
            Change::WriteSavepoint { .. }
            | Change::Encrypt { .. }
            | Change::Control(_)
            | Change::Manual(_)
            | Change::Exec(_) => Err(Error::internal(format!("{change:?} is nothing that is asked of the cluster"))),
        }
    }

    /// HTTP cannot be fenced: right before, the lock is looked at, and its lease must outlive the request by far.
    async fn still_locked(&self, fence: Option<&Fence>) -> Result<()> {
        match fence {
            Some(fence) => self.lock.check_for(fence, self.etcd.wire.settings.timeout).await,
            None => Ok(()),
        }
    }

    /// What every exchange needs.
    pub(super) fn wire(&self) -> &Wire {
        &self.etcd.wire
    }

    /// By when an exchange that begins now must have ended.
    pub(super) fn deadline(&self) -> Deadline {
        self.etcd.deadline()
    }

    /// PD's cluster id.
    pub(super) async fn id(&self) -> Result<u64> {
        Ok(self.pd.cluster(self.etcd.deadline()).await?.id)
    }

    /// A timestamp of PD.
    pub(super) async fn timestamp(&self) -> Result<Tso> {
        self.pd.tso(self.etcd.deadline(), None).await
    }

    /// All records, and PD's time, asked for at the same moment.
    pub(super) async fn list(&self) -> Result<Listing> {
        let listing = etcd::list(&self.etcd, self.etcd.deadline());
        let (mut listing, time) = tokio::try_join!(listing, async { Ok(self.time_of_listing().await) })?;
        with_time(&mut listing, time);
        Ok(listing)
    }

    /// All records without PD's time, if they come as soon as a node must answer a probe: for whoever can do without.
    pub(super) async fn list_soon(&self) -> Option<Listing> {
        let listing = etcd::list(&self.etcd, self.etcd.deadline());
        within(Deadline::after(self.etcd.wire.settings.probe_timeout), listing).await?.ok()
    }

    /// etcd's alarms, under the names that PD has for its members.
    async fn alarms(&self) -> Result<Vec<Alarm>> {
        let raised = etcd::alarms(&self.etcd, self.etcd.deadline()).await?;
        if raised.is_empty() {
            return Ok(Vec::new());
        }
        // Without a leader, as in a full etcd, PD still names them; whoever cannot be named has an id.
        let named = self.pd.names(self.etcd.deadline()).await.unwrap_or_default();
        let alarm = |alarm: etcd::Raised| Alarm {
            kind: alarm.kind,
            member: named.get(&alarm.member_id).cloned().unwrap_or_else(|| format!("{:x}", alarm.member_id)),
        };
        let mut alarms: Vec<Alarm> = raised.into_iter().map(alarm).collect();
        alarms.sort();
        Ok(alarms)
    }

    /// PD's safe points. Without the leader, those of the services are told all the same.
    async fn gc_safe_points(&self) -> Result<GcSafePoints> {
        let deadline = self.etcd.deadline();
        let id = self.pd.cluster_id(deadline).await?;
        let soon = deadline.at_most(TSO_WITH_LISTING);
        let (now, safe_point) =
            tokio::join!(self.pd.tso(soon, Some(LEADER_TRIES)), self.pd.gc_safe_point(soon, Some(LEADER_TRIES)));
        let (services, mut unread) = etcd::gc_services(&self.etcd, id, now.as_ref().ok().copied(), deadline).await?;
        if let Err(error) = &now {
            unread.push(format!("which of them have ended, since PD's time is not known: {error}").into());
        }
        if let Err(error) = &safe_point {
            unread.push(error.to_string().into());
        }
        Ok(GcSafePoints::new(safe_point.ok(), services, unread))
    }

    async fn time_of_listing(&self) -> Result<Tso> {
        self.pd.tso(self.etcd.deadline().at_most(TSO_WITH_LISTING), Some(LEADER_TRIES)).await
    }

    /// Tells the node; if its answer was lost and its process is gone, its record tells whether it did it.
    async fn act(&self, node: &NodeRef, action: Action, sent: &Sent) -> Result<String> {
        let deadline = self.etcd.deadline();
        let lost = match nodes::act(&self.nodes, node, action, sent, deadline).await? {
            ActOutcome::Done(message) => return Ok(message),
            ActOutcome::Gone(lost) => lost,
        };
        let end = match action {
            Action::Pause => State::Paused,
            Action::Close => State::Offline,
        };
        let record = match within(deadline, self.etcd.get(&node.key(), deadline)).await {
            Some(Ok((_, Some(kv)))) => {
                Record::parse(&node.key(), kv.value(), kv.mod_revision()).map_err(|e| e.to_string())
            }
            Some(Ok((_, None))) => Err("it has no record".into()),
            Some(Err(error)) => Err(format!("its record cannot be read ({error})")),
            None => Err("its record cannot be read in time".into()),
        };
        match record {
            Ok(record) if record.state == end => {
                Ok(format!("the answer was lost ({lost}); its process is gone, and its record says {end}"))
            }
            Ok(record) => Err(nodes::gone(node, action, &lost, &format!("its record says {}", record.state))),
            Err(why) => Err(nodes::gone(node, action, &lost, &why)),
        }
    }
}

/// Puts PD's time, or why there is none, into a listing.
fn with_time(listing: &mut Listing, time: Result<Tso>) {
    match time {
        Ok(tso) => listing.tso = Some(tso),
        Err(error) => listing.tso_error = Some(error),
    }
}
