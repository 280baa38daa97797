//! `runs resume`.

use super::*;
use binlogsh::error::ErrorKind;
use binlogsh::world::{LOCK_KEY, LockHolder};
use std::time::Duration;

#[test]
fn a_script_that_was_killed_goes_on_after_what_it_did() {
    let place = Place::new();
    place.cut_off();
    let listed = place.runs(&[]).go().succeeds();
    listed.stdout_contains("cut-off").stdout_contains("1 change, in `").stdout_contains("ann@");
    place.say_go();
    let resumed = place.resume().succeeds();
    let resumed = resumed.stderr_contains("still that of the process that was stopped: it is taken over");
    let resumed = resumed.stderr_contains("goes on after").stderr_contains("in the step `first`");
    assert!(!resumed.stdout.contains("first of all"), "what was said before is not said again:\n{}", resumed.stdout);
    resumed.stdout_contains("all is done");
    assert_eq!(place.told_to_pause(), 2, "{:?}", place.cluster.asked_of_nodes());
    let shown = place.runs(&["show", &place.id()]).go().succeeds();
    let shown = shown.stdout_contains("==> first").stdout_contains("pause drainer drainer-1");
    shown.stdout_contains("pause drainer drainer-0").stdout_contains("done at 20");
    place.resume().fails(ErrorKind::Refused).stderr_contains("is done");
}

