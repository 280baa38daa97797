//! A rolling restart of Pumps that nobody here reaches by their own names, unattended.

use super::{Outside, shell};
use crate::harness::project;
use crate::node_control::Commanded;
use crate::support::proxies::Proxy;
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;

/// The script runs with nobody there: node control starts the processes, by commands of one's own.
fn restarts_every_pump(outside: &Outside, profile: &str) {
    let began = std::time::SystemTime::now();
    let control = Commanded::on(outside.cluster.clone());
    let profile = format!("{profile}\n[profiles.pods.node-control]\n{}", control.obedient());
    let shell = || shell(&profile).yes().arg("--allow-node-control");
    let ran = shell().run(project("scripts/rolling_restart.rhai"), &[]).succeeds();
    let since = began.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for at in 0..3 {
        let id = format!("basic-pump-{at}:8250");
        assert!(ran.stderr.contains(&format!("{id}: apply action pause success!")), "{}", ran.stderr);
        assert!(ran.stderr.contains(&format!("start pump {id}")) && !ran.stderr.contains("by hand"), "{}", ran.stderr);
        assert_eq!(outside.cluster.recorded(Kind::Pump, &id), "online");
        let code = format!("ensure(started_at(\"{id}\") > tso_time({}), \"the same\")", (since * 1000) << 18);
        shell().eval(&code).succeeds();
    }
}

#[test]
fn a_rolling_restart_goes_through_a_map_with_tls() {
    let outside = Outside::forwarded(true);
    restarts_every_pump(&outside, &outside.profile(&outside.map()));
}

#[test]
fn a_rolling_restart_goes_through_a_proxy_with_tls() {
    let outside = Outside::in_its_network(true);
    let proxy = Proxy::start(&outside.hosts());
    restarts_every_pump(&outside, &outside.profile(&format!("proxy = \"{}\"\n", proxy.url())));
}

#[test]
fn behind_a_forward_that_has_ended_no_pump_is_taken_for_one_that_crashed() {
    let outside = Outside::forwarded(false);
    let control = Commanded::on(outside.cluster.clone());
    let map = outside.map().replace(":1825{n}", ":1925{n}");
    let profile = format!("{}\n[profiles.pods.node-control]\n{}", outside.profile(&map), control.obedient());
    for verb in ["stop", "restart"] {
        // Its record says the same while it closes.
        let code = format!(r#"{verb}("basic-pump-0:8250", #{{ force: ["last_pump"] }})"#);
        let ran = shell(&profile).yes().arg("--allow-node-control").eval(&code).fails(ErrorKind::Refused);
        let words = format!(
            "unknown, which refuses: whether basic-pump-0:8250 is closing, which it would forget: nobody answers at {}:19250",
            outside.ip()
        );
        ran.stderr_contains(&words).stderr_contains("see that the forwarded port works");
    }
}
