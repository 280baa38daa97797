//! By which commands the processes of nodes are started and stopped: from a profile's words to command lines.
//!
//! Values only: nothing is run here, and nobody is asked. Ids and addresses of nodes come from etcd, where anybody may have
//! written them, so that whatever a program could take for an option of its own is refused, and whatever a shell on the other
//! side reads is quoted.

mod commands;
mod template;

pub use template::Template;

use crate::deployment::{Deployment, SystemdMode};
use crate::error::{Error, Result};
use crate::nearest::parse_named;
use crate::node::NodeRef;
use crate::world::{Ability, EndsBy, Exec, ProcessVerb, Restarts, Supervision};
use std::collections::BTreeMap;
use std::path::PathBuf;
use strum::{IntoStaticStr, VariantArray};

/// What starts and stops the processes of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "kebab-case")]
pub enum Preset {
    /// `systemctl` on the node's host, by ssh.
    SystemdSsh,
    /// `systemctl` on this host.
    Systemd,
    /// `tiup cluster`.
    Tiup,
    /// `kubectl delete pod`.
    Kubernetes,
    /// Commands of one's own.
    Commands,
}

impl Preset {
    /// The preset called `name`.
    ///
    /// # Errors
    /// `invalid`, with the nearest name.
    pub fn from_name(name: &str) -> Result<Self> {
        parse_named("preset of node control", name)
    }

    /// The word in profiles.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// What it is, for people.
    fn words(self) -> &'static str {
        match self {
            Self::SystemdSsh => "systemd over ssh",
            Self::Systemd => "systemd",
            Self::Tiup => "tiup",
            Self::Kubernetes => "kubectl",
            Self::Commands => "the profile's commands",
        }
    }
}

/// How a pod of TiDB Operator starts its process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum StartScript {
    /// A shell runs it, and sleeps once it has ended in good order: a paused pod stays until it is deleted, and SIGTERM does
    /// not reach the process.
    #[default]
    V1,
    /// It takes the shell's place: SIGTERM arrives, and it is started again however it ended.
    V2,
}

/// A command of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "lowercase")]
pub enum OwnCommand {
    /// Starts a node.
    Start,
    /// Stops it.
    Stop,
    /// Restarts it.
    Restart,
    /// Shows the end of its log.
    Log,
    /// Shows how its supervisor finds it.
    State,
}

/// What a profile says of node control.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeControl {
    /// What does it.
    pub by: Preset,
    /// The program to run instead of `ssh`, `tiup` or `kubectl`.
    pub program: Option<String>,
    /// The host that ssh goes to.
    pub host: Option<Template>,
    /// The node's unit.
    pub unit: Option<Template>,
    /// Where its program and its logs are.
    pub deploy_dir: Option<Template>,
    /// The user that ssh logs in as.
    pub user: Option<String>,
    /// The port of ssh.
    pub port: Option<u16>,
    /// The private key for ssh.
    pub identity: Option<PathBuf>,
    /// The file with the keys of hosts that ssh trusts, instead of its own.
    pub known_hosts: Option<PathBuf>,
    /// Whether `systemctl` is run with `sudo -n`, where the units are the host's.
    pub sudo: bool,
    /// Whose systemd has the units.
    pub systemd_mode: Option<SystemdMode>,
    /// The namespace of the pods.
    pub namespace: Option<String>,
    /// The context of kubectl.
    pub context: Option<String>,
    /// The configuration of kubectl.
    pub kubeconfig: Option<PathBuf>,
    /// How the pods start.
    pub start_script: StartScript,
    /// The commands of one's own, each a program and its arguments.
    pub commands: BTreeMap<OwnCommand, Vec<Template>>,
    /// How they end a process.
    pub ends_by: EndsBy,
    /// Which processes come back by themselves.
    pub restarts: Option<Restarts>,
    /// What tiup believes of the cluster, where the profile names it.
    pub deployment: Option<Deployment>,
}

/// A command that tells more of a node that did not do what it should.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeInquiry {
    /// Whether it shows a log, of which the lines with errors count; otherwise all it says does.
    pub is_log: bool,
    /// The command.
    pub exec: Exec,
}

impl NodeControl {
    /// Nothing but this preset.
    pub fn new(by: Preset) -> Self {
        Self {
            by,
            program: None,
            host: None,
            unit: None,
            deploy_dir: None,
            user: None,
            port: None,
            identity: None,
            known_hosts: None,
            sudo: true,
            systemd_mode: None,
            namespace: None,
            context: None,
            kubeconfig: None,
            start_script: StartScript::default(),
            commands: BTreeMap::new(),
            ends_by: EndsBy::default(),
            restarts: None,
            deployment: None,
        }
    }

    /// The same, for the cluster that tiup knows as `deployment`; where that is `unread`, whoever goes to the cluster is told why.
    ///
    /// # Errors
    /// `invalid` where tiup is to do it, and no cluster of it is named.
    pub fn of_cluster(self, deployment: Option<Deployment>, unread: bool) -> Result<Self> {
        if self.by == Preset::Tiup && deployment.is_none() && !unread {
            return Err(Error::invalid("tiup is to start and stop the nodes, and the profile names no cluster of it")
                .hint("write cluster = \"NAME\" into the profile; `binlogsh clusters` lists what tiup has"));
        }
        Ok(Self { deployment, ..self })
    }

    /// How `node` is started and stopped; a node that is somewhere else may be out of reach all the same.
    pub fn supervision(&self, node: &NodeRef) -> Supervision {
        let ability = |verb| match self.command(verb, node) {
            Ok(exec) => Ability::By(Some(exec.to_string())),
            Err(why) => Ability::Cannot(why),
        };
        Supervision {
            by: self.by.words().to_owned(),
            stands_in: true,
            start: ability(ProcessVerb::Start),
            stop: ability(ProcessVerb::Stop),
            restart: ability(ProcessVerb::Restart),
            ends_by: match (self.by, self.start_script) {
                (Preset::Kubernetes, StartScript::V1) => EndsBy::Sigkill,
                (Preset::Kubernetes, StartScript::V2) => EndsBy::Sigterm,
                (Preset::SystemdSsh | Preset::Systemd | Preset::Tiup | Preset::Commands, _) => self.ends_by,
            },
            restarts: self.restarts.or(match (self.by, self.start_script) {
                (Preset::Kubernetes, StartScript::V1) => Some(Restarts::OnFailure),
                (Preset::Kubernetes, StartScript::V2) => Some(Restarts::Always),
                // The units of tiup and of tidb-ansible say so.
                (Preset::SystemdSsh | Preset::Systemd | Preset::Tiup, _) => Some(Restarts::OnFailure),
                (Preset::Commands, _) => None,
            }),
            between: None,
        }
    }

    /// The host that must be this one, where the commands go to no other.
    pub fn host_of_this(&self, node: &NodeRef) -> Option<String> {
        match self.by {
            Preset::Systemd => Some(node.address.rsplit_once(':').map_or(&*node.address, |(host, _)| host).to_owned()),
            Preset::SystemdSsh | Preset::Tiup | Preset::Kubernetes | Preset::Commands => None,
        }
    }
}

#[cfg(test)]
mod tests;
