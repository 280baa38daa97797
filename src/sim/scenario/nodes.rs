//! Pumps and Drainers in a scenario.

use super::Span;
use crate::downstream::DrainerSettings;
use crate::node::State;
use crate::sim::clock::{HOUR, Micros};
use crate::world::{DownstreamReplication, Replication};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// What a node's process is at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProcessSpec {
    /// It works.
    #[default]
    Running,
    /// There is none.
    Dead,
    /// It is stopped by SIGSTOP.
    Hung,
    /// A Pump that was told to close and waits.
    Closing,
}

/// A Pump at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PumpSpec {
    /// Its id.
    pub id: String,
    /// `host:port`.
    pub address: String,
    /// The state in its record; `null` for none. Left out: `online`.
    #[serde(default = "online")]
    pub record: Option<State>,
    /// Its process.
    #[serde(default)]
    pub process: ProcessSpec,
    /// How long ago its process was started; where it is hung or dead, how long ago its record was last written. Left out:
    /// an hour. Of what is hung or dead a shorter `lag` says better when that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime: Option<Span>,
    /// How long ago the newest commit was that it holds, where it makes none; and when it was told to close.
    #[serde(default = "Span::zero")]
    pub lag: Span,
    /// How old the newest commit is that the record of a Pump shows which is hung or dead, where that is older than what it
    /// holds: one that was closing had gone on making binlog of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<Span>,
    /// Whether something restarts it when it fails.
    #[serde(default)]
    pub supervisor: bool,
    /// How long it keeps binlog.
    #[serde(default = "seven_days")]
    pub retention: Span,
    /// For how long a transaction will stay unresolved.
    #[serde(default = "Span::zero")]
    pub unmatched: Span,
    /// Its disk, in bytes.
    #[serde(default)]
    pub disk: DiskSpec,
    /// How much its own clock gains, in parts per million.
    #[serde(default)]
    pub drift_ppm: i64,
    /// More fields of its record, which survive until its next heartbeat.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Json>,
    /// Its whole record as it stands in etcd, until its next heartbeat: where no fields can say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// When within their intervals its clocks tick, in milliseconds; left out, every node has its own.
    #[serde(default)]
    pub phases: Phases,
}

/// A Drainer at the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainerSpec {
    /// Its id.
    pub id: String,
    /// `host:port`.
    pub address: String,
    /// The state in its record; `null` for none. Left out: `online`.
    #[serde(default = "online")]
    pub record: Option<State>,
    /// Its process.
    #[serde(default)]
    pub process: ProcessSpec,
    /// How long ago its process was started; where it is hung or dead, how long ago its record was last written. Left out:
    /// an hour. Of what is hung or dead a shorter `lag` says better when that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uptime: Option<Span>,
    /// How far what it has consumed is behind.
    #[serde(default = "Span::zero")]
    pub lag: Span,
    /// How many seconds of binlog it consumes in a second; left out: all there is.
    #[serde(default)]
    pub speed: Option<f64>,
    /// Whether something restarts it when it fails.
    #[serde(default)]
    pub supervisor: bool,
    /// Why what it saves downstream cannot be read from here. Left out: it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downstream_unknown: Option<String>,
    /// What its configuration says of its downstream. Left out: MySQL somewhere, and nothing is left out.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub settings: DrainerSettings,
    /// Why its configuration cannot be seen from here; beside `settings`, why no more of it than the place can. Left out: it can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings_unknown: Option<String>,
    /// How much its own clock gains, in parts per million.
    #[serde(default)]
    pub drift_ppm: i64,
    /// More fields of its record, which survive until its next heartbeat.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Json>,
    /// Its whole record as it stands in etcd, until its next heartbeat: where no fields can say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<String>,
    /// When within their intervals its clocks tick, in milliseconds; left out, every node has its own.
    #[serde(default)]
    pub phases: Phases,
}

