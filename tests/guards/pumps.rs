//! Guards about the other Pumps: TiDB needs one to write to, merging needs all of them.

use super::situation::*;
use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, NodeRef};
use binlogsh::world::GuardName::*;
use binlogsh::world::{Action, Change, Request};

#[test]
fn last_pump_refuses_to_leave_tidb_without_a_pump() {
    let two_dead = Situation::sample("default").first(r#"kill("pump-0"); kill("pump-2")"#);
    two_dead.refuses(r#"pause_pump("pump-1", #{$})"#, &[LastPump], &[]).says(&[
        "pause pump pump-1 (10.0.1.12:8250), whose record says online",
        "pump-0 (record online, probe refused), pump-2 (record online, probe refused)",
        "TiDB would stop, or skip binlog without a word",
    ]);
    let paused = Situation::of(PUMPS, DRAINER).first(r#"pause_pump("pump-1")"#);
    paused.refuses(r#"offline_pump("pump-0", #{$})"#, &[LastPump, StuckPump], &[]).says(&["pump-1 (record paused"]);
    let alone = Situation::of(r#"{"id": "pump-0", "address": "p0:8250"}"#, DRAINER);
    alone.refuses(r#"pause_pump("pump-0", #{$})"#, &[LastPump], &[]).says(&["there is no other"]);
    alone.refuses(r#"offline_pump("pump-0", #{$})"#, &[LastPump], &[]);
    let hung = Situation::of(PUMPS, DRAINER).first(r#"hang("pump-1")"#);
    hung.refuses(r#"pause_pump("pump-0", #{$})"#, &[LastPump, PumpClosing], &[]).says(&["probe silent"]);
}

#[test]
fn last_pump_does_not_take_the_pump_itself_for_another_one() {
    let world = Situation::of(r#"{"id": "pump-0", "address": "p0:8250"}"#, DRAINER).world();
    let moved = NodeRef { kind: Kind::Pump, id: "pump-0".into(), address: "elsewhere:8250".into() };
    let error = perform(world, Request::Change(Change::Act { node: moved, action: Action::Pause })).unwrap_err();
    assert_eq!((error.kind, named(&error)), (ErrorKind::Refused, sorted(&[LastPump])), "{error}");
}

#[test]
fn no_pump_keeps_a_tidb_server_from_skipping_again_and_the_question_says_what_is_lost() {
    let skipping = Situation::sample("skipping-tidb");
    let call = r#"recover_tidb("10.0.1.32:4000", #{$})"#;
    let asked = skipping.question(&call.replace('$', ""));
    for words in [
        "have the TiDB server 10.0.1.32:4000 write binlog again",
        "note: what it has skipped is lost to every Drainer: each downstream needs a new full backup",
    ] {
        assert!(asked.contains(words), "{asked}");
    }
    skipping.allows(&call.replace('$', ""));
    let nobody = skipping.first(r#"kill("pump-0"); kill("pump-1"); kill("pump-2")"#);
    nobody.refuses(call, &[NoPump], &[]).says(&["no Pump is online and answers", "skip binlog again"]);
}

#[test]
fn a_question_says_how_far_behind_they_are_for_whom_a_pump_would_wait() {
    let asked = Situation::sample("lagging-drainer").question(r#"offline_pump("pump-1")"#);
    assert!(
        asked.contains("just now: drainer drainer-1 is 6d17h behind: pump-1 closes only when it has read"),
        "{asked}"
    );
    let asked = Situation::sample("lagging-drainer").question(r#"pause_pump("pump-1")"#);
    assert!(!asked.contains("behind"), "{asked}");
    let asked = Situation::sample("default").question(r#"offline_pump("pump-1")"#);
    assert!(!asked.contains("behind"), "{asked}");
}

#[test]
fn a_question_says_that_the_node_itself_gives_no_answer() {
    let code = r#"hang("pump-2"); hang("drainer-1"); sleep(20); try { pause_pump("pump-2") } catch (err) {}"#;
    let own = "just now: pump pump-2 itself gives no answer, and may not do what it is told; drainer drainer-1 gives";
    let text = Situation::sample("default").question(code);
    assert!(text.contains(own), "{text}");
}

#[test]
fn pump_closing_protects_a_pump_that_waits() {
    let closing = Situation::sample("closing-pump");
    let waits = ["pump-1 is closing: it could not finish while this node is down"];
    closing.refuses(r#"pause_pump("pump-0", #{$})"#, &[PumpClosing], &[]).says(&waits);
    closing.refuses(r#"pause_drainer("drainer-1", #{$})"#, &[PumpClosing], &[]).says(&waits);
    let lost = ["pump-1 is closing: it would be released, and what this Drainer has not read is lost"];
    closing.refuses(r#"offline_drainer("drainer-1", #{$})"#, &[], &[PumpClosing]).says(&lost);
    closing.refuses(r#"update_drainer("drainer-0", "offline", #{$})"#, &[], &[PumpClosing]).says(&lost);
    closing.allows(r#"update_pump("pump-1", "paused", #{ force: ["alive"] })"#);
}

#[test]
fn pump_closing_is_unknown_while_a_pump_may_close_unseen() {
    let hung = Situation::sample("default").first(r#"hang("pump-2")"#);
    let silent = [
        "pump_closing: unknown, which refuses: whether a Pump is closing (if so, it",
        "since a probe of pump-2 is silent",
    ];
    hung.refuses(r#"pause_pump("pump-0", #{$})"#, &[PumpClosing], &[]).says(&silent);
    hung.refuses(r#"offline_drainer("drainer-0", #{$})"#, &[], &[PumpClosing]).says(&silent);
    let broken = Situation::sample("default").with_key(BROKEN_PUMP);
    broken.refuses(r#"pause_drainer("drainer-0", #{$})"#, &[PumpClosing], &[]).says(&[BROKEN_PUMP, "is no record"]);
}

#[test]
fn stuck_pump_names_the_pump_that_stops_merging() {
    let close = r#"offline_pump("pump-0", #{$})"#;
    let still = "merging stands still, and the Pump would wait in `closing`: ";
    let paused = Situation::sample("default").first(r#"pause_pump("pump-2")"#);
    paused.refuses(close, &[StuckPump], &[]).says(&["pump-2 (record paused, probe refused)", still]);
    let hung = Situation::sample("default").first(r#"hang("pump-2")"#);
    hung.refuses(close, &[StuckPump], &[]).says(&["pump-2 (record online, probe silent)", still]);
    let lost = Situation::sample("lost-pump");
    lost.refuses(close, &[StuckDrainer, StuckPump], &[])
        .says(&["pump-2 (record online, probe refused)", "drainer-0 (stands still, 1h"]);
    let closing = Situation::sample("closing-pump");
    closing.refuses(close, &[StuckDrainer, StuckPump], &[]).says(&["pump-1 (record online, probe closing)"]);
    with_old_pump(DRAINER).allows(r#"offline_pump("pump-1", #{$})"#);
}
