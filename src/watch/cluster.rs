//! Looking at a cluster for as long as somebody watches: what is known of it by now.

use super::history::LagHistory;
use super::picture::{ClosingPump, DrainerReading, Happening, NodePicture, Picture};
use super::replication::{closing, reading, status};
use crate::error::{Error, ErrorKind, Result};
use crate::node::{Kind, Node, NodeRef, Record, RecordState, State};
use crate::operations::nodes::nodes_of;
use crate::output::Tone;
use crate::text::Untrusted;
use crate::time::show_seconds;
use crate::tso::Tso;
use crate::world::{
    Clocks, Inspected, Listing, LockInfo, LockOwner, ProbeFinding, RecordEvent, RecordEvents, World, read,
};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A node is asked no sooner than this after it was asked before: it writes a line into its log each time.
pub(super) const ASKED_AGAIN_MS: i64 = 10_000;

/// What nodes are asked for beside their state: when they began, what a Pump has deleted, and the space on its disk.
const SAMPLES: [&str; 3] =
    ["process_start_time_seconds", "binlog_pump_storage_gc_ts", "binlog_pump_storage_storage_size_bytes"];

const FREE: &str = "binlog_pump_storage_storage_size_bytes{type=\"available\"}";

/// How much of what happened is kept.
const KEPT: usize = 200;

/// An answer that is older than this may be true no more.
const OLD_ANSWER_MS: i64 = 12_000;

/// GC that comes to a Drainer sooner is odd.
pub(super) const GC_SOON_HOURS: f64 = 24.0;

/// A Pump with less space refuses binlog.
pub(super) const FULL_DISK_GIB: f64 = 10.0;

/// A record that was not written for so long is frozen.
const FROZEN_SECONDS: f64 = 10.0;

/// A Drainer that is more than this behind and has not moved for so long stands still.
const STALLED_LAG_SECONDS: f64 = 30.0;
const STALLED_SECONDS: f64 = 15.0;

/// A cluster that is watched.
pub(crate) struct WatchedCluster {
    listing: Listing,
    /// PD's time, and when on the clock that only goes forward it was that.
    time: Option<(Tso, i64)>,
    nodes: HashMap<(Kind, Untrusted), SeenNode>,
    lock: Option<LockInfo>,
    /// Why etcd tells nothing, and until when it told something.
    trouble: Option<(Error, i64)>,
    has_time: bool,
    /// When etcd told something last, or was first asked to.
    well_ms: i64,
    happened: VecDeque<Happening>,
    now: Clocks,
}

/// What is known of a node beside its record.
#[derive(Default)]
struct SeenNode {
    lags: LagHistory,
    said: Option<Inspected>,
    /// When it said that, and before when nobody asks it again.
    asked_ms: Option<i64>,
    spared_until_ms: i64,
    /// When its record last said another state.
    changed_ms: i64,
    /// When its record was last seen to be written, and its position to move.
    beat_ms: i64,
    advanced_ms: i64,
}

impl Default for WatchedCluster {
    fn default() -> Self {
        let listing = Listing { revision: 0, tso: None, tso_error: None, records: Vec::new(), malformed: Vec::new() };
        Self {
            listing,
            time: None,
            nodes: HashMap::new(),
            lock: None,
            trouble: None,
            has_time: true,
            well_ms: 0,
            happened: VecDeque::new(),
            now: Clocks { unix_ms: 0, monotonic_ms: 0 },
        }
    }
}

impl WatchedCluster {
    /// Waits until something becomes of the records, at most for `patience`.
    ///
    /// # Errors
    /// `interrupted`, `internal`; that nobody answers is a part of the picture.
    pub(crate) fn follow(&mut self, world: &mut dyn World, patience: Duration) -> Result<()> {
        if self.well_ms == 0 {
            self.well_ms = world.ask(read::Now)?.monotonic_ms;
        }
        let told = world.ask(read::Events { after: self.listing.revision, patience });
        self.now = world.ask(read::Now)?;
        match told {
            Ok(told) => self.told(world, told)?,
            Err(error) => self.troubled(error)?,
        }
        Ok(())
    }

    /// Keeps how far each node is behind now.
    pub(crate) fn note_lags(&mut self) {
        let now = self.now.monotonic_ms;
        for node in nodes_of(self.as_of_now(), None) {
            self.seen(&node.record.node).lags.note(now, node.lag);
        }
    }

