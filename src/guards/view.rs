//! What guards look at: read once for all guards of one change, and only what they ask for.

use crate::error::{Error, Result};
use crate::guards::control::supervision;
use crate::guards::watch::{FROZEN_AFTER, Watch};
use crate::node::{Kind, NodeRef, Record, State, bytes_of, key_called};
use crate::text::Untrusted;
use crate::time::show_seconds;
use crate::tso::{Age, Tso};
use crate::world::{
    Ability, Action, Change, Control, DownstreamCheckpoint, Listing, ProbeFinding, Progress, Query, World, read,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often an observation looks again.
const BEAT: Duration = Duration::from_secs(1);

/// A Drainer that is less behind reads on before anybody wonders.
const FAR_SECONDS: f64 = 60.0;

/// The Drainers that are far behind `pump`, the slowest first: until they have read on, it does not close.
fn far_behind(pump: &Record, listing: &Listing) -> Vec<String> {
    let behind = |drainer: &Record| pump.max_commit_ts.seconds_since(drainer.max_commit_ts);
    let there = listing.of(Kind::Drainer).filter(|drainer| drainer.state != State::Offline);
    let mut slow: Vec<&Record> = there.filter(|drainer| behind(drainer) >= FAR_SECONDS).collect();
    slow.sort_by_key(|drainer| drainer.max_commit_ts);
    let told = |drainer: &Record| {
        let gap = show_seconds(behind(drainer));
        format!("drainer {} is {gap} behind: {} closes only when it has read on", drainer.node.id, pump.node.id)
    };
    slow.into_iter().map(told).collect()
}

/// The cluster as the guards of one change see it.
pub(super) struct ClusterView<'w> {
    world: &'w mut dyn World,
    watch: &'w mut Watch,
    listing: Option<Result<Listing>>,
    probes: Option<Result<BTreeMap<NodeRef, ProbeFinding>>>,
}

impl<'w> ClusterView<'w> {
    pub(super) fn new(world: &'w mut dyn World, watch: &'w mut Watch) -> Self {
        Self { world, watch, listing: None, probes: None }
    }

    /// Asks the world something that changes nothing.
    pub(super) fn ask<Q: Query>(&mut self, query: Q) -> Result<Q::Reply> {
        self.world.ask(query)
    }

    /// All records.
    pub(super) fn listing(&mut self) -> Result<Listing> {
        self.listed().cloned()
    }

    /// The same, for whoever asks for each of many nodes.
    fn listed(&mut self) -> Result<&Listing> {
        let world = &mut *self.world;
        self.listing.get_or_insert_with(|| world.listing()).as_ref().map_err(Clone::clone)
    }

    pub(super) fn pd_now(&mut self) -> Result<Tso> {
        let listing = self.listed()?;
        listing.tso.ok_or_else(|| match &listing.tso_error {
            Some(error) => error.clone(),
            None => Error::internal("a listing has neither a timestamp nor the reason why not"),
        })
    }

    /// What a node says of itself. All nodes that are not offline are asked at once, at the first question.
    pub(super) fn probe(&mut self, node: &NodeRef) -> Result<ProbeFinding> {
        if self.probes.is_none() {
            let probes = self.probe_all();
            self.probes = Some(probes);
        }
        let known = match &self.probes {
            Some(Ok(probes)) => probes.get(node).cloned(),
            Some(Err(error)) => return Err(error.clone()),
            None => None,
        };
        match known {
            Some(finding) => Ok(finding),
            None => self.probe_again(node),
        }
    }

    fn probe_all(&mut self) -> Result<BTreeMap<NodeRef, ProbeFinding>> {
        let listing = self.listing()?;
        let there = listing.records.into_iter().filter(|record| record.state != State::Offline);
        self.probe_these(there.map(|record| record.node).collect())
    }

    fn probe_these(&mut self, nodes: Vec<NodeRef>) -> Result<BTreeMap<NodeRef, ProbeFinding>> {
        let probes = self.ask(read::Probe { nodes })?;
        Ok(probes.into_iter().map(|probe| (probe.node, probe.finding)).collect())
    }

