//! What a deployment tool believes of a cluster: which nodes it has, on which hosts, in which directories, under which units.
//!
//! tiup keeps that in a `meta.yaml` for each cluster. Values only: whoever has the text of one makes a [`Deployment`] of it, and
//! whether the cluster is really like that is for others to find out. What else stands in the file (the settings of a Drainer have
//! the password of its downstream) is passed over before it becomes a value.

mod meta;
mod yaml;

use crate::downstream::DrainerSettings;
use crate::node::Kind;
use crate::text::Untrusted;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use strum::{IntoStaticStr, VariantArray};

/// A cluster as tiup knows it. As JSON it may leave out what has a usual value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// Its name, which is that of a directory, too.
    pub name: String,
    /// The file that says so.
    #[serde(default)]
    pub source: PathBuf,
    /// The version that was deployed, such as `v7.5.1`.
    #[serde(default)]
    pub version: Option<Untrusted>,
    /// PD's client URLs, at least one, each `http(s)://host:port`.
    #[serde(default)]
    pub pd_urls: Vec<String>,
    /// The files for TLS, if the cluster has it.
    #[serde(default)]
    pub tls: Option<DeployedTls>,
    /// The user that the nodes run as, and that ssh logs in as.
    #[serde(default = "usual_user")]
    pub user: String,
    /// The private key for ssh, if tiup made one.
    #[serde(default)]
    pub ssh_key: Option<PathBuf>,
    /// Whose systemd has the units.
    #[serde(default)]
    pub systemd_mode: SystemdMode,
    /// Its Pumps, then its Drainers, in the order of the file.
    pub nodes: Vec<DeployedNode>,
    /// Whether a scale-out has begun and not ended: tiup refuses other commands then.
    #[serde(default)]
    pub unfinished_scale_out: bool,
    /// Whether what tiup writes behind the nodes is missing: some of them may be, too.
    #[serde(default)]
    pub may_be_cut_off: bool,
}

/// The files for TLS of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedTls {
    /// The certificates to trust.
    pub ca: PathBuf,
    /// The certificate of clients.
    pub cert: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Whose systemd has the units of the nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum SystemdMode {
    /// The host's: changing something takes `sudo`.
    #[default]
    System,
    /// The user's own.
    User,
}

impl SystemdMode {
    /// The word for it in `meta.yaml`.
    pub fn name(self) -> &'static str {
        self.into()
    }
}

/// A Pump or Drainer as tiup knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployedNode {
    /// Pump or Drainer.
    pub kind: Kind,
    /// The host that others reach it at, an IPv6 address without brackets.
    pub host: String,
    /// The host that ssh goes to, where that is another one.
    #[serde(default)]
    pub manage_host: Option<String>,
    /// The port of ssh there.
    #[serde(default = "usual_ssh_port")]
    pub ssh_port: u16,
    /// The port that it listens on.
    pub port: u16,
    /// Where its program, settings, scripts and logs are on its host: an absolute path.
    #[serde(default)]
    pub deploy_dir: Untrusted,
    /// Where its data is: an absolute path.
    #[serde(default)]
    pub data_dir: Untrusted,
    /// Whether tiup took it out of the cluster, and did not yet remove it from the file (`tiup cluster prune`).
    #[serde(default)]
    pub offline: bool,
    /// Of a Drainer: what its settings say of its downstream, where they can be understood; never the password that stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drainer: Option<DrainerSettings>,
}

impl Deployment {
    /// The node of this kind that has `name` as its id, which is its address as well. Names of hosts have no case.
    pub fn find(&self, kind: Kind, name: &str) -> Option<&DeployedNode> {
        self.nodes.iter().find(|node| node.kind == kind && node.id().eq_ignore_ascii_case(name))
    }

    /// Those of one kind.
    pub fn of(&self, kind: Kind) -> impl Iterator<Item = &DeployedNode> {
        self.nodes.iter().filter(move |node| node.kind == kind)
    }
}

impl DeployedNode {
    /// The id with which tiup starts it: `HOST:PORT`.
    pub fn id(&self) -> String {
        self.address()
    }

    /// The address that it registers: `HOST:PORT`.
    pub fn address(&self) -> String {
        join(&self.host, self.port)
    }

    /// Its unit in systemd: `pump-8250.service`.
    pub fn unit(&self) -> String {
        format!("{}-{}.service", self.kind.name(), self.port)
    }

    /// The host that ssh goes to.
    pub fn ssh_host(&self) -> &str {
        self.manage_host.as_deref().unwrap_or(&self.host)
    }
}

/// tiup's own, where nothing is said.
const USER: &str = "tidb";
const SSH_PORT: u16 = 22;

fn usual_user() -> String {
    USER.to_owned()
}

fn usual_ssh_port() -> u16 {
    SSH_PORT
}

/// `host:port`, with brackets around an IPv6 address.
fn join(host: &str, port: u16) -> String {
    match host.contains(':') {
        true => format!("[{host}]:{port}"),
        false => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests;
