//! Whole screens: what a table looks like where there is less room than it would like.

use super::*;
use crate::output::wrapping::columns_of;

/// The screens of these widths, below each other. No line is wider than its screen.
fn screens(value: &Value, widths: &[u16]) -> String {
    let screen = |width: &u16| {
        let text = render(value, Format::Table, Look { width: Some(*width), colors: false });
        let widest = text.lines().map(columns_of).max().unwrap_or(0);
        assert!(widest <= usize::from(*width), "{widest} of {width}: {text}");
        assert!(text.lines().all(|line| line == line.trim_end()), "{text}");
        format!("{}\n{text}", "-".repeat(usize::from(*width)))
    };
    widths.iter().map(screen).collect()
}

fn old(id: &str, state: &str, age: f64) -> Value {
    let Value::Node(node) = node("pump", id, state, &[]) else { unreachable!() };
    Node { heartbeat_age: Some(age), lag: Some(age), ..(*node).clone() }.into()
}

fn some_nodes() -> Value {
    Value::List(vec![
        old("pump-0", "online", 2.96),
        node("drainer", "drainer-0", "paused", &["heartbeat frozen", "same address as pump pump-0"]),
        old("pump-2", "offline", 7_500.0),
        old("pump-3", "weird", 60.0),
    ])
}