impl PumpSpec {
    /// A Pump that works, with nothing special about it.
    pub fn new(id: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            address: address.into(),
            record: online(),
            process: ProcessSpec::default(),
            uptime: None,
            lag: Span::zero(),
            recorded: None,
            supervisor: false,
            retention: seven_days(),
            unmatched: Span::zero(),
            disk: DiskSpec::default(),
            drift_ppm: 0,
            extra: Map::new(),
            json: None,
            phases: Phases::default(),
        }
    }
}

impl DrainerSpec {
    /// A Drainer that works and has caught up.
    pub fn new(id: impl Into<String>, address: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            address: address.into(),
            record: online(),
            process: ProcessSpec::default(),
            uptime: None,
            lag: Span::zero(),
            speed: None,
            supervisor: false,
            downstream_unknown: None,
            settings: DrainerSettings::default(),
            settings_unknown: None,
            drift_ppm: 0,
            extra: Map::new(),
            json: None,
            phases: Phases::default(),
        }
    }
}

impl DrainerSpec {
    /// What can be seen of its configuration.
    pub(crate) fn replication(&self) -> DownstreamReplication {
        match &self.settings_unknown {
            Some(why) if is_plain(&self.settings) => DownstreamReplication::Unknown(why.as_str().into()),
            unseen => DownstreamReplication::Known(Box::new(Replication {
                settings: self.settings.clone(),
                unseen: unseen.as_deref().map(Into::into),
                source: "the scenario".into(),
            })),
        }
    }

    /// The same, as it was found of a cluster.
    pub(crate) fn replicating(self, found: DownstreamReplication) -> Self {
        let (settings, unknown) = match found {
            DownstreamReplication::Known(known) => (known.settings, known.unseen),
            DownstreamReplication::Unknown(why) => (DrainerSettings::default(), Some(why)),
        };
        Self { settings, settings_unknown: unknown.map(|why| why.as_str().to_owned()), ..self }
    }
}

fn is_plain(settings: &DrainerSettings) -> bool {
    *settings == DrainerSettings::default()
}

/// How long ago a node's process was started or, of one that is hung or dead, its record was last written; and how far
/// behind that leaves it. Who is hung or dead has not gone on since: where only one of the two is said, it tells the other.
pub(crate) fn since(process: ProcessSpec, uptime: Option<Span>, lag: Span) -> (Micros, Micros) {
    let (uptime, lag) = (uptime.map(Span::micros), lag.micros());
    match (process, uptime) {
        (ProcessSpec::Running | ProcessSpec::Closing, _) => (uptime.unwrap_or(HOUR), lag),
        (ProcessSpec::Dead | ProcessSpec::Hung, Some(uptime)) if lag == 0 => (uptime, uptime),
        (ProcessSpec::Dead | ProcessSpec::Hung, _) => (lag.min(uptime.unwrap_or(HOUR)), lag),
    }
}

/// A Pump's disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiskSpec {
    /// Its size in bytes.
    pub(crate) capacity: u64,
    /// What is free, in bytes; below 10 GiB a Pump takes no binlog.
    pub available: u64,
}

impl Default for DiskSpec {
    fn default() -> Self {
        Self { capacity: 500 << 30, available: 400 << 30 }
    }
}

/// When within their intervals a node's clocks tick, in milliseconds after the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phases {
    /// Its heartbeat.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat_ms: Option<i64>,
    /// A Pump's fake binlog.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fake_binlog_ms: Option<i64>,
    /// A closing Pump's look whether it may go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_check_ms: Option<i64>,
    /// A Drainer's look at the list of Pumps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_ms: Option<i64>,
    /// From when on a Drainer may save its checkpoint again: more than three seconds after it last did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint_ms: Option<i64>,
}

fn online() -> Option<State> {
    Some(State::Online)
}

fn seven_days() -> Span {
    Span::seconds(7 * 24 * 3_600)
}

/// The default phases of the node at `place` among its kind: every node has its own, none falls together for long.
pub(crate) fn phase(given_ms: Option<i64>, place: usize, stride: Micros, interval: Micros) -> Micros {
    let place = Micros::try_from(place).unwrap_or(0);
    given_ms.map_or((place + 1) * stride, |ms| ms.saturating_mul(1_000)).rem_euclid(interval)
}
