//! Where this program keeps what it remembers between two starts.
#![expect(clippy::disallowed_methods, reason = "`config` opens files: the history is one")]

use crate::error::{Error, Result};
use directories::ProjectDirs;
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

pub(super) fn project() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "binlogsh")
}

/// The directory for what is remembered, made if it is missing and readable by its owner only: `~/.local/state/binlogsh`
/// on Linux.
///
/// # Errors
/// `local` when there is no home directory, or it cannot be made.
pub fn state_dir() -> Result<PathBuf> {
    let project = project().ok_or_else(|| {
        Error::local("this user has no home directory").hint("set HOME, or XDG_STATE_HOME to a directory")
    })?;
    let dir = project.state_dir().unwrap_or_else(|| project.data_local_dir()).to_path_buf();
    private_dir(&dir)?;
    Ok(dir)
}

/// The store of runs: `~/.local/share/binlogsh/runs.db` on Linux. Nothing is made.
///
/// # Errors
/// `local` when there is no home directory.
pub fn runs_file() -> Result<PathBuf> {
    let project = project().ok_or_else(|| {
        Error::local("this user has no home directory").hint("set HOME, or XDG_DATA_HOME to a directory")
    })?;
    Ok(project.data_dir().join("runs.db"))
}

/// The prompt's history, made if it is missing; only its owner may read it, also if it was there already.
///
/// # Errors
/// `local` when it cannot be made or kept from others.
pub fn history_file() -> Result<PathBuf> {
    let path = state_dir()?.join("history");
    private_file(&path)?;
    Ok(path)
}

/// The directory for the stories of rehearsals, made if it is missing: `~/.local/state/binlogsh/stories` on Linux.
///
/// # Errors
/// As [`state_dir`].
pub fn stories_dir() -> Result<PathBuf> {
    let dir = state_dir()?.join("stories");
    private_dir(&dir)?;
    Ok(dir)
}

fn private_dir(dir: &Path) -> Result<()> {
    let cannot = |fault| Error::local(format!("{} cannot be made", dir.display())).source(fault);
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(cannot)
}

fn private_file(path: &Path) -> Result<()> {
    let cannot = |fault| Error::local(format!("{} cannot be opened for its owner only", path.display())).source(fault);
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path).map_err(cannot)?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).map_err(cannot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_history_is_for_its_owner_only_even_if_it_was_not_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history");
        std::fs::write(&path, "pumps()\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        private_file(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "pumps()\n");
    }
}