    /// Whether no node has been asked yet.
    pub(crate) fn is_new(&self) -> bool {
        self.nodes.values().all(|seen| seen.asked_ms.is_none())
    }

    /// Why etcd tells nothing just now.
    pub(crate) fn trouble(&self) -> Option<&Error> {
        self.trouble.as_ref().map(|(error, _)| error)
    }

    /// Asks those nodes for themselves that were not asked for ten seconds. Whoever is `offline` has no process to ask. Whether
    /// anybody was asked.
    ///
    /// # Errors
    /// Those of [`WatchedCluster::follow`].
    pub(crate) fn ask_nodes(&mut self, world: &mut dyn World) -> Result<bool> {
        let is_due = |record: &&Record| {
            let seen = self.nodes.get(&(record.node.kind, record.node.id.clone()));
            record.state != State::Offline && seen.and_then(|seen| self.again_in_ms(seen)).is_none()
        };
        let due: Vec<NodeRef> = self.listing.records.iter().filter(is_due).map(|record| record.node.clone()).collect();
        if due.is_empty() {
            return Ok(false);
        }
        self.ask(world, due)?;
        match world.ask(read::Tso) {
            Ok(tso) => {
                self.now = world.ask(read::Now)?;
                self.time = Some((tso, self.now.monotonic_ms));
                self.has_time = true;
            }
            Err(error) => {
                passing(error)?;
                self.has_time = false;
            }
        }
        Ok(true)
    }

    /// Asks one node, whatever its record says: what it answers, or in how many seconds it can be asked if it is too soon.
    ///
    /// # Errors
    /// Those of [`WatchedCluster::follow`].
    pub(crate) fn ask_node(&mut self, world: &mut dyn World, node: &NodeRef) -> Result<Result<String, f64>> {
        self.now = world.ask(read::Now)?;
        let seen = self.nodes.get(&(node.kind, node.id.clone()));
        if let Some(ms) = seen.and_then(|seen| self.again_in_ms(seen)) {
            return Ok(Err(ms as f64 / 1000.0));
        }
        self.ask(world, vec![node.clone()])?;
        let said = self.seen(node).said.as_ref();
        Ok(Ok(said.map_or_else(|| "nothing".to_owned(), |said| said.probe.finding.to_string())))
    }

    /// Somebody else has asked all nodes just now.
    ///
    /// # Errors
    /// Those of the world's clock.
    pub(crate) fn others_asked(&mut self, world: &mut dyn World) -> Result<()> {
        self.now = world.ask(read::Now)?;
        let until = self.now.monotonic_ms + ASKED_AGAIN_MS;
        self.nodes.values_mut().for_each(|seen| seen.spared_until_ms = until);
        Ok(())
    }

    /// In how many milliseconds a node may be asked again; `None` if it may be now.
    fn again_in_ms(&self, seen: &SeenNode) -> Option<i64> {
        let again = seen.asked_ms.map_or(0, |asked| asked + ASKED_AGAIN_MS).max(seen.spared_until_ms);
        Some(again - self.now.monotonic_ms).filter(|ms| *ms > 0)
    }

    fn ask(&mut self, world: &mut dyn World, nodes: Vec<NodeRef>) -> Result<()> {
        let metrics = SAMPLES.map(str::to_owned).to_vec();
        let answers = world.ask(read::Inspect { nodes: nodes.clone(), metrics });
        self.now = world.ask(read::Now)?;
        for node in &nodes {
            let asked = Some(self.now.monotonic_ms);
            self.seen(node).asked_ms = asked;
        }
        match answers {
            Ok(answers) => answers.into_iter().for_each(|answer| self.answered(answer)),
            Err(error) => drop(passing(error)?),
        }
        Ok(())
    }

    fn answered(&mut self, answer: Inspected) {
        let node = answer.probe.node.clone();
        let before = self.seen(&node).said.take();
        if let Some(before) = &before {
            if before.probe.finding != answer.probe.finding {
                let tone =
                    if answer.probe.finding == ProbeFinding::State(State::Online) { Tone::Good } else { Tone::Odd };
                self.note(tone, format!("{}: answers {}, was {}", node.id, answer.probe.finding, before.probe.finding));
            } else if let (Some(old), Some(new)) = (started(before), started(&answer))
                && old != new
            {
                self.note(Tone::Note, format!("{}: was restarted", node.id));
            }
        }
        self.seen(&node).said = Some(answer);
    }

