mod screens;
mod streams;

use super::*;
use crate::error::{ErrorKind, Place};
use crate::node::{Node, Record};
use crate::time::{Time, Zone};
use insta::assert_snapshot;

fn node(kind: &str, id: &str, state: &str, odd: &[&str]) -> Value {
    let json = format!(
        r#"{{"nodeId":"{id}","host":"10.0.0.5:8250","state":"{state}","maxCommitTS":470641375911346178,"updateTS":470641375911346178}}"#
    );
    let record = Record::parse(&format!("/tidb-binlog/v1/{kind}s/{id}"), json.as_bytes(), 7).unwrap();
    Node { record, lag: Some(0.412), heartbeat_age: None, odd: odd.iter().map(|odd| (*odd).to_owned()).collect() }
        .into()
}

fn nodes() -> Value {
    Value::List(vec![
        node("pump", "pump-0", "online", &[]),
        node("drainer", "drainer-0", "paused", &["heartbeat frozen", "same address as pump-0"]),
    ])
}

fn maps() -> Value {
    Value::List(vec![
        Value::map([("id", "a,b".into()), ("n", 1.into())]),
        Value::map([("id", "say \"hi\"\nthere".into()), ("when", Time::new(1_790_000_000_123, Zone::Utc).into())]),
    ])
}

fn shown(value: &Value, format: Format) -> String {
    render(value, format, Look::default())
}

