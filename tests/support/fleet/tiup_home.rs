//! What tiup keeps of a fleet, as if it had deployed it.

use super::programs::CLUSTER;
use super::supervisor::Unit;
use binlogsh::node::Kind;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A cluster as it stands in `meta.yaml`.
pub(super) struct TiupCluster<'a> {
    /// Whom ssh logs in as.
    pub(super) user: &'a str,
    /// PD's URL.
    pub(super) url: &'a str,
    pub(super) units: Vec<&'a Unit>,
    /// The port of ssh on each host, where it is not 22.
    pub(super) ssh_ports: &'a BTreeMap<String, u16>,
    pub(super) user_units: bool,
    /// The key that ssh takes, if there is one.
    pub(super) key: Option<PathBuf>,
}

impl TiupCluster<'_> {
    /// Writes it below `home`, the directory that `TIUP_HOME` names.
    pub(super) fn write(&self, home: &Path) {
        let dir = home.join("storage/cluster/clusters").join(CLUSTER);
        std::fs::create_dir_all(dir.join("ssh")).unwrap();
        std::fs::write(dir.join("meta.yaml"), self.meta()).unwrap();
        if let Some(key) = &self.key {
            let own = dir.join("ssh/id_rsa");
            std::fs::copy(key, &own).unwrap();
            std::fs::set_permissions(&own, std::fs::Permissions::from_mode(0o600)).unwrap();
            std::fs::copy(key.with_extension("pub"), own.with_extension("pub")).unwrap();
        }
    }

    fn meta(&self) -> String {
        let (host, port) = self.url.split("://").last().unwrap().rsplit_once(':').unwrap();
        let mode = if self.user_units { "user" } else { "system" };
        format!(
            "user: {}\ntidb_version: v7.5.1\ntopology:\n  global:\n    user: {}\n    ssh_port: 22\n    systemd_mode: {mode}\n    \
             deploy_dir: /tidb-deploy\n    data_dir: /tidb-data\n  pd_servers:\n  - host: {host}\n    client_port: {port}\n{}{}  \
             monitoring_servers: []\n",
            self.user,
            self.user,
            self.nodes("pump_servers", Kind::Pump),
            self.nodes("drainer_servers", Kind::Drainer)
        )
    }

    fn nodes(&self, name: &str, kind: Kind) -> String {
        let mut text = format!("  {name}:\n");
        for unit in self.units.iter().filter(|unit| unit.kind == kind) {
            let (host, port) = (unit.address.ip().to_string(), unit.address.port());
            let deploy_dir = unit.deploy_dir.display();
            text += &format!(
                "  - host: {host}\n    port: {port}\n    deploy_dir: {deploy_dir}\n    data_dir: {deploy_dir}/data\n"
            );
            if let Some(port) = self.ssh_ports.get(&host) {
                text += &format!("    ssh_port: {port}\n");
            }
        }
        // A list without anything in it is none.
        if text.lines().count() > 1 { text } else { String::new() }
    }
}
