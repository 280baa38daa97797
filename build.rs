//! Links the program to a fixed address, and tells it which build it is.
//!
//! The tables of time zones and of the language hold tens of thousands of pointers. In a position-independent program
//! the dynamic linker writes every one of them at every start, which took a third of the time of a short command.

#[path = "build/revision.rs"]
mod revision;

use revision::Revision;
use std::path::Path;

fn main() -> Result<(), String> {
    if std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let package = std::env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let epoch = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => Some(text.parse().map_err(|_| format!("SOURCE_DATE_EPOCH is no number of seconds: {text:?}"))?),
        Err(_) => None,
    };
    let revision = Revision::of(Path::new(&root));
    println!("cargo::rustc-env=BUILD_REVISION={}", revision.words(&package, epoch));
    // A change of what goes into the program builds it anew in any case. A commit alone makes cargo look again at the library,
    // the program and the tests, of which the compiler then finds nearly all unchanged: some seconds.
    println!("cargo::rerun-if-env-changed=SOURCE_DATE_EPOCH");
    for source in revision::SOURCES {
        println!("cargo::rerun-if-changed={source}");
    }
    for path in revision.moved_by {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    Ok(())
}
