//! The command lines.

use super::template::{NodeSite, Template};
use super::{NodeControl, NodeInquiry, OwnCommand, Preset, StartScript};
use crate::deployment::{DeployedNode, SystemdMode};
use crate::node::NodeRef;
use crate::text::{quoted, shell_word};
use crate::world::{Exec, ProcessVerb};
use std::net::Ipv6Addr;

/// Why there is no command, as a phrase that goes on behind "cannot: ".
type OrWhy<T> = Result<T, String>;

/// What ssh is always told: it never asks, never waits without end, and never takes a host's key that it does not know, not
/// even from a host that it knows by another one.
const SSH: [&str; 12] = [
    "-o",
    "BatchMode=yes",
    "-o",
    "ConnectTimeout=10",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    "UpdateHostKeys=no",
    "-o",
    "ServerAliveInterval=5",
    "-o",
    "ServerAliveCountMax=3",
];

/// What is read of a log at most, in lines.
const LOG_LINES: &str = "400";

impl NodeControl {
    /// The command that does `verb` to `node`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn command(&self, verb: ProcessVerb, node: &NodeRef) -> OrWhy<Exec> {
        let site = self.site(node)?;
        match self.by {
            Preset::SystemdSsh => {
                self.over_ssh(node, &site, &self.systemctl(self.sudo, &[verb.name(), "--", &site.unit]))
            }
            Preset::Systemd => Ok(exec_of(self.systemctl(self.sudo, &[verb.name(), "--", &site.unit]))),
            Preset::Tiup => self.tiup(verb, node),
            Preset::Kubernetes => self.kubectl(verb, node),
            Preset::Commands => {
                let own = match verb {
                    ProcessVerb::Start => OwnCommand::Start,
                    ProcessVerb::Stop => OwnCommand::Stop,
                    ProcessVerb::Restart => OwnCommand::Restart,
                };
                self.own(own, &site)?.ok_or_else(|| format!("the profile has no command `{verb}`"))
            }
        }
    }

    /// What tells more of a node that did not do what it should; nothing where nothing can.
    pub fn inquiries(&self, node: &NodeRef) -> Vec<NodeInquiry> {
        let Ok(site) = self.site(node) else { return Vec::new() };
        let log = || site.deploy_dir.as_ref().map(|dir| format!("{dir}/log/{}.log", site.kind));
        let tail = || log().map(|log| ["tail", "-n", LOG_LINES, "--", &log].map(str::to_owned).to_vec());
        let show = || {
            let properties = "--property=ActiveState,SubState,Result,ExecMainStatus";
            self.systemctl(false, &["show", properties, "--", &site.unit])
        };
        let (state, log) = match self.by {
            // tiup itself goes to the host by ssh.
            Preset::SystemdSsh | Preset::Tiup => {
                let over_ssh = |command: Vec<String>| self.over_ssh(node, &site, &command).ok();
                (over_ssh(show()), tail().and_then(over_ssh))
            }
            Preset::Systemd => (Some(exec_of(show())), tail().map(exec_of)),
            Preset::Kubernetes => {
                let pod = |words: &[&str], last: &[&str]| {
                    let pod = pod_of(node).ok()?;
                    Some(self.kubectl_with(&[words, last, &["--", pod]].concat()))
                };
                (pod(&["get", "pod"], &["--no-headers"]), pod(&["logs"], &["--tail", LOG_LINES]))
            }
            Preset::Commands => {
                let own = |command| self.own(command, &site).ok().flatten();
                (own(OwnCommand::State), own(OwnCommand::Log))
            }
        };
        let both = [(false, state), (true, log)];
        both.into_iter().filter_map(|(is_log, exec)| exec.map(|exec| NodeInquiry { is_log, exec })).collect()
    }

    /// The command that writes what stands in the file `path` on the node's host to its standard output.
    ///
    /// # Errors
    /// Why there is none.
    pub fn reads_file(&self, node: &NodeRef, path: &str) -> OrWhy<Exec> {
        let (site, path) = (self.site(node)?, harmless("file", path)?);
        match self.by {
            // tiup itself goes to the host by ssh.
            Preset::SystemdSsh | Preset::Tiup => self.over_ssh(node, &site, &["cat", "--", &path].map(str::to_owned)),
            Preset::Kubernetes => Ok(self.kubectl_with(&["exec", pod_of(node)?, "--", "cat", "--", &path])),
            Preset::Systemd => Err("its host is not this one".to_owned()),
            Preset::Commands => Err("the profile's own commands fetch no files: look at it on its host".to_owned()),
        }
    }

    /// What `node` is.
    fn site(&self, node: &NodeRef) -> OrWhy<NodeSite> {
        let deployed = self.deployed(node);
        let address = &*node.address;
        let (host, port) = address.rsplit_once(':').ok_or_else(|| format!("its address {address} has no port"))?;
        let port = port.parse().map_err(|_| format!("the port of its address {address} is no number"))?;
        let site = NodeSite {
            id: harmless("id", &node.id)?,
            kind: node.kind.name(),
            host: host_name(host.trim_start_matches('[').trim_end_matches(']'))?,
            port,
            unit: deployed.map_or_else(|| format!("{}-{port}.service", node.kind.name()), DeployedNode::unit),
            deploy_dir: deployed.map(|deployed| harmless("deploy directory", &deployed.deploy_dir)).transpose()?,
        };
        let deploy_dir = match &self.deploy_dir {
            Some(template) => Some(template.fill(&site)?),
            None => site.deploy_dir.clone(),
        };
        let site = NodeSite { deploy_dir, ..site };
        let unit = self.unit.as_ref().map_or_else(|| Ok(site.unit.clone()), |template| template.fill(&site))?;
        // systemctl takes it for a pattern, whatever quotes it.
        if unit.contains(['*', '?', '[']) {
            return Err(format!("its unit {} would be a pattern, that others are named by as well", quoted(&unit)));
        }
        Ok(NodeSite { unit, ..site })
    }

    /// The node as tiup knows it: by its id, or by its address where it was given another id.
    fn deployed(&self, node: &NodeRef) -> Option<&DeployedNode> {
        let deployment = self.deployment.as_ref()?;
        deployment.find(node.kind, &node.id).or_else(|| deployment.find(node.kind, &node.address))
    }

    /// The same, where nothing can be done without it.
    fn known(&self, node: &NodeRef) -> OrWhy<Option<&DeployedNode>> {
        match (&self.deployment, self.deployed(node)) {
            (Some(deployment), None) => {
                Err(format!("the cluster {} of tiup has no {} {}", deployment.name, node.kind, node.address))
            }
            (_, deployed) => Ok(deployed),
        }
    }

    /// `systemctl` of whoever has the units.
    fn systemctl(&self, sudo: bool, words: &[&str]) -> Vec<String> {
        let mode = self.systemd_mode.or(self.deployment.as_ref().map(|deployment| deployment.systemd_mode));
        let begin: &[&str] = match mode.unwrap_or_default() {
            SystemdMode::System if sudo => &["sudo", "-n", "systemctl"],
            SystemdMode::System => &["systemctl"],
            SystemdMode::User => &["systemctl", "--user"],
        };
        begin.iter().chain(words).map(|word| (*word).to_owned()).collect()
    }

    /// `command` on the node's host, where a shell reads it.
    fn over_ssh(&self, node: &NodeRef, site: &NodeSite, command: &[String]) -> OrWhy<Exec> {
        let deployed = self.known(node)?;
        let host = match (&self.host, deployed) {
            (Some(template), _) => host_name(&template.fill(site)?)?,
            (None, Some(deployed)) => host_name(deployed.ssh_host())?,
            (None, None) => site.host.clone(),
        };
        let mut args: Vec<String> = SSH.map(str::to_owned).to_vec();
        if let Some(file) = &self.known_hosts {
            args.extend(["-o".to_owned(), format!("UserKnownHostsFile={}", file.display())]);
        }
        let key =
            self.identity.as_ref().or(self.deployment.as_ref().and_then(|deployment| deployment.ssh_key.as_ref()));
        if let Some(key) = key {
            let key = key.display().to_string();
            args.extend(["-o".to_owned(), "IdentitiesOnly=yes".to_owned(), "-i".to_owned(), key]);
        }
        if let Some(port) = self.port.or(deployed.map(|deployed| deployed.ssh_port)) {
            args.extend(["-p".to_owned(), port.to_string()]);
        }
        if let Some(user) = self.user.as_ref().or(self.deployment.as_ref().map(|deployment| &deployment.user)) {
            args.extend(["-l".to_owned(), harmless("user", user)?]);
        }
        let quoted: Vec<_> = command.iter().map(|word| shell_word(word)).collect();
        args.extend(["--".to_owned(), host, quoted.join(" ")]);
        Ok(Exec { program: self.program("ssh"), args, ..Exec::default() })
    }

    fn tiup(&self, verb: ProcessVerb, node: &NodeRef) -> OrWhy<Exec> {
        let deployment =
            self.deployment.as_ref().ok_or("the profile names no cluster of tiup: `cluster = \"NAME\"`")?;
        // It would say that all is well about a node that it does not know.
        let deployed = self.known(node)?.ok_or("tiup does not know it")?;
        let args = ["cluster", verb.name(), &deployment.name, "-N", &deployed.id(), "--yes"].map(str::to_owned);
        Ok(Exec { program: self.program("tiup"), args: args.to_vec(), ..Exec::default() })
    }

    fn kubectl(&self, verb: ProcessVerb, node: &NodeRef) -> OrWhy<Exec> {
        let pod = pod_of(node)?;
        match (verb, self.start_script) {
            (ProcessVerb::Stop, StartScript::V1 | StartScript::V2) => {
                Err("its StatefulSet would start the pod again at once; to take it out of work, pause it".to_owned())
            }
            (ProcessVerb::Start | ProcessVerb::Restart, StartScript::V1 | StartScript::V2) => {
                Ok(self.kubectl_with(&["delete", "pod", "--", pod]))
            }
        }
    }

    fn kubectl_with(&self, words: &[&str]) -> Exec {
        let mut args = Vec::new();
        for (option, value) in [("--context", &self.context), ("--namespace", &self.namespace)] {
            if let Some(value) = value {
                args.push(format!("{option}={value}"));
            }
        }
        args.extend(self.kubeconfig.as_ref().map(|file| format!("--kubeconfig={}", file.display())));
        args.extend(words.iter().map(|word| (*word).to_owned()));
        Exec { program: self.program("kubectl"), args, ..Exec::default() }
    }

    /// A command of the profile's, if it has that one.
    fn own(&self, command: OwnCommand, site: &NodeSite) -> OrWhy<Option<Exec>> {
        let Some(words) = self.commands.get(&command) else { return Ok(None) };
        let words: Vec<String> = words.iter().map(|word: &Template| word.fill(site)).collect::<OrWhy<_>>()?;
        Ok(Some(exec_of(words)))
    }

    fn program(&self, usual: &str) -> String {
        self.program.clone().unwrap_or_else(|| usual.to_owned())
    }
}

