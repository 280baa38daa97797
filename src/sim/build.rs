//! From a scenario to a cluster in motion.

use super::checkpoint::{Checkpoint, EVERY};
use super::clock::{MINUTE, Micros, Queue, SECOND, next_tick};
use super::cluster::{Cluster, DueEvent, FIRST_REVISION, RawKey};
use super::drainer::{DRAINER_BEAT, Drainer, LOOK, PumpSource};
use super::faults::{Outside, Suffers};
use super::host::OwnHost;
use super::process::{KeyEntry, NodeIndex, Process, ProcessStage, SimulatedNode};
use super::pump::{CLOSE_CHECK, Closing, FAKE_BINLOG, GC_INTERVAL, PUMP_BEAT, Pump};
use super::record::{Fixed, RecordBody, written_body};
use super::scenario::{
    BinlogSpec, DrainerSpec, FIRST_GC, FIRST_SCHEMA, Phases, ProcessSpec, PumpSpec, Scenario, TidbSpec, phase, since,
};
use super::ticks::Ticks;
use super::tidb::{Binlog, STATUS_PORT, Tidb};
use super::tikv::Tikv;
use crate::error::Result;
use crate::node::{Kind, NodeRef, OwnFields, State};
use crate::tso::Tso;
use crate::world::{PdMember, Restarts};
use serde_json::{Map, Value as Json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long before its start a cluster has gone on as it begins.
const BEFORE: Micros = MINUTE;
/// How far apart the Pumps' clocks of fake binlog are, where a scenario does not say.
const FAKE_STRIDE: Micros = 1_170_000;

/// What the two kinds of node have in common in a scenario.
struct Common<'a> {
    kind: Kind,
    id: &'a str,
    address: &'a str,
    record: Option<State>,
    process: ProcessSpec,
    uptime: Micros,
    extra: &'a Map<String, Json>,
    json: Option<&'a str>,
    phases: &'a Phases,
    place: usize,
    supervised: bool,
    drift_ppm: i64,
}

/// The two specifications have these fields under the same names, and no type of their own for them: files list them all.
macro_rules! common {
    ($kind:expr, $spec:ident, $uptime:expr, $place:expr) => {
        Common {
            kind: $kind,
            id: &$spec.id,
            address: &$spec.address,
            record: $spec.record,
            process: $spec.process,
            uptime: $uptime,
            extra: &$spec.extra,
            json: $spec.json.as_deref(),
            phases: &$spec.phases,
            place: $place,
            supervised: $spec.supervisor,
            drift_ppm: $spec.drift_ppm,
        }
    };
}

impl Cluster {
    /// The cluster of `scenario`, at its start.
    ///
    /// # Errors
    /// `invalid` or `not_found` when a fault can happen to nobody, `invalid` when the start is no point in time.
    pub fn new(scenario: &Scenario) -> Result<Self> {
        let mut cluster = Self::empty(scenario)?;
        cluster.tidbs = (0..scenario.tidb.len()).map(|at| tidb_of(&scenario.tidb, at)).collect();
        for spec in &scenario.keys {
            let raw = RawKey { value: spec.value.as_bytes().into(), created: FIRST_REVISION, revision: FIRST_REVISION };
            cluster.keys.insert(spec.key.clone(), raw);
        }
        cluster.keys_changed();
        for (place, spec) in scenario.pumps.iter().enumerate() {
            let pump = cluster.pump_of(spec, place);
            cluster.pumps.push(pump);
        }
        for (place, spec) in scenario.drainers.iter().enumerate() {
            let drainer = cluster.drainer_of(spec, place);
            cluster.drainers.push(drainer);
        }
        cluster.sort();
        for who in cluster.everybody().collect::<Vec<_>>() {
            if cluster.node(who).entry.is_none() {
                cluster.adopt_key(who);
            }
        }
        cluster.settled_at = 0;
        cluster.keys_changed();
        cluster.begin();
        if let Some(ddls) = &scenario.ddls {
            cluster.expect_ddls(ddls);
        }
        cluster.begin_tikv_gc();
        for fault in &scenario.faults {
            cluster.add_fault(fault.clone())?;
        }
        if !cluster.alarms.is_empty() {
            // Nobody can write: for the nodes that is as if PD were gone.
            cluster.pd_goes();
        }
        Ok(cluster)
    }

