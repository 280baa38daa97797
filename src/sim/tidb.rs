//! TiDB servers, as far as binlog goes: what they write, and what they do when no Pump takes it.

use super::clock::{Micros, SECOND};
use super::cluster::{Cluster, DueEvent, FIRST_REVISION};
use super::etcd::KeyValue;
use super::log::LogEvent;
use super::scenario::{DdlSpec, Span};
use crate::world::{TidbBinlog, TidbBinlogState, TidbServer};
use std::sync::Arc;

/// How long a TiDB server tries to write binlog before it gives up.
pub(crate) const WRITE_TIMEOUT: Micros = 15 * SECOND;

/// How long transactions that skipped binlog are under way once it is written again (chosen).
const UNDER_WAY: Micros = SECOND;

/// Whether a TiDB server writes binlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binlog {
    On,
    Off,
    /// It met no writable Pump, and skips binlog until somebody recovers it.
    Skipping,
    Unknown,
    /// The server is gone.
    Stopped,
}

impl Binlog {
    fn name(self) -> &'static str {
        match self {
            Self::On => "On",
            Self::Off => "Off",
            Self::Skipping => "Skipping",
            Self::Unknown | Self::Stopped => "Unknown",
        }
    }
}

/// A TiDB server.
#[derive(Clone, Debug)]
pub(crate) struct Tidb {
    pub(crate) address: Arc<str>,
    pub(crate) version: Arc<str>,
    pub(crate) binlog: Binlog,
    pub(crate) ignore_error: bool,
    pub(crate) writes_per_second: i64,
    /// The etcd revision of its last registration.
    pub(crate) revision: i64,
    /// When it gives up, while it finds no writable Pump.
    pub(crate) gives_up_at: Option<Micros>,
    /// `host:port` of its status port.
    pub(crate) status_address: Arc<str>,
    /// Until when transactions that skipped binlog are under way, once it writes it again.
    pub(crate) skipped_until: Micros,
}

impl Cluster {
    /// How much all TiDB servers together write into the binlog.
    pub(crate) fn writes_per_second(&self) -> i64 {
        let writing = self.tidbs.iter().filter(|tidb| tidb.binlog == Binlog::On);
        writing.map(|tidb| tidb.writes_per_second).sum()
    }

    /// Servers that write notice after a while that no Pump takes their binlog.
    pub(crate) fn tidb_watches(&mut self, writable: usize) {
        let gone = self.pd_gone();
        for (at, tidb) in self.tidbs.iter_mut().enumerate() {
            let suffers = writable == 0 && !gone && tidb.binlog == Binlog::On && tidb.writes_per_second > 0;
            match (suffers, tidb.gives_up_at) {
                (true, None) => {
                    let noticed = self.now + WRITE_TIMEOUT;
                    tidb.gives_up_at = Some(noticed);
                    self.queue.schedule(noticed, DueEvent::TidbNotices(at));
                }
                (true, Some(_)) => {}
                (false, _) => tidb.gives_up_at = None,
            }
        }
    }

    pub(crate) fn tidb_notices(&mut self, at: usize) {
        if self.tidbs[at].gives_up_at != Some(self.now) {
            return;
        }
        self.settle();
        let revision = self.revision();
        let tidb = &mut self.tidbs[at];
        (tidb.gives_up_at, tidb.revision) = (None, revision);
        let what = match tidb.ignore_error {
            true => {
                tidb.binlog = Binlog::Skipping;
                LogEvent::TidbSkips(at)
            }
            false => {
                tidb.binlog = Binlog::Stopped;
                LogEvent::TidbStopped(at)
            }
        };
        self.note(what);
        self.rewire();
    }

    /// TiDB will run DDLs at these times.
    pub(crate) fn expect_ddls(&mut self, ddls: &DdlSpec) {
        for at in &ddls.at {
            self.queue.schedule(at.micros(), DueEvent::Ddl(None));
        }
        if let Some(every) = ddls.every.map(Span::micros).filter(|every| *every > 0) {
            self.queue.schedule(every, DueEvent::Ddl(Some(every)));
        }
    }

    pub(crate) fn ddl_is_due(&mut self, every: Option<Micros>) {
        if let Some(every) = every {
            self.queue.schedule(self.now.saturating_add(every), DueEvent::Ddl(Some(every)));
        }
        if self.can_run_ddl() {
            self.run_ddl();
        }
    }

    /// Whether a DDL would come into the binlog: some server writes it, a Pump takes it, and PD gives its timestamp.
    pub(crate) fn can_run_ddl(&self) -> bool {
        let writes = match self.tidbs.is_empty() {
            true => self.unknown_tidb_writes,
            false => self.tidbs.iter().any(|tidb| tidb.binlog == Binlog::On),
        };
        writes && self.writable_pumps() > 0 && !self.pd_gone()
    }

    /// TiDB commits a DDL, which comes into the binlog.
    pub(crate) fn run_ddl(&mut self) {
        self.settle();
        if self.ddls.last() != Some(&self.now) {
            self.ddls.push(self.now);
            self.note(LogEvent::Ddl);
        }
    }

