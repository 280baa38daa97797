//! Who looks while a view is drawn: a thread with a connection of its own, or, in a sandbox, whoever draws.

use super::away::{Away, on_a_thread};
use crate::commands::compose::{CommandContext, Shared, looking_session, world_to_watch};
use crate::commands::doctor;
use crate::commands::evaluate::language_settings;
use crate::error::{Error, Result, ScriptError};
use crate::interrupt::Interrupt;
use crate::language::{Ending, Interpreter};
use crate::live::clock::Stopwatch;
use crate::node::NodeRef;
use crate::value::Value;
use crate::watch::{Picture, ViewWish, WatchedCluster, node_call};
use crate::world::{World, read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::Duration;

/// How often a new picture is told.
const TURN: Duration = Duration::from_millis(500);

/// What whoever draws is told.
pub(super) enum Told {
    /// What is known by now.
    Picture(Box<Picture>),
    /// A node was asked and answered so, or can be asked again in so many seconds.
    Asked { node: NodeRef, answer: Result<String, f64> },
    /// Something to be said.
    Said(String),
    /// Something to be shown on a page of its own.
    Shown { title: String, value: Value },
    /// What somebody wanted failed.
    Failed { what: String, error: Error },
}

/// Somebody who looks.
pub(super) trait Lookout {
    /// What there is to be told since the last time; virtual time runs at `speed`.
    ///
    /// # Errors
    /// `interrupted`, `internal`.
    fn told(&mut self, speed: u32) -> Result<Vec<Told>>;

    /// Does something for whoever watches; what comes of it is told.
    ///
    /// # Errors
    /// Those of [`Lookout::told`].
    fn wish(&mut self, wish: ViewWish) -> Result<()>;
}

/// What is said until a wish is granted.
pub(super) fn begun(wish: &ViewWish) -> String {
    match wish {
        ViewWish::Probe(node) => format!("{} is asked", node.id),
        ViewWish::Details(node) => format!("{} is asked what it says of itself", node.id),
        ViewWish::Doctor(node) => format!("doctor looks at {} for some ten seconds", node.id),
    }
}

/// Begins to look.
///
/// # Errors
/// What is wrong with the settings; `local` when there is no thread to be had.
pub(super) fn begin(context: &CommandContext) -> Result<Box<dyn Lookout>> {
    match context.global.sandbox {
        Some(_) => Ok(Box::new(Here {
            looker: Looker::new(world_to_watch(context)?, context.interrupt.clone()),
            last: None,
            told: Vec::new(),
        })),
        None => Ok(Box::new(Elsewhere::begin(context)?)),
    }
}

/// The world, and what is known of it.
struct Looker {
    world: Shared,
    watched: WatchedCluster,
    interrupt: Interrupt,
    /// Whether doctor is about to ask all nodes, so that nobody else does.
    is_held: bool,
}

impl Looker {
    fn new(world: Shared, interrupt: Interrupt) -> Self {
        Self { world, watched: WatchedCluster::default(), interrupt, is_held: false }
    }

    /// Follows the records for `patience`, and asks the nodes that are due.
    fn turn(&mut self, patience: Duration, tell: &mut dyn FnMut(Told)) -> Result<()> {
        let began = Stopwatch::start();
        loop {
            self.watched.follow(&mut self.world, patience.saturating_sub(began.elapsed()))?;
            let left = patience.saturating_sub(began.elapsed());
            if self.watched.trouble().is_some() {
                (&mut self.world as &mut dyn World).ask(read::Sleep { time: left })?;
                break;
            }
            // What is known already is shown before the nodes are waited for.
            if self.watched.is_new() || left.is_zero() {
                break;
            }
        }
        self.watched.note_lags();
        tell(Told::Picture(Box::new(self.watched.picture())));
        if !self.is_held && self.watched.ask_nodes(&mut self.world)? {
            tell(Told::Picture(Box::new(self.watched.picture())));
        }
        Ok(())
    }

    fn probe(&mut self, node: NodeRef) -> Result<Told> {
        let answer = self.watched.ask_node(&mut self.world, &node)?;
        Ok(Told::Asked { node, answer })
    }
}

/// What a node says of itself, by the language's own functions.
fn details(world: Shared, interrupt: Interrupt, node: &NodeRef) -> Told {
    let session = looking_session(world, interrupt, Arc::new(|_| {}));
    let shown = || -> Result<Ending, ScriptError> {
        Interpreter::new(session, language_settings()?).line_of("<watch>", &details_code(node))
    };
    match shown() {
        Ok(Ending::Value(value)) => Told::Shown { title: node.to_string(), value },
        Ok(Ending::Exit(_)) => Told::Shown { title: node.to_string(), value: Value::Unit },
        Err(error) => Told::Failed { what: format!("{} cannot be shown", node.id), error: error.error },
    }
}

/// What doctor finds about a node.
fn diagnosed(world: Shared, interrupt: Interrupt, node: &NodeRef) -> Told {
    let session = looking_session(world, interrupt, Arc::new(|_| {}));
    match doctor::about(session, &node.id) {
        Ok(value) => Told::Shown { title: format!("doctor: {node}"), value },
        Err(error) => Told::Failed { what: "doctor could not look".into(), error: error.error },
    }
}

/// A script that gathers what a node says: whatever it does not say does not hide the rest.
fn details_code(node: &NodeRef) -> String {
    format!(
        "fn said(question) {{ try {{ return question.call(); }} catch (err) {{ return err.message; }} }}
         fn metric(samples, name) {{ #{{ metric: name, value: samples[name] }} }}
         let node = {};
         let samples = said(|| metrics(node));
         let wanted = [];
         if type_of(samples) == \"map\" {{
             for name in samples.keys() {{
                 if name.starts_with(\"binlog_\") && !name.contains(\"_bucket\") {{ wanted.push(metric(samples, name)); }}
             }}
         }}
         if type_of(samples) == \"map\" && \"process_start_time_seconds\" in samples {{
             samples.process_start_time_seconds = tso_time((samples.process_start_time_seconds * 1000.0).to_int() << 18);
         }}
         let shown = said(|| certificates([node]).filter(|one| one.role == \"server\"));
         #{{ state: node.state, address: node.address, position: said(|| tso_time(node.max_commit_ts)), heartbeat: node.updated,
             started: if type_of(samples) == \"map\" {{ samples.get(\"process_start_time_seconds\") }} else {{ () }}, status: said(|| status(node)), certificates: shown,
             metrics: if wanted.is_empty() {{ said(|| metrics(node).len()) }} else {{ wanted }} }}",
        node_call(node)
    )
}

