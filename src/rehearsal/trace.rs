//! What the script did and said during a play, each at its virtual time.

use crate::error::{Error, Place, Result};
use crate::journal::Outcome;
use crate::policy::{Ask, Change, Consent, Policy};
use crate::rehearsal::story::LagCurve;
use crate::sim::{Cluster, Micros, SECOND, Simulated};
use crate::world::{Answer, Effect, Fence, GuardClass, GuardName, Notice, Notices, Question, Request, World};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A change that the script made, or tried to make.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    /// When it was asked for.
    pub begun: Micros,
    /// When the answer came.
    pub ended: Micros,
    /// What was asked.
    pub request: Request,
    /// What came of it.
    pub outcome: Outcome,
    /// The guards against a loss that were against it, and were forced by name.
    pub forced: Vec<GuardName>,
    /// The line of the script.
    pub place: Option<Place>,
    /// Its place among all that the script did, said and asked.
    pub order: usize,
}

/// Something that a person would have seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// When.
    pub at: Micros,
    /// What.
    pub notice: Notice,
    /// Its place among all that the script did, said and asked.
    pub order: usize,
}

/// Something that the operator would have been asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When.
    pub at: Micros,
    /// What, with all that one needs to decide.
    pub text: String,
    /// Its place among all that the script did, said and asked.
    pub order: usize,
}

/// Everything that a play leaves beside the cluster itself.
#[derive(Debug, Default)]
pub(super) struct Trace {
    pub(super) now: Micros,
    pub(super) acts: Vec<Act>,
    pub(super) said: Vec<Said>,
    pub(super) asked: Vec<Asked>,
    pub(super) calls: u64,
    /// Why the play was ended before the script was: it went beyond its bounds.
    pub(super) over: Option<Error>,
    /// What the script waits for just now, if it said so.
    pub(super) waits_for: Option<String>,
    /// How far behind each Drainer was, if that is to be noted.
    pub(super) lags: Vec<LagCurve>,
    pub(super) draws_lags: bool,
    pub(super) drawn_at: Option<Micros>,
    pub(super) forced: Vec<GuardName>,
    pub(super) place: Option<Place>,
}

/// Shared by the world, the policy and the notices of a play.
#[derive(Clone, Default)]
pub(super) struct Shared(Arc<Mutex<Trace>>);

impl Shared {
    /// The trace, to read or to write.
    pub(super) fn open(&self) -> MutexGuard<'_, Trace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where everything goes that a person would have seen.
    pub(super) fn notices(&self) -> Notices {
        let shared = self.clone();
        Arc::new(move |notice| shared.open().hear(notice))
    }
}

impl Trace {
    fn hear(&mut self, notice: Notice) {
        let at = self.now;
        match notice {
            Notice::Acting(place) => self.place = Some(place),
            // A wait that the bounds cut off ends as well: it is what the script was waiting for.
            Notice::ProgressEnd if self.over.is_some() => {}
            Notice::ProgressEnd => self.waits_for = None,
            Notice::Progress(text) => {
                if self.waits_for.is_none() || text.contains(" behind") {
                    self.say(at, Notice::Progress(text.clone()));
                }
                self.waits_for = Some(text);
            }
            notice => self.say(at, notice),
        }
    }

    /// The place of what comes next.
    fn order(&self) -> usize {
        self.acts.len() + self.said.len() + self.asked.len()
    }

    /// Notes how far behind each Drainer is, unless that was noted just now.
    fn draw(&mut self, cluster: &Cluster) {
        let now = cluster.now();
        if self.drawn_at.is_some_and(|at| now - at < BETWEEN_POINTS) {
            return;
        }
        self.drawn_at = Some(now);
        for (who, position) in cluster.drainer_positions() {
            let id = cluster.id_of(who);
            let lag = (now - position).max(0);
            match self.lags.iter_mut().find(|curve| curve.drainer == id) {
                Some(curve) => curve.points.push((now, lag)),
                None => self.lags.push(LagCurve { drainer: id.to_owned(), points: vec![(now, lag)] }),
            }
        }
    }

    /// Notes it, unless it is only the newer number of the same progress.
    fn say(&mut self, at: Micros, notice: Notice) {
        let again = |said: &Said| match (&said.notice, &notice) {
            (Notice::Progress(old), Notice::Progress(new)) => without_digits(old) == without_digits(new),
            _ => false,
        };
        if !self.said.last().is_some_and(again) {
            let order = self.order();
            self.said.push(Said { at, notice, order });
        }
    }
}

fn without_digits(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_ascii_digit()).collect()
}

/// How much virtual time lies between two points of a curve at least.
const BETWEEN_POINTS: Micros = SECOND / 2;

/// How far a play may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// How much virtual time may pass.
    pub time: Micros,
    /// How many requests may be made.
    pub calls: u64,
}

/// The simulated cluster, watched.
pub(super) struct Watched {
    pub(super) world: Rc<RefCell<Simulated>>,
    pub(super) shared: Shared,
    pub(super) bounds: Bounds,
}

impl Watched {
    fn within_bounds(&self, now: Micros) -> Result<()> {
        let mut trace = self.shared.open();
        trace.calls += 1;
        let why = match (now >= self.bounds.time, trace.calls > self.bounds.calls) {
            (false, false) => return Ok(()),
            (true, _) => format!("{} of virtual time", crate::time::show_seconds(now as f64 / 1e6)),
            (false, true) => format!("{} requests", self.bounds.calls),
        };
        // Whatever the script catches must not make it go on: of all kinds only an interrupt says that.
        let error = Error::interrupted(None, format!("the script does not end: it goes on after {why}"));
        trace.over = Some(error.clone());
        Err(error)
    }
}

impl World for Watched {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        let mut world = self.world.borrow_mut();
        let begun = world.now();
        self.within_bounds(begun)?;
        if self.shared.open().draws_lags {
            self.shared.open().draw(world.cluster());
        }
        let outcome = world.apply(request, fence);
        let ended = world.now();
        let mut trace = self.shared.open();
        trace.now = ended;
        if trace.draws_lags {
            trace.draw(world.cluster());
        }
        match request.effect() {
            Effect::Read | Effect::Guarded | Effect::Locks => {}
            Effect::Asks => {
                if let Request::Ask(Question { text, .. }) | Request::ReadSecret { prompt: text } = request {
                    let order = trace.order();
                    trace.asked.push(Asked { at: begun, text: text.clone(), order });
                }
            }
            _ => {
                let (forced, place) = (std::mem::take(&mut trace.forced), trace.place.take());
                let (request, order) = (request.clone(), trace.order());
                trace.acts.push(Act { begun, ended, request, outcome: outcome.clone(), forced, place, order });
            }
        }
        outcome
    }
}

/// Asks as a real session does, and notes what was forced.
pub(super) struct Witness {
    pub(super) shared: Shared,
    pub(super) ask: Ask,
}

impl Policy for Witness {
    fn decide(&mut self, change: &Change<'_>, world: &mut dyn World) -> Result<Consent> {
        let against = |guard: &GuardName| {
            let found = change.findings.iter().find(|finding| finding.guard == *guard);
            found.is_some_and(|finding| finding.class == GuardClass::Loss && finding.verdict.trips())
        };
        let consent = self.ask.decide(change, world)?;
        self.shared.open().forced = change.force.iter().copied().filter(against).collect();
        Ok(consent)
    }

    fn step(&mut self, name: Option<&str>) {
        self.ask.step(name);
    }
}
