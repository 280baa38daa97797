//! PD's etcd: the records as anybody reads them now, and writes from outside.
//!
//! A revision is a constant plus the virtual microsecond of the write, so that a heartbeat has one without having
//! been an event.

use super::clock::next_tick;
use super::cluster::{Cluster, DueEvent, FIRST_REVISION, RawKey};
use super::drainer::LOOK;
use super::log::LogEvent;
use super::process::{KeyEntry, NodeIndex, SimulatedNode};
use super::record::{Fixed, RecordBody, written_body};
use crate::error::{Error, Result};
use crate::node::{Kind, Malformed, OwnFields, ROOT, Record, State};
use crate::tso::Tso;
use std::sync::Arc;

/// A key and its value, as etcd shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyValue {
    /// The key.
    pub key: String,
    /// The value.
    pub value: Vec<u8>,
    /// The revision of its last write.
    pub mod_revision: i64,
    /// The revision at which it was created.
    pub create_revision: i64,
}

impl Cluster {
    /// etcd's revision now.
    pub fn revision(&self) -> i64 {
        self.revision.max(FIRST_REVISION + self.now)
    }

    /// The revision of the last write to a record that was no heartbeat: when it has not moved, no state has changed
    /// and no record has come or gone.
    pub(crate) fn settled_revision(&self) -> i64 {
        self.revision
    }

    fn next_revision(&mut self) -> i64 {
        self.revision = (self.revision + 1).max(FIRST_REVISION + self.now);
        self.revision
    }

    /// The record of a node as it stands now; `None` without a key, or when what stands there is no record.
    pub fn record(&self, who: NodeIndex) -> Option<Record> {
        let node = self.node(who);
        let entry = node.entry.as_ref()?;
        match &entry.body {
            RecordBody::Live => {
                let (fixed, revision) = self.live_record(who, node, entry);
                Some(fixed.record(node.kind, &node.id, revision))
            }
            RecordBody::Fixed(fixed) => Some(fixed.record(node.kind, &node.id, entry.revision)),
            RecordBody::Raw(_) => None,
        }
    }

    fn live_record(&self, who: NodeIndex, node: &SimulatedNode, entry: &KeyEntry) -> (Fixed, i64) {
        let written = node.written_at(entry, self.now);
        let started = node.process.map_or(written, |process| process.started);
        let max_commit_ts = self.ts_at(self.recorded_position(who).unwrap_or(node.settled));
        let update_ts = self.ts_at(written + (written - started) / 1_000_000 * node.drift_ppm);
        let fixed = Fixed::own(State::Online, &node.address, max_commit_ts, update_ts);
        (fixed, if written > entry.written { FIRST_REVISION + written } else { entry.revision })
    }

    /// All records, Pumps first, each kind by id, and the keys that are none, in etcd's order.
    pub fn listing(&self) -> (Vec<Record>, Vec<Malformed>) {
        let mut records: Vec<Record> = Vec::with_capacity(self.pumps.len() + self.drainers.len());
        let mut malformed = Vec::new();
        for who in self.everybody() {
            match (self.record(who), &self.node(who).entry) {
                (Some(record), _) => records.push(record),
                (None, Some(KeyEntry { body: RecordBody::Raw(value), revision, .. })) => {
                    sort_out(&self.key_of(who), value, *revision, &mut records, &mut malformed);
                }
                (None, _) => {}
            }
        }
        if !self.keys.is_empty() {
            for kind in Kind::ALL {
                for (key, raw) in
                    self.keys.range(kind.prefix().to_owned()..).take_while(|(key, _)| key.starts_with(kind.prefix()))
                {
                    sort_out(key, &raw.value, raw.revision, &mut records, &mut malformed);
                }
            }
            records.sort_by(|a, b| (a.node.kind, &a.node.id).cmp(&(b.node.kind, &b.node.id)));
        }
        malformed.sort_by(|a, b| a.key.cmp(&b.key));
        (records, malformed)
    }

    /// Every key of etcd that the model knows, in etcd's order.
    pub fn key_values(&self) -> Vec<KeyValue> {
        let nodes = self.everybody().filter_map(|who| self.node_key_value(who));
        let others = self.keys.iter().map(|(key, raw)| raw_key_value(key, raw));
        let mut all: Vec<KeyValue> = nodes.chain(others).chain(self.tidb_keys()).collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }

