//! A rehearsal in parts: each part says what it is, and together they are the whole.

use super::{LEAVES_A_DRAINER, json, no_result, rehearse};
use crate::harness::{Ran, Shell};
use binlogsh::error::ErrorKind;
use serde_json::{Value as Json, json as value};

fn part(shard: &str, more: &[&str]) -> String {
    let shard = format!("--shard={shard}");
    let args: Vec<&str> = ["--futures=100", "-o", "json", &shard].into_iter().chain(more.iter().copied()).collect();
    let ran = rehearse(LEAVES_A_DRAINER, &args);
    assert!(ran.code == 0 || ran.code == 9, "{}", ran.stderr);
    ran.stdout
}

fn merge(answers: &[&str], format: &str) -> Ran {
    let shell = Shell::new(&["rehearse", "-o", format, "--merge"]);
    let named = answers.iter().enumerate().fold(shell, |shell, (at, text)| {
        let name = format!("part-{at}.json");
        shell.file(&name, text).arg(name)
    });
    named.go()
}

fn edited(answer: &str, edit: impl FnOnce(&mut Json)) -> String {
    let mut json = serde_json::from_str(answer).unwrap();
    edit(&mut json);
    json.to_string()
}

#[test]
fn three_parts_together_are_the_whole() {
    let whole = rehearse(LEAVES_A_DRAINER, &["--futures=100", "-o", "json"]).exits(9).stdout;
    let parts = ["1/3", "2/3", "3/3"].map(|shard| part(shard, &[]));
    let sizes = parts.each_ref().map(|part| serde_json::from_str::<Json>(part).unwrap()["futures"].as_u64().unwrap());
    assert_eq!(sizes, [34, 33, 33]);
    for order in [[0, 1, 2], [2, 0, 1]] {
        assert_eq!(merge(&order.map(|at| parts[at].as_str()), "json").exits(9).stdout, whole);
    }
    let two = merge(&[&parts[0], &parts[2]], "json").exits(9).stdout;
    assert_eq!(json(&merge(&[&two], "json"))["shards"], value!([[1, 3], [3, 3]]));
    assert_eq!(merge(&[&two, &parts[1]], "json").exits(9).stdout, whole, "what was added up can be added up again");
    let shown = merge(&parts.each_ref().map(String::as_str), "table").exits(9);
    shown.stdout_contains("100 futures of s.rhai (100 from seed 1)").stdout_contains("The script does harm in");
}

#[test]
fn parts_that_are_missing_are_named() {
    let parts = ["1/3", "3/3"].map(|shard| part(shard, &[]));
    merge(&parts.each_ref().map(String::as_str), "table").stderr_contains("not all parts: there is no 2/3\n");
    let many = edited(&parts[0], |json| json["shards"] = value!([[1, 1_000_000_000_000_000_000_u64]]));
    merge(&[&many], "table").stderr_contains("there is no 2/1000000000000000000, 3/").stderr_contains(" and others");
}

#[test]
fn numbers_that_nobody_can_count_to_end_nothing() {
    let most = |shard: [u64; 2]| {
        edited(&part(&format!("{}/{}", shard[0], shard[1]), &[]), |json| {
            for name in ["futures", "unplayed", "harmful", "unlucky"] {
                json[name] = value!(u64::MAX);
            }
            for map in ["outcomes", "duration", "halted"] {
                json[map].as_object_mut().unwrap().values_mut().for_each(|count| *count = value!(u64::MAX));
            }
            for with in json["faults"].as_object_mut().unwrap().values_mut() {
                with.as_object_mut().unwrap().values_mut().for_each(|count| *count = value!(u64::MAX));
            }
        })
    };
    let (one, two) = (most([1, 2]), most([2, 2]));
    merge(&[&one, &two], "table").exits(9).stdout_contains(&format!("{0} of {0} futures of s.rhai", u64::MAX));
    assert_eq!(json(&merge(&[&one, &two], "json").exits(9))["unplayed"], value!(u64::MAX));
}

#[test]
fn answers_that_do_not_belong_together_are_refused() {
    let (one, two) = (part("1/3", &[]), part("2/3", &[]));
    let refused = |answers: &[&str], kind: ErrorKind, why: &str| {
        let ran = merge(answers, "table").fails(kind).stderr_contains(why).stderr_contains("hint");
        no_result(&ran);
    };
    refused(&[&one, &two, &one], ErrorKind::Conflict, "the part 1/3 is there twice");
    refused(&[&one, &part("2/2", &[])], ErrorKind::Conflict, "2/2");
    refused(&[&one, &part("2/3", &["--seed=2"])], ErrorKind::Conflict, "not about the same rehearsal");
    refused(&[&one, &part("2/3", &["--faults=crash"])], ErrorKind::Conflict, "not about the same rehearsal");
    let other = edited(&two, |json| json["subject"]["hash"] = value!("0123456789abcdef"));
    refused(&[&one, &other], ErrorKind::Conflict, "not about the same rehearsal");
    refused(&[&one, &two[..two.len() / 2]], ErrorKind::Invalid, "part-1.json");
    refused(&[&one, ""], ErrorKind::Invalid, "part-1.json");
    refused(&[&one, "[]"], ErrorKind::Invalid, "part-1.json");
    let newer = edited(&two, |json| {
        json["version"] = value!(3);
        json["new"] = value!(3);
    });
    refused(&[&one, &newer], ErrorKind::Invalid, "version 3");
    let odd = edited(&two, |json| json["outcoms"] = value!({}));
    refused(&[&one, &odd], ErrorKind::Invalid, "outcoms");
    let ran = Shell::new(&["rehearse", "--merge", "nowhere.json"]).go().fails(ErrorKind::NotFound);
    ran.stderr_contains("nowhere.json");
}
