//! A run that holds TiKV's garbage collection back, and is killed: PD heeds the hold until its end, and whoever goes on takes it again.

use super::{Place, WORK};
use crate::support::pd_double::CLUSTER_ID;
use binlogsh::error::ErrorKind;
use binlogsh::journal::Entry;
use binlogsh::recovery::hold_again;
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::tso::Tso;
use binlogsh::world::{Answer, Change, GcHold, Request};
use serde_json::{Value as Json, json};
use std::time::Duration;

/// Holds where the usual script pauses first, and releases where it pauses then.
fn holds() -> String {
    let first =
        WORK.replace(r#"pause_drainer("drainer-1", #{ wait: "30s" })"#, r#"hold_gc(tso() - 1, #{ ttl: "15m" })"#);
    let second = r#"release_gc(#{ force: ["not_taken_over"] })"#;
    first.replace(r#"pause_drainer("drainer-0", #{ wait: "30s" })"#, second)
}

fn key(place: &Place) -> String {
    format!("/pd/{CLUSTER_ID}/gc/safe_point/service/binlogsh-{}", place.id())
}

fn held(place: &Place) -> Option<Json> {
    Some(serde_json::from_str(&place.cluster.kv().get(&key(place))?.0).unwrap())
}

#[test]
fn a_hold_that_no_run_of_ours_has_had_is_not_taken_again() {
    let mut world = Simulated::new(&Scenario::named("default").unwrap()).unwrap();
    let (ts, ttl) = (Tso(5), Duration::ZERO);
    let hold = GcHold { service: "binlogsh-1".into(), safe_point: ts, ttl };
    let held = Entry::new(Request::Change(Change::HoldGc { ts, ttl }), Ok(Answer::GcHeld(hold)));
    let error = hold_again(&[held], None, &mut world).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("has a hold on GC that no run can have had"), "{error}");
    assert!(error.hint.unwrap().contains("begin a new run"));
}

fn holding() -> Place {
    let place = Place::new();
    std::fs::write(place.script(), holds()).unwrap();
    place.cut_off();
    place
}

#[test]
fn a_killed_run_leaves_its_hold_to_its_end_and_one_that_goes_on_takes_it_again() {
    let place = holding();
    let left = held(&place).expect("PD heeds it still");
    place.cluster.kv().delete(&key(&place));
    place.say_go();
    let ran = place.resume();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let again = format!("TiKV's garbage collection is held at {} by binlogsh-{} again", left["safe_point"], place.id());
    assert!(ran.stderr.contains(&again), "{}", ran.stderr);
    assert_eq!(held(&place), None, "it was released in the end");
}

#[test]
fn a_run_whose_hold_pd_refuses_by_now_does_not_go_on() {
    let place = holding();
    place.cluster.kv().delete(&key(&place));
    let worker = format!("/pd/{CLUSTER_ID}/gc/safe_point/service/gc_worker");
    let ahead = place.cluster.pd().now();
    let value = json!({"service_id": "gc_worker", "expired_at": i64::MAX, "safe_point": ahead});
    place.cluster.kv().put(&worker, value.to_string());
    place.say_go();
    let ran = place.resume();
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(ran.stderr.contains("may have been collected") && ran.stderr.contains("gc_worker"), "{}", ran.stderr);
    assert_eq!(held(&place), None);
}

#[test]
fn a_run_that_ends_without_releasing_says_that_gc_is_held_still() {
    let place = Place::new();
    std::fs::write(place.script(), "param(\"said_in\", #{ about: \"x\" });\nhold_gc(tso() - 1, #{ ttl: \"15m\" })")
        .unwrap();
    let ran = place.work().go();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let told = format!("is still held at {} by binlogsh-{}", held(&place).unwrap()["safe_point"], place.id());
    assert!(ran.stderr.contains(&told) && ran.stderr.contains("for 15m00s from now at most"), "{}", ran.stderr);
}
