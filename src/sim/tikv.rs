//! TiKV's garbage collection, the safe points that hold it back, and TiCDC's changefeeds, as far as a hand-over to TiCDC turns on
//! them.
//!
//! Read from the sources of PD, TiDB and TiCDC, and not recorded: `docs/simulator.md` says what. Every ten minutes a round: TiDB's
//! `gc_worker` moves its own safe point to now minus its life time, and a minute later TiKV has collected up to the smallest of
//! all that have not ended. Between two events a changefeed's checkpoint is a closed form of the time.

use super::clock::{HOUR, MINUTE, Micros, SECOND};
use super::cluster::{Cluster, DueEvent};
use super::log::LogEvent;
use super::scenario::{ChangefeedSpec, TikvSpec};
use crate::text::Untrusted;
use crate::tso::Tso;
use crate::world::{Capture, Changefeed, Changefeeds, GcSafePoints, NewChangefeed, ServiceSafePoint};
use std::collections::BTreeMap;

/// How often a round begins.
const ROUND: Micros = 10 * MINUTE;
/// How long a round takes until PD is told what is collected: TiDB resolves locks first.
const ROUND_TAKES: Micros = MINUTE;
/// How old what is collected is, where nobody has set `tidb_gc_life_time`.
pub(super) const LIFE_TIME: Micros = 10 * MINUTE;
/// To what somebody shortens it, in the fault.
const SHORT_LIFE_TIME: Micros = 10 * SECOND;
/// What TiDB's own service is called.
const GC_WORKER: &str = "gc_worker";
/// For how long TiCDC holds GC back for a changefeed that does not go on.
const CHANGEFEED_TTL: Micros = 24 * HOUR;
/// How far behind now a changefeed is that keeps up.
const CHANGEFEED_LAG: Micros = SECOND;
/// How many seconds of changes a changefeed that is behind takes in a second.
const CATCH_UP: Micros = 60;

/// A service that holds GC back.
#[derive(Clone, Copy, Debug)]
struct Service {
    safe_point: Tso,
    /// Until when PD heeds it; `None`: for ever.
    until: Option<Micros>,
}

/// What a simulated changefeed is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FeedState {
    Normal,
    Stopped,
    Failed,
    /// What it was to read was collected, or it did not go on for too long: for good.
    Lost,
}

impl FeedState {
    /// TiCDC's word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Stopped => "stopped",
            Self::Failed | Self::Lost => "failed",
        }
    }
}

#[derive(Clone, Debug)]
struct Feed {
    id: Untrusted,
    sink: Option<Untrusted>,
    state: FeedState,
    error: Option<&'static str>,
    start_ts: Tso,
    /// Its checkpoint at `since`.
    checkpoint: Tso,
    since: Micros,
}

/// TiKV and TiCDC.
#[derive(Clone, Debug)]
pub(crate) struct Tikv {
    life_time: Micros,
    /// What its life time was before somebody shortened it.
    usual_life_time: Micros,
    safe_point: Tso,
    /// Up to where the round collects that is under way.
    collecting: Option<Tso>,
    services: BTreeMap<Untrusted, Service>,
    captures: Vec<Untrusted>,
    feeds: Vec<Feed>,
    /// Whether anybody but TiDB has anything to do with GC here: only then it matters.
    matters: bool,
}

