//! Very many processes, many at a time, that all look at one cluster: each is right, and none leaves anything behind.

use super::ran::{comes_to_have, open_files, run};
use crate::harness::Shell;
use crate::support::etcd::Etcd;
use crate::support::pd_double::PdDouble;
use crate::support::{is_soak, record};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many Pumps there are to list.
const PUMPS: usize = 20;

/// Every file beneath `dir` with its size.
fn files_beneath(dir: &Path) -> Vec<(PathBuf, u64)> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let beneath = entries.flat_map(|path| match path.is_dir() {
        true => files_beneath(&path),
        false => vec![(path.clone(), path.symlink_metadata().unwrap().len())],
    });
    let mut files: Vec<_> = beneath.collect();
    files.sort();
    files
}

#[test]
fn very_many_processes_of_ctl_are_right_and_leave_nothing_behind() {
    let (all, at_once) = if is_soak() { (1_000, 50) } else { (60, 20) };
    let etcd = Etcd::start();
    let pd = PdDouble::start(&etcd);
    let put = |at: usize| {
        let id = format!("pump-{at:02}");
        (format!("/tidb-binlog/v1/pumps/{id}"), record(&id, &format!("127.1.1.{at}:1"), "paused", 5, 5))
    };
    etcd.kv().put_all(&(0..PUMPS).map(put).collect::<Vec<_>>());
    let shell = Shell::new(&[]);
    let binlogctl = shell.dir().join("binlogctl");
    symlink(env!("CARGO_BIN_EXE_binlogsh"), &binlogctl).unwrap();
    let (url, flag) = (pd.url(), format!("--pd-urls={}", pd.url()));
    let listed = |at: usize| {
        let mut command = match at % 2 {
            0 => shell.command(),
            _ => shell.command_as(&binlogctl),
        };
        match at % 2 {
            0 => command.args(["ctl", &flag, "-cmd", "pumps"]),
            _ => command.args(["-pd-urls", &url, "-cmd", "pumps"]),
        };
        let ran = run(command);
        assert_eq!(ran.code, Some(0), "process {at}: {}", ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for pump in 0..PUMPS {
            assert_eq!(said.matches(&format!("pump-{pump:02}")).count(), 1, "process {at}: {said}");
        }
    };
    // What there is once for all of them is there afterwards.
    listed(0);
    listed(1);
    let (pid, _) = etcd.left_behind();
    let files = open_files(pid);
    let kept = files_beneath(shell.dir());
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(at) = Some(next.fetch_add(1, Ordering::SeqCst)).filter(|at| *at < all) {
                    listed(at);
                }
            });
        }
    });
    comes_to_have(pid, files);
    assert_eq!(etcd.kv().leases(), 0);
    assert_eq!(files_beneath(shell.dir()), kept);
    assert!(pd.connections() >= all);
}
