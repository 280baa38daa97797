//! The live world against real etcd processes: nothing is hidden, no update is lost, no dead endpoint hurts.

use crate::support::etcd::{Etcd, Kv};
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::LiveWorld;
use crate::support::pd_double::{Loss, PdDouble};
use crate::support::{eventually, free_port, record};
use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, Record, State};
use binlogsh::tso::Tso;
use binlogsh::world::{Answer, Change, Clocks, Fence, Notice, Read, RecordEvent, Request, World};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
const PUMP_0: &str = "/tidb-binlog/v1/pumps/pump-0";

fn one() -> (Etcd, Kv, LiveWorld) {
    let etcd = Etcd::start();
    let (kv, live) = (etcd.kv(), LiveWorld::new(&[etcd.url()], 5 * SECOND));
    (etcd, kv, live)
}

fn pump_0(state: &str, max_commit_ts: i64) -> String {
    record("pump-0", "127.0.0.1:8250", state, max_commit_ts, max_commit_ts)
}

fn swap(live: &mut LiveWorld, seen: Record, state: State) -> Result<Record, binlogsh::error::Error> {
    match live.ask(Request::Change(Change::SwapRecord { seen, state }))? {
        Answer::Swapped(record) => Ok(record),
        other => panic!("not swapped: {other:?}"),
    }
}

#[test]
fn a_malformed_or_nested_key_hides_no_other_and_a_sibling_prefix_is_none_of_ours() {
    let (_etcd, mut kv, mut live) = one();
    kv.put("/tidb-binlog/v1/drainers/drainer-0", record("drainer-0", "h:2", "paused", 7, 8));
    kv.put(PUMP_0, pump_0("online", 5));
    kv.put("/tidb-binlog/v1/pumps/bad", "{");
    kv.put("/tidb-binlog/v1/pumps/pump-1/deeper", pump_0("online", 5));
    kv.put("/tidb-binlog/v1/pumps/bytes\u{7f}", [0xff, 0x00]);
    kv.put("/tidb-binlog/v1/pumps-old/x", pump_0("online", 5));
    let revision = kv.put("/tidb-binlog/v1/other", "x");

    let listing = live.list().unwrap();

    let ids: Vec<_> = listing.records.iter().map(|r| (r.node.kind, r.node.id.as_str())).collect();
    assert_eq!(ids, [(Kind::Pump, "pump-0"), (Kind::Drainer, "drainer-0")]);
    let bad: Vec<_> = listing.malformed.iter().map(|m| m.key.as_str()).collect();
    let prefix = "/tidb-binlog/v1/pumps/";
    assert_eq!(bad, [format!("{prefix}bad"), format!("{prefix}bytes\u{7f}"), format!("{prefix}pump-1/deeper")]);
    assert!(listing.malformed[0].reason.contains("not JSON"), "{}", listing.malformed[0].reason);
    assert_eq!(listing.revision, revision);
    assert_eq!(listing.records[1].max_commit_ts, Tso(7));
    // A bare etcd has no PD: the listing says so and is there all the same.
    assert!(listing.tso.is_none());
    assert!(listing.tso_error.is_some());
}

#[test]
fn ten_thousand_records_are_listed_in_pages_at_one_revision() {
    let (_etcd, mut kv, mut live) = one();
    let pairs: Vec<_> = (0..12_000)
        .map(|at| {
            let kind = if at % 12 == 0 { Kind::Drainer } else { Kind::Pump };
            let id = format!("node-{at:05}");
            (format!("{}{id}", kind.prefix()), record(&id, "h:1", "online", at, at))
        })
        .collect();
    kv.put_all(&pairs);

    let listing = live.list().unwrap();

    assert_eq!(listing.records.len(), 12_000);
    assert_eq!(listing.of(Kind::Drainer).count(), 1_000);
    assert!(listing.records.is_sorted_by(|a, b| a.node < b.node));
    let pages =
        live.notices().iter().filter(|n| matches!(n, Notice::Traced { what, .. } if what == "list the nodes")).count();
    assert_eq!(pages, 1 + 1, "the first 10000 keys of both kinds come together, and then the rest");
}

