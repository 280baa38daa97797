//! The scripts that come with the program: they compile, and say what they are for and what they take.

use crate::language_fixture::Shell;
use binlogsh::language::{ScriptDoc, Source};

fn described(name: &str) -> ScriptDoc {
    let text = std::fs::read_to_string(format!("{}/scripts/{name}.rhai", env!("CARGO_MANIFEST_DIR"))).unwrap();
    Shell::new().interpreter.describe(&Source::new(name, text)).unwrap()
}

#[test]
fn every_script_says_when_it_is_of_use_and_documents_its_parameters() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts")).unwrap() {
        let file = file.unwrap().path();
        let doc = described(file.file_stem().unwrap().to_str().unwrap());
        assert!(doc.about.contains("When:"), "{}", file.display());
        assert!(doc.params.iter().all(|param| param.about.is_some()), "{}", file.display());
    }
}

#[test]
fn the_parameters_of_the_scripts_are_those_of_the_documentation() {
    let names = |name| described(name).params.into_iter().map(|param| param.name).collect::<Vec<_>>();
    assert_eq!(names("rolling_restart"), ["only", "takes", "timeout"]);
    assert_eq!(names("decommission_pump"), ["pump", "takes", "timeout"]);
    assert_eq!(names("health"), ["watch", "gc_margin"]);
}
