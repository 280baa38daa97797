//! A script and a copy of a cluster, to be played again and again from the same moment.

use crate::error::{Error, Result, ScriptError};
use crate::interrupt::Interrupt;
use crate::journal::{Entry, Memory};
use crate::language::{self, Ending, Interpreter, Prepared, ScriptDoc, Source};
use crate::policy::AskOperator;
use crate::rehearsal::play::Played;
use crate::rehearsal::trace::{Bounds, PlayTrace, SharedTrace, Watched, WitnessedAsking};
use crate::session::{Parts, Session};
use crate::sim::{Cluster, Fault, MINUTE, Scenario, Simulated};
use crate::world::Progress;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

/// How long the cluster goes on after the script has ended, to see what comes of what was done.
pub(super) const AFTERMATH: i64 = MINUTE;

/// A script and a copy of a cluster. Lives on one thread; a clone for another thread is made with [`Stage::new`].
pub struct Stage {
    interpreter: Interpreter,
    prepared: Prepared,
    session: Rc<RefCell<Session>>,
    start: Cluster,
    shared: SharedTrace,
    interrupt: Interrupt,
    keeps_listings: bool,
    draws_lags: bool,
    newcomers: BTreeSet<String>,
}

impl Stage {
    /// The script of `source` before the cluster of `scenario`, at its start.
    ///
    /// # Errors
    /// Those of compiling and of the script's parameters, and `invalid` for a scenario that contradicts itself.
    pub fn new(
        source: &Source,
        settings: language::ScriptSettings,
        scenario: &Scenario,
        interrupt: Interrupt,
    ) -> Result<Self, ScriptError> {
        let start = Cluster::new(scenario)?;
        let shared = SharedTrace::default();
        let session = before_the_play(&start, &shared, &interrupt);
        let mut interpreter = Interpreter::new(Rc::clone(&session), settings);
        let prepared = interpreter.prepare(source)?;
        let (keeps_listings, draws_lags, newcomers) = Default::default();
        Ok(Self { interpreter, prepared, session, start, shared, interrupt, keeps_listings, draws_lags, newcomers })
    }

    /// What the script says of itself.
    ///
    /// # Errors
    /// Those of compiling it.
    pub fn describe(source: &Source) -> Result<ScriptDoc, ScriptError> {
        let nothing = Cluster::new(&Scenario::named("empty")?)?;
        let session = before_the_play(&nothing, &SharedTrace::default(), &Interrupt::default());
        Interpreter::new(session, language::ScriptSettings::default()).describe(source)
    }

    /// The same, keeping the last listing before each change as well, for a plan.
    #[must_use]
    pub(crate) fn keeping_listings(mut self) -> Self {
        self.keeps_listings = true;
        self
    }

    /// The same, noting how far behind each Drainer is, for curves.
    #[must_use]
    pub(crate) fn drawing_lags(mut self) -> Self {
        self.draws_lags = true;
        self
    }

    /// `source`, which was played here, without the secrets that stand in it: as it may be kept and shown.
    pub(crate) fn without_secrets(&self, source: &Source) -> Source {
        self.interpreter.without_secrets(source)
    }

    /// The cluster at the start.
    pub fn start(&self) -> &Cluster {
        &self.start
    }

    /// Nodes of these ids may come while the script is played: faults can happen to them as well.
    pub fn expect(&mut self, newcomers: BTreeSet<String>) {
        self.newcomers = newcomers;
    }

    /// Plays the script from the beginning, with these faults, within `bounds`.
    ///
    /// # Errors
    /// `interrupted` when somebody wants us to stop; `invalid` or `not_found` when a fault can happen to nobody.
    pub fn play(&mut self, faults: &[Fault], bounds: Bounds) -> Result<Played> {
        self.interrupt.check()?;
        let mut cluster = self.start.clone();
        for fault in faults {
            match fault.node.as_ref().is_some_and(|id| self.newcomers.contains(id.as_str())) {
                true => cluster.add_fault_to_come(fault.clone()),
                false => cluster.add_fault(fault.clone())?,
            }
        }
        let world = Simulated::from_cluster(cluster).with_interrupt(self.interrupt.clone()).until(bounds.time);
        let world = Rc::new(RefCell::new(world));
        let journal = Rc::new(RefCell::new(match self.keeps_listings {
            true => Memory::of_changes_and_listings(),
            false => Memory::of_changes(),
        }));
        *self.shared.open() = PlayTrace { draws_lags: self.draws_lags, ..PlayTrace::default() };
        *self.session.borrow_mut() =
            parts(Rc::clone(&world), &self.shared, bounds, &self.interrupt, Rc::clone(&journal));
        let ending = self.interpreter.play(&self.prepared);
        // Its words belong to this play: the session itself goes when the next one begins.
        self.session.borrow_mut().tell_of_hold();
        self.interrupt.check()?;
        let entries = journal.borrow().entries().to_vec();
        Ok(self.played(ending, &world, entries))
    }

    fn played(&self, ending: Result<Ending, ScriptError>, world: &RefCell<Simulated>, entries: Vec<Entry>) -> Played {
        let trace = std::mem::take(&mut *self.shared.open());
        let at_end = world.borrow().cluster().clone();
        let mut after = at_end.clone();
        after.cancel_faults();
        after.advance_to(at_end.now().saturating_add(AFTERMATH));
        let is_over = trace.over.is_some();
        let waits_for = trace.over.as_ref().and(trace.waits_for);
        let ending = match (ending, trace.over) {
            (Err(cut), Some(over)) => Err(ScriptError { error: does_not_end(over, waits_for.as_ref()), ..cut }),
            (ending, _) => ending,
        };
        Played {
            at_end,
            after,
            ending,
            is_over,
            waits_for,
            acts: trace.acts,
            said: trace.said,
            asked: trace.asked,
            calls: trace.calls,
            lags: trace.lags,
            entries,
        }
    }
}

/// What a script that went beyond its bounds ended with, for people.
fn does_not_end(error: Error, waits_for: Option<&Progress>) -> Error {
    match waits_for {
        Some(what) => error.hint(format!("it is {what}: give the wait a timeout that somebody would bear")),
        None => error.hint("give the loop an end, or use wait_until, which says what it waits for"),
    }
}

/// A session that nobody has played in yet.
fn before_the_play(start: &Cluster, shared: &SharedTrace, interrupt: &Interrupt) -> Rc<RefCell<Session>> {
    let world = Rc::new(RefCell::new(Simulated::from_cluster(start.clone())));
    let nothing = Bounds { time: 0, calls: 0 };
    Rc::new(RefCell::new(parts(world, shared, nothing, interrupt, Memory::of_changes())))
}

fn parts(
    world: Rc<RefCell<Simulated>>,
    shared: &SharedTrace,
    bounds: Bounds,
    interrupt: &Interrupt,
    journal: impl crate::journal::Journal + 'static,
) -> Session {
    Session::new(Parts {
        world: Box::new(Watched { world, shared: shared.clone(), bounds }),
        journal: Box::new(journal),
        policy: Box::new(WitnessedAsking { shared: shared.clone(), ask: AskOperator::default() }),
        notices: shared.notices(),
        interrupt: interrupt.clone(),
        // Nobody else can be in this cluster, and what a play does must not depend on a lock.
        lock: None,
    })
}