#[test]
fn nodes_on_a_screen_of_120_and_of_80_columns() {
    assert_snapshot!(screens(&some_nodes(), &[120, 80]), @"
    ------------------------------------------------------------------------------------------------------------------------
    id         kind     state      address          lag  heartbeat_age  odd
    pump-0     pump     online     10.0.0.5:8250   3.0s           3.0s
    drainer-0  drainer  paused ~   10.0.0.5:8250   0.4s              -  ! heartbeat frozen; same address as pump pump-0
    pump-2     pump     offline x  10.0.0.5:8250  2h05m          2h05m
    pump-3     pump     weird !    10.0.0.5:8250  1m00s          1m00s
    --------------------------------------------------------------------------------
    id         kind     state      address          lag  heartbeat_  odd
                                                                age
    pump-0     pump     online     10.0.0.5:8250   3.0s        3.0s
    drainer-0  drainer  paused ~   10.0.0.5:8250   0.4s           -  ! heartbeat
                                                                     frozen; same
                                                                     address as pump
                                                                     pump-0
    pump-2     pump     offline x  10.0.0.5:8250  2h05m       2h05m
    pump-3     pump     weird !    10.0.0.5:8250  1m00s       1m00s
    ");
}

#[test]
fn nodes_on_a_screen_of_60_columns() {
    assert_snapshot!(screens(&some_nodes(), &[60]), @"
    ------------------------------------------------------------
    ************************** 1. row **************************
               id: pump-0
             kind: pump
            state: online
          address: 10.0.0.5:8250
              lag: 3.0s
    heartbeat_age: 3.0s
    ************************** 2. row **************************
               id: drainer-0
             kind: drainer
            state: paused ~
          address: 10.0.0.5:8250
              lag: 0.4s
    heartbeat_age: -
              odd: ! heartbeat frozen; same address as pump
                   pump-0
    ************************** 3. row **************************
               id: pump-2
             kind: pump
            state: offline x
          address: 10.0.0.5:8250
              lag: 2h05m
    heartbeat_age: 2h05m
    ************************** 4. row **************************
               id: pump-3
             kind: pump
            state: weird !
          address: 10.0.0.5:8250
              lag: 1m00s
    heartbeat_age: 1m00s
    ");
    let Value::List(nodes) = some_nodes() else { unreachable!() };
    let pumps = Value::List(vec![nodes[0].clone(), nodes[2].clone()]);
    assert_snapshot!(screens(&pumps, &[60]), @"
    ------------------------------------------------------------
    id      state      address          lag  heartbeat_age  odd
    pump-0  online     10.0.0.5:8250   3.0s           3.0s
    pump-2  offline x  10.0.0.5:8250  2h05m          2h05m
    ");
}

#[test]
fn nodes_on_a_screen_of_40_columns() {
    assert_snapshot!(screens(&some_nodes(), &[40]), @"
    ----------------------------------------
    **************** 1. row ****************
               id: pump-0
             kind: pump
            state: online
          address: 10.0.0.5:8250
              lag: 3.0s
    heartbeat_age: 3.0s
    **************** 2. row ****************
               id: drainer-0
             kind: drainer
            state: paused ~
          address: 10.0.0.5:8250
              lag: 0.4s
    heartbeat_age: -
              odd: ! heartbeat frozen; same
                   address as pump pump-0
    **************** 3. row ****************
               id: pump-2
             kind: pump
            state: offline x
          address: 10.0.0.5:8250
              lag: 2h05m
    heartbeat_age: 2h05m
    **************** 4. row ****************
               id: pump-3
             kind: pump
            state: weird !
          address: 10.0.0.5:8250
              lag: 1m00s
    heartbeat_age: 1m00s
    ");
}

#[test]
fn long_ids_with_one_beginning_can_be_told_apart_on_every_screen() {
    let id = |at: usize| format!("tidb-binlog-production-pump-{at}.tidb-binlog-production-pump.tidb:8250");
    let list = Value::List((0..2).map(|at| node("pump", &id(at), "online", &[])).collect());
    assert_snapshot!(screens(&list, &[120, 80, 60, 40]), @"
    ------------------------------------------------------------------------------------------------------------------------
    id                                                                   kind  state   address         lag  heartbeat_  odd
                                                                                                                   age
    tidb-binlog-production-pump-0.tidb-binlog-production-pump.tidb:8250  pump  online  10.0.0.5:8250  0.4s           -
    tidb-binlog-production-pump-1.tidb-binlog-production-pump.tidb:8250  pump  online  10.0.0.5:8250  0.4s           -
    --------------------------------------------------------------------------------
    id                                  state   address         lag  heartbeat_  odd
                                                                            age
    tidb-binlog-production-pump-0.      online  10.0.0.5:8250  0.4s           -
    tidb-binlog-production-pump.tidb:
    8250
    tidb-binlog-production-pump-1.      online  10.0.0.5:8250  0.4s           -
    tidb-binlog-production-pump.tidb:
    8250
    ------------------------------------------------------------
    ************************** 1. row **************************
               id: tidb-binlog-production-pump-0.tidb-binlog-
                   production-pump.tidb:8250
            state: online
          address: 10.0.0.5:8250
              lag: 0.4s
    heartbeat_age: -
    ************************** 2. row **************************
               id: tidb-binlog-production-pump-1.tidb-binlog-
                   production-pump.tidb:8250
            state: online
          address: 10.0.0.5:8250
              lag: 0.4s
    heartbeat_age: -
    ----------------------------------------
    **************** 1. row ****************
               id: tidb-binlog-production-
                   pump-0.tidb-binlog-
                   production-pump.tidb:8250
            state: online
          address: 10.0.0.5:8250
              lag: 0.4s
    heartbeat_age: -
    **************** 2. row ****************
               id: tidb-binlog-production-
                   pump-1.tidb-binlog-
                   production-pump.tidb:8250
            state: online
          address: 10.0.0.5:8250
              lag: 0.4s
    heartbeat_age: -
    ");
}

#[test]
fn wide_letters_take_two_columns_each() {
    let row = |id: &str, what: &str| Value::map([("id", id.into()), ("what", what.into()), ("n", 7.into())]);
    let list = Value::List(vec![row("排水器-0", "心拍が止まっている 二日前から 誰も答えない"), row("pump-0", "fine")]);
    assert_snapshot!(screens(&list, &[60, 40, 30]), @"
    ------------------------------------------------------------
    id        what                                        n
    排水器-0  心拍が止まっている 二日前から 誰も答えない  7
    pump-0    fine                                        7
    ----------------------------------------
    id        what                         n
    排水器-0  心拍が止まっている           7
              二日前から 誰も答えない
    pump-0    fine                         7
    ------------------------------
    id        what               n
    排水器-0  心拍が止まってい   7
              る 二日前から
              誰も答えない
    pump-0    fine               7
    ");
}

fn finding(severity: &str, check: &str, what: &str, remedy: &str) -> Value {
    Value::map([
        ("severity", severity.into()),
        ("check", check.into()),
        ("node", "drainer-0".into()),
        ("what", what.into()),
        ("remedy", remedy.into()),
    ])
}

fn findings() -> Value {
    let what = "is no record: the key is nested deeper than a node's";
    let remedy = "look at what it says, then delete it: forget_pump(\"broken\")";
    let paused = finding("warning", "paused_drainer", "is paused, 2h00m behind PD's time", "start it again");
    Value::List(vec![finding("critical", "stray_key", what, remedy), paused])
}

#[test]
fn findings_on_a_screen_of_120_and_of_80_columns() {
    assert_snapshot!(screens(&findings(), &[120, 80]), @r#"
    ------------------------------------------------------------------------------------------------------------------------
    severity  check           node       what                                       remedy
    critical  stray_key       drainer-0  is no record: the key is nested deeper     look at what it says, then delete it:
                                         than a node's                              forget_pump("broken")
    warning   paused_drainer  drainer-0  is paused, 2h00m behind PD's time          start it again
    --------------------------------------------------------------------------------
    severity  check           node       what                   remedy
    critical  stray_key       drainer-0  is no record: the key  look at what it
                                         is nested deeper than  says, then delete
                                         a node's               it: forget_
                                                                pump("broken")
    warning   paused_drainer  drainer-0  is paused, 2h00m       start it again
                                         behind PD's time
    "#);
}

#[test]
fn findings_on_a_screen_of_60_and_of_40_columns() {
    assert_snapshot!(screens(&findings(), &[60, 40]), @r#"
    ------------------------------------------------------------
    ************************** 1. row **************************
    severity: critical
       check: stray_key
        node: drainer-0
        what: is no record: the key is nested deeper than a
              node's
      remedy: look at what it says, then delete it:
              forget_pump("broken")
    ************************** 2. row **************************
    severity: warning
       check: paused_drainer
        node: drainer-0
        what: is paused, 2h00m behind PD's time
      remedy: start it again
    ----------------------------------------
    **************** 1. row ****************
    severity: critical
       check: stray_key
        node: drainer-0
        what: is no record: the key is
              nested deeper than a node's
      remedy: look at what it says, then
              delete it:
              forget_pump("broken")
    **************** 2. row ****************
    severity: warning
       check: paused_drainer
        node: drainer-0
        what: is paused, 2h00m behind PD's
              time
      remedy: start it again
    "#);
}

#[test]
fn nested_values_are_cut_between_their_members() {
    let member = |name: &str| (name.to_owned(), Value::Float(3.020_999_999_999_999_5));
    let nested = Value::Map(["pump-0", "pump-1", "pump-2", "pump-3"].map(member).into_iter().collect());
    let value = Value::List(vec![Value::map([("drainer", "drainer-0".into()), ("positions", nested.clone())])]);
    assert_snapshot!(screens(&value, &[80, 40]), @r#"
    --------------------------------------------------------------------------------
    drainer    positions
    drainer-0  {"pump-0":3.021,"pump-1":3.021,"pump-2":3.021,"pump-3":3.021}
    ----------------------------------------
    drainer    positions
    drainer-0  {"pump-0":3.021,
               "pump-1":3.021,
               "pump-2":3.021,
               "pump-3":3.021}
    "#);
    assert_snapshot!(screens(&Value::map([("positions", nested)]), &[40]), @r#"
    ----------------------------------------
    positions  {"pump-0":3.021,
               "pump-1":3.021,
               "pump-2":3.021,
               "pump-3":3.021}
    "#);
}

#[test]
fn a_table_within_a_record_is_a_table() {
    let nodes = Value::List(vec![old("pump-0", "online", 2.96), old("pump-1", "paused", 7_500.0)]);
    let value = Value::map([("nodes", nodes), ("malformed", Value::List(vec![])), ("ts", 470_641_375_911.into())]);
    assert_snapshot!(screens(&value, &[80, 40]), @"
    --------------------------------------------------------------------------------
    nodes      id      kind  state     address          lag  heartbeat_age  odd
               pump-0  pump  online    10.0.0.5:8250   3.0s           3.0s
               pump-1  pump  paused ~  10.0.0.5:8250  2h05m          2h05m
    malformed
    ts         470641375911
    ----------------------------------------
    nodes
      *************** 1. row ***************
                 id: pump-0
              state: online
            address: 10.0.0.5:8250
                lag: 3.0s
      heartbeat_age: 3.0s
      *************** 2. row ***************
                 id: pump-1
              state: paused ~
            address: 10.0.0.5:8250
                lag: 2h05m
      heartbeat_age: 2h05m
    malformed
    ts         470641375911
    ");
}

#[test]
fn one_absurd_cell_spoils_no_other() {
    for length in [65_534, 65_535, 70_000] {
        let Value::Node(evil) = node("pump", "pump-1", "online", &[]) else { unreachable!() };
        let mut evil = (*evil).clone();
        evil.record.node.address = "x".repeat(length).into();
        let list = Value::List(vec![node("pump", "pump-0", "online", &[]), evil.into()]);
        let text = shown(&list, Format::Table);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        let words: Vec<&str> = lines[1].split_whitespace().collect();
        assert_eq!(words, ["pump-0", "pump", "online", "10.0.0.5:8250", "0.4s", "-"]);
        assert!(lines[2].contains(&format!("xxx ({length} characters)")) && lines[2].len() < 400, "{}", lines[2]);
        let narrow = screens(&list, &[80]);
        assert!(narrow.contains("\npump-0  online  10.0.0.5:8250 "), "{narrow}");
    }
}

#[test]
fn nodes_that_went_offline_long_ago_are_left_out_of_a_table_and_of_nothing_else() {
    let mut all: Vec<Value> = (0..6).map(|at| old(&format!("gone-{at}"), "offline", 100_000.0)).collect();
    all.push(old("fresh", "offline", 3_600.0));
    let offline = Value::List(all.clone());
    all.push(old("pump-0", "online", 1.0));
    let list = Value::List(all.clone());
    assert_snapshot!(shown(&list, Format::Table), @r#"
    id      kind  state      address          lag  heartbeat_age  odd
    fresh   pump  offline x  10.0.0.5:8250  1h00m          1h00m
    pump-0  pump  online     10.0.0.5:8250   1.0s           1.0s
    (6 that have been offline for over a day are left out: see them with pumps().filter(|n| n.state == "offline"))
    "#);
    for format in [Format::Json, Format::Csv, Format::Vertical] {
        assert!(shown(&list, format).contains("gone-5"), "{format:?}");
    }
    assert!(shown(&offline, Format::Table).contains("gone-5"), "what was asked for is shown");
    assert!(shown(&Value::List(all[1..].to_vec()), Format::Table).contains("gone-5"), "five of them hide nothing");
}

#[test]
fn a_state_and_what_is_odd_are_seen_by_colour_and_by_sign() {
    let list =
        Value::List(vec![old("p", "online", 1.0), old("q", "offline", 1.0), node("pump", "r", "closing", &["?"])]);
    let text = render(&list, Format::Table, Look { width: None, colors: true });
    for seen in [
        "\x1b[1mid\x1b[0m",
        "\x1b[32monline\x1b[0m",
        "\x1b[2moffline x\x1b[0m",
        "\x1b[33mclosing ~\x1b[0m",
        "\x1b[33m! ?\x1b[0m",
    ] {
        assert!(text.contains(seen), "{seen:?} in {text:?}");
    }
}