impl Tikv {
    /// As a scenario says, at its start.
    pub(super) fn new(spec: &TikvSpec, ts_at: impl Fn(Micros) -> Tso) -> Self {
        let life_time = spec.gc_life_time.map_or(LIFE_TIME, super::scenario::Span::micros);
        let worker = Service { safe_point: ts_at(-life_time), until: None };
        let mut services = BTreeMap::from([(Untrusted::from(GC_WORKER), worker)]);
        for service in &spec.services {
            let until = service.ttl.map(super::scenario::Span::micros);
            services.insert(service.service.clone(), Service { safe_point: ts_at(-service.behind.micros()), until });
        }
        let feed = |spec: &ChangefeedSpec| {
            let checkpoint = ts_at(-spec.behind.micros());
            let (state, error) = match spec.state.as_str() {
                "stopped" => (FeedState::Stopped, None),
                "failed" => (FeedState::Failed, Some(SINK_FAILED)),
                _ => (FeedState::Normal, None),
            };
            Feed {
                id: spec.id.clone(),
                sink: spec.sink.clone(),
                state,
                error,
                start_ts: checkpoint,
                checkpoint,
                since: 0,
            }
        };
        let feeds: Vec<Feed> = spec.changefeeds.iter().map(feed).collect();
        let smallest =
            services.values().map(|service| service.safe_point).chain(feeds.iter().map(|feed| feed.checkpoint));
        Self {
            life_time,
            usual_life_time: life_time,
            safe_point: smallest.min().unwrap_or_default(),
            collecting: None,
            matters: !spec.services.is_empty() || !feeds.is_empty(),
            captures: spec.servers.clone(),
            services,
            feeds,
        }
    }
}

/// Why a changefeed whose sink takes nothing fails, in TiCDC's words.
const SINK_FAILED: &str = "CDC:ErrMySQLTxnError: the sink takes nothing";
/// Why one fails whose range was collected.
const COLLECTED: &str =
    "CDC:ErrSnapshotLostByGC: fail to create or maintain changefeed due to snapshot loss caused by GC";
/// Why one fails that did not go on for too long.
const TOO_LONG: &str = "CDC:ErrGCTTLExceeded: the checkpoint-ts lag of the changefeed has exceeded the GC TTL";

impl Feed {
    fn checkpoint(&self, cluster: &Cluster) -> Tso {
        match self.state {
            FeedState::Normal => {
                let newest = cluster.ts_at(cluster.now - CHANGEFEED_LAG);
                let caught_up = cluster.now.saturating_sub(self.since).saturating_mul(CATCH_UP) / 1_000;
                let reached = Tso::from_parts(self.checkpoint.physical_ms().saturating_add(caught_up), 0);
                reached.min(newest).max(self.checkpoint)
            }
            FeedState::Stopped | FeedState::Failed | FeedState::Lost => self.checkpoint,
        }
    }
}

impl Cluster {
    /// The first rounds come at their times.
    pub(super) fn begin_tikv_gc(&mut self) {
        self.queue.schedule(ROUND, DueEvent::TikvRound);
    }

    /// A round: what will be collected is decided, and what comes later cannot be held any more.
    pub(super) fn tikv_round(&mut self) {
        self.queue.schedule(self.now.saturating_add(ROUND), DueEvent::TikvRound);
        self.begin_round(ROUND_TAKES);
    }

    fn begin_round(&mut self, takes: Micros) {
        // PD keeps the safe points.
        if self.pd_gone() {
            return;
        }
        self.give_up_on_feeds();
        let by_age = self.ts_at(self.now.saturating_sub(self.tikv.life_time));
        if let Some(worker) = self.tikv.services.get_mut(&Untrusted::from(GC_WORKER)) {
            worker.safe_point = worker.safe_point.max(by_age);
        }
        self.tikv.collecting = Some(self.smallest_safe_point().1);
        self.queue.schedule(self.now.saturating_add(takes), DueEvent::TikvCollects);
    }

    /// TiKV may have collected up to there from now on.
    pub(super) fn tikv_collects(&mut self) {
        if self.pd_gone() {
            return;
        }
        let Some(until) = self.tikv.collecting.take().filter(|until| *until > self.tikv.safe_point) else { return };
        self.tikv.safe_point = until;
        if self.tikv.matters {
            self.note(LogEvent::TikvCollected(until));
        }
        for at in 0..self.tikv.feeds.len() {
            if self.tikv.feeds[at].checkpoint(self) < until {
                self.turn_feed(at, FeedState::Lost, Some(COLLECTED));
            }
        }
    }