    /// The server with this status port, if it is there.
    fn tidb_at(&self, status_address: &str) -> Option<usize> {
        let is_there =
            |tidb: &Tidb| tidb.status_address.eq_ignore_ascii_case(status_address) && tidb.binlog != Binlog::Stopped;
        self.tidbs.iter().position(is_there)
    }

    /// Whether the TiDB server with this status port skips binlog, as it says itself; `None` without a process.
    pub fn tidb_binlog(&self, status_address: &str) -> Option<TidbBinlogState> {
        let tidb = &self.tidbs[self.tidb_at(status_address)?];
        let skips = tidb.binlog == Binlog::Skipping;
        let some = (skips && tidb.writes_per_second > 0) || self.now() < tidb.skipped_until;
        Some(TidbBinlogState { skips, under_way: i64::from(some) })
    }

    /// The TiDB server with this status port forgets transactions that skipped binlog.
    pub fn forget_skipped(&mut self, status_address: &str) {
        if let Some(at) = self.tidb_at(status_address) {
            self.tidbs[at].skipped_until = self.now();
        }
    }

    /// Has the TiDB server with this status port write binlog again if it skips it. Says how it stands then; `None` without
    /// a process.
    pub fn recover_tidb(&mut self, status_address: &str) -> Option<TidbBinlogState> {
        let at = self.tidb_at(status_address)?;
        if self.tidbs[at].binlog == Binlog::Skipping {
            self.settle();
            let (revision, now) = (self.revision(), self.now());
            let tidb = &mut self.tidbs[at];
            let until = if tidb.writes_per_second > 0 { now.saturating_add(UNDER_WAY) } else { now };
            (tidb.binlog, tidb.revision, tidb.skipped_until) = (Binlog::On, revision, until);
            self.note(LogEvent::TidbRecovers(at));
            self.rewire();
        }
        self.tidb_binlog(status_address)
    }

    /// Makes every TiDB server write binlog, or no longer.
    pub fn set_tidb_binlog(&mut self, binlog: TidbBinlog) {
        self.settle();
        let (revision, before) = (self.revision(), self.tidb_is_to_write());
        for tidb in self.tidbs.iter_mut().filter(|tidb| tidb.binlog != Binlog::Stopped) {
            tidb.revision = revision;
            tidb.binlog = match binlog {
                TidbBinlog::On => Binlog::On,
                TidbBinlog::Off => Binlog::Off,
            };
        }
        self.unknown_tidb_writes = binlog == TidbBinlog::On;
        let writes = self.tidb_is_to_write();
        if writes != before {
            self.note(LogEvent::TidbWrites(writes));
        }
        self.rewire();
    }

    /// Whether TiDB needs a Pump: unless binlog is off in every server. One that had to give up needs it all the same, and
    /// where no server is known there may be some, unless binlog was said to be off.
    pub(crate) fn tidb_is_to_write(&self) -> bool {
        (self.tidbs.is_empty() && self.unknown_tidb_writes) || self.tidbs.iter().any(|tidb| tidb.binlog != Binlog::Off)
    }

    /// The servers that are there, by address.
    pub fn tidb_servers(&self) -> Vec<TidbServer> {
        let alive = self.tidbs.iter().filter(|tidb| tidb.binlog != Binlog::Stopped);
        let mut servers: Vec<TidbServer> = alive
            .map(|tidb| TidbServer {
                address: tidb.address.as_ref().to_owned(),
                version: tidb.version.as_ref().to_owned(),
                binlog_status: tidb.binlog.name().to_owned(),
                status_address: Some(tidb.status_address.as_ref().to_owned()),
            })
            .collect();
        servers.sort_by(|a, b| a.address.cmp(&b.address));
        servers
    }

    /// What the servers registered of themselves.
    pub(crate) fn tidb_keys(&self) -> impl Iterator<Item = KeyValue> + '_ {
        let alive = self.tidbs.iter().enumerate().filter(|(_, tidb)| tidb.binlog != Binlog::Stopped);
        alive.map(|(at, tidb)| {
            let (ip, port) = tidb.address.rsplit_once(':').unwrap_or((&tidb.address, "4000"));
            let value = serde_json::json!({
                "version": &*tidb.version,
                "ddl_id": format!("tidb-{at}"),
                "ip": ip,
                "listening_port": port.parse::<u16>().unwrap_or(4000),
                "status_port": port_of(&tidb.status_address),
                "binlog_status": tidb.binlog.name(),
            });
            KeyValue {
                key: format!("/tidb/server/info/tidb-{at}"),
                value: value.to_string().into_bytes(),
                mod_revision: tidb.revision,
                create_revision: FIRST_REVISION,
            }
        })
    }
}

/// The port of TiDB's status where nothing else is said.
pub(crate) const STATUS_PORT: u16 = 10080;

fn port_of(address: &str) -> u16 {
    address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(STATUS_PORT)
}
