//! How each node stands, made of its record, its probe and what else it said.

use super::observe::{Observed, ObservedNode, beat_ms};
use super::pace::{DrainerPace, pace};
use super::unknown::UnknownFacts;
use crate::node::{Kind, NodeRef, Record, RecordState, State, same_for_all};
use crate::sim::{DiskSpec, DrainerSpec, KeySpec, MOST_DRIFT_PPM, Phases, ProcessSpec, PumpSpec, Span};
use crate::time::show_seconds;
use crate::world::ProbeFinding;
use serde_json::{Map, Value as Json};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// How often a Pump without writes makes a binlog of its own, in milliseconds.
const FAKE_BINLOG_MS: i64 = 3_000;
/// How often a Drainer looks at the list of Pumps, in milliseconds.
const LOOK_MS: i64 = 5_000;
/// How often a Drainer saves its checkpoint, in milliseconds.
const CHECKPOINT_MS: i64 = 3_000;
/// A Pump that works and whose newest commit is older than this, in milliseconds, is odd.
const STALE_MS: i64 = 10_000;
/// A Drainer at most this far before the end of a Pump that closes, in milliseconds, has come to it.
const AT_END_MS: i64 = 10_000;
/// How often a Pump collects what is older than its retention, in milliseconds.
const GC_MS: i64 = 3_600_000;
/// No Pump keeps binlog for longer than this, in milliseconds: such a GC timestamp was never set.
const LONGEST_RETENTION_MS: i64 = 10 * 366 * 86_400_000;
/// From here on, in milliseconds, a length of time is given in whole seconds.
const YEAR_MS: i64 = 366 * 86_400_000;

#[derive(Default)]
pub(super) struct SnapshotNodes {
    pub(super) pumps: Vec<PumpSpec>,
    pub(super) drainers: Vec<DrainerSpec>,
    /// Records that no node of the simulator can have.
    pub(super) keys: Vec<KeySpec>,
}

impl SnapshotNodes {
    /// The nodes as they were observed.
    pub(super) fn of(observed: &Observed, unknown: &mut UnknownFacts) -> Self {
        let silent = newest_silent(observed);
        let stands: Vec<Stand> = observed.nodes.iter().map(|seen| stand(observed, &silent, seen, unknown)).collect();
        forgotten(observed, unknown);
        let mut nodes = Self::default();
        for (seen, stand) in observed.nodes.iter().zip(&stands) {
            let node = &seen.record.node;
            if !node.address.contains(':') {
                unknown
                    .say(format!("{node} has an address without a port: its record is kept, and nobody is behind it"));
                nodes.keys.push(KeySpec { key: node.key(), value: seen.record.json.shown().into_owned() });
                continue;
            }
            let subject = NodeInSight { observed, seen, stand };
            match node.kind {
                Kind::Pump => nodes.pumps.push(subject.pump(unknown)),
                Kind::Drainer => {
                    let held_up =
                        observed.nodes.iter().zip(&stands).any(|(pump, stand)| subject.waits_for(pump, stand));
                    nodes.drainers.push(subject.drainer(held_up, unknown));
                }
            }
        }
        nodes
    }
}

/// What a node's process is, and the state of its record.
struct Stand {
    process: ProcessSpec,
    record: State,
}

