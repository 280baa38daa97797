//! Which cluster, and how to show it: flags before environment before profile before defaults.
//!
//! `config.toml` holds profiles; its directory is the one that the system gives to this program
//! (`~/.config/binlogsh` on Linux). A key that nobody knows is an error, since a misspelt `production` protects
//! nothing. This room knows no cluster; it reads files and checks words.

mod file;
mod source;
mod state;
mod tiup;
mod variables;

pub use state::{KnownClusters, history_file, runs_file, state_dir, stories_dir, stories_place};
pub use tiup::DeployedClusters;
pub use variables::{FORCE, MAX_MEMORY, MAX_OPERATIONS, OUTPUT, TIMESTAMPS, Variables};

use crate::address_map::AddressMap;
use crate::deployment::Deployment;
use crate::downstream::Downstreams;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::node_control::NodeControl;
use crate::output::{Format, Timestamps};
use crate::pd_url::PdUrl;
use crate::proxy_url::ProxyUrl;
use crate::secret::{KeyPassword, Secret};
use crate::text::{ShownPath, on_one_line};
use crate::time::parse_duration;
use file::{File, Profile};
use source::{ChosenCluster, ClusterSource};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// How long to wait for an answer unless somebody says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The longest wait for an answer that can be asked for: nobody sits longer before a silent terminal.
pub const LONGEST_TIMEOUT: Duration = Duration::from_secs(10);

/// What was said on the command line; each in the words it was said in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// `--pd-urls`.
    pub pd_urls: Option<String>,
    /// `--ca`.
    pub ca: Option<PathBuf>,
    /// `--cert`.
    pub cert: Option<PathBuf>,
    /// `--key`.
    pub key: Option<PathBuf>,
    /// `--key-pass-file`.
    pub key_pass_file: Option<PathBuf>,
    /// `--my-cnf`.
    pub my_cnf: Option<PathBuf>,
    /// `--cluster`.
    pub cluster: Option<String>,
    /// `--proxy`, which may have a password in it.
    pub proxy: Option<Secret>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--config`.
    pub config: Option<PathBuf>,
    /// `--timeout`.
    pub timeout: Option<String>,
    /// `--output`.
    pub output: Option<Format>,
    /// `--timestamps`.
    pub timestamps: Option<Timestamps>,
    /// `--wait-lock`.
    pub wait_lock: Option<String>,
}

/// What is to be used.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileSettings {
    /// PD's client URLs, each `http(s)://host:port`: at least one, unless the named cluster is `unread`.
    pub pd_urls: Vec<String>,
    /// What tiup knows of the cluster, where it was named by tiup's name for it.
    pub deployment: Option<Deployment>,
    /// Why nobody can go to the cluster that was named. Who goes to none is not kept from working by it.
    pub unread: Option<Error>,
    /// Whether nobody named a cluster, so that those are binlogctl's default.
    pub is_default: bool,
    /// The file with the certificates to trust.
    pub ca: Option<PathBuf>,
    /// The file with our certificate.
    pub cert: Option<PathBuf>,
    /// The file with its key.
    pub key: Option<PathBuf>,
    /// What opens the key, if it is encrypted.
    pub key_password: KeyPassword,
    /// Who passes connections on, if anybody does.
    pub proxy: Option<ProxyUrl>,
    /// Where names are reached that lead elsewhere from here.
    pub addresses: AddressMap,
    /// The profile that is used, if any.
    pub profile: Option<String>,
    /// Whether PD's addresses are that profile's own, and not others that were given beside it.
    pub is_of_profile: bool,
    /// Whether the profile is marked production.
    pub production: bool,
    /// The clusters of all profiles: the one that is worked on may be another's under another address.
    pub clusters: Vec<ProfileCluster>,
    /// How results are written.
    pub output: Format,
    /// How JSON holds timestamps.
    pub timestamps: Timestamps,
    /// Whether the prompt shows long results in the pager.
    pub pager: bool,
    /// How long to wait for an answer: more than nothing, at most [`LONGEST_TIMEOUT`].
    pub timeout: Duration,
    /// How long to wait for the maintenance lock; not at all if `None`.
    pub wait_lock: Option<Duration>,
    /// What starts and stops nodes, if the profile says so.
    pub node_control: Option<NodeControl>,
    /// Where Drainers save how far they have come, and how to log in there.
    pub downstreams: Downstreams,
}

