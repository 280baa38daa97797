//! Without `--allow-exec`: no program is run, and nobody is asked in vain whether it should be.

use super::{Change, Consent, Policy};
use crate::error::Result;
use crate::world::{Answer, Request, World};

/// Refuses to run programs, and leaves everything else to another policy.
pub struct WithoutPrograms<P>(pub P);

impl<P: Policy> Policy for WithoutPrograms<P> {
    fn decide(&mut self, change: &Change<'_>, world: &mut dyn World) -> Result<Consent> {
        match change.request {
            Request::Exec(exec) => Err(exec.not_allowed()),
            _ => self.0.decide(change, world),
        }
    }

    fn admits(&self, request: &Request) -> Result<()> {
        self.0.admits(request)
    }

    fn objects(&self, change: &Change<'_>) -> Result<()> {
        self.0.objects(change)
    }

    fn answer(&mut self, request: &Request, world: &mut dyn World) -> Result<Answer> {
        self.0.answer(request, world)
    }

    fn step(&mut self, name: Option<&str>) {
        self.0.step(name);
    }

    fn stand_in(&self) -> Option<&'static str> {
        self.0.stand_in()
    }
}
