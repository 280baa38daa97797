//! Where this program keeps what it remembers between two starts.
#![expect(clippy::disallowed_methods, reason = "`config` opens files: the history is one")]

use crate::error::{Error, Result};
use crate::files::{self, FileMode, IfThere};
use crate::text::{ShownPath, decode};
use directories::ProjectDirs;
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// The largest file of known clusters that is read: one of a thousand profiles has less than 100 KiB.
const LARGEST: u64 = 1 << 20;

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
    let dir = state_place(&project).to_path_buf();
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

/// The cluster id of each profile, as PD last said it: `~/.local/state/binlogsh/clusters.json` on Linux.
#[derive(Clone, Debug)]
pub struct KnownClusters {
    path: PathBuf,
    ids: BTreeMap<String, u64>,
}

impl KnownClusters {
    /// What was kept; nothing yet where there is no file. Whoever has no home directory keeps nothing: `None`.
    ///
    /// # Errors
    /// `local` when the file cannot be read, `invalid` when it is none of ours: what protects production is never taken
    /// for empty.
    pub fn read() -> Result<Option<Self>> {
        let Ok(dir) = state_dir() else { return Ok(None) };
        let path = dir.join("clusters.json");
        let ids = match files::read(&path, LARGEST) {
            Ok(bytes) => serde_json::from_str(&decode(path.shown().as_ref(), bytes)?).map_err(|fault| {
                Error::invalid(format!("{} cannot be understood: {fault}", path.display()))
                    .hint("it keeps the cluster id of each profile: delete it to have them learnt again")
            })?,
            Err(fault) if fault.is_missing() => BTreeMap::new(),
            Err(fault) => return Err(fault.error(format!("cannot read {}", path.shown()))),
        };
        Ok(Some(Self { path, ids }))
    }

    /// The id of the cluster that `profile` meant until now.
    pub fn of(&self, profile: &str) -> Option<u64> {
        self.ids.get(profile).copied()
    }

    /// Keeps `id` for `profile`. What others have kept meanwhile stays.
    ///
    /// # Errors
    /// `local` when it cannot be written; the file is then as it was.
    pub fn keep(&mut self, profile: &str, id: u64) -> Result<()> {
        let cannot = format!("cannot write {}", self.path.shown());
        if let Some(now) = Self::read()? {
            self.ids = now.ids;
        }
        self.ids.insert(profile.to_owned(), id);
        let text = serde_json::to_string_pretty(&self.ids).map_err(|fault| Error::internal(fault.to_string()))?;
        files::write(&self.path, text.as_bytes(), FileMode::Fresh(0o600), IfThere::Replace)
            .map_err(|fault| fault.error(cannot))
    }
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

/// Where the stories of rehearsals are; nothing is made. `None` without a home directory.
pub fn stories_place() -> Option<PathBuf> {
    Some(state_place(&project()?).join("stories"))
}

fn state_place(project: &ProjectDirs) -> &Path {
    project.state_dir().unwrap_or_else(|| project.data_local_dir())
}

fn private_dir(dir: &Path) -> Result<()> {
    let cannot = |fault| Error::local(format!("{} cannot be made", dir.display())).source(fault);
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(cannot)
}

fn private_file(path: &Path) -> Result<()> {
    let cannot = |fault| Error::local(format!("{} cannot be opened for its owner only", path.display())).source(fault);
    // A pipe would wait for somebody at its other end, and what is no file of ours keeps its permissions.
    let at_once = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().append(true).create(true).mode(0o600).custom_flags(at_once).open(path);
    let file = file.map_err(cannot)?;
    if !file.metadata().map_err(cannot)?.is_file() {
        return Err(Error::local(format!("{} is no regular file, and stays as it is", path.display()))
            .hint("move it away: a new one is made"));
    }
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