    fn empty(scenario: &Scenario) -> Result<Self> {
        let urls = |url: &str| url.split(',').filter(|url| !url.is_empty()).map(str::to_owned).collect();
        let member =
            |spec: &super::scenario::PdMemberSpec| PdMember { name: spec.name.clone(), client_urls: urls(&spec.url) };
        Ok(Self {
            now: 0,
            start_ms: scenario.start_ms()?,
            id: scenario.cluster_id,
            members: scenario.pd.iter().map(member).collect(),
            leader: scenario.pd.first().map(|member| member.name.as_str().into()),
            pumps: Vec::new(),
            drainers: Vec::new(),
            tidbs: Vec::new(),
            tikv: {
                let start_ms = scenario.start_ms()?;
                Tikv::new(&scenario.tikv, |time| super::record::ts_at(start_ms, time))
            },
            unknown_tidb_writes: true,
            ddls: Vec::new(),
            schema_version: scenario.ddls.as_ref().map_or(FIRST_SCHEMA, |ddls| ddls.schema_version),
            has_ddls: scenario.ddls.is_some(),
            keys: BTreeMap::new(),
            order: [Vec::new(), Vec::new()],
            at_address: Arc::default(),
            broken: [false; 2],
            gc_rule: scenario.gc,
            faults: Vec::new(),
            no_more_faults: false,
            active: BTreeMap::new(),
            awaited: Vec::new(),
            outside: Outside::NOTHING,
            host: OwnHost::of(&scenario.host)?.into(),
            node_control: scenario.node_control.clone().map(Arc::new),
            writable: None,
            pd_outages: 0,
            pd_gone_since: 0,
            alarms: scenario.alarms.clone().into(),
            deployment: scenario.deployment.clone().map(Arc::new),
            revision: FIRST_REVISION,
            last_tso: Tso(0),
            settled_at: -1,
            queue: Queue::new(),
            events: 0,
            log: Vec::new(),
        })
    }

    fn sort(&mut self) {
        let mut pumps: Vec<usize> = (0..self.pumps.len()).collect();
        pumps.sort_by(|a, b| self.pumps[*a].node.id.cmp(&self.pumps[*b].node.id));
        let mut drainers: Vec<usize> = (0..self.drainers.len()).collect();
        drainers.sort_by(|a, b| self.drainers[*a].node.id.cmp(&self.drainers[*b].node.id));
        self.order = [pumps, drainers];
        self.addresses_changed();
    }

    /// The node, which becomes part of the cluster if it was none: without a record and a process yet.
    pub(crate) fn find_or_add(&mut self, node: &NodeRef) -> NodeIndex {
        if let Some(who) = self.find(node.kind, &node.id) {
            return who;
        }
        self.settle();
        let (id, address) = (node.id.clone(), node.address.clone());
        let who = match node.kind {
            Kind::Pump => {
                let spec = PumpSpec {
                    record: None,
                    process: ProcessSpec::Dead,
                    ..PumpSpec::new(id.as_str(), address.as_str())
                };
                let pump = self.pump_of(&spec, self.pumps.len());
                let gc_ts = self.now - pump.retention;
                self.pumps.push(Pump { newest: self.now, gc_ts, ..pump });
                let at = self.pumps.len() - 1;
                self.queue.schedule(self.now + GC_INTERVAL, DueEvent::Gc(at));
                NodeIndex::Pump(at)
            }
            Kind::Drainer => {
                let spec = DrainerSpec {
                    record: None,
                    process: ProcessSpec::Dead,
                    ..DrainerSpec::new(id.as_str(), address.as_str())
                };
                let drainer = self.drainer_of(&spec, self.drainers.len());
                let checkpoint = Checkpoint::at(self.now, self.now);
                let (consumed, since, kept_at) = (self.now, self.now, self.now);
                self.drainers.push(Drainer { consumed, since, checkpoint, kept_at, ..drainer });
                NodeIndex::Drainer(self.drainers.len() - 1)
            }
        };
        self.sort();
        self.adopt_key(who);
        self.faults_meet(who);
        who
    }