/// A record with so many bytes that nobody needs.
fn heavy(id: &str, bytes: usize) -> String {
    record(id, "h:1", "online", 5, 5).replacen('{', &format!("{{\"note\":\"{}\",", "x".repeat(bytes)), 1)
}

#[test]
fn a_listing_that_no_answer_can_hold_is_read_in_smaller_pages() {
    let etcd = Etcd::start();
    let (mut kv, mut live) = (etcd.kv(), LiveWorld::new(&[etcd.url()], 30 * SECOND));
    for at in 0..70 {
        kv.put(&format!("{}big-{at:02}", Kind::Drainer.prefix()), heavy(&format!("big-{at:02}"), 1 << 20));
    }
    let small: Vec<_> = (0..300).map(|at| format!("small-{at:03}")).collect();
    let pairs: Vec<_> =
        small.iter().map(|id| (format!("{}{id}", Kind::Pump.prefix()), record(id, "h:2", "online", 5, 5))).collect();
    kv.put_all(&pairs);

    let listing = live.list().unwrap();

    assert_eq!((listing.of(Kind::Drainer).count(), listing.of(Kind::Pump).count()), (70, 300));
    assert_eq!(listing.malformed, []);
    assert!(
        listing.records.iter().all(|record| record.node.id.starts_with("small") || record.json.bytes().len() > 1 << 20)
    );
}

