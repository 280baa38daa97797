//! The lease of the simulated lock, in virtual time.

use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, State};
use binlogsh::sim::{Scenario, Simulated};
use binlogsh::world::{
    Answer, Change, FaultKind, Fence, LOCK_KEY, LockHolder, LockRequest, Play, Read, Request, World,
};
use std::time::Duration;

fn locked() -> (Simulated, Fence) {
    let mut world = Simulated::new(&Scenario::named("default").unwrap()).unwrap();
    let lock = Request::Lock(LockRequest::Take { holder: LockHolder::default(), wait: None });
    match world.apply(&lock, None).unwrap() {
        Answer::Locked(fence) => (world, fence),
        other => panic!("{other:?}"),
    }
}

/// The kind of the error of a write under the lock, after a fault of this kind that lasted for so many seconds.
fn after(kind: FaultKind, seconds: u64) -> Option<ErrorKind> {
    let (mut world, fence) = locked();
    let lasts = Some(Duration::from_secs(seconds));
    let fault = Play::Fault { kind, node: None, after: Duration::ZERO, lasts };
    world.apply(&Request::Play(fault), None).unwrap();
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(seconds + 20) }), None).unwrap();
    let seen = match world.apply(&Request::Read(Read::Nodes), None).unwrap() {
        Answer::Listing(listing) => listing.find(Kind::Pump, "pump-1").unwrap().clone(),
        other => panic!("{other:?}"),
    };
    let swap = Request::Change(Change::SwapRecord { seen, state: State::Paused });
    world.apply(&swap, Some(&fence)).err().map(|error| error.kind)
}

#[test]
fn it_lives_for_days_while_it_is_kept_alive() {
    let (mut world, fence) = locked();
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(7 * 86_400) }), None).unwrap();
    let lock = Request::Lock(LockRequest::Take { holder: LockHolder::default(), wait: None });
    assert_eq!(world.apply(&lock, Some(&fence)).unwrap(), Answer::Locked(fence));
    drop(world.apply(&Request::Lock(LockRequest::GiveBack), None));
    assert!(world.cluster().get(LOCK_KEY).is_none());
}

#[test]
fn it_ends_when_we_are_cut_off_from_etcd_for_longer_and_not_sooner() {
    assert_eq!(after(FaultKind::EtcdFails, 15), None);
    assert_eq!(after(FaultKind::EtcdFails, 50), Some(ErrorKind::LockLost));
}

#[test]
fn nobody_ends_it_while_pd_as_a_whole_is_gone() {
    assert_eq!(after(FaultKind::PdGone, 120), None);
}
