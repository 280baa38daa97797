//! `--version` names the build: the commit and its date, in whatever way the sources came here.

#[path = "../build/revision.rs"]
mod revision;

use crate::harness::Shell;
use chrono::DateTime;
use revision::Revision;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use tempfile::TempDir;

/// When the commits of these tests were made: 2026-03-01.
const MADE: &str = "1772323200 +0000";

/// What git says in `dir`, as a user without settings.
fn git(dir: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.arg("-C").arg(dir).args([
        "-c",
        "user.name=ann",
        "-c",
        "user.email=ann@ops-1",
        "-c",
        "commit.gpgsign=false",
    ]);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command.env_remove("GIT_DIR").env_remove("GIT_WORK_TREE").env_remove("GIT_INDEX_FILE");
    let out = command.args(args).env("GIT_AUTHOR_DATE", MADE).env("GIT_COMMITTER_DATE", MADE).output().unwrap();
    assert!(out.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().trim_end().to_owned()
}

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A repository with two commits.
fn repository() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    git(dir.path(), &["init", "--quiet", "--initial-branch=main"]);
    for text in ["1", "2"] {
        write(dir.path(), "src/main.rs", text);
        write(dir.path(), "README.md", text);
        commit(dir.path());
    }
    dir
}

fn commit(dir: &Path) {
    git(dir, &["add", "--all"]);
    git(dir, &["commit", "--quiet", "--allow-empty", "--message=one more"]);
}

fn words(dir: &Path) -> String {
    Revision::of(dir).words("0.1.0", None)
}

/// What is expected of sources that are just as they are in the last commit.
fn clean(dir: &Path) -> String {
    format!("0.1.0 ({} 2026-03-01)", &git(dir, &["rev-parse", "HEAD"])[..7])
}

/// What cargo looks at before it builds anew: when each file of a revision was written.
fn watched(dir: &Path) -> BTreeMap<PathBuf, SystemTime> {
    fn look(path: PathBuf, found: &mut BTreeMap<PathBuf, SystemTime>) {
        let about = std::fs::metadata(&path).unwrap();
        if about.is_dir() {
            std::fs::read_dir(&path).unwrap().for_each(|entry| look(entry.unwrap().path(), found));
        }
        found.insert(path, about.modified().unwrap());
    }
    let mut found = BTreeMap::new();
    Revision::of(dir).moved_by.into_iter().for_each(|path| look(path, &mut found));
    found
}

/// In `dir` the commit is known, and a further one does not escape a build.
fn knows_each_commit(dir: &Path) {
    assert_eq!(words(dir), clean(dir));
    let (before, first) = (watched(dir), words(dir));
    assert!(!before.is_empty());
    // Times of files come from a clock that ticks a few hundred times a second.
    std::thread::sleep(std::time::Duration::from_millis(20));
    write(dir, "src/main.rs", "3");
    commit(dir);
    assert_ne!(words(dir), first);
    assert_eq!(words(dir), clean(dir));
    assert_ne!(watched(dir), before, "cargo sees nothing of the new commit");
}