#[test]
fn a_value_that_cannot_be_read_is_named_and_hides_no_other_and_can_be_deleted() {
    let etcd = Etcd::with_large_requests(80 << 20);
    let (mut kv, mut live) = (etcd.kv(), LiveWorld::new(&[etcd.url()], 30 * SECOND));
    let before = kv.put(PUMP_0, pump_0("online", 5));
    let huge = "/tidb-binlog/v1/pumps/huge";
    let mod_revision = kv.put(huge, heavy("huge", 65 << 20));
    kv.put("/tidb-binlog/v1/pumps/pump-9", record("pump-9", "h:9", "online", 5, 5));
    kv.put("/tidb/server/info/a", r#"{"ip":"10.0.0.1","listening_port":4000}"#);
    kv.put("/tidb/server/info/huge", heavy("huge", 65 << 20));

    let listing = live.list().unwrap();
    let ids: Vec<_> = listing.records.iter().map(|record| record.node.id.as_str()).collect();
    assert_eq!(ids, ["pump-0", "pump-9"]);
    let [malformed] = &listing.malformed[..] else { panic!("{:?}", listing.malformed) };
    assert_eq!((malformed.key.as_str(), malformed.mod_revision), (huge, mod_revision));
    assert!(malformed.reason.contains("more than the 64 MiB"), "{}", malformed.reason);

    let Answer::Tidbs(servers) = live.ask(Request::Read(Read::Tidbs)).unwrap() else { panic!() };
    assert_eq!(servers.len(), 1);
    assert!(live.warnings().iter().any(|warning| warning.contains("/tidb/server/info/huge")), "{:?}", live.warnings());

    // What a watch cannot tell, a listing does.
    let began = Instant::now();
    let question = Read::Events { after: before, patience: 60 * SECOND };
    let Answer::Events(told) = live.ask(Request::Read(question)).unwrap() else { panic!() };
    assert_eq!(told.anew.map(|listing| listing.records.len()), Some(2));
    let question = Read::Changes { after: before, patience: 60 * SECOND };
    let Answer::Listing(listing) = live.ask(Request::Read(question)).unwrap() else { panic!() };
    assert_eq!(listing.records.len(), 2);
    assert!(began.elapsed() < 30 * SECOND, "{:?}", began.elapsed());

    let delete = |mod_revision| Request::Change(Change::DeleteRecord { key: huge.into(), mod_revision });
    assert_eq!(live.fails(delete(mod_revision - 1)).kind, ErrorKind::Conflict);
    assert_eq!(live.ask(delete(mod_revision)).unwrap(), Answer::Done);
    assert_eq!(live.list().unwrap().malformed, []);
}

#[test]
fn a_record_that_has_become_too_large_to_be_read_or_written_is_no_silent_etcd() {
    let etcd = Etcd::with_large_requests(80 << 20);
    let (mut kv, mut live) = (etcd.kv(), LiveWorld::new(&[etcd.url()], 30 * SECOND));
    kv.put(PUMP_0, pump_0("online", 5));
    let seen = live.list().unwrap().records.remove(0);
    kv.put(PUMP_0, heavy("pump-0", 65 << 20));
    let error = swap(&mut live, seen, State::Paused).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
    assert!(error.message.contains("too large") && !error.message.contains("no endpoint"), "{error}");
    assert!(error.message.contains(PUMP_0), "{error}");
}

#[test]
fn a_state_is_written_into_the_key_that_was_read_and_unknown_fields_survive() {
    let (_etcd, mut kv, mut live) = one();
    let value =
        r#"{"nodeId":"another","host":"h:1","state":"online","extra":{"b":[1,2]},"maxCommitTS":5,"updateTS":6}"#;
    kv.put(PUMP_0, value);
    let seen = live.list().unwrap().records.remove(0);

    let written = swap(&mut live, seen, State::Paused).unwrap();

    let (now, revision) = kv.get(PUMP_0).unwrap();
    assert_eq!(now, value.replace("online", "paused"));
    assert_eq!((written.state, written.mod_revision), (State::Paused.into(), revision));
    assert!(kv.get("/tidb-binlog/v1/pumps/another").is_none(), "the id in the JSON names no key");
}

#[test]
fn a_heartbeat_meanwhile_is_no_conflict_and_is_kept() {
    let (_etcd, mut kv, mut live) = one();
    kv.put(PUMP_0, pump_0("online", 5));
    let seen = live.list().unwrap().records.remove(0);
    kv.put(PUMP_0, pump_0("online", 99));

    let written = swap(&mut live, seen, State::Paused).unwrap();

    assert_eq!(written.max_commit_ts, Tso(99));
    assert_eq!(kv.get(PUMP_0).unwrap().0, pump_0("paused", 99));
}

#[test]
fn a_change_of_the_state_meanwhile_is_a_conflict_that_shows_it() {
    let (_etcd, mut kv, mut live) = one();
    kv.put(PUMP_0, pump_0("online", 5));
    let seen = live.list().unwrap().records.remove(0);
    kv.put(PUMP_0, pump_0("offline", 5));

    let error = swap(&mut live, seen.clone(), State::Paused).unwrap_err();

    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("online") && error.message.contains("offline"), "{error}");
    assert_eq!(kv.get(PUMP_0).unwrap().0, pump_0("offline", 5), "nothing was written");

    kv.delete(PUMP_0);
    let error = swap(&mut live, seen, State::Paused).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(error.message.contains("gone"), "{error}");
    assert!(kv.get(PUMP_0).is_none(), "a deleted record is not made again");
}

#[test]
fn of_concurrent_writers_exactly_one_wins() {
    let (etcd, mut kv, mut live) = one();
    kv.put(PUMP_0, pump_0("online", 5));
    let seen = live.list().unwrap().records.remove(0);
    let states = [State::Paused, State::Offline, State::Closing, State::Pausing];
    let writers: Vec<_> = states
        .into_iter()
        .map(|state| {
            let (seen, url) = (seen.clone(), etcd.url());
            std::thread::spawn(move || {
                let mut live = LiveWorld::new(&[url], 5 * SECOND);
                (state, swap(&mut live, seen, state))
            })
        })
        .collect();
    let results: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();

    let won: Vec<_> = results.iter().filter(|(_, result)| result.is_ok()).map(|(state, _)| *state).collect();
    assert_eq!(won.len(), 1, "{results:?}");
    assert_eq!(kv.get(PUMP_0).unwrap().0, pump_0(won[0].name(), 5));
    let lost = results.iter().filter_map(|(_, result)| result.as_ref().err());
    assert!(lost.clone().count() == 3 && lost.clone().all(|error| error.kind == ErrorKind::Conflict), "{results:?}");
}

