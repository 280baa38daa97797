//! Without `--allow-exec`: no program is run, and nobody is asked in vain whether it should be.

use super::{Consent, Policy, Proposal};
use crate::error::Result;
use crate::world::{Answer, Ask, Change, Request, World};

/// Refuses to run programs, and leaves everything else to another policy.
pub struct WithoutPrograms<P>(pub P);

impl<P: Policy> Policy for WithoutPrograms<P> {
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent> {
        match proposal.change {
            Change::Exec(exec) => Err(exec.not_allowed()),
            Change::Act { .. }
            | Change::TriggerGc { .. }
            | Change::RecoverTidb { .. }
            | Change::SwapRecord { .. }
            | Change::DeleteRecord { .. }
            | Change::WriteSavepoint { .. }
            | Change::Encrypt { .. }
            | Change::BreakLock { .. }
            | Change::Manual(_) => self.0.decide(proposal, world),
        }
    }

    fn admits(&self, request: &Request) -> Result<()> {
        self.0.admits(request)
    }

    fn objects(&self, proposal: &Proposal<'_>) -> Result<()> {
        self.0.objects(proposal)
    }

    fn answer(&mut self, ask: &Ask, world: &mut dyn World) -> Result<Answer> {
        self.0.answer(ask, world)
    }

    fn step(&mut self, name: Option<&str>) {
        self.0.step(name);
    }

    fn stand_in(&self) -> Option<&'static str> {
        self.0.stand_in()
    }
}
