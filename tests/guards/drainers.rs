//! Guards about the Drainers: binlog is kept for those that are not offline.

use super::situation::*;
use binlogsh::world::GuardName::*;

#[test]
fn stuck_drainer_names_whom_the_pump_would_wait_for() {
    let close = r#"offline_pump("pump-2", #{$})"#;
    let forever = "the Pump would wait in `closing`, without end, for what does not read on: ";
    let paused = Situation::sample("paused-drainer");
    paused.refuses(close, &[StuckDrainer], &[]).says(&["drainer-0 (record paused, probe refused)", forever]);
    let dead = Situation::sample("dead-drainer");
    dead.refuses(close, &[StuckDrainer], &[]).says(&["drainer-1 (record online, probe refused)", forever]);
    let hung = Situation::sample("default").first(r#"hang("drainer-0")"#);
    hung.refuses(close, &[StuckDrainer], &[]).says(&["drainer-0 (record online, probe silent)"]);
    let old = r#"{"id": "drainer-old", "address": "d0:8249", "process": "dead", "lag": "1h"}"#;
    let reused = Situation::of(PUMPS, &format!("{DRAINER}, {old}"));
    let close_one = r#"offline_pump("pump-1", #{$})"#;
    reused.refuses(close_one, &[StuckDrainer], &[]).says(&["drainer-old (record online, probe other (drainer-0))"]);
}

#[test]
fn stuck_drainer_tells_a_drainer_that_stands_still_from_one_that_lags() {
    let close = r#"offline_pump("pump-2", #{$})"#;
    let stalled = Situation::sample("default").first(r#"fault("stall", "drainer-1"); sleep(60)"#);
    stalled.refuses(close, &[StuckDrainer], &[]).says(&["drainer-1 (stands still, 1m"]);
    let just_now = Situation::sample("default").first(r#"fault("stall", "drainer-1"); sleep(10)"#);
    just_now.allows(close);
    Situation::sample("lagging-drainer").allows(close);
}

#[test]
fn a_key_that_is_no_record_holds_up_every_close() {
    let close = r#"offline_pump("pump-2", #{$})"#;
    let drainer = Situation::sample("default").with_key(BROKEN_DRAINER);
    drainer
        .refuses(close, &[StuckDrainer], &[])
        .says(&[BROKEN_DRAINER, "is no record: the Pump would wait in `closing` until it is forgotten"]);
    let pump = Situation::sample("default").with_key(BROKEN_PUMP);
    pump.refuses(close, &[StuckPump], &[]).says(&[BROKEN_PUMP, "would never learn that the Pump went offline"]);
    pump.allows(r#"forget_pump("broken", #{$})"#);
    drainer.allows(r#"forget_drainer("broken", #{$})"#);
}

#[test]
fn no_drainer_says_what_a_close_would_lose() {
    let close = r#"offline_pump("pump-0", #{$})"#;
    let lost = ["no Drainer is registered that is not offline", "what was not consumed is lost"];
    Situation::of(PUMPS, "").refuses(close, &[], &[NoDrainer]).says(&lost);
    let retired = r#"{"id": "drainer-0", "address": "d0:8249", "record": "offline", "process": "dead", "lag": "1h"}"#;
    Situation::of(PUMPS, retired).refuses(close, &[], &[NoDrainer]).says(&lost);
    let hidden = Situation::of(PUMPS, "").with_key(BROKEN_DRAINER);
    hidden.refuses(close, &[StuckDrainer], &[NoDrainer]).says(&lost).says(&["of a Drainer, and counts for none"]);
    let lost_alive = r#"kill("pump-1"); pause_pump("pump-0", #{ force: ["last_pump"] })"#;
    Situation::of(PUMPS, "").allows(lost_alive);
}

#[test]
fn no_drainer_counts_none_that_says_it_has_read_more_than_there_is() {
    let ahead = r#"{"id": "drainer-0", "address": "d0:8249", "extra": {"maxCommitTS": 9223372036854775807}}"#;
    let words = ["the maxCommitTS of drainer-0 (by ", "is ahead of PD's time", "what it has not consumed is lost"];
    Situation::of(PUMPS, ahead).refuses(r#"offline_pump("pump-0", #{$})"#, &[StuckDrainer], &[NoDrainer]).says(&words);
}

#[test]
fn last_drainer_keeps_the_one_that_binlog_is_kept_for() {
    let words = ["no other Drainer is registered", "the next Pump that closes waits for nobody"];
    let close = r#"offline_drainer("drainer-0", #{$})"#;
    Situation::of(PUMPS, DRAINER).refuses(close, &[], &[LastDrainer]).says(&words);
    let retired = r#"{"id": "drainer-1", "address": "d1:8249", "record": "offline", "process": "dead", "lag": "1h"}"#;
    Situation::of(PUMPS, &format!("{DRAINER}, {retired}")).refuses(close, &[], &[LastDrainer]).says(&words);
    let hidden = Situation::of(PUMPS, DRAINER).with_key(BROKEN_DRAINER);
    hidden.refuses(close, &[], &[LastDrainer]).says(&words).says(&[BROKEN_DRAINER]);
    let dead = r#"{"id": "drainer-0", "address": "d0:8249", "process": "dead", "lag": "1h"}"#;
    let relabel = r#"update_drainer("drainer-0", "offline", #{$})"#;
    Situation::of(PUMPS, dead).refuses(relabel, &[], &[LastDrainer]).says(&words);
    Situation::of(PUMPS, dead).allows(r#"update_drainer("drainer-0", "paused", #{$})"#);
    Situation::sample("dead-drainer").allows(r#"update_drainer("drainer-1", "offline", #{$})"#);
}

#[test]
fn the_question_before_a_drainer_pauses_names_its_deadline() {
    let calm = Situation::sample("default");
    let text = calm.question(r#"pause_drainer("drainer-0")"#);
    assert!(text.starts_with("pause drainer drainer-0 (10.0.1.21:8249), whose record says online\n"), "{text}");
    assert!(text.contains("\n  note: it must be back before 2026-11-29T"), "{text}");
    assert!(text.contains(", in 6d23h (its checkpoint plus 7 days"), "{text}");
    assert!(text.contains("GC does not wait for it") && text.ends_with("Do it?"), "{text}");
    let late = r#"{"id": "drainer-0", "address": "d0:8249", "lag": "9d", "speed": 0.1}"#;
    let text = Situation::of(PUMPS, late).question(r#"pause_drainer("drainer-0")"#);
    assert!(text.contains("GC may be past it already"), "{text}");
}