#[test]
fn a_key_is_deleted_only_as_it_was_seen() {
    let (_etcd, mut kv, mut live) = one();
    let revision = kv.put("/tidb-binlog/v1/pumps/bad/deep", "x");
    let delete = |key: &str, mod_revision| Request::Change(Change::DeleteRecord { key: key.into(), mod_revision });
    let newer = kv.put("/tidb-binlog/v1/pumps/bad/deep", "y");

    let error = live.fails(delete("/tidb-binlog/v1/pumps/bad/deep", revision));
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(kv.get("/tidb-binlog/v1/pumps/bad/deep").is_some());

    assert_eq!(live.ask(delete("/tidb-binlog/v1/pumps/bad/deep", newer)).unwrap(), Answer::Done);
    assert!(kv.get("/tidb-binlog/v1/pumps/bad/deep").is_none());
    assert_eq!(live.fails(delete("/tidb-binlog/v1/pumps/bad/deep", newer)).kind, ErrorKind::NotFound);

    let other = kv.put("/tidb/server/info/x", "y");
    assert_eq!(live.fails(delete("/tidb/server/info/x", other)).kind, ErrorKind::Invalid);
    assert!(kv.get("/tidb/server/info/x").is_some(), "what is none of ours is not deleted");
}

#[test]
fn a_key_that_is_no_text_has_one_name_in_listings_events_and_deletions_and_is_deleted_only_as_it_was_seen() {
    let (_etcd, mut kv, mut live) = one();
    let (bytes, name) = (b"/tidb-binlog/v1/pumps/\xff\n", "/tidb-binlog/v1/pumps/not-text/%FF\n");
    let before = kv.put(PUMP_0, pump_0("online", 5));
    let old = kv.put(bytes, pump_0("online", 5));
    assert_eq!(live.list().unwrap().malformed[0].key, name);
    let new = kv.put(bytes, pump_0("online", 6));

    let delete = |mod_revision| Request::Change(Change::DeleteRecord { key: name.into(), mod_revision });
    let error = live.fails(delete(old));
    assert_eq!(error.kind, ErrorKind::Conflict);
    assert!(!error.message.contains('\n'), "{error}");
    assert_eq!(live.ask(delete(new)).unwrap(), Answer::Done);
    assert_eq!(kv.keys(Kind::Pump.prefix()), [PUMP_0.as_bytes()]);

    let mut after = before;
    let seen = events(&mut live, &mut after, 3);
    let [RecordEvent::Malformed(first), RecordEvent::Malformed(_), RecordEvent::Deleted { key }] = &seen[..] else {
        panic!("{seen:?}")
    };
    assert_eq!((first.key.as_str(), key.as_str()), (name, name));
}

#[test]
fn a_write_under_a_lock_that_was_lost_does_not_happen() {
    let (_etcd, mut kv, mut live) = one();
    let revision = kv.put(PUMP_0, pump_0("online", 5));
    let seen = live.list().unwrap().records.remove(0);
    let create_revision = kv.create("/lock", "us");
    let fence = Fence { key: "/lock".into(), create_revision };
    let requests = [
        Request::Change(Change::SwapRecord { seen: seen.clone(), state: State::Paused }),
        Request::Change(Change::DeleteRecord { key: PUMP_0.into(), mod_revision: revision }),
        Request::Change(Change::TriggerGc { node: seen.node.clone() }),
    ];
    kv.delete("/lock");
    kv.create("/lock", "somebody else");
    for request in &requests {
        let error = live.world.apply(request, Some(&fence)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::LockLost, "{request:?}: {error}");
    }
    assert_eq!(kv.get(PUMP_0).unwrap(), (pump_0("online", 5), revision));

    let create_revision = {
        kv.delete("/lock");
        kv.create("/lock", "us")
    };
    let fence = Fence { key: "/lock".into(), create_revision };
    live.world.apply(&requests[0], Some(&fence)).unwrap();
    assert_eq!(kv.get(PUMP_0).unwrap().0, pump_0("paused", 5));
}

