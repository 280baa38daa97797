//! What is shipped: the archive, what its script installs and takes away again, what the program needs.

mod archive;
mod install;
mod needed;
#[path = "../dist/needs.rs"]
mod needs;

use crate::harness::project;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

/// A script of the project or of a tree, with its arguments, run by bash.
struct Script {
    command: Command,
}

impl Script {
    fn new(script: impl AsRef<Path>) -> Self {
        let mut command = Command::new("bash");
        command.arg(script.as_ref()).env_remove("DESTDIR").env_remove("SOURCE_DATE_EPOCH");
        Self { command }
    }

    fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    fn go(mut self) -> Output {
        self.command.output().unwrap()
    }

    #[track_caller]
    fn succeeds(self) -> String {
        let out = self.go();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    }

    #[track_caller]
    fn fails(self, code: i32) -> String {
        let out = self.go();
        assert_eq!(out.status.code(), Some(code), "{out:?}");
        String::from_utf8(out.stderr).unwrap()
    }
}

/// What is shipped, laid out in a directory that goes with it.
struct Tree {
    dir: TempDir,
}

impl Tree {
    /// With the program itself.
    fn whole() -> Self {
        Self::with(Path::new(env!("CARGO_BIN_EXE_binlogsh")))
    }

    /// With a small program that calls the real one, which is large.
    fn small() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("program");
        let text = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_binlogsh"));
        put_program(&program, &text);
        Self::with(&program)
    }

    fn with(program: &Path) -> Self {
        let tree = Self { dir: tempfile::tempdir().unwrap() };
        Script::new(project(".ci/stage")).arg(program).arg(tree.path("")).succeeds();
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("binlogsh-0").join(name)
    }

    fn installer(&self) -> Script {
        Script::new(self.path("install.sh"))
    }
}

/// Writes a program. By another process, since what this one has just written cannot be run while another test forks.
fn put_program(path: &Path, text: &str) {
    let mut command = Command::new("bash");
    command.args(["-c", "printf %s \"$2\" >\"$1\" && chmod 755 \"$1\"", "-"]).arg(path).arg(text);
    assert!(command.status().unwrap().success());
}

/// All that lies below a directory, by its path from there; a directory ends in `/`.
fn below(dir: &Path) -> BTreeSet<String> {
    fn look(root: &Path, dir: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if path.is_dir() && !path.is_symlink() {
                look(root, &path, found);
                found.insert(name + "/");
            } else {
                found.insert(name);
            }
        }
    }
    let mut found = BTreeSet::new();
    look(dir, dir, &mut found);
    found
}
