//! Requests that change nothing.

use super::{PROBE_DEADLINE, Simulated};
use crate::downstream::SavedRow;
use crate::error::{Error, ErrorKind, Result};
use crate::node::{Kind, NodeRef, State};
use crate::sim::clock::{Micros, SECOND};
use crate::sim::http::{Behind, StateReply};
use crate::sim::process::NodeIndex;
use crate::text::ShownPath;
use crate::time::show_seconds;
use crate::tso::Tso;
use crate::world::{
    Answer, ClusterInfo, DownstreamCheckpoint, DownstreamReplication, Inspected, Listing, Probe, ProbeFinding,
    RecordEvent, RecordEvents, SavedCheckpoint, StatusReport, metric_name,
};
use std::path::Path;
use std::time::Duration;

impl Simulated {
    pub(super) fn nodes(&mut self) -> Result<Answer> {
        self.reach_pd("the listing of records")?;
        Ok(Answer::Listing(self.listing()))
    }

    fn listing(&mut self) -> Listing {
        let (tso, tso_error) = match self.cluster.tso() {
            Ok(tso) => (Some(tso), None),
            Err(error) => (None, Some(error)),
        };
        let (records, malformed) = self.cluster.listing();
        Listing { revision: self.cluster.revision(), tso, tso_error, records, malformed }
    }

    /// A change that is no heartbeat ends the wait at once.
    pub(super) fn changes(&mut self, after: i64, patience: Duration) -> Result<Answer> {
        self.reach_pd("the watch for changes")?;
        let patience = Micros::try_from(patience.as_micros()).unwrap_or(Micros::MAX);
        let deadline = self.cluster.now().saturating_add(patience);
        let changed = move |cluster: &crate::sim::Cluster| cluster.settled_revision() > after;
        if !changed(&self.cluster) {
            self.pass_until(deadline, changed)?;
        }
        self.nodes()
    }

    /// A change that is no heartbeat ends the wait at once; what it was is not kept, so all records come anew.
    pub(super) fn events(&mut self, after: i64, patience: Duration) -> Result<Answer> {
        self.reach_pd("the watch for events")?;
        let deadline = self.cluster.now().saturating_add(Micros::try_from(patience.as_micros()).unwrap_or(Micros::MAX));
        let changed = move |cluster: &crate::sim::Cluster| cluster.settled_revision() > after;
        if !changed(&self.cluster) {
            self.pass_until(deadline, changed)?;
        }
        let listing = self.listing();
        let revision = listing.revision;
        let mut events = vec![RecordEvent::Lock];
        let anew = match changed(&self.cluster) {
            true => Some(listing),
            false => {
                let written = listing.records.into_iter().filter(|record| record.mod_revision > after);
                events.extend(written.map(RecordEvent::Written));
                None
            }
        };
        Ok(Answer::Events(RecordEvents { revision, anew, events }))
    }

    pub(super) fn probe(&mut self, nodes: &[NodeRef]) -> Result<Answer> {
        let mut findings: Vec<ProbeFinding> = nodes.iter().map(|node| self.finding(node)).collect();
        if findings.contains(&ProbeFinding::Silent) {
            self.pass(PROBE_DEADLINE)?;
            for (finding, node) in findings.iter_mut().zip(nodes) {
                if *finding == ProbeFinding::Silent {
                    *finding = self.finding(node);
                }
            }
        }
        let probe = |(node, finding): (&NodeRef, ProbeFinding)| Probe { node: node.clone(), finding };
        Ok(Answer::Probes(nodes.iter().zip(findings).map(probe).collect()))
    }

    /// Those who answer do so at once; those who are silent are waited for, as by a probe.
    pub(super) fn inspect(&mut self, nodes: &[NodeRef], metrics: &[String]) -> Result<Answer> {
        let mut inspected: Vec<Inspected> = nodes.iter().map(|node| self.inspected(node, metrics)).collect();
        if inspected.iter().any(|one| one.probe.finding == ProbeFinding::Silent) {
            self.pass(PROBE_DEADLINE)?;
            for one in inspected.iter_mut().filter(|one| one.probe.finding == ProbeFinding::Silent) {
                *one = self.inspected(&one.probe.node, metrics);
            }
        }
        Ok(Answer::Inspected(inspected))
    }

    fn inspected(&mut self, node: &NodeRef, wanted: &[String]) -> Inspected {
        let finding = self.finding(node);
        let says = matches!(finding, ProbeFinding::State(_));
        let status = (says && node.kind == Kind::Drainer)
            .then(|| self.answers(node, "get /status of").map(|who| self.report(who)));
        let wanted = |sample: &str| wanted.iter().any(|name| *name == metric_name(sample));
        let metrics = says.then(|| {
            let mut samples = self.anybody(node, "get /metrics of").map(|who| self.cluster.metrics(who))?;
            samples.retain(|sample, _| wanted(sample));
            Ok(samples)
        });
        Inspected { probe: Probe { node: node.clone(), finding }, status, metrics }
    }

