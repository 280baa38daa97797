//! The cluster as one state machine: its parts, its time, and how it goes from one event to the next.
//!
//! Between two events every position is a closed form of the time. Whoever changes something calls
//! [`Cluster::settle`] first, which notes where everything has come to, and [`Cluster::rewire`] after, which works out
//! who now reads from whom.

use super::clock::{MINUTE, Micros, Queue, SECOND, last_tick};
use super::drainer::{Drainer, LOOK};
use super::faults::{Active, Outside};
use super::host::OwnHost;
use super::log::{LogEntry, LogEvent};
use super::process::{NodeIndex, ProcessStage, SimulatedNode};
use super::pump::{FAKE_BINLOG, Pump};
use super::record::{RecordBody, time_of, ts_at};
use super::scenario::{Fault, GcRule, NodeControlSpec};
use super::tidb::Tidb;
use super::tikv::Tikv;
use crate::deployment::Deployment;
use crate::node::{Kind, same_for_all};
use crate::tso::Tso;
use crate::world::{Alarm, PdMember};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The etcd revision at the scenario's start; a write at a virtual time has this plus its microsecond.
pub(crate) const FIRST_REVISION: i64 = 1_000_000;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DueEvent {
    /// A process has come up.
    Booted(NodeIndex, u32),
    /// A Pump tries to notify the Drainers.
    Notify {
        pump: usize,
        epoch: u32,
        attempt: u32,
    },
    /// A closing Pump looks whether it may go.
    CloseCheck {
        pump: usize,
        epoch: u32,
    },
    /// A Drainer that wrote its last state exits.
    Ended(NodeIndex, u32),
    /// A supervisor restarts what failed.
    Restart(NodeIndex, u32),
    /// The next heartbeat overwrites what somebody wrote over a live node.
    Beat(NodeIndex, u32),
    /// A Drainer looks at the list of Pumps.
    Look(usize),
    /// A Drainer has failed too many heartbeats.
    GiveUp(usize, u32),
    /// A Pump collects old binlog.
    Gc(usize),
    /// TiDB runs a DDL, and the next one so much later, if there is one.
    Ddl(Option<Micros>),
    /// A TiDB server has waited long enough for a Pump that takes its binlog.
    TidbNotices(usize),
    /// A round of TiKV's garbage collection begins.
    TikvRound,
    /// TiKV may collect what the round decided on.
    TikvCollects,
    FaultBegins(usize),
    FaultEnds(usize),
    /// A fault goes on to its next turn.
    FaultTurns(usize),
    /// A slow Drainer has consumed all there was and all that will be for the time being.
    Halts(usize),
}

/// A key in etcd that belongs to no node of the model.
#[derive(Clone, Debug)]
pub(crate) struct RawKey {
    pub(crate) value: Arc<[u8]>,
    pub(crate) created: i64,
    pub(crate) revision: i64,
}

