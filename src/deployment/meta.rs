//! tiup's `meta.yaml` as tiup reads it: whatever is missing has tiup's default.

use super::yaml::{YamlFile, YamlPlace};
use super::{DeployedNode, DeployedTls, Deployment, SSH_PORT, SystemdMode, USER, join};
use crate::downstream::{DrainerSettings, ReplicationFilter};
use crate::error::{Error, Result};
use crate::nearest::named;
use crate::node::Kind;
use crate::pd_url::{PdUrl, authority};
use crate::text::{ShownPath, Untrusted};
use std::collections::HashSet;
use std::path::Path;

/// The names under which something stands that we want, by themselves or with dots between them. Whatever stands under others,
/// as the passwords in `config` and `server_configs`, is passed over.
const WANTED: [&str; 40] = [
    "<<",
    "user",
    "tidb_version",
    "topology",
    "global",
    "pd_servers",
    "pump_servers",
    "drainer_servers",
    "monitoring_servers",
    "enable_tls",
    "systemd_mode",
    "ssh_port",
    "deploy_dir",
    "data_dir",
    "host",
    "manage_host",
    "port",
    "client_port",
    "advertise_client_addr",
    "offline",
    "config",
    "server_configs",
    "drainer",
    "syncer",
    "db-type",
    "ignore-schemas",
    "ignore-table",
    "ignore-txn-commit-ts",
    "replicate-do-db",
    "replicate-do-table",
    "table-migrate-rule",
    "to",
    "kafka-addrs",
    "zookeeper-addrs",
    "topic-name",
    "sync-mode",
    "checkpoint",
    "type",
    "schema",
    "table",
];

/// More PDs than anybody has: all of them are kept and asked.
const MOST_PDS: usize = 100;

/// What holds for all nodes that say nothing else.
struct GlobalOptions<'a> {
    user: &'a str,
    ssh_port: u16,
    deploy_dir: &'a str,
    data_dir: &'a str,
}

impl Deployment {
    /// The cluster `name` of which `text` tells, the contents of the file `source`. Whether there is a key for ssh, and whether a
    /// scale-out is unfinished, stands beside the file, and is for whoever opened it to say.
    ///
    /// # Errors
    /// `invalid`, with the line and the way to what is wrong, and never with what stands there.
    pub fn parse(name: &str, source: &Path, text: &str) -> Result<Self> {
        let repair = || {
            let (dir, name) = (source.parent().unwrap_or(Path::new("")), name);
            format!(
                "tiup keeps what it was before in {}: compare the newest `meta-*.yaml` there with it, copy it back if that is right, and \
                 look with `tiup cluster display {name}`",
                dir.join("backup").shown()
            )
        };
        is_whole(source, text).and_then(|()| read(name, source, text)).map_err(|error| error.hint(repair()))
    }
}

/// tiup writes the file in place: where it was stopped, or the disk was full, only a part is there.
fn is_whole(source: &Path, text: &str) -> Result<()> {
    match text.lines().count() {
        0 => Err(Error::invalid(format!("{} is empty: tiup was stopped while it wrote it", source.shown()))),
        lines if !text.ends_with('\n') => Err(Error::invalid(format!(
            "{}:{lines}: it is half-written, since its last line has no end: tiup was stopped while it wrote it",
            source.shown()
        ))),
        _ => Ok(()),
    }
}

fn read(name: &str, source: &Path, text: &str) -> Result<Deployment> {
    let file = YamlFile::read(source, text, &WANTED)?;
    let top = file.top();
    let topology = top.get("topology")?;
    if !topology.is_there() {
        return Err(topology.wrong("is missing: it is half-written, or no meta.yaml of tiup"));
    }
    let user = user(&top.get("user")?)?;
    let global = topology.get("global")?;
    let enable_tls = flag(&global.get("enable_tls")?)?;
    let options = GlobalOptions {
        user,
        ssh_port: port(&global.get("ssh_port")?)?.unwrap_or(SSH_PORT),
        deploy_dir: path(&global.get("deploy_dir")?)?.unwrap_or("deploy"),
        data_dir: path(&global.get("data_dir")?)?.unwrap_or("data"),
    };
    let of_all = topology.get("server_configs").and_then(|configs| configs.get("drainer"));
    let (mut nodes, mut addresses) = (Vec::new(), HashSet::new());
    for (kind, list) in [(Kind::Pump, "pump_servers"), (Kind::Drainer, "drainer_servers")] {
        for place in topology.get(list)?.items()? {
            let mut node = node(kind, &place, &options)?;
            if kind == Kind::Drainer {
                // What cannot be understood of it is unknown: the nodes are known all the same.
                node.drainer = of_all.as_ref().ok().and_then(|of_all| drainer_settings(&place, of_all).ok());
            }
            // Names of hosts have no case.
            if !addresses.insert(node.address().to_ascii_lowercase()) {
                return Err(place.wrong("has the host and port of another one before it"));
            }
            nodes.push(node);
        }
    }
    Ok(Deployment {
        name: name.to_owned(),
        source: source.to_path_buf(),
        version: top.get("tidb_version")?.text()?.map(Into::into),
        pd_urls: pd_urls(&topology.get("pd_servers")?, enable_tls)?,
        tls: enable_tls.then(|| tls(source.parent().unwrap_or(Path::new("")))),
        user: user.to_owned(),
        ssh_key: None,
        systemd_mode: systemd_mode(&global.get("systemd_mode")?)?,
        nodes,
        unfinished_scale_out: false,
        may_be_cut_off: !has_end(&topology)?,
    })
}

