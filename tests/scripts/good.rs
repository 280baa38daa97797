//! The good way of each script: its steps, what it asks, what it does, and where the cluster is in the end.

use super::{play, script, story, subjects, tried};
use binlogsh::node::{Kind, State};
use binlogsh::rehearsal::{Played, Subjects};
use binlogsh::sim::Scenario;

/// Plays the script in its sample; it ends well, and does this.
#[track_caller]
fn does(name: &str, more: &[(&str, &str)], expected: &str) -> Played {
    ends_well(name, &tried(script(name), more), &[], expected)
}

#[track_caller]
fn ends_well(name: &str, subjects: &Subjects, faults: &[&str], expected: &str) -> Played {
    let played = play(subjects, faults);
    assert_eq!(played.outcome(), "done", "{name}: {:?}\n{}", played.ending, story(&played).join("\n"));
    let lines: Vec<String> = story(&played).into_iter().filter(|line| !line.starts_with("> ")).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected, "{name}:\n{}", lines.join("\n"));
    played
}

/// The state in the record of a node in the end; `None` without a record.
fn state(played: &Played, kind: Kind, id: &str) -> Option<State> {
    let end = &played.after;
    let found = end.everybody().find(|who| who.kind() == kind && end.id_of(*who) == id);
    found.and_then(|who| State::from_name(end.recorded_state(who)?.name()))
}

/// The last line that was printed.
fn last(played: &Played) -> String {
    story(played).into_iter().rev().find_map(|line| line.strip_prefix("> ").map(str::to_owned)).unwrap()
}

#[test]
fn scale_out_starts_a_pump_that_nobody_knew() {
    let played = does(
        "scale_out",
        &[],
        "==> look
         ==> start pump-3
         - by hand: Start the Pump pump-3 at 10.0.1.14:8250 (starts pump pump-3 (10.0.1.14:8250))
         ==> wait until pump-3 takes part
         ==> check that pump-3 is online and replication goes on",
    );
    assert_eq!(state(&played, Kind::Pump, "pump-3"), Some(State::Online));
}

#[test]
fn scale_in_to_zero_stops_tidb_then_pumps_then_drainers() {
    let played = does(
        "scale_in_to_zero",
        &[],
        "==> look
         ==> switch binlog off in TiDB
         - by hand: Switch binlog off in every TiDB server, and restart it (TiDB writes no binlog afterwards)
         ==> pump-0: look
         ==> pump-0: close
         ? close pump pump-0 (10.0.1.11:8250), whose record says online
         - close pump pump-0 (10.0.1.11:8250)
         ==> pump-0: wait until every Drainer has read what it holds
         ==> pump-1: look
         ==> pump-1: close
         ? close pump pump-1 (10.0.1.12:8250), whose record says online
         - close pump pump-1 (10.0.1.12:8250)
         ==> pump-1: wait until every Drainer has read what it holds
         ==> pump-2: look
         ==> pump-2: close
         ? close pump pump-2 (10.0.1.13:8250), whose record says online
         - close pump pump-2 (10.0.1.13:8250)
         ==> pump-2: wait until every Drainer has read what it holds
         ==> drainer-0: close
         ? close drainer drainer-0 (10.0.1.21:8249), whose record says online
         - close drainer drainer-0 (10.0.1.21:8249)
         ==> drainer-1: close
         ? close drainer drainer-1 (10.0.1.22:8249), whose record says online
         - close drainer drainer-1 (10.0.1.22:8249)
         ==> check that everything is offline",
    );
    for who in played.after.everybody() {
        assert_eq!(
            played.after.recorded_state(who).cloned(),
            Some(State::Offline.into()),
            "{}",
            played.after.id_of(who)
        );
    }
}

#[test]
fn first_drainer_writes_a_savepoint_and_starts_from_it() {
    let played = does(
        "first_drainer",
        &[],
        "==> look
         ==> choose where drainer-0 begins
         ? Is the downstream of drainer-0 to get only what is written from now on (2026-11-22T12:00:00.001Z), with no backup?
         ? Is there no checkpoint of an earlier Drainer downstream of drainer-0? It would win over the timestamp
         ? write meta/savepoint
         - write meta/savepoint
         ==> start drainer-0
         - by hand: Start the Drainer drainer-0 at 10.0.1.21:8249, from 470639915827462144 (starts drainer drainer-0 (10.0.1.21:8249))
         ==> wait until drainer-0 advances
         ==> check that drainer-0 began where it should, and replication goes on",
    );
    assert_eq!(state(&played, Kind::Drainer, "drainer-0"), Some(State::Online));
}