    /// A key that stood there before its node came is the node's from now on.
    fn adopt_key(&mut self, who: NodeIndex) {
        let key = self.key_of(who);
        let Some(raw) = self.keys.remove(&key) else { return };
        let body = written_body(&key, &raw.value, raw.revision);
        let (written, created, revision) = (self.now, raw.created, raw.revision);
        self.node_mut(who).entry = Some(KeyEntry { created, written, revision, body });
    }

    fn pump_of(&self, spec: &PumpSpec, place: usize) -> Pump {
        let (uptime, lag) = since(spec.process, spec.uptime, spec.lag);
        let shown = spec.recorded.filter(|_| matches!(spec.process, ProcessSpec::Dead | ProcessSpec::Hung));
        let uptime = shown.map_or(uptime, |shown| spec.uptime.unwrap_or(shown).micros());
        let common = common!(Kind::Pump, spec, uptime, place);
        let is_closing = spec.process == ProcessSpec::Closing;
        let mut ticks = Ticks::none();
        let first = phase(spec.phases.fake_binlog_ms, place, FAKE_STRIDE, FAKE_BINLOG) - BEFORE;
        ticks.begin(first - 1, first, FAKE_BINLOG, self.writes_per_second() == 0);
        if spec.process != ProcessSpec::Running {
            ticks.once(-lag);
        }
        let looks_at = phase(spec.phases.close_check_ms, place, 330_000, CLOSE_CHECK).max(1);
        let has_waited = next_tick(looks_at - BEFORE, CLOSE_CHECK, CLOSE_CHECK - lag);
        if is_closing && !self.broken[1] && has_waited < looks_at {
            ticks.begin(-lag, has_waited, CLOSE_CHECK, false);
        }
        let newest = ticks.last_by(0).unwrap_or(-lag);
        // Its record stands at the last heartbeat before the fake binlog that it wrote when it was told to close.
        let recorded = if is_closing { -lag - FAKE_BINLOG / 2 } else { newest };
        let recorded = shown.map_or(recorded, |shown| recorded.min(-shown.micros()));
        Pump {
            node: self.node_of(&common, recorded),
            newest,
            ticks,
            closing: is_closing.then_some(Closing { fake_binlog: -lag, storage_done: true, looks_at }),
            told_to_close: is_closing.then_some(-lag),
            unmatched_until: spec.unmatched.micros(),
            retention: spec.retention.micros(),
            gc_ts: FIRST_GC - GC_INTERVAL - spec.retention.micros(),
            collected_at: FIRST_GC - GC_INTERVAL,
            disk_capacity: spec.disk.capacity,
            disk_available: spec.disk.available,
        }
    }

