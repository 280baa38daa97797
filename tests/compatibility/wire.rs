//! The names under which requests and what they carry are kept in journals, exports and plans. They never change: a
//! variant may be renamed, its name here may not.

use binlogsh::world::{Ask, Change, FaultKind, LockRequest, Read, Request};
use serde_json::{Value as Json, json};

fn node() -> Json {
    json!({"kind": "pump", "id": "pump-0", "address": "10.0.1.11:8250"})
}

fn second() -> Json {
    json!({"secs": 1, "nanos": 0})
}

fn changefeed() -> Json {
    json!({"id": "new", "start_ts": 1, "sink": "mysql://h:3306/"})
}

fn record() -> Json {
    json!({"node": node(), "state": "paused", "max_commit_ts": 1, "update_ts": 2, "mod_revision": 3, "json": "{}"})
}

fn holder() -> Json {
    json!({"user": "ann", "host": "ops-1", "pid": 7, "run": "r", "script": "s", "version": "0.1.0"})
}

/// Every request as it is kept, one of each.
pub(crate) fn all() -> Vec<Json> {
    [since_the_first(), later()].concat()
}

/// Those of later versions.
fn later() -> Vec<Json> {
    let nodes = json!({"nodes": [node()]});
    vec![
        json!({"exec": {"program": "p", "args": [], "starts": [], "stops": [], "takes": null, "timeout": null, "env": ["BINLOG_X"]}}),
        json!({"supervisors": {"nodes": [node()]}}),
        json!({"control": {"node": node(), "verb": "start"}}),
        json!({"control": {"node": node(), "verb": "stop", "timeout": second()}}),
        json!({"control": {"node": node(), "verb": "restart", "takes": second()}}),
        json!({"checkpoint": {"node": node()}}),
        json!({"replication": nodes}),
        json!("gc_safe_points"),
        json!("changefeeds"),
        json!({"hold_gc": {"ts": 1, "ttl": second()}}),
        json!({"release_gc": {"service": null}}),
        json!({"release_gc": {"service": "binlogsh-r"}}),
        json!({"manual": {"text": "t", "starts": [], "stops": [], "retires": [], "tidb": null, "changefeed": changefeed(), "takes": null}}),
        json!({"exec": {"program": "p", "args": [], "starts": [], "stops": [], "changefeed": changefeed(), "takes": null, "timeout": null}}),
    ]
}

fn since_the_first() -> Vec<Json> {
    let nodes = json!({"nodes": [node()]});
    vec![
        json!("nodes"),
        json!({"changes": {"after": 1, "patience": second()}}),
        json!({"events": {"after": 1, "patience": second()}}),
        json!({"probe": nodes}),
        json!({"status": nodes}),
        json!({"commit_ts": nodes}),
        json!({"metrics": nodes}),
        json!({"inspect": {"nodes": [node()], "metrics": ["m"]}}),
        json!({"pump_drainers": {"node": node()}}),
        json!({"binlog_at": {"node": node(), "ts": 1}}),
        json!("tidbs"),
        json!({"tidb_binlog": {"server": {"address": "h:4000", "status_address": "h:10080"}}}),
        json!({"recover_tidb": {"server": {"address": "h:4000", "status_address": "h:10080"}, "reset": true}}),
        json!("cluster"),
        json!("endpoints"),
        json!("alarms"),
        json!("deployment"),
        json!({"certificates": nodes}),
        json!("tso"),
        json!("now"),
        json!({"sleep": {"time": second()}}),
        json!({"act": {"node": node(), "action": "pause"}}),
        json!({"act": {"node": node(), "action": "close"}}),
        json!({"trigger_gc": {"node": node()}}),
        json!({"swap_record": {"seen": record(), "state": "offline"}}),
        json!({"delete_record": {"key": "/tidb-binlog/v1/pumps/p", "mod_revision": 3}}),
        json!({"read_savepoint": {"dir": "d"}}),
        json!({"write_savepoint": {"dir": "d", "content": "commitTS = 1\n"}}),
        json!("has_key"),
        json!({"read_secret": {"prompt": "p"}}),
        json!("wait_over"),
        json!({"manual": {"text": "t", "starts": [node()], "stops": [], "retires": [], "frees": [node()], "tidb": "off", "takes": second()}}),
        json!({"manual": {"text": "t", "starts": [], "stops": [], "retires": [], "tidb": null, "takes": null, "timeout": second()}}),
        json!({"exec": {"program": "p", "args": ["a"], "starts": [], "stops": [node()], "takes": second(), "timeout": null}}),
        json!({"ask": {"text": "t", "wanted": "yes_or_no"}}),
        json!({"ask": {"text": "t", "wanted": {"typed": "prod"}}}),
        json!({"lock": {"holder": holder(), "wait": second()}}),
        json!("unlock"),
        json!("lock_status"),
        json!({"break_lock": {"seen": {"create_revision": 1, "owner": {"foreign": "x"}, "lease": null}, "why": "w"}}),
        json!({"play": {"kill": {"node": node()}}}),
        json!({"play": {"hang": {"node": node()}}}),
        json!({"play": {"fault": {"kind": "crash", "node": node(), "after": second(), "lasts": null}}}),
    ]
}