#[test]
fn first_drainer_takes_a_table_downstream_and_the_timestamp_of_a_backup() {
    let more = [("ts", "470639900098822144"), ("data_dir", "")];
    let played = play(&tried(script("first_drainer"), &more), &[]);
    assert_eq!(played.outcome(), "done", "{:?}", played.ending);
    let told = story(&played).join("\n");
    assert!(told.contains("? Is the backup of 2026-11-22T11:59:00.001Z restored downstream of drainer-0"), "{told}");
    assert!(!told.contains("savepoint"), "{told}");
}

#[test]
fn move_drainer_retires_the_old_one_only_once_the_new_one_advances() {
    let played = does(
        "move_drainer",
        &[],
        "==> look
         ==> drainer-1: stop
         ? pause drainer drainer-1 (10.0.1.22:8249), whose record says online
         - pause drainer drainer-1 (10.0.1.22:8249)
         ==> drainer-2: choose where it begins, after drainer-1
         ==> drainer-2: start, instead of drainer-1
         - by hand: Start the Drainer drainer-2 at 10.0.1.23:8249 from the checkpoint of drainer-1, which must not run any more (starts drainer drainer-2 (10.0.1.23:8249))
         ==> drainer-2: wait until it advances, instead of drainer-1
         ==> drainer-1: set offline
         ? write offline into the record of drainer drainer-1 (10.0.1.22:8249), whose record says paused
         - write offline into the record of drainer drainer-1 (10.0.1.22:8249)
         ==> check that drainer-2 has taken over from drainer-1",
    );
    assert_eq!(state(&played, Kind::Drainer, "drainer-1"), Some(State::Offline));
    assert_eq!(state(&played, Kind::Drainer, "drainer-2"), Some(State::Online));
}

#[test]
fn after_crash_starts_drainers_before_pumps() {
    does(
        "after_crash",
        &[],
        "==> look
         ==> drainer-0: start
         - by hand: Start drainer-0 (starts drainer drainer-0 (10.0.1.21:8249))
         ==> pump-1: start
         - by hand: Start pump-1 (starts pump pump-1 (10.0.1.12:8250))
         ==> check drainer-0, pump-1, and that replication goes on",
    );
}

#[test]
fn after_crash_repairs_the_record_of_what_cannot_be_started() {
    let played = does(
        "after_crash",
        &[("leave", "pump-1, drainer-0")],
        "==> look
         ==> drainer-0: set its record to paused
         ? write paused into the record of drainer drainer-0 (10.0.1.21:8249), whose record says online
         - write paused into the record of drainer drainer-0 (10.0.1.21:8249)
         ==> pump-1: set its record to paused
         ? write paused into the record of pump pump-1 (10.0.1.12:8250), whose record says online
         - write paused into the record of pump pump-1 (10.0.1.12:8250)
         ==> check drainer-0, pump-1, and that replication goes on",
    );
    assert_eq!(state(&played, Kind::Pump, "pump-1"), Some(State::Paused));
    assert_eq!(last(&played), "replication stands still until every Pump that was left is started");
}