/// A value that goes into a command line, unless a program could take it for something else.
fn harmless(what: &str, value: &str) -> OrWhy<String> {
    match value.is_empty() || value.starts_with('-') || value.contains(char::is_control) {
        true => Err(format!("its {what} {} could be taken for an option of a program", quoted(value))),
        false => Ok(value.to_owned()),
    }
}

/// A host that is gone to: a name or an IP address. ssh reads a user, a port or another host out of anything else.
fn host_name(value: &str) -> OrWhy<String> {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    let is_name = !value.is_empty() && !value.starts_with('-') && value.chars().all(is_of_name);
    match is_name || value.parse::<Ipv6Addr>().is_ok() {
        true => Ok(value.to_owned()),
        false => Err(format!("its host {} is no name and no IP address", quoted(value))),
    }
}

/// The pod of a node whose id is `POD:PORT`, as TiDB Operator's are.
fn pod_of(node: &NodeRef) -> OrWhy<&str> {
    let (pod, _) = node.id.rsplit_once(':').ok_or_else(|| format!("its id {} is not POD:PORT", quoted(&node.id)))?;
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "-.".contains(letter);
    match !pod.is_empty() && !pod.starts_with('-') && pod.chars().all(is_name) {
        true => Ok(pod),
        false => Err(format!("its id {} names no pod", quoted(&node.id))),
    }
}

fn exec_of(words: Vec<String>) -> Exec {
    let mut words = words.into_iter();
    Exec { program: words.next().unwrap_or_default(), args: words.collect(), ..Exec::default() }
}
