//! What `manual` takes beside nodes that are there: those that have no record yet, and Pumps on whose disks it makes room.

use crate::harness::Shell;
use binlogsh::error::ErrorKind;

#[test]
fn manual_starts_a_node_that_has_no_record_yet() {
    Shell::sandbox("default")
        .yes()
        .eval(
            r#"manual("start it", #{ starts: [#{ kind: "pump", id: "pump-3", address: "10.0.1.14:8250" }], takes: "5s" });
               wait_until("it is there", || pumps().len() == 4, "1m");
               wait_for("pump-3", "online", "1m");
               pump("pump-3").address"#,
        )
        .succeeds()
        .stdout("10.0.1.14:8250");
}

#[test]
fn manual_moves_a_node_that_has_a_record() {
    Shell::sandbox("default")
        .yes()
        .eval(
            r#"pause_drainer("drainer-0", #{ wait: "1m" });
               manual("move it", #{ starts: [#{ kind: "drainer", id: "drainer-0", address: "10.0.1.29:8249" }] });
               wait_for("drainer-0", "online", "1m");
               drainer("drainer-0").address"#,
        )
        .succeeds()
        .stdout("10.0.1.29:8249");
}

#[test]
fn a_new_node_needs_a_kind_an_id_and_an_address() {
    for (node, says) in [
        (r#"#{ kind: "pmup", id: "p", address: "h:1" }"#, "must be #{ kind:"),
        (r#"#{ kind: "pump", id: "p" }"#, "must be #{ kind:"),
        (r#"#{ kind: "pump", id: "", address: "h:1" }"#, "must be #{ kind:"),
        (r#"#{ kind: "pump", id: "p", adress: "h:1" }"#, "has no `adress`"),
        (r#"#{ kind: "pump", id: "p", address: "10.0.0.1" }"#, "`10.0.0.1` is no host:port"),
        (r#"#{ kind: "pump", id: "p", address: ":8250" }"#, "`:8250` is no host:port"),
        (r#"#{ kind: "pump", id: "p", address: "h:0" }"#, "`h:0` is no host:port"),
    ] {
        let code = format!(r#"manual("start it", #{{ starts: [{node}] }})"#);
        Shell::sandbox("default").yes().eval(&code).fails(ErrorKind::Invalid).stderr_contains(says);
    }
}

#[test]
fn a_function_that_acts_on_one_node_takes_no_new_one() {
    let code = r#"pause_pump(#{ kind: "pump", id: "pump-1", address: "10.0.1.12:8250" })"#;
    Shell::sandbox("default").yes().eval(code).fails(ErrorKind::Invalid);
}

#[test]
fn manual_makes_room_on_a_disk() {
    Shell::sandbox("full-disk")
        .yes()
        .eval(
            r#"import "gc" as gc;
               let before = gc::disk("pump-1").available;
               manual("make room", #{ frees: ["pump-1"] });
               before < 10.0 && gc::disk("pump-1").available >= 250.0"#,
        )
        .succeeds()
        .stdout("true");
}