/// Every version of tiup writes `monitoring_servers`, even if there are none, and behind the nodes.
fn has_end(topology: &YamlPlace<'_>) -> Result<bool> {
    Ok(topology.get("monitoring_servers")?.is_there())
}

/// Where tiup puts the files for TLS; `client.pem` is the key.
fn tls(dir: &Path) -> DeployedTls {
    let file = |name| dir.join("tls").join(name);
    DeployedTls { ca: file("ca.crt"), cert: file("client.crt"), key: file("client.pem") }
}

fn pd_urls(servers: &YamlPlace<'_>, has_tls: bool) -> Result<Vec<String>> {
    let servers_there = servers.items()?;
    if servers_there.is_empty() {
        return Err(servers.wrong("has no PD: it is half-written, or no meta.yaml of tiup"));
    }
    if servers_there.len() > MOST_PDS {
        return Err(servers.wrong("has more PDs than any cluster: it is no meta.yaml of tiup"));
    }
    let url = |server: &YamlPlace<'_>| {
        let advertised = server.get("advertise_client_addr")?;
        let address = match advertised.text()? {
            Some(url) => url.to_owned(),
            None => join(&required_host(server)?, port(&server.get("client_port")?)?.unwrap_or(2379)),
        };
        let urls = PdUrl::parse_list(&address).map_err(|_| advertised.wrong("is no URL such as `http://host:2379`"))?;
        Ok(urls.into_iter().map(|url| url.show(has_tls)).collect::<Vec<_>>())
    };
    Ok(servers_there.iter().map(url).collect::<Result<Vec<_>>>()?.concat())
}

fn node(kind: Kind, place: &YamlPlace<'_>, global: &GlobalOptions<'_>) -> Result<DeployedNode> {
    let default_port = match kind {
        Kind::Pump => 8250,
        Kind::Drainer => 8249,
    };
    let node_port = port(&place.get("port")?)?.unwrap_or(default_port);
    let dir_of_its_own = format!("{}-{node_port}", kind.name());
    // A directory of all nodes has one for each; one of the node is the node's.
    let deploy_dir = match path(&place.get("deploy_dir")?)? {
        Some(own) => beneath(&format!("/home/{}", global.user), own),
        None => beneath(&format!("/home/{}", global.user), &beneath(global.deploy_dir, &dir_of_its_own)),
    };
    let data_dir = match path(&place.get("data_dir")?)? {
        Some(own) => beneath(&deploy_dir, own),
        None if global.data_dir.starts_with('/') => beneath(global.data_dir, &dir_of_its_own),
        None => beneath(&deploy_dir, global.data_dir),
    };
    Ok(DeployedNode {
        kind,
        host: required_host(place)?,
        manage_host: host(&place.get("manage_host")?)?,
        ssh_port: port(&place.get("ssh_port")?)?.unwrap_or(global.ssh_port),
        port: node_port,
        deploy_dir: deploy_dir.into(),
        data_dir: data_dir.into(),
        offline: flag(&place.get("offline")?)?,
        drainer: None,
    })
}

/// What the settings of a Drainer say of its downstream: its own before those of all.
fn drainer_settings(node: &YamlPlace<'_>, of_all: &YamlPlace<'_>) -> Result<DrainerSettings> {
    let settings = TiupSettings { own: node.get("config")?, of_all: of_all.clone() };
    let checkpoint = |name| settings.text(&["syncer", "to", "checkpoint", name]);
    Ok(DrainerSettings {
        db_type: settings.text(&["syncer", "db-type"])?,
        host: settings.text(&["syncer", "to", "host"])?,
        port: settings.number(&["syncer", "to", "port"])?,
        kafka_addrs: settings.text(&["syncer", "to", "kafka-addrs"])?,
        zookeeper_addrs: settings.text(&["syncer", "to", "zookeeper-addrs"])?,
        topic_name: settings.text(&["syncer", "to", "topic-name"])?,
        sync_mode: settings.number(&["syncer", "to", "sync-mode"])?,
        filters: ReplicationFilter::those(|filter| settings.leaves_out(filter))?,
        renames: settings.has_any(&["syncer", "table-migrate-rule"])?,
        checkpoint_type: checkpoint("type")?,
        checkpoint_schema: checkpoint("schema")?,
        checkpoint_table: checkpoint("table")?,
        checkpoint_host: checkpoint("host")?,
        checkpoint_port: settings.number(&["syncer", "to", "checkpoint", "port"])?,
        data_dir: None,
    })
}