/// PD, Pumps, Drainers and TiDB servers at one moment of virtual time. Cheap to clone, the same from the same scenario.
#[derive(Clone, Debug)]
pub struct Cluster {
    pub(crate) now: Micros,
    pub(crate) start_ms: i64,
    pub(crate) id: u64,
    pub(crate) members: Arc<[PdMember]>,
    pub(crate) leader: Option<Arc<str>>,
    pub(crate) pumps: Vec<Pump>,
    pub(crate) drainers: Vec<Drainer>,
    pub(crate) tidbs: Vec<Tidb>,
    pub(crate) tikv: Tikv,
    /// Whether servers that nobody knows write binlog, where none is registered: until somebody says that it is off.
    pub(crate) unknown_tidb_writes: bool,
    /// The commits of the DDLs that stand in the binlog, in order.
    pub(crate) ddls: Vec<Micros>,
    /// The version of the schema before the first of them.
    pub(crate) schema_version: i64,
    /// Whether the scenario speaks of DDLs, so that they are among what can come unforeseen.
    pub(crate) has_ddls: bool,
    pub(crate) keys: BTreeMap<String, RawKey>,
    /// The nodes of each kind in the order of their ids.
    pub(crate) order: [Vec<usize>; 2],
    /// The nodes at each address (host names in lower case), Pumps first.
    pub(crate) at_address: Arc<BTreeMap<String, Vec<NodeIndex>>>,
    /// Whether a listing of each kind fails for everybody but us.
    pub(crate) broken: [bool; 2],
    pub(crate) gc_rule: GcRule,
    pub(crate) faults: Vec<Fault>,
    /// Whether faults to come are called off.
    pub(crate) no_more_faults: bool,
    /// The faults that have begun and not ended, by their places.
    pub(crate) active: BTreeMap<usize, Active>,
    /// The faults that have begun and whose node is not there yet: their places, and when they end.
    pub(crate) awaited: Vec<(usize, Micros)>,
    /// What our host and its human suffer.
    pub(crate) outside: Outside,
    /// How our host stands to all this.
    pub(crate) host: Arc<OwnHost>,
    /// What starts and stops the nodes, where no human has to.
    pub(crate) node_control: Option<Arc<NodeControlSpec>>,
    /// How many Pumps took TiDB's writes when that was last worked out.
    pub(crate) writable: Option<usize>,
    /// How many faults that take PD away have begun and not ended.
    pub(crate) pd_outages: u32,
    pub(crate) pd_gone_since: Micros,
    /// The alarms of PD's etcd: nobody ends them, and with one nothing is written.
    pub(crate) alarms: Arc<[Alarm]>,
    /// What a deployment tool knows of it: it stays as it is.
    pub(crate) deployment: Option<Arc<Deployment>>,
    /// The revision of the last write that was no heartbeat.
    pub(crate) revision: i64,
    pub(crate) last_tso: Tso,
    pub(crate) settled_at: Micros,
    pub(crate) queue: Queue<DueEvent>,
    pub(crate) events: u64,
    pub(crate) log: Vec<LogEntry>,
}

impl Cluster {
    /// The virtual time, in microseconds since the scenario's start.
    pub fn now(&self) -> Micros {
        self.now
    }

    /// How many scheduled events have happened so far.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// What truly happened so far, in order.
    pub fn log(&self) -> &[LogEntry] {
        &self.log
    }

    /// Lets time pass until `until`; nothing if that is over.
    pub fn advance_to(&mut self, until: Micros) {
        while self.step(until) {}
    }

    /// Lets the next event happen that is due by `until`, or time pass until then; whether there was an event.
    pub(crate) fn step(&mut self, until: Micros) -> bool {
        match self.queue.pop(until) {
            Some((at, event)) => {
                self.now = self.now.max(at);
                self.events += 1;
                self.happen(event);
                true
            }
            None => {
                self.now = self.now.max(until);
                self.keep_checkpoints();
                false
            }
        }
    }

    fn happen(&mut self, event: DueEvent) {
        match event {
            DueEvent::Booted(who, epoch) if self.node(who).epoch == epoch => self.booted(who),
            DueEvent::Notify { pump, epoch, attempt } if self.pumps[pump].node.epoch == epoch => {
                self.notify(pump, attempt);
            }
            DueEvent::CloseCheck { pump, epoch } if self.pumps[pump].node.epoch == epoch => self.close_check(pump),
            DueEvent::Ended(who, epoch) if self.node(who).epoch == epoch => self.ended(who),
            DueEvent::Restart(who, epoch) if self.node(who).epoch == epoch => self.start(who, None),
            DueEvent::Beat(who, epoch) if self.node(who).epoch == epoch => self.beat(who),
            DueEvent::GiveUp(drainer, epoch) if self.drainers[drainer].node.epoch == epoch => self.give_up(drainer),
            DueEvent::Look(drainer) => self.look_if_due(drainer),
            DueEvent::Gc(pump) => self.hourly_gc(pump),
            DueEvent::Ddl(every) => self.ddl_is_due(every),
            DueEvent::TidbNotices(tidb) => self.tidb_notices(tidb),
            DueEvent::TikvRound => self.tikv_round(),
            DueEvent::TikvCollects => self.tikv_collects(),
            DueEvent::FaultBegins(_) if self.no_more_faults => {}
            DueEvent::FaultBegins(fault) => self.fault_begins(fault),
            DueEvent::FaultEnds(fault) => self.fault_ends(fault),
            DueEvent::FaultTurns(fault) => self.fault_turns(fault),
            DueEvent::Halts(drainer) => self.halts_if_due(drainer),
            _ => {} // of a process that is no more
        }
    }

