//! `docs`: the documentation of every function and of the command line, from the same rows that bind and read them.

use crate::cli::{self, Docs};
use crate::commands::completion;
use crate::commands::compose::CommandContext;
use crate::commands::topics::topics;
use crate::error::{Error, Result};
use crate::files::{self, FileMode, IfThere};
use crate::language::{definitions, overview, page, procedures_markdown, reference_markdown};
use crate::text::ShownPath;
use std::fs;
use std::path::Path;

/// Prints one page of the help, the whole reference, a completion script or the list of all functions; or writes files.
pub(super) fn main(context: &CommandContext, docs: &Docs) -> Result<u8> {
    if let Some(dir) = &docs.definitions {
        let files = definitions().into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
        write(context, dir, files)?;
        return Ok(0);
    }
    if let Some(dir) = &docs.man {
        write(context, dir, cli::man_pages()?)?;
        return Ok(0);
    }
    match (&docs.name, docs.completions) {
        (Some(name), _) => context.output.page(page(name, &topics())?.trim_end()),
        (None, Some(shell)) => context.output.line(completion::registration(shell).trim_end()),
        (None, None) if docs.reference => context.output.line(reference_markdown().trim_end()),
        (None, None) if docs.procedures => context.output.line(procedures_markdown().trim_end()),
        (None, None) => context.output.page(overview().trim_end()),
    }
    Ok(0)
}

/// What to do where they cannot be written.
const ELSEWHERE: &str = "name a directory of your own";

/// Writes files into `dir`, made if it is missing; those of an earlier version are replaced.
fn write(context: &CommandContext, dir: &Path, files: Vec<(String, Vec<u8>)>) -> Result<()> {
    for (count, (name, text)) in files.iter().enumerate() {
        let path = dir.join(name);
        let cannot = format!("cannot write {} ({count} of {} files are written)", path.shown(), files.len());
        let made = path.parent().map_or(Ok(()), fs::create_dir_all);
        made.map_err(|fault| Error::local(cannot.clone()).source(fault).hint(ELSEWHERE))?;
        let written = files::write(&path, text, FileMode::Fresh(0o644), IfThere::Replace);
        written.map_err(|fault| fault.error_or(cannot, ELSEWHERE))?;
    }
    context.output.remark(&format!("{} files written to {}", files.len(), dir.shown()));
    Ok(())
}
