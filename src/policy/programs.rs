//! Without `--allow-exec` no program of a script is run, and without `--allow-node-control` no node is started or stopped
//! unasked: nobody is asked in vain whether it should be.

use super::{Consent, Policy, Proposal};
use crate::error::Result;
use crate::world::{Answer, Ask, Change, Request, World};

/// What a session may do beside what the policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permits {
    /// Run the programs of a script.
    pub programs: bool,
    /// Start and stop nodes.
    pub node_control: bool,
}

/// Refuses what is not permitted, and leaves everything else to another policy.
pub struct Within<P> {
    /// What is permitted.
    pub permits: Permits,
    /// Who decides about it.
    pub inner: P,
}

impl<P: Policy> Policy for Within<P> {
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent> {
        match proposal.change {
            Change::Exec(exec) if !self.permits.programs => Err(exec.not_allowed()),
            Change::Control(control) if !self.permits.node_control => Err(control.not_allowed()),
            Change::Act { .. }
            | Change::TriggerGc { .. }
            | Change::RecoverTidb { .. }
            | Change::SwapRecord { .. }
            | Change::DeleteRecord { .. }
            | Change::WriteSavepoint { .. }
            | Change::Encrypt { .. }
            | Change::HoldGc { .. }
            | Change::ReleaseGc { .. }
            | Change::BreakLock { .. }
            | Change::Control(_)
            | Change::Manual(_)
            | Change::Exec(_) => self.inner.decide(proposal, world),
        }
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
        self.permits.node_control && self.inner.controls_nodes()
    }

    fn stand_in(&self) -> Option<&'static str> {
        self.inner.stand_in()
    }
}
