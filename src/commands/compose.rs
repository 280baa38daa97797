//! Puts the parts together: which world, which journal, which policy. A mode is a choice made here and nowhere else.

use crate::cli::{Global, ParamSources, Rehearse};
use crate::commands::runs::summaries;
use crate::commands::whereabouts::Profiles;
use crate::config::{DeployedClusters, ProfileSettings};
use crate::error::{Error, ErrorKind, Result};
use crate::interrupt::Interrupt;
use crate::journal::{Journal, Memory};
use crate::live::{self, Live, clock::Stopwatch};
use crate::node::{Kind, Record};
use crate::output::Output;
use crate::policy::{AskOperator, Follow, Followed, Permits, Planned, Policy, Production, ReadOnly, Warn, Within, Yes};
use crate::rehearsal::Snapshot;
use crate::secret::{IV_LENGTH, Secret};
use crate::session::{LockPlan, LockSpan, Parts, Session};
use crate::sim::{Cluster, Scenario, Simulated};
use crate::text::Untrusted;
use crate::time::{parse_duration, show_seconds};
use crate::world::{Answer, Change, Console, Fence, LockHolder, Notice, Notices, Progress, Request, World, read};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What every session of this process shares.
#[derive(Clone)]
pub(super) struct CommandContext {
    /// What the command line says.
    pub global: Global,
    /// What flags, environment and profile come to.
    pub settings: ProfileSettings,
    /// The terminal.
    pub output: Output,
    /// The wish that we stop.
    pub interrupt: Interrupt,
    /// What passes on its way to the world, where somebody completes with it.
    pub seen: Option<Seen>,
    /// The world of all sessions, where they have one: a sandbox whose prompt runs scripts.
    pub shared: Option<SharedSandbox>,
    /// The variables of the environment that no program of a script inherits, since a secret was taken from them.
    pub kept_back: Vec<String>,
}

impl CommandContext {
    /// What the command line and the settings come to.
    pub(super) fn new(global: Global, settings: ProfileSettings, output: Output, interrupt: Interrupt) -> Self {
        Self { global, settings, output, interrupt, seen: None, shared: None, kept_back: Vec::new() }
    }

    /// The same for a script that takes parameters from `sources`.
    pub(super) fn keeping_back(&self, sources: &ParamSources) -> Self {
        Self { kept_back: sources.env.iter().map(|(_, variable)| variable.clone()).collect(), ..self.clone() }
    }

    /// A command line of ours about the same cluster, as it is typed.
    pub(super) fn typed(&self, command: &str) -> String {
        format!("binlogsh{} {command}", self.global.cluster_options())
    }
}

/// What was seen of the nodes and of secrets, shared by the world that lists them and the prompt that completes them.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// Every node, by kind and id.
    pub nodes: BTreeSet<(Kind, String)>,
    /// Changes with the nodes.
    pub version: u64,
    /// The texts that were encrypted.
    pub secrets: Vec<String>,
}

/// A witness, for several threads.
pub(super) type Seen = Arc<Mutex<Witness>>;

/// A world that keeps the nodes that it lists, and the texts that it encrypts.
struct Remembering {
    world: Box<dyn World>,
    seen: Seen,
}

impl World for Remembering {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        let answer = self.world.apply(request, fence);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Request::Change(Change::Encrypt { text: Secret::Plain(text) }) = request {
            seen.secrets.push(text.clone());
        }
        if let Ok(Answer::Listing(listing)) = &answer {
            let node = |record: &Record| (record.node.kind, record.node.id.as_str().to_owned());
            let unseen: Vec<_> = listing.records.iter().map(node).filter(|node| !seen.nodes.contains(node)).collect();
            seen.version += u64::from(!unseen.is_empty());
            seen.nodes.extend(unseen);
        }
        answer
    }
}

/// One world for several sessions, one after the other.
#[derive(Clone)]
pub(super) struct Shared(Rc<RefCell<dyn World>>);

impl World for Shared {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        self.0.borrow_mut().apply(request, fence)
    }
}

/// The sandbox of a prompt and of whatever runs from it.
#[derive(Clone)]
pub(super) struct SharedSandbox(Rc<RefCell<Simulated>>);

impl SharedSandbox {
    fn world(&self) -> Shared {
        Shared(self.0.clone())
    }

    /// The cluster as it stands now; it does not notice.
    fn copy(&self) -> Result<Cluster> {
        // What nobody asked for a while learns with the next request how much time has passed.
        let world: &mut dyn World = &mut self.world();
        world.ask(read::Now)?;
        Ok(self.0.borrow().cluster().clone())
    }
}

