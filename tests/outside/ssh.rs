//! Through a real `ssh -D` into one of the cluster's hosts.

use super::shell;
use crate::support::fleet::Fleet;
use crate::support::{eventually, free_port};
use binlogsh::node::Kind;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// OpenSSH's client, which passes connections on through the host of a node. It is killed when this is dropped.
struct Tunnel(Child, u16);

impl Tunnel {
    fn open(fleet: &Fleet, kind: Kind, id: &str) -> Self {
        for _ in 0..5 {
            let port = free_port();
            let mut ssh = Command::new("ssh");
            ssh.args([
                "-F",
                "none",
                "-N",
                "-D",
                &format!("127.0.0.1:{port}"),
                "-o",
                "BatchMode=yes",
                "-o",
                "ExitOnForwardFailure=yes",
            ]);
            ssh.arg("-o")
                .arg(format!("UserKnownHostsFile={}", fleet.known_hosts().display()))
                .arg("-i")
                .arg(fleet.key());
            ssh.args(["-p", &fleet.ssh_port(kind, id).to_string()]);
            ssh.arg(format!("{}@{}", fleet.user(), fleet.address(kind, id).ip()));
            let mut child = ssh.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let is_there = || TcpStream::connect(("127.0.0.1", port)).is_ok();
            let ready = eventually(Duration::from_secs(20), || is_there() || child.try_wait().unwrap().is_some());
            if ready && child.try_wait().unwrap().is_none() {
                return Self(child, port);
            }
        }
        panic!("ssh opens no port: {}", fleet.sshd_log(kind, id));
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_cluster_is_reached_through_ssh_and_who_is_gone_is_unknown() {
    let fleet = Fleet::in_kubernetes("default").with_sshd();
    let (pumps, drainers) = (fleet.ids(Kind::Pump), fleet.ids(Kind::Drainer));
    let tunnel = Tunnel::open(&fleet, Kind::Pump, &pumps[0]);
    let nodes = pumps.iter().map(|id| (Kind::Pump, id)).chain(drainers.iter().map(|id| (Kind::Drainer, id)));
    let line = |(kind, id): (Kind, &String)| {
        let who = fleet.cluster.who(kind, id);
        let name = fleet.cluster.with(|cluster| cluster.address_of(who).to_owned());
        format!("\"{name}\" = \"{}\"\n", fleet.address(kind, id))
    };
    let map: String = nodes.map(line).collect();
    let pd = fleet.url().replace("http://", "");
    let profile = format!(
        "[profiles.pods]\npd-urls = \"basic-pd:2379\"\nproxy = \"socks5://127.0.0.1:{}\"\n\
         [profiles.pods.addresses]\n\"basic-pd:2379\" = \"{pd}\"\n{map}",
        tunnel.1
    );
    let ran = shell(&profile).eval("for n in nodes() { print(`${n.id} ${probe(n)}`); }").succeeds();
    for id in pumps.iter().chain(&drainers) {
        assert!(ran.stdout.contains(&format!("{id} online\n")), "{}", ran.stdout);
    }
    fleet.restart_after(None);
    fleet.kill(Kind::Pump, &pumps[1]);
    assert!(eventually(Duration::from_secs(10), || fleet.ended(Kind::Pump, &pumps[1]).is_some()));
    let ran = shell(&profile).eval(&format!("print(probe([\"{}\"])[0].detail)", pumps[1])).succeeds();
    ran.stdout_contains("closed the connection before it had reached")
        .stdout_contains("as `ssh -D` does when it cannot");
}
