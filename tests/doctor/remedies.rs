//! What a remedy says to type can be typed: each call and each script, in the scenario that shows its finding.

use super::findings::{Case, cases, look};
use super::scenario;
use crate::harness::{Ran, Shell};
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// The functions that remedies name.
const FUNCTIONS: [&str; 7] = [
    "update_pump",
    "update_drainer",
    "offline_pump",
    "offline_drainer",
    "forget_pump",
    "forget_drainer",
    "recover_tidb",
];

/// What no finding can know stands in capitals.
const CHOSEN: [(&str, &str); 3] =
    [("NEW_DRAINER", "drainer-9"), ("NEW_PUMP", "pump-9"), ("HOST:PORT", "10.0.1.29:8249")];

/// Scripts that fail where their remedy is the right one, and with which exit code: the Drainer that stands still for good in
/// the simulator, and the Drainer that comes after the Pumps.
const FAIL: [(&str, &str, i32); 3] =
    [("stalled", "stuck_drainer", 4), ("behind", "stuck_drainer", 4), ("no_node", "first_drainer", 1)];

/// The remedies of everything that is found where `case` is due, with the names of their findings.
fn remedies(case: &Case) -> Vec<(String, String)> {
    let (_, findings) = look(&case.with, &case.options);
    let text = |one: &Json, field: &str| one[field].as_str().unwrap().to_owned();
    findings.iter().map(|one| (text(one, "check"), text(one, "remedy"))).collect()
}

/// The calls in `remedy`, as they are typed.
fn calls(remedy: &str) -> Vec<String> {
    let of = |name: &&str| {
        let call = format!("{name}(");
        let starts: Vec<usize> = remedy.match_indices(&call).map(|(at, _)| at).collect();
        starts.into_iter().map(|at| remedy[at..=at + remedy[at..].find(')').unwrap()].to_owned()).collect::<Vec<_>>()
    };
    FUNCTIONS.iter().flat_map(of).collect()
}

/// A parameter with what an operator puts in the place of capitals.
fn chosen(script: &str, parameter: &str) -> String {
    let backup = if script == "first_drainer" { "now" } else { "470639915830083623" };
    let chosen = CHOSEN.iter().fold(parameter.to_owned(), |text, (capitals, word)| text.replace(capitals, word));
    chosen.replace("TIMESTAMP", backup)
}

/// The scripts in `remedy` with their parameters, but for those that something comes before.
fn scripts(remedy: &str) -> Vec<(String, Vec<String>)> {
    let of = |rest: &str| {
        let mut words = rest.split_whitespace().map(|word| word.trim_end_matches([',', ';']));
        let name = words.next().unwrap().to_owned();
        let mut parameters = Vec::new();
        loop {
            match words.next() {
                Some("--param") => parameters.push(chosen(&name, words.next().unwrap())),
                next => return (next != Some("(once")).then_some((name, parameters)),
            }
        }
    };
    remedy.split("binlogsh run ").skip(1).filter_map(of).collect()
}

fn in_its_scenario(case: &Case) -> Shell {
    Shell::new(&["--sandbox=scenario.json", "--yes"]).file("scenario.json", &scenario(&case.with))
}

fn run(case: &Case, name: &str, parameters: &[String]) -> Ran {
    parameters.iter().fold(in_its_scenario(case).arg("run").arg(name), |shell, one| shell.arg("--param").arg(one)).go()
}

#[test]
fn every_call_that_a_remedy_names_is_let_through() {
    let mut typed = 0;
    for case in cases() {
        let found: BTreeSet<String> = remedies(&case).iter().flat_map(|(_, remedy)| calls(remedy)).collect();
        for call in found {
            let ran = in_its_scenario(&case).eval(&call);
            assert_eq!(ran.code, 0, "{call} for {} with {}:\n{}", case.check, case.with, ran.stderr);
            typed += 1;
        }
    }
    assert!(typed >= 12, "only {typed} calls are named");
}

#[test]
fn every_script_that_a_remedy_names_does_its_work_with_the_parameters_that_it_names() {
    let mut done = BTreeSet::new();
    for case in cases() {
        for (check, remedy) in remedies(&case) {
            for (name, parameters) in scripts(&remedy) {
                if !done.insert((check.clone(), name.clone(), parameters.clone())) {
                    continue;
                }
                let fails = FAIL.iter().find(|(of, script, _)| *of == check && *script == name);
                let ran = run(&case, &name, &parameters);
                let wanted = fails.map_or(0, |(.., code)| *code);
                assert_eq!(ran.code, wanted, "{name} {parameters:?} for {check} with {}:\n{}", case.with, ran.stderr);
            }
        }
    }
    let names: BTreeSet<&String> = done.iter().map(|(_, name, _)| name).collect();
    assert!(names.len() >= 7, "{names:?}");
}

#[test]
fn what_tiup_calls_its_cluster_and_its_hosts_is_quoted_for_the_shell() {
    let mut seen = BTreeSet::new();
    for case in cases().iter().filter(|case| case.with["deployment"].is_object()) {
        let mut with = case.with.clone();
        with["deployment"]["name"] = "prod; id".into();
        for node in with["deployment"]["nodes"].as_array_mut().unwrap() {
            if node["host"] == "10.0.1.19" {
                node["host"] = "h$(id)".into();
            }
        }
        for finding in look(&with, &case.options).1 {
            let remedy = finding["remedy"].as_str().unwrap().to_owned();
            for (at, _) in remedy.match_indices("tiup cluster ") {
                let mut words = remedy[at..].splitn(5, ' ').skip(2);
                let (verb, name) = (words.next().unwrap().to_owned(), words.next().unwrap());
                assert_eq!(name, "'prod;", "{remedy}");
                seen.insert(verb);
            }
            for (at, _) in remedy.match_indices("h$(id)") {
                assert_eq!(&remedy[at - 1..at], "'", "{remedy}");
                seen.insert("host".into());
            }
        }
    }
    assert_eq!(Vec::from_iter(seen), ["host", "prune", "scale-in", "scale-out"]);
}
