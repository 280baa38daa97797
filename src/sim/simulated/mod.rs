//! The world around a simulated cluster: it carries out requests, and every one of them takes some virtual time.
//!
//! Nothing outside changes: files are an overlay in memory, no program runs, what `manual` asks of a human it does
//! itself.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

mod change;
mod control;
mod hold;
mod human;
mod lock;
mod look;

use super::clock::{MILLISECOND, Micros, SECOND};
use super::cluster::Cluster;
use super::scenario::Scenario;
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::secret::IV_LENGTH;
use crate::world::{
    Alarm, Answer, Ask, Change, Clocks, Console, Fence, LockRequest, Read, Request, SecretPrompt, World,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What every request takes at least.
const CALL: Micros = MILLISECOND;
/// How long a probe waits for an answer; whoever is silent to a probe is not waited for when it is asked something else.
const PROBE_DEADLINE: Micros = SECOND;
/// How long a node is waited for that was told something.
const HTTP_DEADLINE: Micros = 5 * SECOND;
/// How long a request to PD or its etcd waits.
const PD_DEADLINE: Micros = 5 * SECOND;
/// How much longer it takes while etcd is slow.
const SLOW_ETCD: Micros = 3 * SECOND;
/// How much virtual time passes at most before an interrupt is looked for.
const STRETCH: Micros = 600 * SECOND;

/// Tells how much real time has passed since it was last asked.
pub(crate) type RealTime = Box<dyn FnMut() -> Duration + Send>;

/// A simulated cluster as a world.
pub struct Simulated {
    cluster: Cluster,
    files: BTreeMap<PathBuf, String>,
    console: Option<Box<dyn Console>>,
    real_time: Option<RealTime>,
    secret_key: Option<String>,
    interrupt: Interrupt,
    encrypted: u128,
    lock: Option<lock::SimulatedLease>,
    hold: Option<hold::SimulatedHold>,
    /// The run that others are told of, by which PD knows a hold.
    run: Option<String>,
    /// Until when time passes at most.
    end: Micros,
}

impl Simulated {
    /// The world of `scenario`, at its start.
    ///
    /// # Errors
    /// `invalid` or `not_found` when the scenario contradicts itself.
    pub fn new(scenario: &Scenario) -> Result<Self> {
        Cluster::new(scenario).map(Self::from_cluster)
    }

    /// The world of a cluster that stands already: a future goes on from a clone.
    pub fn from_cluster(cluster: Cluster) -> Self {
        Self {
            cluster,
            files: BTreeMap::new(),
            console: None,
            real_time: None,
            secret_key: None,
            interrupt: Interrupt::default(),
            encrypted: 0,
            lock: None,
            hold: None,
            run: None,
            end: Micros::MAX,
        }
    }

    /// With a human to ask; without one every question is answered with yes.
    #[must_use]
    pub fn with_console(mut self, console: Box<dyn Console>) -> Self {
        self.console = Some(console);
        self
    }

    /// With real time between requests passing as virtual time.
    #[must_use]
    pub fn with_real_time(mut self, real_time: RealTime) -> Self {
        self.real_time = Some(real_time);
        self
    }

    /// With a key of our own for `encrypt`, or none.
    #[must_use]
    pub fn with_secret_key(mut self, key: Option<String>) -> Self {
        self.secret_key = key;
        self
    }

    /// With another beginning of encrypted texts than that of every simulation: where the key is a real one, no two
    /// runs may begin alike.
    #[must_use]
    pub(crate) fn with_random(mut self, bytes: [u8; IV_LENGTH]) -> Self {
        self.encrypted = u128::from_be_bytes(bytes);
        self
    }

    /// With a flag that ends everything that takes long.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// With an end: no request lets time pass beyond it, and one that would is an error, `no_end`.
    #[must_use]
    pub fn until(mut self, end: Micros) -> Self {
        self.end = end;
        self
    }

    /// The virtual time, in microseconds since the scenario's start.
    pub fn now(&self) -> Micros {
        self.cluster.now()
    }

    /// The cluster as it stands.
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// The cluster, to do something to it that no request does.
    pub fn cluster_mut(&mut self) -> &mut Cluster {
        &mut self.cluster
    }

    /// The savepoints that were written, by directory.
    pub fn savepoints(&self) -> &BTreeMap<PathBuf, String> {
        &self.files
    }

    /// Lets virtual time pass.
    fn pass(&mut self, time: Micros) -> Result<()> {
        let until = self.cluster.now().saturating_add(time);
        self.pass_until(until, |_| false)
    }

    /// Lets virtual time pass until `until`, or until `enough` after some event.
    fn pass_until(&mut self, until: Micros, enough: impl Fn(&Cluster) -> bool) -> Result<()> {
        let mut events = 0_u32;
        while self.cluster.now() < until {
            if self.cluster.now() >= self.end {
                return Err(no_end_in_time(self.end));
            }
            let stretch = until.min(self.end).min(self.cluster.now().saturating_add(STRETCH));
            let beats = [self.next_beat_of_lock(), self.next_beat_of_hold()];
            let stretch = beats.into_iter().flatten().fold(stretch, Micros::min);
            while self.cluster.step(stretch) {
                events = events.wrapping_add(1);
                if enough(&self.cluster) {
                    return Ok(());
                }
                if events.is_multiple_of(4096) {
                    self.interrupt.check()?;
                }
            }
            self.interrupt.check()?;
            self.beat_lock();
            self.beat_hold();
        }
        Ok(())
    }

    /// Lets as much virtual time pass as real time did since the last request, where it shall.
    fn pass_real_time(&mut self) -> Result<()> {
        let Some(real_time) = &mut self.real_time else { return Ok(()) };
        let passed = Micros::try_from(real_time().as_micros()).unwrap_or(Micros::MAX);
        self.pass(passed)
    }

    /// Into the overlay: no file of this host changes.
    fn write_savepoint(&mut self, dir: &Path, content: &str) -> Answer {
        self.files.insert(dir.to_owned(), content.to_owned());
        Answer::Done
    }

    fn clocks(&self) -> Answer {
        let now = self.cluster.now();
        Answer::Now(Clocks {
            unix_ms: self.cluster.unix_ms(now) + self.cluster.host.clock_ms,
            monotonic_ms: now / MILLISECOND,
        })
    }

    /// Takes the time of a request to PD, and waits in vain if it is gone. Cut off from it, we know that at once.
    fn reach_pd(&mut self, what: &str) -> Result<()> {
        let (outside, now) = (self.cluster.outside, self.cluster.now());
        if outside.etcd_fails > now {
            return Err(self
                .no_pd(format!("no PD could be connected to for {what}"))
                .hint("the nodes may well reach it: look after the network between this host and PD"));
        }
        let longer = if outside.slow_etcd > now { SLOW_ETCD } else { 0 };
        self.pass(longer)?;
        if self.cluster.pd_answers() {
            return Ok(());
        }
        self.pass(PD_DEADLINE - longer)?;
        Err(self
            .no_pd(format!("no PD answered {what} within 5s"))
            .hint("look after PD first: nodes go on without it only for a while"))
    }

    /// With an alarm etcd takes no write.
    fn writable(&self, what: &str) -> Result<()> {
        match self.cluster.alarms.first() {
            None => Ok(()),
            Some(Alarm { kind, .. }) => {
                let message = format!("cannot {what}: PD's etcd says: {}", kind.words());
                Err(Error::new(ErrorKind::Rejected, message).hint(kind.advice()))
            }
        }
    }

    fn no_pd(&self, what: String) -> Error {
        let tried: Vec<&str> =
            self.cluster.members.iter().flat_map(|member| &member.client_urls).map(String::as_str).collect();
        Error::new(ErrorKind::Unreachable, format!("{what} (tried {})", tried.join(", ")))
    }
}

/// A script goes on after all that it may take.
pub(crate) fn no_end(after: &str) -> Error {
    Error::new(ErrorKind::NoEnd, format!("the script does not end: it goes on after {after}"))
}

/// The same, of virtual time.
pub(crate) fn no_end_in_time(after: Micros) -> Error {
    no_end(&format!("{} of virtual time", crate::time::show_seconds(after as f64 / 1e6)))
}

impl Simulated {
    fn read(&mut self, read: &Read) -> Result<Answer> {
        match read {
            Read::Nodes => self.nodes(),
            Read::Changes { after, patience } => self.changes(*after, *patience),
            Read::Events { after, patience } => self.events(*after, *patience),
            Read::Probe { nodes } => self.probe(nodes),
            Read::Status { nodes } => self.statuses(nodes),
            Read::CommitTs { nodes } => self.commit_ts(nodes),
            Read::Checkpoint { node } => self.checkpoint(node),
            Read::Replication { nodes } => Ok(self.replication(nodes)),
            Read::Metrics { nodes } => self.metrics(nodes),
            Read::Inspect { nodes, metrics } => self.inspect(nodes, metrics),
            Read::PumpDrainers { node } => self.pump_drainers(node),
            Read::BinlogAt { node, ts } => self.binlog_at(node, *ts),
            Read::Tidbs => self.tidbs(),
            Read::TidbBinlog { server } => self.tidb_binlog(server),
            Read::Cluster => self.pd_cluster(),
            Read::Endpoints => self.endpoints(),
            Read::Alarms => self.alarms(),
            Read::GcSafePoints => self.gc_safe_points(),
            Read::Changefeeds => self.changefeeds(),
            Read::Certificates { .. } => Ok(self.certificates()),
            Read::Supervisors { nodes } => Ok(self.supervisors(nodes)),
            Read::Runs => Ok(Answer::Runs(Vec::new())),
            Read::Deployment => Ok(Answer::Deployment(self.cluster.deployment.as_deref().cloned().map(Box::new))),
            Read::Tso => self.timestamp(),
            Read::LockStatus => self.lock_status(),
            Read::Now => Ok(self.clocks()),
            Read::Sleep { time } => {
                self.pass(Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX))?;
                Ok(Answer::Done)
            }
            Read::ReadSavepoint { dir } => self.read_savepoint(dir),
            Read::HasKey => Ok(Answer::Flag(self.secret_key.is_some())),
        }
    }

    fn change(&mut self, change: &Change, fence: Option<&Fence>) -> Result<Answer> {
        match change {
            Change::Act { node, action } => self.act(node, *action, fence),
            Change::TriggerGc { node } => self.trigger_gc(node, fence),
            Change::RecoverTidb { server, reset } => self.recover_tidb(server, *reset, fence),
            Change::SwapRecord { seen, state } => self.swap_record(seen, *state, fence),
            Change::DeleteRecord { key, mod_revision } => self.delete_record(key, *mod_revision, fence),
            Change::WriteSavepoint { dir, content } => Ok(self.write_savepoint(dir, content)),
            Change::Encrypt { text } => self.encrypt(text),
            Change::HoldGc { ts, ttl } => self.hold_gc(*ts, *ttl, fence),
            Change::ReleaseGc { service } => self.release_gc(service.as_ref(), fence),
            Change::BreakLock { seen, .. } => self.break_lock(seen),
            Change::Control(control) => self.control(control, fence),
            Change::Manual(manual) => self.manual(manual),
            Change::Exec(exec) => self.exec(exec),
        }
    }
}

impl World for Simulated {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        if matches!(request, Request::Lock(LockRequest::GiveBack)) {
            return Ok(self.give_lock_back());
        }
        self.interrupt.check()?;
        self.pass_real_time()?;
        self.pass(CALL)?;
        if request.relies_on_hold() {
            self.still_held()?;
        }
        match request {
            Request::Read(read) => self.read(read),
            Request::Change(change) => self.change(change, fence),
            Request::Ask(Ask::Question(question)) => self.ask(question),
            Request::Ask(Ask::Secret(SecretPrompt { prompt })) => self.read_secret(prompt),
            Request::Lock(LockRequest::Take { holder, wait }) => {
                self.run = holder.run.as_ref().map(|run| run.as_str().to_owned()).or_else(|| self.run.take());
                self.take_lock(holder, *wait, fence)
            }
            Request::Lock(LockRequest::GiveBack) => Ok(self.give_lock_back()),
            Request::Play(play) => self.play(play),
            Request::WaitOver => Err(Error::internal("the end of a wait is the session's own affair")),
        }
    }
}
