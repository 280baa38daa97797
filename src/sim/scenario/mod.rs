//! The scenario format: a cluster at one moment, as JSON. A snapshot of a live cluster has the same form.
//!
//! `docs/simulator.md` shows an example of every part. What is unknown in it is an error that names the nearest.

mod control;
mod ddls;
mod host;
mod nodes;
mod span;
mod tikv;

pub use control::NodeControlSpec;
use control::name_in_spec;
pub use ddls::DdlSpec;
pub(crate) use ddls::FIRST_SCHEMA;
pub use host::{CertificateSpec, HostSpec};
pub use nodes::{DiskSpec, DrainerSpec, Phases, ProcessSpec, PumpSpec};
pub(crate) use nodes::{phase, since};
pub use span::Span;
pub use tikv::{ChangefeedSpec, ServiceSpec, TikvSpec};

use super::clock::{MINUTE, Micros, SECOND};
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::node::Kind;
use crate::text::{Untrusted, on_one_line, quoted};
use crate::time::{Time, Zone};
use crate::world::{Alarm, FaultKind};
use serde::{Deserialize, Serialize};

/// The version of the format that this program reads and writes.
pub(crate) const VERSION: u32 = 1;

/// A scenario starts before, in milliseconds since 1970: timestamps end some decades later.
const YEAR_3000_MS: i64 = 32_503_680_000_000;

/// Nobody's clock is farther off, in milliseconds.
const CENTURY_MS: u64 = 100 * 366 * 86_400_000;

/// What a clock can gain or lose, in parts per million: all of its time.
pub(crate) const MOST_DRIFT_PPM: i64 = 1_000_000;

/// A cluster at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The format's version, `VERSION`.
    pub version: u32,
    /// What it is about, in a line.
    #[serde(default)]
    pub about: String,
    /// PD's cluster id.
    #[serde(default = "default_cluster_id")]
    pub cluster_id: u64,
    /// The time by PD's clock at which it starts, RFC 3339.
    #[serde(default = "default_start")]
    pub start: String,
    /// PD's members.
    #[serde(default = "default_pd")]
    pub pd: Vec<PdMemberSpec>,
    /// The alarms that PD's etcd has raised, and that nobody ends: it takes no write.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Alarm>,
    /// Which binlog Pumps collect.
    #[serde(default)]
    pub gc: GcRule,
    /// The Pumps.
    #[serde(default)]
    pub pumps: Vec<PumpSpec>,
    /// The Drainers.
    #[serde(default)]
    pub drainers: Vec<DrainerSpec>,
    /// The TiDB servers.
    #[serde(default)]
    pub tidb: Vec<TidbSpec>,
    /// When TiDB runs DDLs. Left out: it runs none, and none comes in futures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ddls: Option<DdlSpec>,
    /// TiKV's garbage collection, and TiCDC.
    #[serde(default, skip_serializing_if = "TikvSpec::is_plain")]
    pub tikv: TikvSpec,
    /// Keys in etcd beside the records of these nodes: records of unknown origin, or what is none.
    #[serde(default)]
    pub keys: Vec<KeySpec>,
    /// What will go wrong.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// How our own host stands to the cluster.
    #[serde(default, skip_serializing_if = "HostSpec::is_plain")]
    pub host: HostSpec,
    /// What a deployment tool knows of the cluster, where it was named by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
    /// What starts and stops the nodes, where no human has to. Left out: a human does, and whoever plays with the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_control: Option<NodeControlSpec>,
    /// In a snapshot of a live cluster: what could not be learnt, and what is assumed for it, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub assumed: Vec<String>,
}

/// What every version of a format has.
#[derive(Deserialize)]
pub(crate) struct FileVersion {
    pub(crate) version: u32,
}

/// A member of PD; the first one leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PdMemberSpec {
    /// Its name.
    pub name: String,
    /// Where clients reach it; several URLs with commas between them.
    pub url: String,
}

/// Which binlog a Pump collects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GcRule {
    /// What is older than its retention, whoever still needs it (since 2.1.15 and 3.0.1).
    #[default]
    Age,
    /// Of that, only what every Drainer that is not `offline` has consumed (before).
    Consumed,
}

/// A TiDB server at the start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TidbSpec {
    /// `host:port`.
    pub address: String,
    /// Its version.
    #[serde(default = "default_version")]
    pub version: String,
    /// Its binlog status.
    #[serde(default)]
    pub binlog: BinlogSpec,
    /// Whether it goes on without binlog when no Pump takes it; otherwise it stops.
    #[serde(default)]
    pub ignore_error: bool,
    /// How many transactions it writes in a second.
    #[serde(default)]
    pub writes_per_second: u32,
    /// `host:port` of its status port; port 10080 of its host, and those after it where it has several servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_address: Option<String>,
}

/// What a TiDB server says of its binlog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BinlogSpec {
    /// It writes.
    #[default]
    On,
    /// It does not, as configured.
    Off,
    /// It gave up writing.
    Skipping,
    /// It does not say.
    Unknown,
}