/// Whether a node has a process, and what it does: the probe decides, and where it does not tell, the heartbeat.
fn stand(observed: &Observed, silent: &SilentNodes<'_>, seen: &ObservedNode, unknown: &mut UnknownFacts) -> Stand {
    let node = &seen.record.node;
    // A text that is no state stays in the record, as a whole; to everybody it is neither `online` nor `offline`.
    let record = match seen.record.state {
        RecordState::Known(state) => state,
        RecordState::Other(_) => State::Paused,
    };
    let found = |process| Stand { process, record };
    let moves = seen.moves(observed.watched_ms());
    match &seen.finding {
        ProbeFinding::State(State::Online) => {
            if moves == Some(false) {
                unknown.say(format!("{node} answers and its heartbeat did not move: taken as beating again"));
            }
            found(ProcessSpec::Running)
        }
        ProbeFinding::State(State::Closing) if node.kind == Kind::Pump => found(ProcessSpec::Closing),
        ProbeFinding::State(state) => ending(node, *state, unknown),
        ProbeFinding::Refused => {
            if moves == Some(true) {
                unknown.say(format!("{node} has no process, and its heartbeat moved just before: taken as dead"));
            }
            found(ProcessSpec::Dead)
        }
        ProbeFinding::Silent => match newer_at(silent, seen) {
            Some(other) => {
                unknown.say(format!("{node} is silent like {other}, whose heartbeat is newer: taken as dead"));
                found(ProcessSpec::Dead)
            }
            None => {
                let but = if moves == Some(true) { " (its heartbeat moved just before)" } else { "" };
                unknown.say(format!("{node} answers nothing{but}: taken as hung"));
                found(ProcessSpec::Hung)
            }
        },
        ProbeFinding::Other(id) => {
            unknown.say(format!("{id} answers at the address of {node}: taken as dead"));
            found(ProcessSpec::Dead)
        }
        ProbeFinding::Unknown(why) => {
            let runs = moves.unwrap_or(record == State::Online);
            let (heartbeat, taken, process) = match (moves, runs) {
                (Some(true), _) => ("its heartbeat moves", "running", ProcessSpec::Running),
                (Some(false), _) => ("its heartbeat does not move", "dead", ProcessSpec::Dead),
                (None, true) => ("its record says online", "running", ProcessSpec::Running),
                (None, false) => ("its record does not say online", "dead", ProcessSpec::Dead),
            };
            unknown.say(format!("what {node} does cannot be asked ({why}), {heartbeat}: taken as {taken}"));
            found(process)
        }
    }
}

/// A process on its way out: it has ended by the time that anything else happens.
fn ending(node: &NodeRef, state: State, unknown: &mut UnknownFacts) -> Stand {
    let record = match state {
        State::Online | State::Pausing | State::Paused => State::Paused,
        State::Closing | State::Offline => State::Offline,
    };
    unknown.say(format!("{node} says {state}: taken as ended, its record {record}"));
    Stand { process: ProcessSpec::Dead, record }
}

/// Of the silent nodes at each address the one whose record was written last: the process there is its.
type SilentNodes<'a> = HashMap<Cow<'a, str>, &'a ObservedNode>;

fn newest_silent(observed: &Observed) -> SilentNodes<'_> {
    let rank = |seen: &ObservedNode| (seen.record.update_ts, seen.record.node.clone());
    let mut newest = SilentNodes::new();
    for seen in observed.nodes.iter().filter(|seen| seen.finding == ProbeFinding::Silent) {
        let there = newest.entry(same_for_all(&seen.record.node.address)).or_insert(seen);
        if rank(seen) >= rank(there) {
            *there = seen;
        }
    }
    newest
}

/// The other silent node at the same address whose record was written later.
fn newer_at<'a>(silent: &SilentNodes<'a>, seen: &ObservedNode) -> Option<&'a NodeRef> {
    let newest = silent.get(&same_for_all(&seen.record.node.address))?;
    (newest.record.node != seen.record.node).then_some(&newest.record.node)
}

/// Pumps that a Drainer reads and that have no record: a simulated Drainer reads what has one.
fn forgotten(observed: &Observed, unknown: &mut UnknownFacts) {
    let pumps = observed.nodes.iter().map(|seen| &seen.record.node).filter(|node| node.kind == Kind::Pump);
    let known: HashSet<&str> = pumps.map(|node| node.id.as_str()).collect();
    for seen in &observed.nodes {
        let Some(status) = &seen.status else { continue };
        for id in status.pump_positions.keys().filter(|id| !known.contains(&***id)) {
            let node = &seen.record.node;
            unknown.say(format!("{node} still reads the Pump {id}, which has no record: taken as not there"));
        }
    }
}

/// One node, with what is around it.
struct NodeInSight<'a> {
    observed: &'a Observed,
    seen: &'a ObservedNode,
    stand: &'a Stand,
}

