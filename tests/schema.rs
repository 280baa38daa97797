//! What programs are given: names and types of all that `-o json` and `-o jsonl` write never change without notice.

use crate::harness::{Shell, project};
use crate::support::cluster::LiveCluster;
use crate::support::tiup::{meta_with, meta_yaml, without_end};
use serde_json::Value as Json;
use std::collections::{BTreeMap, BTreeSet};

/// Where it is documented; `docs --reference` has it.
const PAGE: &str = "src/language/documenting/output.md";

const CHANGE: &str = "//! Pauses a Drainer.\nlet id = param(\"id\", #{ default: \"drainer-0\" });\n\
                      step(\"pause\", || pause_drainer(id, #{ wait: \"30s\" }));\n";
const WRONG: &str = "//! Waits for nothing.\nlet unused = 1;\npumps().len()\n";
const TESTS: &str = "fn test_good(t) { }\nfn test_bad(t) { throw \"bad\"; }\n";

/// Objects whose fields are named by kinds of faults, harms and errors, by times, by parameters.
const NAMED_BY_OTHERS: [&str; 8] =
    [".accepted", ".duration", ".faults", ".halted", ".harms", ".outcomes", ".parameters", ".secret_parameters"];

/// Names and types of everything in these documents: a line for each place, `[]` for what is in an array.
fn schema(documents: &[Json]) -> String {
    let mut places = BTreeMap::<String, BTreeSet<&str>>::new();
    documents.iter().for_each(|document| walk(document, "", &mut places));
    let line = |(place, types): (&String, &BTreeSet<&str>)| {
        let types: Vec<&str> = types.iter().copied().collect();
        format!("{} {}\n", if place.is_empty() { "." } else { place }, types.join(" or "))
    };
    places.iter().map(line).collect()
}

fn walk(value: &Json, place: &str, places: &mut BTreeMap<String, BTreeSet<&'static str>>) {
    let sort = match value {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "text",
        Json::Array(items) => {
            items.iter().for_each(|item| walk(item, &format!("{place}[]"), places));
            "array"
        }
        // What a journal keeps has names of its own: see tests/compatibility.
        Json::Object(_) if place.ends_with(".request") || place.ends_with(".answer") => "object",
        Json::Object(fields) => {
            for (name, field) in fields {
                let is_any = NAMED_BY_OTHERS.contains(&place) || place.starts_with(".faults.");
                walk(field, &format!("{place}.{}", if is_any { "*" } else { name }), places);
            }
            "object"
        }
    };
    places.entry(place.to_owned()).or_default().insert(sort);
}

/// The documents that a text has: one, or one in each line.
fn documents(text: &str) -> Vec<Json> {
    serde_json::Deserializer::from_str(text).into_iter::<Json>().map(Result::unwrap).collect()
}

fn json(shell: Shell) -> Shell {
    shell.arg("-o").arg("json")
}

/// A title, and what is written under it.
fn all() -> Vec<(&'static str, String)> {
    let cluster = LiveCluster::sample("default");
    let home = Shell::live(&cluster.url()).file("change.rhai", CHANGE).yes();
    let ran = json(home).run("change.rhai", &[]).succeeds();
    let runs = |args: &[&str]| {
        let shell = args.iter().fold(json(Shell::new(&[])), |shell, arg| shell.arg(*arg));
        documents(&shell.env("HOME", &ran.dir().display().to_string()).go().succeeds().stdout)
    };
    let list = runs(&["runs"]);
    let id = list[0][0]["id"].as_str().unwrap().to_owned();
    let shown = runs(&["runs", "show", &id]);
    let sandbox = |sample: &str| json(Shell::sandbox(sample));
    let stdout = |shell: Shell| documents(&shell.go().stdout);
    let events = Shell::sandbox("default").yes().arg("-o").arg("jsonl");
    let events = events.eval("step(\"a\", || pause_pump(\"pump-1\", #{ wait: \"1m\" })); sleep(3); pmups()").stderr;
    let scripts =
        || json(Shell::new(&[])).file("wrong.rhai", WRONG).file("one_test.rhai", TESTS).file("change.rhai", CHANGE);
    let clusters = || {
        let whole = meta_with("http://pd-1:2379", &["10.0.1.11:8250"], &["10.0.1.21:8249"]);
        let config = "[profiles.eu]\ncluster = \"prod\"\n";
        let home = json(Shell::new(&[])).file(".config/binlogsh/config.toml", config).arg("clusters");
        home.file(&meta_yaml("prod"), &whole)
            .file(&meta_yaml("torn"), "topology:\n")
            .file(&meta_yaml("cut"), &without_end(&whole))
    };
    let rehearse = || scripts().arg("--sandbox=default").arg("rehearse").arg("change.rhai");
    vec![
        ("-e 'pumps() + drainers()'", schema(&stdout(sandbox("closing-pump").arg("-e").arg("pumps() + drainers()")))),
        ("doctor", schema(&stdout(sandbox("closing-pump").arg("doctor").arg("--observe=0s")))),
        (
            "doctor --watch",
            schema(&stdout(
                sandbox("closing-pump").arg("doctor").arg("--observe=0s").arg("--watch=1s").arg("--rounds=2"),
            )),
        ),
        ("check FILES", schema(&stdout(scripts().arg("check").arg("wrong.rhai")))),
        ("test FILES", schema(&stdout(scripts().arg("test").arg("one_test.rhai")))),
        ("scripts", schema(&stdout(scripts().arg("scripts")))),
        ("run SCRIPT --help", schema(&stdout(scripts().arg("run").arg("change.rhai").arg("--help")))),
        ("rehearse SCRIPT", schema(&stdout(rehearse()))),
        ("rehearse SCRIPT --futures 20", schema(&stdout(rehearse().arg("--futures=20")))),
        ("clusters", schema(&stdout(clusters()))),
        ("runs", schema(&list)),
        ("runs show RUN", schema(&shown)),
        ("an error, on standard error", schema(&documents(&sandbox("default").eval("pause_pump(\"pmup-1\")").stderr))),
        ("events of -o jsonl, on standard error", by_event(&documents(&events))),
    ]
}

/// The schema of each event; the error with which it ends is as above.
fn by_event(events: &[Json]) -> String {
    let mut all = BTreeMap::<&str, Vec<Json>>::new();
    for event in events {
        if let Some(name) = event["event"].as_str() {
            all.entry(name).or_default().push(event.clone());
        }
    }
    let block = |(name, events): (&&str, &Vec<Json>)| format!("event {name}\n{}", schema(events));
    all.iter().map(block).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_programs_are_given_is_as_it_is_documented() {
    let mut page = String::new();
    for (title, schema) in all() {
        page.push_str(&format!("\n### {title}\n\n```text\n{schema}```\n"));
    }
    let file = project(PAGE);
    let known = std::fs::read_to_string(&file).unwrap();
    if std::env::var_os("BINLOGSH_RENEW").is_some() {
        let head = known.split("\n### ").next().unwrap();
        std::fs::write(&file, format!("{}\n{page}", head.trim_end())).unwrap();
        return;
    }
    assert!(
        known.ends_with(&page),
        "what programs are given has changed; where that is meant, renew the page with BINLOGSH_RENEW=1:\n{page}"
    );
}
