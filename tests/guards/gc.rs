//! The guard of GC, which waits for no Drainer.

use super::situation::*;
use binlogsh::error::{ErrorKind, Result};
use binlogsh::node::{Kind, NodeRef};
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::world::GuardName::*;
use binlogsh::world::{Answer, Change, Fence, Request, World};

#[test]
fn behind_gc_names_the_drainer_that_would_go_on_with_a_hole() {
    let gc = r#"trigger_gc("pump-0", #{$})"#;
    Situation::sample("lagging-drainer").refuses(gc, &[], &[BehindGc]).says(&[
        "drainer-1 is only 6h",
        "ahead of what GC removes",
        "it would go on with a hole, silently",
    ]);
    let hung = Situation::sample("default").first(r#"hang("pump-0")"#);
    hung.refuses(gc, &[], &[BehindGc]).says(&["unknown", "cannot get /metrics of pump pump-0 (10.0.1.11:8250)"]);
    let hidden = Situation::sample("default").with_key(BROKEN_DRAINER);
    hidden.refuses(gc, &[], &[BehindGc]).says(&["whether a Drainer is behind, since the key", BROKEN_DRAINER]);
    let shorter = r#"{"id": "pump-0", "address": "p0:8250", "retention": "2d"}"#;
    let paused = r#"{"id": "drainer-1", "address": "d1:8249", "record": "paused", "process": "dead", "lag": "3d"}"#;
    Situation::of(shorter, paused).refuses(gc, &[], &[BehindGc]).says(&["drainer-1 is 23h", "behind what GC removes"]);
    let longer = r#"{"id": "pump-0", "address": "p0:8250", "retention": "30d"}"#;
    let week = r#"{"id": "drainer-1", "address": "d1:8249", "record": "paused", "process": "dead", "lag": "8d"}"#;
    Situation::of(longer, week).refuses(gc, &[], &[BehindGc]).says(&["if the Pump's gc is the default of 7 days"]);
}

#[test]
fn behind_gc_knows_a_pump_that_has_collected_nothing_yet() {
    let gc = r#"trigger_gc("pump-0", #{$})"#;
    let young = r#"{"id": "pump-0", "address": "p0:8250", "uptime": "1m"}"#;
    let drainer = |rest: &str| format!(r#"{{"id": "drainer-1", "address": "d1:8249"{rest}}}"#);
    Situation::of(young, &drainer("")).allows(gc);
    let note = "pump-0 has collected nothing since it was started";
    let question = Situation::of(young, &drainer("")).question(r#"trigger_gc("pump-0")"#);
    assert!(question.contains(note), "{question}");
    let behind = drainer(r#", "record": "paused", "process": "dead", "lag": "8d""#);
    Situation::of(young, &behind).refuses(gc, &[], &[BehindGc]).says(&["if the Pump's gc is the default of 7 days"]);
    let unread =
        r#", "record": "paused", "process": "dead", "extra": {"maxCommitTS": 0}, "downstream_unknown": "no my.cnf""#;
    let unread = drainer(unread);
    Situation::of(young, &unread).refuses(gc, &[], &[BehindGc]).says(&["drainer-1 tells no checkpoint in its record"]);
}

#[test]
fn the_checkpoint_downstream_counts_where_it_can_be_read_and_the_record_where_not() {
    let gc = r#"trigger_gc("pump-0", #{$})"#;
    let pump = r#"{"id": "pump-0", "address": "p0:8250", "retention": "2d"}"#;
    // Its last record was written long before it ended.
    let drainer = |rest: &str| {
        let old = r#""json": "{\"nodeId\":\"drainer-1\",\"host\":\"d1:8249\",\"state\":\"paused\",\"maxCommitTS\":1,\"updateTS\":1}""#;
        format!(
            r#"{{"id": "drainer-1", "address": "d1:8249", "record": "paused", "process": "dead", "lag": "1h", {old}{rest}}}"#
        )
    };
    Situation::of(pump, &drainer("")).allows(gc);
    let unknown = Situation::of(pump, &drainer(r#", "downstream_unknown": "no my.cnf""#));
    unknown.refuses(gc, &[], &[BehindGc]).says(&["drainer-1 is", "behind what GC removes"]);
}

#[test]
fn behind_gc_does_not_let_another_pump_collect() {
    let reused = Situation::sample("duplicate-address");
    let words = ["at the address of pump pump-old (10.0.1.13:8250) answers pump-2: its GC would run instead"];
    reused.refuses(r#"trigger_gc("pump-old", #{$})"#, &[], &[BehindGc]).says(&words);
}

/// A world whose Pumps do not say what they have removed.
struct Tightlipped(Simulated);

impl World for Tightlipped {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        match (self.0.apply(request, fence)?, request) {
            (Answer::Metrics(nodes), _) => {
                Ok(Answer::Metrics(nodes.into_iter().map(|_| Ok(Default::default())).collect()))
            }
            (answer, _) => Ok(answer),
        }
    }
}

#[test]
fn behind_gc_is_unknown_when_the_pump_does_not_say_what_it_removed() {
    let world = Simulated::new(&Scenario::named("default").unwrap()).unwrap();
    let node = NodeRef { kind: Kind::Pump, id: "pump-0".into(), address: "10.0.1.11:8250".into() };
    let error = perform(Tightlipped(world), Request::Change(Change::TriggerGc { node })).unwrap_err();
    assert_eq!((error.kind, named(&error)), (ErrorKind::Refused, sorted(&[BehindGc])));
    assert!(error.message.contains("the metrics of pump pump-0 (10.0.1.11:8250) have no"), "{error}");
}