/// The one world of a sandbox's prompt; `None` on a real cluster, where every session has a connection of its own.
pub(super) fn shared_world(context: &CommandContext) -> Result<Option<SharedSandbox>> {
    let Some(name) = &context.global.sandbox else { return Ok(None) };
    Ok(Some(SharedSandbox(Rc::new(RefCell::new(sandbox(context, name)?)))))
}

/// The nodes of a sandbox as it begins.
pub(super) fn sandbox_nodes(name: &str) -> Result<BTreeSet<(Kind, String)>> {
    let scenario = scenario(name)?;
    let pumps = scenario.pumps.iter().map(|pump| (Kind::Pump, pump.id.clone()));
    Ok(pumps.chain(scenario.drainers.iter().map(|drainer| (Kind::Drainer, drainer.id.clone()))).collect())
}

/// What a session is for, as others who want the maintenance lock are told.
#[derive(Clone, Debug)]
pub(super) struct Work<'a> {
    span: LockSpan,
    script: Option<&'a str>,
    run: Option<String>,
}

impl<'a> Work<'a> {
    /// A script of this name, which keeps the lock to its end, as the run of this id.
    pub(super) fn script(name: &'a str, run: Option<String>) -> Self {
        Self { span: LockSpan::Session, script: Some(name), run }
    }

    /// Lines that somebody types, each change on its own, as the run of this id.
    pub(super) fn lines(run: Option<String>) -> Self {
        Self { span: LockSpan::Change, script: None, run }
    }
}

/// A session for a person or a script: it asks before harm.
pub(super) fn session(
    context: &CommandContext,
    work: Work<'_>,
    journal: Box<dyn Journal>,
) -> Result<Rc<RefCell<Session>>> {
    // A script waits for what it begins where it likes.
    let notices = match work.script {
        Some(_) => of_a_script(context.output.notices()),
        None => context.output.notices(),
    };
    assemble(context, lock_plan(context, work), (journal, notices), policy(context)?)
}

/// A session for work at which nobody sits: what is odd is told, and not how far it is.
pub(super) fn unattended_session(context: &CommandContext, work: Work<'_>) -> Result<Rc<RefCell<Session>>> {
    let heard = context.output.notices();
    let notices: Notices = Arc::new(move |notice| {
        if !matches!(notice, Notice::Progress(_) | Notice::ProgressEnd | Notice::Sleeping(_)) {
            heard(notice);
        }
    });
    let journal = Box::new(Memory::of_changes());
    assemble(context, lock_plan(context, work), (journal, notices), policy(context)?)
}

/// What people hear of a script, or of a command.
fn of_a_script(heard: Notices) -> Notices {
    Arc::new(move |notice| {
        if !matches!(notice, Notice::Begun(_)) {
            heard(notice);
        }
    })
}

/// A session in which only these effects can happen, in this order; and how far it has come.
pub(super) fn planned_session(
    context: &CommandContext,
    work: Work<'_>,
    journal: Box<dyn Journal>,
    effects: Vec<Planned>,
) -> Result<(Rc<RefCell<Session>>, Followed)> {
    let policy = Follow::new(effects, policy(context)?);
    let progress = policy.progress();
    let heard = (journal, of_a_script(context.output.notices()));
    Ok((assemble(context, lock_plan(context, work), heard, Box::new(policy))?, progress))
}

/// Whether a session may run programs. In a sandbox nothing is ever run.
pub(super) fn may_exec(context: &CommandContext) -> bool {
    context.global.allow_exec || context.global.sandbox.is_some()
}

/// Whether a session may start and stop nodes: where nobody is asked, only if that was said.
pub(super) fn may_control_nodes(context: &CommandContext) -> bool {
    let Global { allow_node_control, sandbox, yes, .. } = &context.global;
    *allow_node_control || sandbox.is_some() || yes.is_none()
}

/// Who decides for a person or a script.
pub(super) fn policy(context: &CommandContext) -> Result<Box<dyn Policy>> {
    let policy: Box<dyn Policy> = match (context.global.read_only, &context.global.yes) {
        (true, _) => Box::new(ReadOnly),
        (false, Some(_)) => in_its_place(context, Box::new(Yes { notices: context.output.notices() }))?,
        (false, None) => in_its_place(context, Box::new(AskOperator::default()))?,
    };
    let permits = Permits { programs: may_exec(context), node_control: may_control_nodes(context) };
    Ok(Box::new(Within { permits, inner: policy }))
}