    /// What a probe of one node finds; a silent one is given its time.
    pub(super) fn finding_in_time(&mut self, node: &NodeRef) -> Result<ProbeFinding> {
        let found = self.finding(node);
        if found != ProbeFinding::Silent {
            return Ok(found);
        }
        self.pass(PROBE_DEADLINE)?;
        Ok(self.finding(node))
    }

    fn finding(&mut self, node: &NodeRef) -> ProbeFinding {
        match self.cluster.behind_for_us(&node.address) {
            Behind::Nobody | Behind::Reset => ProbeFinding::Refused,
            Behind::Silent(_) => ProbeFinding::Silent,
            Behind::Node(who) => match self.cluster.put_state(who, &node.id, "probe") {
                StateReply::OtherId { own, .. } => ProbeFinding::Other(own.into()),
                StateReply::State { state, .. } => ProbeFinding::State(state),
                StateReply::UnknownAction { .. } | StateReply::Done(_) => ProbeFinding::State(State::Online),
            },
        }
    }

    /// Who of the right kind answers at each node's address; nobody answers in vain longer than the others.
    fn answering(&mut self, nodes: &[NodeRef], what: &str) -> Result<Vec<Result<NodeIndex>>> {
        self.wait_for_silent(nodes)?;
        Ok(nodes.iter().map(|node| self.answers(node, what)).collect())
    }

    fn wait_for_silent(&mut self, nodes: &[NodeRef]) -> Result<()> {
        let silent = |behind: &Behind| matches!(behind, Behind::Silent(_));
        if nodes.iter().any(|node| silent(&self.cluster.behind_for_us(&node.address))) {
            self.pass(PROBE_DEADLINE)?;
        }
        Ok(())
    }

    fn answers(&self, node: &NodeRef, what: &str) -> Result<NodeIndex> {
        let who = self.anybody(node, what)?;
        if who.kind() == node.kind {
            return Ok(who);
        }
        let (kind, id) = (who.kind().title(), self.cluster.id_of(who));
        Err(Error::invalid(format!("cannot {what} {node}: the {kind} {id} answers at its address"))
            .hint("something else listens at this address: probe the node"))
    }

    /// Whoever answers at the node's address, which may have changed hands.
    fn anybody(&self, node: &NodeRef, what: &str) -> Result<NodeIndex> {
        let none = |kind, why: &str| Error::new(kind, format!("cannot {what} {node}: {why}"));
        let gone = "probe it to see whether its process is gone";
        match self.cluster.behind_for_us(&node.address) {
            Behind::Node(who) => Ok(who),
            Behind::Silent(_) => Err(none(ErrorKind::Timeout, &silence(PROBE_DEADLINE))
                .hint("it is starting, or it hangs: probe it, and look at its log")),
            Behind::Reset => Err(none(ErrorKind::Unreachable, "the connection was reset").hint(gone)),
            Behind::Nobody => Err(none(ErrorKind::Unreachable, "connection refused").hint(gone)),
        }
    }

    pub(super) fn statuses(&mut self, nodes: &[NodeRef]) -> Result<Answer> {
        let whos = self.answering(nodes, "get /status of")?;
        Ok(Answer::Statuses(whos.into_iter().map(|who| who.map(|who| self.report(who))).collect()))
    }

    fn report(&mut self, who: NodeIndex) -> StatusReport {
        match who {
            NodeIndex::Pump(at) => StatusReport::Pump(self.cluster.pump_status(at)),
            NodeIndex::Drainer(at) => StatusReport::Drainer(self.cluster.drainer_status(at)),
        }
    }

    pub(super) fn metrics(&mut self, nodes: &[NodeRef]) -> Result<Answer> {
        self.wait_for_silent(nodes)?;
        // Pumps and Drainers have it at the same path, whoever is meant.
        let samples = |node| self.anybody(node, "get /metrics of").map(|who| self.cluster.metrics(who));
        Ok(Answer::Metrics(nodes.iter().map(samples).collect()))
    }

    /// The one node that answers.
    fn one(&mut self, node: &NodeRef, what: &str) -> Result<NodeIndex> {
        self.answering(std::slice::from_ref(node), what)?.pop().unwrap_or_else(|| self.answers(node, what))
    }

    pub(super) fn commit_ts(&mut self, nodes: &[NodeRef]) -> Result<Answer> {
        let whos = self.answering(nodes, "get /commit_ts of")?;
        let position = |(node, who): (&NodeRef, Result<NodeIndex>)| match node.kind {
            Kind::Pump => Err(Error::invalid(format!("{node} has no /commit_ts, only Drainers have"))
                .hint("a Pump's newest commit is `max_commit_ts` of its record")),
            Kind::Drainer => who.map(|who| self.cluster.ts_at(self.cluster.position_to_write(who))),
        };
        Ok(Answer::Timestamps(nodes.iter().zip(whos).map(position).collect()))
    }

