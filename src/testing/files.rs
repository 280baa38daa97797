//! Which files are tests, and the scripts, scenarios and snapshots beside them.
#![expect(clippy::disallowed_methods, reason = "tests, scripts, scenarios and snapshots of stories are files")]

use crate::error::{Error, ErrorKind, Result};
use crate::files::{self, FileMode, IfThere};
use crate::language::Source;
use crate::sim::Scenario;
use crate::text::{ShownPath, decode};
use std::fs;
use std::path::{Path, PathBuf};

/// How the name of a test file ends.
const ENDING: &str = "_test.rhai";

/// How deep directories are searched.
const DEPTH: usize = 16;

/// A file with tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestFile {
    /// Where it is.
    pub path: PathBuf,
    /// Its text.
    pub text: String,
}

impl TestFile {
    fn read(path: PathBuf) -> Result<Self> {
        let text = read(&path)?;
        Ok(Self { path, text })
    }

    /// The file as something that is run.
    pub(super) fn source(&self) -> Source {
        Source { root: Some(self.dir()), ..Source::new(self.path.display().to_string(), self.text.clone()) }
    }

    /// The directory that it lies in.
    pub(super) fn dir(&self) -> PathBuf {
        let parent = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        parent.unwrap_or(Path::new(".")).to_owned()
    }

    /// Where the snapshot of the story of one of its tests is kept.
    pub(super) fn snapshot(&self, test: &str, name: Option<&str>) -> PathBuf {
        let stem = self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = name.map_or(String::new(), |name| format!(".{name}"));
        self.dir().join("snapshots").join(format!("{stem}.{test}{name}.story"))
    }
}

/// The largest file of a test that is read.
const LARGEST: u64 = 128 << 20;

fn read(path: &Path) -> Result<String> {
    let bytes = files::read(path, LARGEST).map_err(|fault| fault.error(format!("cannot read {}", path.shown())))?;
    decode(&path.display().to_string(), bytes)
}

/// The test files that `paths` name, and those in the directories that they name, sorted by path; what cannot be read is
/// among them as an error, and so is a directory without any.
pub(crate) fn discover(paths: &[PathBuf]) -> Vec<Result<TestFile>> {
    let mut found = Vec::new();
    for path in paths {
        let before = found.len();
        match path.is_dir() {
            true => search(path, DEPTH, &mut found),
            false => found.push(TestFile::read(path.clone())),
        }
        if found.len() == before {
            found.push(Err(Error::not_found(format!("there are no tests beneath {}", path.shown()))
                .hint(format!("tests are functions `test_*` in files `*{ENDING}`"))));
        }
    }
    found
}

fn search(dir: &Path, depth: usize, found: &mut Vec<Result<TestFile>>) {
    let entries = match fs::read_dir(dir).and_then(Iterator::collect::<std::io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(fault) => {
            found.push(Err(Error::local(format!("cannot look into {}", dir.shown())).source(fault)));
            return;
        }
    };
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // A link to a directory may lead back here.
        if path.is_dir() && !path.is_symlink() && depth > 0 && !name.starts_with('.') && name != "target" {
            search(&path, depth - 1, found);
        } else if name.ends_with(ENDING) && path.is_file() {
            found.push(TestFile::read(path));
        }
    }
}

/// The script `name`, beside the test.
///
/// # Errors
/// `not_found` and `local` of reading it.
pub(super) fn script(dir: &Path, name: &str) -> Result<Source> {
    let path = dir.join(name);
    let text = read(&path)?;
    let root = path.parent().map(Path::to_owned);
    Ok(Source { root, ..Source::new(path.display().to_string(), text) })
}

/// The sample called `name`, or the scenario in the file of that name beside the test.
///
/// # Errors
/// `not_found`, and `invalid` when it is no scenario.
pub(super) fn scenario(dir: &Path, name: &str) -> Result<Scenario> {
    if !name.ends_with(".json") {
        return Scenario::named(name);
    }
    let path = dir.join(name);
    Scenario::parse(&read(&path)?).map_err(|error| Error { message: format!("{name}: {}", error.message), ..error })
}

/// What is kept in the snapshot, if there is one.
///
/// # Errors
/// `local` when it cannot be read.
pub(super) fn kept(path: &Path) -> Result<Option<String>> {
    match read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps `text` as the snapshot: it appears whole or not at all.
///
/// # Errors
/// `local` when it cannot be written.
pub(super) fn keep(path: &Path, text: &str) -> Result<()> {
    let cannot = format!("cannot write the snapshot {}", path.shown());
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(dir).map_err(|fault| Error::local(cannot.clone()).source(fault))?;
    files::write(path, text.as_bytes(), FileMode::Fresh(0o644), IfThere::Replace).map_err(|fault| fault.error(cannot))
}