/// The cluster that a profile means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileCluster {
    /// The profile's name.
    pub profile: String,
    /// PD's client URLs, each `http(s)://host:port`; none where `unread`.
    pub pd_urls: Vec<String>,
    /// The name that tiup has for it, if the profile says so.
    pub cluster: Option<String>,
    /// Whether nobody knows where it is, since what tiup knows of it cannot be read.
    pub unread: bool,
    /// Whether it is marked production.
    pub production: bool,
}

impl ProfileCluster {
    /// Whether one of these URLs is PD's there. Names of hosts have no case.
    pub fn has(&self, urls: &[String]) -> bool {
        urls.iter().any(|url| self.pd_urls.iter().any(|own| own.eq_ignore_ascii_case(url)))
    }
}

/// Reads the configuration file, if there is one, and decides.
///
/// `env` gives the value of an environment variable: `BINLOGSH_PD_URLS`, `_CA`, `_CERT`, `_KEY`, `_KEY_PASS_FILE`, `_CLUSTER`, `_PROXY`, `_PROFILE`,
/// `_OUTPUT`, `_TIMESTAMPS`, `_TIMEOUT`, `_WAIT_LOCK`, and `_CONFIG`, which names the file; and those that say where tiup is. An
/// empty one counts as not set.
///
/// # Errors
/// `invalid` with file and line for an unknown key or a wrong type, with the nearest name for an unknown profile,
/// and for a value that is none; `not_found` for a named file that is not there; `local` for one that cannot be read.
pub fn load(flags: &Overrides, env: &dyn Fn(&str) -> Option<String>) -> Result<ProfileSettings> {
    decide(open(flags, env)?, flags, env)
}