impl NodeInSight<'_> {
    fn pump(&self, unknown: &mut UnknownFacts) -> PumpSpec {
        let node = &self.seen.record.node;
        let lag_ms = self.pump_lag_ms();
        let mut phases = self.heartbeat();
        match self.stand.process {
            ProcessSpec::Running => phases.fake_binlog_ms = Some(self.fake_binlog_ms(unknown)),
            ProcessSpec::Closing => {
                let told = seconds(lag_ms);
                unknown.say(format!("when {node} was told to close is not known: taken as {told} before"));
            }
            ProcessSpec::Dead | ProcessSpec::Hung => {}
        }
        let (extra, json) = self.text(unknown);
        let (retention, disk) = (self.retention(), self.disk());
        if self.seen.counts() {
            unknown.retentions.extend(retention.is_none().then(|| node.id.clone()));
            unknown.disks.extend(disk.is_none().then(|| node.id.clone()));
        }
        let usual = PumpSpec::new(node.id.as_str(), node.address.as_str());
        PumpSpec {
            record: Some(self.stand.record),
            process: self.stand.process,
            uptime: Some(self.uptime(unknown)),
            lag: span(lag_ms),
            recorded: self.recorded_ms(lag_ms).map(span),
            retention: retention.unwrap_or(usual.retention),
            disk: disk.unwrap_or_default(),
            drift_ppm: self.drift_ppm(),
            extra,
            json,
            phases,
            ..usual
        }
    }

    /// How old the newest commit of a Pump is that makes none, or how long ago it was told to close.
    fn pump_lag_ms(&self) -> i64 {
        let newest_ms = newest_age_ms(self.observed, self.seen);
        match self.stand.process {
            ProcessSpec::Running => 0,
            ProcessSpec::Dead | ProcessSpec::Hung => newest_ms,
            // Its record stands where its last heartbeat left it, a moment before it was told.
            ProcessSpec::Closing => {
                let recorded_ms = self.observed.age_ms(self.seen.record.max_commit_ts);
                (recorded_ms - FAKE_BINLOG_MS / 2).max(0)
            }
        }
    }

    /// How old the newest commit in the record of a Pump is that does not run, where it holds `lag_ms`, much newer ones: it
    /// was closing, without heartbeats, and made binlog of its own.
    fn recorded_ms(&self, lag_ms: i64) -> Option<i64> {
        let shown_ms = self.observed.age_ms(self.seen.record.max_commit_ts);
        let is_down = matches!(self.stand.process, ProcessSpec::Dead | ProcessSpec::Hung);
        (is_down && shown_ms - lag_ms > STALE_MS).then_some(shown_ms)
    }

    /// When a Pump that works makes its next binlog: its newest one tells.
    fn fake_binlog_ms(&self, unknown: &mut UnknownFacts) -> i64 {
        let age_ms = self.observed.age_ms(self.seen.record.max_commit_ts);
        if age_ms > STALE_MS {
            let (node, old) = (&self.seen.record.node, seconds(age_ms));
            unknown.say(format!("{node} works, and its newest commit is {old} old: taken as fresh"));
        }
        // Its record may not have the last one yet.
        if age_ms > STALE_MS { FAKE_BINLOG_MS } else { FAKE_BINLOG_MS - age_ms.max(1) % FAKE_BINLOG_MS }
    }

    fn drainer(&self, held_up: bool, unknown: &mut UnknownFacts) -> DrainerSpec {
        let node = &self.seen.record.node;
        let (extra, json) = self.text(unknown);
        let spec = DrainerSpec {
            record: Some(self.stand.record),
            process: self.stand.process,
            uptime: Some(self.uptime(unknown)),
            lag: span(self.behind_ms()),
            speed: self.speed(held_up, unknown),
            drift_ppm: self.drift_ppm(),
            extra,
            json,
            phases: Phases { look_ms: self.look_ms(), checkpoint_ms: self.checkpoint_ms(), ..self.heartbeat() },
            ..DrainerSpec::new(node.id.as_str(), node.address.as_str())
        };
        match self.seen.replication.clone() {
            Some(found) => spec.replicating(found),
            None => spec,
        }
    }

    /// How fast a Drainer consumes; `None` for all there is.
    fn speed(&self, held_up: bool, unknown: &mut UnknownFacts) -> Option<f64> {
        let behind_ms = self.behind_ms();
        let pace = match self.stand.process {
            ProcessSpec::Running => pace(self.observed, self.seen, behind_ms, held_up),
            _ => DrainerPace::KeepsUp,
        };
        let (node, watched) = (&self.seen.record.node, seconds(self.observed.watched_ms()));
        match pace {
            DrainerPace::Speed(speed) => {
                unknown.say(format!("{node} consumed {speed}s of binlog per second for {watched}: taken as its speed"));
                Some(speed)
            }
            DrainerPace::Stands => {
                let behind = seconds(behind_ms);
                unknown.say(format!(
                    "{node} is {behind} behind and did not advance in {watched}: taken as standing still for good"
                ));
                Some(0.0)
            }
            DrainerPace::Unclear => {
                unknown.say(format!("{node} did not advance in {watched}, which may be chance: taken as going on"));
                None
            }
            DrainerPace::KeepsUp => {
                unknown.speeds.extend(self.seen.counts().then(|| node.id.clone()));
                None
            }
        }
    }

    /// The fields of its record that no node writes itself, or the whole text where fields cannot say it.
    fn text(&self, unknown: &mut UnknownFacts) -> (Map<String, Json>, Option<String>) {
        let record = &self.seen.record;
        if let Some(extra) = extra(record) {
            return (extra, None);
        }
        if record.json.as_text().is_none() {
            let node = &record.node;
            unknown.say(format!("the record of {node} has bytes that are no text: each is replaced"));
        }
        (Map::new(), Some(record.json.shown().into_owned()))
    }

    /// When a Drainer looks at the list of Pumps next: what `/status` shows of them is as it was when it last did.
    fn look_ms(&self) -> Option<i64> {
        let newest = self.seen.status.as_ref()?.pump_positions.values().max()?;
        let age_ms = self.observed.age_ms(*newest);
        (age_ms <= LOOK_MS).then(|| LOOK_MS - age_ms.max(1))
    }

    /// When a Drainer that keeps up may save again: what it saved last was new then.
    fn checkpoint_ms(&self) -> Option<i64> {
        let age_ms = self.observed.age_ms(self.seen.commit_ts?);
        (age_ms <= CHECKPOINT_MS).then(|| CHECKPOINT_MS - age_ms.max(1))
    }

    /// How far a Drainer is behind, by the newer of its record and its own word, in milliseconds.
    fn behind_ms(&self) -> i64 {
        let record = self.observed.age_ms(self.seen.record.max_commit_ts);
        self.seen.commit_ts.map_or(record, |ts| self.observed.age_ms(ts).min(record))
    }

    /// Whether this Drainer can read no more of `pump`, so that nothing can be merged: it does not serve, or it closes,
    /// makes no binlog of its own for once, and the Drainer is at its end.
    fn waits_for(&self, pump: &ObservedNode, stand: &Stand) -> bool {
        let reads = pump.record.node.kind == Kind::Pump && pump.counts();
        reads
            && match stand.process {
                ProcessSpec::Running => false,
                ProcessSpec::Dead | ProcessSpec::Hung => true,
                ProcessSpec::Closing => self.behind_ms() <= newest_age_ms(self.observed, pump) + AT_END_MS,
            }
    }

    /// How long ago its process was started; of one that does not run, when its record was last written.
    fn uptime(&self, unknown: &mut UnknownFacts) -> Span {
        if matches!(self.stand.process, ProcessSpec::Dead | ProcessSpec::Hung) {
            return span(self.observed.age_ms(self.seen.record.update_ts));
        }
        self.uptime_ms().map_or_else(
            || {
                unknown.starts.push(self.seen.record.node.id.clone());
                Span::seconds(3_600)
            },
            span,
        )
    }

    fn uptime_ms(&self) -> Option<i64> {
        let started = self.seen.metrics.get("process_start_time_seconds")?;
        let uptime_ms = self.observed.now.physical_ms() - (started * 1000.0) as i64;
        Some(uptime_ms.clamp(0, self.observed.now.physical_ms().max(0)))
    }

    /// Since the last collection was within the hour and retentions are whole hours, the rest is rounded off.
    fn retention(&self) -> Option<Span> {
        let collected = *self.seen.metrics.get("binlog_pump_storage_gc_ts")? as i64;
        let kept_ms = self.observed.now.physical_ms() - collected;
        let whole_ms = if kept_ms < GC_MS { kept_ms } else { kept_ms - kept_ms % GC_MS };
        (1..LONGEST_RETENTION_MS).contains(&kept_ms).then(|| span(whole_ms))
    }

    fn disk(&self) -> Option<DiskSpec> {
        let size = |what: &str| {
            let name = format!("binlog_pump_storage_storage_size_bytes{{type=\"{what}\"}}");
            self.seen.metrics.get(&name).map(|bytes| *bytes as u64)
        };
        Some(DiskSpec { capacity: size("capacity")?, available: size("available")? })
    }

    /// How old its last heartbeat is by its own clock, in milliseconds; negative where that is ahead of PD's.
    fn heartbeat_age_ms(&self) -> i64 {
        self.observed.now.physical_ms() - self.seen.record.update_ts.physical_ms()
    }

    /// When its next heartbeat is due, where the last one tells it.
    fn heartbeat(&self) -> Phases {
        let (age_ms, interval_ms) = (self.heartbeat_age_ms(), beat_ms(self.seen.record.node.kind));
        let known = self.stand.process == ProcessSpec::Running && (0..=interval_ms).contains(&age_ms);
        Phases { heartbeat_ms: known.then(|| interval_ms - age_ms.max(1)), ..Phases::default() }
    }

    /// What its clock gains: so much that its heartbeats seem too old or too new for one whose record moves.
    fn drift_ppm(&self) -> i64 {
        let (age_ms, interval_ms) = (self.heartbeat_age_ms(), beat_ms(self.seen.record.node.kind));
        let moves = self.seen.moves(self.observed.watched_ms()) == Some(true);
        let plausible = (-1_000..=interval_ms + 1_000).contains(&age_ms);
        match self.uptime_ms() {
            Some(uptime_ms) if moves && !plausible && uptime_ms > 0 => {
                let gains = (interval_ms / 2 - age_ms).saturating_mul(1_000_000) / uptime_ms;
                gains.clamp(-MOST_DRIFT_PPM, MOST_DRIFT_PPM)
            }
            _ => 0,
        }
    }
}

