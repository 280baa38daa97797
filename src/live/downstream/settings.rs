//! Which place it is: what a profile says before a copy of the Drainer's configuration, and that before what tiup knows.

use super::{OrUnread, Unread, why};
use crate::deployment::Deployment;
use crate::downstream::{CheckpointPlace, DownstreamProfile, DrainerSettings, TablePlace, parse_drainer_toml};
use crate::error::Error;
use crate::files;
use crate::node::NodeRef;
use crate::text::{ShownPath, Untrusted, decode};
use std::net::IpAddr;
use std::path::Path;

/// No configuration of a Drainer is larger.
const LARGEST: u64 = 1 << 20;

/// Where a Drainer saves, as it is reached from here.
pub(super) enum PlaceFound {
    Table(TablePlace),
    /// In the file `savepoint` of this directory of its host, if it is known.
    Savepoint(Option<Untrusted>),
}

/// Where `node` saves its checkpoint.
pub(super) fn place_of(
    node: &NodeRef,
    profile: &DownstreamProfile,
    deployment: Option<&Deployment>,
) -> OrUnread<PlaceFound> {
    let deployed = deployment.and_then(|deployment| {
        deployment.find(node.kind, &node.id).or_else(|| deployment.find(node.kind, &node.address))
    });
    let (settings, is_drainers_view) = match (&profile.place, &profile.drainer_toml) {
        (Some(place), _) => (place.clone(), false),
        (None, Some(path)) => (read_toml(path)?, true),
        (None, None) => match deployed.and_then(|deployed| deployed.drainer.clone()) {
            Some(settings) => (settings, true),
            None if profile.my_cnf.is_some() => (DrainerSettings::default(), false),
            None => return why(nowhere(node, deployment)),
        },
    };
    match settings.place().map_err(Unread::Why)? {
        CheckpointPlace::Table(table) => {
            let host = table.host.map(|host| if is_drainers_view { as_seen_from_here(host, node) } else { host });
            Ok(PlaceFound::Table(TablePlace { host, ..table }))
        }
        CheckpointPlace::Savepoint(dir) => {
            let said = profile.data_dir.as_deref().map(Untrusted::from).or(dir);
            Ok(PlaceFound::Savepoint(said.or_else(|| deployed.map(|deployed| deployed.data_dir.clone()))))
        }
    }
}

fn nowhere(node: &NodeRef, deployment: Option<&Deployment>) -> String {
    let known = match deployment {
        Some(deployment) => format!("tiup's cluster {} does not say it, and ", deployment.name),
        None => String::new(),
    };
    format!(
        "{known}nothing says where {node} saves its checkpoint: name a my.cnf, a copy of its drainer.toml or the place in the profile \
         (`[profiles.NAME.downstreams.\"ID\"]`)"
    )
}

fn read_toml(path: &Path) -> OrUnread<DrainerSettings> {
    let cannot = || format!("cannot read the Drainer's configuration {}", path.shown());
    let bytes = files::read(path, LARGEST).map_err(|fault| fault.error(cannot()))?;
    let text = decode(path.shown().as_ref(), bytes)?;
    Ok(parse_drainer_toml(&text)
        .map_err(|error| Error { message: format!("{}: {}", path.shown(), error.message), ..error })?)
}

/// Names of a Drainer's own host lead to that host, not to this one.
fn as_seen_from_here(host: Untrusted, node: &NodeRef) -> Untrusted {
    let name = host.trim_matches(['[', ']']);
    let is_own = name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    match node.address.rsplit_once(':') {
        Some((of_node, _)) if is_own => of_node.into(),
        Some(_) | None => host,
    }
}

/// What tiup knows of a Drainer's data directory may be relative to nothing.
pub(super) fn is_absolute(dir: &str) -> bool {
    dir.starts_with('/')
}