/// A session for `ctl`: it warns, and refuses where binlog may be lost.
pub(super) fn ctl_session(
    context: &CommandContext,
    work: Work<'_>,
    journal: Box<dyn Journal>,
) -> Result<Rc<RefCell<Session>>> {
    let policy: Box<dyn Policy> = match context.global.read_only {
        true => Box::new(ReadOnly),
        false => in_its_place(context, Box::new(Warn { notices: context.output.notices() }))?,
    };
    assemble(context, lock_plan(context, work), (journal, of_a_script(context.output.notices())), policy)
}

/// A policy that first finds out whose cluster it is, where there are profiles and the cluster is real.
fn in_its_place(context: &CommandContext, policy: Box<dyn Policy>) -> Result<Box<dyn Policy>> {
    if context.global.sandbox.is_some() {
        return Ok(policy);
    }
    let yes = context.global.yes.clone();
    if let Some(named) = &yes {
        covers(&context.settings, named.as_deref())?;
    }
    Ok(match Profiles::of(&context.settings, context.output.notices())? {
        Some(profiles) => Box::new(Production::new(Box::new(profiles), yes, policy)),
        None => policy,
    })
}

/// How the maintenance lock is taken; not at all where nothing can be changed. A sandbox has one of its own.
pub(super) fn lock_plan(context: &CommandContext, work: Work<'_>) -> Option<LockPlan> {
    let Work { span, script, run } = work;
    let holder = LockHolder {
        user: live::host::user().into(),
        host: live::host::name().into(),
        pid: std::process::id(),
        run: run.map(Untrusted::from),
        script: script.map(Untrusted::from),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    (!context.global.read_only).then_some(LockPlan {
        holder,
        wait: context.settings.wait_lock,
        span,
        predecessor: None,
    })
}

/// What there is of a run that goes on.
pub(super) struct Resumed {
    /// Where it goes on: the world in which it was found out how things stand.
    pub world: Box<dyn World>,
    /// Its journal, which gives back what it has first.
    pub journal: Box<dyn Journal>,
    /// How it takes the maintenance lock.
    pub lock: Option<LockPlan>,
    /// Whether people see what it does: not while it only does again what its journal has.
    pub shows: Arc<AtomicBool>,
}

/// A session that goes on with a script's run.
pub(super) fn resumed_session(context: &CommandContext, resumed: Resumed) -> Result<Rc<RefCell<Session>>> {
    let Resumed { world, journal, lock, shows } = resumed;
    let heard = of_a_script(context.output.notices());
    let notices: Notices = Arc::new(move |notice| {
        if shows.load(Ordering::Relaxed) {
            heard(notice);
        }
    });
    let (policy, interrupt) = (policy(context)?, context.interrupt.clone());
    Ok(Rc::new(RefCell::new(Session::new(Parts { world, journal, policy, notices, interrupt, lock }))))
}

/// The world that the command line means. Connects nothing.
pub(super) fn world(context: &CommandContext) -> Result<Box<dyn World>> {
    Ok(match (&context.shared, &context.global.sandbox) {
        (Some(shared), _) => Box::new(shared.world()),
        (None, Some(name)) => Box::new(sandbox(context, name)?),
        (None, None) => Box::new(cluster(context)?),
    })
}

fn assemble(
    context: &CommandContext,
    lock: Option<LockPlan>,
    (journal, notices): (Box<dyn Journal>, Notices),
    policy: Box<dyn Policy>,
) -> Result<Rc<RefCell<Session>>> {
    let world = world(context)?;
    let world = match context.seen.clone() {
        Some(seen) => Box::new(Remembering { world, seen }),
        None => world,
    };
    let interrupt = context.interrupt.clone();
    Ok(Rc::new(RefCell::new(Session::new(Parts { world, journal, policy, notices, interrupt, lock }))))
}

/// The real cluster that the settings name. Connects nothing.
fn cluster(context: &CommandContext) -> Result<Live> {
    let console = context.output.console(context.interrupt.clone());
    let live = live(&context.settings, context.output.notices(), context.interrupt.clone(), Some(console))?;
    let live = live.allow_exec(context.global.allow_exec).with_node_control(context.settings.node_control.clone());
    let live = live.keep_back(context.kept_back.clone());
    Ok(live.with_runs(Box::new(summaries)))
}

/// The real cluster that the settings name, with what tiup knows of it.
fn live(
    settings: &ProfileSettings,
    notices: Notices,
    interrupt: Interrupt,
    console: Option<Box<dyn Console>>,
) -> Result<Live> {
    let live = Live::new(live_settings(settings)?, notices, interrupt, console);
    let live = live.with_downstreams(settings.downstreams.clone());
    Ok(match settings.deployment.clone() {
        Some(known) => live.with_deployment(Box::new(move || DeployedClusters::read_again(&known))),
        None => live,
    })
}

/// How the cluster that the settings name is gone to. A cluster that was named and cannot be found is an error here, and no
/// sooner: a sandbox and whatever looks at files only have no need of it.
pub(super) fn live_settings(settings: &ProfileSettings) -> Result<live::LiveSettings> {
    let ProfileSettings { pd_urls, ca, cert, key, key_password, proxy, addresses, timeout, unread, .. } =
        settings.clone();
    match unread {
        Some(error) => Err(error),
        None => {
            let tls = live::TlsFiles::new(ca, cert, key)?.map(|files| files.opened_by(key_password));
            let settings = live::LiveSettings::new(&pd_urls, tls)?;
            settings.reached_by(addresses, proxy).timeout(timeout)
        }
    }
}

/// The same cluster for whoever only looks, unheard and on another thread.
pub(super) fn quiet_cluster(settings: &ProfileSettings) -> Result<Live> {
    live(settings, Arc::new(|_| {}), Interrupt::default(), None)
}

/// The world that somebody watches, for several to look at on one thread: the sandbox, or a connection of its own that tells
/// nobody of its exchanges. `interrupt` ends whatever it waits for.
pub(super) fn world_to_watch(context: &CommandContext) -> Result<Shared> {
    if let Some(shared) = &context.shared {
        return Ok(shared.world());
    }
    Ok(match &context.global.sandbox {
        Some(name) => Shared(Rc::new(RefCell::new(sandbox(context, name)?))),
        None => {
            let live = live(&context.settings, Arc::new(|_| {}), context.interrupt.clone(), None)?;
            Shared(Rc::new(RefCell::new(live)))
        }
    })
}

/// A session that only looks, at a world that others look at as well; people see what goes to `notices`.
pub(super) fn looking_session(world: Shared, interrupt: Interrupt, notices: Notices) -> Rc<RefCell<Session>> {
    let (journal, policy) = (Box::new(Memory::of_changes()), Box::new(ReadOnly));
    Rc::new(RefCell::new(Session::new(Parts {
        world: Box::new(world),
        journal,
        policy,
        notices,
        interrupt,
        lock: None,
    })))
}

/// The nodes of a sandbox, or of the cluster that the settings name if it says in their time which it has; for whoever is not
/// even heard.
pub(super) fn node_names(sandbox: Option<&str>, settings: Option<ProfileSettings>) -> Option<BTreeSet<(Kind, String)>> {
    if let Some(name) = sandbox {
        return sandbox_nodes(name).ok();
    }
    let world: &mut dyn World = &mut quiet_cluster(&settings?).ok()?;
    let listing = world.ask(read::Nodes).ok()?;
    Some(listing.records.into_iter().map(|record| (record.node.kind, record.node.id.into())).collect())
}

/// Tells a person on which cluster they work. Programs that read JSON know what they asked for.
///
/// Nobody is asked for it: whether the cluster answers is seen at the first look, and a prompt that waited for that would
/// not open when it is needed most.
pub(super) fn announce(context: &CommandContext) {
    if context.output.format().is_for_programs() {
        return;
    }
    if let Some(name) = &context.global.sandbox {
        return context
            .output
            .remark(&format!("simulated cluster `{name}`: nothing outside changes, no file is written"));
    }
    let settings = &context.settings;
    // What keeps us from going there is said by whoever goes.
    if settings.unread.is_some() {
        return;
    }
    let deployment = settings.deployment.as_ref();
    let named = deployment.map_or(String::new(), |deployment| format!(", `{}` of tiup", deployment.name));
    let profile = settings.profile.as_ref().filter(|_| settings.is_of_profile);
    let profile = profile.map_or(String::new(), |name| format!(", profile `{name}`"));
    let production = if settings.production && settings.is_of_profile { " marked production" } else { "" };
    let mode = if context.global.read_only { ", read-only" } else { "" };
    let urls = settings.pd_urls.join(", ");
    context.output.remark(&format!("cluster of PD at {urls}{named}{profile}{production}{mode}"));
    if let Some(deployment) = deployment.filter(|deployment| deployment.unfinished_scale_out) {
        let name = &deployment.name;
        context.output.warning(&format!(
            "a scale-out of `{name}` has begun and not ended: what tiup knows may lack nodes, and its other commands refuse until \
             `tiup cluster scale-out {name} --stage2`"
        ));
    }
}

/// A simulated cluster in which real time passes while nobody asks anything.
fn sandbox(context: &CommandContext, name: &str) -> Result<Simulated> {
    let scenario = scenario(name)?;
    let mut random = [0; IV_LENGTH];
    getrandom::fill(&mut random).map_err(|e| Error::local("the system gives no random bytes").source(e))?;
    let mut watch = Stopwatch::start();
    let elapsed = move || std::mem::replace(&mut watch, Stopwatch::start()).elapsed();
    Ok(Simulated::new(&scenario)?
        .with_console(context.output.console(context.interrupt.clone()))
        .with_real_time(Box::new(elapsed))
        .with_secret_key(std::env::var("BINLOG_SECRET_KEY").ok())
        .with_random(random)
        .with_interrupt(context.interrupt.clone()))
}

/// The cluster that a rehearsal takes place on: a snapshot that was kept, a sandbox as it begins or as a prompt has it now, or
/// the real one as it is now.
/// Nothing that reaches the real one is left afterwards.
pub(super) fn scenario_to_rehearse(context: &CommandContext, args: &Rehearse) -> Result<Scenario> {
    if let Some(file) = &args.snapshot {
        return Snapshot::read(file).map(|snapshot| snapshot.scenario);
    }
    let observe = || {
        parse_duration(&args.observe)
            .map_err(|error| Error { message: format!("--observe: {}", error.message), ..error })
    };
    let snapshot = match (&context.shared, &context.global.sandbox) {
        (Some(shared), Some(name)) => Snapshot::of_sandbox(shared.copy()?, &scenario(name)?, observe()?)?,
        (_, Some(name)) => Snapshot { scenario: scenario(name)? },
        (_, None) => look_at_it(context, observe()?)?,
    };
    if let Some(file) = &args.save_snapshot {
        keep(&snapshot, file)?;
    }
    Ok(snapshot.scenario)
}

/// Keeps a snapshot, but never in the place of another cluster's: whoever rehearses on that file means its cluster.
fn keep(snapshot: &Snapshot, file: &Path) -> Result<()> {
    let old = file.is_file().then(|| Snapshot::read(file)).and_then(Result::ok);
    if let Some(Err(error)) = old.map(|old| old.scenario.check_cluster(snapshot.scenario.cluster_id)) {
        let message = format!("the snapshot {} is not overwritten: {}", file.display(), error.message);
        return Err(Error::new(ErrorKind::Conflict, message).hint("name another file, or delete that one first"));
    }
    snapshot.save(file)
}

/// A snapshot of the real cluster, and a word about why that takes a while.
fn look_at_it(context: &CommandContext, observe: Duration) -> Result<Snapshot> {
    let notices = context.output.notices();
    let length = show_seconds(observe.as_secs_f64());
    let progress =
        Progress { seen: format!("its nodes are watched for {length}"), ..Progress::of("looking at the cluster") };
    notices(Notice::Progress(progress.after(Duration::ZERO, observe)));
    let snapshot = Snapshot::take(&mut cluster(context)?, observe);
    notices(Notice::ProgressEnd);
    snapshot
}

/// The sample called `name`, or the scenario in the file `name`.
fn scenario(name: &str) -> Result<Scenario> {
    let path = Path::new(name);
    let is_file = path.is_file() || name.contains('/') || path.extension().is_some_and(|ending| ending == "json");
    if !is_file {
        return Scenario::named(name);
    }
    let text = super::read_text(path)?;
    Scenario::parse(&text).map_err(|error| Error { message: format!("{name}: {}", error.message), ..error })
}

/// In a profile marked `production` a yes must name it. (That it names no other is made sure of before.)
fn covers(settings: &ProfileSettings, named: Option<&str>) -> Result<()> {
    match &settings.profile {
        Some(profile) if settings.production && settings.is_of_profile && named.is_none() => Err(Error::new(
            ErrorKind::Refused,
            format!("the profile `{profile}` is marked production: --yes must name it"),
        )
        .hint(format!("if you mean it: --yes={profile}"))),
        _ => Ok(()),
    }
}