    /// What a node says of itself just now, whatever it said before.
    pub(super) fn probe_again(&mut self, node: &NodeRef) -> Result<ProbeFinding> {
        let nobody = || Error::internal(format!("a probe of {node} has no finding"));
        self.probe_these(vec![node.clone()])?.remove(node).ok_or_else(nobody)
    }

    /// The records of `kind` that are not offline, without that of the node `except`.
    pub(super) fn others(&mut self, kind: Kind, except: Option<&(Kind, Untrusted)>) -> Result<Vec<Record>> {
        let listing = self.listing()?;
        let is = |record: &Record, (kind, id): &(Kind, Untrusted)| record.node.kind == *kind && record.node.id == *id;
        let there = |record: &&Record| record.state != State::Offline && !except.is_some_and(|node| is(record, node));
        Ok(listing.of(kind).filter(there).cloned().collect())
    }

    /// The keys beneath the prefix of `kind` that are no records, each as a phrase: behind one may be a node that
    /// nobody sees, and whoever else lists the nodes fails.
    pub(super) fn unreadable(&mut self, kind: Kind) -> Result<Vec<String>> {
        let listing = self.listing()?;
        let of_kind = listing.malformed.iter().filter(|malformed| malformed.key.starts_with(kind.prefix()));
        Ok(of_kind.map(|malformed| format!("the key {} is no record", malformed.key)).collect())
    }

    /// The record under `key`, unless the key is no record or gone.
    pub(super) fn record_at(&mut self, key: &str) -> Result<Option<Record>> {
        Ok(self.listing()?.records.into_iter().find(|record| record.node.key() == key))
    }

    /// Up to where a Drainer has come: what its downstream says, where that can be read. What its record says was written once, and is
    /// older; it is what is left where nobody can ask.
    pub(super) fn checkpoint(&mut self, drainer: &Record) -> Result<Tso> {
        match self.ask(read::Checkpoint { node: drainer.node.clone() }) {
            Ok(DownstreamCheckpoint::Known(saved)) => Ok(saved.commit_ts),
            Ok(DownstreamCheckpoint::Unknown(_)) => Ok(drainer.max_commit_ts),
            Err(error) if error.kind.is_fatal() => Err(error),
            Err(_) => Ok(drainer.max_commit_ts),
        }
    }

    /// Whether the record, as it was first read, stands still: it was watched before, or is watched now, for as long as
    /// it takes. It is watched again where that was not seen of all `beside` it.
    pub(super) fn stands_still(&mut self, record: &Record, beside: &[Record]) -> Result<bool> {
        if self.watch.is_still(record) && beside.iter().all(|other| self.watch.is_still(other)) {
            return Ok(true);
        }
        let first = self.listing()?;
        let mut last = None;
        let whole = FROZEN_AFTER.as_secs();
        for past in 0..whole {
            let what = format!("watching whether anybody writes the record of {}", record.node);
            self.watch.says(Progress::of(what).after(Duration::from_secs(past), FROZEN_AFTER));
            let seen = self.ask(read::Sleep { time: BEAT }).and_then(|_| self.world.listing());
            let Ok(listing) = seen else {
                self.watch.is_over();
                return seen.map(|_| false);
            };
            let now = listing.find(record.node.kind, &record.node.id);
            if now.is_none_or(|now| now.mod_revision != record.mod_revision) {
                self.watch.is_over();
                return Ok(false);
            }
            last = Some(listing);
        }
        self.watch.is_over();
        if let Some(last) = last {
            self.watch.learn(&first, &last);
        }
        Ok(true)
    }

    /// Whether the record, as it was first read, was seen to stand still.
    pub(super) fn is_known_still(&self, record: &Record) -> bool {
        self.watch.is_still(record)
    }

