//! Which place it is: what a profile says before a copy of the Drainer's configuration, and that before what tiup knows. What a
//! Drainer writes to and leaves out, the two configurations say before the profile.

use super::{OrUnread, Unread, why};
use crate::deployment::{DeployedNode, Deployment};
use crate::downstream::{
    CheckpointPlace, DownstreamProfile, DrainerSettings, TablePlace, is_loopback, parse_drainer_toml,
};
use crate::error::Error;
use crate::files;
use crate::node::NodeRef;
use crate::text::{ShownPath, Untrusted, decode};
use crate::world::Replication;
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
    let deployed = deployed(node, deployment);
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

/// What `node` writes to and leaves out. The profile names a place as it is reached from here, and nothing of what is left out: so the
/// Drainer's own configuration comes first.
pub(super) fn replication_of(
    node: &NodeRef,
    profile: &DownstreamProfile,
    deployment: Option<&Deployment>,
) -> OrUnread<Replication> {
    if let Some(path) = &profile.drainer_toml {
        let settings = read_toml(path)?;
        return Ok(Replication { settings, unseen: None, source: path.shown().to_string().into() });
    }
    let configured = deployed(node, deployment).and_then(|deployed| deployed.drainer.clone());
    let is_said = configured.as_ref().is_some_and(|settings| *settings != DrainerSettings::default());
    match (configured, profile.replicates()) {
        (None, Some(settings)) => Ok(of_profile(settings)),
        (Some(_), Some(settings)) if !is_said => Ok(of_profile(settings)),
        (Some(settings), _) => {
            let name = deployment.map_or("", |deployment| deployment.name.as_str());
            Ok(Replication { settings, unseen: None, source: format!("tiup's cluster {name}").into() })
        }
        (None, None) => {
            let known = match deployment {
                Some(deployment) => format!("tiup's cluster {} does not say it, and ", deployment.name),
                None => String::new(),
            };
            why(format!(
                "{known}nothing says what {node} writes to: name a copy of its drainer.toml in the profile \
                 (`[profiles.NAME.downstreams.\"ID\"]`)"
            ))
        }
    }
}

fn of_profile(settings: DrainerSettings) -> Replication {
    let unseen = "the profile says where it writes to, and only its configuration what it leaves out or renames: name a copy of its \
                  drainer.toml in the profile";
    Replication { settings, unseen: Some(unseen.into()), source: "the profile".into() }
}

fn deployed<'d>(node: &NodeRef, deployment: Option<&'d Deployment>) -> Option<&'d DeployedNode> {
    let deployment = deployment?;
    deployment.find(node.kind, &node.id).or_else(|| deployment.find(node.kind, &node.address))
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
    match node.address.rsplit_once(':') {
        Some((of_node, _)) if is_loopback(&host) => of_node.into(),
        Some(_) | None => host,
    }
}

/// What tiup knows of a Drainer's data directory may be relative to nothing.
pub(super) fn is_absolute(dir: &str) -> bool {
    dir.starts_with('/')
}
