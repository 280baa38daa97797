//! A cluster seen from outside: its names lead nowhere from here, and everything goes through a map of addresses or a SOCKS5
//! proxy, with TLS whose certificates are for those names.

mod guide;
mod map;
mod restart;
mod socks;
mod ssh;
mod ways;
mod wrong;

use crate::harness::Shell;
use crate::support::certs::Certs;
use crate::support::cluster::{LiveCluster, own_ip};
use binlogsh::sim::Scenario;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How PD is asked for, and the one name by which its only member is known to the cluster.
const SERVICE: &str = "basic-pd:2379";
const MEMBER: &str = "basic-pd-0.basic-pd-peer:2379";

/// A cluster whose names are those of pods.
struct Outside {
    cluster: Arc<LiveCluster>,
    certs: Option<Certs>,
    /// Where whoever has such an address is found.
    places: BTreeMap<String, String>,
}

/// The sample cluster, with the names that tidb-operator gives.
fn pods() -> Scenario {
    let mut scenario = Scenario::named("default").unwrap();
    for (at, pump) in scenario.pumps.iter_mut().enumerate() {
        (pump.id, pump.address) = (format!("basic-pump-{at}:8250"), format!("basic-pump-{at}.basic-pump:8250"));
    }
    for (drainer, release) in scenario.drainers.iter_mut().zip(["copy", "files"]) {
        let pod = format!("basic-{release}-drainer-0");
        (drainer.id, drainer.address) = (format!("{pod}:8249"), format!("{pod}.basic-{release}-drainer:8249"));
    }
    for (at, tidb) in scenario.tidb.iter_mut().enumerate() {
        let name = format!("basic-tidb-{at}.basic-tidb-peer");
        (tidb.address, tidb.status_address) = (format!("{name}:4000"), Some(format!("{name}:10080")));
    }
    scenario
}

/// A certificate as the operator's manual has it made, and no address in it.
fn certs() -> Certs {
    Certs::for_names(&[
        "basic-pd",
        "*.basic-pd-peer",
        "*.basic-pump",
        "*.basic-copy-drainer",
        "*.basic-files-drainer",
        "*.basic-tidb-peer",
    ])
}

impl Outside {
    /// Everybody is found at `place`, PD by the name of its service.
    fn start(tls: bool, place: impl Fn(&str) -> String) -> Self {
        let (scenario, certs) = (pods(), tls.then(certs));
        let nodes = scenario.pumps.iter().map(|pump| &pump.address);
        let nodes = nodes.chain(scenario.drainers.iter().map(|drainer| &drainer.address));
        let names = nodes.chain(scenario.tidb.iter().flat_map(|tidb| &tidb.status_address));
        let mut places: BTreeMap<String, String> = names.map(|name| (name.clone(), place(name))).collect();
        places.insert(MEMBER.to_owned(), place(SERVICE));
        let cluster = LiveCluster::behind_names(scenario, MEMBER, certs.as_ref(), |name| places[name].clone());
        let pd = places.remove(MEMBER).unwrap();
        places.insert(SERVICE.to_owned(), pd);
        Self { cluster: Arc::new(cluster), certs, places }
    }

    /// As ports that are forwarded to this host: all on one address.
    fn forwarded(tls: bool) -> Self {
        let ip = own_ip();
        Self::start(tls, |name| {
            let (pod, _) = name.split_once('.').unwrap_or((name, ""));
            let number = pod.rsplit('-').next().unwrap();
            match name.rsplit_once(':').unwrap().1 {
                "8250" => format!("{ip}:1825{number}"),
                "10080" => format!("{ip}:1008{number}"),
                "8249" if pod.contains("copy") => format!("{ip}:18240"),
                "8249" => format!("{ip}:18241"),
                _ => format!("{ip}:12379"),
            }
        })
    }

    /// As they are in their own network: each on an address of its own, at its own port.
    fn in_its_network(tls: bool) -> Self {
        Self::start(tls, |name| format!("{}:{}", own_ip(), name.rsplit_once(':').unwrap().1))
    }

    /// Where PD's service is found.
    fn pd(&self) -> &str {
        &self.places[SERVICE]
    }

    /// The host of its forwarded ports.
    fn ip(&self) -> &str {
        self.pd().rsplit_once(':').unwrap().0
    }

