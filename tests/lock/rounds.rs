//! Many sessions that change the same record: no update is lost.

use super::Setup;
use super::process::Process;
use crate::support::etcd::{Etcd, Kv};
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::{is_soak, record};
use binlogsh::error::ErrorKind;
use binlogsh::node::State;
use binlogsh::world::{Answer, Change, GuardName, Request};
use std::time::Duration;

const KEY: &str = "/tidb-binlog/v1/drainers/d0";
const FORCE: [GuardName; 2] = [GuardName::Alive, GuardName::Pointless];
/// No lease ends here, however busy the host is.
const LONG: Duration = Duration::from_secs(20);
/// How many sessions each of those who compete begins.
const ROUNDS: usize = 30;
/// The same where time does not matter.
const SOAK: usize = 250;

fn rounds() -> usize {
    if is_soak() { SOAK } else { ROUNDS }
}

/// One session after the other, each of which turns the record's state into the other one, once. Says at which revision
/// it wrote which.
pub(super) fn go(url: &str, user: &str, mut say: impl FnMut(String)) {
    for _ in 0..rounds() {
        loop {
            let mut operator =
                Setup { ttl: LONG, ..Setup::new(url.into(), user) }.for_each_change().waiting(60).start();
            let seen = operator.record();
            let state = if seen.state == State::Online { State::Paused } else { State::Online };
            match operator.perform(Request::Change(Change::SwapRecord { seen, state }), &FORCE) {
                Ok(Answer::Swapped(written)) => {
                    say(format!("{} {state}", written.mod_revision));
                    break;
                }
                // The other one was first: it is looked at again.
                Err(error) if error.kind == ErrorKind::Conflict => {}
                other => panic!("{other:?}"),
            }
        }
    }
    say("end".into());
}

fn start() -> (Etcd, Kv, HttpDouble) {
    let etcd = Etcd::start();
    let mut kv = etcd.kv();
    let node = HttpDouble::start(|_| Reply::verdict(200, "online"));
    kv.put(KEY, record("d0", &node.address(), "online", 5, 5));
    (etcd, kv, node)
}

/// Every change turned what the one before it wrote, and etcd knows as many.
#[track_caller]
fn none_is_lost(kv: &mut Kv, mut changes: Vec<(i64, String)>) {
    changes.sort_unstable();
    assert_eq!(changes.len(), 2 * rounds());
    for (at, (_, state)) in changes.iter().enumerate() {
        let turned = if at % 2 == 0 { "paused" } else { "online" };
        assert_eq!(state, turned, "an update was lost: {changes:?}");
    }
    assert_eq!(kv.version_of(KEY), 1 + changes.len() as i64);
    assert_eq!(kv.get(KEY).unwrap().1, changes.last().unwrap().0);
}

fn change(line: &str) -> (i64, String) {
    let (revision, state) = line.split_once(' ').unwrap();
    (revision.parse().unwrap(), state.to_owned())
}

#[test]
fn sessions_that_change_the_same_record_lose_no_update() {
    let (etcd, mut kv, _node) = start();
    let competitors: Vec<_> = ["ann", "bob"]
        .into_iter()
        .map(|user| {
            let url = etcd.url();
            std::thread::spawn(move || {
                let mut said = Vec::new();
                go(&url, user, |line| said.push(line));
                said
            })
        })
        .collect();
    let said: Vec<String> = competitors.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    none_is_lost(&mut kv, said.iter().filter(|line| *line != "end").map(|line| change(line)).collect());
}

#[test]
fn processes_that_change_the_same_record_lose_no_update() {
    let (etcd, mut kv, _node) = start();
    let mut processes = [Process::start("rounds", &etcd.url()), Process::start("rounds", &etcd.url())];
    let mut changes = Vec::new();
    for process in &mut processes {
        loop {
            match process.says().as_str() {
                "end" => break,
                line => changes.push(change(line)),
            }
        }
    }
    none_is_lost(&mut kv, changes);
}
