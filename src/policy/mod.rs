//! Who decides whether a change happens, given what it does and what the guards found.

mod ask;
mod follow;
mod planned;
mod production;
mod programs;

pub use ask::Ask;
pub use follow::{Follow, Progress};
pub use planned::{Planned, PlannedEffect};
pub use production::Production;
pub use programs::WithoutPrograms;

use crate::error::{Error, Result};
use crate::guards::{Finding, Verdict};
use crate::world::{Answer, Choice, Effect, GuardClass, GuardName, Notice, Notices, Request, World};

/// A change that stands at the gate.
pub struct Change<'a> {
    /// What is asked.
    pub request: &'a Request,
    /// What it does, to whom, in which state: a sentence for the operator.
    pub about: &'a str,
    /// What each guard found.
    pub findings: &'a [Finding],
    /// The guards that are forced by name.
    pub force: &'a [GuardName],
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
    /// Lets `change` happen, or says why not. May ask the operator through `world`.
    ///
    /// # Errors
    /// `refused` when it must not happen, `interrupted` when the operator wants to stop altogether.
    fn decide(&mut self, change: &Change<'_>, world: &mut dyn World) -> Result<Consent>;

    /// Says whether `request` may be thought of at all: before the lock, the guards and any question.
    ///
    /// # Errors
    /// `refused`.
    fn admits(&self, _request: &Request) -> Result<()> {
        Ok(())
    }

    /// Says whether what the guards found is against `change`, before anybody is asked.
    ///
    /// # Errors
    /// `refused`, naming the guards.
    fn objects(&self, change: &Change<'_>) -> Result<()> {
        refuse_by_guard(change)
    }

    /// Answers `request`, which asks the human (a question or a secret), or lets `world` ask them.
    ///
    /// # Errors
    /// Those of the world.
    fn answer(&mut self, request: &Request, world: &mut dyn World) -> Result<Answer> {
        world.apply(request, None)
    }

    /// A step of the script begins, or (`None`) the script is in none any more: a yes to all of a step ends with it.
    fn step(&mut self, _name: Option<&str>) {}

    /// What says yes in the operator's place, where they are not asked.
    fn stand_in(&self) -> Option<&'static str> {
        None
    }
}

impl<P: Policy + ?Sized> Policy for Box<P> {
    fn decide(&mut self, change: &Change<'_>, world: &mut dyn World) -> Result<Consent> {
        (**self).decide(change, world)
    }

    fn admits(&self, request: &Request) -> Result<()> {
        (**self).admits(request)
    }

    fn objects(&self, change: &Change<'_>) -> Result<()> {
        (**self).objects(change)
    }

    fn answer(&mut self, request: &Request, world: &mut dyn World) -> Result<Answer> {
        (**self).answer(request, world)
    }

    fn step(&mut self, name: Option<&str>) {
        (**self).step(name);
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
    fn decide(&mut self, change: &Change<'_>, _world: &mut dyn World) -> Result<Consent> {
        refuse_by_guard(change)?;
        for finding in change.findings.iter().filter(|finding| finding.verdict.trips()) {
            (self.notices)(Notice::Warning(format!("forced: {}", finding.overridden())));
        }
        // What somebody at a terminal would not be asked is not answered for them either.
        if !matches!(change.request.effect(), Effect::Guarded | Effect::Manual) {
            self.says_yes_to(change.about);
        }
        Ok(Consent::Given)
    }

    fn answer(&mut self, request: &Request, world: &mut dyn World) -> Result<Answer> {
        match request {
            Request::Ask(question) => {
                self.says_yes_to(&question.text);
                Ok(Answer::Chosen(Choice::Yes))
            }
            other => world.apply(other, None),
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
    fn decide(&mut self, change: &Change<'_>, _world: &mut dyn World) -> Result<Consent> {
        self.objects(change)?;
        for finding in change.findings.iter().filter(|finding| finding.verdict.trips()) {
            (self.notices)(Notice::Warning(finding.overridden()));
        }
        Ok(Consent::Given)
    }

    fn objects(&self, change: &Change<'_>) -> Result<()> {
        // A script forces a guard with an option; whoever types `ctl` has an environment.
        let forcing = |names: &[&str]| format!("BINLOGSH_FORCE={}", names.join(","));
        refuse(change, |finding| finding.class == GuardClass::Loss, forcing)
    }
}

/// Refuses every change.
pub struct ReadOnly;

impl Policy for ReadOnly {
    fn decide(&mut self, change: &Change<'_>, _world: &mut dyn World) -> Result<Consent> {
        self.admits(change.request)?;
        refuse_by_guard(change)?;
        Ok(Consent::Given)
    }

    fn admits(&self, request: &Request) -> Result<()> {
        match request.effect().changes() {
            true => Err(Error::refused(format!("this session is read-only: {}", request.in_short()))
                .hint("start without --read-only to make changes")),
            false => Ok(()),
        }
    }
}

fn refuse_by_guard(change: &Change<'_>) -> Result<()> {
    refuse(
        change,
        |_| true,
        |names| {
            let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            format!("#{{ force: [{}] }}", names.join(", "))
        },
    )
}

/// Refuses when a guard among those that `counts` trips and is not forced; `forcing` says how guards are forced here.
fn refuse(
    change: &Change<'_>,
    counts: impl Fn(&Finding) -> bool,
    forcing: impl Fn(&[&'static str]) -> String,
) -> Result<()> {
    let unforced = |finding: &&Finding| finding.verdict.trips() && !change.force.contains(&finding.guard);
    let against: Vec<&Finding> = change.findings.iter().filter(unforced).filter(|finding| counts(finding)).collect();
    if against.is_empty() {
        return Ok(());
    }
    let reasons: Vec<String> = against.iter().map(|finding| finding.to_string()).collect();
    let names: Vec<&str> = against.iter().map(|finding| finding.guard.name()).collect();
    let unknown = against.iter().any(|finding| matches!(finding.verdict, Verdict::Unknown(_)));
    let hint = match unknown {
        true => "a guard could not see what it must see, so it refuses: mend that first",
        false => "mend what the guard names",
    };
    Err(Error::refused(format!("not done: {}\n  {}", change.about, reasons.join("\n  ")))
        .hint(format!("{hint}; if you accept the consequence: {}", forcing(&names))))
}
