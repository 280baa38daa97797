//! What `docs` writes: definitions for editors, man pages, completions.

use crate::harness::Shell;
use binlogsh::error::ErrorKind;

#[test]
fn definitions_are_written_for_editors() {
    let ran = Shell::new(&["docs", "--definitions", "defs/new"]).go().succeeds().stderr_contains("written to defs/new");
    let text = std::fs::read_to_string(ran.dir().join("defs/new/binlogsh.d.rhai")).unwrap();
    assert!(
        text.contains("/// Stops a Pump for a while.\n") && text.contains("fn pause_pump(pump: ?) -> Map;\n"),
        "{text}"
    );
    assert!(ran.dir().join("defs/new/drainers.d.rhai").exists());
    let inner = std::fs::read_to_string(ran.dir().join("defs/new/doctor/findings.d.rhai")).unwrap();
    assert!(inner.starts_with("module \"doctor/findings\";\n"), "{inner}");
}

#[test]
fn man_pages_cover_every_command() {
    let ran = Shell::new(&["docs", "--man", "man"]).go().succeeds();
    let page = |name: &str| std::fs::read_to_string(ran.dir().join("man").join(name)).unwrap();
    assert!(page("binlogsh.1").contains(".TH binlogsh 1"));
    assert!(page("binlogsh-runs-resume.1").contains("assume"));
    assert!(page("binlogsh-rehearse.1").contains("futures"));
}

#[test]
fn completions_ask_the_program_where_the_shell_lets_them() {
    for (shell, registers) in
        [("bash", "complete -o"), ("zsh", "#compdef binlogsh"), ("fish", "complete --command binlogsh")]
    {
        let ran = Shell::new(&["docs", "--completions", shell]).go().succeeds();
        assert!(ran.stdout.contains(registers) && ran.stdout.contains("_BINLOGSH_COMPLETE="), "{}", ran.stdout);
        // There is no `binlogctl`, or it is the original.
        assert!(!ran.stdout.contains("binlogctl"), "{}", ran.stdout);
    }
    for shell in ["elvish", "powershell"] {
        let ran = Shell::new(&["docs", "--completions", shell]).go().succeeds();
        assert!(ran.stdout.contains("rehearse") && ran.stdout.contains("resume"), "{shell}");
    }
    Shell::new(&["docs", "--completions", "csh"]).go().exits(2).stderr_contains("possible values");
}

#[test]
fn what_cannot_be_written_is_an_error_that_names_it() {
    let ran = Shell::new(&["docs", "--man", "file/man"]).file("file", "no directory").go();
    ran.fails(ErrorKind::Local).stderr_contains("file/man");
    Shell::new(&["docs", "--man", "man", "--reference"]).go().exits(2).stderr_contains("cannot be used with");
}

#[test]
fn the_page_of_the_simulator_has_the_table_of_faults() {
    let page = std::fs::read_to_string(crate::harness::project("docs/simulator.md")).unwrap();
    let table = binlogsh::world::faults_markdown();
    assert!(page.contains(&table), "put this into docs/simulator.md:\n{table}");
}