#[test]
fn differences_to_what_the_journal_knows_are_shown_and_asked_about() {
    let place = Place::new();
    place.stop();
    place.shell().yes().eval(r#"pause_pump("pump-1", #{ wait: "30s" })"#).succeeds();
    place.say_go();
    let runs = place.runs(&["resume"]).arg(first_id(&place)).go().fails(ErrorKind::Refused);
    runs.stderr_contains("pump pump-1, paused at").stderr_contains("nobody can be asked without a terminal");
    assert_eq!(place.told_to_pause(), 2, "nothing was done");
    let resumed = place.runs(&["resume"]).arg(first_id(&place)).yes().go().succeeds();
    resumed.stderr_contains("Since the run was stopped the cluster has changed").stdout_contains("all is done");
}

/// Sleeps before its change and after it, and then reads what somebody has to write first.
const SLEEPER: &str = r#"
    let said_in = param("said_in", #{ about: "the directory that it reads" });
    sleep("5s");
    pause_drainer("drainer-1", #{ wait: "30s" });
    sleep("2s");
    read_meta(said_in);
"#;

#[test]
fn what_was_slept_since_the_last_change_is_slept_again_and_nothing_before() {
    let place = Place::new();
    std::fs::write(place.script(), SLEEPER).unwrap();
    place.work().go().fails(ErrorKind::NotFound);
    place.say_go();
    let begun = std::time::Instant::now();
    place.resume().succeeds();
    let took = begun.elapsed();
    assert!((2.0..7.0).contains(&took.as_secs_f64()), "{took:?}");
    assert_eq!(place.told_to_pause(), 1);
}

/// The id of the script's run, where there are others.
fn first_id(place: &Place) -> String {
    let listed = place.runs(&["-o", "json"]).go().succeeds();
    let rows: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["kind"] == "script").unwrap();
    row["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_run_goes_on_with_the_script_as_it_was() {
    let place = Place::new();
    place.cut_off();
    std::fs::write(place.script(), WORK.replace("drainer-0", "nobody")).unwrap();
    place.say_go();
    let resumed = place.resume().succeeds().stderr_contains("has changed since the run began");
    resumed.stdout_contains("all is done");
}

#[test]
fn a_run_belongs_to_its_cluster() {
    let place = Place::new();
    place.cut_off();
    place.cluster.pd().set(|knobs| knobs.cluster_id += 1);
    let ran = place.resume().fails(ErrorKind::Invalid);
    ran.stderr_contains("belongs to cluster").stderr_contains("--pd-urls");
    place.runs(&[]).go().succeeds().stdout_contains("cut-off");
}

#[test]
fn a_run_that_is_going_on_is_resumed_by_nobody_else() {
    let place = Place::new();
    let (mut child, _lines) = place.half_way();
    place.resume().fails(ErrorKind::Locked).stderr_contains("is going on: process").stderr_contains("started by ann");
    place.work().go().fails(ErrorKind::Locked).stderr_contains("another run of").stderr_contains("is going on");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn of_two_processes_that_resume_a_run_at_once_one_wins_and_the_other_says_so() {
    let place = Place::new();
    place.cut_off();
    let id = place.id();
    let shells = [place.runs(&["resume", &id]).yes(), place.runs(&["resume", &id]).yes()];
    let start = |shell: &Shell| {
        shell.command().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let [mut one, mut other] = [start(&shells[0]), start(&shells[1])];
    // One of them ends; the other waits for the word to go on.
    let loser_is_one = loop {
        match (one.try_wait().unwrap(), other.try_wait().unwrap()) {
            (Some(_), _) => break true,
            (_, Some(_)) => break false,
            _ => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    place.say_go();
    let (loser, winner) = if loser_is_one { (one, other) } else { (other, one) };
    let lost = loser.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&lost.stderr).into_owned();
    assert_eq!(lost.status.code(), Some(i32::from(ErrorKind::Locked.exit_code())), "{said}");
    assert!(said.contains("is going on: process"), "{said}");
    assert!(winner.wait_with_output().unwrap().status.success());
    assert_eq!(place.told_to_pause(), 2);
}

#[test]
fn the_next_run_of_a_script_that_was_cut_off_says_so() {
    let place = Place::new();
    place.stop();
    let id = place.id();
    // Where nobody can be asked it is a new run, and that knows nothing of what the other one did.
    let ran = place.work().go().fails(ErrorKind::Unreachable).stderr_contains("drainer-1 is paused");
    ran.stderr_contains("was stopped").stderr_contains(&format!(" runs resume {id}"));
}

#[test]
fn a_run_that_goes_on_has_the_lock_before_its_next_change() {
    let place = Place::new();
    place.stop();
    let shell = place.runs(&["resume", &place.id()]).yes();
    let mut child = shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("waiting until somebody says so")), "it did not come to its wait");
    place.shell().yes().eval(r#"pause_pump("pump-1")"#).fails(ErrorKind::Locked);
    place.say_go();
    assert!(child.wait().unwrap().success());
    place.shell().yes().eval(r#"pause_pump("pump-1")"#).succeeds();
}

#[test]
fn a_script_that_ends_by_what_its_journal_has_says_that_it_cannot_go_on() {
    let place = Place::new();
    std::fs::write(place.script(), r#"pause_drainer("drainer-1"); confirm("so far?"); fail("enough");"#).unwrap();
    let run = || place.shell().yes().arg("run").arg(place.script().display().to_string());
    run().go().fails(ErrorKind::Failed).stderr_contains(" runs resume ");
    let resumed = place.resume().fails(ErrorKind::Failed).stderr_contains("cannot go on from there");
    let resumed = resumed.stderr_contains(&format!("binlogsh runs abandon {} --why TEXT", place.id()));
    assert!(!resumed.stderr.contains("somebody else works"), "it is ourselves:\n{}", resumed.stderr);
    place.runs(&[]).go().succeeds().stdout_contains("failed");
    assert_eq!(place.told_to_pause(), 1);
}

#[test]
fn lines_on_standard_input_are_no_script_that_was_cut_off() {
    let place = Place::new();
    let run = || place.shell().yes().arg("run").arg("-");
    run().pipe(r#"pause_drainer("drainer-1"); exit(3);"#).exits(3);
    let again = run().pipe(r#"print("again")"#).succeeds();
    assert!(!again.stderr.contains("cut off"), "{}", again.stderr);
}

#[test]
fn an_interrupted_run_says_how_to_go_on_and_does() {
    let place = Place::new();
    let said = place.stop();
    let id = place.id();
    assert!(said.iter().any(|line| line.contains(&format!(" runs resume {id}"))), "{said:#?}");
    place.runs(&[]).go().succeeds().stdout_contains("interrupted");
    place.say_go();
    place.resume().succeeds().stdout_contains("all is done");
    assert_eq!(place.told_to_pause(), 2);
}

#[test]
fn whoever_goes_on_with_a_run_learns_first_who_works_meanwhile() {
    let place = Place::new();
    place.stop();
    place.shell().yes().eval(r#"pause_pump("pump-1", #{ wait: "30s" })"#).succeeds();
    let bob = LockHolder { user: "bob".into(), host: "there".into(), ..LockHolder::default() };
    place.cluster.kv().put(LOCK_KEY, bob.value(0));
    let resume = || place.runs(&["resume"]).arg(first_id(&place)).yes();
    let ran = resume().go().fails(ErrorKind::Locked).stderr_contains("held by bob@there");
    let ran = ran.stderr_contains(" runs resume ");
    assert!(!ran.stderr.contains("the cluster has changed"), "{}", ran.stderr);
    place.say_go();
    let shell = resume().arg("--wait-lock=60s");
    let mut child = shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("waiting for the maintenance lock")), "it did not wait");
    place.cluster.kv().delete(LOCK_KEY);
    assert!(lines.any(|line| line.contains("the cluster has changed")), "it did not look afterwards");
    assert!(child.wait().unwrap().success());
}