#[test]
fn pump_lost_asks_twice_and_stops_every_drainer_before_it_gives_the_pump_up() {
    let played = does(
        "pump_lost",
        &[],
        "==> look
         ==> accept the loss of pump-2
         ? Is pump-2 lost for good, its data too, so that it can never be started again?
         ? What pump-2 held and was not read is lost for ever to drainer-0, drainer-1; each downstream is to be replaced from a new backup. Go on?
         ==> drainer-0: pause
         ? pause drainer drainer-0 (10.0.1.21:8249), whose record says online
         - pause drainer drainer-0 (10.0.1.21:8249)
         ==> drainer-1: pause
         ? pause drainer drainer-1 (10.0.1.22:8249), whose record says online
         - pause drainer drainer-1 (10.0.1.22:8249)
         ==> pump-2: set offline
         ? write offline into the record of pump pump-2 (10.0.1.13:8250), whose record says online
         - write offline into the record of pump pump-2 (10.0.1.13:8250)
         ==> replace what is downstream of drainer-0, drainer-1
         - by hand: Take a full backup; clear each downstream with its checkpoint, and restore the backup there; then start drainer-0, drainer-1 from its timestamp (starts drainer drainer-0 (10.0.1.21:8249), drainer drainer-1 (10.0.1.22:8249))
         ==> check that drainer-0, drainer-1 go on without pump-2",
    );
    assert_eq!(state(&played, Kind::Pump, "pump-2"), Some(State::Offline));
    let told = story(&played).join("\n");
    assert!(told.contains("> drainer-0 has consumed everything up to 2026-11-22T11:00:00Z, and pump-2 held"), "{told}");
}

#[test]
fn disk_full_asks_for_room_when_gc_frees_too_little() {
    let played = does(
        "disk_full",
        &[],
        "==> look
         ==> pump-1: delete what is older than it keeps
         ? trigger GC of pump pump-1 (10.0.1.12:8250), whose record says online
         - trigger GC of pump pump-1 (10.0.1.12:8250)
         ==> pump-1: make room
         - by hand: Enlarge the disk of pump-1, or make room on it without touching its data (makes room for pump pump-1 (10.0.1.12:8250))
         ==> check that pump-1 has room and works, and that nobody has lost anything",
    );
    assert_eq!(last(&played), "pump-1 has 250 GiB free");
}

#[test]
fn disk_full_restarts_the_pump_with_a_shorter_retention() {
    does(
        "disk_full",
        &[("keep", "48")],
        "==> look
         ==> pump-1: delete what is older than it keeps
         ? trigger GC of pump pump-1 (10.0.1.12:8250), whose record says online
         - trigger GC of pump pump-1 (10.0.1.12:8250)
         ==> pump-1: make room
         - by hand: Set gc = 48 hours in the configuration of pump-1, and restart it (starts pump pump-1 (10.0.1.12:8250); makes room for pump pump-1 (10.0.1.12:8250))
         ? trigger GC of pump pump-1 (10.0.1.12:8250), whose record says online
         - trigger GC of pump pump-1 (10.0.1.12:8250)
         ==> check that pump-1 has room and works, and that nobody has lost anything",
    );
}

#[test]
fn stuck_drainer_restarts_one_that_hangs() {
    does(
        "stuck_drainer",
        &[],
        "==> watch them
         ==> drainer-0: see what it waits for
         ==> drainer-0: fix and restart it
         - by hand: See in the log of drainer-0 what it waits for, fix that, and restart it (starts drainer drainer-0 (10.0.1.21:8249))
         ==> check that drainer-0 and all others go on",
    );
}

