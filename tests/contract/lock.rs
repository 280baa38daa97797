//! What both worlds promise of the maintenance lock.

use super::stage::Stage;
use binlogsh::error::ErrorKind;
use binlogsh::node::State;
use binlogsh::world::{
    Action, Answer, Change, Fence, LOCK_KEY, LockHolder, LockInfo, LockOwner, LockRequest, Read, Request,
};
use std::time::Duration;

fn holder(user: &str) -> LockHolder {
    LockHolder {
        user: user.into(),
        host: "ops-1".into(),
        pid: 7,
        run: Some("r1".into()),
        script: Some("restart.rhai".into()),
        version: "0.1.0".into(),
    }
}

fn lock(user: &str) -> Request {
    Request::Lock(LockRequest::Take { holder: holder(user), wait: None })
}

#[track_caller]
fn taken(stage: &mut Stage) -> Fence {
    match stage.ask(lock("ann")).unwrap() {
        Answer::Locked(fence) => fence,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn status(stage: &mut Stage) -> Option<LockInfo> {
    match stage.ask(Request::Read(Read::LockStatus)).unwrap() {
        Answer::LockedBy(info) => info,
        other => panic!("{other:?}"),
    }
}

pub(super) fn the_lock_is_shown_while_it_is_held_and_gone_afterwards(stage: &mut Stage) {
    assert_eq!(status(stage), None);
    let fence = taken(stage);
    assert_eq!(fence.key, LOCK_KEY);
    assert_eq!(taken(stage), fence, "whoever has it has it");
    assert_eq!(stage.under(lock("ann"), Some(&fence)).unwrap(), Answer::Locked(fence.clone()));

    let info = status(stage).unwrap();
    assert_eq!(info.create_revision, fence.create_revision);
    assert!(matches!(&info.owner, LockOwner::Holder { holder: ours, .. } if *ours == holder("ann")), "{info}");
    let lease = info.lease.unwrap();
    assert_eq!(lease.granted, Duration::from_secs(30));
    assert!(info.last_sign_of_life().unwrap() < Duration::from_secs(12), "{lease:?}");
    assert_eq!(stage.value(LOCK_KEY).unwrap()["user"], "ann");

    stage.interrupt.raise(2);
    assert_eq!(
        stage.ask(Request::Lock(LockRequest::GiveBack)).unwrap(),
        Answer::Done,
        "whoever is to stop gives it back all the same"
    );
    stage.interrupt.clear();
    assert_eq!(status(stage), None);
    assert_eq!(stage.ask(Request::Lock(LockRequest::GiveBack)).unwrap(), Answer::Done, "there is nothing to give back");
    assert_ne!(taken(stage), fence, "it is another lock when it is taken again");
}

pub(super) fn somebody_elses_lock_is_named_and_left_alone(stage: &mut Stage) {
    for (value, words) in [
        (
            holder("bob").value(1_795_000_000_000),
            "bob@ops-1, pid 7, run r1, script restart.rhai, since 2026-11-18 11:06:40 UTC",
        ),
        ("\"mine\"".to_owned(), "something that is not binlogsh, whose value is \"\\\"mine\\\"\""),
    ] {
        stage.put(LOCK_KEY, &value);
        let error = stage.fails(lock("ann"), ErrorKind::Locked);
        let expected = format!("the maintenance lock is held by {words}; it has no lease and will not go by itself");
        assert_eq!(error.message, expected);
        assert!(error.advice("").unwrap().contains("`binlogsh runs unlock --why"));
        let error = stage.fails(
            Request::Lock(LockRequest::Take { holder: holder("ann"), wait: Some(Duration::from_millis(300)) }),
            ErrorKind::Locked,
        );
        assert!(error.message.contains("(waited "), "{error}");
        assert_eq!(stage.value(LOCK_KEY).unwrap(), serde_json::from_str::<serde_json::Value>(&value).unwrap());
        stage.delete(LOCK_KEY);
    }
    taken(stage);
}

pub(super) fn a_lock_that_is_taken_away_stops_whoever_had_it(stage: &mut Stage) {
    let fence = taken(stage);
    let (record, node) = (stage.record("pump-2"), stage.node("pump-3"));
    let seen = status(stage).unwrap();
    let another = LockInfo { create_revision: seen.create_revision - 1, ..seen.clone() };
    let error =
        stage.fails(Request::Change(Change::BreakLock { seen: another, why: "why".into() }), ErrorKind::Conflict);
    assert!(error.message.contains("left alone"), "{error}");

    assert_eq!(
        stage.ask(Request::Change(Change::BreakLock { seen: seen.clone(), why: "why".into() })).unwrap(),
        Answer::Done
    );
    assert_eq!(status(stage), None);
    let error = stage.under(lock("ann"), Some(&fence)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::LockLost, "not even for the next change");
    let swap = Request::Change(Change::SwapRecord { seen: record.clone(), state: State::Paused });
    for change in [swap, Request::Change(Change::Act { node, action: Action::Pause })] {
        let error = stage.under(change, Some(&fence)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::LockLost, "{error}");
    }
    assert_eq!(stage.record("pump-2"), record);
    assert_eq!(stage.record("pump-3").state, State::Online);
    stage.put(LOCK_KEY, &holder("bob").value(0));
    stage.ask(Request::Lock(LockRequest::GiveBack)).unwrap();
    assert!(status(stage).is_some(), "another's lock is not given back");
}

pub(super) fn under_the_lock_changes_happen(stage: &mut Stage) {
    let fence = taken(stage);
    let node = stage.node("pump-3");
    stage.under(Request::Change(Change::Act { node, action: Action::Pause }), Some(&fence)).unwrap();
    let record = stage.record("pump-2");
    let swap = Request::Change(Change::SwapRecord { seen: record, state: State::Paused });
    assert!(matches!(stage.under(swap, Some(&fence)).unwrap(), Answer::Swapped(_)));
}