    /// TiCDC holds nothing back for a changefeed that has not gone on for too long: that one has failed for good.
    fn give_up_on_feeds(&mut self) {
        let oldest = self.ts_at(self.now.saturating_sub(CHANGEFEED_TTL));
        for at in 0..self.tikv.feeds.len() {
            if self.tikv.feeds[at].checkpoint(self) < oldest {
                self.turn_feed(at, FeedState::Lost, Some(TOO_LONG));
            }
        }
    }

    fn turn_feed(&mut self, at: usize, state: FeedState, error: Option<&'static str>) {
        let (checkpoint, now) = (self.tikv.feeds[at].checkpoint(self), self.now);
        let feed = &mut self.tikv.feeds[at];
        if feed.state == state || feed.state == FeedState::Lost {
            return;
        }
        (feed.state, feed.error, feed.checkpoint, feed.since) = (state, error, checkpoint, now);
        self.note(LogEvent::ChangefeedTurned { feed: at, state: state.name() });
    }

    /// Whether somebody else than TiDB has to do with TiKV's GC.
    pub(crate) fn tikv_gc_matters(&self) -> bool {
        self.tikv.matters
    }

    /// The id of the changefeed at this place of the log.
    pub(crate) fn changefeed_id(&self, at: usize) -> &Untrusted {
        &self.tikv.feeds[at].id
    }

    /// Whether some changefeed works.
    pub(super) fn has_normal_feed(&self) -> bool {
        self.tikv.feeds.iter().any(|feed| feed.state == FeedState::Normal)
    }

    /// All changefeeds that work stop or fail.
    pub(super) fn turn_feeds(&mut self, state: FeedState) {
        let error = (state == FeedState::Failed).then_some(SINK_FAILED);
        for at in 0..self.tikv.feeds.len() {
            if self.tikv.feeds[at].state == FeedState::Normal {
                self.turn_feed(at, state, error);
            }
        }
    }

    /// Somebody has those go on that stand so.
    pub(super) fn resume_feeds(&mut self, state: FeedState) {
        for at in 0..self.tikv.feeds.len() {
            if self.tikv.feeds[at].state == state {
                self.turn_feed(at, FeedState::Normal, None);
            }
        }
    }

    /// Somebody shortens `tidb_gc_life_time`, and a round begins and ends at once.
    pub(super) fn shorten_gc(&mut self) {
        self.tikv.life_time = self.tikv.life_time.min(SHORT_LIFE_TIME);
        self.begin_round(0);
    }

    /// It is what it was.
    pub(super) fn gc_as_usual(&mut self) {
        self.tikv.life_time = self.tikv.usual_life_time;
    }