    /// Takes in what became of the records.
    fn told(&mut self, world: &mut dyn World, told: RecordEvents) -> Result<()> {
        if let Some((_, since)) = self.trouble.take() {
            let lasted = show_seconds((self.now.monotonic_ms - since) as f64 / 1000.0);
            self.note(Tone::Good, format!("PD's etcd tells again, after {lasted}"));
        }
        self.well_ms = self.now.monotonic_ms;
        let is_first = self.listing.revision == 0;
        let before = (told.anew.is_some() && !is_first).then(|| self.listing.clone());
        if let Some(tso) = told.anew.as_ref().and_then(|listing| listing.tso) {
            self.time = Some((tso, self.now.monotonic_ms));
        }
        for event in &told.events {
            self.happens(event);
        }
        let asks_for_lock = told.events.contains(&RecordEvent::Lock);
        self.listing.follow(told);
        if is_first {
            let nodes: Vec<NodeRef> = self.listing.records.iter().map(|record| record.node.clone()).collect();
            nodes.iter().for_each(|node| self.moved(node));
        }
        if let Some(before) = before {
            self.compare(&before);
        }
        if asks_for_lock {
            self.look_at_lock(world, is_first)?;
        }
        Ok(())
    }

    /// What one event brings, held against what is known so far.
    fn happens(&mut self, event: &RecordEvent) {
        match event {
            RecordEvent::Written(record) => {
                let before = self.listing.find(record.node.kind, &record.node.id).cloned();
                self.changes(before.as_ref(), record);
            }
            RecordEvent::Malformed(malformed) => {
                self.note(Tone::Bad, format!("the key {} is no record: {}", malformed.key, malformed.reason));
            }
            RecordEvent::Deleted { key } => self.note(Tone::Note, format!("the key {key} was deleted")),
            RecordEvent::Lock => {}
        }
    }

    /// What is different from `before`, where nobody told what happened.
    fn compare(&mut self, before: &Listing) {
        for record in self.listing.records.clone() {
            self.changes(before.find(record.node.kind, &record.node.id), &record);
        }
        let is_gone = |record: &&Record| self.listing.find(record.node.kind, &record.node.id).is_none();
        let gone: Vec<String> = before.records.iter().filter(is_gone).map(|record| record.node.key()).collect();
        for key in gone {
            self.note(Tone::Note, format!("the key {} was deleted", Untrusted::from(key)));
        }
        let is_new = |key: &Untrusted| before.malformed.iter().all(|other| other.key != *key);
        for malformed in self.listing.malformed.clone().into_iter().filter(|malformed| is_new(&malformed.key)) {
            self.note(Tone::Bad, format!("the key {} is no record: {}", malformed.key, malformed.reason));
        }
    }

    /// A record as it was, and as it is.
    fn changes(&mut self, before: Option<&Record>, after: &Record) {
        let (id, now) = (&after.node.id, self.now.monotonic_ms);
        let Some(before) = before else {
            self.note(Tone::Note, format!("{id}: is new, {} at {}", after.state, after.node.address));
            return self.moved(&after.node);
        };
        if before.state != after.state {
            self.seen(&after.node).changed_ms = now;
            self.note(tone_of(&after.state), format!("{id}: {} -> {}", before.state, after.state));
        }
        if before.node.address != after.node.address {
            self.note(Tone::Note, format!("{id}: address {} -> {}", before.node.address, after.node.address));
        }
        let seen = self.seen(&after.node);
        if before.mod_revision != after.mod_revision {
            seen.beat_ms = now;
        }
        if before.max_commit_ts != after.max_commit_ts {
            seen.advanced_ms = now;
        }
    }

    /// From now on it is watched how long a node stands still.
    fn moved(&mut self, node: &NodeRef) {
        let now = self.now.monotonic_ms;
        let seen = self.seen(node);
        (seen.beat_ms, seen.advanced_ms) = (now, now);
    }

    fn look_at_lock(&mut self, world: &mut dyn World, is_first: bool) -> Result<()> {
        let lock = match world.ask(read::LockStatus) {
            Ok(lock) => lock,
            Err(error) => return passing(error).map(drop),
        };
        let revision = |lock: &Option<LockInfo>| lock.as_ref().map(|lock| lock.create_revision);
        if !is_first && revision(&lock) != revision(&self.lock) {
            let text = match lock.as_ref().map(|lock| &lock.owner) {
                Some(LockOwner::Holder { holder, .. }) => format!("the maintenance lock was taken: {holder}"),
                Some(LockOwner::Foreign(_)) => "the maintenance lock was taken by another program".to_owned(),
                None => "the maintenance lock is free".to_owned(),
            };
            self.note(Tone::Note, text);
        }
        self.lock = lock;
        Ok(())
    }

