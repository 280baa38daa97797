//! A rolling restart of Pumps that nobody reaches by their own names.

use super::{Outside, shell};
use crate::harness::project;
use crate::support::proxies::Proxy;
use binlogsh::node::Kind;

/// The script runs, and whoever starts processes in the cluster does so as it asks.
fn restarts_every_pump(outside: &Outside, profile: &str) {
    let operator = |line: &str| {
        if let Some(id) = line.strip_prefix("==> ").and_then(|step| step.strip_suffix(": replace and start")) {
            outside.cluster.start_process(Kind::Pump, id);
        }
    };
    let script = project("scripts/rolling_restart.rhai").display().to_string();
    let ran = shell(profile).yes().arg("run").arg(script).watched(operator).succeeds();
    for at in 0..3 {
        let id = format!("basic-pump-{at}:8250");
        assert!(ran.stderr.contains(&format!("{id}: apply action pause success!")), "{}", ran.stderr);
        assert_eq!(outside.cluster.recorded(Kind::Pump, &id), "online");
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