    /// Who holds GC back: PD's services that have not ended, and TiCDC at the smallest checkpoint that it keeps.
    fn heeded(&self) -> impl Iterator<Item = (Untrusted, Service)> + '_ {
        let now = self.now;
        let there =
            self.tikv.services.iter().filter(move |(_, service)| service.until.is_none_or(|until| until >= now));
        there.map(|(name, service)| (name.clone(), *service)).chain(self.ticdc_service())
    }

    fn ticdc_service(&self) -> Option<(Untrusted, Service)> {
        let held = self.tikv.feeds.iter().filter(|feed| feed.state != FeedState::Lost);
        let safe_point = held.map(|feed| feed.checkpoint(self)).min()?;
        let name = format!("ticdc-default-{}", self.id);
        Some((name.into(), Service { safe_point, until: Some(self.now.saturating_add(CHANGEFEED_TTL)) }))
    }

    fn smallest_safe_point(&self) -> (Untrusted, Tso) {
        let all = self.heeded().map(|(name, service)| (name, service.safe_point));
        all.min_by_key(|(_, safe_point)| *safe_point).unwrap_or_else(|| (GC_WORKER.into(), self.tikv.safe_point))
    }

    /// What TiKV may have collected.
    pub(super) fn tikv_safe_point(&self) -> Tso {
        self.tikv.safe_point
    }

    /// What PD answers to whoever asks for its safe points.
    pub(super) fn gc_safe_points(&self) -> GcSafePoints {
        let mut services: Vec<(Untrusted, Service)> =
            self.tikv.services.iter().map(|(name, service)| (name.clone(), *service)).collect();
        services.extend(self.ticdc_service());
        let told = |(service, Service { safe_point, until }): (Untrusted, Service)| ServiceSafePoint {
            service,
            safe_point,
            expires_ms: until.map(|until| self.unix_ms(until)),
            expired: Some(until.is_some_and(|until| until < self.now)),
        };
        GcSafePoints::new(Some(self.tikv.safe_point), services.into_iter().map(told).collect(), Vec::new())
    }

    /// `UpdateServiceGCSafePoint`: what PD does not take it says nothing of, but for the smallest that there is.
    pub(super) fn hold_service(&mut self, service: &Untrusted, safe_point: Tso, ttl: Micros) -> (Untrusted, Tso) {
        let now = self.now;
        self.tikv.matters = true;
        // It forgets those that have ended.
        self.tikv.services.retain(|_, known| known.until.is_none_or(|until| until >= now));
        if ttl <= 0 {
            if service.as_str() != GC_WORKER {
                self.tikv.services.remove(service);
            }
            return self.smallest_safe_point();
        }
        let smallest = self.smallest_safe_point();
        if safe_point < smallest.1 {
            return smallest;
        }
        let until = Some(now.saturating_add(ttl));
        self.tikv.services.insert(service.clone(), Service { safe_point, until });
        self.smallest_safe_point()
    }

    /// The changefeeds and servers, as they stand in PD's etcd.
    pub(crate) fn changefeeds(&self) -> Changefeeds {
        let feed = |feed: &Feed| Changefeed {
            id: feed.id.clone(),
            namespace: "default".into(),
            cluster: "default".into(),
            state: feed.state.name().into(),
            start_ts: Some(feed.start_ts),
            checkpoint_ts: Some(feed.checkpoint(self)),
            target_ts: None,
            sink: feed.sink.clone(),
            error: feed.error.map(Untrusted::from),
        };
        let capture = |address: &Untrusted| Capture {
            id: format!("capture-{address}").into(),
            cluster: "default".into(),
            address: Some(address.clone()),
            version: Some("v7.5.0".into()),
        };
        let mut changefeeds: Vec<Changefeed> = self.tikv.feeds.iter().map(feed).collect();
        changefeeds.sort_by(|a, b| a.id.cmp(&b.id));
        Changefeeds { changefeeds, captures: self.tikv.captures.iter().map(capture).collect() }
    }

    /// `cdc cli changefeed create`.
    ///
    /// # Errors
    /// TiCDC's words where it creates none.
    pub fn create_changefeed(&mut self, new: &NewChangefeed) -> Result<(), String> {
        if self.tikv.captures.is_empty() {
            return Err("Error: no TiCDC server answers: connection refused".into());
        }
        if self.pd_gone() {
            return Err("Error: [CDC:ErrReachMaxTry]reach maximum try: PD does not answer".into());
        }
        if self.tikv.feeds.iter().any(|feed| feed.id == new.id) {
            return Err(format!("Error: [CDC:ErrChangeFeedAlreadyExists]changefeed already exists, {}", new.id));
        }
        let now = self.ts_at(self.now);
        let (_, smallest) = self.smallest_safe_point();
        let start = new.start_ts;
        if start > now {
            return Err(format!(
                "Error: [CDC:ErrAPIInvalidParam]invalid start-ts {}, larger than current tso {}",
                start.0, now.0
            ));
        }
        if start <= smallest {
            return Err(format!(
                "Error: [CDC:ErrStartTsBeforeGC]fail to create or maintain changefeed because start-ts {} is earlier than or equal \
                 to GC safepoint at {}",
                start.0, smallest.0
            ));
        }
        self.tikv.matters = true;
        self.tikv.feeds.push(Feed {
            id: new.id.clone(),
            sink: new.sink.clone(),
            state: FeedState::Normal,
            error: None,
            start_ts: start,
            checkpoint: start,
            since: self.now,
        });
        self.note(LogEvent::ChangefeedCreated { feed: self.tikv.feeds.len() - 1, start_ts: start });
        Ok(())
    }
}
