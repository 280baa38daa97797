//! The archive: the same bytes whenever and wherever it is packed, and whole.

use super::{Script, Tree, below};
use crate::harness::project;
use sha2::{Digest, Sha256};
use std::fs;
use std::process::Command;

fn packed(tree: &Tree) -> Vec<u8> {
    Script::new(project(".ci/pack")).arg(tree.path("")).env("SOURCE_DATE_EPOCH", "1772323200").succeeds();
    fs::read(tree.dir.path().join("binlogsh-0.tar.gz")).unwrap()
}

#[test]
fn the_same_build_gives_the_same_archive() {
    let (one, other) = (Tree::small(), Tree::small());
    // The calls of the real program in each are the same, the times of the files are not.
    let first = packed(&one);
    assert!(first == packed(&other), "two archives of one build differ");
    fs::write(other.path("share/man/man1/binlogsh.1"), "another").unwrap();
    assert!(first != packed(&other), "the archive shows nothing of what is in it");
}

#[test]
fn the_archive_has_its_checksum_and_unpacks_to_what_was_laid_out() {
    let tree = Tree::small();
    let bytes = packed(&tree);
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let said = fs::read_to_string(tree.dir.path().join("binlogsh-0.tar.gz.sha256")).unwrap();
    assert_eq!(said, format!("{digest}  binlogsh-0.tar.gz\n"));

    let there = tempfile::tempdir().unwrap();
    let mut unpack = Command::new("bash");
    unpack
        .args(["-c", "tar -xzf \"$1\" -C \"$2\"", "-"])
        .arg(tree.dir.path().join("binlogsh-0.tar.gz"))
        .arg(there.path());
    assert!(unpack.status().unwrap().success());
    assert_eq!(below(&there.path().join("binlogsh-0")), below(&tree.path("")));
}

#[test]
fn a_file_of_somebody_elses_is_not_overwritten_by_what_is_laid_out() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("mine"), "").unwrap();
    Script::new(project(".ci/stage")).arg(env!("CARGO_BIN_EXE_binlogsh")).arg(dir.path()).fails(1);
    assert_eq!(below(dir.path()).len(), 1);
}

#[test]
fn a_link_in_a_shipped_page_leads_to_what_is_shipped() {
    let tree = Tree::small();
    let mut links = 0;
    // At the top of the archive as well as where it is installed.
    for place in ["", "share/doc/binlogsh/"] {
        let pages = below(&tree.path("share/doc/binlogsh"));
        for page in pages.iter().filter(|name| name.ends_with(".md")) {
            let path = tree.path(place).join(page);
            let text = fs::read_to_string(&path).unwrap();
            for link in text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next()) {
                if !link.is_empty() && !link.contains("://") && !link.contains(['`', ' ']) {
                    links += 1;
                    assert!(path.parent().unwrap().join(link).exists(), "{}: {link}", path.display());
                }
            }
        }
    }
    assert!(links > 20, "the search finds nothing any more");
}
