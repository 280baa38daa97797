//! `runs`: what was done, the latest first.

use super::keep::Standing;
use crate::commands::compose::CommandContext;
use crate::config;
use crate::error::Result;
use crate::journal::Deeds;
use crate::journal::store::{RunFilter, RunLine, RunState, Store};
use crate::live::clock;
use crate::output::Columns;
use crate::time::{Time, Zone, show_seconds};
use crate::value::Value;
use crate::world::RunSummary;

/// Shows the runs in this state (all without one), `limit` of them at most.
pub(in crate::commands) fn main(context: &CommandContext, state: Option<&str>, limit: usize) -> Result<u8> {
    let all = match Store::open_if_there(&config::runs_file()?)? {
        Some(store) => store.runs(&RunFilter::default())?,
        None => Vec::new(),
    };
    let standing: Vec<(RunLine, Standing)> = all
        .into_iter()
        .map(|run| (Standing::of(&run), run))
        .map(|(standing, run)| (run, standing))
        .filter(|(_, standing)| state.is_none_or(|state| standing.name() == state))
        .collect();
    let left = standing.len().saturating_sub(limit);
    let row = if context.output.format().is_for_programs() { fields } else { cells };
    let now = clock::unix_ms();
    let rows: Vec<Value> = standing.iter().take(limit).map(|(run, standing)| row(run, *standing, now)).collect();
    context.output.rows(rows, Columns { figures: &["age"], spare: &["cluster"], names: COLUMNS });
    if left > 0 {
        context.output.remark(&format!("{left} older: see them with --limit {}", standing.len()));
    }
    Ok(0)
}

/// The runs of this user, for scripts and the prompt.
///
/// # Errors
/// Those of reading the store.
pub(in crate::commands) fn summaries() -> Result<Vec<RunSummary>> {
    let Some(store) = Store::open_if_there(&config::runs_file()?)? else { return Ok(Vec::new()) };
    let summary = |run: RunLine| {
        let standing = Standing::of(&run);
        RunSummary {
            state: standing.name().into(),
            in_doubt: run.unfinished && !is_going_on(standing),
            id: run.id,
            script: run.script,
            cluster_id: run.cluster_id,
            changes: run.changes,
            step: run.step,
            begun_ms: run.begun_ms,
            user: run.user,
            host: run.host,
        }
    };
    Ok(store.runs(&RunFilter::default())?.into_iter().map(summary).collect())
}

/// The latest runs whose id begins with `id`, `limit` of them at most. The store is only looked at.
///
/// # Errors
/// Those of reading the store.
pub(in crate::commands) fn latest(id: &str, limit: usize) -> Result<Vec<RunLine>> {
    Store::peek(&config::runs_file()?, id, limit)
}

/// A row of the table.
const COLUMNS: &[&str] = &["id", "script", "cluster", "state", "progress", "age", "who"];

fn cells(run: &RunLine, standing: Standing, now_ms: i64) -> Value {
    let age = (now_ms - run.begun_ms).max(0) / 1000;
    Value::map([
        ("id", run.id.as_str().into()),
        ("script", run.script.as_str().into()),
        ("cluster", run.cluster_id.map_or(Value::Unit, |id| id.to_string().into())),
        ("state", standing.name().into()),
        ("progress", progress(run, standing).into()),
        ("age", show_seconds(age as f64).into()),
        ("who", format!("{}@{}", run.user, run.host).into()),
    ])
}

/// How far it came.
pub(in crate::commands) fn progress(run: &RunLine, standing: Standing) -> String {
    let changes = Deeds { changes: usize::try_from(run.changes).unwrap_or(usize::MAX), by_hand: 0 };
    let unknown = match (run.unfinished, is_going_on(standing)) {
        (false, _) => "",
        (true, true) => ", something under way",
        (true, false) => ", something in doubt",
    };
    match run.step.as_deref().filter(|_| run.state != RunState::Done) {
        Some(step) => format!("{changes}{unknown}, in `{step}`"),
        None => format!("{changes}{unknown}"),
    }
}

/// Whether somebody is at it: what has begun is then under way, and not in doubt.
pub(super) fn is_going_on(standing: Standing) -> bool {
    standing == Standing::Says(RunState::Running)
}

/// For programs.
fn fields(run: &RunLine, standing: Standing, _now_ms: i64) -> Value {
    let time = |ms: i64| Value::from(Time::new(ms, Zone::Utc));
    let text = |text: Option<&str>| text.map_or(Value::Unit, Value::from);
    // How it ended the last time is of no interest while it goes on.
    let (exit_code, error) = match standing {
        Standing::Says(RunState::Running) | Standing::CutOff => (None, None),
        Standing::Says(_) => (run.exit_code, run.error.as_ref()),
    };
    Value::map([
        ("id", run.id.as_str().into()),
        ("kind", run.kind.name().into()),
        ("script", run.script.as_str().into()),
        ("cluster_id", run.cluster_id.map_or(Value::Unit, |id| id.to_string().into())),
        ("state", standing.name().into()),
        ("changes", i64::try_from(run.changes).unwrap_or(i64::MAX).into()),
        ("in_doubt", (run.unfinished && !is_going_on(standing)).into()),
        ("under_way", (run.unfinished && is_going_on(standing)).into()),
        ("step", text(run.step.as_deref())),
        ("begun", time(run.begun_ms)),
        ("ended", run.ended_ms.map_or(Value::Unit, time)),
        ("exit_code", exit_code.map_or(Value::Unit, |code| i64::from(code).into())),
        ("error", text(error.map(|error| error.message.as_str()))),
        ("why", text(run.why.as_deref())),
        ("user", run.user.as_str().into()),
        ("host", run.host.as_str().into()),
        ("pid", i64::from(run.pid).into()),
    ])
}