#[test]
fn a_wait_for_changes_ends_with_the_change_and_not_with_a_heartbeat_or_a_siblings() {
    let (etcd, mut kv, mut live) = one();
    kv.put(PUMP_0, pump_0("online", 5));
    let after = live.list().unwrap().revision;
    let url = etcd.url();
    let writer = std::thread::spawn(move || {
        let mut kv = Kv::new(&url);
        kv.put("/tidb-binlog/v1/pumps-old/x", "y");
        kv.put("/tidb-binlog/v1/other", "z");
        kv.put(PUMP_0, pump_0("online", 6));
        std::thread::sleep(Duration::from_millis(300));
        kv.put(PUMP_0, pump_0("paused", 6));
    });
    let began = Instant::now();
    let changed = live.ask(Request::Read(Read::Changes { after, patience: 20 * SECOND })).unwrap();
    let Answer::Listing(listing) = changed else { panic!("{changed:?}") };
    assert_eq!(listing.records[0].state, State::Paused);
    assert!(began.elapsed() < 10 * SECOND);
    writer.join().unwrap();

    let began = Instant::now();
    let same = live
        .ask(Request::Read(Read::Changes { after: listing.revision, patience: Duration::from_millis(300) }))
        .unwrap();
    let Answer::Listing(same) = same else { panic!("{same:?}") };
    assert_eq!(same.records, listing.records);
    assert!(began.elapsed() >= Duration::from_millis(300), "it waited");
}

#[test]
fn changes_before_a_compaction_are_found_by_listing_again() {
    let (_etcd, mut kv, mut live) = one();
    kv.put(PUMP_0, pump_0("online", 5));
    kv.put("/tidb-binlog/v1/pumps/pump-1", pump_0("online", 5));
    let after = live.list().unwrap().revision;
    kv.delete("/tidb-binlog/v1/pumps/pump-1");
    let newest = kv.put("/elsewhere", "x");
    kv.compact(newest);

    let began = Instant::now();
    let answer = live.ask(Request::Read(Read::Changes { after, patience: 20 * SECOND })).unwrap();

    let Answer::Listing(listing) = answer else { panic!("{answer:?}") };
    assert_eq!(listing.records.len(), 1, "the deletion is seen although its history is gone");
    assert!(began.elapsed() < 10 * SECOND);
}

/// What becomes of the records, until `count` things have.
fn events(live: &mut LiveWorld, after: &mut i64, count: usize) -> Vec<RecordEvent> {
    let mut all = Vec::new();
    let began = Instant::now();
    while all.len() < count {
        assert!(began.elapsed() < 20 * SECOND, "{all:?}");
        let question = Read::Events { after: *after, patience: 5 * SECOND };
        let Answer::Events(told) = live.ask(Request::Read(question)).unwrap() else { panic!() };
        assert_eq!(told.anew, None, "nothing was missed, so nothing is listed");
        *after = told.revision;
        all.extend(told.events.into_iter().filter(|event| *event != RecordEvent::Lock));
    }
    all
}

#[test]
fn every_event_is_handed_on_from_one_watch() {
    let (_etcd, mut kv, mut live) = one();
    kv.put(PUMP_0, pump_0("online", 5));
    let mut after = live.list().unwrap().revision;
    kv.put("/tidb-binlog/v1/pumps-old/x", "y");
    kv.put(PUMP_0, pump_0("online", 6));
    kv.put("/tidb-binlog/v1/pumps/broken", "{");
    kv.delete(PUMP_0);
    let seen = events(&mut live, &mut after, 3);
    let [RecordEvent::Written(heartbeat), RecordEvent::Malformed(broken), RecordEvent::Deleted { key }] = &seen[..]
    else {
        panic!("{seen:?}")
    };
    assert_eq!(
        (heartbeat.state == State::Online, broken.key.as_str(), key.as_str()),
        (true, "/tidb-binlog/v1/pumps/broken", PUMP_0)
    );
    for heartbeat in 7..27 {
        kv.put(PUMP_0, pump_0("online", heartbeat));
        events(&mut live, &mut after, 1);
    }
    let began =
        |notice: &&Notice| matches!(notice, Notice::Traced { what, .. } if what.starts_with("watch everything"));
    assert_eq!(live.notices().iter().filter(began).count(), 1, "one watch tells all of it");
    let question = Read::Events { after, patience: Duration::from_millis(300) };
    let Answer::Events(nothing) = live.ask(Request::Read(question)).unwrap() else { panic!() };
    assert_eq!((nothing.revision, nothing.anew, nothing.events), (after, None, vec![]));
}

