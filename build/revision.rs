//! The commit of a build and its date, for `--version`. A part of `build.rs`, and tried by `tests/version.rs`.

use std::path::{Path, PathBuf};
use std::process::Command;

/// What goes into the program. What is changed elsewhere makes it no other.
pub(crate) const SOURCES: [&str; 7] = ["build.rs", "build", "src", "stdlib", "scripts", "Cargo.toml", "Cargo.lock"];

/// What git says of the sources.
#[derive(Debug, Default)]
pub(crate) struct Revision {
    commit: Option<Commit>,
    /// The files and directories of git that are written when another commit is checked out or made.
    pub(crate) moved_by: Vec<PathBuf>,
}

#[derive(Debug)]
struct Commit {
    id: String,
    /// Seconds since 1970.
    time: u32,
    /// Whether sources are not as they are in it.
    is_modified: bool,
}

impl Revision {
    /// Of the sources in `root`. Unknown without git, and where they are not a repository of their own: unpacked below
    /// somebody else's repository they are no commit of it.
    pub(crate) fn of(root: &Path) -> Self {
        match git(root, &["rev-parse", "--show-prefix"]) {
            Some(prefix) if prefix.is_empty() => Self { commit: Commit::checked_out(root), moved_by: moved_by(root) },
            _ => Self::default(),
        }
    }

    /// What `--version` says behind the program's name: `0.1.0 (d5ee5a9 2026-11-30)`.
    ///
    /// The date is `epoch`, as whoever packs programs gives it, else the commit's, and never today's: otherwise the same
    /// sources would make another program every day, and nobody could check who built it from what.
    pub(crate) fn words(&self, package: &str, epoch: Option<u32>) -> String {
        let commit = self.commit.as_ref();
        let id = commit.map_or("unknown commit", |commit| &commit.id);
        let day = epoch.or(commit.map(|commit| commit.time)).map_or(String::new(), |time| format!(" {}", date(time)));
        let modified = if commit.is_some_and(|commit| commit.is_modified) { ", modified" } else { "" };
        format!("{package} ({id}{day}{modified})")
    }
}

impl Commit {
    fn checked_out(root: &Path) -> Option<Self> {
        let line = git(root, &["log", "-1", "--no-show-signature", "--format=%H %ct", "HEAD"])?;
        let (id, time) = line.split_once(' ')?;
        let changes = git(root, &[&["status", "--porcelain", "--untracked-files=normal", "--"], &SOURCES[..]].concat());
        // Seven digits whatever git would take, which depends on how many commits a clone has.
        let id = id.get(..7)?.to_owned();
        Some(Self { id, time: time.parse().ok()?, is_modified: changes.is_none_or(|lines| !lines.is_empty()) })
    }
}

/// A path that is not there would have cargo build anew every time, so only those that are count.
fn moved_by(root: &Path) -> Vec<PathBuf> {
    let path = |name: &str| git(root, &["rev-parse", "--git-path", name]).map(|path| root.join(path));
    // The file of a branch that is packed is written when it moves: until then its directory is watched.
    let branch = git(root, &["symbolic-ref", "--quiet", "HEAD"])
        .and_then(|name| path(&name))
        .and_then(|file| file.ancestors().find(|path| path.exists()).map(Path::to_owned));
    let others = ["HEAD", "packed-refs", "reftable"].into_iter().filter_map(path).filter(|path| path.exists());
    others.chain(branch).collect()
}

/// What git prints, or nothing if it fails or is not there.
fn git(root: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // A hook of another repository names that one to whatever it starts.
    command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
    let out = command.env("GIT_OPTIONAL_LOCKS", "0").arg("-C").arg(root).args(args).output().ok()?;
    let text = out.status.success().then(|| String::from_utf8(out.stdout).ok())??;
    Some(text.trim_end().to_owned())
}

/// The day of a time, in UTC, as `2026-11-30`. By hand, since a library for it would be built once more for this alone.
fn date(seconds: u32) -> String {
    let leap = |year: u32| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let (mut day, mut year, mut month) = (seconds / 86_400, 1970, 0);
    while day >= 365 + u32::from(leap(year)) {
        day -= 365 + u32::from(leap(year));
        year += 1;
    }
    let february = 28 + u32::from(leap(year));
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    while day >= months[month] {
        day -= months[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, day + 1)
}
