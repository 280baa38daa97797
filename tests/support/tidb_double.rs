//! The status port of a TiDB server, as far as binlog goes: `GET /binlog/recover` as TiDB's source has it.

use super::http_double::{HttpRequest, Reply};
use super::mirror::Model;
use std::time::Duration;

/// What the server whose status port is `address` answers.
pub(super) fn answer(model: &Model, address: &str, request: &HttpRequest) -> Reply {
    let mut model = model.lock().unwrap();
    let Some(cluster) = model.as_mut() else { return Reply::Silent };
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    if path != "/binlog/recover" {
        return Reply::Answer(404, "404 page not found\n".into());
    }
    let op = query.split('&').find_map(|pair| pair.strip_prefix("op=")).unwrap_or_default();
    match op {
        "status" => {}
        "reset" => cluster.forget_skipped(address),
        _ => drop(cluster.recover_tidb(address)),
    }
    // Its process is gone.
    let Some(state) = cluster.tidb_binlog(address) else { return Reply::Reset };
    let body = format!(r#"{{"Skipped":{},"SkippedCommitterCounter":{}}}"#, state.skips, state.under_way);
    match op {
        "status" | "reset" | "nowait" => Reply::ok(body),
        // It waits, and looks each second.
        _ => Reply::Late(Duration::from_secs(1), r#"{"Skipped":false,"SkippedCommitterCounter":0}"#.into()),
    }
}
