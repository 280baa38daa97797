//! What truly became of every node over a play: its process and its record, from the log of the simulated cluster.

use crate::node::{Kind, RecordState};
use crate::rehearsal::play::Played;
use crate::sim::{Cluster, LogEntry, LogEvent, Micros, NodeIndex, ProcessStage};
use crate::text::Untrusted;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use strum::{IntoStaticStr, VariantArray};

/// What a node's process truly is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum ProcessState {
    /// There is no process.
    Down,
    /// It was started and does not work yet.
    Starting,
    /// It works.
    Online,
    /// A Pump that waits until its binlog was consumed.
    Closing,
    /// It is stopped by SIGSTOP.
    Hung,
}

impl ProcessState {
    /// The word for it.
    pub fn name(self) -> &'static str {
        self.into()
    }

    fn of(cluster: &Cluster, who: NodeIndex) -> Self {
        match cluster.stage(who) {
            None | Some(ProcessStage::Ending) => Self::Down,
            Some(_) if cluster.is_hung(who) => Self::Hung,
            Some(ProcessStage::Booting | ProcessStage::Notifying) => Self::Starting,
            Some(ProcessStage::Online) => Self::Online,
            Some(ProcessStage::Closing) => Self::Closing,
        }
    }
}

/// What became of one node: each list begins with the start (time 0) and has an entry for every change.
#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// The node.
    pub who: NodeIndex,
    /// Its id.
    pub id: Untrusted,
    /// Its process.
    pub process: Vec<(Micros, ProcessState)>,
    /// The state in its record; `None` without one.
    pub record: Vec<(Micros, Option<RecordState>)>,
}

/// What became of every node, and of the whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// Every node, Pumps first, each kind by id.
    pub nodes: Vec<Timeline>,
    /// Where in it each is.
    places: BTreeMap<NodeIndex, usize>,
    /// How many Pumps accept TiDB's writes.
    pub writable: Vec<(Micros, usize)>,
    /// Whether TiDB is to write binlog.
    pub(crate) tidb_writes: Vec<(Micros, bool)>,
    /// Whether each Drainer's replication goes on, by the Drainer's place.
    pub flows: Vec<(usize, Vec<(Micros, bool)>)>,
}

/// The value of a list of changes at `time`.
pub(super) fn at<T: Copy>(changes: &[(Micros, T)], time: Micros) -> Option<T> {
    changes.iter().take_while(|(at, _)| *at <= time).last().map(|(_, value)| *value)
}

/// Since when a list of changes has had the value that it has at `time`; `Micros::MIN` for since the start.
pub(super) fn since<T: Copy + PartialEq>(changes: &[(Micros, T)], time: Micros) -> Micros {
    let mut since = Micros::MIN;
    let mut last = None;
    for (at, value) in changes.iter().take_while(|(at, _)| *at <= time) {
        if last.is_some_and(|last| last != *value) {
            since = *at;
        }
        last = Some(*value);
    }
    since
}

impl Timeline {
    /// Pump or Drainer.
    pub fn kind(&self) -> Kind {
        self.who.kind()
    }

    /// What its process was at `time`.
    pub(crate) fn process_at(&self, time: Micros) -> ProcessState {
        at(&self.process, time).unwrap_or(ProcessState::Down)
    }

    /// What its record said at `time`.
    pub(crate) fn record_at(&self, time: Micros) -> Option<&RecordState> {
        self.record.iter().rev().find(|(from, _)| *from <= time)?.1.as_ref()
    }

    /// Whether a process of it was started between the two times.
    pub(crate) fn was_started(&self, from: Micros, to: Micros) -> bool {
        let started =
            |(at, being): &(Micros, ProcessState)| *being == ProcessState::Starting && *at > from && *at <= to;
        self.process.iter().any(started)
    }

    /// When its process ended first between the two times.
    pub(crate) fn went_down(&self, from: Micros, to: Micros) -> Option<Micros> {
        let goes_down = |pair: &&[(Micros, ProcessState)]| {
            let [(_, before), (at, now)] = pair else { return false };
            *before != ProcessState::Down && *now == ProcessState::Down && (from..=to).contains(at)
        };
        self.process.windows(2).find(goes_down).map(|pair| pair[1].0)
    }

    fn push(&mut self, at: Micros, what: &LogEvent) {
        match what {
            LogEvent::Started(_) | LogEvent::Notifying(_) => self.process.push((at, ProcessState::Starting)),
            LogEvent::Online(_) => self.process.push((at, ProcessState::Online)),
            LogEvent::Closing(_) => self.process.push((at, ProcessState::Closing)),
            LogEvent::Exited { .. } => self.process.push((at, ProcessState::Down)),
            LogEvent::Hung(_) => self.process.push((at, ProcessState::Hung)),
            LogEvent::Continued(_) => {
                let before =
                    self.process.iter().rev().map(|(_, being)| *being).find(|being| *being != ProcessState::Hung);
                self.process.push((at, before.unwrap_or(ProcessState::Online)));
            }
            LogEvent::Recorded { state, .. } => self.record.push((at, Some(state.clone()))),
            LogEvent::Forgotten(_) => self.record.push((at, None)),
            _ => {}
        }
    }
}