/// How old the newest commit is that a Pump is known to hold, in milliseconds: a Drainer may have read on after the
/// Pump's last heartbeat.
fn newest_age_ms(observed: &Observed, pump: &ObservedNode) -> i64 {
    let id = &pump.record.node.id;
    let read = observed.nodes.iter().filter_map(|seen| seen.status.as_ref()?.pump_positions.get(&**id));
    let newest = read.copied().chain([pump.record.max_commit_ts]).max();
    // One that was just started says 0: it holds nothing yet.
    newest.filter(|ts| ts.is_given()).map_or(0, |ts| observed.age_ms(ts))
}

/// The fields of a record that no node writes itself, or not so; `None` where its text says what fields cannot: a state
/// that is none of the five, a name that is there twice or by another spelling, a number beyond those of a program.
fn extra(record: &Record) -> Option<Map<String, Json>> {
    let text = record.json.as_text()?;
    let Ok(Json::Object(fields)) = serde_json::from_str(text) else { return None };
    // What was read came back as it stands, or something of it was lost.
    let is_whole = record.says_the_same(&Json::Object(fields.clone()).to_string());
    if matches!(record.state, RecordState::Other(_)) || !is_whole {
        return None;
    }
    let own = |field: &str, value: &Json| match field {
        "host" | "state" | "maxCommitTS" | "updateTS" => true,
        "nodeId" => *value == record.node.id.as_str(),
        "isAlive" => *value == false,
        "score" => *value == 0,
        "label" => value.is_null(),
        _ => false,
    };
    let names = fields.keys().map(String::as_str);
    let has_all = ["host", "state", "maxCommitTS", "updateTS"].iter().all(|name| names.clone().any(|has| has == *name));
    has_all.then(|| fields.into_iter().filter(|(field, value)| !own(field, value)).collect())
}

fn span(ms: i64) -> Span {
    let ms = if ms > YEAR_MS { ms - ms % 1_000 } else { ms };
    Span(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
}

fn seconds(ms: i64) -> String {
    show_seconds(ms as f64 / 1000.0)
}