    /// Who cannot ask PD which cluster it is cannot tell its row from others'.
    pub(super) fn checkpoint(&mut self, node: &NodeRef) -> Result<Answer> {
        let unknown = |why: &str| Ok(Answer::Checkpoint(DownstreamCheckpoint::Unknown(why.into())));
        let Some(NodeIndex::Drainer(at)) = self.cluster.find(node.kind, &node.id) else {
            return unknown("nothing says where it saves its checkpoint");
        };
        if let Some(why) = &self.cluster.drainers[at].downstream_unknown {
            return unknown(why);
        }
        if let Err(error) = self.reach_pd("the cluster's id") {
            return match error.kind.is_fatal() {
                true => Err(error),
                false => unknown(&format!("which row is this cluster's only PD can say: {}", error.message)),
            };
        }
        let Some(SavedRow { commit_ts, consistent, schema_version }) = self.cluster.saved_downstream(at) else {
            return unknown("nothing says where it saves its checkpoint");
        };
        let read_at = match self.cluster.tso() {
            Ok(read_at) => read_at,
            Err(error) => return unknown(&format!("PD gives no time: {}", error.message)),
        };
        Ok(Answer::Checkpoint(DownstreamCheckpoint::Known(SavedCheckpoint {
            commit_ts,
            consistent,
            schema_version,
            source: "tidb_binlog.checkpoint of the simulated downstream".into(),
            read_at,
        })))
    }

    /// It stands on this host, whatever becomes of the cluster.
    pub(super) fn replication(&self, nodes: &[NodeRef]) -> Answer {
        let of = |node: &NodeRef| match self.cluster.find(node.kind, &node.id) {
            Some(NodeIndex::Drainer(at)) => DownstreamReplication::clone(&self.cluster.drainers[at].replication),
            Some(NodeIndex::Pump(_)) | None => {
                DownstreamReplication::Unknown(format!("nothing says what {node} writes to").into())
            }
        };
        Answer::Replication(nodes.iter().map(of).collect())
    }

    pub(super) fn pump_drainers(&mut self, node: &NodeRef) -> Result<Answer> {
        only_pumps(node, "/drainers")?;
        self.one(node, "get /drainers of")?;
        Ok(Answer::Text(self.cluster.drainers_json()))
    }

    pub(super) fn binlog_at(&mut self, node: &NodeRef, ts: Tso) -> Result<Answer> {
        only_pumps(node, "/debug/binlog")?;
        match self.one(node, &format!("get /debug/binlog/{ts} of"))? {
            NodeIndex::Pump(at) => Ok(Answer::Text(self.cluster.binlog_text(at, ts))),
            NodeIndex::Drainer(_) => Err(Error::internal("a Drainer answered for a Pump")),
        }
    }

    pub(super) fn tidbs(&mut self) -> Result<Answer> {
        self.reach_pd("the listing of TiDB servers")?;
        Ok(Answer::Tidbs(self.cluster.tidb_servers()))
    }

    pub(super) fn pd_cluster(&mut self) -> Result<Answer> {
        self.reach_pd("GetMembers")?;
        let mut members = self.cluster.members.to_vec();
        members.sort_by(|a, b| a.name.cmp(&b.name));
        let leader = self.cluster.leader.as_deref().map(str::to_owned);
        Ok(Answer::Cluster(ClusterInfo { id: self.cluster.id, members, leader }))
    }

    /// Without PD none of them answers; who they are we have been told.
    pub(super) fn endpoints(&mut self) -> Result<Answer> {
        let mut endpoints = self.cluster.endpoints();
        let trouble = if self.cluster.outside.etcd_fails > self.cluster.now() {
            Some("connection refused")
        } else if !self.cluster.pd_answers() {
            self.pass(PROBE_DEADLINE)?;
            Some("no answer")
        } else {
            None
        };
        if let Some(trouble) = trouble {
            endpoints.iter_mut().for_each(|endpoint| endpoint.trouble = Some(trouble.to_owned()));
        }
        Ok(Answer::Endpoints(endpoints))
    }

    pub(super) fn alarms(&mut self) -> Result<Answer> {
        self.reach_pd("etcd's alarms")?;
        Ok(Answer::Alarms(self.cluster.alarms.to_vec()))
    }

    pub(super) fn certificates(&self) -> Answer {
        Answer::Certificates(self.cluster.host.certificates.clone())
    }

    pub(super) fn timestamp(&mut self) -> Result<Answer> {
        self.reach_pd("the request for a timestamp")?;
        self.cluster.tso().map(Answer::Timestamp)
    }

    pub(super) fn read_savepoint(&self, dir: &Path) -> Result<Answer> {
        match self.files.get(dir) {
            Some(content) => Ok(Answer::Text(content.clone())),
            None => Err(Error::not_found(format!("there is no savepoint {}", dir.join("savepoint").shown()))
                .hint("a simulated cluster sees only the savepoints that were written in it")),
        }
    }
}

pub(super) fn only_pumps(node: &NodeRef, what: &str) -> Result<()> {
    match node.kind {
        Kind::Pump => Ok(()),
        Kind::Drainer => Err(Error::invalid(format!("{node} has no {what}, only Pumps have")).hint("name a Pump")),
    }
}

/// What is said of a node that takes the connection and does not answer in this time.
pub(super) fn silence(waited: Micros) -> String {
    format!("connected, and no answer in {}", show_seconds(waited as f64 / SECOND as f64))
}
