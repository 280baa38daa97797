//! What can come to nothing says first what it is, and what to do: no guard is blamed, and no force is offered.

use super::situation::*;
use crate::harness::Shell;
use binlogsh::error::ErrorKind;

/// `call` fails with this kind, these words and this hint, forced or not, and nothing is offered to be forced.
#[track_caller]
fn comes_to_nothing(situation: &Situation, call: &str, kind: ErrorKind, words: &str, hint: &str) {
    let tried = situation.says_yes(&call.replace("#{$}", "#{}"), &[]);
    let Err(error) = tried.outcome else { panic!("{call} is done") };
    assert_eq!(error.kind, kind, "{call}: {error}");
    assert!(error.message.contains(words), "{call}: {error}");
    let said = error.advice("").unwrap_or_default();
    assert!(said.contains(hint) && !said.contains("force"), "{call}: {said}");
}

#[test]
fn a_node_that_is_paused_is_started_before_it_is_closed() {
    let paused = Situation::sample("default")
        .first(r#"pause_pump("pump-1", #{ wait: "1m" }); pause_drainer("drainer-0", #{ wait: "1m" })"#);
    let (close, first) = ("is paused, so nobody is there to be told", "start it first, wait_for(");
    comes_to_nothing(&paused, r#"offline_pump("pump-1")"#, ErrorKind::Unreachable, close, first);
    comes_to_nothing(&paused, r#"offline_drainer("drainer-0")"#, ErrorKind::Unreachable, close, first);
    let (again, left) = ("is paused already", "nothing is left to do");
    comes_to_nothing(&paused, r#"pause_pump("pump-1")"#, ErrorKind::Unreachable, again, left);
    comes_to_nothing(&paused, r#"pause_drainer("drainer-0")"#, ErrorKind::Unreachable, again, left);
}

#[test]
fn of_a_node_that_is_offline_nothing_is_left_to_do() {
    let offline = Situation::sample("default")
        .first(r#"offline_drainer("drainer-1", #{ wait: "1m" }); offline_pump("pump-2", #{ wait: "2m" })"#);
    for call in [
        r#"offline_drainer("drainer-1")"#,
        r#"pause_drainer("drainer-1")"#,
        r#"offline_pump("pump-2")"#,
        r#"pause_pump("pump-2")"#,
    ] {
        comes_to_nothing(&offline, call, ErrorKind::Unreachable, "is offline already", "nothing is left to do");
    }
}

#[test]
fn a_pump_that_closes_says_for_whom_it_waits_and_what_to_do() {
    let closing = Situation::sample("closing-pump");
    let waits = "is closing already: pump-1 waits for drainer-0, which is paused";
    for call in [r#"offline_pump("pump-1")"#, r#"pause_pump("pump-1")"#] {
        let hint = r#"bring drainer-0 back, and wait until it is gone: wait_for("pump-1", "offline", "2h")"#;
        comes_to_nothing(&closing, call, ErrorKind::Rejected, waits, hint);
    }
}

#[test]
fn a_node_that_was_killed_is_said_to_be_dead_before_others_are_blamed() {
    let dead = Situation::sample("lost-pump");
    let why = "pump pump-2 has no process at 10.0.1.13:8250, though its record says online";
    comes_to_nothing(&dead, r#"offline_pump("pump-2")"#, ErrorKind::Unreachable, why, "after_crash");
    comes_to_nothing(&dead, r#"pause_pump("pump-2")"#, ErrorKind::Unreachable, why, "after_crash");
}

#[test]
fn a_node_whose_heartbeat_is_fresh_is_not_said_to_be_dead() {
    let just_now = Situation::sample("default").first(r#"kill("pump-1")"#);
    let why = "cannot be told: nobody answers at 10.0.1.12:8250 from here, though its heartbeat is ";
    comes_to_nothing(&just_now, r#"pause_pump("pump-1")"#, ErrorKind::Unreachable, why, "on a host that reaches it");
}

#[test]
fn a_state_that_a_record_has_is_not_written_again() {
    let paused = Situation::sample("default").first(r#"pause_pump("pump-1", #{ wait: "1m" })"#);
    let says = "the record of pump pump-1 says paused already";
    comes_to_nothing(&paused, r#"update_pump("pump-1", "paused")"#, ErrorKind::Refused, says, "probe(");
}

#[test]
fn it_is_said_at_once() {
    let code = r#"pause_pump("pump-1", #{ wait: "1m" }); let began = now();
        try { offline_pump("pump-1") } catch (err) { print(err.kind) }
        now() - began < 2.0"#;
    Shell::sandbox("default").yes().eval(code).succeeds().stdout("unreachable\ntrue");
}

#[test]
fn nobody_waits_for_a_state_that_cannot_come() {
    let never = |scenario: &str, code: &str, words: &str| {
        let ran = Shell::sandbox(scenario).yes().eval(code).fails(ErrorKind::Conflict);
        ran.stderr_contains(words);
    };
    never("closing-pump", r#"wait_for("pump-1", "paused", "1h")"#, "it is closing, and goes offline in the end");
    let paused = r#"pause_pump("pump-1", #{ wait: "1m" });"#;
    never("default", &format!(r#"{paused} wait_for("pump-1", "offline", "1h")"#), "only one that runs can close");
    let gone = r#"offline_drainer("drainer-1", #{ wait: "1m" });"#;
    never("default", &format!(r#"{gone} wait_for("drainer-1", "paused", "1h")"#), "it is offline already");
}
