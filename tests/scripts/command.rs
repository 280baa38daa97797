//! How the scripts that come with the program are found, shown, copied and run; and that their page is up to date.

use crate::harness::Shell;
use binlogsh::error::ErrorKind;
use binlogsh::language::{procedures_markdown, shipped};
use binlogsh::sim::Scenario;
use std::os::unix::fs::PermissionsExt;

#[test]
fn the_scripts_are_listed_with_a_line_each() {
    let ran = Shell::new(&["scripts"]).go().succeeds();
    for script in shipped() {
        let listed = ran.stdout.lines().find(|line| line.starts_with(&format!("{} ", script.name)));
        assert!(listed.unwrap_or_default().ends_with(&script.summary()), "{}", ran.stdout);
    }
}

#[test]
fn a_script_is_shown_as_it_is() {
    let script = super::script("scale_out");
    Shell::new(&["scripts", "show", "scale_out"]).go().succeeds().stdout(script.text);
    Shell::new(&["scripts", "show", "scale_uot"]).go().fails(ErrorKind::NotFound).stderr_contains("`scale_out`");
}

#[test]
fn a_copy_is_executable_and_replaces_nothing_without_force() {
    let shell = Shell::new(&["scripts", "copy", "clean_up", "here"]).file("here/other", "");
    let ran = shell.go().succeeds().stdout("here/clean_up.rhai");
    let copy = ran.dir().join("here/clean_up.rhai");
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), super::script("clean_up").text);
    assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o755);
    let again = |force: &[&str]| {
        let args: Vec<&str> = ["scripts", "copy", "clean_up"].iter().chain(force).copied().collect();
        Shell::new(&args).file("clean_up.rhai", "mine").go()
    };
    let refused = again(&[]).fails(ErrorKind::Refused).stderr_contains("--force");
    assert_eq!(std::fs::read_to_string(refused.dir().join("clean_up.rhai")).unwrap(), "mine");
    let forced = again(&["--force"]).succeeds();
    assert_ne!(std::fs::read_to_string(forced.dir().join("clean_up.rhai")).unwrap(), "mine");
    Shell::new(&["scripts", "copy", "clean_up", "nowhere"]).go().fails(ErrorKind::NotFound);
}

#[test]
fn a_script_runs_and_is_rehearsed_by_its_name() {
    Shell::sandbox("old-records").yes().run("clean_up", &[]).succeeds().stdout_contains("To be deleted: pump-old");
    let ran = Shell::sandbox("old-records").arg("rehearse").arg("clean_up").go().succeeds();
    assert!(ran.stdout.contains("Rehearsal of clean_up\n"), "{}", ran.stdout);
    let help = Shell::new(&["run", "clean_up", "--help"]).go().succeeds();
    assert!(help.stdout.contains("Usage: binlogsh run clean_up [--param rest=...]"), "{}", help.stdout);
}

#[test]
fn a_file_of_that_name_comes_first_and_a_path_is_always_a_file() {
    let file = |name: &str| Shell::sandbox("default").file("clean_up", "print(\"mine\")").run(name, &[]);
    file("clean_up").succeeds().stdout("mine");
    file("./clean_up.rhai").fails(ErrorKind::NotFound);
    file("cleen_up").fails(ErrorKind::NotFound).stderr_contains("did you mean `clean_up`?");
}

#[test]
fn every_script_is_tried_in_a_sample_that_is_there() {
    for script in shipped() {
        assert!(Scenario::named(script.sample).is_ok(), "{}", script.name);
    }
}

#[test]
fn the_page_of_the_procedures_is_up_to_date() {
    let file = crate::harness::project("docs/procedures.md");
    let kept = std::fs::read_to_string(file).unwrap();
    let made = procedures_markdown();
    let differs = kept.lines().zip(made.lines()).find(|(kept, made)| kept != made);
    assert!(
        kept.trim_end() == made.trim_end(),
        "{differs:?}: renew it with `cargo run -- docs --procedures > docs/procedures.md`"
    );
}
