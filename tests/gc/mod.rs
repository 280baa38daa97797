//! TiKV's garbage collection and TiCDC's changefeeds on doubles of PD in front of a real etcd: what is read, and a hold that is kept,
//! refused, lost.
//!
//! A hold lives for some seconds here instead of an hour, so that a test can see its end.

use crate::support::etcd::{Etcd, Kv};
use crate::support::eventually;
use crate::support::live::LiveWorld;
use crate::support::pd_double::{CLUSTER_ID, Leader, PdDouble};
use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::tso::Tso;
use binlogsh::world::{
    Answer, Change, Changefeeds, GcHold, GcSafePoints, LockHolder, LockRequest, Read, Request, ServiceSafePoint,
};
use serde_json::{Value as Json, json};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
/// How long a hold lives here.
const TTL: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(20);

/// A PD, its etcd, and somebody who works on it.
struct Place {
    pd: PdDouble,
    kv: Kv,
    live: LiveWorld,
    etcd: Etcd,
}

impl Place {
    fn new() -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        Self { live: LiveWorld::new(&[pd.url()], 5 * SECOND), kv: etcd.kv(), pd, etcd }
    }

    /// The run `id` works from now on.
    fn run(&mut self, id: &str) {
        let holder = LockHolder { run: Some(id.into()), ..LockHolder::default() };
        self.live.ask(Request::Lock(LockRequest::Take { holder, wait: None })).unwrap();
        self.live.ask(Request::Lock(LockRequest::GiveBack)).unwrap();
    }

    /// PD's time, so many seconds ago.
    fn ago(&self, seconds: i64) -> Tso {
        Tso(self.pd.now() - ((seconds * 1000) << 18))
    }

    fn put_service(&mut self, service: &str, safe_point: Tso, expired_at: i64) {
        let value = json!({"service_id": service, "expired_at": expired_at, "safe_point": safe_point.0});
        self.kv.put(&key(service), value.to_string());
    }

    fn service(&mut self, service: &str) -> Option<Json> {
        Some(serde_json::from_str(&self.kv.get(&key(service))?.0).unwrap())
    }

    fn safe_points(&mut self) -> GcSafePoints {
        match self.live.ask(Request::Read(Read::GcSafePoints)).unwrap() {
            Answer::GcSafePoints(found) => found,
            other => panic!("no safe points: {other:?}"),
        }
    }

    fn changefeeds(&mut self) -> Changefeeds {
        match self.live.ask(Request::Read(Read::Changefeeds)).unwrap() {
            Answer::Changefeeds(found) => found,
            other => panic!("no changefeeds: {other:?}"),
        }
    }

    fn hold(&mut self, ts: Tso) -> Result<GcHold> {
        match self.live.ask(Request::Change(Change::HoldGc { ts, ttl: TTL }))? {
            Answer::GcHeld(hold) => Ok(hold),
            other => panic!("no hold: {other:?}"),
        }
    }

    fn release(&mut self) -> Result<Answer> {
        self.live.ask(Request::Change(Change::ReleaseGc { service: None }))
    }

    /// The error with which whoever relies on the hold is told that it is lost.
    #[track_caller]
    fn until_lost(&mut self) -> Error {
        let mut found = None;
        let lost = eventually(PATIENCE, || {
            found = self.live.ask(Request::Read(Read::Changefeeds)).err();
            found.as_ref().is_some_and(|error| error.kind == ErrorKind::HoldLost)
        });
        assert!(lost, "it is never lost: {found:?}");
        found.unwrap()
    }
}

fn key(service: &str) -> String {
    format!("/pd/{CLUSTER_ID}/gc/safe_point/service/{service}")
}

fn unix() -> i64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64
}

