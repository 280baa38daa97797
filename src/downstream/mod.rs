//! Where a Drainer writes to, what it leaves out, where it saves how far it has come, and what stands there; whether a changefeed
//! writes to the same place: values, nothing is opened or connected here.
//!
//! A Drainer's configuration says all that ([`DrainerSettings`]); a `my.cnf` says how to log in there ([`ClientOptions`]); and what
//! is found there is a row ([`SavedRow`]) or a savepoint file. The configuration has the password of the downstream in it: it is
//! passed over as the text is read, and never becomes a value.

mod my_cnf;
mod row;
mod settings;
mod sink;

pub use my_cnf::{ClientOptions, SslMode};
pub(crate) use row::LONGEST as LONGEST_ROW;
pub use row::SavedRow;
pub use settings::{CheckpointPlace, DbType, DrainerSettings, ReplicationFilter, TablePlace};
pub use sink::{Downstream, DownstreamKind, Sameness, without_secrets};

use crate::error::Result;
use crate::node::NodeRef;
use crate::secret::Secret;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

/// What a profile says of the downstreams of a cluster, and of how to log in there.
#[derive(Clone, Debug, Default)]
pub struct Downstreams {
    /// A `my.cnf` for logging in to all of them; what it says of host, port and socket is not taken, since several Drainers write
    /// to several databases.
    pub my_cnf: Option<PathBuf>,
    /// What is said of single Drainers, by id.
    pub drainers: BTreeMap<String, DownstreamProfile>,
    /// The passwords that somebody typed, by user and place.
    typed: Arc<Mutex<BTreeMap<String, Secret>>>,
}

/// What a profile says of one Drainer's downstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DownstreamProfile {
    /// A `my.cnf` for this one: its host, port and socket count before all others.
    pub my_cnf: Option<PathBuf>,
    /// A copy of its configuration.
    pub drainer_toml: Option<PathBuf>,
    /// What the profile says itself of the place, as it is reached from here; before what the configuration says.
    pub place: Option<DrainerSettings>,
    /// Where its data is on its host, before what the configuration says.
    pub data_dir: Option<String>,
    /// The user to log in as, where no `my.cnf` names one: the password is asked for.
    pub user: Option<String>,
}

impl DownstreamProfile {
    /// What it says of the downstream itself, and not only of the checkpoint: the sort, and for a database, which keeps its own
    /// checkpoint, the host and port. A loopback address is this host's way to it, and says nothing of the place.
    pub fn replicates(&self) -> Option<DrainerSettings> {
        let place = self.place.as_ref()?;
        let settings = DrainerSettings { db_type: Some(place.db_type.clone()?), ..DrainerSettings::default() };
        let host = place.checkpoint_host.clone().filter(|host| !is_loopback(host));
        Some(match settings.db_type() {
            DbType::Mysql | DbType::Tidb if host.is_some() => {
                DrainerSettings { host, port: place.checkpoint_port, ..settings }
            }
            DbType::Mysql | DbType::Tidb | DbType::Kafka | DbType::File | DbType::Oracle | DbType::Other(_) => settings,
        })
    }
}

/// Whether `host` is of whoever names it.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = host.trim_matches(['[', ']']).trim_end_matches('.');
    name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Two that say the same are equal, whatever was typed since.
impl PartialEq for Downstreams {
    fn eq(&self, other: &Self) -> bool {
        self.my_cnf == other.my_cnf && self.drainers == other.drainers
    }
}

impl Downstreams {
    /// What is said, and nothing typed yet.
    pub fn new(my_cnf: Option<PathBuf>, drainers: BTreeMap<String, DownstreamProfile>) -> Self {
        Self { my_cnf, drainers, typed: Arc::default() }
    }

    /// What is said of `node`; of a Drainer that nothing is said of, nothing.
    pub fn of(&self, node: &NodeRef) -> DownstreamProfile {
        self.drainers.get(node.id.as_str()).cloned().unwrap_or_default()
    }

    /// The password that somebody typed for `login` (`user@place`).
    pub fn typed(&self, login: &str) -> Option<Secret> {
        self.typed.lock().unwrap_or_else(PoisonError::into_inner).get(login).cloned()
    }

    /// Keeps what somebody typed for `login`, for as long as this process lives.
    pub fn keep_typed(&self, login: &str, typed: Secret) {
        self.typed.lock().unwrap_or_else(PoisonError::into_inner).insert(login.to_owned(), typed);
    }

    /// Forgets what somebody typed for `login`: it was refused.
    pub fn forget_typed(&self, login: &str) {
        self.typed.lock().unwrap_or_else(PoisonError::into_inner).remove(login);
    }
}

/// The configuration of a Drainer as `drainer.toml` has it.
///
/// # Errors
/// `invalid` with the line of what is wrong, and never with what stands there.
pub fn parse_drainer_toml(text: &str) -> Result<DrainerSettings> {
    settings::parse_toml(text)
}
