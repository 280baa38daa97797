//! What etcd answers is told as what it is, never as "nobody answered".

use crate::harness::Shell;
use crate::support::etcd::{Etcd, Kv};
use crate::support::http_double::{HttpDouble, Reply};
use crate::support::live::LiveWorld;
use crate::support::pd_double::PdDouble;
use crate::support::record;
use binlogsh::error::ErrorKind;
use binlogsh::node::State;
use binlogsh::world::{Alarm, AlarmKind, Answer, Change, LockHolder, LockRequest, Read, Request};
use etcd_client::AlarmType;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const PUMP_0: &str = "/tidb-binlog/v1/pumps/pump-0";
const FULL: &str = "etcdserver: mvcc: database space exceeded";

/// PD with a Pump's record.
fn cluster(etcd: &Etcd, address: &str) -> (PdDouble, Kv) {
    let (pd, mut kv) = (PdDouble::start(etcd), etcd.kv());
    let own = kv.member_id();
    pd.set(|knobs| knobs.member_id = own);
    kv.put(PUMP_0, record("pump-0", address, "online", 5, 5));
    (pd, kv)
}

fn lock() -> Request {
    let (user, host, version) = ("us".into(), "here".into(), "1".into());
    Request::Lock(LockRequest::Take {
        holder: LockHolder { user, host, pid: 1, run: None, script: None, version },
        wait: None,
    })
}

#[test]
fn a_full_etcd_is_read_and_says_itself_why_it_takes_no_write() {
    let etcd = Etcd::with_quota(1 << 20);
    let (pd, mut kv) = cluster(&etcd, "h:1");
    kv.fill();
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    let seen = live.list().unwrap().records.remove(0);
    let write = format!("cannot write {PUMP_0}: ");
    let swap = Request::Change(Change::SwapRecord { seen, state: State::Paused });
    for (request, what) in [(lock(), "cannot get a lease: "), (swap, write.as_str())] {
        let error = live.fails(request);
        assert!(error.message.starts_with(what), "{error}");
        assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
        assert!(error.message.contains(FULL) && !error.message.contains("no endpoint"), "{error}");
        let hint = error.hint.unwrap();
        assert!(["compact", "defrag", "alarm disarm"].iter().all(|step| hint.contains(step)), "{hint}");
    }
    assert_eq!(kv.get(PUMP_0).unwrap().0, record("pump-0", "h:1", "online", 5, 5));
    let expected = vec![Alarm { kind: AlarmKind::NoSpace, member: "pd-0".into() }];
    assert_eq!(live.ask(Request::Read(Read::Alarms)).unwrap(), Answer::Alarms(expected));
}

#[test]
fn an_operator_and_doctor_are_told_that_etcd_is_full() {
    let etcd = Etcd::with_quota(1 << 20);
    let node = HttpDouble::start(|_| Reply::verdict(3, "invalide action probe"));
    let (pd, mut kv) = cluster(&etcd, &node.address());
    kv.put("/tidb-binlog/v1/pumps/pump-1", record("pump-1", &node.address(), "online", 5, 5));
    kv.fill();
    let ran = Shell::live(&pd.url()).yes().eval("pause_pump(\"pump-0\")").fails(ErrorKind::Rejected);
    ran.stderr_contains(FULL).stderr_contains("alarm disarm");
    let ctl = ["ctl", "-cmd", "pause-pump", "-node-id", "pump-0", "-pd-urls", &pd.url()];
    let ran = Shell::new(&ctl).go().exits(1);
    assert!(ran.stdout.contains(FULL), "{}", ran.stdout);
    assert!(!node.requests().iter().any(|request| request.path.ends_with("/pause")), "nothing was done");
    let found = Shell::live(&pd.url()).arg("doctor").arg("--observe=0").go().exits(2);
    found.stdout_contains("etcd_full").stdout_contains("alarm disarm");
}

#[test]
fn a_corrupt_etcd_says_so() {
    let etcd = Etcd::start();
    let (pd, mut kv) = cluster(&etcd, "h:1");
    kv.raise(AlarmType::Corrupt);
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    let error = live.fails(lock());
    assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
    assert!(error.message.contains("etcdserver: corrupt cluster"), "{error}");
    assert!(error.hint.unwrap().contains("hashkv"));
    let expected = vec![Alarm { kind: AlarmKind::Corrupt, member: "pd-0".into() }];
    assert_eq!(live.ask(Request::Read(Read::Alarms)).unwrap(), Answer::Alarms(expected));
}

#[test]
fn an_etcd_that_asks_for_a_user_says_so() {
    let etcd = Etcd::start();
    let (pd, mut kv) = cluster(&etcd, "h:1");
    kv.ask_for_passwords();
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    for request in [Request::Read(Read::Nodes), lock(), Request::Read(Read::Tidbs)] {
        let error = live.fails(request);
        assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
        assert!(error.message.contains("etcdserver: user name is empty"), "{error}");
        assert!(error.hint.unwrap().contains("auth disable"));
    }
}

#[test]
fn an_etcd_that_is_well_has_no_alarm() {
    let etcd = Etcd::start();
    let (pd, _) = cluster(&etcd, "h:1");
    let mut live = LiveWorld::new(&[pd.url()], 5 * SECOND);
    assert_eq!(live.ask(Request::Read(Read::Alarms)).unwrap(), Answer::Alarms(vec![]));
}