/// A key in etcd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySpec {
    /// The whole key.
    pub key: String,
    /// Its value.
    pub value: String,
}

/// Something that goes wrong at a time known before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// To which node, by id, if to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Untrusted>,
    /// Its kind, where a Pump and a Drainer have the same id; for a malformed key, beneath which prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_kind: Option<Kind>,
    /// How long after the start.
    #[serde(default = "Span::zero")]
    pub after: Span,
    /// How long it lasts; left out: without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Span>,
}

fn default_cluster_id() -> u64 {
    7_301_234_567_890_123_456
}

fn default_start() -> String {
    "2026-11-22T12:00:00Z".into()
}

fn default_version() -> String {
    "5.7.25-TiDB-v6.5.0".into()
}

fn default_pd() -> Vec<PdMemberSpec> {
    vec![PdMemberSpec { name: "pd-0".into(), url: "http://10.0.1.1:2379".into() }]
}

impl Default for Scenario {
    /// PD alone, with all that a file may leave out.
    fn default() -> Self {
        Self {
            version: VERSION,
            about: String::new(),
            cluster_id: default_cluster_id(),
            start: default_start(),
            pd: default_pd(),
            alarms: Vec::new(),
            gc: GcRule::default(),
            pumps: Vec::new(),
            drainers: Vec::new(),
            tidb: Vec::new(),
            ddls: None,
            tikv: TikvSpec::default(),
            keys: Vec::new(),
            faults: Vec::new(),
            host: HostSpec::default(),
            deployment: None,
            node_control: None,
            assumed: Vec::new(),
        }
    }
}

impl Scenario {
    /// Reads a scenario file's text.
    ///
    /// # Errors
    /// `invalid`: not JSON, another version, a field that does not exist (with the nearest name), two nodes of one
    /// kind with one id, a fault that can happen to nobody.
    pub fn parse(text: &str) -> Result<Self> {
        // A later version may have fields that this one does not know: the version is what is wrong then.
        if let Ok(FileVersion { version }) = serde_json::from_str(text) {
            check_version(version)?;
        }
        let scenario: Self = serde_json::from_str(text).map_err(|error| unreadable(&error))?;
        scenario.check()?;
        Ok(scenario)
    }

    /// Whether it is of PD's cluster `id`.
    ///
    /// # Errors
    /// `invalid` when it is of another one.
    pub fn check_cluster(&self, id: u64) -> Result<()> {
        if self.cluster_id == id {
            return Ok(());
        }
        Err(Error::invalid(format!("it is of the cluster {}, and this is the cluster {id}", self.cluster_id))
            .hint("take it from the cluster that it is used for"))
    }

    /// Milliseconds since 1970 at its start.
    ///
    /// # Errors
    /// `invalid` when `start` is no point in time.
    pub fn start_ms(&self) -> Result<i64> {
        Time::parse(&self.start, Zone::Utc).map(|time| time.unix_ms)
    }

    /// Makes sure that it does not contradict itself.
    ///
    /// # Errors
    /// As [`Scenario::parse`].
    pub fn check(&self) -> Result<()> {
        check_version(self.version)?;
        self.check_clocks()?;
        self.host.check()?;
        self.tikv.check()?;
        self.check_node_control()?;
        let pumps = self.pumps.iter().map(|pump| (Kind::Pump, &pump.id, &pump.address));
        let drainers = self.drainers.iter().map(|drainer| (Kind::Drainer, &drainer.id, &drainer.address));
        let mut seen = std::collections::BTreeSet::new();
        for (kind, id, address) in pumps.chain(drainers) {
            if id.is_empty() || id.contains('/') {
                return Err(Error::invalid(format!("the scenario has a {} with the id {}", kind.title(), quoted(id)))
                    .hint("an id is not empty and has no slash; a nested key belongs into `keys`"));
            }
            if !seen.insert((kind, id)) {
                return Err(Error::invalid(format!("the scenario has the {} {} twice", kind.title(), on_one_line(id)))
                    .hint("give every Pump and every Drainer an id of its own"));
            }
            if !address.contains(':') {
                let (id, address) = (on_one_line(id), on_one_line(address));
                return Err(Error::invalid(format!("the address of {kind} {id}, \"{address}\", has no port"))
                    .hint("write it as `host:port`"));
            }
        }
        self.check_drainers()
    }

