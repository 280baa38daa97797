//! Links the program to a fixed address.
//!
//! The tables of time zones and of the language hold tens of thousands of pointers. In a position-independent program
//! the dynamic linker writes every one of them at every start, which took a third of the time of a short command.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("TARGET").is_ok_and(|target| target == "x86_64-unknown-linux-gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
