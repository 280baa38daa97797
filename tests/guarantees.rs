//! The tests that docs/guarantees.md names are there.

use crate::harness::project;
use std::path::Path;

fn sources(dir: &Path, text: &mut String) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_guarantees_name_exists() {
    let page = std::fs::read_to_string(project("docs/guarantees.md")).unwrap();
    let mut code = String::new();
    sources(&project("tests"), &mut code);
    sources(&project("src"), &mut code);
    let named: Vec<&str> = page.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
    assert!(!named.is_empty());
    for name in named {
        let last = name.rsplit("::").next().unwrap();
        let known = code.contains(&format!("fn {last}(")) || code.contains(&format!("mod {last};"));
        assert!(known, "docs/guarantees.md names `{name}`, which is no test");
    }
}
