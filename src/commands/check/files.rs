//! The files that are checked: which they are, and how one is fixed.

use crate::check::Unreadable;
use crate::commands::{LARGEST, read_text};
use crate::error::{Error, ErrorKind, Result};
use crate::files::{self, FileMode, IfThere};
use crate::interrupt::Interrupt;
use crate::text::ShownPath;
use std::path::{Path, PathBuf};

/// How deep directories may lie in each other.
const DEPTH: usize = 64;

/// What stands before the text of some files.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The files to check.
pub(super) struct Found {
    /// The scripts, each once, those of a directory by name.
    pub(super) scripts: Vec<PathBuf>,
    /// The directories that were named: scripts may import from all of what is beneath.
    pub(super) roots: Vec<PathBuf>,
    /// What cannot be looked into.
    pub(super) unreadable: Vec<Unreadable>,
}

/// The scripts that `named` files and directories come to.
///
/// # Errors
/// `interrupted`.
pub(super) fn find(named: &[PathBuf], interrupt: &Interrupt) -> Result<Found> {
    let mut found = Found { scripts: Vec::new(), roots: Vec::new(), unreadable: Vec::new() };
    for path in named {
        if path.is_dir() {
            let before = found.scripts.len();
            found.roots.push(path.clone());
            look_into(path, DEPTH, &mut found, interrupt)?;
            if found.scripts.len() == before
                && !found.unreadable.iter().any(|file| Path::new(&file.name).starts_with(path))
            {
                let error = Error::not_found(format!("there is no *.rhai beneath {}", path.shown()));
                found.unreadable.push(Unreadable { name: path.display().to_string(), error });
            }
        } else {
            found.scripts.push(path.clone());
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.scripts.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    Ok(found)
}

/// Finds the scripts beneath `dir`. Hidden directories and links to directories are left out.
fn look_into(dir: &Path, depth: usize, found: &mut Found, interrupt: &Interrupt) -> Result<()> {
    interrupt.check()?;
    let entries = std::fs::read_dir(dir).and_then(|entries| entries.collect::<std::io::Result<Vec<_>>>());
    let mut entries = match entries {
        Ok(entries) => entries,
        Err(fault) => {
            let error = Error::local(format!("cannot look into {}", dir.shown())).source(fault);
            found.unreadable.push(Unreadable { name: dir.display().to_string(), error });
            return Ok(());
        }
    };
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let is_hidden = entry.file_name().to_string_lossy().starts_with('.');
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_dir && !is_hidden && depth > 0 {
            look_into(&path, depth - 1, found, interrupt)?;
        } else if !path.is_dir() && path.extension().is_some_and(|extension| extension == "rhai") {
            found.scripts.push(path);
        }
    }
    Ok(())
}

/// Writes `new` into `file` in one stroke, if `old` is still what it says. Its permissions stay, and so does a byte order
/// mark; a link still leads to it.
///
/// # Errors
/// `conflict` if somebody has changed it meanwhile, `local` if it cannot be written.
pub(super) fn replace(file: &Path, old: &str, new: &str) -> Result<()> {
    if read_text(file)? != old {
        let message = format!("{} has changed while it was checked: nothing is fixed in it", file.shown());
        return Err(Error::new(ErrorKind::Conflict, message).hint("run the check again"));
    }
    let cannot = format!("cannot fix {}", file.shown());
    let is_marked = files::read(file, LARGEST)
        .map_err(|fault| fault.error(cannot.clone()))?
        .starts_with(BYTE_ORDER_MARK.as_bytes());
    let text = if is_marked { format!("{BYTE_ORDER_MARK}{new}") } else { new.to_owned() };
    files::write(file, text.as_bytes(), FileMode::Fresh(0o644), IfThere::Replace).map_err(|fault| fault.error(cannot))
}
