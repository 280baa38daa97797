//! Whose cluster a session is on: what the configuration says of the profiles' clusters, and what PD says of this one.

use crate::config::{KnownClusters, ProfileCluster, ProfileSettings};
use crate::error::{Error, Result};
use crate::policy::{SessionPlace, Whereabouts};
use crate::world::{ClusterInfo, Notice, Notices};

/// The clusters of the profiles, and which of them the command line means.
pub(super) struct Profiles {
    settings: ProfileSettings,
    known: Option<KnownClusters>,
    notices: Notices,
}

impl Profiles {
    /// Those of `settings`; `None` if there are none, so that nothing needs to be found out.
    ///
    /// # Errors
    /// Those of reading which ids the profiles' clusters have.
    pub(super) fn of(settings: &ProfileSettings, notices: Notices) -> Result<Option<Self>> {
        if settings.clusters.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { settings: settings.clone(), known: KnownClusters::read()?, notices }))
    }

    fn id_of(&self, cluster: &ProfileCluster) -> Option<u64> {
        self.known.as_ref()?.of(&cluster.profile)
    }

    fn is_chosen(&self, cluster: &ProfileCluster) -> bool {
        self.settings.profile.as_deref() == Some(&cluster.profile)
    }

    /// Whether it is, or may be, the cluster that PD says this of.
    fn may_be(&self, cluster: &ProfileCluster, said: Option<&ClusterInfo>) -> bool {
        let is_at = |urls: &[String]| cluster.has(urls);
        match (said, self.id_of(cluster)) {
            (Some(said), Some(id)) => said.id == id,
            (Some(said), None) => {
                let at_a_member = said.members.iter().any(|member| is_at(&member.client_urls));
                let may_be_anywhere = cluster.unread || self.is_chosen(cluster);
                at_a_member || is_at(&self.settings.pd_urls) || (cluster.production && may_be_anywhere)
            }
            (None, _) => cluster.production || is_at(&self.settings.pd_urls),
        }
    }

    /// Why the name of the production profile `cluster` must be typed.
    fn why(&self, cluster: &ProfileCluster, said: Option<&ClusterInfo>) -> String {
        let profile = &cluster.profile;
        let is_its = self.is_chosen(cluster) && self.settings.is_of_profile;
        match said {
            _ if is_its => format!("the profile `{profile}` is marked production"),
            Some(said) if cluster.unread && self.id_of(cluster).is_none() => {
                let tiups = cluster.cluster.as_deref().unwrap_or_default();
                format!(
                    "this is cluster {}, and it may be `{profile}`, which is marked production: where tiup's `{tiups}` is cannot be read",
                    said.id
                )
            }
            Some(said) => {
                format!("this is cluster {} of the profile `{profile}`, which is marked production", said.id)
            }
            None => {
                format!("PD does not say which cluster this is, and it may be `{profile}`, which is marked production")
            }
        }
    }

    /// The chosen profile, if PD's addresses are its own, and it meant another cluster until now.
    fn moved(&self, said: Option<&ClusterInfo>) -> Option<SessionPlace> {
        let chosen = self.settings.clusters.iter().find(|cluster| self.is_chosen(cluster));
        let chosen = chosen.filter(|_| self.settings.is_of_profile)?;
        let (then, now) = (self.id_of(chosen)?, said?.id);
        let profile = &chosen.profile;
        let doubt = format!("the profile `{profile}` was cluster {then} until now, and this is cluster {now}");
        (then != now).then(|| SessionPlace { profile: Some(profile.clone()), doubt: Some(doubt) })
    }
}

impl Whereabouts for Profiles {
    fn place(&self, said: Option<&ClusterInfo>) -> Result<SessionPlace> {
        if let Some(moved) = self.moved(said) {
            return Ok(moved);
        }
        let mut all: Vec<&ProfileCluster> =
            self.settings.clusters.iter().filter(|cluster| self.may_be(cluster, said)).collect();
        // Of several the chosen one is meant; one that is marked production before one that is not.
        all.sort_by_key(|cluster| (!cluster.production, !self.is_chosen(cluster)));
        let Some(first) = all.first() else { return Ok(SessionPlace::default()) };
        let doubt = first.production.then(|| self.why(first, said));
        Ok(SessionPlace { profile: Some(first.profile.clone()), doubt })
    }

    fn accept(&mut self, place: &SessionPlace, said: Option<&ClusterInfo>) {
        let (Some(profile), Some(said), Some(known)) = (&place.profile, said, self.known.as_mut()) else { return };
        if known.of(profile) == Some(said.id) {
            return;
        }
        if let Err(error) = known.keep(profile, said.id) {
            let text = format!("the cluster id of the profile `{profile}` is not kept: {error}");
            (self.notices)(Notice::Warning(text));
        }
    }
}

/// A `--yes` that names a profile which is neither used nor marked production was meant for another cluster. Whether it is
/// the cluster of one that is marked so, is found out before the first change.
///
/// # Errors
/// `invalid`.
pub(super) fn yes_names_a_profile(yes: Option<&Option<String>>, settings: &ProfileSettings) -> Result<()> {
    let Some(Some(named)) = yes else { return Ok(()) };
    let is_it = |cluster: &ProfileCluster| cluster.profile == *named && cluster.production;
    let used = match &settings.profile {
        Some(profile) if profile == named => return Ok(()),
        _ if !settings.is_of_profile && settings.clusters.iter().any(is_it) => return Ok(()),
        Some(profile) => format!("the profile is `{profile}`"),
        None => "no profile is used".into(),
    };
    Err(Error::invalid(format!("--yes={named} names a profile that is not used: {used}"))
        .hint(format!("give --profile {named} as well, or --yes without a name")))
}
