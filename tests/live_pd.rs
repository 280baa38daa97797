//! The live world against doubles of PD in front of a real etcd.

use crate::support::etcd::Etcd;
use crate::support::live::LiveWorld;
use crate::support::pd_double::{CLUSTER_ID, Leader, PdDouble};
use crate::support::{eventually, free_port, record};
use binlogsh::error::ErrorKind;
use binlogsh::tso::Tso;
use binlogsh::world::{Answer, Notice, Read, Request};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

fn tso(live: &mut LiveWorld) -> Tso {
    match live.ask(Request::Read(Read::Tso)).unwrap() {
        Answer::Timestamp(tso) => tso,
        other => panic!("no timestamp: {other:?}"),
    }
}

/// Two members of one PD; the first leads.
fn two(etcd: &Etcd) -> (PdDouble, PdDouble) {
    let (a, b) = (PdDouble::start(etcd), PdDouble::start(etcd));
    lead(&a, &b);
    (a, b)
}

fn lead(leader: &PdDouble, follower: &PdDouble) {
    leader.set(|knobs| {
        knobs.leader = Leader::Me;
        knobs.others = vec![("pd-1".into(), follower.url())];
    });
    follower.set(|knobs| {
        knobs.leader = Leader::Other(leader.url());
        knobs.others = vec![("pd-1".into(), leader.url())];
    });
}

#[test]
fn a_listing_comes_with_the_leaders_time_over_one_connection() {
    let etcd = Etcd::start();
    etcd.kv().put("/tidb-binlog/v1/pumps/pump-0", record("pump-0", "h:1", "online", 1, 2));
    let pd = PdDouble::start(&etcd);
    pd.set(|knobs| knobs.clock = Some(Arc::new(|| (1_700_000_000_123, 42))));
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    assert_eq!(pd.connections(), 0, "nothing is connected before first use");

    let listing = live.list().unwrap();

    assert_eq!(listing.records.len(), 1);
    assert_eq!(listing.tso, Some(Tso::from_parts(1_700_000_000_123, 42)));
    assert_eq!(listing.tso_error, None);
    assert_eq!(pd.connections(), 1);
    live.list().unwrap();
    assert_eq!((pd.connections(), pd.members_asked()), (1, 1), "members are asked once");
    let traced = |what: &str| {
        live.notices()
            .iter()
            .any(|n| matches!(n, Notice::Traced { what: w, outcome, .. } if w.contains(what) && outcome == "ok"))
    };
    assert!(traced("list the nodes") && traced("timestamp"));
}

#[test]
fn a_watch_passes_through_the_double() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    let after = live.list().unwrap().revision;
    let mut kv = etcd.kv();
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(200));
        kv.put("/tidb-binlog/v1/pumps/pump-0", record("pump-0", "h:1", "online", 1, 2));
    });
    let began = Instant::now();
    let Answer::Listing(listing) = live.ask(Request::Read(Read::Changes { after, patience: 20 * SECOND })).unwrap()
    else {
        panic!()
    };
    assert_eq!(listing.records.len(), 1);
    assert!(listing.tso.is_some());
    assert!(began.elapsed() < 4 * SECOND, "{:?}", began.elapsed());
    writer.join().unwrap();
}

#[test]
fn time_comes_from_the_leader_whoever_was_asked_for_it() {
    let etcd = Etcd::start();
    let (leader, follower) = two(&etcd);
    leader.set(|knobs| knobs.offset_ms = 86_400_000);
    let mut live = LiveWorld::new(&[follower.url()], 5 * SECOND);
    let (time, here) = (tso(&mut live).physical_ms(), chrono::Utc::now().timestamp_millis());
    assert!((time - here - 86_400_000).abs() < 3_600_000, "a day ahead, as the leader is: {time}");
    assert_eq!(follower.timestamps_asked(), 0);
}

#[test]
fn a_change_of_leader_is_followed() {
    let etcd = Etcd::start();
    let (a, b) = two(&etcd);
    let mut live = LiveWorld::new(&[a.url(), b.url()], 5 * SECOND);
    tso(&mut live);
    lead(&b, &a);
    b.set(|knobs| knobs.clock = Some(Arc::new(|| (7, 7))));
    assert_eq!(tso(&mut live), Tso::from_parts(7, 7));
}

#[test]
fn an_election_is_waited_for_and_named_when_it_does_not_end() {
    let etcd = Etcd::start();
    let pd = Arc::new(PdDouble::start(&etcd));
    pd.set(|knobs| knobs.leader = Leader::Nobody);
    let electing = pd.clone();
    let election = std::thread::spawn(move || {
        assert!(eventually(10 * SECOND, || electing.members_asked() > 1), "it is not waited for");
        electing.set(|knobs| knobs.leader = Leader::Me);
    });
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    tso(&mut live);
    election.join().unwrap();

    pd.set(|knobs| knobs.leader = Leader::Nobody);
    let mut live = LiveWorld::new(&[pd.url()], Duration::from_millis(500));
    let error = live.fails(Request::Read(Read::Tso));
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains("no leader"), "{error}");
    let Answer::Cluster(cluster) = live.ask(Request::Read(Read::Cluster)).unwrap() else { panic!() };
    assert_eq!(cluster.leader, None);
}

#[test]
fn another_cluster_id_is_learned_once() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    tso(&mut live);
    pd.set(|knobs| knobs.cluster_id = CLUSTER_ID + 1);
    tso(&mut live);
    assert_eq!(pd.members_asked(), 2);
}

#[test]
fn a_leader_that_is_slow_is_waited_for() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let mut live = LiveWorld::new(&[pd.url()], Duration::from_secs(8));
    tso(&mut live);
    // More than a third of the time, and as long as a listing can do with.
    pd.set(|knobs| knobs.latency = Duration::from_millis(2_900));
    tso(&mut live);
    pd.set(|knobs| knobs.latency = Duration::from_millis(2_000));
    let listing = live.list().unwrap();
    assert!(listing.tso.is_some(), "{:?}", listing.tso_error);
}

#[test]
fn a_leader_that_cannot_be_reached_is_named() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let away = format!("http://127.0.0.1:{}", free_port());
    pd.set(|knobs| knobs.leader = Leader::Other(away.clone()));
    let mut live = LiveWorld::new(&[pd.url()], Duration::from_millis(800));
    let error = live.fails(Request::Read(Read::Tso));
    assert!(error.message.contains(&away), "{error}");
    assert!(error.hint.unwrap().contains(&away));
}

#[test]
fn a_silent_pd_does_not_keep_the_listing() {
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    pd.set(|knobs| knobs.silent = true);
    let mut live = LiveWorld::new(&[pd.url()], SECOND);
    let listing = live.list().unwrap();
    let error = listing.tso_error.unwrap();
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains(&pd.url()), "{error}");
}

#[test]
fn the_cluster_is_its_id_its_members_and_its_leader() {
    let etcd = Etcd::start();
    let (a, b) = two(&etcd);
    let mut live = LiveWorld::new(&[a.url()], 5 * SECOND);
    let Answer::Cluster(cluster) = live.ask(Request::Read(Read::Cluster)).unwrap() else { panic!() };
    assert_eq!((cluster.id, cluster.leader.as_deref()), (CLUSTER_ID, Some("pd-0")));
    let members: Vec<_> = cluster.members.iter().map(|m| (m.name.as_str(), m.client_urls[0].clone())).collect();
    assert_eq!(members, [("pd-0", a.url()), ("pd-1", b.url())]);
}
