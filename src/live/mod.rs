//! The real cluster: etcd, PD, the nodes' HTTP, this host's clock, files and console.
//!
//! The only room that knows tokio, gRPC, HTTP, TLS and the real clock. Whatever comes in is a request, whatever goes
//! out is an answer: it must not know who asks, nor why. Nothing is connected and no thread is started before the first
//! request that needs one. Every exchange has a deadline, and an interrupt ends every call within some milliseconds.

mod answers;
mod certificates;
pub mod clock;
mod cluster;
mod connect;
mod control;
mod dial;
mod downstream;
mod etcd;
mod exec;
mod failover;
mod files;
mod hold;
pub mod host;
mod lock;
mod manual;
mod members;
mod names;
mod nodes;
mod pace;
mod pd;
mod runtime;
mod seen;
mod settings;
pub mod signals;
mod socks;
mod tls;
mod trouble;
mod wire;
mod wish;

pub use answers::ServerWords;
pub use failover::Refusal;
pub use nodes::{ActionAnswer, HttpReply, Started};
pub use pd::{
    GetGcSafePointResponse, GetMembersResponse, HeaderError, MemberMessage, ResponseHeader, Timestamp, TsoResponse,
    UpdateServiceGcSafePointResponse,
};
pub use settings::{LiveSettings, TlsFiles};

use crate::deployment::Deployment;
use crate::downstream::Downstreams;
use crate::error::{Error, Result};
use crate::held::brought_here;
use crate::interrupt::Interrupt;
use crate::node_control::NodeControl;
use crate::secret::{IV_LENGTH, Secret, encrypt};
use crate::world::{
    Answer, Ask, Change, Console, Fence, LockHolder, LockRequest, Notices, Read, Request, Runs, SecretPrompt, World,
};
use cluster::LiveCluster;
use runtime::Runtime;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The environment variable that holds the key of `encrypt`.
const SECRET_KEY: &str = "BINLOG_SECRET_KEY";

/// Reads what a deployment tool knows of the cluster.
pub type ReadsDeployment = Box<dyn Fn() -> Result<Deployment> + Send>;

/// A real cluster as a [`World`].
pub struct Live {
    settings: LiveSettings,
    notices: Notices,
    interrupt: Interrupt,
    console: Option<Box<dyn Console>>,
    programs: bool,
    /// The variables that no program inherits, beside ours.
    kept_back: Vec<String>,
    node_control: Option<NodeControl>,
    /// Where Drainers save how far they have come, and how to log in there.
    downstreams: Downstreams,
    /// Lists the runs of this user, for whoever asks.
    runs: Option<Runs>,
    /// Reads what a deployment tool knows of the cluster.
    deployment: Option<ReadsDeployment>,
    engine: Option<Engine>,
    clocks: clock::HostClocks,
}

/// What the first request to the network starts.
struct Engine {
    runtime: Runtime,
    cluster: Arc<LiveCluster>,
}

impl Live {
    /// The cluster of `settings`. Connects nothing, reads nothing, starts nothing.
    ///
    /// `notices` are told of every exchange; `interrupt` ends whatever is under way; questions go to the `console`, and
    /// are refused without one.
    pub fn new(
        settings: LiveSettings,
        notices: Notices,
        interrupt: Interrupt,
        console: Option<Box<dyn Console>>,
    ) -> Self {
        Self {
            settings,
            notices,
            interrupt,
            console,
            programs: false,
            kept_back: Vec::new(),
            node_control: None,
            downstreams: Downstreams::default(),
            runs: None,
            deployment: None,
            engine: None,
            clocks: clock::HostClocks::start(),
        }
    }

    /// It hands on what `runs` lists.
    #[must_use]
    pub fn with_runs(mut self, runs: Runs) -> Self {
        self.runs = Some(runs);
        self
    }

    /// It hands on what `reads` finds in the file of a deployment tool, each time anew.
    #[must_use]
    pub fn with_deployment(mut self, reads: ReadsDeployment) -> Self {
        self.deployment = Some(reads);
        self
    }

    /// Whether it runs programs (`--allow-exec`); otherwise it refuses each.
    #[must_use]
    pub fn allow_exec(mut self, allowed: bool) -> Self {
        self.programs = allowed;
        self
    }