    /// IP and name of everybody, as a name server of the cluster has them.
    fn hosts(&self) -> Vec<(String, String)> {
        let host = |address: &str| address.rsplit_once(':').unwrap().0.to_owned();
        self.places.iter().map(|(name, place)| (host(place), host(name))).collect()
    }

    /// A profile for it with these lines, and the authority where there is one.
    fn profile(&self, lines: &str) -> String {
        let ca = self.certs.as_ref().map(|certs| format!("ca = \"{}\"\n", certs.ca().display()));
        format!("[profiles.pods]\npd-urls = \"{SERVICE}\"\n{}{lines}", ca.unwrap_or_default())
    }

    /// The map of a cluster whose ports are forwarded.
    fn map(&self) -> String {
        let ip = self.ip();
        format!(
            "[profiles.pods.addresses]\n\
             \"basic-pd:2379\" = \"{ip}:12379\"\n\
             \"{{pod}}.basic-pump:8250\" = \"{ip}:1825{{n}}\"\n\
             \"basic-copy-drainer-0.basic-copy-drainer:8249\" = \"{ip}:18240\"\n\
             \"basic-files-drainer-0.basic-files-drainer:8249\" = \"{ip}:18241\"\n\
             \"{{pod}}.basic-tidb-peer:10080\" = \"{ip}:1008{{n}}\"\n"
        )
    }
}

/// The program with this configuration.
fn shell(profile: &str) -> Shell {
    Shell::new(&["--profile", "pods"]).file(".config/binlogsh/config.toml", profile)
}

/// Everything that an operator does goes the same way: looking, time, events, TiDB's ports, changes under the lock, `doctor`,
/// `ctl`, a rehearsal, what a shell completes.
fn serves_an_operator(outside: &Outside, profile: &str) {
    let code = r#"
        for n in nodes() { print(`${n.id} at ${n.address}: ${probe(n)}`); }
        print(tso() > 0);
        let tidb = tidbs()[1];
        try { recover_tidb(tidb.address); } catch (e) { print(e.message); }
        print(cluster().leader);
    "#;
    let ran = shell(profile).eval(code).succeeds();
    for (pod, service) in [
        ("basic-pump-0", "basic-pump:8250"),
        ("basic-pump-2", "basic-pump:8250"),
        ("basic-copy-drainer-0", "basic-copy-drainer:8249"),
    ] {
        let port = service.rsplit_once(':').unwrap().1;
        ran.stdout.lines().find(|line| *line == format!("{pod}:{port} at {pod}.{service}: online")).unwrap_or_else(
            || {
                panic!("{pod}\n{}\n{}", ran.stdout, ran.stderr);
            },
        );
    }
    let ran = ran.stdout_contains("true\n").stdout_contains("basic-tidb-1.basic-tidb-peer:4000");
    assert_eq!(outside.cluster.asked_of_tidbs(), ["GET /binlog/recover?op=status"], "{}", ran.stdout);
    assert_eq!(ran.stderr.matches("does not resolve").count(), 0, "{}", ran.stderr);

    // A change: guards look, the lock is taken and given back, the node is told, its record and its port are watched.
    let code = r#"pause_drainer("basic-copy-drainer-0:8249", #{ wait: "30s" }).after"#;
    shell(profile).yes().eval(code).succeeds().stdout("paused");
    let ran = shell(profile)
        .arg("ctl")
        .arg("-cmd")
        .arg("pause-pump")
        .arg("-node-id")
        .arg("basic-pump-1:8250")
        .arg("--profile");
    ran.arg("pods").go().succeeds().stdout_contains("Apply action on node success");
    let code = r#"wait_for("basic-pump-1:8250", "paused", "30s"); pump("basic-pump-1:8250").state"#;
    shell(profile).eval(code).succeeds().stdout("paused");

    let ran = shell(profile).arg("doctor").arg("--observe=0").go();
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(told.contains("basic-pump-1:8250") && !told.contains("basic-pump-0:8250"), "one is paused: {told}");
    assert!(!told.contains("does not resolve"), "{told}");

    let script = r#"pause_pump("basic-pump-2:8250");"#;
    let ran = shell(profile).file("s.rhai", script).arg("rehearse").arg("s.rhai").go().succeeds();
    assert!(ran.stdout.contains("basic-pump-2:8250"), "{}", ran.stdout);
    assert_eq!(outside.cluster.recorded(binlogsh::node::Kind::Pump, "basic-pump-2:8250"), "online", "it was rehearsed");
}