#[test]
fn the_lock_is_among_the_events_and_its_keep_alives_are_not() {
    let (_etcd, mut kv, mut live) = one();
    let after = kv.put(PUMP_0, pump_0("online", 5));
    kv.put_on_lease("/binlogsh/maintenance-lock", "{}", 30);
    let question = Read::Events { after, patience: 5 * SECOND };
    let Answer::Events(told) = live.ask(Request::Read(question)).unwrap() else { panic!() };
    assert_eq!(told.events, [RecordEvent::Lock]);
}

#[test]
fn events_before_a_compaction_are_a_fresh_listing() {
    let (_etcd, mut kv, mut live) = one();
    let after = kv.put(PUMP_0, pump_0("online", 5));
    kv.delete(PUMP_0);
    let newest = kv.put("/elsewhere", "x");
    kv.compact(newest);
    let question = Read::Events { after, patience: 20 * SECOND };
    let Answer::Events(told) = live.ask(Request::Read(question)).unwrap() else { panic!() };
    assert!(told.anew.is_some_and(|listing| listing.records.is_empty() && listing.revision == told.revision));
}

#[test]
fn no_event_is_missed_while_one_of_three_endpoints_is_killed_or_freezes() {
    for end in [Etcd::kill, Etcd::stop] {
        let cluster = Etcd::cluster(3);
        let urls: Vec<_> = cluster.iter().map(Etcd::url).collect();
        let mut live = LiveWorld::new(&urls, 2 * SECOND);
        let mut after = cluster[0].kv().put(PUMP_0, pump_0("online", 1));
        live.list().unwrap();
        let lost = last_to_answer(&live, &cluster);
        let mut kv = cluster[(lost + 1) % 3].kv();
        kv.put(PUMP_0, pump_0("online", 2));
        events(&mut live, &mut after, 1);
        end(&cluster[lost]);
        for heartbeat in 3..8 {
            // Perhaps it led, and another must first be elected.
            assert!(eventually(20 * SECOND, || kv.try_put(PUMP_0, pump_0("online", heartbeat))));
        }
        let mut seen = vec![Tso(2)];
        while seen.last() != Some(&Tso(7)) {
            for event in events(&mut live, &mut after, 1) {
                let RecordEvent::Written(record) = event else { panic!("{event:?}") };
                seen.push(record.update_ts);
            }
        }
        seen.dedup();
        assert_eq!(seen, [2, 3, 4, 5, 6, 7].map(Tso));
    }
}

/// The member that answered the last listing: to lose that one is worst.
fn last_to_answer(live: &LiveWorld, cluster: &[Etcd]) -> usize {
    let answered = |notice: &Notice| match notice {
        Notice::Traced { endpoint, what, outcome, .. } if what == "list the nodes" && outcome == "ok" => {
            cluster.iter().position(|etcd| etcd.url() == *endpoint)
        }
        _ => None,
    };
    live.notices().iter().rev().find_map(answered).unwrap()
}

#[test]
fn no_read_fails_while_one_of_three_endpoints_is_killed() {
    let cluster = Etcd::cluster(3);
    let urls: Vec<_> = cluster.iter().map(Etcd::url).collect();
    cluster[0].kv().put(PUMP_0, pump_0("online", 5));
    let mut live = LiveWorld::new(&urls, 5 * SECOND);
    for round in 0..100 {
        if round == 30 {
            cluster[last_to_answer(&live, &cluster)].kill();
        }
        let listing = live.list().unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(listing.records.len(), 1);
    }
    // A fresh process meets the dead endpoint first.
    for _ in 0..5 {
        assert_eq!(LiveWorld::new(&urls, 5 * SECOND).list().unwrap().records.len(), 1);
    }
}