    /// No program inherits these variables, unless it is to get them by their names.
    #[must_use]
    pub fn keep_back(mut self, variables: Vec<String>) -> Self {
        self.kept_back = variables;
        self
    }

    /// What starts and stops the processes of nodes, if anything does.
    #[must_use]
    pub fn with_node_control(mut self, control: Option<NodeControl>) -> Self {
        self.node_control = control;
        self
    }

    /// Where Drainers save how far they have come, and how to log in there.
    #[must_use]
    pub fn with_downstreams(mut self, downstreams: Downstreams) -> Self {
        self.downstreams = downstreams;
        self
    }

    /// Does `work` on the network's thread.
    fn run<T, F, W>(&mut self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<LiveCluster>) -> W,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        if self.engine.is_none() {
            if let Some(console) = &mut self.console {
                self.settings.open_key(console.as_mut())?;
            }
            let cluster =
                Arc::new(LiveCluster::new(self.settings.clone(), self.notices.clone(), self.interrupt.clone())?);
            self.engine = Some(Engine { runtime: Runtime::start()?, cluster });
        }
        match &self.engine {
            Some(engine) => engine.runtime.run(&self.interrupt, work(engine.cluster.clone())),
            None => Err(Error::internal("the network's thread is gone")),
        }
    }

    /// Does a change on the network's thread. Interrupted after it was sent, the error says that it may have happened.
    fn change<T, F, W>(&mut self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(Arc<LiveCluster>, Sent) -> W,
        W: Future<Output = Result<T>> + Send + 'static,
    {
        let sent = Sent::default();
        let marks = sent.clone();
        let result = self.run(move |cluster| work(cluster, marks));
        result.map_err(|error| match (error.signal, sent.look()) {
            (Some(_), Some(how)) => {
                let message = format!("{}; the request was under way: whether it happened is not known", error.message);
                Error { message, ..error }.hint(how)
            }
            _ => error,
        })
    }

    /// Takes the maintenance lock, or makes sure that the one of `fence` is still ours.
    fn lock(&mut self, holder: LockHolder, wait: Option<Duration>, fence: Option<Fence>) -> Result<Answer> {
        self.run(move |cluster| async move {
            cluster.hold.is_of(&holder);
            match fence {
                Some(fence) => cluster.lock.confirm(&fence).await.map(|()| Answer::Locked(fence)),
                None => cluster.lock.take(&holder, wait).await.map(Answer::Locked),
            }
        })
    }

    /// Gives the maintenance lock back, even when we are to stop.
    fn unlock(&mut self) -> Result<()> {
        match &self.engine {
            Some(Engine { runtime, cluster }) if cluster.lock.is_held() => {
                let cluster = cluster.clone();
                runtime.run(&Interrupt::default(), async move { cluster.lock.give_back().await })
            }
            _ => Ok(()),
        }
    }

    fn read(&mut self, read: &Read) -> Result<Answer> {
        match read {
            Read::Now => Ok(self.clocks.now()),
            Read::Supervisors { nodes } => self.supervisors(nodes),
            Read::Sleep { time } => clock::wait(*time, &self.interrupt).map(|()| Answer::Done),
            Read::ReadSavepoint { dir } => files::read_savepoint(dir).map(Answer::Text),
            Read::Runs => Ok(Answer::Runs(self.runs.as_ref().map_or_else(|| Ok(Vec::new()), |runs| runs())?)),
            Read::Checkpoint { node } => self.checkpoint(node),
            Read::Replication { nodes } => self.replication(nodes),
            Read::Deployment => self.known_deployment().map(Answer::Deployment),
            Read::HasKey => Ok(Answer::Flag(secret_key()?.is_some())),
            Read::Nodes
            | Read::Changes { .. }
            | Read::Events { .. }
            | Read::Probe { .. }
            | Read::Status { .. }
            | Read::CommitTs { .. }
            | Read::Metrics { .. }
            | Read::Inspect { .. }
            | Read::PumpDrainers { .. }
            | Read::BinlogAt { .. }
            | Read::Tidbs
            | Read::TidbBinlog { .. }
            | Read::Cluster
            | Read::Endpoints
            | Read::Alarms
            | Read::GcSafePoints
            | Read::Changefeeds
            | Read::Certificates { .. }
            | Read::LockStatus
            | Read::Tso => {
                let read = read.clone();
                self.run(|cluster| async move { cluster.read(read).await })
            }
        }
    }

    fn known_deployment(&self) -> Result<Option<Box<Deployment>>> {
        self.deployment.as_ref().map(|reads| reads().map(Box::new)).transpose()
    }

    fn carry_out(&mut self, change: &Change, fence: Option<&Fence>) -> Result<Answer> {
        match change {
            Change::WriteSavepoint { dir, content } => files::write_savepoint(dir, content).map(|()| Answer::Done),
            Change::Encrypt { text } => encrypt_with_own_key(text).map(Answer::Text),
            Change::Manual(task) => self.manual(task).map(|()| Answer::Done),
            Change::Control(control) => self.control(control, fence),
            Change::Exec(exec) => self.exec(exec),
            Change::Act { .. }
            | Change::TriggerGc { .. }
            | Change::RecoverTidb { .. }
            | Change::SwapRecord { .. }
            | Change::DeleteRecord { .. }
            | Change::HoldGc { .. }
            | Change::ReleaseGc { .. }
            | Change::BreakLock { .. } => {
                let (change, fence) = (change.clone(), fence.cloned());
                self.change(|cluster, sent| async move { cluster.change(change, fence, sent).await })
            }
        }
    }

    fn console(&mut self, what: &str, hint: &str) -> Result<&mut Box<dyn Console>> {
        let nobody = || Error::refused(format!("there is no terminal to {what}")).hint(hint);
        self.console.as_mut().ok_or_else(nobody)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Nobody can be told; its lease ends a lock that could not be given back.
        let _ = self.unlock();
    }
}

