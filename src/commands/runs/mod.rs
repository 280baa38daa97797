//! `runs`: a file for each of its commands.

mod keep;
mod list;
mod manage;
mod offer;
mod resume;
mod said;
mod show;
mod texts;
mod unlock;

pub(super) use keep::{Keeping, RunStart, Standing};
pub(super) use list::{latest, main as list, progress, summaries};
pub(super) use offer::offer;
pub(super) use resume::{Resumption, main as resume};

use crate::cli::RunsCommand;
use crate::commands::compose::CommandContext;
use crate::config;
use crate::error::{Error, Result, ScriptError};
use crate::journal::store::Store;
use crate::text::ShownPath;

/// Does what is said, and returns the exit code.
pub(super) fn main(context: &CommandContext, command: RunsCommand) -> Result<u8, ScriptError> {
    refuse_if_read_only(context, &command)?;
    Ok(match command {
        RunsCommand::Show { id } => show::main(context, &id)?,
        RunsCommand::Resume { id, assume: assumed, script, sources } => {
            return resume(context, &Resumption { id, assumed, script, sources });
        }
        RunsCommand::Abandon { id, why } => manage::abandon(context, &id, &why)?,
        RunsCommand::Export { id, file } => manage::export(context, &id, file.as_deref())?,
        RunsCommand::Import { file } => manage::import(context, &file)?,
        RunsCommand::Prune { older_than } => manage::prune(context, &older_than)?,
        RunsCommand::Unlock { why } => return unlock::main(context, &why),
    })
}

/// Refuses, before anybody is asked, what changes the lock or the store.
fn refuse_if_read_only(context: &CommandContext, command: &RunsCommand) -> Result<()> {
    let what = match command {
        // A run that goes on says so itself.
        RunsCommand::Show { .. } | RunsCommand::Export { .. } | RunsCommand::Resume { .. } => return Ok(()),
        RunsCommand::Unlock { .. } => "take the maintenance lock away",
        RunsCommand::Abandon { .. } => "give a run up",
        RunsCommand::Import { .. } => "import a run",
        RunsCommand::Prune { .. } => "remove runs",
    };
    match context.global.read_only {
        true => Err(Error::refused(format!("this session is read-only: {what}"))
            .hint("start without --read-only to make changes")),
        false => Ok(()),
    }
}

/// The store, in which there is a run.
///
/// # Errors
/// `not_found` without a store, and those of opening it.
fn open() -> Result<Store> {
    let file = config::runs_file()?;
    Store::open_if_there(&file)?.ok_or_else(|| {
        Error::not_found(format!("no run was ever kept: there is no {}", file.shown()))
            .hint("runs of a sandbox are not kept; those of another user are in that user's data directory")
    })
}
