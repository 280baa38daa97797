//! What starts the programs of nodes, ends them, and starts them again when they fail: as systemd does it by the units of
//! tiup.

use super::node::{NODE_PROGRAM, NodeProgram};
use crate::support::eventually;
use binlogsh::node::Kind;
use binlogsh::sim::NodeIndex;
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::SocketAddr;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often it looks after its processes.
const ROUND: Duration = Duration::from_millis(10);

/// A node's unit: what is known of it before it starts.
#[derive(Clone, Debug)]
pub(super) struct Unit {
    /// `pump-8250.service`.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) id: String,
    /// Its place in the model.
    pub(super) who: NodeIndex,
    /// Where it listens.
    pub(super) address: SocketAddr,
    /// What it registers as its address.
    pub(super) advertised: String,
    /// Its pod, where it is in Kubernetes.
    pub(super) pod: String,
    /// Its own directory, with `log/` in it.
    pub(super) deploy_dir: PathBuf,
}

impl Unit {
    /// The log of its program.
    pub(super) fn log(&self) -> PathBuf {
        self.deploy_dir.join(format!("log/{}.log", self.kind))
    }
}

/// The times that matter, and which processes are started again.
#[derive(Clone, Debug)]
pub(super) struct RestartRule {
    /// How long a process has after SIGTERM until SIGKILL.
    pub(super) stop_timeout: Duration,
    /// When one that failed is started again; never if `None`.
    pub(super) restart_after: Option<Duration>,
}

/// What a unit is doing, in systemd's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnitState {
    /// Its process runs.
    Active,
    /// Its process was told to stop.
    Deactivating,
    /// Its process failed, and will be started again.
    Activating,
    /// It was never started, or ended in good order.
    Inactive,
    /// Its process failed.
    Failed,
}

impl UnitState {
    /// systemd's `ActiveState`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Deactivating => "deactivating",
            Self::Activating => "activating",
            Self::Inactive => "inactive",
            Self::Failed => "failed",
        }
    }
}

/// Why a process is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    /// It was there before the test began.
    HasRun,
    /// Somebody wants it.
    Asked,
    /// The last one failed.
    Failed,
}

/// A unit's process, or how the last one ended.
#[derive(Default)]
struct UnitProcess {
    child: Option<Child>,
    /// Somebody wants it down.
    stopping: bool,
    /// When it is started, and why.
    due: Option<(Instant, Reason)>,
    /// How often it was.
    started: u32,
    ended: Option<ExitStatus>,
    restarts: u32,
    /// What systemd writes into the journal.
    journal: Vec<String>,
}

/// The supervisor of all hosts of a fleet. What it started ends with it.
pub(super) struct Supervisor {
    shared: Arc<Supervised>,
    watching: Option<JoinHandle<()>>,
}

/// What its thread and the programs of the fleet share.
pub(super) struct Supervised {
    units: Vec<(Unit, Mutex<UnitProcess>)>,
    control: OnceLock<SocketAddr>,
    rule: Mutex<RestartRule>,
    ended: AtomicBool,
}

impl Supervisor {
    pub(super) fn new(units: Vec<Unit>) -> Self {
        let rule = RestartRule { stop_timeout: Duration::from_secs(90), restart_after: Some(Duration::from_secs(15)) };
        let units = units.into_iter().map(|unit| (unit, Mutex::default())).collect();
        let shared =
            Supervised { units, control: OnceLock::new(), rule: Mutex::new(rule), ended: AtomicBool::new(false) };
        let shared = Arc::new(shared);
        let watched = shared.clone();
        let watching = std::thread::spawn(move || {
            while !watched.ended.load(Ordering::SeqCst) {
                for at in 0..watched.units.len() {
                    watched.look_after(at);
                    watched.start_if_due(at);
                }
                std::thread::sleep(ROUND);
            }
        });
        Self { shared, watching: Some(watching) }
    }

