//! Who decides whether a change happens, given what it does and what the guards found.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

mod follow;
mod operator;
mod planned;
mod production;
mod programs;

pub use follow::{Follow, Followed};
pub use operator::AskOperator;
pub use planned::Planned;
pub use production::{Production, SessionPlace, Whereabouts};
pub use programs::{Permits, Within};

use crate::error::{Error, Result};
use crate::guards::{GuardFinding, Verdict};
use crate::world::{Answer, Ask, Change, Choice, GuardClass, GuardName, Notice, Notices, Request, World};
use std::fmt::Display;

/// A change that stands at the gate.
pub struct Proposal<'a> {
    /// What is to be done.
    pub change: &'a Change,
    /// What it does, to whom, in which state: a sentence for the operator.
    pub about: &'a str,
    /// What each guard found.
    pub findings: &'a [GuardFinding],
    /// The guards that are forced by name.
    pub force: &'a [GuardName],
    /// What is not as it should be just now, a phrase each: of the node itself first, then of others.
    pub around: &'a [String],
    /// How every node stands, a line each.
    pub nodes: &'a [String],
}

/// What came of the decision when it was not an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// Decided without asking anybody.
    Given,
    /// The operator was asked, which takes time: what the guards found may have changed meanwhile.
    Asked,
}

/// Decides on changes.
pub trait Policy {
    /// Lets `proposal` happen, or says why not. May ask the operator through `world`.
    ///
    /// # Errors
    /// `refused` when it must not happen, `interrupted` when the operator wants to stop altogether.
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent>;

    /// Says whether `request` may be thought of at all: before the lock, the guards and any question.
    ///
    /// # Errors
    /// `refused`.
    fn admits(&self, _request: &Request) -> Result<()> {
        Ok(())
    }

    /// Says whether what the guards found is against `proposal`, before anybody is asked.
    ///
    /// # Errors
    /// `refused`, naming the guards.
    fn objects(&self, proposal: &Proposal<'_>) -> Result<()> {
        refuse_by_guard(proposal)
    }

    /// Answers what the human is asked, or lets `world` ask them.
    ///
    /// # Errors
    /// Those of the world.
    fn answer(&mut self, ask: &Ask, world: &mut dyn World) -> Result<Answer> {
        world.apply(&Request::Ask(ask.clone()), None)
    }

    /// A step of the script begins, or (`None`) the script is in none any more: a yes to all of a step ends with it.
    fn step(&mut self, _name: Option<&str>) {}

    /// Whether nodes may be started and stopped here without a human at all.
    fn controls_nodes(&self) -> bool {
        true
    }

    /// What says yes in the operator's place, where they are not asked.
    fn stand_in(&self) -> Option<&'static str> {
        None
    }
}

impl<P: Policy + ?Sized> Policy for Box<P> {
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent> {
        (**self).decide(proposal, world)
    }

    fn admits(&self, request: &Request) -> Result<()> {
        (**self).admits(request)
    }

    fn objects(&self, proposal: &Proposal<'_>) -> Result<()> {
        (**self).objects(proposal)
    }

    fn answer(&mut self, ask: &Ask, world: &mut dyn World) -> Result<Answer> {
        (**self).answer(ask, world)
    }

    fn step(&mut self, name: Option<&str>) {
        (**self).step(name);
    }

    fn controls_nodes(&self) -> bool {
        (**self).controls_nodes()
    }

    fn stand_in(&self) -> Option<&'static str> {
        (**self).stand_in()
    }
}

/// Says yes to every question; a guard still refuses.
pub struct Yes {
    /// Where it says what it does.
    pub notices: Notices,
}

impl Yes {
    const NAME: &str = "--yes";

    /// Lets everybody see what was answered in their place.
    fn says_yes_to(&self, question: &str) {
        (self.notices)(Notice::Answered { question: question.to_owned(), by: Self::NAME.to_owned() });
    }
}

