//! A changefeed of TiCDC that somebody creates in a run, by hand or through a program: waited for until PD's etcd has it, and
//! found there by whoever goes on with the run.

use super::*;
use binlogsh::error::ErrorKind;
use serde_json::{Value as Json, json};

/// A place with a script that has the changefeed `new` created behind a timestamp.
struct Handover {
    place: Place,
    start_ts: i64,
}

impl Handover {
    /// By hand, and it is waited for so long.
    fn by_hand(timeout: &str) -> Self {
        Self::of(|feed, _| {
            format!("manual(\"create the changefeed new\", #{{ changefeed: {feed}, timeout: \"{timeout}\" }})")
        })
    }

    /// Through a shell that runs `code` in a directory of its own.
    fn through(code: &str) -> Self {
        Self::of(|feed, dir| {
            format!("exec(\"/bin/sh\", [\"-c\", \"cd {dir} && {code}\"], #{{ changefeed: {feed}, takes: \"1s\" }})")
        })
    }

    fn of(call: impl FnOnce(&str, &str) -> String) -> Self {
        let place = Place::new();
        let start_ts = place.cluster.pd().now() - (1000 << 18);
        let feed = format!("#{{ id: \"new\", start_ts: {start_ts}, sink: \"mysql://10.0.2.7:3306/\" }}");
        let call = call(&feed, &place.dir.path().display().to_string());
        // A run that goes on says nothing until it asks for something new.
        let script = format!("//! Hands over.\nstep(\"create\", || {call});\ntso();\nprint(\"all is done\");\n");
        std::fs::write(place.script(), script).unwrap();
        Self { place, start_ts }
    }

    fn run(&self) -> Shell {
        let script = self.place.script().display().to_string();
        self.place.shell().yes().arg("--allow-exec").arg("run").arg(script)
    }

    fn resume(&self, more: &[&str]) -> Ran {
        let shell = self.place.runs(&["resume", &self.place.id()]).arg("--allow-exec");
        more.iter().fold(shell, |shell, arg| shell.arg(*arg)).go()
    }

    /// TiCDC creates it, behind this.
    fn create(&self, start_ts: impl Into<Json>) {
        let (sink, start_ts) = ("mysql://root:hunter2@10.0.2.7:3306/", start_ts.into());
        let info = json!({"sink-uri": sink, "start-ts": start_ts, "state": "normal", "error": null});
        self.place.cluster.kv().put("/tidb/cdc/default/default/changefeed/info/new", info.to_string());
    }

    /// How often the program ran.
    fn ran(&self) -> usize {
        std::fs::read_to_string(self.place.dir.path().join("ran")).unwrap().lines().count()
    }
}

#[test]
fn work_by_hand_waits_until_the_changefeed_is_there_and_begins_where_it_was_to() {
    let handover = Handover::by_hand("2m");
    let (start, other) = (handover.start_ts, handover.start_ts + 1);
    let wrong = format!("the changefeed new is there, and begins behind {other}, not behind {start}");
    let mut said =
        ["the changefeed new is not there", &wrong, "is there, and does not say where it begins"].into_iter();
    let mut next = said.next();
    let mut comes = [Json::from(other), Json::Null, Json::from(start)].into_iter();
    let ran = handover.run().watched(|line| {
        if next.is_some_and(|next| line.contains(next)) {
            handover.create(comes.next().unwrap());
            next = said.next();
        }
    });
    assert_eq!((next, comes.next()), (None, None), "{}", ran.stderr);
    assert!(!ran.stderr.contains("hunter2"), "{}", ran.stderr);
    ran.succeeds().stdout_contains("all is done").stderr_contains("to be done by hand: create the changefeed new");
}

#[test]
fn a_changefeed_that_never_comes_ends_the_run_which_says_so_and_can_be_gone_on_with() {
    let handover = Handover::by_hand("2s");
    let ran = handover.run().go().fails(ErrorKind::Timeout);
    let ran = ran.stderr_contains("\"create the changefeed new\" was not seen to be done in 2");
    ran.stderr_contains("the changefeed new is not there").stderr_contains(" runs resume ");

    let again = handover.resume(&["--yes"]).fails(ErrorKind::Timeout).stderr_contains("it was not done");
    again.stderr_contains("to be done by hand: create the changefeed new");

    // Whoever creates it elsewhere has not done what was asked for.
    handover.create(handover.start_ts + 1);
    let other = handover.resume(&["--yes"]).fails(ErrorKind::Timeout).stderr_contains("it was not done");
    other.stderr_contains("not behind");

    handover.create(handover.start_ts);
    let found = handover.resume(&["--yes"]).succeeds().stdout_contains("all is done").stderr_contains("it was done");
    assert!(!found.stderr.contains("to be done by hand"), "{}", found.stderr);
}

#[test]
fn a_program_is_over_with_its_end_whatever_there_is_then() {
    let handover = Handover::through("echo ran >> ran");
    handover.run().go().succeeds().stdout_contains("all is done");
    assert_eq!(handover.ran(), 1);
}

/// Ends whoever runs it, once.
const CUTS_OFF: &str = "echo ran >> ran && { [ -e go ] || kill -9 $PPID; }";

#[test]
fn a_program_that_was_cut_off_has_created_a_changefeed_that_is_there() {
    let handover = Handover::through(CUTS_OFF);
    handover.run().go().exits(128 + 9);
    handover.create(handover.start_ts);
    let found = handover.resume(&[]).succeeds().stdout_contains("all is done").stderr_contains("it was done");
    found.stderr_contains("the changefeed new behind");
    assert_eq!(handover.ran(), 1, "it is not run again");
}

#[test]
fn a_program_that_was_cut_off_is_a_question_while_the_changefeed_is_not_there() {
    let handover = Handover::through(CUTS_OFF);
    handover.run().go().exits(128 + 9);
    handover.create(handover.start_ts + 1);
    handover.resume(&[]).fails(ErrorKind::InDoubt).stderr_contains("nobody can tell whether it happened");
    assert_eq!(handover.ran(), 1);
    handover.place.say_go();
    handover.resume(&["--assume", "undone", "--yes"]).succeeds().stdout_contains("all is done");
    assert_eq!(handover.ran(), 2, "it was done again");
}
