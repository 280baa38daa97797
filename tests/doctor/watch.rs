//! Looking again and again: what has come and what has gone.

use super::doctor;
use serde_json::{Value as Json, json};

/// pump-1 is dead from the third look to the fourth, which begin 70 s after one another.
fn crash() -> Json {
    json!({"pumps": {"pump-1": {}}, "faults": [{"kind": "crash", "node": "pump-1", "after": 85, "lasts": 100}]})
}

#[test]
fn what_comes_and_goes_is_told_once() {
    let ran = doctor(&crash()).arg("--watch=1m").arg("--rounds=5").go().exits(0);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| !line.starts_with("     ")).collect();
    let [first, third, dead, fourth, gone] = lines[..] else { panic!("{}", ran.stdout) };
    assert!(first.ends_with("nothing found; watched for 10s"), "{first}");
    assert!(third.contains("1 critical"), "{third}");
    assert!(dead.starts_with("critical  pump-1: says online, no process answers"), "{dead}");
    assert!(fourth.ends_with("nothing found; watched for 10s"), "{fourth}");
    assert!(gone.starts_with("gone      pump-1: says online") && gone.ends_with("[dead]"), "{gone}");
}

#[test]
fn programs_get_a_line_for_each_look() {
    let ran = doctor(&crash()).arg("--watch=60").arg("--rounds=3").arg("--output=json").go().exits(2);
    let looks: Vec<Json> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let found: Vec<usize> = looks.iter().map(|look| look["findings"].as_array().unwrap().len()).collect();
    assert_eq!(found, [0, 0, 1]);
    assert_eq!(looks[2]["findings"][0]["check"], "dead");
    assert!(looks.iter().all(|look| look["at"].as_str().unwrap().starts_with("2026-11-22T12:0")), "{looks:?}");
}

#[test]
fn a_look_that_fails_is_told_and_the_next_one_is_taken() {
    let gone = json!({"faults": [{"kind": "etcd_fails", "after": 65, "lasts": 10}]});
    let ran = doctor(&gone).arg("--watch").arg("--rounds=3").go().exits(0);
    ran.stderr_contains("no look was possible");
    let always = json!({"faults": [{"kind": "etcd_fails"}]});
    doctor(&always).arg("--watch").arg("--rounds=2").go().exits(3).stdout("");
    let last = json!({"faults": [{"kind": "etcd_fails", "after": 65, "lasts": 60}]});
    doctor(&last).arg("--watch").arg("--rounds=2").go().exits(3).stderr_contains("no look was possible");
}
