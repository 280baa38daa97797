//! `scripts`: the scripts that come with the program, and how a name on the command line becomes one of them.

use crate::cli::ScriptsCommand;
use crate::commands::compose::CommandContext;
use crate::error::{Error, Result};
use crate::files::{self, FileMode, IfThere};
use crate::language::{Shipped, Source, shipped};
use crate::nearest::did_you_mean;
use crate::text::ShownPath;
use crate::value::Value;
use std::path::Path;

/// Who may do what with a copy: it begins with `#!`.
const MODE: u32 = 0o755;

/// Lists them, shows one, or copies one.
pub(super) fn main(context: &CommandContext, command: Option<&ScriptsCommand>) -> Result<u8> {
    match command {
        None => context.output.value(&list()),
        Some(ScriptsCommand::Show { name }) => context.output.line(find(name)?.text.trim_end()),
        Some(ScriptsCommand::Copy { name, dir, force }) => copy(context, &find(name)?, dir, *force)?,
    }
    Ok(0)
}

fn list() -> Value {
    let row = |script: Shipped| Value::map([("name", script.name.into()), ("does", script.summary().as_str().into())]);
    Value::List(shipped().map(row).collect())
}

/// The script called `name`; the ending of a file does not matter.
fn find(name: &str) -> Result<Shipped> {
    let bare = name.strip_suffix(".rhai").unwrap_or(name);
    shipped().find(|script| script.name == bare).ok_or_else(|| {
        Error::not_found(format!("no script called `{name}` comes with the program")).hint(nearest(bare))
    })
}

fn nearest(name: &str) -> String {
    did_you_mean(name, shipped().map(|script| script.name))
        .unwrap_or_else(|| "`binlogsh scripts` lists those that come with the program".into())
}

/// The script that comes with the program and is meant by `script`: a bare word that is no file here. What has a `/` in it
/// or ends in `.rhai` is always a file.
///
/// # Errors
/// `not_found` with the nearest name.
pub(super) fn named(script: &Path) -> Result<Option<Source>> {
    let word = script.to_str().filter(|word| !word.contains('/') && !word.ends_with(".rhai"));
    match word {
        Some(word) if !script.exists() => {
            let found = shipped().find(|shipped| shipped.name == word).map(|shipped| shipped.source());
            found.map(Some).ok_or_else(|| {
                Error::not_found(format!(
                    "cannot read {word}: there is no such file, and no script of that name comes with the program"
                ))
                .hint(nearest(word))
            })
        }
        _ => Ok(None),
    }
}

/// Writes the script into `dir`, executable; what stands there is replaced only by force.
fn copy(context: &CommandContext, script: &Shipped, dir: &Path, force: bool) -> Result<()> {
    let path = dir.join(format!("{}.rhai", script.name));
    let if_there = if force { IfThere::Replace } else { IfThere::Refuse };
    files::write(&path, script.text.as_bytes(), FileMode::Exactly(MODE), if_there).map_err(|fault| {
        if fault.is_there_already() {
            return Error::refused(format!("{} is there already", path.shown())).hint("--force replaces it");
        }
        match fault.has_no_directory() {
            true => Error::not_found(format!("there is no directory {}", dir.shown())),
            false => fault.error(format!("cannot write {}", path.shown())),
        }
    })?;
    context.output.line(&path.display().to_string());
    Ok(())
}