#[test]
fn no_read_fails_while_one_of_three_endpoints_is_frozen() {
    let cluster = Etcd::cluster(3);
    let urls: Vec<_> = cluster.iter().map(Etcd::url).collect();
    cluster[1].kv().put(PUMP_0, pump_0("online", 5));
    let mut live = LiveWorld::new(&urls, 5 * SECOND);
    let mut frozen = 0;
    for round in 0..60 {
        if round == 20 {
            frozen = last_to_answer(&live, &cluster);
            cluster[frozen].stop();
        }
        let listing = live.list().unwrap_or_else(|error| panic!("round {round}: {error}"));
        assert_eq!(listing.records.len(), 1);
    }
    let began = Instant::now();
    let mut fresh = LiveWorld::new(&urls, 5 * SECOND);
    assert_eq!(fresh.list().unwrap().records.len(), 1);
    assert!(began.elapsed() < 4 * SECOND, "it did not wait for the frozen one: {:?}", began.elapsed());
    let seen = fresh.list().unwrap().records.remove(0);
    assert_eq!(swap(&mut fresh, seen, State::Paused).unwrap().state, State::Paused);
    cluster[frozen].cont();
}

#[test]
fn an_endpoint_that_refuses_or_says_nothing_is_named_with_the_time_it_took() {
    let silent = HttpDouble::start(|_| Reply::Silent);
    let refusing = format!("127.0.0.1:{}", free_port());
    let mut live = LiveWorld::new(std::slice::from_ref(&refusing), 2 * SECOND);
    let error = live.fails(Request::Read(Read::Nodes));
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    assert!(error.message.contains(&refusing) && error.message.contains("refused (2.0s)"), "{error}");
    assert!(error.hint.is_some());

    let began = Instant::now();
    let mut live = LiveWorld::new(&[refusing.clone(), silent.address()], SECOND);
    let error = live.fails(Request::Read(Read::Nodes));
    assert_eq!(error.kind, ErrorKind::Timeout, "{error}");
    assert!(error.message.contains(&refusing) && error.message.contains(&silent.address()), "{error}");
    assert!(error.message.contains("no answer (1.0s)"), "{error}");
    assert!(began.elapsed() < 3 * SECOND, "{:?}", began.elapsed());
}

#[test]
fn a_write_whose_answer_is_lost_is_looked_up_and_happens_once() {
    let (etcd, mut kv, _) = one();
    for loss in [Loss::Answer, Loss::Request] {
        let pd = PdDouble::start(&etcd);
        let revision = kv.put(PUMP_0, pump_0("online", 5));
        let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
        let seen = live.list().unwrap().records.remove(0);

        pd.set(|knobs| knobs.txns = (1, loss));
        let written = swap(&mut live, seen, State::Paused).unwrap();
        assert_eq!(kv.get(PUMP_0).unwrap(), (pump_0("paused", 5), revision + 1), "written once: {loss:?}");
        assert_eq!((written.state, written.mod_revision), (State::Paused.into(), revision + 1));

        pd.set(|knobs| knobs.txns = (1, loss));
        let delete = Request::Change(Change::DeleteRecord { key: PUMP_0.into(), mod_revision: revision + 1 });
        assert_eq!(live.ask(delete).unwrap(), Answer::Done, "{loss:?}");
        assert!(kv.get(PUMP_0).is_none());
    }
}

#[test]
fn a_write_that_nobody_can_look_up_is_in_doubt_and_not_failed() {
    let (etcd, mut kv, _) = one();
    let pd = PdDouble::start(&etcd);
    kv.put(PUMP_0, pump_0("online", 5));
    let mut live = LiveWorld::new(&[pd.url()], Duration::from_millis(500));
    let seen = live.list().unwrap().records.remove(0);
    pd.set(|knobs| knobs.txns = (usize::MAX, Loss::Request));
    let error = swap(&mut live, seen, State::Paused).unwrap_err();
    assert_eq!(error.kind, ErrorKind::InDoubt, "{error}");
    assert!(error.message.contains(PUMP_0) && error.hint.is_some(), "{error}");
    assert_eq!(kv.get(PUMP_0).unwrap().0, pump_0("online", 5));
}