    fn drainer_of(&self, spec: &DrainerSpec, place: usize) -> Drainer {
        let (uptime, lag) = since(spec.process, spec.uptime, spec.lag);
        let common = common!(Kind::Drainer, spec, uptime, place);
        let running = spec.process == ProcessSpec::Running;
        let mut drainer = Drainer {
            node: self.node_of(&common, -lag),
            consumed: -lag,
            since: 0,
            checkpoint: Checkpoint::at(0, 0),
            kept_at: 0,
            clean_save: None,
            downstream_unknown: spec.downstream_unknown.as_deref().map(Into::into),
            replication: Arc::new(spec.replication()),
            writes_apart: None,
            merges_until: Micros::MAX,
            flowing: running,
            speed: spec.speed.map(|speed| (speed * 1000.0) as i64),
            stalled_until: Micros::MIN,
            slowed: 0,
            flows: None,
            halts_at: None,
            sources: Vec::new(),
            dropped: BTreeMap::new(),
            look_phase: phase(spec.phases.look_ms, place, 1_430_000, LOOK) - LOOK,
            looks_at: None,
        };
        if spec.process != ProcessSpec::Dead {
            drainer.sources = self.first_sources();
        }
        let merged = drainer.sources.iter().map(|source| self.pumps[source.pump].newest).min();
        drainer.consumed = merged.map_or(drainer.consumed, |merged| merged.min(drainer.consumed));
        // What it had not come to yet of a Pump that serves no more, it cannot have read.
        if merged.is_some_and(|merged| drainer.consumed < merged) {
            let stuck = drainer.sources.iter_mut().filter(|source| source.stuck_at.is_some());
            stuck.for_each(|source| source.stuck_at = Some(drainer.consumed));
        }
        self.begin_checkpoint(&mut drainer, spec, place);
        let ended_well = matches!(spec.record, Some(State::Paused | State::Offline));
        drainer.clean_save = (spec.process == ProcessSpec::Dead && ended_well).then_some(drainer.checkpoint.saved_at);
        drainer
    }

    /// What a Drainer has saved at the start: where the scenario says that it is behind, just that; otherwise what comes
    /// of the cluster having gone on like this for a while.
    fn begin_checkpoint(&self, drainer: &mut Drainer, spec: &DrainerSpec, place: usize) {
        let may_save = phase(spec.phases.checkpoint_ms, place, 970_000, EVERY);
        drainer.checkpoint = Checkpoint::at(drainer.consumed, may_save - EVERY);
        drainer.node.settled = drainer.consumed;
        if spec.lag.micros() == 0 && drainer.flowing && self.writes_per_second() == 0 && drainer.consumed > -BEFORE {
            drainer.since = -BEFORE;
            drainer.checkpoint = Checkpoint::at(-BEFORE, may_save - BEFORE);
            let recorded = drainer.checkpoint_at(&self.pumps, &[], drainer.node.beat_phase);
            drainer.node.settled = recorded.saved;
            drainer.checkpoint = drainer.checkpoint_at(&self.pumps, &[], 0);
            drainer.since = 0;
        }
        // What its record says is as old as its last heartbeat.
        if let Some(pace) = drainer.pace().filter(|_| drainer.flowing) {
            drainer.node.settled = drainer.consumed + drainer.node.beat_phase / 1_000 * pace;
        }
    }

    fn first_sources(&self) -> Vec<PumpSource> {
        let known = self.pumps.iter().enumerate().filter(|(_, pump)| pump.node.counts());
        known
            .map(|(at, pump)| {
                let address = pump.node.address.clone();
                let stuck_at = (!pump.serves(&address)).then_some(pump.newest);
                PumpSource { pump: at, address, stuck_at, missed_to: Micros::MIN }
            })
            .collect()
    }

    fn node_of(&self, common: &Common<'_>, position: Micros) -> SimulatedNode {
        let (beat_interval, stride) = match common.kind {
            Kind::Pump => (PUMP_BEAT, 730_000),
            Kind::Drainer => (DRAINER_BEAT, 410_000),
        };
        let beat_phase = phase(common.phases.heartbeat_ms, common.place, stride, beat_interval) - beat_interval;
        let stage = match common.process {
            ProcessSpec::Closing => ProcessStage::Closing,
            _ => ProcessStage::Online,
        };
        let hung = common.process == ProcessSpec::Hung;
        let started = -common.uptime;
        let process = Process { started, stage, hung, up_at: started, fails: false };
        let process = (common.process != ProcessSpec::Dead).then_some(process);
        SimulatedNode {
            kind: common.kind,
            id: common.id.into(),
            address: common.address.into(),
            entry: common.record.map(|state| self.entry_of(common, state, position, beat_phase)),
            process,
            epoch: 0,
            handled: 0,
            supervised: common.supervised || self.restarts().is_some_and(|restarts| restarts != Restarts::Never),
            beat_interval,
            beat_phase,
            drift_ppm: common.drift_ppm,
            settled: position,
            suffers: Suffers::NOTHING,
            pending: Vec::new(),
        }
    }