#[warn(clippy::wildcard_enum_match_arm, reason = "a new request is decided on here")]
impl World for Live {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        brought_here(|| self.answer(request, fence))
    }
}

impl Live {
    /// Whoever relies on a hold that was lost goes no further.
    fn still_held(&self, request: &Request) -> Result<()> {
        match &self.engine {
            Some(engine) if request.relies_on_hold() => engine.cluster.hold.check(),
            Some(_) | None => Ok(()),
        }
    }

    fn answer(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        self.still_held(request)?;
        match request {
            Request::Read(read) => self.read(read),
            Request::Change(change) => self.carry_out(change, fence),
            Request::Ask(Ask::Question(question)) => {
                let hint = "run it in a terminal, or pass --yes";
                self.console("ask on", hint)?.ask(question).map(Answer::Chosen)
            }
            Request::Ask(Ask::Secret(SecretPrompt { prompt })) => {
                let hint = "give the text on standard input";
                self.console("read a secret from", hint)?.secret(prompt).map(Answer::Secret)
            }
            Request::Lock(LockRequest::Take { holder, wait }) => self.lock(holder.clone(), *wait, fence.cloned()),
            Request::Lock(LockRequest::GiveBack) => self.unlock().map(|()| Answer::Done),
            Request::WaitOver => Err(Error::internal("the end of a wait is the session's own affair")),
            Request::Play(_) => Err(Error::invalid("only a sandbox can be played with: this is a real cluster")
                .hint("open a sandbox with `binlogsh --sandbox`")),
        }
    }
}

/// Whether a change was sent, and if so how to find out what became of it.
#[derive(Clone, Default)]
struct Sent(Arc<Mutex<Option<String>>>);

impl Sent {
    /// From now on it may happen; `look` says how to find out.
    fn mark(&self, look: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(look);
    }

    fn look(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The encryption key of our own, if one is set.
fn secret_key() -> Result<Option<String>> {
    match std::env::var(SECRET_KEY) {
        Ok(key) => Ok(Some(key).filter(|key| !key.is_empty())),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Error::invalid(format!("{SECRET_KEY} is not text")).hint("set it to 32, 48 or 64 hexadecimal digits"))
        }
    }
}

fn encrypt_with_own_key(text: &Secret) -> Result<String> {
    let mut iv = [0; IV_LENGTH];
    getrandom::fill(&mut iv).map_err(|e| Error::local("the system gives no random bytes").source(e))?;
    encrypt(secret_key()?.as_deref(), iv, text)
}