    pub(super) fn shared(&self) -> Arc<Supervised> {
        self.shared.clone()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        if let Some(watching) = self.watching.take() {
            let _ = watching.join();
        }
        for (_, process) in &self.shared.units {
            let mut process = process.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(mut child) = process.child.take() {
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }
}

impl Supervised {
    /// Where its programs find the test.
    pub(super) fn is_controlled_at(&self, control: SocketAddr) {
        self.control.set(control).unwrap();
    }

    pub(super) fn units(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().map(|(unit, _)| unit)
    }

    pub(super) fn unit(&self, at: usize) -> &Unit {
        &self.units[at].0
    }

    pub(super) fn set_rule(&self, change: impl FnOnce(&mut RestartRule)) {
        change(&mut self.rule.lock().unwrap());
    }

    fn process(&self, at: usize) -> std::sync::MutexGuard<'_, UnitProcess> {
        self.units[at].1.lock().unwrap()
    }

    /// Starts a unit, unless its process runs.
    pub(super) fn start(&self, at: usize) {
        self.look_after(at);
        self.bring_up(at, Reason::Asked);
    }

    /// The process that the model has already.
    pub(super) fn attach(&self, at: usize) {
        self.bring_up(at, Reason::HasRun);
    }

    /// Has the thread that watches start it, and returns once it did.
    fn bring_up(&self, at: usize, reason: Reason) {
        let mut process = self.process(at);
        if process.child.is_some() {
            return;
        }
        let so_far = process.started;
        process.due = Some((Instant::now(), reason));
        drop(process);
        let is_started = || self.process(at).started > so_far || self.ended.load(Ordering::SeqCst);
        assert!(eventually(Duration::from_secs(20), is_started), "nobody starts it");
    }

    /// Starts what is due. Only the thread that watches does, since what it starts ends with the thread that did.
    fn start_if_due(&self, at: usize) {
        let mut process = self.process(at);
        let Some((_, reason)) = process.due.filter(|(due, _)| *due <= Instant::now()) else { return };
        let unit = &self.units[at].0;
        process.child = Some(self.spawn(at, reason == Reason::HasRun));
        (process.stopping, process.due) = (false, None);
        process.started += 1;
        process.restarts += u32::from(reason == Reason::Failed);
        process.journal.push(format!("Started {} service.", unit.name.trim_end_matches(".service")));
    }

    fn spawn(&self, at: usize, has_run: bool) -> Child {
        let unit = &self.units[at].0;
        let control = *self.control.get().unwrap();
        let (kind, address, log) = (unit.kind, unit.address, unit.log());
        let program = NodeProgram { control, unit: at, kind, address, log, has_run };
        let stderr = unit.deploy_dir.join(format!("log/{kind}_stderr.log"));
        let stderr = File::options().create(true).append(true).open(stderr).unwrap();
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "fleet::the_node", "--nocapture", "--test-threads=1"])
            .env(NODE_PROGRAM, serde_json::to_string(&program).unwrap())
            // With a group of its own it gets no Ctrl-C.
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap()
    }

    /// Stops a unit: SIGTERM, SIGKILL after a while. Returns once its process is gone.
    pub(super) fn stop(&self, at: usize) {
        let grace = self.rule.lock().unwrap().stop_timeout;
        self.end(at, Signal::TERM, grace);
    }

    /// Signals a unit's process to end, kills it after `grace`, and returns once it is gone.
    pub(super) fn end(&self, at: usize, signal: Signal, grace: Duration) {
        let mut process = self.process(at);
        (process.stopping, process.due) = (true, None);
        if let Some(child) = &process.child {
            // It may have ended already.
            let _ = kill_process(Pid::from_child(child), signal);
        }
        drop(process);
        let is_gone = || {
            self.look_after(at);
            self.process(at).child.is_none()
        };
        if !eventually(grace, is_gone) {
            self.signal(at, Signal::KILL);
            assert!(eventually(Duration::from_secs(10), is_gone), "a killed process does not end");
        }
    }

    /// Sends its process a signal, as anybody may.
    pub(super) fn signal(&self, at: usize, signal: Signal) {
        if let Some(child) = &self.process(at).child {
            let _ = kill_process(Pid::from_child(child), signal);
        }
    }

    /// The process of a unit, if one runs.
    pub(super) fn pid(&self, at: usize) -> Option<u32> {
        self.look_after(at);
        self.process(at).child.as_ref().map(Child::id)
    }

    /// Learns of the end of its process.
    fn look_after(&self, at: usize) {
        let rule = self.rule.lock().unwrap().clone();
        let mut process = self.process(at);
        if let Some(ended) = process.child.as_mut().and_then(|child| child.try_wait().unwrap()) {
            process.child = None;
            process.ended = Some(ended);
            let how = how_it_ended(ended);
            process.journal.push(format!("{}: Main process exited, {how}", self.units[at].0.name));
            let again = !process.stopping && !is_clean(ended);
            let restart = rule.restart_after.filter(|_| again);
            process.due = restart.map(|after| (Instant::now() + after, Reason::Failed));
        }
    }

    /// What a unit is doing.
    pub(super) fn state(&self, at: usize) -> UnitState {
        self.look_after(at);
        let process = self.process(at);
        match (&process.child, process.ended) {
            (Some(_), _) if process.stopping => UnitState::Deactivating,
            (Some(_), _) => UnitState::Active,
            (None, _) if process.due.is_some() => UnitState::Activating,
            (None, Some(ended)) if !is_clean(ended) => UnitState::Failed,
            (None, _) => UnitState::Inactive,
        }
    }

    /// How the last process of a unit ended, if one did.
    pub(super) fn ended(&self, at: usize) -> Option<ExitStatus> {
        self.look_after(at);
        self.process(at).ended
    }

    /// How often a unit was started again by itself.
    pub(super) fn restarts(&self, at: usize) -> u32 {
        self.process(at).restarts
    }

    /// What systemd wrote of a unit.
    pub(super) fn journal(&self, at: usize) -> Vec<String> {
        self.process(at).journal.clone()
    }
}

/// What `Restart=on-failure` takes for an end in good order.
fn is_clean(ended: ExitStatus) -> bool {
    let clean = [Signal::HUP, Signal::INT, Signal::TERM, Signal::PIPE].map(Signal::as_raw);
    ended.success() || ended.signal().is_some_and(|signal| clean.contains(&signal))
}

/// As the journal has it: `code=exited, status=1/FAILURE`, `code=killed, status=9/KILL`.
fn how_it_ended(ended: ExitStatus) -> String {
    match (ended.code(), ended.signal()) {
        (Some(0), _) => "code=exited, status=0/SUCCESS".to_owned(),
        (Some(1), _) => "code=exited, status=1/FAILURE".to_owned(),
        (Some(code), _) => format!("code=exited, status={code}/n/a"),
        (None, Some(9)) => "code=killed, status=9/KILL".to_owned(),
        (None, Some(15)) => "code=killed, status=15/TERM".to_owned(),
        (None, signal) => format!("code=killed, status={}/n/a", signal.unwrap_or_default()),
    }
}