    fn entry_of(&self, common: &Common<'_>, state: State, position: Micros, beat: Micros) -> KeyEntry {
        let beats = common.process == ProcessSpec::Running && state == State::Online;
        let live = beats && common.extra.is_empty() && common.json.is_none();
        let written = match common.process {
            ProcessSpec::Running => beat,
            // Its last heartbeat was just before it was told, which its position tells.
            ProcessSpec::Closing => beat.min(position),
            ProcessSpec::Dead | ProcessSpec::Hung => beat.min(-common.uptime),
        };
        let position = position.min(written);
        let revision = FIRST_REVISION + written.max(1 - FIRST_REVISION);
        let (max_commit_ts, update_ts) = (self.ts_at(position), self.ts_at(written));
        let body = if live {
            RecordBody::Live
        } else if let Some(text) = common.text(state, max_commit_ts, update_ts) {
            written_body(&format!("{}{}", common.kind.prefix(), common.id), text.as_bytes(), revision)
        } else {
            RecordBody::Fixed(Arc::new(Fixed::own(state, &common.address.into(), max_commit_ts, update_ts)))
        };
        KeyEntry { created: 1, written, revision, body }
    }

    /// Puts everything in motion that has been going on before the start.
    fn begin(&mut self) {
        for at in 0..self.pumps.len() {
            self.queue.schedule(FIRST_GC, DueEvent::Gc(at));
            let epoch = self.pumps[at].node.epoch;
            if let Some(closing) = self.pumps[at].closing {
                self.queue.schedule(closing.looks_at, DueEvent::CloseCheck { pump: at, epoch });
            }
        }
        for who in self.everybody().collect::<Vec<_>>() {
            if !matches!(self.node(who).entry, Some(KeyEntry { body: RecordBody::Live, .. })) {
                self.beat_later(who);
            }
        }
        self.look_soon();
        self.rewire();
    }
}

impl Common<'_> {
    /// The text of its record, where a node would write it otherwise.
    fn text(&self, state: State, max_commit_ts: Tso, update_ts: Tso) -> Option<String> {
        if let Some(json) = self.json {
            return Some(json.to_owned());
        }
        if self.extra.is_empty() {
            return None;
        }
        let (id, address, state) = (self.id.into(), self.address.into(), state.into());
        let own = OwnFields { id, address, state, max_commit_ts, update_ts };
        let field = |(name, value): (&str, Json)| (name.to_owned(), value);
        let mut fields: Map<String, Json> = own.members().into_iter().map(field).collect();
        fields.extend(self.extra.clone());
        Some(Json::Object(fields).to_string())
    }
}

fn tidb_of(all: &[TidbSpec], at: usize) -> Tidb {
    let spec = &all[at];
    let host = |spec: &TidbSpec| spec.address.rsplit_once(':').map_or(&*spec.address, |(host, _)| host).to_owned();
    let before = all[..at].iter().filter(|other| host(other) == host(spec)).count();
    let port = STATUS_PORT.saturating_add(u16::try_from(before).unwrap_or(u16::MAX));
    let status_address = spec.status_address.clone().unwrap_or_else(|| format!("{}:{port}", host(spec)));
    Tidb {
        address: spec.address.as_str().into(),
        version: spec.version.as_str().into(),
        binlog: match spec.binlog {
            BinlogSpec::On => Binlog::On,
            BinlogSpec::Off => Binlog::Off,
            BinlogSpec::Skipping => Binlog::Skipping,
            BinlogSpec::Unknown => Binlog::Unknown,
        },
        ignore_error: spec.ignore_error,
        writes_per_second: i64::from(spec.writes_per_second).min(SECOND),
        revision: FIRST_REVISION,
        gives_up_at: None,
        status_address: status_address.into(),
        skipped_until: 0,
    }
}
