//! What a Pump and a Drainer have in common: an identity, a process, and a record that the process keeps writing.

use super::clock::{MILLISECOND, Micros, SECOND, last_tick};
use super::faults::Suffers;
use super::record::RecordBody;
use crate::node::{Kind, RecordState, State};
use std::sync::Arc;

/// How long a process takes from its start until its port answers and its record is written (*recorded*: 0.2-0.5 s).
pub(crate) const BOOT: Micros = 300 * MILLISECOND;
/// How long a Drainer's port still resets connections after it wrote its last state (*recorded*: one round of 80 ms).
pub(crate) const ENDING: Micros = 60 * MILLISECOND;
/// What systemd units of tiup wait before they restart a process that failed.
pub(crate) const RESTART_AFTER: Micros = 15 * SECOND;

/// A node of the model, by its place in the cluster's lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NodeIndex {
    /// The Pump at this place.
    Pump(usize),
    /// The Drainer at this place.
    Drainer(usize),
}

impl NodeIndex {
    /// Pump or Drainer.
    pub fn kind(self) -> Kind {
        match self {
            Self::Pump(_) => Kind::Pump,
            Self::Drainer(_) => Kind::Drainer,
        }
    }
}

/// How far a process has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessStage {
    /// Started; nothing listens yet.
    Booting,
    /// A Pump that is new or was `offline`: registered, and silent until every `online` Drainer has heard of it.
    Notifying,
    /// It works.
    Online,
    /// A Pump that waits until its binlog was consumed.
    Closing,
    /// A Drainer that wrote its last state and is about to exit.
    Ending,
}

/// A process that exists.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Process {
    /// When it was started.
    pub(crate) started: Micros,
    /// How far it has come.
    pub(crate) stage: ProcessStage,
    /// Stopped by SIGSTOP.
    pub(crate) hung: bool,
    /// Before it, it does not come up.
    pub(crate) up_at: Micros,
    /// It ends with an error instead of coming up.
    pub(crate) fails: bool,
}

/// A signal that a process is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: the same as a pause, and ignored by a closing Pump.
    Term,
    /// SIGKILL.
    Kill,
    /// SIGSTOP.
    Stop,
    /// SIGCONT.
    Cont,
}

/// How a process ended, which decides whether its supervisor restarts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Status 0: it stays down.
    Clean,
    /// A signal or another status.
    Failed,
}

/// A record in etcd as the model keeps it.
#[derive(Clone, Debug)]
pub(crate) struct KeyEntry {
    /// The revision at which the key was created.
    pub(crate) created: i64,
    /// When it was last written, but for heartbeats.
    pub(crate) written: Micros,
    /// Its revision at that write.
    pub(crate) revision: i64,
    /// What it says.
    pub(crate) body: RecordBody,
}

/// What a Pump and a Drainer have in common.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedNode {
    pub(crate) kind: Kind,
    pub(crate) id: Arc<str>,
    pub(crate) address: Arc<str>,
    pub(crate) entry: Option<KeyEntry>,
    pub(crate) process: Option<Process>,
    /// Counts processes and changes of stage: an event of another epoch is void.
    pub(crate) epoch: u32,
    /// Counts how often somebody started or stopped its process, a supervisor included.
    pub(crate) handled: u32,
    /// Restarted by a supervisor when it fails.
    pub(crate) supervised: bool,
    pub(crate) beat_interval: Micros,
    pub(crate) beat_phase: Micros,
    /// How much its own clock gains, in parts per million.
    pub(crate) drift_ppm: i64,
    /// The position its record showed at its last heartbeat before the model was last settled.
    pub(crate) settled: Micros,
    /// What faults do to it.
    pub(crate) suffers: Suffers,
    /// Requests that arrived while it could not answer; it will carry them out when it can.
    pub(crate) pending: Vec<crate::world::Action>,
}

impl SimulatedNode {
    /// When the record was last written, by a heartbeat or otherwise, at `now` without PD's outages.
    pub(crate) fn written_at(&self, entry: &KeyEntry, now: Micros) -> Micros {
        match entry.body {
            RecordBody::Live => last_tick(self.beat_phase, self.beat_interval, now)
                .map_or(entry.written, |beat| beat.max(entry.written)),
            _ => entry.written,
        }
    }

    /// The state that the record shows, if it is one.
    pub(crate) fn recorded_state(&self) -> Option<&RecordState> {
        match &self.entry.as_ref()?.body {
            RecordBody::Live => Some(&RecordState::Known(State::Online)),
            RecordBody::Fixed(fixed) => Some(&fixed.state),
            RecordBody::Raw(_) => None,
        }
    }

    /// Whether the record is one and says `state`.
    pub(crate) fn says(&self, state: State) -> bool {
        self.recorded_state().is_some_and(|recorded| *recorded == state)
    }

    /// Whether the record exists and does not say `offline`.
    pub(crate) fn counts(&self) -> bool {
        self.recorded_state().is_some_and(|state| *state != State::Offline)
    }

    /// How far the process has come, if there is one and it is not stopped.
    pub(crate) fn awake(&self) -> Option<ProcessStage> {
        self.process.filter(|process| !process.hung).map(|process| process.stage)
    }

    /// Whether it writes heartbeats.
    pub(crate) fn beats(&self) -> bool {
        self.awake() == Some(ProcessStage::Online)
    }

    /// What the process itself says when it is asked; `None` when it does not answer.
    pub(crate) fn true_state(&self) -> Option<State> {
        match self.awake()? {
            ProcessStage::Online => Some(State::Online),
            ProcessStage::Closing => Some(State::Closing),
            ProcessStage::Booting | ProcessStage::Notifying | ProcessStage::Ending => None,
        }
    }

    /// The next heartbeat after `now`.
    pub(crate) fn next_beat(&self, now: Micros) -> Micros {
        super::clock::next_tick(self.beat_phase, self.beat_interval, now)
    }
}