#[test]
fn safe_points_are_pds_own_and_that_of_each_service_and_what_cannot_be_read_is_said() {
    let mut place = Place::new();
    let (now, old) = (place.ago(600), place.ago(1200));
    place.kv.put(&format!("/pd/{CLUSTER_ID}/gc/safe_point"), format!("{:x}", old.0));
    place.put_service("gc_worker", now, i64::MAX);
    place.put_service("br", old, unix() + 100);
    place.put_service("gone", Tso(1), unix() - 100);
    place.kv.put(&key("odd"), "{\"service_id\":7}");
    place.kv.put(&key("huge"), json!({"service_id": "huge", "expired_at": 1, "safe_point": u64::MAX}).to_string());
    place.kv.put("/pd/1/gc/safe_point/service/other", "of another cluster");

    let found = place.safe_points();

    assert_eq!(found.safe_point, Some(old));
    let told: Vec<(&str, Tso, Option<bool>)> =
        found.services.iter().map(|one| (one.service.as_str(), one.safe_point, one.expired)).collect();
    assert_eq!(told, [("gone", Tso(1), Some(true)), ("br", old, Some(false)), ("gc_worker", now, Some(false))]);
    assert_eq!(found.smallest().unwrap().service, "br");
    let ends: Vec<bool> = found.services.iter().map(|one| one.expires_ms.is_none()).collect();
    assert_eq!(ends, [false, false, true], "gc_worker's never does");
    let unread: Vec<String> = found.unread.iter().map(ToString::to_string).collect();
    assert_eq!(unread.len(), 2, "{unread:?}");
    assert!(unread[0].contains("service huge") && unread[1].contains("service odd"), "{unread:?}");
}

#[test]
fn without_tikv_there_is_no_gc_and_that_is_said() {
    let mut place = Place::new();
    place.pd.set(|knobs| knobs.bootstrapped = false);
    let found = place.safe_points();
    assert_eq!(found.safe_point, None);
    assert!(found.unread.iter().any(|what| what.contains("not bootstrapped")), "{found:?}");
    let ts = place.ago(1);
    let error = place.hold(ts).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.message.contains("PD is not bootstrapped"), "{error}");
}

#[test]
fn a_hold_is_pds_under_the_name_of_the_run_and_is_kept_alive_until_it_is_released() {
    let mut place = Place::new();
    place.run("r42");
    let ts = place.ago(60);
    let hold = place.hold(ts).unwrap();
    assert_eq!(hold, GcHold { service: "binlogsh-r42".into(), safe_point: ts, ttl: TTL });
    let first = place.service("binlogsh-r42").unwrap();
    assert_eq!(first["safe_point"], json!(ts.0));
    let asked = place.pd.holds_asked();
    assert!(eventually(PATIENCE, || place.pd.holds_asked() >= asked + 4), "nobody renews it");
    let later = place.service("binlogsh-r42").unwrap();
    assert!(later["expired_at"].as_i64() > first["expired_at"].as_i64(), "{later}");
    let found = place.safe_points();
    let is_ours = |one: &&ServiceSafePoint| one.service == "binlogsh-r42";
    assert_eq!(found.services.iter().find(is_ours).unwrap().expired, Some(false));

    place.release().unwrap();
    assert_eq!(place.service("binlogsh-r42"), None);
    let asked = place.pd.holds_asked();
    std::thread::sleep(TTL);
    assert_eq!(place.pd.holds_asked(), asked, "it is not renewed any more");
    place.release().unwrap();
    place.changefeeds();
}

#[test]
fn a_later_hold_takes_the_place_of_the_one_before_and_one_that_is_refused_leaves_it() {
    let mut place = Place::new();
    place.run("r1");
    let (early, late, earlier) = (place.ago(60), place.ago(30), place.ago(90));
    place.put_service("gc_worker", early, i64::MAX);
    place.hold(early).unwrap();
    place.hold(late).unwrap();
    assert_eq!(place.service("binlogsh-r1").unwrap()["safe_point"], json!(late.0));
    assert_eq!(place.hold(earlier).unwrap_err().kind, ErrorKind::Rejected);
    let asked = place.pd.holds_asked();
    assert!(eventually(PATIENCE, || place.pd.holds_asked() >= asked + 2));
    assert_eq!(place.service("binlogsh-r1").unwrap()["safe_point"], json!(late.0));
}