    /// Those beside `node` that a probe from here finds refused or unknown though their heartbeats are fresh: either they
    /// ended a moment ago, or probes from here tell nothing.
    pub(super) fn out_of_reach(&mut self, node: &NodeRef) -> Result<Vec<Record>> {
        let listing = self.listing()?;
        let mut found = Vec::new();
        for record in listing.records {
            // Without PD's time any of them may be fresh.
            let age = listing.tso.map(|now| record.update_ts.heartbeat_age(now));
            let is_old = matches!(age, Some(Age::Seconds(age)) if age >= FROZEN_AFTER.as_secs_f64());
            if record.node == *node || record.state == State::Offline || is_old {
                continue;
            }
            if matches!(self.probe(&record.node)?, ProbeFinding::Refused | ProbeFinding::Unknown(_)) {
                found.push(record);
            }
        }
        Ok(found)
    }

    /// Looks once a second until `enough` says so, for `time` at most, and says `what` it looks for. Returns whether it did.
    pub(super) fn observe(
        &mut self,
        what: &str,
        time: Duration,
        mut enough: impl FnMut(&Listing) -> bool,
    ) -> Result<bool> {
        let beats = time.as_secs() / BEAT.as_secs();
        for beat in 0..beats {
            self.watch.says(Progress::of(what).after(BEAT * u32::try_from(beat).unwrap_or(u32::MAX), time));
            let seen = self.ask(read::Sleep { time: BEAT }).and_then(|_| self.world.listing());
            let is_enough = seen.map(|listing| enough(&listing));
            if !matches!(is_enough, Ok(false)) {
                self.watch.is_over();
                return is_enough;
            }
        }
        self.watch.is_over();
        Ok(false)
    }

    /// What is not as it should be, as far as the guards have looked (nothing is asked for it): whether the node of `change`
    /// will do what it is told, for whom it will wait, and who else is down, paused or closing.
    pub(super) fn around(&self, change: &Change) -> Vec<String> {
        let Some(Ok(listing)) = &self.listing else { return Vec::new() };
        let its = change.nodes();
        let others = listing.records.iter().filter(|record| !its.iter().any(|node| **node == record.node));
        let others = others.filter_map(|record| self.trouble(record, "", listing));
        self.told(change, listing).into_iter().chain(others).collect()
    }

    /// What is to be known of a node that is told something.
    fn told(&self, change: &Change, listing: &Listing) -> Vec<String> {
        let (node, closes) = match change {
            Change::Act { node, action } => (node, *action == Action::Close && node.kind == Kind::Pump),
            Change::TriggerGc { node } => (node, false),
            Change::Control(Control { node, verb, .. }) if verb.ends() => (node, false),
            Change::SwapRecord { .. }
            | Change::DeleteRecord { .. }
            | Change::RecoverTidb { .. }
            | Change::WriteSavepoint { .. }
            | Change::Encrypt { .. }
            | Change::HoldGc { .. }
            | Change::ReleaseGc { .. }
            | Change::BreakLock { .. }
            | Change::Control(_)
            | Change::Manual(_)
            | Change::Exec(_) => return Vec::new(),
        };
        let Some(record) = listing.find(node.kind, &node.id) else { return Vec::new() };
        // What its record says stands in the question itself.
        let its = Some(record).filter(|record| record.state == State::Online);
        let trouble = its.and_then(|record| self.trouble(record, " itself", listing));
        let trouble = trouble.map(|trouble| format!("{trouble}, and may not do what it is told"));
        let behind = if closes { far_behind(record, listing) } else { Vec::new() };
        trouble.into_iter().chain(behind).collect()
    }

    /// What is wrong with a node, if anything is; `itself` stands behind its id.
    fn trouble(&self, record: &Record, itself: &str, listing: &Listing) -> Option<String> {
        let node = &record.node;
        let says = self.probes.as_ref().and_then(|probes| probes.as_ref().ok()?.get(node));
        let age = listing.tso.map(|now| record.update_ts.heartbeat_age(now));
        let (what, state) = (format!("{} {}{itself}", node.kind, node.id), &record.state);
        if *state == State::Offline {
            return None;
        }
        match (says, age) {
            (Some(ProbeFinding::State(state @ (State::Closing | State::Pausing))), _) => {
                Some(format!("{what} is {state}"))
            }
            _ if *state != State::Online => Some(format!("{what} is {state}")),
            (Some(ProbeFinding::Refused), _) => {
                Some(format!("{what} is dead: its record says online, and nobody is there"))
            }
            (Some(ProbeFinding::Silent), _) => Some(format!("{what} gives no answer")),
            (_, Some(Age::Seconds(age))) if age >= FROZEN_AFTER.as_secs_f64() => {
                Some(format!("{what} has written no heartbeat for {}", show_seconds(age.round())))
            }
            _ => None,
        }
    }