    pub(crate) fn node(&self, who: NodeIndex) -> &SimulatedNode {
        match who {
            NodeIndex::Pump(at) => &self.pumps[at].node,
            NodeIndex::Drainer(at) => &self.drainers[at].node,
        }
    }

    pub(crate) fn node_mut(&mut self, who: NodeIndex) -> &mut SimulatedNode {
        match who {
            NodeIndex::Pump(at) => &mut self.pumps[at].node,
            NodeIndex::Drainer(at) => &mut self.drainers[at].node,
        }
    }

    /// Works out again who is at which address.
    pub(crate) fn addresses_changed(&mut self) {
        let mut all: BTreeMap<String, Vec<NodeIndex>> = BTreeMap::new();
        let pumps = (0..self.pumps.len()).map(NodeIndex::Pump);
        for who in pumps.chain((0..self.drainers.len()).map(NodeIndex::Drainer)) {
            all.entry(same_for_all(&self.node(who).address).into_owned()).or_default().push(who);
        }
        self.at_address = Arc::new(all);
    }

    /// The nodes whose records or processes are at `address`, whether they run or not.
    pub(crate) fn all_at(&self, address: &str) -> impl Iterator<Item = NodeIndex> + '_ {
        self.at_address.get(&*same_for_all(address)).into_iter().flatten().copied()
    }

    /// All nodes, Pumps first, each kind in the order of its ids.
    pub fn everybody(&self) -> impl Iterator<Item = NodeIndex> + '_ {
        let pumps = self.order[0].iter().map(|at| NodeIndex::Pump(*at));
        pumps.chain(self.order[1].iter().map(|at| NodeIndex::Drainer(*at)))
    }

    /// Whether there is such a node.
    pub fn has(&self, who: NodeIndex) -> bool {
        match who {
            NodeIndex::Pump(at) => at < self.pumps.len(),
            NodeIndex::Drainer(at) => at < self.drainers.len(),
        }
    }

    /// The node `id` of `kind`.
    pub fn find(&self, kind: Kind, id: &str) -> Option<NodeIndex> {
        let (order, index): (_, fn(usize) -> NodeIndex) = match kind {
            Kind::Pump => (&self.order[0], NodeIndex::Pump),
            Kind::Drainer => (&self.order[1], NodeIndex::Drainer),
        };
        let place = order.binary_search_by(|at| (*self.node(index(*at)).id).cmp(id)).ok()?;
        order.get(place).map(|at| index(*at))
    }

    /// The id of a node.
    pub fn id_of(&self, who: NodeIndex) -> &str {
        &self.node(who).id
    }

    /// Where a node listens, or would.
    pub fn address_of(&self, who: NodeIndex) -> &str {
        &self.node(who).address
    }

    /// The timestamp of a virtual time.
    pub fn ts_at(&self, time: Micros) -> Tso {
        ts_at(self.start_ms, time)
    }

    /// The virtual time of a timestamp.
    pub fn time_of(&self, ts: Tso) -> Micros {
        time_of(self.start_ms, ts)
    }

    /// Milliseconds since 1970 at a virtual time.
    pub fn unix_ms(&self, time: Micros) -> i64 {
        self.start_ms + time.div_euclid(1_000)
    }

    pub(crate) fn pd_gone(&self) -> bool {
        self.pd_outages > 0
    }

    /// Whether PD answers us, though it may take no write.
    pub(crate) fn pd_answers(&self) -> bool {
        self.pd_outages == u32::from(!self.alarms.is_empty())
    }

    /// The newest commit a Pump holds, or up to where a Drainer has consumed everything, at `time` since the last
    /// change.
    pub(crate) fn position_at(&self, who: NodeIndex, time: Micros) -> Micros {
        match who {
            NodeIndex::Pump(at) => self.pumps[at].newest(time),
            NodeIndex::Drainer(at) => self.drainers[at].consumed(&self.pumps, time),
        }
    }

    /// The Drainers, in the order of their ids, and up to where each has consumed everything: the truth, not their records.
    pub(crate) fn drainer_positions(&self) -> impl Iterator<Item = (NodeIndex, Micros)> + '_ {
        let consumed = self.consumed_by_drainers();
        self.order[1].iter().map(move |at| (NodeIndex::Drainer(*at), consumed[*at]))
    }

    /// The newest commit a Pump holds, or up to where a Drainer has consumed everything: the truth, not its record.
    pub fn position(&self, who: NodeIndex) -> Micros {
        self.position_at(who, self.now)
    }

    /// Up to where each Drainer has consumed everything, by its place.
    pub(crate) fn consumed_by_drainers(&self) -> Vec<Micros> {
        let mut all = Vec::with_capacity(self.drainers.len());
        // Most can merge the same as the one before.
        let mut known: Option<(&Drainer, Option<Micros>)> = None;
        for drainer in &self.drainers {
            let same = known.filter(|(before, _)| drainer.reads_as(before));
            let merged = same.map_or_else(|| drainer.merged(&self.pumps, self.now), |(_, merged)| merged);
            known = Some((drainer, merged));
            all.push(drainer.consumed_of(merged, self.now));
        }
        all
    }

    /// The position that a node writes into its record at `time` since the last change: the newest commit a Pump holds,
    /// or the checkpoint that a Drainer has saved.
    fn written_position(&self, who: NodeIndex, time: Micros) -> Micros {
        match who {
            NodeIndex::Pump(at) => self.pumps[at].newest(time),
            NodeIndex::Drainer(at) => self.drainers[at].checkpoint_at(&self.pumps, &self.ddls, time).saved,
        }
    }

    /// The position that a node would write into its record now.
    pub(crate) fn position_to_write(&self, who: NodeIndex) -> Micros {
        self.written_position(who, self.now)
    }

    /// The position that the record shows.
    pub(crate) fn recorded_position(&self, who: NodeIndex) -> Option<Micros> {
        let node = self.node(who);
        let entry = node.entry.as_ref()?;
        match &entry.body {
            RecordBody::Live => {
                let written = node.written_at(entry, self.now);
                let known = match who {
                    NodeIndex::Pump(_) => self.settled_at,
                    NodeIndex::Drainer(at) => self.drainers[at].kept_at,
                };
                Some(if written > known { self.written_position(who, written) } else { node.settled })
            }
            RecordBody::Fixed(fixed) => Some(self.time_of(fixed.max_commit_ts)),
            RecordBody::Raw(_) => None,
        }
    }

    /// Notes where everything has come to, so that what comes next may change how it goes on.
    pub(crate) fn settle(&mut self) {
        if self.settled_at == self.now {
            return;
        }
        let consumed = self.consumed_by_drainers();
        for (at, consumed) in consumed.into_iter().enumerate() {
            self.keep_checkpoint(at);
            let drainer = &mut self.drainers[at];
            drainer.consumed = consumed;
            drainer.since = self.now;
        }
        for at in 0..self.pumps.len() {
            let settled = self.settled_position(NodeIndex::Pump(at));
            let pump = &mut self.pumps[at];
            pump.node.settled = settled;
            pump.newest = pump.newest(self.now);
        }
        self.settled_at = self.now;
    }

    fn settled_position(&self, who: NodeIndex) -> Micros {
        self.recorded_position(who).unwrap_or(self.node(who).settled)
    }

    /// Notes where a Drainer's checkpoint has come to, and what its record shows of it.
    fn keep_checkpoint(&mut self, at: usize) {
        let checkpoint = self.drainers[at].checkpoint_at(&self.pumps, &self.ddls, self.now);
        let recorded = match checkpoint == self.drainers[at].checkpoint && self.drainers[at].shows_checkpoint(self.now)
        {
            true => checkpoint.saved,
            false => self.settled_position(NodeIndex::Drainer(at)),
        };
        let drainer = &mut self.drainers[at];
        drainer.node.settled = recorded;
        drainer.checkpoint = checkpoint;
        drainer.kept_at = self.now;
    }

    /// Where nobody writes, a checkpoint is worked out save by save: none too many from the last that is known.
    fn keep_checkpoints(&mut self) {
        for at in 0..self.drainers.len() {
            let drainer = &self.drainers[at];
            if drainer.writes_apart.is_none() && self.now - drainer.kept_at > MINUTE {
                self.keep_checkpoint(at);
            }
        }
    }

    /// When a Drainer last looked at the list of Pumps, which is when what `/status` shows of them was noted.
    pub(crate) fn looked_at(&self, at: usize) -> Option<Micros> {
        let drainer = &self.drainers[at];
        let looks = drainer.node.awake() == Some(ProcessStage::Online);
        last_tick(drainer.look_phase, LOOK, self.now).filter(|_| looks)
    }

    /// Works out who makes binlog and who reads from whom, after something has changed.
    pub(crate) fn rewire(&mut self) {
        self.rewire_sources();
        let gone = self.pd_gone();
        let writable = self.pumps.iter().filter(|pump| pump.writable()).count();
        let writes = self.writes_per_second();
        let share = match writes {
            0 => FAKE_BINLOG,
            _ => (writable as i64 * SECOND / writes).clamp(1_000, FAKE_BINLOG),
        };
        let now = self.now;
        let heard = !gone && !self.broken[1];
        for pump in &mut self.pumps {
            let interval = if pump.writable() { share } else { FAKE_BINLOG };
            match pump.node.awake() {
                Some(ProcessStage::Online | ProcessStage::Notifying) if !gone => {
                    pump.makes_binlog(now, interval, writes == 0)
                }
                Some(ProcessStage::Closing) if heard => pump.makes_binlog_while_closing(now),
                _ => pump.ticks.end(now),
            }
        }
        let apart = (writes > 0 && writable > 0).then(|| (SECOND / writes).clamp(1, FAKE_BINLOG));
        self.drainers.iter_mut().for_each(|drainer| drainer.writes_apart = apart);
        self.tidb_watches(writable);
        self.note_writable(writable);
        self.note_flows();
    }

    fn rewire_sources(&mut self) {
        for drainer in &mut self.drainers {
            let changed = drainer.sources.iter().any(|s| s.stuck_at.is_none() != self.pumps[s.pump].serves(&s.address));
            if !changed {
                continue;
            }
            let behind = !drainer.flowing || drainer.is_behind(&self.pumps, drainer.consumed, self.now);
            for source in &mut drainer.sources {
                let pump = &self.pumps[source.pump];
                source.stuck_at = match (pump.serves(&source.address), source.stuck_at) {
                    (true, _) => None,
                    (false, Some(at)) => Some(at),
                    (false, None) if behind => Some(drainer.consumed),
                    (false, None) => Some(pump.newest(self.now)),
                };
            }
        }
    }

    pub(crate) fn note(&mut self, what: LogEvent) {
        self.log.push(LogEntry { at: self.now, what });
    }
}
