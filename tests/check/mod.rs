//! `check`: every rule finds what it is for, where it is, and nothing else.

mod command;
mod examples;
mod fuzz;
mod places;
mod silence;

use binlogsh::check::{Checked, Checker};
use binlogsh::language::Source;

/// What is found in `code`, a script that is called `script.rhai` and comes from no file.
fn checked(code: &str) -> Checked {
    named("script.rhai", code)
}

fn named(name: &str, code: &str) -> Checked {
    Checker::default().check(&Source::new(name, code), &[])
}

/// The rules that find something in `code` behind a header.
fn found(code: &str) -> Vec<&'static str> {
    let checked = checked(&format!("//! A script.\n{code}"));
    checked.findings.iter().map(|finding| finding.rule.name).collect()
}