impl Policy for Yes {
    fn decide(&mut self, proposal: &Proposal<'_>, _world: &mut dyn World) -> Result<Consent> {
        refuse_by_guard(proposal)?;
        for finding in proposal.findings.iter().filter(|finding| finding.verdict.trips()) {
            (self.notices)(Notice::Warning(format!("forced: {}", finding.overridden())));
        }
        // What somebody at a terminal would not be asked is not answered for them either.
        if proposal.change.effect().needs_consent() {
            self.says_yes_to(proposal.about);
        }
        Ok(Consent::Given)
    }

    fn answer(&mut self, ask: &Ask, world: &mut dyn World) -> Result<Answer> {
        match ask {
            Ask::Question(question) => {
                self.says_yes_to(&question.text);
                Ok(Answer::Chosen(Choice::Yes))
            }
            Ask::Secret(_) => world.apply(&Request::Ask(ask.clone()), None),
        }
    }

    fn stand_in(&self) -> Option<&'static str> {
        Some(Self::NAME)
    }
}

/// As `ctl` does: warns, but refuses where binlog may be lost.
pub struct Warn {
    /// Where the warnings go.
    pub notices: Notices,
}

impl Policy for Warn {
    fn decide(&mut self, proposal: &Proposal<'_>, _world: &mut dyn World) -> Result<Consent> {
        self.objects(proposal)?;
        for finding in proposal.findings.iter().filter(|finding| finding.verdict.trips()) {
            (self.notices)(Notice::Warning(finding.overridden()));
        }
        Ok(Consent::Given)
    }

    fn objects(&self, proposal: &Proposal<'_>) -> Result<()> {
        // A script forces a guard with an option; whoever types `ctl` has an environment.
        let forcing = |names: &[&str]| format!("BINLOGSH_FORCE={}", names.join(","));
        refuse(proposal, |finding| finding.class == GuardClass::Loss, forcing)
    }
}

/// Refuses every change.
pub struct ReadOnly;

impl Policy for ReadOnly {
    fn decide(&mut self, proposal: &Proposal<'_>, _world: &mut dyn World) -> Result<Consent> {
        read_only(proposal.change)?;
        refuse_by_guard(proposal)?;
        Ok(Consent::Given)
    }

    fn admits(&self, request: &Request) -> Result<()> {
        match request {
            Request::Change(change) => read_only(change),
            Request::Play(play) => Err(is_read_only(play)),
            Request::Read(_) | Request::Ask(_) | Request::Lock(_) | Request::WaitOver => Ok(()),
        }
    }
}

fn read_only(change: &Change) -> Result<()> {
    if change.effect().changes() { Err(is_read_only(change)) } else { Ok(()) }
}

fn is_read_only(what: &dyn Display) -> Error {
    Error::refused(format!("this session is read-only: {what}"))
        .hint("start without --read-only to make changes; `watch` and `doctor` never make any")
}

fn refuse_by_guard(proposal: &Proposal<'_>) -> Result<()> {
    refuse(
        proposal,
        |_| true,
        |names| {
            let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("#{{ force: [{}] }}", names.join(", "))
        },
    )
}

/// Refuses when a guard among those that `counts` trips and is not forced; `forcing` says how guards are forced here.
fn refuse(
    proposal: &Proposal<'_>,
    counts: impl Fn(&GuardFinding) -> bool,
    forcing: impl Fn(&[&'static str]) -> String,
) -> Result<()> {
    let unforced = |finding: &&GuardFinding| finding.verdict.trips() && !proposal.force.contains(&finding.guard);
    let against: Vec<&GuardFinding> =
        proposal.findings.iter().filter(unforced).filter(|finding| counts(finding)).collect();
    if against.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = against.iter().map(|finding| finding.to_string()).collect();
    let names: Vec<&str> = against.iter().map(|finding| finding.guard.name()).collect();
    let unknown = against.iter().any(|finding| matches!(finding.verdict, Verdict::Unknown(_)));
    let hint = match unknown {
        true => "a guard could not see what it must see, so it refuses: fix that first",
        false => "fix what the guard names",
    };
    Err(Error::refused(format!("not done: {}\n  {}", proposal.about, reasons.join("\n  ")))
        .hint(format!("{hint}; if you accept the consequence: {}", forcing(&names))))
}
