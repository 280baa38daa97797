//! What the program needs of the system that runs it. Which glibc an archive needs is held by `tests/dist/`.

use super::needs::{Needs, named_in};
use crate::harness::project;
use std::fs;
use std::ops::Range;

fn program() -> Vec<u8> {
    fs::read(env!("CARGO_BIN_EXE_binlogsh")).unwrap()
}

/// The program, with a name among those that the linker wrote into it replaced by another of the same length.
fn altered(name: &str, other: &str) -> Vec<u8> {
    let mut program = program();
    let Range { start, end } = names(&program);
    let at = program[start..end].windows(name.len()).position(|part| part == name.as_bytes()).unwrap();
    program[start + at..start + at + name.len()].copy_from_slice(other.as_bytes());
    program
}

/// Where the names for the dynamic linker lie.
fn names(program: &[u8]) -> Range<usize> {
    use object::read::elf::{FileHeader, SectionHeader};
    let header = object::elf::FileHeader64::<object::Endianness>::parse(program).unwrap();
    let endian = header.endian().unwrap();
    let sections = header.sections(endian, program).unwrap();
    let (_, section) = sections.section_by_name(endian, b".dynstr").unwrap();
    let (start, length) = section.file_range(endian).unwrap();
    start as usize..(start + length) as usize
}

#[test]
fn the_program_needs_no_library_but_those_that_every_system_with_glibc_has() {
    let needs = Needs::of(&program()).unwrap();
    assert!(needs.unusual_libraries().is_empty(), "{needs:?}");
    assert!(needs.glibc().unwrap() >= (2, 17), "Rust's own library needs that: {needs:?}");
}

#[test]
fn another_library_and_a_newer_glibc_are_found() {
    let needs = |program: &[u8]| Needs::of(program).unwrap();
    assert_eq!(needs(&altered("libm.so.6", "libz.so.1")).unusual_libraries(), ["libz.so.1"]);
    assert_eq!(needs(&altered("GLIBC_2.17", "GLIBC_9.17")).glibc(), Ok((9, 17)));
    assert_eq!(needs(&altered("GLIBC_2.17", "GLIBC_NEXT")).glibc(), Err("GLIBC_NEXT".to_owned()));
    assert!(Needs::of(&program()[..4096]).is_err());
    assert!(Needs::of(b"#!/bin/sh\n").is_err());
}

#[test]
fn every_page_names_the_same_oldest_glibc() {
    let page = |name: &str| named_in(&fs::read_to_string(project(name)).unwrap());
    let guide = page("docs/guide.md");
    assert_eq!(guide.len(), 1, "{guide:?}");
    assert_eq!(page("README.md"), guide);
    assert_eq!(named_in("needs glibc 2.29 or later, and glibc 2.3.4, not glibc"), [(2, 3), (2, 29)].into());
}