/// The node that something happened to.
pub(super) fn whose(what: &LogEvent) -> Option<NodeIndex> {
    match what {
        LogEvent::Started(who)
        | LogEvent::Notifying(who)
        | LogEvent::Online(who)
        | LogEvent::Closing(who)
        | LogEvent::Exited { who, .. }
        | LogEvent::Hung(who)
        | LogEvent::Continued(who)
        | LogEvent::Recorded { who, .. }
        | LogEvent::Retired(who)
        | LogEvent::Forgotten(who)
        | LogEvent::Acted { who, .. } => Some(*who),
        _ => None,
    }
}

impl Truth {
    /// What became of the cluster that began as `start`.
    pub fn of(start: &Cluster, played: &Played) -> Self {
        let end = &played.after;
        let mut nodes: Vec<Timeline> = end
            .everybody()
            .map(|who| Timeline {
                who,
                id: end.id_of(who).into(),
                process: vec![(0, if start.has(who) { ProcessState::of(start, who) } else { ProcessState::Down })],
                record: vec![(0, start.has(who).then(|| start.recorded_state(who).cloned()).flatten())],
            })
            .collect();
        let drainers = end.everybody().filter(|who| who.kind() == Kind::Drainer);
        let mut truth = Self {
            writable: vec![(0, start.writable_pumps())],
            tidb_writes: vec![(0, start.tidb_is_to_write())],
            flows: drainers
                .filter_map(|who| match who {
                    NodeIndex::Drainer(at) => Some((at, vec![(0, start.has(who) && start.flows(at))])),
                    NodeIndex::Pump(_) => None,
                })
                .collect(),
            nodes: Vec::new(),
            places: BTreeMap::new(),
        };
        let places: BTreeMap<NodeIndex, usize> = nodes.iter().enumerate().map(|(at, node)| (node.who, at)).collect();
        for LogEntry { at, what } in &end.log()[start.log().len()..] {
            if let Some(place) = whose(what).and_then(|who| places.get(&who)) {
                nodes[*place].push(*at, what);
            }
            match what {
                LogEvent::Writable(count) => truth.writable.push((*at, *count)),
                LogEvent::TidbWrites(writes) => truth.tidb_writes.push((*at, *writes)),
                LogEvent::Halted(drainer) | LogEvent::Flowing(drainer) => {
                    let flows = matches!(what, LogEvent::Flowing(_));
                    if let Some((_, changes)) = truth.flows.iter_mut().find(|(place, _)| place == drainer) {
                        changes.push((*at, flows));
                    }
                }
                _ => {}
            }
        }
        (truth.nodes, truth.places) = (nodes, places);
        truth
    }

    /// What became of a node.
    pub fn node(&self, who: NodeIndex) -> Option<&Timeline> {
        self.nodes.get(*self.places.get(&who)?)
    }

    /// The node that a request names.
    pub fn named(&self, kind: Kind, id: &str) -> Option<&Timeline> {
        let place = self.nodes.binary_search_by(|node| (node.kind(), node.id.as_str()).cmp(&(kind, id)));
        place.ok().and_then(|place| self.nodes.get(place))
    }

    /// The stretches until `end` in which `holds`, of a list of changes.
    pub(crate) fn stretches<T: Copy>(
        changes: &[(Micros, T)],
        end: Micros,
        holds: impl Fn(T) -> bool,
    ) -> Vec<(Micros, Micros)> {
        let mut found: Vec<(Micros, Micros)> = Vec::new();
        for (place, (from, value)) in changes.iter().enumerate() {
            let to = changes.get(place + 1).map_or(end, |(next, _)| *next).min(end);
            if !holds(*value) || to <= *from {
                continue;
            }
            match found.last_mut() {
                Some((_, last)) if *last == *from => *last = to,
                _ => found.push((*from, to)),
            }
        }
        found
    }

    /// How many Pumps accept what TiDB is to write; `None` while it is to write nothing.
    pub(crate) fn writable_to_tidb(&self) -> Vec<(Micros, Option<usize>)> {
        let mut times: Vec<Micros> = self.writable.iter().map(|(time, _)| *time).collect();
        times.extend(self.tidb_writes.iter().map(|(time, _)| *time));
        times.sort_unstable();
        times.dedup();
        let count = |time| at(&self.writable, time).filter(|_| at(&self.tidb_writes, time) != Some(false));
        times.into_iter().map(|time| (time, count(time))).collect()
    }

    /// The stretches until `end` in which no Pump accepted writes although TiDB was to write.
    pub fn blocked(&self, end: Micros) -> Vec<(Micros, Micros)> {
        Self::stretches(&self.writable_to_tidb(), end, |count| count == Some(0))
    }

    /// How long replication of at least one Drainer that is to replicate stood still until `end`.
    pub fn halted(&self, end: Micros) -> Micros {
        let mut all: Vec<(Micros, Micros)> = Vec::new();
        for (_, changes) in &self.flows {
            if changes.iter().any(|(_, flows)| *flows) {
                all.extend(Self::stretches(changes, end, |flows| !flows));
            }
        }
        all.sort_unstable();
        let (mut total, mut until) = (0, 0);
        for (from, to) in all {
            total += (to - from.max(until)).max(0);
            until = until.max(to);
        }
        total
    }
}
