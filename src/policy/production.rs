//! In production the operator types where they are, once, before anything changes.

use super::{Consent, Policy, Proposal};
use crate::error::{Error, ErrorKind, Result};
use crate::world::{Answer, Ask, Choice, Question, Request, Wanted, World};

/// Has the operator type the profile's name before the first change, and then asks as another policy does.
pub struct Production<P> {
    profile: String,
    named: bool,
    inner: P,
}

impl<P: Policy> Production<P> {
    /// For the profile called `profile`.
    pub fn new(profile: impl Into<String>, inner: P) -> Self {
        Self { profile: profile.into(), named: false, inner }
    }

    fn name_it(&mut self, world: &mut dyn World) -> Result<()> {
        let text =
            format!("The profile `{0}` is marked production. Type its name to make changes in it:", self.profile);
        let wanted = Wanted::Typed(self.profile.clone());
        let choice = world.ask(Question { text, wanted }).map_err(|error| match error.kind == ErrorKind::Refused {
            true => error.hint(format!("if you mean it: --yes={}", self.profile)),
            false => error,
        })?;
        match choice {
            Choice::Yes | Choice::All => {
                self.named = true;
                Ok(())
            }
            Choice::No => Err(Error::refused(format!("you did not type the name of the profile `{}`", self.profile))
                .hint("nothing was changed; run it again and type the name, or use another profile")),
        }
    }
}

impl<P: Policy> Policy for Production<P> {
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent> {
        let changes = proposal.change.effect().needs_consent();
        if !changes || self.named {
            return self.inner.decide(proposal, world);
        }
        self.inner.objects(proposal)?;
        self.name_it(world)?;
        self.inner.decide(proposal, world).map(|_| Consent::Asked)
    }

    fn objects(&self, proposal: &Proposal<'_>) -> Result<()> {
        self.inner.objects(proposal)
    }

    fn admits(&self, request: &Request) -> Result<()> {
        self.inner.admits(request)
    }

    fn answer(&mut self, ask: &Ask, world: &mut dyn World) -> Result<Answer> {
        self.inner.answer(ask, world)
    }

    fn step(&mut self, name: Option<&str>) {
        self.inner.step(name);
    }

    fn stand_in(&self) -> Option<&'static str> {
        self.inner.stand_in()
    }
}