/// The settings of a Drainer.
struct TiupSettings<'a> {
    /// Its own.
    own: YamlPlace<'a>,
    /// Those of all Drainers.
    of_all: YamlPlace<'a>,
}

impl<'a> TiupSettings<'a> {
    fn find(&self, path: &[&str]) -> Result<Option<YamlPlace<'a>>> {
        match setting(&self.own, path)? {
            Some(own) => Ok(Some(own)),
            None => setting(&self.of_all, path),
        }
    }

    fn text(&self, path: &[&str]) -> Result<Option<Untrusted>> {
        let found = self.find(path)?;
        Ok(found.map(|place| place.text()).transpose()?.flatten().map(Into::into))
    }

    fn number<N: std::str::FromStr>(&self, path: &[&str]) -> Result<Option<N>> {
        let Some(place) = self.find(path)? else { return Ok(None) };
        let number = |text: &str| text.parse().map_err(|_| place.wrong("is no number that a Drainer takes"));
        place.text()?.map(number).transpose()
    }

    /// Whether something is listed there.
    fn has_any(&self, path: &[&str]) -> Result<bool> {
        Ok(self.find(path)?.map(|place| place.items()).transpose()?.is_some_and(|items| !items.is_empty()))
    }

    fn leaves_out(&self, filter: ReplicationFilter) -> Result<bool> {
        let path = ["syncer", filter.name()];
        match filter {
            ReplicationFilter::IgnoreSchemas => {
                Ok(self.text(&path)?.is_some_and(|names| !DrainerSettings::usual_schemas(&names)))
            }
            ReplicationFilter::ReplicateDoDb
            | ReplicationFilter::ReplicateDoTable
            | ReplicationFilter::IgnoreTable
            | ReplicationFilter::IgnoreTxnCommitTs => self.has_any(&path),
        }
    }
}

/// Where a setting stands: each step of the way is a mapping of its own, or stands with the next ones in one name, as tiup takes both.
fn setting<'a>(place: &YamlPlace<'a>, path: &[&str]) -> Result<Option<YamlPlace<'a>>> {
    for taken in (1..=path.len()).rev() {
        let (name, rest) = path.split_at(taken);
        let found = place.get(&name.join("."))?;
        if !found.is_there() {
            continue;
        }
        let found = if rest.is_empty() { Some(found) } else { setting(&found, rest)? };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// `path`, which is relative to `dir` unless it is absolute.
fn beneath(dir: &str, path: &str) -> String {
    match path.starts_with('/') {
        true => path.to_owned(),
        false => format!("{}/{}", dir.trim_end_matches('/'), path.trim_start_matches("./")),
    }
}

fn required_host(server: &YamlPlace<'_>) -> Result<String> {
    let place = server.get("host")?;
    host(&place)?.ok_or_else(|| place.wrong("is missing"))
}

/// The name or address of a host, an IPv6 address without brackets.
fn host(place: &YamlPlace<'_>) -> Result<Option<String>> {
    let Some(text) = place.text()? else { return Ok(None) };
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    // What begins with a dash would be an option of the programs that are given it.
    match authority(&join(bare, 1)).is_ok() && !bare.starts_with('-') {
        true => Ok(Some(bare.to_owned())),
        false => Err(place.wrong("is no name or address of a host")),
    }
}

fn port(place: &YamlPlace<'_>) -> Result<Option<u16>> {
    let Some(text) = place.text()? else { return Ok(None) };
    match text.parse() {
        // tiup takes it for one that was not given.
        Ok(0) => Ok(None),
        Ok(port) => Ok(Some(port)),
        Err(_) => Err(place.wrong("is no port from 1 to 65535")),
    }
}

fn flag(place: &YamlPlace<'_>) -> Result<bool> {
    match place.text()? {
        None | Some("false" | "False" | "FALSE") => Ok(false),
        Some("true" | "True" | "TRUE") => Ok(true),
        Some(_) => Err(place.wrong("is neither true nor false")),
    }
}

/// A path on a node's host.
fn path<'a>(place: &YamlPlace<'a>) -> Result<Option<&'a str>> {
    match place.text()? {
        Some(text) if text.chars().any(char::is_control) => Err(place.wrong("is no path: it has a control character")),
        other => Ok(other),
    }
}

fn user<'a>(place: &YamlPlace<'a>) -> Result<&'a str> {
    let Some(user) = place.text()? else { return Ok(USER) };
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || c == '/';
    match user.starts_with('-') || user.contains(is_odd) {
        true => Err(place.wrong("is no name of a user")),
        false => Ok(user),
    }
}

fn systemd_mode(place: &YamlPlace<'_>) -> Result<SystemdMode> {
    let Some(name) = place.text()? else { return Ok(SystemdMode::default()) };
    named(name).ok_or_else(|| place.wrong("is neither `system` nor `user`"))
}