    /// Whether there are timestamps when it starts, and its clocks are such that somebody could have them.
    fn check_clocks(&self) -> Result<()> {
        if !(0..YEAR_3000_MS).contains(&self.start_ms()?) {
            let start = on_one_line(&self.start);
            return Err(Error::invalid(format!("the scenario starts at {start}, when there are no timestamps"))
                .hint("write a time from 1970 to 2999"));
        }
        if self.host.clock_ms.unsigned_abs() > CENTURY_MS {
            return Err(Error::invalid(format!("the host's clock is {} ms away from PD's", self.host.clock_ms))
                .hint("write how far it is ahead, at most a hundred years"));
        }
        let pumps = self.pumps.iter().map(|pump| (Kind::Pump, &pump.id, pump.drift_ppm));
        let drainers = self.drainers.iter().map(|drainer| (Kind::Drainer, &drainer.id, drainer.drift_ppm));
        let can_be = -MOST_DRIFT_PPM..=MOST_DRIFT_PPM;
        match pumps.chain(drainers).find(|(_, _, drift_ppm)| !can_be.contains(drift_ppm)) {
            None => Ok(()),
            Some((kind, id, drift_ppm)) => {
                let id = on_one_line(id);
                Err(Error::invalid(format!("the clock of {kind} {id} gains {drift_ppm} parts per million"))
                    .hint("write from -1000000 (it stands still) to 1000000 (it runs twice as fast)"))
            }
        }
    }

    fn check_node_control(&self) -> Result<()> {
        let pumps = self.pumps.iter().map(|pump| name_in_spec(Kind::Pump, &pump.id));
        let drainers = self.drainers.iter().map(|drainer| name_in_spec(Kind::Drainer, &drainer.id));
        let known: Vec<String> = pumps.chain(drainers).collect();
        let unknown = self.node_control.iter().flat_map(|control| control.unknown.keys());
        match unknown.into_iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let all = known.iter().map(String::as_str);
                Err(Error::invalid(format!("node_control.unknown names \"{}\", which is no node", on_one_line(name)))
                    .hint(
                        did_you_mean(name, all).unwrap_or_else(|| "write it as \"pump ID\" or \"drainer ID\"".into()),
                    ))
            }
        }
    }

    fn check_drainers(&self) -> Result<()> {
        for drainer in &self.drainers {
            let id = on_one_line(&drainer.id);
            if drainer.process == ProcessSpec::Closing {
                return Err(Error::invalid(format!("the process of drainer {id} is \"closing\""))
                    .hint("only a Pump waits while it closes; write \"running\", \"dead\" or \"hung\""));
            }
            if drainer.speed.is_some_and(|speed| !(0.0..=1e6).contains(&speed)) {
                return Err(Error::invalid(format!("the speed of drainer {id} is out of range"))
                    .hint("write how many seconds of binlog it consumes in a second, from 0 to 1000000"));
            }
        }
        Ok(())
    }
}

fn check_version(version: u32) -> Result<()> {
    match version {
        VERSION => Ok(()),
        other => Err(Error::invalid(format!("the scenario is of version {other}"))
            .hint(format!("this program reads version {VERSION}"))),
    }
}

/// What serde found wrong, with the nearest name where one is misspelt.
fn unreadable(error: &serde_json::Error) -> Error {
    let hint = match error.is_eof() {
        true => Some("it ends too early, as what was stopped does: make it anew".to_owned()),
        false => misspelt(error),
    };
    Error::invalid(format!("the scenario cannot be read: {}", on_one_line(&error.to_string())))
        .hint(hint.unwrap_or_else(|| "see the format in docs/simulator.md".into()))
}

/// The nearest of the names that a format knows, where `error` is that it does not know one: serde quotes that one first.
pub(crate) fn misspelt(error: &serde_json::Error) -> Option<String> {
    let message = error.to_string();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let wrong = quoted.next().filter(|_| message.starts_with("unknown "))?;
    did_you_mean(wrong, quoted.collect::<Vec<_>>())
}

/// When after the start the first of a Pump's hourly collections of old binlog comes.
pub(crate) const FIRST_GC: Micros = 30 * MINUTE + 7 * SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_field_names_the_nearest() {
        let error = Scenario::parse(r#"{"version": 1, "pmups": []}"#).unwrap_err();
        assert!(error.message.contains("pmups"), "{error}");
        assert!(error.hint.unwrap().contains("`pumps`"));
    }

    #[test]
    fn a_later_version_is_an_error() {
        assert!(Scenario::parse(r#"{"version": 2}"#).unwrap_err().message.contains("version 2"));
    }

    #[test]
    fn two_pumps_with_one_id_are_an_error() {
        let text = r#"{"version": 1, "pumps": [{"id": "p", "address": "a:1"}, {"id": "p", "address": "a:2"}]}"#;
        assert!(Scenario::parse(text).unwrap_err().message.contains("twice"));
    }

    #[test]
    fn a_scenario_survives_being_written() {
        let text = r#"{"version": 1, "pumps": [{"id": "p", "address": "a:1", "lag": "1.5s", "record": null}],
            "faults": [{"kind": "pd_gone", "after": "5m", "lasts": 8}]}"#;
        let scenario = Scenario::parse(text).unwrap();
        assert_eq!(scenario.faults[0].after, Span::seconds(300));
        let written = serde_json::to_string(&scenario).unwrap();
        assert_eq!(Scenario::parse(&written).unwrap(), scenario);
    }
}
