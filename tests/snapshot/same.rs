//! Two clusters side by side: every request answered alike.

use super::list;
use binlogsh::node::NodeRef;
use binlogsh::tso::Tso;
use binlogsh::world::{Answer, Listing, ProbeFinding, Read, Request, StatusReport, World};

/// How far a position may be off, in seconds: by a save of a Drainer.
const NEAR: f64 = 3.2;
/// The same where nobody writes, and Drainers save in steps of three to nine seconds.
const NEAR_WHERE_QUIET: f64 = 9.1;

#[track_caller]
fn near(what: &str, was: f64, is: f64, by: f64) {
    assert!((was - is).abs() <= by, "{what}: was {was}, is {is}");
}

/// Asks both worlds everything, and holds the answers against each other.
#[track_caller]
pub(super) fn same(what: &str, was: &mut dyn World, is: &mut dyn World) {
    for request in [Read::Cluster, Read::Tidbs, Read::Deployment].map(Request::Read) {
        assert_eq!(was.apply(&request, None).unwrap(), is.apply(&request, None).unwrap(), "{what}");
    }
    let Answer::Tidbs(tidbs) = was.apply(&Request::Read(Read::Tidbs), None).unwrap() else { panic!() };
    let is_quiet = !tidbs.iter().any(|tidb| tidb.binlog_status == "On");
    let by = if is_quiet { NEAR_WHERE_QUIET } else { NEAR };
    let (old, new) = (list(was), list(is));
    let keys = |listing: &Listing| listing.malformed.iter().map(|key| key.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&old), keys(&new), "{what}");
    assert_eq!(nodes(&old), nodes(&new), "{what}");
    for (a, b) in old.records.iter().zip(&new.records) {
        let what = format!("{what}, {}", a.node);
        assert_eq!((&a.state, &a.other_id), (&b.state, &b.other_id), "{what}");
        assert_eq!(a.differences(b).unwrap(), Vec::<String>::new(), "{what}");
        let age = |listing: &Listing, ts: Tso| listing.tso.unwrap().seconds_since(ts);
        near(&format!("{what}, lag"), age(&old, a.max_commit_ts), age(&new, b.max_commit_ts), by);
        near(&format!("{what}, heartbeat"), age(&old, a.update_ts), age(&new, b.update_ts), NEAR);
    }
    if !old.records.is_empty() {
        what_nodes_say(what, was, is, &nodes(&old), by);
    }
}

fn nodes(listing: &Listing) -> Vec<NodeRef> {
    listing.records.iter().map(|record| record.node.clone()).collect()
}

#[track_caller]
fn what_nodes_say(what: &str, was: &mut dyn World, is: &mut dyn World, nodes: &[NodeRef], by: f64) {
    let probes =
        |world: &mut dyn World| world.apply(&Request::Read(Read::Probe { nodes: nodes.to_vec() }), None).unwrap();
    let found = probes(was);
    assert_eq!(found, probes(is), "{what}");
    let Answer::Probes(found) = found else { panic!() };
    // Who is silent would only let time pass, in the one world before the others answer, in the other after.
    let nodes: Vec<NodeRef> =
        found.into_iter().filter(|probe| probe.finding != ProbeFinding::Silent).map(|probe| probe.node).collect();
    let asked = |world: &mut dyn World| {
        let metrics = world.apply(&Request::Read(Read::Metrics { nodes: nodes.to_vec() }), None).unwrap();
        let statuses = world.apply(&Request::Read(Read::Status { nodes: nodes.to_vec() }), None).unwrap();
        let stamps = world.apply(&Request::Read(Read::CommitTs { nodes: nodes.to_vec() }), None).unwrap();
        let (Answer::Metrics(m), Answer::Statuses(s), Answer::Timestamps(t)) = (metrics, statuses, stamps) else {
            panic!()
        };
        (m, s, t, list(world).tso.unwrap())
    };
    let (old, new) = (asked(was), asked(is));
    for (at, node) in nodes.iter().enumerate() {
        let what = format!("{what}, {node}");
        assert_eq!(old.0[at].is_ok(), new.0[at].is_ok(), "{what}");
        if let (Ok(a), Ok(b)) = (&old.0[at], &new.0[at]) {
            let ago = |seconds: f64, now: Tso| now.physical_ms() as f64 / 1000.0 - seconds;
            let start = "process_start_time_seconds";
            near(&format!("{what}, start"), ago(a[start], old.3), ago(b[start], new.3), 1.0);
            if let Some(gc) = a.get("binlog_pump_storage_gc_ts") {
                near(&format!("{what}, GC"), *gc, b["binlog_pump_storage_gc_ts"], 3_600_000.0);
                let disk = "binlog_pump_storage_storage_size_bytes{type=\"available\"}";
                assert_eq!(a[disk], b[disk], "{what}");
            }
        }
        match (&old.1[at], &new.1[at]) {
            (Ok(StatusReport::Pump(a)), Ok(StatusReport::Pump(b))) => assert_eq!(a.error, b.error, "{what}"),
            (Ok(StatusReport::Drainer(a)), Ok(StatusReport::Drainer(b))) => {
                let pumps =
                    |report: &binlogsh::world::DrainerStatus| report.pump_positions.keys().cloned().collect::<Vec<_>>();
                assert_eq!(pumps(a), pumps(b), "{what}");
                for (id, ts) in &a.pump_positions {
                    let (was, is) = (old.3.seconds_since(*ts), new.3.seconds_since(b.pump_positions[id]));
                    near(&format!("{what}, position in {id}"), was, is, by);
                }
            }
            (a, b) => assert!(a.is_err() && b.is_err(), "{what}: {a:?} {b:?}"),
        }
        match (&old.2[at], &new.2[at]) {
            (Ok(a), Ok(b)) => near(&what, old.3.seconds_since(*a), new.3.seconds_since(*b), by),
            (a, b) => assert!(a.is_err() && b.is_err(), "{what}: {a:?} {b:?}"),
        }
    }
}
