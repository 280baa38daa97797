//! Whose cluster it is: found out before the first change, and its name typed where that is production.

use super::{Consent, Policy, Proposal};
use crate::error::{Error, ErrorKind, Result};
use crate::world::{Answer, Ask, Choice, ClusterInfo, Question, Request, Wanted, World, read};

/// Knows the clusters of the profiles.
pub trait Whereabouts {
    /// Where a session is whose PD says this of itself; `None` if it says nothing.
    ///
    /// # Errors
    /// Those of reading what is known.
    fn place(&self, cluster: Option<&ClusterInfo>) -> Result<SessionPlace>;

    /// The operator has agreed that the session is at `place`.
    fn accept(&mut self, place: &SessionPlace, cluster: Option<&ClusterInfo>);
}

/// Where a session is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionPlace {
    /// The profile whose cluster it is, or may be.
    pub profile: Option<String>,
    /// Why its name must be typed before anything changes: a sentence for the operator.
    pub doubt: Option<String>,
}

/// Finds out where it is before the first change, has the operator type the profile's name where that is needed, and then
/// decides as another policy does.
pub struct Production<P> {
    whereabouts: Box<dyn Whereabouts>,
    /// `--yes`, and the profile that it names.
    yes: Option<Option<String>>,
    is_settled: bool,
    inner: P,
}

impl<P: Policy> Production<P> {
    /// Asks `whereabouts`; `yes` is what `--yes` says, if it is given.
    pub fn new(whereabouts: Box<dyn Whereabouts>, yes: Option<Option<String>>, inner: P) -> Self {
        Self { whereabouts, yes, is_settled: false, inner }
    }

    /// Makes sure that the session is where the operator means it to be.
    fn settle(&mut self, world: &mut dyn World) -> Result<Consent> {
        let cluster = match world.ask(read::Cluster) {
            Ok(cluster) => Some(cluster),
            Err(error) if error.kind.is_fatal() => return Err(error),
            Err(_) => None,
        };
        let place = self.whereabouts.place(cluster.as_ref())?;
        let profile = place.profile.as_deref();
        let consent = match (&place.doubt, &self.yes) {
            (None, Some(Some(named))) if profile != Some(named) => {
                let is_its =
                    profile.map_or("of no profile".to_owned(), |profile| format!("of the profile `{profile}`"));
                return Err(Error::refused(format!("--yes={named} is not for this cluster, which is {is_its}"))
                    .hint("look at --pd-urls and --profile: nothing was changed"));
            }
            (None, _) => Consent::Given,
            (Some(_), Some(Some(named))) if profile == Some(named) => Consent::Given,
            (Some(doubt), Some(_)) => {
                let error = Error::refused(format!("{doubt}: --yes must name it"));
                return Err(error.hint(if_you_mean_it(&place)));
            }
            (Some(doubt), None) => name_it(world, &place, doubt)?,
        };
        self.whereabouts.accept(&place, cluster.as_ref());
        self.is_settled = true;
        Ok(consent)
    }
}

/// Has the operator type the name of the profile.
fn name_it(world: &mut dyn World, place: &SessionPlace, doubt: &str) -> Result<Consent> {
    let profile = place.profile.clone().unwrap_or_default();
    let text = format!("{}. Type its name to make changes in it:", capitalized(doubt));
    let choice = world.ask(Question { wanted: Wanted::Typed(profile.clone()), ..Question::new(text) });
    let choice = choice.map_err(|error| match error.kind == ErrorKind::Refused {
        true => error.hint(if_you_mean_it(place)),
        false => error,
    })?;
    match choice {
        Choice::Yes | Choice::All => Ok(Consent::Asked),
        Choice::No => Err(Error::refused(format!("you did not type the name of the profile `{profile}`"))
            .hint("nothing was changed; run it again and type the name, or use another profile")),
    }
}

fn if_you_mean_it(place: &SessionPlace) -> String {
    format!("if you mean it: --yes={}", place.profile.as_deref().unwrap_or_default())
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

impl<P: Policy> Policy for Production<P> {
    fn decide(&mut self, proposal: &Proposal<'_>, world: &mut dyn World) -> Result<Consent> {
        let changes = proposal.change.effect().needs_consent();
        if !changes || self.is_settled {
            return self.inner.decide(proposal, world);
        }
        self.inner.objects(proposal)?;
        let settled = self.settle(world)?;
        let decided = self.inner.decide(proposal, world)?;
        Ok(if settled == Consent::Asked { settled } else { decided })
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

    fn controls_nodes(&self) -> bool {
        self.inner.controls_nodes()
    }

    fn stand_in(&self) -> Option<&'static str> {
        self.inner.stand_in()
    }
}