    /// How every node stands by its record, a line each.
    pub(super) fn standings(&self) -> Vec<String> {
        let Some(Ok(listing)) = &self.listing else { return Vec::new() };
        let line = |record: &Record| {
            let age = match listing.tso.map(|now| record.update_ts.heartbeat_age(now)) {
                Some(Age::Seconds(age)) => format!(", heartbeat {} ago", show_seconds(age.max(0.0).round())),
                _ => String::new(),
            };
            format!("{}: {}{age}", record.node, record.state)
        };
        listing.records.iter().map(line).collect()
    }

    /// By what a process is started or stopped.
    fn means(&mut self, change: &Change) -> Result<String> {
        let Change::Control(control) = change else { return Ok(String::new()) };
        let Some(supervision) = supervision(self, control)? else { return Ok(String::new()) };
        Ok(match supervision.ability(control.verb) {
            Ability::By(Some(command)) => format!(", by {}: {command}", supervision.by),
            Ability::By(None) if supervision.stands_in => format!(", by {}", supervision.by),
            // Whoever plays in a sandbox knows.
            Ability::By(None) | Ability::Cannot(_) => String::new(),
        })
    }

    /// What `change` does, to whom and in which state, for the operator.
    pub(super) fn describe(&mut self, change: &Change) -> Result<String> {
        match change {
            Change::Act { .. } | Change::TriggerGc { .. } | Change::SwapRecord { .. } | Change::Control(_) => {
                let listing = self.listing();
                if let Some(fatal) = listing.as_ref().err().filter(|error| error.kind.is_fatal()) {
                    return Err(fatal.clone());
                }
                let about = change.words(|node| match &listing {
                    Ok(listing) => match listing.find(node.kind, &node.id) {
                        Some(record) => format!("{node}, whose record says {}", record.state),
                        None => format!("{node}, which has no record"),
                    },
                    Err(_) => format!("{node}, whose record cannot be read"),
                });
                let means = self.means(change)?;
                Ok(format!("{about}{means}"))
            }
            Change::DeleteRecord { key, .. } => match self.record_at(key) {
                Ok(Some(record)) => Ok(format!("{change} of {}, whose record says {}", record.node, record.state)),
                Err(error) if error.kind.is_fatal() => Err(error),
                Ok(None) | Err(_) => Ok(format!("{change}, which is no record{}", exactly(key))),
            },
            Change::RecoverTidb { .. }
            | Change::WriteSavepoint { .. }
            | Change::Encrypt { .. }
            | Change::HoldGc { .. }
            | Change::ReleaseGc { .. }
            | Change::BreakLock { .. }
            | Change::Manual(_)
            | Change::Exec(_) => Ok(change.to_string()),
        }
    }
}

/// A key is shown by up to so many bytes.
const SHOWN_BYTES: usize = 64;

/// The bytes of a key whose name does not say them as they are.
fn exactly(key: &str) -> String {
    let is_plain = key.bytes().all(|byte| matches!(byte, b'!'..=b'~')) && bytes_of(key).is_none();
    if is_plain && Kind::of_key(key).is_none_or(|(_, rest)| !rest.is_empty()) {
        return String::new();
    }
    let bytes = key_called(key);
    let prefix = Kind::ALL.iter().map(|kind| kind.prefix()).find(|prefix| bytes.starts_with(prefix.as_bytes()));
    let rest = &bytes[prefix.map_or(0, str::len)..];
    let shown: Vec<String> = rest.iter().take(SHOWN_BYTES).map(|byte| format!("{byte:02X}")).collect();
    match rest.len() {
        0 => "; nothing stands behind the prefix".into(),
        1..=SHOWN_BYTES => format!("; behind the prefix stand the bytes {}", shown.join(" ")),
        many => format!("; behind the prefix stand {many} bytes: {} ...", shown.join(" ")),
    }
}
