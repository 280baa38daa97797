//! Nodes in Kubernetes, seen from outside: their names resolve nowhere, and `kubectl delete pod` is all that starts one.

use crate::harness::{Shell, project};
use crate::support::fleet::Fleet;
use crate::support::fleet::programs::NAMESPACE;
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use std::time::Duration;

fn fleet() -> Fleet {
    let fleet = Fleet::in_kubernetes("default");
    fleet.set(|knobs| knobs.grace = Duration::from_millis(100));
    fleet
}

fn shell(fleet: &Fleet) -> Shell {
    let all = Kind::ALL.iter().flat_map(|kind| fleet.ids(*kind).into_iter().map(move |id| (*kind, id)));
    let line = |(kind, id): (Kind, String)| {
        let who = fleet.cluster.who(kind, &id);
        let name = fleet.cluster.with(|cluster| cluster.address_of(who).to_owned());
        format!("\"{name}\" = \"{}\"\n", fleet.address(kind, &id))
    };
    let map: String = all.map(line).collect();
    let profile = format!(
        "[profiles.pods]\npd-urls = \"fleet-pd:2379\"\n[profiles.pods.addresses]\n\"fleet-pd:2379\" = \"{}\"\n{map}\
         [profiles.pods.node-control]\nby = \"kubernetes\"\nnamespace = \"{NAMESPACE}\"\n",
        fleet.url().replace("http://", "")
    );
    let [tiup, path] = fleet.env();
    let shell = Shell::new(&["--profile=pods"]).file(".config/binlogsh/config.toml", &profile);
    shell.env(tiup.0, &tiup.1).env(path.0, &path.1).yes().arg("--allow-node-control")
}

#[test]
fn a_rolling_restart_pauses_each_pump_and_has_its_sleeping_pod_deleted() {
    let fleet = fleet();
    let pumps = fleet.ids(Kind::Pump);
    let before: Vec<_> = pumps.iter().map(|id| fleet.process(Kind::Pump, id)).collect();
    let ran = shell(&fleet).run(project("scripts/rolling_restart.rhai"), &[]).succeeds();
    let deletes: Vec<String> = fleet.calls().into_iter().filter(|call| call.contains("delete")).collect();
    let expected =
        pumps.iter().map(|id| format!("kubectl --namespace={NAMESPACE} delete pod -- {}", fleet.pod(Kind::Pump, id)));
    assert_eq!(deletes, expected.collect::<Vec<_>>(), "{}", ran.stderr);
    for (id, before) in pumps.iter().zip(before) {
        assert_eq!(fleet.cluster.recorded(Kind::Pump, id), "online");
        assert!(fleet.process(Kind::Pump, id).is_some_and(|now| Some(now) != before), "{id}");
        assert!(fleet.ended(Kind::Pump, id).unwrap().success(), "{id} was paused, and not killed");
    }
}

#[test]
fn a_pod_is_not_stopped_and_one_that_works_is_killed_only_by_force() {
    let fleet = fleet();
    let id = fleet.ids(Kind::Drainer).remove(0);
    let before = fleet.process(Kind::Drainer, &id);
    let run = |what: &str| shell(&fleet).eval(what);
    run(&format!("stop(\"{id}\")")).fails(ErrorKind::Refused).stderr_contains("StatefulSet");
    run(&format!("restart(\"{id}\")")).fails(ErrorKind::Refused).stderr_contains("kills");
    assert_eq!((fleet.calls(), fleet.process(Kind::Drainer, &id)), (Vec::new(), before));
    run(&format!("restart(\"{id}\", #{{ force: [\"kills\"] }})")).succeeds();
    assert!(fleet.process(Kind::Drainer, &id).is_some_and(|now| Some(now) != before));
    assert!(!fleet.ended(Kind::Drainer, &id).unwrap().success());
}