/// What a request is called when it is kept. The compiler asks for a name when there is a new one: add it here and in `all`.
fn name(request: &Request) -> &'static str {
    match request {
        Request::Read(Read::Nodes) => "nodes",
        Request::Read(Read::Changes { .. }) => "changes",
        Request::Read(Read::Events { .. }) => "events",
        Request::Read(Read::Probe { .. }) => "probe",
        Request::Read(Read::Status { .. }) => "status",
        Request::Read(Read::CommitTs { .. }) => "commit_ts",
        Request::Read(Read::Checkpoint { .. }) => "checkpoint",
        Request::Read(Read::Replication { .. }) => "replication",
        Request::Read(Read::Metrics { .. }) => "metrics",
        Request::Read(Read::Inspect { .. }) => "inspect",
        Request::Read(Read::PumpDrainers { .. }) => "pump_drainers",
        Request::Read(Read::BinlogAt { .. }) => "binlog_at",
        Request::Read(Read::Tidbs) => "tidbs",
        Request::Read(Read::TidbBinlog { .. }) => "tidb_binlog",
        Request::Change(Change::RecoverTidb { .. }) => "recover_tidb",
        Request::Read(Read::Cluster) => "cluster",
        Request::Read(Read::Endpoints) => "endpoints",
        Request::Read(Read::Alarms) => "alarms",
        Request::Read(Read::GcSafePoints) => "gc_safe_points",
        Request::Read(Read::Changefeeds) => "changefeeds",
        Request::Change(Change::HoldGc { .. }) => "hold_gc",
        Request::Change(Change::ReleaseGc { .. }) => "release_gc",
        Request::Read(Read::Deployment) => "deployment",
        Request::Read(Read::Runs) => "runs",
        Request::Read(Read::Supervisors { .. }) => "supervisors",
        Request::Change(Change::Control(_)) => "control",
        Request::Read(Read::Certificates { .. }) => "certificates",
        Request::Read(Read::Tso) => "tso",
        Request::Read(Read::Now) => "now",
        Request::Read(Read::Sleep { .. }) => "sleep",
        Request::Change(Change::Act { .. }) => "act",
        Request::Change(Change::TriggerGc { .. }) => "trigger_gc",
        Request::Change(Change::SwapRecord { .. }) => "swap_record",
        Request::Change(Change::DeleteRecord { .. }) => "delete_record",
        Request::Read(Read::ReadSavepoint { .. }) => "read_savepoint",
        Request::Change(Change::WriteSavepoint { .. }) => "write_savepoint",
        Request::Read(Read::HasKey) => "has_key",
        Request::Change(Change::Encrypt { .. }) => "encrypt",
        Request::Ask(Ask::Secret(_)) => "read_secret",
        Request::WaitOver => "wait_over",
        Request::Change(Change::Manual(_)) => "manual",
        Request::Change(Change::Exec(_)) => "exec",
        Request::Ask(Ask::Question(_)) => "ask",
        Request::Lock(LockRequest::Take { .. }) => "lock",
        Request::Lock(LockRequest::GiveBack) => "unlock",
        Request::Read(Read::LockStatus) => "lock_status",
        Request::Change(Change::BreakLock { .. }) => "break_lock",
        Request::Play(_) => "play",
    }
}

#[test]
fn every_request_is_kept_under_the_name_that_it_has_always_had() {
    for kept in all() {
        let request: Request = serde_json::from_value(kept.clone()).unwrap_or_else(|e| panic!("{kept}: {e}"));
        assert_eq!(serde_json::to_value(&request).unwrap(), kept);
        let first = kept.as_str().or_else(|| kept.as_object()?.keys().next().map(String::as_str));
        assert_eq!(first, Some(name(&request)));
    }
}

#[test]
fn every_kind_of_fault_is_kept_under_the_name_that_it_has_always_had() {
    let names = [
        "crash",
        "flap",
        "fail",
        "hang",
        "lose_record",
        "start_fails",
        "slow_start",
        "stall",
        "slow_drainer",
        "refuse",
        "lose_answer",
        "new_address",
        "unmatched_prewrite",
        "other_pauses",
        "other_writes_paused",
        "other_writes_offline",
        "pd_gone",
        "leader_moves",
        "slow_etcd",
        "etcd_fails",
        "malformed_key",
        "ddl",
        "slow_human",
        "human_refuses",
        "control_fails",
        "control_does_nothing",
        "gc_runs_ahead",
        "changefeed_fails",
        "changefeed_stops",
    ];
    let kinds = FaultKind::ALL.iter().map(|kind| serde_json::to_value(kind).unwrap()).collect::<Vec<_>>();
    assert!(names.iter().all(|name| kinds.contains(&json!(name))), "{kinds:?}");
    assert_eq!(kinds.len(), names.len(), "add the new kind here");
}