#[test]
fn nodes_are_a_table_without_borders() {
    assert_snapshot!(shown(&nodes(), Format::Table), @"
    id         kind     state     address         lag  heartbeat_age  odd
    pump-0     pump     online    10.0.0.5:8250  0.4s              -
    drainer-0  drainer  paused ~  10.0.0.5:8250  0.4s              -  ! heartbeat frozen; same address as pump-0
    ");
}

#[test]
fn every_other_format_has_every_property_of_a_node() {
    assert_snapshot!(shown(&nodes(), Format::Csv), @"
    id,kind,state,address,max_commit_ts,updated,heartbeat_age,lag,odd
    pump-0,pump,online,10.0.0.5:8250,470641375911346178,2026-11-22T13:32:49.779Z,,0.412,
    drainer-0,drainer,paused,10.0.0.5:8250,470641375911346178,2026-11-22T13:32:49.779Z,,0.412,heartbeat frozen; same address as pump-0
    ");
    assert_snapshot!(shown(&nodes(), Format::Vertical), @"
    *************************** 1. row ***************************
               id: pump-0
             kind: pump
            state: online
          address: 10.0.0.5:8250
    max_commit_ts: 470641375911346178
          updated: 2026-11-22T13:32:49.779Z
    heartbeat_age: -
              lag: 0.4s
              odd:
    *************************** 2. row ***************************
               id: drainer-0
             kind: drainer
            state: paused ~
          address: 10.0.0.5:8250
    max_commit_ts: 470641375911346178
          updated: 2026-11-22T13:32:49.779Z
    heartbeat_age: -
              lag: 0.4s
              odd: ! heartbeat frozen; same address as pump-0
    ");
    assert_snapshot!(shown(&node("pump", "pump-0", "online", &["old"]), Format::Json), @r#"
    {
      "id": "pump-0",
      "kind": "pump",
      "state": "online",
      "address": "10.0.0.5:8250",
      "max_commit_ts": 470641375911346178,
      "updated": "2026-11-22T13:32:49.779Z",
      "heartbeat_age": null,
      "lag": 0.412,
      "odd": [
        "old"
      ]
    }
    "#);
}

#[test]
fn a_single_node_is_a_line_per_property() {
    assert_snapshot!(shown(&node("pump", "pump-0", "online", &[]), Format::Table), @"
    id             pump-0
    kind           pump
    state          online
    address        10.0.0.5:8250
    max_commit_ts  470641375911346178
    updated        2026-11-22T13:32:49.779Z
    heartbeat_age  -
    lag            0.4s
    odd
    ");
}

#[test]
fn maps_share_the_union_of_their_columns() {
    assert_snapshot!(shown(&maps(), Format::Table), @r#"
    id               n  when
    a,b              1  -
    say "hi"\nthere  -  2026-09-21T14:13:20.123Z
    "#);
    assert_snapshot!(shown(&maps(), Format::Csv), @r#"
    id,n,when
    "a,b",1,
    "say ""hi""
    there",,2026-09-21T14:13:20.123Z
    "#);
    assert_snapshot!(shown(&maps(), Format::Vertical), @r#"
    *************************** 1. row ***************************
    id: a,b
     n: 1
    *************************** 2. row ***************************
      id: say "hi"\nthere
    when: 2026-09-21T14:13:20.123Z
    "#);
    assert_snapshot!(shown(&maps(), Format::Json), @r#"
    [
      {
        "id": "a,b",
        "n": 1
      },
      {
        "id": "say \"hi\"\nthere",
        "when": "2026-09-21T14:13:20.123Z"
      }
    ]
    "#);
}

#[test]
fn what_is_nested_is_compact() {
    let inner = Value::map([("leader", "pd-0".into()), ("ids", vec![1_i64, 2].into())]);
    let value = Value::map([("inner", inner), ("names", vec!["a", "b"].into()), ("none", Value::Unit)]);
    assert_snapshot!(shown(&value, Format::Table), @r#"
    inner  {"leader":"pd-0","ids":[1,2]}
    names  a; b
    none   -
    "#);
}

#[test]
fn one_value_stands_alone() {
    assert_eq!(shown(&Value::Int(470_641_375_911_346_178), Format::Table), "470641375911346178\n");
    assert_eq!(shown(&Value::Int(470_641_375_911_346_178), Format::Json), "470641375911346178\n");
    assert_eq!(shown(&"two\nlines".into(), Format::Table), "two\nlines\n");
    assert_eq!(shown(&"two\nlines".into(), Format::Csv), "value\n\"two\nlines\"\n");
    assert_eq!(shown(&Value::Float(f64::NAN), Format::Json), "null\n");
    assert_eq!(shown(&vec![1.5, 2.0].into(), Format::Table), "value\n  1.5\n  2.0\n");
    assert_eq!(shown(&Value::List(vec![]), Format::Table), "(none)\n");
    assert_eq!(shown(&Value::List(vec![]), Format::Json), "[]\n");
    for format in Format::ALL.iter().copied() {
        assert_eq!(shown(&Value::Unit, format), "", "{format:?}");
    }
}

#[test]
fn no_text_from_the_cluster_drives_the_terminal() {
    let evil = Value::List(vec![Value::map([("a\x1b[1m", "\x1b[2J\u{9b}K\u{202e}\x7f\n".into())])]);
    for format in Format::ALL.iter().copied() {
        let text = shown(&evil, format);
        let bad = text.chars().find(|c| *c != '\n' && (c.is_control() || *c == '\u{202e}'));
        assert_eq!(bad, None, "{format:?}: {text:?}");
    }
    let back: serde_json::Value = serde_json::from_str(&shown(&evil, Format::Json)).unwrap();
    assert_eq!(back, to_json(&evil), "JSON still means the same");
}

fn failure() -> ScriptError {
    let error = Error::new(ErrorKind::Refused, "not done: close pump-1\n  stuck_drainer: drainer-0 is paused")
        .hint("fix what the guard names")
        .source("HTTP 200, code 3");
    let text = "\tlet ü = 1; offline_pump(\"pump-1\")".to_owned();
    ScriptError {
        error,
        place: Some(Box::new(Place { file: "x.rhai".into(), line: 12, column: Some(13), text })),
        called_from: None,
        step: None,
    }
}

#[test]
fn an_error_shows_the_line_with_a_caret_and_a_hint() {
    assert_snapshot!(for_people(&failure(), false), @r#"
    error[refused]: not done: close pump-1
      stuck_drainer: drainer-0 is paused: HTTP 200, code 3
      --> x.rhai:12:13
       |
    12 |     let ü = 1; offline_pump("pump-1")
       |                ^
    hint: fix what the guard names
    "#);
    let bare = ScriptError::from(Error::not_found("no Pump `pmp-1`").hint("did you mean `pump-1`?"));
    assert_snapshot!(for_people(&bare, false), @"
    error[not_found]: no Pump `pmp-1`
    hint: did you mean `pump-1`?
    ");
}

#[test]
fn with_json_an_error_is_one_object_on_one_line() {
    assert_snapshot!(for_programs(&failure(), 3), @r#"{"error":{"kind":"refused","message":"not done: close pump-1\n  stuck_drainer: drainer-0 is paused","hint":"fix what the guard names","source":"HTTP 200, code 3","exit_code":3},"place":{"file":"x.rhai","line":12,"column":13,"text":"\tlet ü = 1; offline_pump(\"pump-1\")"},"called_from":null,"step":null}"#);
    let stopped = ScriptError::from(Error::interrupted(Some(15), "stopped by SIGTERM"));
    assert!(for_programs(&stopped, stopped.error.exit_code()).contains("\"exit_code\":143"));
}

#[test]
fn an_unknown_format_names_the_nearest() {
    assert_eq!(Format::from_name("jsn").unwrap_err().hint.unwrap(), "did you mean `json` or `jsonl`?");
}