#[test]
fn what_gc_has_passed_is_refused_with_the_name_of_who_holds_the_smallest() {
    let mut place = Place::new();
    let (worker, ts) = (place.ago(600), place.ago(601));
    place.put_service("gc_worker", worker, i64::MAX);
    let error = place.hold(ts).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected, "PD says nothing of it but the smallest");
    assert!(
        error.message.contains("that of gc_worker, at") && error.message.contains(&worker.0.to_string()),
        "{error}"
    );
    assert!(error.message.contains("the range may have been collected"), "{error}");
    place.changefeeds();

    place.kv.put(&format!("/pd/{CLUSTER_ID}/gc/safe_point"), format!("{:x}", worker.0));
    let error = place.hold(ts).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected);
    assert!(error.message.contains("TiKV may have collected up to"), "{error}");
    for ts in [Tso(0), Tso(place.ago(-60).0)] {
        assert_eq!(place.hold(ts).unwrap_err().kind, ErrorKind::Invalid, "{ts}");
    }
    assert_eq!(place.pd.holds_asked(), 1, "PD is not told of what cannot be");
}

#[test]
fn a_hold_that_pd_no_longer_takes_is_lost_and_ends_what_relies_on_it_once() {
    let mut place = Place::new();
    place.run("r7");
    let ts = place.ago(600);
    place.hold(ts).unwrap();
    place.kv.delete(&key("binlogsh-r7"));
    let worker = place.ago(10);
    place.put_service("gc_worker", worker, i64::MAX);
    let error = place.until_lost();
    assert!(error.kind.is_fatal() && error.exit_code() == 5);
    assert!(error.message.contains("binlogsh-r7") && error.message.contains("that of gc_worker"), "{error}");
    assert!(error.message.contains("may have been collected"), "{error}");
    place.changefeeds();
}

#[test]
fn a_frozen_pd_loses_a_hold_with_its_end_and_not_before() {
    let mut place = Place::new();
    let hold = {
        let ts = place.ago(60);
        place.hold(ts).unwrap()
    };
    let began = Instant::now();
    place.pd.set(|knobs| knobs.silent = true);
    let error = place.until_lost();
    assert!(began.elapsed() >= TTL / 2, "PD heeds it still");
    assert!(error.message.contains("PD could not be told for 3.0s"), "{error}");
    assert!(error.message.contains(hold.service.as_str()), "{error}");
}

#[test]
fn a_hold_goes_on_when_another_member_leads() {
    let etcd = Etcd::start();
    let (a, b) = (PdDouble::start(&etcd), PdDouble::start(&etcd));
    let lead = |leader: &PdDouble, other: &PdDouble| {
        leader.set(|knobs| {
            knobs.leader = Leader::Me;
            knobs.others = vec![("pd-1".into(), other.url())];
        });
        other.set(|knobs| {
            knobs.leader = Leader::Other(leader.url());
            knobs.others = vec![("pd-1".into(), leader.url())];
        });
    };
    lead(&a, &b);
    let mut live = LiveWorld::new(&[a.url(), b.url()], 5 * SECOND);
    let ts = Tso(a.now());
    live.ask(Request::Change(Change::HoldGc { ts, ttl: TTL })).unwrap();
    lead(&b, &a);
    let before = b.holds_asked();
    assert!(eventually(PATIENCE, || b.holds_asked() >= before + 4), "the new leader is not told");
    live.ask(Request::Read(Read::GcSafePoints)).unwrap();
    a.set_gone(true);
    let before = b.holds_asked();
    assert!(eventually(PATIENCE, || b.holds_asked() >= before + 4), "the old one is gone");
    live.ask(Request::Read(Read::GcSafePoints)).unwrap();
}