    /// One key, if it is there.
    pub fn get(&self, key: &str) -> Option<KeyValue> {
        match self.owner(key) {
            Some(who) => self.node_key_value(who),
            None => {
                let raw = self.keys.get(key).map(|raw| raw_key_value(key, raw));
                raw.or_else(|| self.tidb_keys().find(|pair| pair.key == key))
            }
        }
    }

    fn node_key_value(&self, who: NodeIndex) -> Option<KeyValue> {
        let node = self.node(who);
        let entry = node.entry.as_ref()?;
        let (value, mod_revision) = match &entry.body {
            RecordBody::Raw(value) => (value.to_vec(), entry.revision),
            _ => self.record(who).map(|record| (record.json.bytes().to_vec(), record.mod_revision))?,
        };
        Some(KeyValue { key: self.key_of(who), value, mod_revision, create_revision: entry.created })
    }

    pub(crate) fn key_of(&self, who: NodeIndex) -> String {
        format!("{}{}", who.kind().prefix(), self.id_of(who))
    }

    /// The node whose key it is.
    fn owner(&self, key: &str) -> Option<NodeIndex> {
        Kind::ALL.iter().copied().find_map(|kind| self.find(kind, key.strip_prefix(kind.prefix())?))
    }

    /// Writes a key from outside, and returns its revision. A record that is written over a live node lasts until
    /// its next heartbeat.
    pub fn put(&mut self, key: &str, value: &[u8]) -> i64 {
        self.settle();
        let revision = match key.starts_with(ROOT) {
            true => self.next_revision(),
            false => self.revision().max(self.keys.get(key).map_or(0, |raw| raw.revision + 1)),
        };
        match self.owner(key) {
            Some(who) => {
                self.overwrite(who, written_body(key, value, revision), revision);
            }
            None => {
                let created = self.keys.get(key).map_or(revision, |raw| raw.created);
                self.keys.insert(key.to_owned(), RawKey { value: value.into(), created, revision });
                self.keys_changed();
            }
        }
        revision
    }

    fn overwrite(&mut self, who: NodeIndex, body: RecordBody, revision: i64) {
        let (now, was) = (self.now, self.node(who).recorded_state().cloned());
        let node = self.node_mut(who);
        let created = node.entry.as_ref().map_or(revision, |entry| entry.created);
        node.entry = Some(KeyEntry { created, written: now, revision, body });
        let state = node.recorded_state().cloned();
        if let Some(state) = state.filter(|state| Some(state) != was.as_ref()) {
            self.note(LogEvent::Recorded { who, state, by_hand: true });
        }
        self.beat_later(who);
        self.record_changed(who);
    }

    /// The next heartbeat of a live node rewrites its record.
    pub(crate) fn beat_later(&mut self, who: NodeIndex) {
        let node = self.node(who);
        if node.beats() {
            let (at, epoch) = (node.next_beat(self.now), node.epoch);
            self.queue.schedule(at, DueEvent::Beat(who, epoch));
        }
    }

    /// Deletes a key from outside; whether it was there.
    pub fn delete(&mut self, key: &str) -> bool {
        self.settle();
        let gone = match self.owner(key) {
            Some(who) => {
                let gone = self.node_mut(who).entry.take().is_some();
                if gone {
                    self.note(LogEvent::Forgotten(who));
                    self.beat_later(who);
                    self.record_changed(who);
                }
                gone
            }
            None => self.keys.remove(key).is_some(),
        };
        if gone && key.starts_with(ROOT) {
            self.next_revision();
            self.keys_changed();
        }
        gone
    }

    /// A node writes its record as it will with every heartbeat from now on.
    pub(crate) fn beat(&mut self, who: NodeIndex) {
        if !self.node(who).beats() || self.pd_gone() {
            return;
        }
        self.settle();
        let (position, now) = (self.position_to_write(who), self.now);
        let node = self.node(who);
        let was_online = node.says(State::Online);
        let last = node.entry.as_ref().map(|entry| entry.revision);
        let revision = match last {
            Some(last) if was_online => (FIRST_REVISION + now).max(last + 1),
            _ => self.next_revision(),
        };
        let node = self.node_mut(who);
        let created = node.entry.as_ref().map_or(revision, |entry| entry.created);
        node.settled = position;
        node.entry = Some(KeyEntry { created, written: now, revision, body: RecordBody::Live });
        if !was_online {
            self.note(LogEvent::Recorded { who, state: State::Online.into(), by_hand: false });
            self.record_changed(who);
        }
    }

