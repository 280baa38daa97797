//! What tiup keeps of a cluster, in the home of whoever deployed it.

/// Where the `meta.yaml` of the cluster `name` is, below the home.
pub(crate) fn meta_yaml(name: &str) -> String {
    format!(".tiup/storage/cluster/clusters/{name}/meta.yaml")
}

/// That of a cluster whose PD has this URL, and which has no nodes yet.
pub(crate) fn meta_of(url: &str) -> String {
    meta_with(url, &[], &[])
}

/// That of a cluster whose PD has this URL, with Pumps and Drainers at these addresses. It has the password of a downstream
/// in it, as those of real clusters have.
pub(crate) fn meta_with(url: &str, pumps: &[&str], drainers: &[&str]) -> String {
    let (host, port) = url.split("://").last().unwrap().rsplit_once(':').unwrap();
    let list = |name: &str, addresses: &[&str]| {
        let of = |address: &&str| {
            let (host, port) = address.rsplit_once(':').unwrap();
            format!("  - host: {host}\n    port: {port}\n    config:\n      syncer.to.password: {PASSWORD}\n")
        };
        if addresses.is_empty() {
            String::new()
        } else {
            format!("  {name}:\n{}", addresses.iter().map(of).collect::<String>())
        }
    };
    let (pumps, drainers) = (list("pump_servers", pumps), list("drainer_servers", drainers));
    format!(
        "user: tidb\ntidb_version: v7.5.1\ntopology:\n  global:\n    user: tidb\n    ssh_port: 22\n    deploy_dir: /tidb-deploy\n    \
         data_dir: /tidb-data\n  server_configs:\n    drainer:\n      syncer.to.password: {PASSWORD}\n  pd_servers:\n  - host: {host}\n    \
         client_port: {port}\n{pumps}{drainers}  monitoring_servers: []\n"
    )
}

/// The same, cut off behind its nodes.
pub(crate) fn without_end(meta: &str) -> String {
    meta.replace("  monitoring_servers: []\n", "")
}

/// The password in them, which nobody may ever see.
pub(crate) const PASSWORD: &str = "s3cret-of-the-downstream";
