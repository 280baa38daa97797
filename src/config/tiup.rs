//! The clusters that tiup deployed from this host: where it keeps what it knows of them, and reading that.

use crate::deployment::Deployment;
use crate::error::{Error, Result};
use crate::files::{self, ReadFault};
use crate::nearest::did_you_mean;
use crate::text::{ShownPath, decode, on_one_line};
use directories::BaseDirs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Where tiup's own programs are told that its data is. It stands before the other one.
pub(super) const DATA_DIR: &str = "TIUP_COMPONENT_DATA_DIR";

/// Where tiup is, instead of `~/.tiup`.
pub(super) const HOME: &str = "TIUP_HOME";

/// The largest `meta.yaml` that is read: a cluster of a thousand nodes has less than one MiB.
const LARGEST: u64 = 4 << 20;

/// The directory in which tiup has one for each cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployedClusters {
    dir: PathBuf,
    /// The variable that says so, if one does.
    variable: Option<&'static str>,
}

impl DeployedClusters {
    /// Where tiup itself would look, in an environment that says this.
    ///
    /// # Errors
    /// `local` when this user has no home directory, and no variable names another one.
    pub fn of(env: &dyn Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        if let Some(data) = set(DATA_DIR) {
            return Ok(Self { dir: data.join("clusters"), variable: Some(DATA_DIR) });
        }
        let (home, variable) = match (set(HOME), BaseDirs::new()) {
            (Some(home), _) => (home, Some(HOME)),
            (None, Some(base)) => (base.home_dir().join(".tiup"), None),
            (None, None) => {
                return Err(Error::local("this user has no home directory, in which tiup's would be")
                    .hint(format!("set HOME, or {HOME} to tiup's directory")));
            }
        };
        Ok(Self { dir: home.join("storage/cluster/clusters"), variable })
    }

    /// The directory, and why it is that one.
    pub fn place(&self) -> String {
        let because = self.variable.map_or(String::new(), |name| format!(" (from {name})"));
        format!("{}{because}", self.dir.shown())
    }

    /// The names of all clusters there, in order; none where there is no such directory. What tiup could not have called a
    /// cluster is none.
    ///
    /// # Errors
    /// `local` when the directory cannot be read.
    pub fn names(&self) -> Result<Vec<String>> {
        let unreadable = |fault| cannot_read(&self.dir, &fault);
        let entries = match self.dir.read_dir() {
            Ok(entries) => entries,
            Err(fault) if fault.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(fault) => return Err(unreadable(fault)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'));
            let name = name.filter(|name| check_name(name).is_ok() && entry.path().is_dir());
            names.extend(name);
        }
        names.sort();
        Ok(names)
    }

    /// What tiup knows of the cluster `name`.
    ///
    /// # Errors
    /// `invalid` for what can be no name, and for a file that is no whole `meta.yaml`; `not_found`, with the nearest name and
    /// where that is; `local` for a file that cannot be read.
    pub fn read(&self, name: &str) -> Result<Deployment> {
        check_name(name)?;
        let dir = self.dir.join(name);
        let file = dir.join("meta.yaml");
        let shown = file.shown().to_string();
        let text = match files::read(&file, LARGEST) {
            Ok(bytes) => decode(&shown, bytes)?,
            Err(fault) if fault.is_missing() => return Err(self.none(name, dir.is_dir())),
            Err(ReadFault::Refused(fault)) => return Err(cannot_read(&file, &fault)),
            Err(fault) => return Err(fault.error(format!("cannot read {shown}, where tiup keeps a file"))),
        };
        let deployment = Deployment::parse(name, &file, &text)?;
        let ssh_key = Some(dir.join("ssh/id_rsa")).filter(|key| key.exists());
        Ok(Deployment { ssh_key, unfinished_scale_out: dir.join(".scale-out.yaml").exists(), ..deployment })
    }

    /// What tiup knows of a cluster by now.
    ///
    /// # Errors
    /// Those of [`DeployedClusters::read`].
    pub fn read_again(known: &Deployment) -> Result<Deployment> {
        let dir = known.source.parent().and_then(Path::parent).unwrap_or(Path::new("."));
        Self { dir: dir.to_path_buf(), variable: None }.read(&known.name)
    }

    /// Why there is no such cluster.
    fn none(&self, name: &str, has_dir: bool) -> Error {
        if has_dir {
            let dir = self.dir.join(name);
            return Error::not_found(format!("tiup's directory {} has no meta.yaml", dir.shown()))
                .hint("a deployment was not finished there, or the file was lost: tiup keeps older ones in `backup`");
        }
        let names = self.names().unwrap_or_default();
        let all = || match names.is_empty() {
            true => format!(
                "tiup's clusters are those of the user who deployed them: run it as that one, or set {HOME} to their directory"
            ),
            false => format!("tiup's clusters there are {}", names.join(", ")),
        };
        Error::not_found(format!("tiup has no cluster `{name}` in {}", self.place()))
            .hint(did_you_mean(name, names.iter().map(String::as_str)).unwrap_or_else(all))
    }
}

/// Makes sure that tiup can have called a cluster so; no other name is a directory of one.
///
/// # Errors
/// `invalid`.
pub(super) fn check_name(name: &str) -> Result<()> {
    let is_tiups = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match !name.is_empty() && name.chars().all(is_tiups) && name.chars().any(|c| c != '.') {
        true => Ok(()),
        false => Err(Error::invalid(format!("`{}` is no name of a cluster", on_one_line(name))).hint(
            "tiup's names have letters, digits, `-`, `_` and `.`; `binlogsh clusters` lists those that there are",
        )),
    }
}

fn cannot_read(path: &Path, fault: &std::io::Error) -> Error {
    let error = Error::local(format!("{} cannot be read", path.shown())).source(fault);
    error.hint("tiup's files belong to the user who deployed the cluster: run it as that one, or be given the right to read them")
}