    /// No heartbeat follows: the record stays as the last one left it.
    pub(crate) fn freeze(&mut self, who: NodeIndex) {
        let node = self.node(who);
        let Some(entry @ KeyEntry { body: RecordBody::Live, .. }) = &node.entry else { return };
        let (fixed, revision) = self.live_record(who, node, entry);
        let written = node.written_at(entry, self.now);
        let frozen = KeyEntry { created: entry.created, written, revision, body: RecordBody::Fixed(Arc::new(fixed)) };
        self.node_mut(who).entry = Some(frozen);
    }

    /// A node writes a state itself, once; in vain while PD is gone, or when a fault loses what it writes as it goes.
    pub(crate) fn write_state(&mut self, who: NodeIndex, state: State) {
        let lost = state != State::Online && self.node(who).suffers.loses_record > self.now;
        if lost || self.pd_gone() {
            return;
        }
        let position = self.position_to_write(who);
        let revision = self.next_revision();
        let (max_commit_ts, update_ts) = (self.ts_at(position), self.ts_at(self.now));
        let now = self.now;
        let node = self.node_mut(who);
        let fixed = Fixed::own(state, &node.address, max_commit_ts, update_ts);
        let created = node.entry.as_ref().map_or(revision, |entry| entry.created);
        node.entry = Some(KeyEntry { created, written: now, revision, body: RecordBody::Fixed(Arc::new(fixed)) });
        self.note(LogEvent::Recorded { who, state: state.into(), by_hand: false });
        self.record_changed(who);
    }

    /// Drainers see a Pump's change when they next look.
    pub(crate) fn record_changed(&mut self, who: NodeIndex) {
        if self.node(who).entry.as_ref().is_none_or(|entry| matches!(entry.body, RecordBody::Raw(_))) {
            self.keys_changed();
        }
        if who.kind() == Kind::Pump {
            self.look_soon();
        }
    }

    /// Every running Drainer looks at its next tick.
    pub(crate) fn look_soon(&mut self) {
        let now = self.now;
        for (at, drainer) in self.drainers.iter_mut().enumerate() {
            if drainer.looks_at.is_none() && drainer.node.process.is_some() {
                let tick = next_tick(drainer.look_phase, LOOK, now);
                drainer.looks_at = Some(tick);
                self.queue.schedule(tick, DueEvent::Look(at));
            }
        }
    }

    /// Works out again which listings fail for everybody who does not take malformed keys apart as we do.
    pub(crate) fn keys_changed(&mut self) {
        let (_, malformed) = self.listing();
        let broken =
            [Kind::Pump, Kind::Drainer].map(|kind| malformed.iter().any(|key| key.key.starts_with(kind.prefix())));
        if self.broken[0] && !broken[0] {
            self.look_soon();
        }
        // A closing Pump that cannot list the Drainers makes no more binlog of its own.
        let is_felt = self.broken[1] != broken[1] && self.pumps.iter().any(|pump| pump.closing.is_some());
        self.broken = broken;
        if is_felt {
            self.rewire();
        }
    }

    /// A timestamp from PD, later than every one before it.
    ///
    /// # Errors
    /// `unreachable` while PD is gone.
    pub fn tso(&mut self) -> Result<Tso> {
        if self.pd_gone() {
            let why = if self.alarms.is_empty() { "" } else { ": it cannot write, and so has no leader" };
            return Err(Error::new(crate::error::ErrorKind::Unreachable, format!("PD gives no timestamp{why}")));
        }
        self.last_tso = Tso((self.last_tso.0 + 1).max(self.ts_at(self.now).0));
        Ok(self.last_tso)
    }
}

fn sort_out(key: &str, value: &[u8], mod_revision: i64, records: &mut Vec<Record>, malformed: &mut Vec<Malformed>) {
    match Record::parse(key, value, mod_revision) {
        Ok(record) => records.push(record),
        Err(error) => malformed.push(Malformed { key: key.into(), reason: error.message.into(), mod_revision }),
    }
}

fn raw_key_value(key: &str, raw: &RawKey) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: raw.value.to_vec(),
        mod_revision: raw.revision,
        create_revision: raw.created,
    }
}

/// A node's record as JSON, for `/status` and `/drainers`.
pub(crate) fn as_json(record: &Record) -> serde_json::Value {
    let members = OwnFields::of(record).members();
    serde_json::Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}
