//! The store of runs, on a disk that fills up while a run is written.

use super::*;

#[test]
fn a_change_that_could_not_be_kept_is_not_made() {
    let around = Around::new();
    let url = around.cluster.url();
    let begun = |shell: Shell| shell.arg("--pd-urls").arg(&url).yes();
    let shell = begun(Shell::new(&[])).arg("-e").arg("generate_meta(#{ data_dir: \"here\" })");
    let ran = refused::without_room(shell).fails(ErrorKind::Local);
    let ran = ran.stderr_contains("the store of runs").stderr_contains("hint: ");
    assert!(!ran.dir().join("here/savepoint").exists());
    // With room it works on.
    let home = ran.dir().display().to_string();
    let again = begun(Shell::new(&[])).env("HOME", &home).eval("generate_meta(#{ data_dir: \"here\" })").succeeds();
    assert!(again.dir().join("here/savepoint").exists());
}
