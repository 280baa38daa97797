//! Asks the operator.

use super::{Change, Consent, Policy, refuse_by_guard};
use crate::error::{Error, Result};
use crate::world::{Answer, Choice, Effect, Question, Request, Wanted, World};

/// Asks the operator before each change, once no guard refuses; within a step they may say yes to all of it.
#[derive(Default)]
pub struct Ask {
    /// Whether the script is in a step.
    in_step: bool,
    /// Whether everything in it was said yes to.
    all: bool,
}

impl Policy for Ask {
    fn decide(&mut self, change: &Change<'_>, world: &mut dyn World) -> Result<Consent> {
        refuse_by_guard(change)?;
        // What a human does outside, they are asked by the world itself.
        if self.all || matches!(change.request.effect(), Effect::Guarded | Effect::Manual) {
            return Ok(Consent::Given);
        }
        let mut text = format!("{}\n", change.about);
        for finding in change.findings {
            let line = match finding.verdict.trips() {
                true => format!("forced: {}", finding.overridden()),
                false => finding.to_string(),
            };
            text.push_str(&format!("  {line}\n"));
        }
        text.push_str("Do it?");
        let wanted = if self.in_step { Wanted::OrAll } else { Wanted::YesOrNo };
        match world.apply(&Request::Ask(Question { text, wanted }), None)? {
            Answer::Chosen(Choice::Yes) => Ok(Consent::Asked),
            Answer::Chosen(Choice::All) => {
                self.all = self.in_step;
                Ok(Consent::Asked)
            }
            Answer::Chosen(Choice::No) => Err(Error::refused(format!("you said no: {}", change.about))),
            other => Err(Error::internal(format!("a question was answered with {other:?}"))),
        }
    }

    fn step(&mut self, name: Option<&str>) {
        (self.in_step, self.all) = (name.is_some(), false);
    }
}
