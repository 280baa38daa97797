//! Every example runs: those of the functions in the sample cluster that each names, and those of the library.

use crate::language_fixture::Shell;
use binlogsh::language::{Ending, Settings, functions};

#[test]
fn every_function_has_an_example_that_runs_in_its_sample() {
    let mut broken = Vec::new();
    for function in functions() {
        let mut shell = Shell::simulated(function.scenario, Settings::default());
        if let Err(error) = shell.run(function.example) {
            broken.push(format!("{} in {}: {}", function.name, function.scenario, error.error));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn an_example_that_is_a_comparison_is_true() {
    for function in functions() {
        let mut shell = Shell::simulated(function.scenario, Settings::default());
        if let Ok(Ending::Value(binlogsh::value::Value::Bool(held))) = shell.run(function.example) {
            assert!(held, "{}: {}", function.name, function.example);
        }
    }
}