/// In a sandbox whoever draws looks: its cluster is in this process, and no question takes real time.
struct Here {
    looker: Looker,
    /// Since the last turn.
    last: Option<Stopwatch>,
    told: Vec<Told>,
}

impl Lookout for Here {
    fn told(&mut self, speed: u32) -> Result<Vec<Told>> {
        let passed = self.last.as_ref().map(Stopwatch::elapsed);
        if passed.is_none_or(|passed| passed >= TURN) {
            self.last = Some(Stopwatch::start());
            // Once it runs by itself.
            let time = passed.unwrap_or_default() * speed.saturating_sub(1);
            (&mut self.looker.world as &mut dyn World).ask(read::Sleep { time })?;
            let told = &mut self.told;
            self.looker.turn(Duration::ZERO, &mut |one| told.push(one))?;
        }
        Ok(std::mem::take(&mut self.told))
    }

    fn wish(&mut self, wish: ViewWish) -> Result<()> {
        let told = match wish {
            ViewWish::Probe(node) => self.looker.probe(node)?,
            ViewWish::Details(node) => details(self.looker.world.clone(), self.looker.interrupt.clone(), &node),
            ViewWish::Doctor(node) => {
                let told = diagnosed(self.looker.world.clone(), self.looker.interrupt.clone(), &node);
                self.looker.watched.others_asked(&mut self.looker.world)?;
                told
            }
        };
        self.told.push(told);
        Ok(())
    }
}

/// What the thread is to do.
enum LookoutOrder {
    ViewWish(ViewWish),
    /// Doctor has asked all nodes.
    DoctorIsDone,
}