#[test]
fn the_version_names_commit_and_date_of_the_build() {
    let build = env!("BUILD_REVISION");
    for option in ["--version", "-V"] {
        Shell::new(&[option]).go().succeeds().stdout(&format!("binlogsh {build}"));
    }
    let inside = build.strip_prefix(concat!(env!("CARGO_PKG_VERSION"), " (")).and_then(|rest| rest.strip_suffix(')'));
    let inside = inside.unwrap_or_else(|| panic!("{build}"));
    let words: Vec<&str> = inside.trim_end_matches(", modified").split(' ').collect();
    match words[..] {
        ["unknown", "commit"] | ["unknown", "commit", _] => {}
        [id, day] => {
            assert!(id.len() == 7 && id.chars().all(|digit| digit.is_ascii_hexdigit()), "{build}");
            assert!(chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").is_ok(), "{build}");
        }
        _ => panic!("{build}"),
    }
}

#[test]
fn what_programs_read_has_the_version_alone() {
    let ran = Shell::new(&["check", "--sarif", "x.rhai"]).file("x.rhai", "1").go();
    let sarif: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(sarif["runs"][0]["tool"]["driver"]["semanticVersion"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_commit_is_named_in_a_repository_a_worktree_and_every_sort_of_clone() {
    let origin = repository();
    let elsewhere = tempfile::tempdir().unwrap();
    let place = |name: &str| elsewhere.path().join(name);
    let url = format!("file://{}", origin.path().display());
    let path = |name: &str| place(name).display().to_string();
    git(origin.path(), &["clone", "--quiet", &url, &path("whole")]);
    git(origin.path(), &["clone", "--quiet", "--depth=1", &url, &path("shallow")]);
    git(origin.path(), &["clone", "--quiet", &url, &path("detached")]);
    git(&place("detached"), &["checkout", "--quiet", "--detach"]);
    git(origin.path(), &["clone", "--quiet", &url, &path("packed")]);
    git(&place("packed"), &["pack-refs", "--all"]);
    git(origin.path(), &["worktree", "add", "--quiet", "-b", "topic/one", &path("worktree")]);
    for name in ["whole", "shallow", "detached", "packed", "worktree"] {
        knows_each_commit(&place(name));
    }
    knows_each_commit(origin.path());
}

#[test]
fn a_checkout_of_another_branch_does_not_escape_a_build() {
    let dir = repository();
    git(dir.path(), &["branch", "older", "HEAD^"]);
    let before = watched(dir.path());
    std::thread::sleep(std::time::Duration::from_millis(20));
    git(dir.path(), &["checkout", "--quiet", "older"]);
    assert_ne!(watched(dir.path()), before);
    assert_eq!(words(dir.path()), clean(dir.path()));
}

#[test]
fn sources_that_are_not_as_in_the_commit_are_called_modified() {
    let modified = |name: &str| {
        let dir = repository();
        write(dir.path(), name, "changed");
        words(dir.path()).ends_with(" 2026-03-01, modified)")
    };
    assert!(modified("src/main.rs"));
    assert!(modified("scripts/new.rhai"));
    assert!(!modified("README.md"), "the program is the same");
}

#[test]
fn sources_without_git_name_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(words(dir.path()), "0.1.0 (unknown commit)");
    let outer = repository();
    write(outer.path(), "vendor/binlogsh/src/main.rs", "of ours");
    let inner = Revision::of(&outer.path().join("vendor/binlogsh"));
    assert_eq!(inner.words("0.1.0", None), "0.1.0 (unknown commit)", "the commit is somebody else's");
    assert!(inner.moved_by.is_empty());
}

#[test]
fn a_given_time_is_the_date_of_the_build() {
    let dir = repository();
    let named = Revision::of(dir.path()).words("0.1.0", Some(0));
    assert_eq!(named, clean(dir.path()).replace("2026-03-01", "1970-01-01"));
    for day in 0..u32::MAX / 86_400 {
        let time = day * 86_400 + 86_399;
        let date = DateTime::from_timestamp(time.into(), 0).unwrap().date_naive();
        assert_eq!(Revision::default().words("0.1.0", Some(time)), format!("0.1.0 (unknown commit {date})"));
    }
}

/// What cargo sets for `cargo run`, and so for `make demo`, it sets for tests as well.
#[test]
fn cargo_sets_no_variable_that_the_program_takes_for_its_own() {
    let home = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_binlogsh"));
    for name in ["BINLOGSH_SOAK", "BINLOGSH_TEST_SEED", "BINLOGSH_RENEW", "BINLOGSH_DIST"] {
        program.env_remove(name);
    }
    let ran = program.args(["--sandbox", "-e", "1"]).env("HOME", home.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}
