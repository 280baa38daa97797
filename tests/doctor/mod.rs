//! `doctor` finds what is wrong, and nothing else: each finding has a scenario that shows it and one that does not.

mod exit_codes;
mod findings;
mod gauges;
mod live;
mod own;
mod remedies;
mod watch;

use crate::harness::{Ran, Shell};
use serde_json::{Map, Value as Json};

/// The sample on which all is well, changed: nodes by id (`null` takes one away), everything else as a whole.
fn scenario(changes: &Json) -> String {
    let sample = include_str!("../../src/sim/samples/default.json");
    let mut scenario: Map<String, Json> = serde_json::from_str(sample).unwrap();
    for (part, change) in changes.as_object().unwrap() {
        match part.as_str() {
            "pumps" | "drainers" => {
                let nodes = scenario[part].as_array_mut().unwrap();
                change.as_object().unwrap().iter().for_each(|(id, fields)| change_node(nodes, id, fields));
            }
            _ => drop(scenario.insert(part.clone(), change.clone())),
        }
    }
    Json::Object(scenario).to_string()
}

fn change_node(nodes: &mut Vec<Json>, id: &str, fields: &Json) {
    let Some(fields) = fields.as_object() else { return nodes.retain(|node| node["id"] != id) };
    let at = nodes.iter().position(|node| node["id"] == id).unwrap_or_else(|| {
        nodes.push(serde_json::json!({ "id": id }));
        nodes.len() - 1
    });
    let node = nodes[at].as_object_mut().unwrap();
    // Nobody starts again what the scenario has stopped.
    node.insert("supervisor".into(), false.into());
    node.extend(fields.clone());
}

/// `doctor` on the scenario with these `changes`.
fn doctor(changes: &Json) -> Shell {
    Shell::new(&["--sandbox=scenario.json", "doctor"]).file("scenario.json", &scenario(changes))
}

/// What it found.
#[track_caller]
fn found(ran: &Ran) -> Vec<Json> {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}\n{}\n{}", ran.stdout, ran.stderr))
}