#[test]
fn a_write_that_may_have_happened_before_the_lock_was_lost_is_in_doubt() {
    let (etcd, mut kv, _) = one();
    let pd = PdDouble::start(&etcd);
    let revision = kv.put(PUMP_0, pump_0("online", 5));
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    let seen = live.list().unwrap().records.remove(0);
    let lost = Fence { key: "/lock".into(), create_revision: 7 };
    for change in [
        Change::SwapRecord { seen, state: State::Paused },
        Change::DeleteRecord { key: PUMP_0.into(), mod_revision: revision },
    ] {
        pd.set(|knobs| knobs.txns = (1, Loss::Request));
        let error = live.world.apply(&Request::Change(change), Some(&lost)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InDoubt, "{error}");
        assert!(error.message.contains(PUMP_0), "{error}");
    }
}

#[test]
fn a_state_is_written_under_a_storm_of_heartbeats() {
    let (etcd, mut kv, mut live) = one();
    kv.put(PUMP_0, pump_0("paused", 5));
    let seen = live.list().unwrap().records.remove(0);
    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, url) = (stop.clone(), etcd.url());
    let node = std::thread::spawn(move || {
        let mut kv = Kv::new(&url);
        for beat in (6..).take_while(|_| !stopped.load(Ordering::SeqCst)) {
            // A heartbeat keeps the state that stands there, as a compare-and-swap of its own.
            let (value, revision) = kv.get(PUMP_0).unwrap();
            let state = if value.contains("paused") { "paused" } else { "offline" };
            kv.put_if(PUMP_0, pump_0(state, beat).into(), revision);
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let written = swap(&mut live, seen, State::Offline);
    stop.store(true, Ordering::SeqCst);
    node.join().unwrap();
    assert_eq!(written.unwrap().state, State::Offline);
    assert!(kv.get(PUMP_0).unwrap().0.contains("offline"), "the update was not lost");
}

#[test]
fn an_interrupt_ends_a_call_at_once_and_the_world_goes_on() {
    let silent = HttpDouble::start(|_| Reply::Silent);
    let mut live = LiveWorld::new(&[silent.address()], 30 * SECOND);
    for request in
        [Request::Read(Read::Nodes), Request::Read(Read::Sleep { time: 30 * SECOND }), Request::Read(Read::Tso)]
    {
        let interrupt = live.interrupt.clone();
        let raiser = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(150));
            let raised = Instant::now();
            interrupt.raise(2);
            raised
        });
        let error = live.fails(request);
        let late = raiser.join().unwrap().elapsed();
        assert_eq!((error.kind, error.signal), (ErrorKind::Interrupted, Some(2)));
        assert!(late < SECOND, "{late:?} after the interrupt");
        live.interrupt.clear();
    }
    assert!(
        matches!(live.ask(Request::Read(Read::Now)).unwrap(), Answer::Now(Clocks { unix_ms, .. }) if unix_ms > 1_600_000_000_000)
    );
}

#[test]
fn tidb_servers_are_listed_and_a_malformed_one_is_a_warning() {
    let (_etcd, mut kv, mut live) = one();
    let info = r#"{"version":"5.7.25-TiDB-v5.4.0","git_hash":"x","ddl_id":"b","ip":"10.0.0.2","listening_port":4000,"status_port":10080,"lease":"45s","binlog_status":"Skipping","labels":{}}"#;
    kv.put("/tidb/server/info/b", info);
    kv.put("/tidb/server/info/a", r#"{"ip":"10.0.0.1","listening_port":4000}"#);
    kv.put("/tidb/server/info/a/deeper", "whatever");
    kv.put("/tidb/server/info/bad", "{");
    let Answer::Tidbs(servers) = live.ask(Request::Read(Read::Tidbs)).unwrap() else { panic!() };
    let seen: Vec<_> = servers.iter().map(|s| (s.address.as_str(), s.binlog_status.as_str())).collect();
    assert_eq!(seen, [("10.0.0.1:4000", "Unknown"), ("10.0.0.2:4000", "Skipping")]);
    assert_eq!(servers[1].version, "5.7.25-TiDB-v5.4.0");
    assert!(live.warnings().iter().any(|w| w.contains("/tidb/server/info/bad")), "{:?}", live.warnings());
}