#[test]
fn whoever_does_not_heed_a_signal_leaves_the_hold_to_its_end() {
    let mut place = Place::new();
    let ts = place.ago(60);
    place.hold(ts).unwrap();
    place.live.interrupt.raise(15);
    let ended = eventually(PATIENCE, || {
        let asked = place.pd.holds_asked();
        std::thread::sleep(TTL);
        place.pd.holds_asked() == asked
    });
    assert!(ended, "it is renewed for ever");
    place.live.interrupt.clear();
    let error = place.until_lost();
    assert!(error.message.contains("PD could not be told"), "{error}");
}

#[test]
fn a_world_without_a_run_has_a_name_of_its_own_and_its_end_leaves_the_hold() {
    let Place { live, mut kv, pd, etcd } = Place::new();
    let mut first = live;
    let mut second = LiveWorld::new(&[pd.url()], 5 * SECOND);
    let ts = Tso(pd.now());
    let mut names = Vec::new();
    for live in [&mut first, &mut second] {
        match live.ask(Request::Change(Change::HoldGc { ts, ttl: TTL })).unwrap() {
            Answer::GcHeld(hold) => names.push(hold.service.to_string()),
            other => panic!("{other:?}"),
        }
    }
    assert!(names[0] != names[1] && names.iter().all(|name| name.starts_with("binlogsh-")), "{names:?}");
    drop(first);
    assert!(kv.get(&key(&names[0])).is_some(), "whoever goes on may need it: PD ends it");
    let service = Some(names[0].as_str().into());
    second.ask(Request::Change(Change::ReleaseGc { service })).unwrap();
    assert!(kv.get(&key(&names[0])).is_none() && kv.get(&key(&names[1])).is_some());
    drop(etcd);
}

#[test]
fn changefeeds_are_read_without_their_passwords_and_a_malformed_one_hides_no_other() {
    let mut place = Place::new();
    let info = |state: &str| {
        json!({
            "sink-uri": "mysql://root:hunter2@10.0.0.9:3306/?ssl-key=sesame", "start-ts": 5, "target-ts": 9, "state": state,
            "config": {"sink": {"dispatchers": null}},
            "error": {"addr": "a", "code": "CDC:ErrMySQL", "message": "cannot open mysql://root:hunter2@10.0.0.9:3306/"},
        })
        .to_string()
    };
    place.kv.put("/tidb/cdc/default/default/changefeed/info/a", info("failed"));
    place.kv.put("/tidb/cdc/default/default/changefeed/status/a", "{\"checkpoint-ts\":7}");
    place.kv.put("/tidb/cdc/default/default/changefeed/info/b", "{\"sink-uri\":\"mysql://root:hunter2@h/\"");
    place.kv.put("/tidb/cdc/changefeed/info/c", info("normal"));
    place.kv.put(
        "/tidb/cdc/default/__cdc_meta__/capture/1",
        "{\"id\":\"1\",\"address\":\"h:8300\",\"version\":\"v7.5.0\"}",
    );

    let found = place.changefeeds();

    let told: Vec<(&str, &str, Option<&str>)> =
        found.changefeeds.iter().map(|feed| (feed.id.as_str(), feed.state.as_str(), feed.sink.as_deref())).collect();
    let sink = Some("mysql://10.0.0.9:3306/");
    assert_eq!(told, [("a", "failed", sink), ("b", "unreadable", None), ("c", "normal", sink)]);
    assert_eq!((found.changefeeds[0].checkpoint_ts, found.changefeeds[0].target_ts), (Some(Tso(7)), Some(Tso(9))));
    assert_eq!(found.captures[0].address.as_deref(), Some("h:8300"));
    let json = serde_json::to_string(&found).unwrap();
    let kept = format!("{json}{found:?}{:?}", place.live.notices());
    assert!(!kept.contains("hunter2") && !kept.contains("sesame"), "{kept}");
    drop(place.etcd);
}
