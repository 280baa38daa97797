//! `runs abandon`, `export`, `import`, `prune`: what is done with runs as they are.

use super::keep::is_alive;
use super::open;
use crate::commands::compose::CommandContext;
use crate::commands::{read_given, read_standard_input};
use crate::config;
use crate::error::{Error, ErrorKind, Result};
use crate::files::{self, FileMode, IfThere};
use crate::journal::store::{Holder, Store};
use crate::live::{clock, host};
use crate::text::ShownPath;
use crate::time::{parse_duration, show_seconds};
use std::path::Path;

/// Gives a run up.
pub(super) fn abandon(context: &CommandContext, id: &str, why: &str) -> Result<u8> {
    if why.trim().is_empty() {
        return Err(Error::invalid("--why says nothing").hint("write for those who will ask: why is the run given up?"));
    }
    let mut store = open()?;
    let loaded = store.load(id)?;
    let id = loaded.head.id;
    let is_here = |holder: &&Holder| holder.host == host::name() && is_alive(holder);
    if let Some(holder) = loaded.line.holder.as_ref().filter(is_here) {
        return Err(Error::new(ErrorKind::Locked, format!("the run {id} is going on: process {}", holder.pid))
            .hint("stop it first, with Ctrl-C or SIGTERM"));
    }
    store.abandon(&id, why.trim(), clock::unix_ms())?;
    context.output.remark(&format!("the run {id} is abandoned; what it has done stays as it is"));
    Ok(0)
}

/// Writes a run as one document.
pub(super) fn export(context: &CommandContext, id: &str, file: Option<&Path>) -> Result<u8> {
    let store = open()?;
    let text = store.export(id)?;
    let Some(path) = file else {
        context.output.json_text(&text);
        return Ok(0);
    };
    write_new(path, &text)?;
    context.output.remark(&format!(
        "exported to {}; if it goes on elsewhere, abandon it here, so that nobody goes on with it twice",
        path.shown()
    ));
    Ok(0)
}

/// Writes a file that was not there, for its owner alone: it appears whole or not at all.
fn write_new(path: &Path, text: &str) -> Result<()> {
    files::write(path, text.as_bytes(), FileMode::Fresh(0o600), IfThere::Refuse).map_err(|fault| {
        let is_there = fault.is_there_already();
        let error = fault.error(format!("cannot write {}", path.shown()));
        match is_there {
            true => Error { kind: ErrorKind::Conflict, ..error }.hint("name a file that is not there yet"),
            false => error,
        }
    })
}

/// Adds an exported run.
pub(super) fn import(context: &CommandContext, file: &Path) -> Result<u8> {
    let text = match file == Path::new("-") {
        true => read_standard_input(&context.interrupt)?,
        false => read_given(file, &context.interrupt)?,
    };
    let mut store = Store::open(&config::runs_file()?)?;
    let id = store.import(&text)?;
    context.output.remark(&format!("imported; to go on with it: binlogsh runs resume {id}"));
    Ok(0)
}

/// Removes old runs.
pub(super) fn prune(context: &CommandContext, older_than: &str) -> Result<u8> {
    let age = parse_duration(older_than)
        .map_err(|error| Error { message: format!("--older-than: {}", error.message), ..error })?;
    let before = clock::unix_ms().saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX));
    let removed = match Store::open_if_there(&config::runs_file()?)? {
        Some(mut store) => store.prune(before)?,
        None => 0,
    };
    let runs = if removed == 1 { "run" } else { "runs" };
    context
        .output
        .remark(&format!("removed {removed} {runs} that ended more than {} ago", show_seconds(age.as_secs_f64())));
    Ok(0)
}
