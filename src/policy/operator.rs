//! Asks the operator.

use super::{Consent, Policy, Proposal, refuse_by_guard};
use crate::error::{Error, ErrorKind, Result};
use crate::world::{Change, Choice, Question, Wanted, World};

/// Asks the operator before each change, once no guard refuses; within a step they may say yes to all of it.
#[derive(Default)]
pub struct AskOperator {
    /// Whether the script is in a step.
    in_step: bool,
    /// Whether everything in it was said yes to.
    all: bool,
}

/// How many others are named in a question; the details have all of them.
const NAMED: usize = 5;

fn some(around: &[String]) -> String {
    let more = around.len().saturating_sub(NAMED);
    let named = around.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
    if more == 0 { named } else { format!("{named}; and {more} more") }
}

/// What each guard looks for, who else is not as it should be, and how every node stands.
fn details(proposal: &Proposal<'_>) -> String {
    let guards =
        proposal.findings.iter().map(|finding| format!("{finding}\n  it refuses when {}", finding.guard.about()));
    let mut parts: Vec<String> = guards.collect();
    parts.extend(proposal.around.iter().cloned());
    parts.extend(proposal.nodes.iter().cloned());
    parts.join("\n")
}

impl Policy for AskOperator {
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent> {
        refuse_by_guard(proposal)?;
        // What a human does outside, they are asked by the world itself.
        if self.all || !proposal.change.effect().needs_consent() {
            return Ok(Consent::Given);
        }
        let mut text = format!("{}\n", proposal.about);
        for finding in proposal.findings {
            let line = match finding.verdict.trips() {
                true => format!("forced: {}", finding.overridden()),
                false => finding.to_string(),
            };
            text.push_str(&format!("  {line}\n"));
        }
        if !proposal.around.is_empty() {
            text.push_str(&format!("  just now: {}\n", some(proposal.around)));
        }
        text.push_str("Do it?");
        let wanted = if self.in_step { Wanted::OrAll } else { Wanted::YesOrNo };
        let asked = world.ask(Question { text, wanted, details: details(proposal) });
        let asked = asked.map_err(|error| match (proposal.change, error.kind) {
            (Change::Control(_), ErrorKind::Refused) => {
                error.hint("answer in a terminal; without one it takes --yes and --allow-node-control")
            }
            _ => error,
        });
        match asked? {
            Choice::Yes => Ok(Consent::Asked),
            Choice::All => {
                self.all = self.in_step;
                Ok(Consent::Asked)
            }
            Choice::No => Err(Error::refused(format!("you said no: {}", proposal.about))),
        }
    }

    fn step(&mut self, name: Option<&str>) {
        (self.in_step, self.all) = (name.is_some(), false);
    }
}
