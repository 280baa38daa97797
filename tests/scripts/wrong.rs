//! Each way in which a script can go wrong: it ends with an error that says what stands in the way, and names what it
//! leaves behind.

use super::{play, script, story, subjects};
use binlogsh::error::ErrorKind;
use binlogsh::rehearsal::Played;
use binlogsh::sim::Scenario;

/// A way to go wrong: the script, its parameters, the cluster, what goes wrong in it, and how it ends.
struct Way {
    name: &'static str,
    more: &'static [(&'static str, &'static str)],
    sample: &'static str,
    faults: &'static [&'static str],
}

impl Way {
    fn play(&self) -> Played {
        play(&subjects(script(self.name), Scenario::named(self.sample).unwrap(), self.more), self.faults)
    }

    /// It ends with an error of this kind that says this, in its message or in its step.
    #[track_caller]
    fn ends(&self, kind: ErrorKind, says: &[&str]) -> Played {
        let played = self.play();
        let told = story(&played).join("\n");
        let error = match &played.ending {
            Err(error) => error,
            Ok(ending) => panic!("{}: {ending:?}\n{told}", self.name),
        };
        let text = format!("{}; in {}", error.error, error.step.as_deref().unwrap_or("no step"));
        assert_eq!(error.error.kind, kind, "{}: {text}\n{told}", self.name);
        for part in says {
            assert!(text.contains(part), "{}: no `{part}` in: {text}\n{told}", self.name);
        }
        played
    }

    /// As `ends`, before anything was changed.
    #[track_caller]
    fn ends_at_once(&self, kind: ErrorKind, says: &[&str]) {
        let played = self.ends(kind, says);
        assert!(played.acts.is_empty(), "{}: {}", self.name, story(&played).join("\n"));
    }
}

const fn way(name: &'static str, sample: &'static str, faults: &'static [&'static str]) -> Way {
    Way { name, more: &[], sample, faults }
}

const NO: &str = r#"{"kind": "human_refuses", "after": 0}"#;

#[test]
fn every_script_that_asks_ends_when_the_operator_says_no() {
    for (name, leaves) in [
        ("rolling_restart", 0),
        ("decommission_pump", 0),
        ("scale_in_to_zero", 0),
        ("scale_out", 0),
        ("first_drainer", 0),
        ("move_drainer", 0),
        ("after_crash", 0),
        ("pump_lost", 0),
        ("disk_full", 0),
        ("stuck_drainer", 0),
        ("clean_up", 0),
        ("to_ticdc", 0),
    ] {
        let sample = script(name).sample;
        let played = way(name, sample, &[NO]).ends(ErrorKind::Refused, &["you said"]);
        let done = played.acts.iter().filter(|act| act.outcome.is_ok()).count();
        assert_eq!(done, leaves, "{name}: {}", story(&played).join("\n"));
    }
}