    fn troubled(&mut self, error: Error) -> Result<()> {
        let error = passing(error)?;
        if self.trouble.is_none() {
            self.note(Tone::Bad, format!("PD's etcd tells nothing: {}", error.message));
        }
        let since = self.trouble.take().map_or(self.well_ms, |(_, since)| since);
        self.trouble = Some((error, since));
        Ok(())
    }

    fn seen(&mut self, node: &NodeRef) -> &mut SeenNode {
        self.nodes.entry((node.kind, node.id.clone())).or_default()
    }

    fn note(&mut self, tone: Tone, text: String) {
        if self.happened.len() == KEPT {
            self.happened.pop_front();
        }
        self.happened.push_back(Happening { unix_ms: self.now.unix_ms, tone, text });
    }

    /// Up to when it is seen what becomes of the records: while etcd tells nothing, no heartbeat can be.
    fn seen_until_ms(&self) -> i64 {
        self.trouble.as_ref().map_or(self.now.monotonic_ms, |(_, since)| *since)
    }

    /// PD's time at a moment of the clock that only goes forward.
    fn time_at(&self, ms: i64) -> Option<Tso> {
        self.time.map(|(tso, at)| Tso::from_parts(tso.physical_ms() + ms - at, 0))
    }

    /// The listing, with the time that PD had when it was so.
    fn as_of_now(&self) -> Listing {
        Listing { tso: self.time_at(self.seen_until_ms()), ..self.listing.clone() }
    }

    /// Everything that is known by now.
    pub(crate) fn picture(&self) -> Picture {
        let listing = self.as_of_now();
        let said = |node: &NodeRef| self.nodes.get(&(node.kind, node.id.clone())).and_then(|seen| seen.said.as_ref());
        let collected: Vec<i64> =
            listing.of(Kind::Pump).filter_map(|pump| said(&pump.node).and_then(collected)).collect();
        let readings = listing.of(Kind::Drainer).filter(|drainer| drainer.state != State::Offline);
        let readings = readings.filter_map(|drainer| {
            let seen = self.nodes.get(&(drainer.node.kind, drainer.node.id.clone()))?;
            // What it had read was so when it was asked.
            let then = self.time_at(seen.asked_ms?)?;
            Some(reading(drainer, status(seen.said.as_ref()?)?, &listing, then))
        });
        let readings: Vec<DrainerReading> = readings.filter(|reading| !reading.pumps.is_empty()).collect();
        let closings = listing.of(Kind::Pump).filter_map(|pump| closing(pump, said(&pump.node), &listing));
        let closings: Vec<ClosingPump> = closings.collect();
        let seconds = |since: i64| (self.now.monotonic_ms - since) as f64 / 1000.0;
        Picture {
            unix_ms: self.time_at(self.now.monotonic_ms).map_or(self.now.unix_ms, Tso::physical_ms),
            is_known: listing.revision > 0,
            trouble: self.trouble.as_ref().map(|(error, since)| (error.message.clone(), seconds(*since))),
            has_time: self.has_time && listing.tso.is_some(),
            lock: self.lock.clone(),
            malformed: listing.malformed.clone(),
            readings,
            closings,
            happened: self.happened.iter().cloned().collect(),
            nodes: nodes_of(listing, None).map(|node| self.node(node, &collected)).collect(),
        }
    }

    /// What is known of one node; the Pumps have `collected` all before these moments.
    fn node(&self, node: Node, collected: &[i64]) -> NodePicture {
        let record = &node.record;
        let seen = self.nodes.get(&(record.node.kind, record.node.id.clone()));
        let said = seen.and_then(|seen| seen.said.as_ref());
        let is_reader = record.node.kind == Kind::Drainer && record.state != State::Offline;
        let position = Some(record.max_commit_ts).filter(|ts| is_reader && ts.is_given());
        let hours = |position: Tso| {
            collected.iter().map(|ms| (position.physical_ms() - ms) as f64 / 3_600_000.0).min_by(f64::total_cmp)
        };
        let free_gib = said.and_then(|said| sample(said, FREE)).map(|bytes| bytes / 1_073_741_824.0);
        let gc_hours = position.and_then(hours);
        let asked_ms = seen.and_then(|seen| seen.asked_ms);
        let is_old = |seen: &SeenNode| {
            let asked = seen.asked_ms.unwrap_or(0);
            asked < seen.changed_ms || self.now.monotonic_ms - asked > OLD_ANSWER_MS
        };
        let answers = seen.filter(|seen| !is_old(seen)).and(said).and_then(|said| odd_answer(record, said));
        let noticed =
            [answers, odd_disk(free_gib), odd_gc(gc_hours), seen.and_then(|seen| self.standing_still(&node, seen))];
        NodePicture {
            probe: said.map(|said| said.probe.finding.clone()),
            is_old: seen.is_some_and(is_old),
            asked_ago: asked_ms.map(|ms| (self.now.monotonic_ms - ms) as f64 / 1000.0),
            lags: seen.map(|seen| seen.lags.seconds()).unwrap_or_default(),
            free_gib,
            gc_hours,
            odd: noticed.into_iter().flatten().chain(node.odd.iter().cloned()).collect(),
            node: Arc::new(node),
        }
    }

