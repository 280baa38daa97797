//! Taking the lock, waiting for it, giving it back.

use super::{FIRST, SECOND, Setup, TTL, etcd, is_locked, until_locked};
use crate::support::etcd::Etcd;
use binlogsh::error::ErrorKind;
use binlogsh::world::{Change, LOCK_KEY, LockHolder, Notice, Read, Request};
use std::time::{Duration, Instant};

#[test]
fn the_second_of_two_is_told_who_the_first_is_and_changes_nothing() {
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    let error = Setup::new(etcd.url(), "bob").start().delete(SECOND).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Locked);
    let who = format!("held by ann@here, pid {}, script test.rhai, since 20", std::process::id());
    assert!(error.message.contains(&who) && error.message.contains("last sign of life"), "{error}");
    let hint = error.advice("").unwrap();
    assert!(hint.contains("--wait-lock") && hint.contains("runs unlock --why"), "{hint}");
    assert!(kv.get(SECOND).is_some());
    ann.delete(SECOND).unwrap();
}

#[test]
fn a_script_keeps_the_lock_to_its_end_and_a_line_for_one_change() {
    let (etcd, mut kv) = etcd();
    let mut script = Setup::new(etcd.url(), "ann").start();
    script.perform(Request::Read(Read::Nodes), &[]).unwrap();
    assert!(!is_locked(&mut kv), "looking needs no lock");
    script.delete(FIRST).unwrap();
    std::thread::sleep(TTL * 2);
    assert!(is_locked(&mut kv), "it is kept alive while the script computes");
    drop(script);
    assert!(!is_locked(&mut kv), "it is given back at the end");

    let mut line = Setup::new(etcd.url(), "ann").for_each_change().start();
    line.delete(SECOND).unwrap();
    assert!(!is_locked(&mut kv));
}

#[test]
fn a_line_that_fails_gives_the_lock_back_too() {
    let (etcd, mut kv) = etcd();
    let mut line = Setup::new(etcd.url(), "ann").for_each_change().start();
    let request = Request::Change(Change::DeleteRecord { key: FIRST.into(), mod_revision: 1 });
    assert_eq!(line.perform(request, &[]).unwrap_err().kind, ErrorKind::Conflict);
    assert!(!is_locked(&mut kv));
}

#[test]
fn whoever_is_interrupted_gives_it_back() {
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    ann.interrupt.raise(15);
    assert_eq!(ann.delete(SECOND).unwrap_err().kind, ErrorKind::Interrupted);
    drop(ann);
    assert!(!is_locked(&mut kv));
}

#[test]
fn whoever_waits_is_shown_for_whom_and_gets_it_when_it_is_given_back() {
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    let url = etcd.url();
    let bob = std::thread::spawn(move || {
        // Without a word it would look again every five seconds.
        let ttl = Duration::from_secs(30);
        let mut bob = Setup { ttl, ..Setup::new(url, "bob") }.waiting(60).start();
        let outcome = bob.delete(SECOND);
        (outcome, bob.heard())
    });
    // Longer than a lease: it waits for whoever is alive.
    std::thread::sleep(TTL + TTL / 2);
    assert!(kv.get(SECOND).is_some() && !bob.is_finished());
    let given_back = Instant::now();
    drop(ann);
    let (outcome, heard) = bob.join().unwrap();
    outcome.unwrap();
    assert!(given_back.elapsed() < Duration::from_secs(4), "it is told, it does not poll: {:?}", given_back.elapsed());
    let shown = |notice: &Notice| matches!(notice, Notice::Progress(progress) if progress.to_string().contains("held by ann@here"));
    assert!(heard.iter().any(shown), "{heard:?}");
    assert!(heard.contains(&Notice::ProgressEnd));
}

#[test]
fn a_wait_has_an_end() {
    let (etcd, _kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    let error = Setup::new(etcd.url(), "bob").waiting(1).start().delete(SECOND).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Locked);
    assert!(error.message.contains("ann@here") && error.message.contains("(waited "), "{error}");
}

#[test]
fn a_wait_can_be_interrupted_and_leaves_no_lock() {
    let (etcd, mut kv) = etcd();
    let mut ann = Setup::new(etcd.url(), "ann").start();
    ann.delete(FIRST).unwrap();
    let mut bob = Setup::new(etcd.url(), "bob").waiting(60).start();
    let (interrupt, heard) = (bob.interrupt.clone(), bob.heard.clone());
    let signal = std::thread::spawn(move || {
        let waits = || heard.lock().unwrap().iter().any(|notice| matches!(notice, Notice::Progress(_)));
        assert!(crate::support::eventually(Duration::from_secs(20), waits));
        interrupt.raise(2);
    });
    assert_eq!(bob.delete(SECOND).unwrap_err().kind, ErrorKind::Interrupted);
    signal.join().unwrap();
    drop(ann);
    assert!(!is_locked(&mut kv));
    drop(bob);
    assert!(!is_locked(&mut kv));
}

#[test]
fn a_foreign_value_is_reported_and_not_overwritten() {
    let (etcd, mut kv) = etcd();
    kv.put(LOCK_KEY, "not JSON \u{1b}[31m");
    let error = Setup::new(etcd.url(), "ann").start().delete(FIRST).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Locked);
    assert!(error.message.contains(r#"whose value is "not JSON \u{1b}[31m""#), "{error}");
    assert!(error.message.contains("no lease"), "{error}");
    assert_eq!(kv.get(LOCK_KEY).unwrap().0, "not JSON \u{1b}[31m");
    assert!(kv.get(FIRST).is_some());
}

#[test]
fn wall_clocks_that_differ_by_hours_do_not_matter() {
    const HOUR: i64 = 3_600_000;
    let (etcd, mut kv) = etcd();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    for (key, since) in [(FIRST, now + HOUR), (SECOND, now - 24 * HOUR)] {
        let value = LockHolder { user: "cid".into(), ..LockHolder::default() }.value(since);
        kv.put_on_lease(LOCK_KEY, &value, TTL.as_secs() as i64);
        let mut ann = Setup::new(etcd.url(), "ann").start();
        assert_eq!(ann.delete(key).unwrap_err().kind, ErrorKind::Locked, "a lease that lives is a lock that is held");
        until_locked(&mut kv, false);
        ann.delete(key).unwrap();
    }
}

#[test]
fn the_lock_lives_on_when_the_leader_moves_and_when_an_endpoint_dies_or_hangs() {
    let members = Etcd::cluster(3);
    let urls: Vec<String> = members.iter().map(Etcd::url).collect();
    let mut kv = members[2].kv();
    kv.put(FIRST, "{");
    kv.put(SECOND, "{");
    // An election takes a good part of what the others make do with.
    let ttl = TTL * 2;
    let mut ann = Setup { urls, ttl, ..Setup::new(String::new(), "ann") }.start();
    ann.delete(FIRST).unwrap();
    let leader = members.iter().find(|member| member.kv().leads()).unwrap();
    leader.kv().hand_over();
    std::thread::sleep(ttl + ttl / 2);
    assert!(is_locked(&mut kv), "another leads");
    members[1].stop();
    std::thread::sleep(ttl + ttl / 2);
    members[1].cont();
    assert!(is_locked(&mut kv), "one hung for a while");
    members[0].kill();
    std::thread::sleep(ttl + ttl / 2);
    assert!(is_locked(&mut kv), "one is dead");
    ann.delete(SECOND).unwrap();
}
