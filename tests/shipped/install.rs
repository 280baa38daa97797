//! `install.sh`, which `make install` runs as well: everything where it belongs, and nothing left behind.

use super::{Script, Tree, below, put_program};
use crate::harness::project;
use std::fs;
use std::process::Command;

/// Where programs, `man` and the shells look, and what an operator wants to have at hand.
const PLACES: [&str; 9] = [
    "bin/binlogsh",
    "share/man/man1/binlogsh.1",
    "share/man/man1/binlogsh-run.1",
    "share/bash-completion/completions/binlogsh",
    "share/zsh/site-functions/_binlogsh",
    "share/fish/vendor_completions.d/binlogsh.fish",
    "share/binlogsh/scripts/rolling_restart.rhai",
    "share/binlogsh/definitions/binlogsh.d.rhai",
    "share/doc/binlogsh/docs/guide.md",
];

#[test]
fn everything_is_installed_where_it_belongs_and_runs_there() {
    let (tree, home) = (Tree::whole(), tempfile::tempdir().unwrap());
    let prefix = home.path().join("a prefix");
    let said = tree.installer().arg(&prefix).succeeds();
    assert!(said.starts_with(concat!("binlogsh ", env!("BUILD_REVISION"), " is installed below ")), "{said}");
    for place in PLACES {
        assert!(prefix.join(place).is_file(), "{place} is missing");
    }
    let listed = fs::read_to_string(prefix.join("share/binlogsh/installed")).unwrap();
    let listed: std::collections::BTreeSet<String> = listed.lines().map(str::to_owned).collect();
    let mut there = below(&prefix);
    there.insert("/".into());
    assert_eq!(listed, there);
    let mut installed = Command::new(prefix.join("bin/binlogsh"));
    let script = prefix.join("share/binlogsh/scripts/health.rhai");
    installed.env_clear().env("HOME", home.path()).args(["--sandbox", "run"]).arg(script);
    assert!(installed.output().unwrap().status.success());

    tree.installer().arg("--uninstall").arg(&prefix).succeeds();
    assert!(!prefix.exists(), "{:?}", below(&prefix));
}

#[test]
fn what_others_have_below_the_prefix_stays() {
    let (tree, prefix) = (Tree::small(), tempfile::tempdir().unwrap());
    for dir in ["bin", "share/man/man1", "share/zsh"] {
        fs::create_dir_all(prefix.path().join(dir)).unwrap();
    }
    fs::write(prefix.path().join("bin/other"), "").unwrap();
    let mut before = below(prefix.path());
    tree.installer().arg(prefix.path()).succeeds();
    fs::write(prefix.path().join("share/binlogsh/scripts/mine.rhai"), "").unwrap();
    // That of the project, of no version.
    Script::new(project(".ci/install")).arg("--uninstall").arg(prefix.path()).succeeds();
    before
        .extend(["share/binlogsh/", "share/binlogsh/scripts/", "share/binlogsh/scripts/mine.rhai"].map(str::to_owned));
    assert_eq!(below(prefix.path()), before);
}

#[test]
fn an_upgrade_leaves_nothing_of_the_version_before() {
    let (tree, home) = (Tree::small(), tempfile::tempdir().unwrap());
    let prefix = home.path().join("prefix");
    let old = "share/binlogsh/scripts/older/old.rhai";
    fs::create_dir_all(tree.path("share/binlogsh/scripts/older")).unwrap();
    fs::write(tree.path(old), "").unwrap();
    tree.installer().arg(&prefix).succeeds();
    assert!(prefix.join(old).exists());
    fs::remove_dir_all(tree.path("share/binlogsh/scripts/older")).unwrap();
    tree.installer().arg(&prefix).succeeds();
    assert!(!prefix.join(old).exists());
    assert!(prefix.join("bin/binlogsh").exists());
    tree.installer().arg("--uninstall").arg(&prefix).succeeds();
    assert!(!prefix.exists(), "{:?}", below(&prefix));
}

#[test]
fn what_was_cut_off_can_be_taken_away() {
    let (tree, home) = (Tree::small(), tempfile::tempdir().unwrap());
    let prefix = home.path().join("prefix");
    // A directory where a file should go stops both half way.
    let obstacle = prefix.join("share/man/man1/binlogsh-run.1");
    fs::create_dir_all(&obstacle).unwrap();
    tree.installer().arg(&prefix).fails(1);
    let said = tree.installer().arg("--uninstall").arg(&prefix).fails(1);
    assert!(said.contains("this is left of it: share/man/man1/binlogsh-run.1"), "{said}");
    fs::remove_dir(&obstacle).unwrap();
    tree.installer().arg("--uninstall").arg(&prefix).succeeds();
    assert_eq!(below(&prefix), ["share/", "share/man/", "share/man/man1/"].map(str::to_owned).into());
}

#[test]
fn a_program_that_does_not_run_here_is_not_installed() {
    let (tree, home) = (Tree::small(), tempfile::tempdir().unwrap());
    fs::remove_file(tree.path("bin/binlogsh")).unwrap();
    put_program(&tree.path("bin/binlogsh"), "#!/bin/sh\necho 'no GLIBC_9.9' >&2\nexit 1\n");
    let said = tree.installer().arg(home.path().join("prefix")).fails(1);
    assert!(said.contains("no GLIBC_9.9") && said.contains("does not run on this machine"), "{said}");
    assert!(below(home.path()).is_empty());
}

#[test]
fn with_destdir_everything_goes_below_it() {
    let (tree, home) = (Tree::small(), tempfile::tempdir().unwrap());
    tree.installer().arg("/opt/ops").env("DESTDIR", home.path()).succeeds();
    assert!(home.path().join("opt/ops/bin/binlogsh").exists());
    tree.installer().env("DESTDIR", home.path()).succeeds();
    assert!(home.path().join("usr/local/bin/binlogsh").exists());
}

#[test]
fn what_is_asked_for_wrongly_changes_nothing() {
    let (tree, home) = (Tree::small(), tempfile::tempdir().unwrap());
    for args in [vec!["--prefix", "x"], vec!["--help"], vec![""], vec!["a", "b"]] {
        let script = args.iter().fold(tree.installer(), |script, arg| script.arg(arg));
        assert!(script.env("DESTDIR", home.path()).fails(2).starts_with("usage: "), "{args:?}");
    }
    let said = tree.installer().arg("--uninstall").arg(home.path()).fails(1);
    assert!(said.contains("nothing is installed below"), "{said}");
    assert!(below(home.path()).is_empty());
}
