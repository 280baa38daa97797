//! Follows a plan: only its next effect may happen, and only while what it relies on holds.

use super::{Consent, Planned, Policy, Proposal};
use crate::error::{Error, Result};
use crate::world::{Answer, Ask, Change, Request, World};
use std::cell::Cell;
use std::rc::Rc;

/// Refuses every effect that is not the plan's next one. That one is decided by another policy, which asks or says yes.
pub struct Follow<P> {
    effects: Vec<Planned>,
    progress: Followed,
    inner: P,
}

/// How far a plan has been followed. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Followed {
    done: Rc<Cell<usize>>,
    all: usize,
}

impl Followed {
    /// How many effects of the plan were consented to.
    pub fn done(&self) -> usize {
        self.done.get()
    }

    /// How many effects the plan has left.
    pub fn left(&self) -> usize {
        self.all.saturating_sub(self.done())
    }
}

impl<P: Policy> Follow<P> {
    /// Follows `effects` from the first one; `inner` decides whether the next one happens.
    pub fn new(effects: Vec<Planned>, inner: P) -> Self {
        let progress = Followed { done: Rc::default(), all: effects.len() };
        Self { effects, progress, inner }
    }

    /// How far it has come, to be looked at while and after it is followed.
    pub fn progress(&self) -> Followed {
        self.progress.clone()
    }

    /// The plan's next effect, if that is `effect`.
    fn expected(&self, effect: &Change) -> Result<&Planned> {
        let (at, all) = (self.progress.done(), self.effects.len());
        let planned = match self.effects.get(at) {
            Some(next) if next.what == *effect => return Ok(next),
            Some(next) => format!("{} (effect {} of {all})", next.what, at + 1),
            None => format!("at its end (all {all} effects are done)"),
        };
        Err(Error::refused(format!(
            "not done: this is not the plan's next effect\n  plan:   {planned}\n  script: {effect}"
        ))
        .hint("look at how things stand, then rehearse again to make a plan of what is left to do"))
    }
}

impl<P: Policy> Policy for Follow<P> {
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent> {
        let Some(effect) = proposal.change.planned() else {
            return self.inner.decide(proposal, world);
        };
        let next = self.expected(&effect)?.clone();
        holds(&next, world)?;
        let consent = self.inner.decide(proposal, world)?;
        if consent == Consent::Asked {
            // The operator may have thought about it for long.
            holds(&next, world)?;
        }
        self.progress.done.set(self.progress.done() + 1);
        Ok(consent)
    }

    fn admits(&self, request: &Request) -> Result<()> {
        self.inner.admits(request)
    }

    fn objects(&self, proposal: &Proposal<'_>) -> Result<()> {
        self.inner.objects(proposal)
    }

    fn answer(&mut self, ask: &Ask, world: &mut dyn World) -> Result<Answer> {
        self.inner.answer(ask, world)
    }

    fn step(&mut self, name: Option<&str>) {
        self.inner.step(name);
    }

    fn controls_nodes(&self) -> bool {
        self.inner.controls_nodes()
    }

    fn stand_in(&self) -> Option<&'static str> {
        self.inner.stand_in()
    }
}

/// Whether what the effect relies on is so just now.
fn holds(planned: &Planned, world: &mut dyn World) -> Result<()> {
    if !planned.relies_on_records() {
        return Ok(());
    }
    planned.holds_in(&world.listing()?)
}
