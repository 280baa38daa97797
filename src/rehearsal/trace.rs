//! What the script did and said during a play, each at its virtual time.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

use crate::error::{Error, ErrorKind, Place, Result};
use crate::journal::Outcome;
use crate::policy::{AskOperator, Consent, Policy, Proposal};
use crate::rehearsal::story::LagCurve;
use crate::sim::{Cluster, Micros, SECOND, Simulated, no_end, no_end_in_time};
use crate::world::{
    Answer, Ask, Change, Fence, GuardClass, GuardName, Notice, Notices, Progress, Question, Request, SecretPrompt,
    World,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A change that the script made, or tried to make.
#[derive(Clone, Debug, PartialEq)]
pub struct AttemptedChange {
    /// When it was asked for.
    pub begun: Micros,
    /// When the answer came.
    pub ended: Micros,
    /// What was asked.
    pub change: Change,
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
pub struct SaidNotice {
    /// When.
    pub at: Micros,
    /// What.
    pub notice: Notice,
    /// Its place among all that the script did, said and asked.
    pub order: usize,
}

/// Something that the operator would have been asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedQuestion {
    /// When.
    pub at: Micros,
    /// What, with all that one needs to decide.
    pub text: String,
    /// Its place among all that the script did, said and asked.
    pub order: usize,
}

/// Everything that a play leaves beside the cluster itself.
#[derive(Debug, Default)]
pub(super) struct PlayTrace {
    pub(super) now: Micros,
    pub(super) acts: Vec<AttemptedChange>,
    pub(super) said: Vec<SaidNotice>,
    pub(super) asked: Vec<AskedQuestion>,
    pub(super) calls: u64,
    /// Why the play was ended before the script was: it went beyond its bounds.
    pub(super) over: Option<Error>,
    /// What the script waits for just now, if it said so.
    pub(super) waits_for: Option<Progress>,
    /// How far behind each Drainer was, if that is to be noted.
    pub(super) lags: Vec<LagCurve>,
    pub(super) draws_lags: bool,
    pub(super) drawn_at: Option<Micros>,
    pub(super) forced: Vec<GuardName>,
    pub(super) place: Option<Place>,
}

/// Shared by the world, the policy and the notices of a play.
#[derive(Clone, Default)]
pub(super) struct SharedTrace(Arc<Mutex<PlayTrace>>);

impl SharedTrace {
    /// The trace, to read or to write.
    pub(super) fn open(&self) -> MutexGuard<'_, PlayTrace> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where everything goes that a person would have seen.
    pub(super) fn notices(&self) -> Notices {
        let shared = self.clone();
        Arc::new(move |notice| shared.open().hear(notice))
    }
}

impl PlayTrace {
    fn hear(&mut self, notice: Notice) {
        let at = self.now;
        match notice {
            Notice::Acting(place) => self.place = Some(place),
            // A wait that the bounds cut off ends as well: it is what the script was waiting for.
            Notice::ProgressEnd if self.over.is_some() => {}
            Notice::ProgressEnd => self.waits_for = None,
            Notice::Progress(progress) => {
                let is_new = match &self.waits_for {
                    None => true,
                    Some(before) => before.held_up_by.is_none() && progress.held_up_by.is_some(),
                };
                if is_new {
                    self.say(at, Notice::Progress(progress.clone()));
                }
                self.waits_for = Some(progress);
            }
            // The story has the time of everything, and what comes of it.
            Notice::Sleeping(_) | Notice::Begun(_) => {}
            Notice::Warning(_)
            | Notice::Printed(_)
            | Notice::Shown(_)
            | Notice::ShownAsJson(_)
            | Notice::StepBegan(_)
            | Notice::Answered { .. }
            | Notice::Changed(_)
            | Notice::Said { .. }
            | Notice::Traced { .. } => self.say(at, notice),
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
                None => self.lags.push(LagCurve { drainer: id.into(), points: vec![(now, lag)] }),
            }
        }
    }

    fn say(&mut self, at: Micros, notice: Notice) {
        let order = self.order();
        self.said.push(SaidNotice { at, notice, order });
    }
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
    pub(super) shared: SharedTrace,
    pub(super) bounds: Bounds,
}

impl Watched {
    fn within_bounds(&self, now: Micros) -> Result<()> {
        let mut trace = self.shared.open();
        trace.calls += 1;
        let error = match (now >= self.bounds.time, trace.calls > self.bounds.calls) {
            (false, false) => return Ok(()),
            (true, _) => no_end_in_time(now),
            (false, true) => no_end(&format!("{} requests", self.bounds.calls)),
        };
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
        if let Err(error) = &outcome
            && error.kind == ErrorKind::NoEnd
        {
            trace.over = Some(error.clone());
        }
        if trace.draws_lags {
            trace.draw(world.cluster());
        }
        match request {
            Request::Ask(Ask::Question(Question { text, .. }) | Ask::Secret(SecretPrompt { prompt: text })) => {
                let order = trace.order();
                trace.asked.push(AskedQuestion { at: begun, text: text.clone(), order });
            }
            Request::Change(change) if change.effect().changes() => {
                let (forced, place) = (std::mem::take(&mut trace.forced), trace.place.take());
                let (change, order) = (change.clone(), trace.order());
                trace.acts.push(AttemptedChange {
                    begun,
                    ended,
                    change,
                    outcome: outcome.clone(),
                    forced,
                    place,
                    order,
                });
            }
            Request::Change(_) | Request::Read(_) | Request::Lock(_) | Request::Play(_) | Request::WaitOver => {}
        }
        outcome
    }
}

/// Asks as a real session does, and notes what was forced.
pub(super) struct WitnessedAsking {
    pub(super) shared: SharedTrace,
    pub(super) ask: AskOperator,
}

impl Policy for WitnessedAsking {
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent> {
        let against = |guard: &GuardName| {
            let found = proposal.findings.iter().find(|finding| finding.guard == *guard);
            found.is_some_and(|finding| finding.class == GuardClass::Loss && finding.verdict.trips())
        };
        let consent = self.ask.decide(proposal, world)?;
        self.shared.open().forced = proposal.force.iter().copied().filter(against).collect();
        Ok(consent)
    }

    fn step(&mut self, name: Option<&str>) {
        self.ask.step(name);
    }
}
