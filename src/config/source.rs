//! Which cluster is meant, where flags, environment and profile each may say something of it.

use super::file::Profile;
use super::{DeployedClusters, Overrides, pd_urls, proxy};
use crate::address_map::AddressMap;
use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::pd_url::DEFAULT_PD_URL;
use crate::proxy_url::ProxyUrl;
use crate::secret::Secret;
use std::path::PathBuf;

/// What one of them says.
#[derive(Clone, Debug, Default)]
pub(super) struct ClusterSource {
    pd_urls: Option<Vec<String>>,
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
    key_pass_file: Option<PathBuf>,
    proxy: Option<ProxyUrl>,
    addresses: AddressMap,
    /// tiup's name for it.
    cluster: Option<String>,
}

impl ClusterSource {
    /// What the command line says.
    pub(super) fn of_flags(flags: &Overrides) -> Result<Self> {
        let Overrides { ca, cert, key, key_pass_file, cluster, .. } = flags.clone();
        Ok(Self {
            pd_urls: flags.pd_urls.as_deref().map(pd_urls).transpose()?,
            ca,
            cert,
            key,
            key_pass_file,
            proxy: flags.proxy.as_ref().map(|text| proxy("--proxy", text)).transpose()?,
            addresses: AddressMap::default(),
            cluster,
        })
    }

    /// What the environment says.
    pub(super) fn of_variables(env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let path = |name: &str| env(name).map(PathBuf::from);
        Ok(Self {
            pd_urls: env("BINLOGSH_PD_URLS").as_deref().map(pd_urls).transpose()?,
            ca: path("BINLOGSH_CA"),
            cert: path("BINLOGSH_CERT"),
            key: path("BINLOGSH_KEY"),
            key_pass_file: path("BINLOGSH_KEY_PASS_FILE"),
            proxy: env("BINLOGSH_PROXY").map(|text| proxy("BINLOGSH_PROXY", &Secret::Plain(text))).transpose()?,
            addresses: AddressMap::default(),
            cluster: env("BINLOGSH_CLUSTER"),
        })
    }

    /// What the profile says.
    pub(super) fn of_profile(profile: &Profile) -> Self {
        let Profile { pd_urls, ca, cert, key, key_pass_file, proxy, addresses, cluster, .. } = profile.clone();
        Self { pd_urls, ca, cert, key, key_pass_file, proxy, addresses, cluster }
    }
}

/// What they come to.
#[derive(Debug)]
pub(super) struct ChosenCluster {
    pub(super) pd_urls: Vec<String>,
    pub(super) ca: Option<PathBuf>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) key_pass_file: Option<PathBuf>,
    pub(super) proxy: Option<ProxyUrl>,
    pub(super) addresses: AddressMap,
    /// The name that tiup has for it, where it was named.
    pub(super) name: Option<String>,
    pub(super) deployment: Option<Deployment>,
    pub(super) unread: Option<Error>,
    /// Whether none of them says where the cluster is.
    pub(super) is_default: bool,
}

impl ChosenCluster {
    /// The strongest source is the first. Within one, what it says itself stands before what tiup knows of the cluster that it
    /// names; and a cluster that is named is one whole thing: whatever a weaker source says is about another one, unless it names
    /// the same.
    ///
    /// # Errors
    /// `invalid` for a name that can be none. What tiup knows and cannot be read is kept for whoever goes to the cluster.
    pub(super) fn of(sources: [ClusterSource; 3], tiup: &Result<DeployedClusters>) -> Result<Self> {
        let named = sources.iter().position(|source| source.cluster.is_some());
        let name = named.and_then(|at| sources[at].cluster.clone());
        let counts = |at: usize| named.is_none_or(|named| at <= named || sources[at].cluster == name);
        let heard: Vec<&ClusterSource> = (0..sources.len()).filter(|at| counts(*at)).map(|at| &sources[at]).collect();
        let found = name.as_deref().map(|name| look(name, tiup));
        let (deployment, fault) = match found.transpose()? {
            None => (None, None),
            Some(Ok(deployment)) => (Some(deployment), None),
            Some(Err(fault)) => (None, Some(fault)),
        };
        let said = heard.iter().find(|source| source.pd_urls.is_some());
        let urls = said.and_then(|source| source.pd_urls.clone());
        let tls = deployment.as_ref().and_then(|deployment| deployment.tls.clone());
        let file = |own: fn(&ClusterSource) -> &Option<PathBuf>| heard.iter().find_map(|source| own(source).clone());
        let (ca, cert, key) = (file(|s| &s.ca), file(|s| &s.cert), file(|s| &s.key));
        // Addresses from a stronger source than the name are most likely another cluster's.
        let is_its = match (&urls, &deployment) {
            (Some(urls), Some(known)) => {
                said.is_some_and(|source| source.cluster.is_some())
                    || urls.iter().any(|url| known.pd_urls.iter().any(|own| own.eq_ignore_ascii_case(url)))
            }
            _ => true,
        };
        Ok(Self {
            is_default: urls.is_none() && named.is_none(),
            unread: fault.filter(|_| urls.is_none()),
            pd_urls: match (urls, &deployment) {
                (Some(urls), _) => urls,
                (None, Some(deployment)) => deployment.pd_urls.clone(),
                (None, None) if named.is_some() => Vec::new(),
                (None, None) => vec![DEFAULT_PD_URL.to_owned()],
            },
            ca: ca.or_else(|| tls.as_ref().map(|tls| tls.ca.clone())),
            cert: cert.or_else(|| tls.as_ref().map(|tls| tls.cert.clone())),
            key: key.or_else(|| tls.as_ref().map(|tls| tls.key.clone())),
            key_pass_file: file(|s| &s.key_pass_file),
            proxy: heard.iter().find_map(|source| source.proxy.clone()),
            addresses: heard.last().map(|source| source.addresses.clone()).unwrap_or_default(),
            deployment: deployment.filter(|_| is_its),
            name,
        })
    }
}

/// What tiup knows of the cluster `name`.
fn look(name: &str, tiup: &Result<DeployedClusters>) -> Result<Result<Deployment>> {
    super::tiup::check_name(name)?;
    Ok(tiup.as_ref().map_err(Clone::clone).and_then(|tiup| tiup.read(name)))
}