    /// What only somebody sees who watched for a while.
    fn standing_still(&self, node: &Node, seen: &SeenNode) -> Option<String> {
        let seconds = |since: i64| (self.seen_until_ms() - since) as f64 / 1000.0;
        let (beat, advanced) = (seconds(seen.beat_ms), seconds(seen.advanced_ms));
        let is_online = node.record.state == State::Online;
        // One that is older is told of by its record already.
        let looks_fresh = node.heartbeat_age.is_none_or(|age| age <= FROZEN_SECONDS);
        if is_online && beat > FROZEN_SECONDS && looks_fresh {
            return Some(format!("its record was not written for {}", show_seconds(beat)));
        }
        let is_behind = node.lag.is_some_and(|lag| lag > STALLED_LAG_SECONDS);
        let is_stalled = node.record.node.kind == Kind::Drainer && is_online && is_behind && advanced > STALLED_SECONDS;
        is_stalled.then(|| format!("has not moved for {}", show_seconds(advanced)))
    }
}

/// What a node says of itself that its record does not.
fn odd_answer(record: &Record, said: &Inspected) -> Option<String> {
    if record.state != State::Online {
        return None;
    }
    match &said.probe.finding {
        ProbeFinding::State(State::Online) => None,
        ProbeFinding::State(state) => Some(format!("it is {state}, and its record says online")),
        ProbeFinding::Refused => Some("it has no process, and its record says online".to_owned()),
        ProbeFinding::Silent => Some("it gives no answer: it hangs, or begins".to_owned()),
        ProbeFinding::Other(id) => Some(format!("another node, {id}, answers at its address")),
        ProbeFinding::Unknown(why) => Some(format!("what it is cannot be found out: {why}")),
    }
}

fn odd_disk(free_gib: Option<f64>) -> Option<String> {
    let free = free_gib.filter(|free| *free < FULL_DISK_GIB)?;
    Some(format!("its disk has {free:.0} GiB left: below {FULL_DISK_GIB:.0} it refuses binlog"))
}

fn odd_gc(hours: Option<f64>) -> Option<String> {
    match hours.filter(|hours| *hours < GC_SOON_HOURS)? {
        ..=0.0 => Some("GC has overtaken it".to_owned()),
        hours => Some(format!("GC overtakes it in {} if it stands still", show_seconds(hours * 3600.0))),
    }
}

/// An error that may pass is told; others end the view.
fn passing(error: Error) -> Result<Error> {
    if matches!(error.kind, ErrorKind::Interrupted | ErrorKind::Internal) { Err(error) } else { Ok(error) }
}

fn tone_of(state: &RecordState) -> Tone {
    match state {
        RecordState::Known(State::Online) => Tone::Good,
        RecordState::Known(State::Pausing | State::Paused | State::Closing | State::Offline) => Tone::Odd,
        RecordState::Other(_) => Tone::Bad,
    }
}

fn sample(said: &Inspected, name: &str) -> Option<f64> {
    said.metrics.as_ref()?.as_ref().ok()?.get(name).copied()
}

/// When its process began, by its own clock.
fn started(said: &Inspected) -> Option<f64> {
    sample(said, "process_start_time_seconds")
}

/// Up to which millisecond since 1970 a Pump has deleted its binlog; it says 0 where it has deleted nothing.
fn collected(said: &Inspected) -> Option<i64> {
    let ms = sample(said, "binlog_pump_storage_gc_ts")?;
    (ms >= 1.0 && ms <= Tso::LAST_MS as f64).then_some(ms as i64)
}