#[test]
fn every_script_says_so_when_pd_does_not_answer() {
    for script in binlogsh::language::shipped() {
        let gone = way(script.name, script.sample, &[r#"{"kind": "pd_gone", "after": 0, "lasts": "1h"}"#]);
        gone.ends_at_once(ErrorKind::Unreachable, &["PD"]);
    }
}

#[test]
fn a_new_pump_is_not_started_while_it_would_give_up() {
    way("scale_out", "dead-drainer", &[]).ends_at_once(ErrorKind::Failed, &["drainer-1 says online", "refused"]);
    way("scale_out", "malformed-record", &[])
        .ends_at_once(ErrorKind::Failed, &["/drainers/old/drainer-9", "forget_drainer"]);
}

#[test]
fn a_new_pump_takes_nobodys_id_and_nobodys_address() {
    Way { more: &[("pump", "pump-1")], ..way("scale_out", "default", &[]) }
        .ends_at_once(ErrorKind::Failed, &["there is a pump pump-1 already, it is online"]);
    Way { more: &[("address", "10.0.1.11:8250")], ..way("scale_out", "default", &[]) }
        .ends_at_once(ErrorKind::Failed, &["10.0.1.11:8250 is the address of pump-0"]);
}

#[test]
fn a_new_pump_that_does_not_take_part_is_a_timeout_that_names_it() {
    // A Drainer hangs while it is being started: it gives up.
    let dies = &[r#"{"kind": "hang", "node": "drainer-0", "after": "20s", "lasts": "2h"}"#];
    way("scale_out", "default", dies).ends(ErrorKind::Timeout, &["pump pump-3 does not answer yet", "start pump-3"]);
}

#[test]
fn nothing_is_taken_out_while_a_drainer_would_not_read_it() {
    way("scale_in_to_zero", "paused-drainer", &[]).ends_at_once(ErrorKind::Failed, &["drainer-0 is paused"]);
    way("scale_in_to_zero", "lost-pump", &[]).ends_at_once(ErrorKind::Failed, &["pump-2", "refused"]);
    way("decommission_pump", "paused-drainer", &[]).ends_at_once(ErrorKind::Failed, &["drainer-0 is paused"]);
}

#[test]
fn a_drain_that_takes_too_long_names_the_pump_and_leaves_the_others() {
    let stalls = &[r#"{"kind": "stall", "node": "drainer-1", "after": "10m16.5s"}"#];
    let played = Way { more: &[("timeout", "5m")], ..way("scale_in_to_zero", "default", stalls) }
        .ends(ErrorKind::Timeout, &["(10.0.1.11:8250) is not offline", "pump-0: wait until"]);
    let closed = story(&played).iter().filter(|line| line.starts_with("- close")).count();
    assert_eq!(closed, 1);
}

#[test]
fn a_drainer_does_not_begin_before_what_the_pumps_still_have() {
    Way { more: &[("ts", "400962745252184065")], ..way("first_drainer", "no-drainer", &[]) }
        .ends_at_once(ErrorKind::Failed, &["pump-0 has deleted its binlog up to", "has a hole"]);
}

#[test]
fn a_drainer_does_not_begin_in_the_future_nor_where_tidb_writes_no_binlog() {
    Way { more: &[("ts", "470739915827462144")], ..way("first_drainer", "no-drainer", &[]) }
        .ends_at_once(ErrorKind::Failed, &["not over yet"]);
    Way {
        more: &[("drainer", "drainer-5"), ("address", "10.0.1.9:8249")],
        ..way("first_drainer", "skipping-tidb", &[])
    }
    .ends_at_once(ErrorKind::Failed, &["10.0.1.32:4000 is Skipping"]);
}

#[test]
fn a_drainer_that_does_not_come_up_is_named() {
    let dies = &[r#"{"kind": "pd_gone", "after": "59s", "lasts": "1h"}"#];
    Way { more: &[("timeout", "2m")], ..way("first_drainer", "no-drainer", dies) }
        .ends(ErrorKind::Timeout, &["drainer drainer-0 does not answer yet", "start drainer-0"]);
}

#[test]
fn a_drainer_moves_only_once_the_old_one_is_proven_dead() {
    let hangs = &[r#"{"kind": "hang", "node": "drainer-1", "after": 0}"#];
    way("move_drainer", "default", hangs).ends(ErrorKind::Failed, &["drainer-1 is not dead", "silent"]);
    let comes_back = &[r#"{"kind": "other_pauses", "node": "drainer-1", "after": 0, "lasts": "25s"}"#];
    let played = way("move_drainer", "default", comes_back).ends(ErrorKind::Failed, &["drainer-1 is not dead"]);
    assert!(!story(&played).join("\n").contains("- manual"), "the new one was started beside the old one");
}

#[test]
fn a_drainer_does_not_move_while_a_pump_closes_or_after_it_was_retired() {
    Way { more: &[("drainer", "drainer-0")], ..way("move_drainer", "closing-pump", &[]) }
        .ends_at_once(ErrorKind::Failed, &["pump-1 is closing"]);
    Way {
        more: &[("drainer", "drainer-old"), ("to", "drainer-3"), ("address", "10.0.1.31:8249")],
        ..way("move_drainer", "old-records", &[])
    }
    .ends_at_once(ErrorKind::Failed, &["drainer-old is offline already"]);
}

#[test]
fn a_drainer_that_cannot_take_over_leaves_the_old_one_to_be_started_again() {
    let refused = &[r#"{"kind": "pd_gone", "after": "5m38s", "lasts": "2h"}"#];
    let played = Way { more: &[("timeout", "2m")], ..way("move_drainer", "default", refused) }
        .ends(ErrorKind::Timeout, &["drainer-2", "instead of drainer-1"]);
    let told = story(&played).join("\n");
    assert!(told.contains("drainer-1 is stopped: it can be started again"), "{told}");
    assert!(!told.contains("write offline"), "{told}");
}

#[test]
fn a_node_that_does_not_start_after_a_crash_is_named() {
    let fails = &[r#"{"kind": "start_fails", "node": "pump-1", "after": 0}"#];
    let played = way("after_crash", "crashed", fails)
        .ends(ErrorKind::Timeout, &["pump pump-1 does not answer yet", "pump-1: start"]);
    assert!(story(&played).contains(&"==> drainer-0: start".to_owned()));
}

#[test]
fn what_hangs_is_killed_only_when_it_is_named() {
    let hangs = &[r#"{"kind": "hang", "node": "pump-2", "after": 0}"#];
    way("after_crash", "crashed", hangs).ends_at_once(ErrorKind::Failed, &["pump-2", "name it in kill"]);
    let played = Way { more: &[("kill", "pump-2")], ..way("after_crash", "crashed", hangs) }.play();
    assert_eq!(played.outcome(), "done", "{:?}", played.ending);
}

#[test]
fn a_closing_pump_is_left_alone_after_a_crash() {
    let played = way("after_crash", "closing-pump", &[]).play();
    assert!(played.acts.is_empty(), "{}", story(&played).join("\n"));
    assert!(story(&played).join("\n").contains("pump-1 closes, it is not dead"), "{}", story(&played).join("\n"));
}

#[test]
fn a_pump_that_lives_is_not_given_up() {
    way("pump_lost", "default", &[]).ends_at_once(ErrorKind::Failed, &["pump-2 is not dead", "online"]);
    let comes_back = &[
        r#"{"kind": "other_pauses", "node": "pump-1", "after": 0}"#,
        r#"{"kind": "other_pauses", "node": "pump-0", "after": 0}"#,
    ];
    way("pump_lost", "lost-pump", comes_back)
        .ends_at_once(ErrorKind::Failed, &["no other Pump than pump-2", "scale_out"]);
}

#[test]
fn a_pump_is_given_up_only_once_every_drainer_stands() {
    let refuses = &[r#"{"kind": "refuse", "node": "drainer-1", "after": 0}"#];
    let played = way("pump_lost", "lost-pump", refuses).ends(ErrorKind::Rejected, &["drainer-1"]);
    let told = story(&played).join("\n");
    assert!(told.contains("> drainer-0 is stopped until its downstream is replaced"), "{told}");
    assert!(!told.contains("write offline"), "{told}");
}

#[test]
fn room_is_not_made_at_the_cost_of_a_drainer() {
    Way { more: &[("need", "450")], ..way("disk_full", "lagging-drainer", &[]) }
        .ends(ErrorKind::Refused, &["behind_gc", "drainer-1"]);
    Way { more: &[("need", "450"), ("keep", "48")], ..way("disk_full", "lagging-drainer", &[]) }
        .ends_at_once(ErrorKind::Failed, &["drainer-1 is 162 h behind", "48 h"]);
}

#[test]
fn a_drainer_that_waits_for_a_pump_is_not_touched_and_the_pump_is_named() {
    way("stuck_drainer", "lost-pump", &[]).ends_at_once(ErrorKind::Failed, &["waits for pump-2", "after_crash"]);
}

#[test]
fn a_drainer_that_stands_still_after_its_restart_is_named() {
    let stalls = &[r#"{"kind": "stall", "node": "drainer-0", "after": 0}"#];
    Way { more: &[("timeout", "10m")], ..way("stuck_drainer", "default", stalls) }
        .ends(ErrorKind::Timeout, &["drainer-0", "fix and restart"]);
}

#[test]
fn a_record_that_somebody_uses_is_not_forgotten() {
    Way { more: &[("only", "pump-0")], ..way("clean_up", "old-records", &[]) }
        .ends_at_once(ErrorKind::Failed, &["pump-0 is no node that is offline"]);
    let played = way("clean_up", "duplicate-address", &[]).play();
    assert!(story(&played).join("\n").contains("another node answers at 10.0.1.13:8250"));
    let reads = &[r#"{"kind": "crash", "node": "drainer-0", "after": "16ms", "lasts": "2h"}"#];
    way("clean_up", "old-records", reads).ends(ErrorKind::Refused, &["still_pulled", "drainer-0"]);
}

/// `to_ticdc` for a Drainer with these settings.
fn to_ticdc(settings: &str) -> Played {
    let mut scenario = Scenario::named("ticdc").unwrap();
    scenario.drainers[0].settings = serde_json::from_str(settings).unwrap();
    play(&subjects(script("to_ticdc"), scenario, &[]), &[])
}

#[test]
fn what_ticdc_does_not_take_over_ends_the_hand_over_before_anything_is_done() {
    let played = to_ticdc(r#"{"db_type": "oracle", "renames": true}"#);
    let error = &played.ending.as_ref().unwrap_err().error;
    assert_eq!(error.kind, ErrorKind::Failed);
    for said in ["TiCDC does not take over from 10.0.1.21:8249", "Oracle", "table-migrate-rule"] {
        assert!(error.message.contains(said), "{error}");
    }
    assert!(played.acts.is_empty(), "{}", story(&played).join("\n"));
}

#[test]
fn filters_of_a_drainer_are_asked_about_by_name() {
    let played = to_ticdc(r#"{"host": "10.0.2.7", "port": 3306, "filters": ["replicate-do-db"]}"#);
    let told = story(&played).join("\n");
    assert!(told.contains("? 10.0.1.21:8249 leaves something out (replicate-do-db)"), "{told}");
    assert!(told.contains("? TiCDC leaves out tables without a primary key"), "{told}");
}
