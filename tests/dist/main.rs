//! Holds the program of an archive to what the guide promises of it. Run by `make dist-oldest`, which builds the archive on
//! the oldest system: a program that was linked on a newer one may need a newer glibc.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test may panic, and needs files to look from outside"
)]

mod needs;

use needs::{Needs, named_in};
use std::path::Path;

/// The program in the directory of archives that `BINLOGSH_DIST` names.
fn program() -> Vec<u8> {
    let dir = std::env::var("BINLOGSH_DIST").unwrap();
    let trees = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).unwrap();
    let programs: Vec<_> =
        trees.map(|tree| tree.unwrap().path().join("bin/binlogsh")).filter(|path| path.exists()).collect();
    assert_eq!(programs.len(), 1, "{programs:?}");
    std::fs::read(&programs[0]).unwrap()
}

#[test]
fn the_program_needs_the_glibc_that_the_guide_names_and_no_other_library() {
    let needs = Needs::of(&program()).unwrap();
    let guide = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide.md")).unwrap();
    let named: Vec<_> = named_in(&guide).into_iter().collect();
    assert_eq!(
        named,
        [needs.glibc().unwrap()],
        "the program needs the one to the right, docs/guide.md names those to the left"
    );
    assert!(needs.unusual_libraries().is_empty(), "{needs:?}");
}
