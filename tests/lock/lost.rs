//! A lock that was lost: nothing is written any more, and nothing is sent.

use super::{FIRST, SECOND, Setup, TTL, etcd, is_locked, until_locked};
use crate::support::etcd::{Etcd, Kv};
use crate::support::eventually;
use crate::support::free_port;
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::{LiveWorld, drainer};
use crate::support::pd_double::PdDouble;
use crate::support::record;
use binlogsh::error::ErrorKind;
use binlogsh::node_control::{NodeControl, OwnCommand, Preset, Template};
use binlogsh::world::{
    Action, Answer, Change, Control, Fence, GuardName, LOCK_KEY, LockHolder, LockRequest, Notice, ProcessVerb, Read,
    Request, World,
};
use std::time::{Duration, Instant};

#[track_caller]
fn is_lost(lose: impl FnOnce(&mut Kv)) {
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    lose(&mut kv);
    let error = ann.delete(SECOND).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockLost);
    assert!(error.message.contains(LOCK_KEY) && error.hint.is_some(), "{error}");
    assert_eq!(
        ann.perform(Request::Read(Read::Nodes), &[]).unwrap_err(),
        error,
        "it ends the run, whatever the script catches"
    );
    assert!(kv.get(SECOND).is_some(), "it was written all the same");
}

#[test]
fn a_key_that_was_deleted_is_a_lock_that_was_lost() {
    is_lost(|kv| assert!(kv.delete(LOCK_KEY)));
}

#[test]
fn a_lease_that_was_revoked_is_a_lock_that_was_lost() {
    is_lost(|kv| kv.revoke_lease_of(LOCK_KEY));
}

#[test]
fn a_lock_that_somebody_else_has_by_now_is_lost_and_stays_theirs() {
    let theirs = LockHolder { user: "bob".into(), ..LockHolder::default() }.value(0);
    is_lost(|kv| {
        kv.delete(LOCK_KEY);
        kv.put(LOCK_KEY, theirs.clone());
        // What they wrote is theirs after we have gone, too.
    });
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    kv.delete(LOCK_KEY);
    kv.put(LOCK_KEY, theirs.clone());
    assert!(ann.delete(SECOND).is_err());
    drop(ann);
    assert_eq!(kv.get(LOCK_KEY).unwrap().0, theirs);
}

#[test]
fn a_lock_lost_at_a_line_of_the_prompt_does_not_end_the_prompt() {
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    kv.delete(LOCK_KEY);
    assert_eq!(ann.delete(SECOND).unwrap_err().kind, ErrorKind::LockLost);
    ann.session.start_afresh();
    ann.delete(SECOND).unwrap();
}

#[test]
fn etcd_gone_in_the_middle_is_an_error_in_time_and_the_lock_is_lost_with_its_lease() {
    let (etcd, _kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    let revision = match ann.perform(Request::Read(Read::Nodes), &[]).unwrap() {
        Answer::Listing(listing) => listing.malformed[0].mod_revision,
        other => panic!("{other:?}"),
    };
    let delete = || Request::Change(Change::DeleteRecord { key: SECOND.into(), mod_revision: revision });
    etcd.kill();
    let began = Instant::now();
    let error = ann.perform(delete(), &[]).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Timeout), "{error}");
    std::thread::sleep(TTL);
    let error = ann.perform(delete(), &[]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockLost);
    assert!(error.source.is_some(), "it says that etcd does not answer");
    drop(ann);
    assert!(began.elapsed() < TTL + Duration::from_secs(8), "{:?}", began.elapsed());
}

#[test]
fn a_lock_that_cannot_be_given_back_is_a_warning_and_no_long_wait() {
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    assert!(is_locked(&mut kv));
    etcd.kill();
    let (heard, began) = (ann.heard.clone(), Instant::now());
    drop(ann);
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let told = |notice: &Notice| matches!(notice, Notice::Warning(text) if text.contains("could not be given back"));
    assert!(heard.lock().unwrap().iter().any(told), "{:?}", heard.lock().unwrap());
}

#[test]
fn without_twice_its_deadline_left_no_request_is_sent_to_a_node() {
    let etcd = Etcd::start();
    let (pd, mut kv) = (PdDouble::start(&etcd), etcd.kv());
    let node = HttpDouble::start(|request| match request.method.as_str() {
        "PUT" if request.path.ends_with("/probe") => Reply::verdict(200, "online"),
        _ => Reply::verdict(200, "apply action pause success!"),
    });
    kv.put(FIRST, "{");
    kv.put("/tidb-binlog/v1/drainers/d0", record("d0", &node.address(), "online", 5, 5));
    let ttl = Duration::from_secs(3);
    let setup = Setup { ttl, timeout: Duration::from_millis(1300), ..Setup::new(pd.url(), "ann") };
    let mut ann = setup.start();
    let pause = || Request::Change(Change::Act { node: drainer("d0", &node.address()), action: Action::Pause });
    let force = [GuardName::PumpClosing];
    let paused = || node.requests().iter().filter(|request| request.path.ends_with("/pause")).count();
    ann.perform(pause(), &force).unwrap();
    assert_eq!(paused(), 1);

    // The lease has less than 2.6 s left soon, and cannot be kept alive.
    pd.set(|knobs| knobs.loses_keep_alives = true);
    std::thread::sleep(Duration::from_millis(1200));
    assert!(is_locked(&mut kv), "it is ours still");
    let error = ann.perform(pause(), &force).unwrap_err();
    assert!(matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Timeout | ErrorKind::LockLost), "{error}");
    assert_eq!(paused(), 1, "it was sent");
    until_locked(&mut kv, false);
    pd.set(|knobs| knobs.loses_keep_alives = false);
    let error = ann.perform(pause(), &force).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockLost);
    assert_eq!(paused(), 1);
}