/// The same, but a file that is not named, by itself or by a profile of it, says only which clusters there are: what stands in
/// the place of binlogctl has binlogctl's defaults, and does not fail for a file that it was never told of. Why such a file
/// cannot be read is returned beside the settings.
///
/// # Errors
/// As [`load`].
pub fn load_if_named(
    flags: &Overrides,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(ProfileSettings, Option<Error>)> {
    let variable = |name: &str| env(name).is_some_and(|value| !value.is_empty());
    let is_named = flags.config.is_some() || flags.profile.is_some();
    if is_named || variable("BINLOGSH_CONFIG") || variable("BINLOGSH_PROFILE") {
        return Ok((load(flags, env)?, None));
    }
    let (file, unread) = match open(flags, env) {
        Ok(file) => (File { default: None, ..file }, None),
        Err(error) => (File::default(), Some(error)),
    };
    Ok((decide(file, flags, env)?, unread))
}

/// What flags, environment and file come to.
fn decide(file: File, flags: &Overrides, env: &dyn Fn(&str) -> Option<String>) -> Result<ProfileSettings> {
    let env = |name: &str| env(name).filter(|value| !value.is_empty());
    let profile_name = flags.profile.clone().or_else(|| env("BINLOGSH_PROFILE")).or_else(|| file.default.clone());
    let profile = match &profile_name {
        None => Profile::default(),
        Some(name) => find(&file, name)?,
    };
    let tiup = DeployedClusters::of(&env);
    let clusters = file.clusters(&tiup);
    let own = clusters.iter().find(|known| profile_name.as_deref() == Some(&known.profile));
    let sources =
        [ClusterSource::of_flags(flags)?, ClusterSource::of_variables(&env)?, ClusterSource::of_profile(&profile)];
    let chosen = ChosenCluster::of(sources, &tiup)?;
    whole_tls(chosen.ca.is_some(), chosen.cert.is_some(), chosen.key.is_some())?;
    if chosen.key_pass_file.is_some() && chosen.key.is_none() && chosen.unread.is_none() {
        return Err(Error::invalid("the file with the password of a TLS key is given without that key")
            .hint("give key as well, or leave key-pass-file out"));
    }
    let is_of_profile = own.is_some_and(|own| match chosen.pd_urls.as_slice() {
        // What tiup knows of it cannot be read: then only its name tells.
        [] => own.cluster == chosen.name,
        urls => urls.iter().all(|url| own.has(std::slice::from_ref(url))),
    });
    let (output, timestamps) = forms(flags, &env, &profile)?;
    let (timeout, wait_lock) = waits(flags, &env, &profile)?;
    let downstreams = downstreams_of(flags, &profile, is_of_profile);
    // Of another cluster the profile's commands must not start and stop anything.
    let node_control = profile.node_control.filter(|_| is_of_profile);
    Ok(ProfileSettings {
        is_of_profile,
        is_default: chosen.is_default && profile_name.is_none(),
        pd_urls: chosen.pd_urls,
        node_control: node_control
            .map(|control| control.of_cluster(chosen.deployment.clone(), chosen.unread.is_some()))
            .transpose()?,
        downstreams,
        deployment: chosen.deployment,
        unread: chosen.unread,
        clusters,
        ca: chosen.ca,
        cert: chosen.cert,
        key: chosen.key,
        key_password: KeyPassword::of_file(chosen.key_pass_file),
        proxy: chosen.proxy,
        addresses: chosen.addresses,
        profile: profile_name,
        production: profile.production,
        output,
        timestamps,
        pager: profile.pager.unwrap_or(true),
        timeout,
        wait_lock,
    })
}

/// Where Drainers save how far they have come. What a profile says of its own Drainers is nothing about those of another cluster.
fn downstreams_of(flags: &Overrides, profile: &Profile, is_of_profile: bool) -> Downstreams {
    let of_profile = || profile.my_cnf.clone().filter(|_| is_of_profile);
    let drainers = if is_of_profile { profile.downstreams.clone() } else { BTreeMap::new() };
    Downstreams::new(flags.my_cnf.clone().or_else(of_profile), drainers)
}

/// How long to wait for an answer, and for the lock.
fn waits(
    flags: &Overrides,
    env: &dyn Fn(&str) -> Option<String>,
    profile: &Profile,
) -> Result<(Duration, Option<Duration>)> {
    let for_answers = match (&flags.timeout, env("BINLOGSH_TIMEOUT")) {
        (Some(text), _) => timeout(text).map_err(|error| says("--timeout", error))?,
        (None, Some(text)) => timeout(&text).map_err(|error| says("BINLOGSH_TIMEOUT", error))?,
        (None, None) => profile.timeout.unwrap_or(DEFAULT_TIMEOUT),
    };
    let for_lock = match (&flags.wait_lock, env("BINLOGSH_WAIT_LOCK")) {
        (Some(text), _) => Some(parse_duration(text).map_err(|error| says("--wait-lock", error))?),
        (None, Some(text)) => Some(parse_duration(&text).map_err(|error| says("BINLOGSH_WAIT_LOCK", error))?),
        (None, None) => profile.wait_lock,
    };
    Ok((for_answers, for_lock))
}

/// How results are written, and how JSON holds timestamps.
fn forms(flags: &Overrides, env: &dyn Fn(&str) -> Option<String>, profile: &Profile) -> Result<(Format, Timestamps)> {
    let output = match (flags.output, env("BINLOGSH_OUTPUT")) {
        (Some(format), _) => format,
        (None, Some(name)) => Format::from_name(&name).map_err(|error| says("BINLOGSH_OUTPUT", error))?,
        (None, None) => profile.output.unwrap_or_default(),
    };
    let timestamps = match (flags.timestamps, env(TIMESTAMPS)) {
        (Some(timestamps), _) => timestamps,
        (None, Some(name)) => Timestamps::from_name(&name).map_err(|error| says(TIMESTAMPS, error))?,
        (None, None) => profile.timestamps.unwrap_or_default(),
    };
    Ok((output, timestamps))
}

/// The file that was named must be there; the usual one need not.
fn open(flags: &Overrides, env: &dyn Fn(&str) -> Option<String>) -> Result<File> {
    let variable = || env("BINLOGSH_CONFIG").filter(|value| !value.is_empty());
    let named = flags.config.clone().or_else(|| variable().map(PathBuf::from));
    match named {
        Some(path) => file::read(&path)?.ok_or_else(|| {
            Error::not_found(format!("there is no configuration file {}", path.display()))
                .hint("check --config and BINLOGSH_CONFIG")
        }),
        None => match state::project() {
            None => Ok(File::default()),
            Some(project) => Ok(file::read(&project.config_dir().join("config.toml"))?.unwrap_or_default()),
        },
    }
}

fn find(file: &File, name: &str) -> Result<Profile> {
    let known = || file.profiles.keys().map(String::as_str);
    file.profiles.get(name).cloned().ok_or_else(|| {
        let place = match &file.path {
            Some(path) => format!(" in {}", path.shown()),
            None => ": there is no configuration file".to_owned(),
        };
        let all = || match known().collect::<Vec<_>>().as_slice() {
            [] => "write profiles as `[profiles.NAME]` into config.toml, or name the file with --config".to_owned(),
            names => format!("the profiles are {}", on_one_line(&names.join(", "))),
        };
        Error::invalid(format!("no profile `{}`{place}", on_one_line(name)))
            .hint(did_you_mean(name, known()).unwrap_or_else(all))
    })
}

/// A certificate, its key and the certificates to trust belong together: half of it must never mean plain text.
///
/// # Errors
/// `invalid`, saying what is missing.
pub fn whole_tls(ca: bool, cert: bool, key: bool) -> Result<()> {
    let lacking = match (ca, cert, key) {
        (_, true, false) => "a certificate is given without its key",
        (_, false, true) => "a key is given without its certificate",
        (false, true, true) => "a certificate and its key are given without the certificates to trust (ca)",
        _ => return Ok(()),
    };
    Err(Error::invalid(format!("TLS is half set up: {lacking}"))
        .hint("give ca alone, or ca, cert and key together; without any of them the connection is plain"))
}

/// PD's addresses; one without a scheme means `http`, as it does for binlogctl.
fn pd_urls(text: &str) -> Result<Vec<String>> {
    Ok(PdUrl::parse_list(text)?.iter().map(|url| url.show(false)).collect())
}

/// The proxy that stands at `place`.
fn proxy(place: &str, text: &Secret) -> Result<ProxyUrl> {
    match text {
        Secret::Plain(text) => ProxyUrl::parse(text).map_err(|error| says(place, error)),
        Secret::Hashed(_) => Err(Error::internal("a proxy is given as a hash")),
    }
}

/// A time to wait for an answer.
fn timeout(text: &str) -> Result<Duration> {
    let time = parse_duration(text)?;
    match time.is_zero() || time > LONGEST_TIMEOUT {
        false => Ok(time),
        true => Err(Error::invalid(format!("`{}` is no time to wait for an answer", on_one_line(text)))
            .hint(format!("give more than nothing and at most {} s", LONGEST_TIMEOUT.as_secs()))),
    }
}

/// The same error, saying where the value stood.
fn says(place: &str, mut error: Error) -> Error {
    error.message = format!("{place}: {}", error.message);
    error
}

#[cfg(test)]
mod tests;