#[test]
fn stuck_drainer_restarts_all_that_look_for_a_pump_at_its_old_address() {
    let well = subjects(script("stuck_drainer"), Scenario::named("default").unwrap(), &[]);
    let moves = &[r#"{"kind": "new_address", "node": "pump-1", "after": 0}"#];
    let played = ends_well(
        "stuck_drainer",
        &well,
        moves,
        "==> watch them
         ==> drainer-0: see what it waits for
         ==> drainer-0: fix and restart it
         - by hand: See in the log of drainer-0 what it waits for, fix that, and restart it (starts drainer drainer-0 (10.0.1.21:8249))
         ==> drainer-1: see what it waits for
         ==> drainer-1: fix and restart it
         - by hand: See in the log of drainer-1 what it waits for, fix that, and restart it (starts drainer drainer-1 (10.0.1.22:8249))
         ==> check that drainer-0, drainer-1 and all others go on",
    );
    let told = story(&played).join("\n");
    assert!(told.contains("in pump-1 it has read up to 2026-11-22T11:59:59"), "{told}");
}

#[test]
fn clean_up_forgets_what_has_rested_long_enough_and_names_the_rest() {
    let played = does(
        "clean_up",
        &[],
        "==> look
         ==> forget pump-old
         ? delete the key /tidb-binlog/v1/pumps/pump-old of pump pump-old (10.0.1.15:8250), whose record says offline
         - delete the key /tidb-binlog/v1/pumps/pump-old
         ==> forget drainer-old
         ? delete the key /tidb-binlog/v1/drainers/drainer-old of drainer drainer-old (10.0.1.23:8249), whose record says offline
         - delete the key /tidb-binlog/v1/drainers/drainer-old
         ==> check that they are gone",
    );
    assert_eq!(state(&played, Kind::Pump, "pump-old"), None);
    assert_eq!(state(&played, Kind::Pump, "pump-new"), Some(State::Offline));
    let told = story(&played).join("\n");
    assert!(told.contains("> pump pump-new is left: was written at 2026-11-21T12:00:00Z, less than 7d ago"), "{told}");
}

#[test]
fn what_has_nothing_to_do_changes_nothing_and_says_so() {
    for (name, says) in [
        ("after_crash", "every node that is to run answers"),
        ("stuck_drainer", "drainer-0, drainer-1: every one advances, none is stuck"),
        ("clean_up", "no record is to be deleted"),
    ] {
        let well = Scenario::named("default").unwrap();
        let played = play(&subjects(script(name), well, &[]), &[]);
        assert_eq!((played.exit_code(), played.acts.len()), (0, 0), "{name}: {:?}", played.ending);
        assert_eq!(last(&played), says);
    }
}

#[test]
fn to_ticdc_hands_over_where_the_drainer_stops_and_then_takes_binlog_out() {
    let played = does(
        "to_ticdc",
        &[],
        "==> look
         ==> see what TiCDC does not take over
         ? TiCDC leaves out tables without a primary key or a unique index of columns that are NOT NULL, creates no sequence, and ends at a RENAME TABLE from a name that its filter leaves out to one that it takes. Have you made sure that none of this concerns you?
         ==> hold TiKV's garbage collection behind the checkpoint
         ? hold TiKV's garbage collection at 470639916921127047 (2026-11-22T12:00:04.173Z), for 1d00h after each sign of life
         - hold TiKV's garbage collection, for 1d00h after each sign of life
         ==> 10.0.1.21:8249: wait for a checkpoint behind every DDL (1)
         ==> 10.0.1.21:8249: pause (1)
         ? pause drainer 10.0.1.21:8249 (10.0.1.21:8249), whose record says online
         - pause drainer 10.0.1.21:8249 (10.0.1.21:8249)
         ==> copy: create it where 10.0.1.21:8249 has stopped
         - by hand: Create the changefeed copy by the command above, with the user, password and options of mysql://10.0.2.7:3306/, and without --no-confirm, which leaves tables out (creates the changefeed copy to mysql://10.0.2.7:3306/)
         ==> copy: wait until it is past the checkpoint of 10.0.1.21:8249
         ==> release TiKV's garbage collection: copy holds it, instead of 10.0.1.21:8249
         ? release TiKV's garbage collection
         - release TiKV's garbage collection
         ==> 10.0.1.21:8249: set offline
         ? write offline into the record of drainer 10.0.1.21:8249 (10.0.1.21:8249), whose record says paused
         - write offline into the record of drainer 10.0.1.21:8249 (10.0.1.21:8249)
         ==> switch binlog off in TiDB
         - by hand: Switch binlog off in every TiDB server, and restart it (TiDB writes no binlog afterwards)
         ==> 10.0.1.11:8250: close
         ? close pump 10.0.1.11:8250 (10.0.1.11:8250), whose record says online
         - close pump 10.0.1.11:8250 (10.0.1.11:8250)
         ==> 10.0.1.12:8250: close
         ? close pump 10.0.1.12:8250 (10.0.1.12:8250), whose record says online
         - close pump 10.0.1.12:8250 (10.0.1.12:8250)
         ==> check that copy has taken over from 10.0.1.21:8249",
    );
    for (kind, id) in
        [(Kind::Drainer, "10.0.1.21:8249"), (Kind::Pump, "10.0.1.11:8250"), (Kind::Pump, "10.0.1.12:8250")]
    {
        assert_eq!(state(&played, kind, id), Some(State::Offline), "{id}");
    }
    assert_eq!(last(&played), "copy has taken over from 10.0.1.21:8249, which is offline");
}
