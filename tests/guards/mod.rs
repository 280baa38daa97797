//! Every guard: where it refuses and what it then says, where it is silent, and that only its name lets a change pass.

mod changefeeds;
mod control;
mod drainers;
mod gc;
mod host;
mod pumps;
mod records;
mod situation;
mod standing;

use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, NodeRef};
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::world::GuardName::*;
use binlogsh::world::{Action, Change, FaultKind, Play, Request, World};
use situation::{Situation, named, perform, sorted};
use std::time::Duration;

#[test]
fn the_calm_cluster_lets_everything_ordinary_pass() {
    let calm = Situation::sample("default");
    for call in [
        r#"pause_pump("pump-1", #{$})"#,
        r#"offline_pump("pump-1", #{$ wait: "1m"})"#,
        r#"pause_drainer("drainer-0", #{$})"#,
        r#"offline_drainer("drainer-0", #{$})"#,
        r#"trigger_gc("pump-0", #{$})"#,
        r#"generate_meta(#{$})"#,
        r#"restart("pump-1", #{$})"#,
        r#"stop("drainer-0", #{$})"#,
    ] {
        calm.allows(call);
    }
}

#[test]
fn what_no_guard_can_read_refuses() {
    let mut world = Simulated::new(&Scenario::named("default").unwrap()).unwrap();
    let fault = Play::Fault { kind: FaultKind::PdGone, node: None, after: Duration::ZERO, lasts: None };
    world.apply(&Request::Play(fault), None).unwrap();
    let node = NodeRef { kind: Kind::Pump, id: "pump-1".into(), address: "10.0.1.12:8250".into() };
    let error = perform(world, Request::Change(Change::Act { node, action: Action::Close })).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(named(&error), sorted(&[LastPump, StuckDrainer, StuckPump, NoDrainer]));
    assert!(error.message.contains("whose record cannot be read"), "{error}");
    assert!(error.message.contains("last_pump: unknown, which refuses: no PD answered"), "{error}");
    assert!(error.hint.unwrap().starts_with("a guard could not see what it must see"));
}