/// A thread that looks at a real cluster.
struct Elsewhere {
    orders: Sender<LookoutOrder>,
    told: Receiver<Result<Told>>,
    /// Ends what the thread waits for, once nobody watches.
    interrupt: Interrupt,
}

impl Elsewhere {
    fn begin(context: &CommandContext) -> Result<Self> {
        let (orders, ordered) = channel();
        let (tell, told) = channel();
        let (away, back) = (Away::from(context), orders.clone());
        let interrupt = away.interrupt.clone();
        on_a_thread("watch", move || {
            if let Err(error) = look(&away, &ordered, &back, &tell) {
                // Nobody watches any more if this cannot be told.
                let _ = tell.send(Err(error));
            }
        })?;
        Ok(Self { orders, told, interrupt })
    }
}

impl Lookout for Elsewhere {
    fn told(&mut self, _speed: u32) -> Result<Vec<Told>> {
        let mut all = Vec::new();
        loop {
            match self.told.try_recv() {
                Ok(told) => all.push(told?),
                Err(TryRecvError::Empty) => return Ok(all),
                Err(TryRecvError::Disconnected) => return Err(Error::internal("nobody looks at the cluster any more")),
            }
        }
    }

    fn wish(&mut self, wish: ViewWish) -> Result<()> {
        self.orders
            .send(LookoutOrder::ViewWish(wish))
            .map_err(|_| Error::internal("nobody looks at the cluster any more"))
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        self.interrupt.raise(signal_hook::consts::SIGTERM);
    }
}

/// Looks until nobody watches.
fn look(
    away: &Away,
    ordered: &Receiver<LookoutOrder>,
    back: &Sender<LookoutOrder>,
    tell: &Sender<Result<Told>>,
) -> Result<()> {
    let mut looker = Looker::new(world_to_watch(&away.context())?, away.interrupt.clone());
    loop {
        loop {
            match ordered.try_recv() {
                Ok(LookoutOrder::DoctorIsDone) => {
                    looker.is_held = false;
                    looker.watched.others_asked(&mut looker.world)?;
                }
                Ok(LookoutOrder::ViewWish(ViewWish::Doctor(_))) if looker.is_held => {
                    drop(tell.send(Ok(Told::Said("doctor is still at the node before: press d again then".into()))));
                }
                Ok(LookoutOrder::ViewWish(ViewWish::Doctor(node))) => {
                    looker.is_held = true;
                    diagnose(away.clone(), node, back.clone(), tell.clone())?;
                }
                Ok(LookoutOrder::ViewWish(ViewWish::Probe(_))) if looker.is_held => {
                    drop(tell.send(Ok(Told::Said("doctor is about to ask every node".into()))));
                }
                Ok(LookoutOrder::ViewWish(ViewWish::Probe(node))) => drop(tell.send(looker.probe(node))),
                Ok(LookoutOrder::ViewWish(ViewWish::Details(node))) => show(away.clone(), node, tell.clone())?,
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        let mut is_watched = true;
        looker.turn(TURN, &mut |told| is_watched &= tell.send(Ok(told)).is_ok())?;
        if !is_watched {
            return Ok(());
        }
    }
}

/// What a node that hangs says comes after many seconds: on a thread of its own.
fn show(away: Away, node: NodeRef, tell: Sender<Result<Told>>) -> Result<()> {
    on_a_thread("watch-details", move || {
        let told = world_to_watch(&away.context()).map(|world| details(world, away.interrupt.clone(), &node));
        // Nobody watches any more if this cannot be told.
        let _ = tell.send(told);
    })
}

/// Doctor watches for ten seconds before it asks the nodes, on a thread of its own.
fn diagnose(away: Away, node: NodeRef, done: Sender<LookoutOrder>, tell: Sender<Result<Told>>) -> Result<()> {
    on_a_thread("watch-doctor", move || {
        let world = world_to_watch(&away.context());
        let told = world.map(|world| diagnosed(world, away.interrupt.clone(), &node));
        // Nobody watches any more if neither can be told.
        let _ = tell.send(told);
        let _ = done.send(LookoutOrder::DoctorIsDone);
    })
}