#[test]
fn a_lease_too_short_for_a_request_sends_none() {
    let (etcd, mut kv) = etcd();
    let node = HttpDouble::start(|_| Reply::verdict(200, "online"));
    kv.put("/tidb-binlog/v1/drainers/d0", record("d0", &node.address(), "online", 5, 5));
    let mut ann = Setup { timeout: Duration::from_millis(1100), ..Setup::new(etcd.url(), "ann") }.start();
    let pause = Request::Change(Change::Act { node: drainer("d0", &node.address()), action: Action::Pause });
    let error = ann.perform(pause, &[GuardName::PumpClosing]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockLost);
    assert!(error.message.contains("a request to a node needs 2.2s"), "{error}");
    assert!(node.requests().iter().all(|request| !request.path.ends_with("/pause")));
}

#[test]
fn a_lease_whose_key_was_taken_away_is_not_kept_alive() {
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    assert_eq!(kv.leases(), 1);
    kv.delete(LOCK_KEY);
    assert!(eventually(Duration::from_secs(20), || kv.leases() == 0), "it is kept alive for ever");
    assert_eq!(ann.delete(SECOND).unwrap_err().kind, ErrorKind::LockLost);
}

fn take_lock(live: &mut LiveWorld) -> Fence {
    let holder = LockHolder { user: "ann".into(), ..LockHolder::default() };
    match live.ask(Request::Lock(LockRequest::Take { holder, wait: None })).unwrap() {
        Answer::Locked(fence) => fence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn whoever_lost_the_lock_while_its_lease_lives_starts_and_stops_no_node() {
    let (etcd, mut kv) = etcd();
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let command = ["touch", made.to_str().unwrap()].map(|word| Template::parse(word).unwrap()).to_vec();
    let verbs = [OwnCommand::Start, OwnCommand::Stop, OwnCommand::Restart];
    let commands = verbs.map(|verb| (verb, command.clone())).into_iter().collect();
    let control = NodeControl { commands, ..NodeControl::new(Preset::Commands) };
    let mut live = LiveWorld::new(&[etcd.url()], Duration::from_secs(5));
    live.world = live.world.with_node_control(Some(control));
    let fence = take_lock(&mut live);
    // As `runs unlock` does, and somebody else is quick: our lease lives for half a minute.
    kv.delete(LOCK_KEY);
    kv.put(LOCK_KEY, LockHolder { user: "bob".into(), ..LockHolder::default() }.value(0));
    let node = drainer("d0", &format!("127.0.0.1:{}", free_port()));
    let control = |verb| Request::Change(Change::Control(Control::new(node.clone(), verb)));
    for verb in ProcessVerb::ALL {
        let error = live.world.apply(&control(*verb), Some(&fence)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::LockLost, "{verb}: {error}");
        assert!(!made.exists(), "{verb} was done");
    }
    live.ask(Request::Lock(LockRequest::GiveBack)).unwrap();
    kv.delete(LOCK_KEY);
    let fence = take_lock(&mut live);
    live.world.apply(&control(ProcessVerb::Stop), Some(&fence)).unwrap();
    assert!(made.exists());
}

#[test]
fn whoever_does_not_heed_a_signal_loses_the_lock_and_whoever_does_keeps_it() {
    let holds = || {
        let (etcd, kv) = etcd();
        let mut ann = Setup::new(etcd.url(), "ann").start();
        ann.delete(FIRST).unwrap();
        (etcd, kv, ann)
    };
    let ((_one, mut deaf_kv, deaf), (_other, mut heeds_kv, heeds)) = (holds(), holds());
    let begun = Instant::now();
    deaf.interrupt.raise(15);
    heeds.interrupt.raise(2);
    // What was under way has ended, and the prompt goes on.
    heeds.interrupt.clear();
    assert!(eventually(Duration::from_secs(30), || !is_locked(&mut deaf_kv)), "nobody else ever gets it");
    let kept = begun.elapsed();
    assert!(kept >= Duration::from_secs(5), "it had {kept:?} to clean up");
    assert!(is_locked(&mut heeds_kv));
}
