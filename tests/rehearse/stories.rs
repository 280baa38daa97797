//! The story of a single rehearsal: what was done, what the cluster did on its own, what it means, how a run would end.

use super::{json, rehearse, rehearse_on, shipped};
use crate::harness::{Ran, Shell};
use crate::support::cluster::LiveCluster;
use binlogsh::error::ErrorKind;
use binlogsh::sim::Scenario;

fn sandbox(script: &str) -> Shell {
    Shell::sandbox("default").arg("rehearse").arg(shipped(script))
}

/// The story without its first line, which has the path of this project in it.
fn story(ran: &Ran) -> String {
    ran.stdout.split_once('\n').unwrap().1.to_owned()
}

/// The lines of a story without their times.
fn untimed(ran: &Ran) -> Vec<String> {
    let lines = ran.stdout.lines().filter(|line| line.contains(" ==> ") || line.contains("   - "));
    lines.map(|line| line.trim().split_once(' ').unwrap().1.trim().to_owned()).collect()
}

#[test]
fn a_rolling_restart_tells_its_story_on_the_sandbox() {
    let ran = sandbox("rolling_restart.rhai").arg("-p").arg("only=pump-1").go().succeeds();
    assert_eq!(ran.stderr, "");
    insta::assert_snapshot!(story(&ran), @"
      on a copy of cluster 7301234567890123456 (3 Pumps, 2 Drainers) at 2026-11-22T12:00:00Z

    0.0s ==> look
    0.0s   > Restarting one after the other: pump-1
    0.0s ==> pump-1: look
    0.0s ==> pump-1: pause
    0.0s   ? would ask: pause pump pump-1 (10.0.1.12:8250), whose record says online
    0.0s   - pause pump-1: apply action pause success!
    0.0s     pump-1 writes paused
    0.0s     the process of pump-1 ends
    0.0s ==> pump-1: replace and start
     30s     pump-1 is started
     30s     pump-1 writes online
     30s     pump-1 works
     30s   = TiDB could write to 2 of 3 Pumps for 30s
     30s   = replication of every Drainer stood still for 30s
     31s   - by hand: Replace and start pump-1 (starts pump-1): done after 31s
     31s ==> pump-1: wait until it is back
     31s   . waiting until heartbeat and newest commit of pump-1 advance
     33s   . waiting until every online Drainer reads on in pump-1
     38s ==> check that all are online, and replication goes on
     38s   . waiting until these Drainers advance: drainer-0, drainer-1
     44s   > id      kind  state   address          lag  heartbeat_age  odd
             pump-0  pump  online  10.0.1.11:8250  1.4s           1.4s
             pump-1  pump  online  10.0.1.12:8250  1.8s           1.8s
             pump-2  pump  online  10.0.1.13:8250  1.9s           1.9s
     44s === the script is done

    In the end, otherwise than at the start:
    node    kind  what     before  after
    pump-1  pump  started  before  30s

    Took 44s; replication stood still for 30s; 1 change, 1 task by hand, 1 question; exit code 0
    ");
}

#[test]
fn a_decommission_tells_who_waits_for_whom() {
    let ran = sandbox("decommission_pump.rhai").arg("--param").arg("pump=pump-1").go().succeeds();
    insta::assert_snapshot!(story(&ran), @r"
      on a copy of cluster 7301234567890123456 (3 Pumps, 2 Drainers) at 2026-11-22T12:00:00Z

    0.0s ==> look
    0.0s   . waiting until these Drainers advance: drainer-0, drainer-1
    6.0s ==> close pump-1
    6.0s   ? would ask: close pump pump-1 (10.0.1.12:8250), whose record says online
    6.0s   - close pump-1: apply action close success!
    6.0s     pump-1 closes: it waits until its binlog was read
    6.0s ==> wait until every Drainer has read what pump-1 holds
    6.0s   > pump-1 waits for drainer-0, which is 1.4s behind
    6.0s   > pump-1 waits for drainer-1, which is 0.5s behind
    6.0s   . waiting for pump-1 to be offline: its record says online, a probe says closing (pump-1 waits for drainer-0, 1.4s behind)
    9.0s     pump-1 writes offline
    9.0s     the process of pump-1 ends
    9.0s ==> check that pump-1 is gone
    9.0s   . waiting until no Drainer reads from pump-1 any more
     11s   = replication of drainer-0 stood still for 2.4s
     13s   = replication of drainer-1 stood still for 3.8s
     13s   . waiting until these Drainers advance: drainer-0, drainer-1
     19s   = TiDB could write to 2 of 3 Pumps for 13s
     19s   > pump-1 is offline, and no Drainer reads from it: its data can be deleted
     19s === the script is done

    In the end, otherwise than at the start:
    node    kind  what     before  after
    pump-1  pump  record   online  offline
    pump-1  pump  process  online  down

    Took 19s; replication stood still for 3.7s; 1 change, no tasks by hand, 1 question; exit code 0
    ");
}

#[test]
fn a_look_changes_nothing_and_says_so() {
    let ran = sandbox("health.rhai").go().succeeds();
    insta::assert_snapshot!(story(&ran), @"
      on a copy of cluster 7301234567890123456 (3 Pumps, 2 Drainers) at 2026-11-22T12:00:00Z

    0.0s ==> nodes
    0.0s   > id         kind     state   address          lag  heartbeat_age  odd
             pump-0     pump     online  10.0.1.11:8250  1.8s           1.3s
             pump-1     pump     online  10.0.1.12:8250  0.7s           0.5s
             pump-2     pump     online  10.0.1.13:8250  2.5s           1.8s
             drainer-0  drainer  online  10.0.1.21:8249  2.5s           0.6s
             drainer-1  drainer  online  10.0.1.22:8249  2.5s           0.2s
    0.0s ==> look
    0.0s   . waiting until heartbeats and positions have been watched
     15s   > drainer    lag   over
             drainer-0  2.0s  ▃▂▂▂▂▂▂▂▂▂▂
             drainer-1  1.0s  ▃▄▂▃▂▃▂▃▂▃▂
     15s ==> check
     15s   > nothing found
     15s === the script ends with exit code 0

    In the end every node is as it was.

    Took 15s; replication never stood still; no changes, no tasks by hand, no questions; exit code 0
    ");
}

#[test]
fn a_snapshot_that_was_kept_tells_the_same_story_without_the_cluster() {
    let ran = sandbox("rolling_restart.rhai").arg("--save-snapshot").arg("kept.json").go().succeeds();
    let kept = std::fs::read_to_string(ran.dir().join("kept.json")).unwrap();
    let again = Shell::new(&["rehearse", "--snapshot=kept.json"]).file("kept.json", &kept);
    let again = again.arg(shipped("rolling_restart.rhai")).go().succeeds();
    assert_eq!(again.stdout, ran.stdout);
}

#[test]
fn a_live_cluster_tells_the_story_of_its_copy_and_of_what_is_not_known_of_it() {
    let cluster = LiveCluster::sample("default");
    let shell = Shell::live(&cluster.url()).arg("rehearse").arg("--observe=1s");
    let ran = shell.arg(shipped("rolling_restart.rhai")).go().succeeds();
    let ran = ran.stderr_contains("looking at the cluster: its nodes are watched for 1.0s");
    let ran = ran.stdout_contains("(3 Pumps, 2 Drainers)").stdout_contains("assumed: whether a supervisor restarts");
    let ran = ran.stdout_contains("= TiDB could write to 2 of 3 Pumps for 30s");
    let ran = ran.stdout_contains("= replication of every Drainer stood still for 30s");
    let ran = ran.stdout_contains("3 changes, 3 tasks by hand, 3 questions; exit code 0");
    assert_eq!(untimed(&ran), untimed(&sandbox("rolling_restart.rhai").go()), "{}", ran.stdout);
    assert!(cluster.asked_of_nodes().iter().all(|asked| !asked.ends_with("/pause")), "untouched");
}

#[test]
fn a_rehearsal_on_a_live_cluster_in_trouble_shows_what_a_run_would_meet() {
    let cluster = LiveCluster::start(Scenario::named("paused-drainer").unwrap());
    let ran = rehearse_on(Shell::live(&cluster.url()), r#"offline_pump("pump-1")"#, &["--observe", "1s"]);
    ran.fails(ErrorKind::Refused).stderr_contains("stuck_drainer").stdout_contains("=== the script ends: refused: ");
}

/// The error with which it ends, without the last words behind it.
fn error_of(ran: &Ran) -> Option<&str> {
    let error = &ran.stderr[ran.stderr.find("error[")?..];
    let last_words = ["out of work through this run: ", "the script does harm: "];
    let end = last_words.iter().filter_map(|words| error.find(words)).min();
    Some(&error[..end.unwrap_or(error.len())])
}

#[test]
fn a_failing_ensure_shows_as_in_a_real_run() {
    let script = "pause_drainer(\"drainer-0\");\nensure(pumps().len() == 4, \"four Pumps\");\n";
    let run = Shell::sandbox("default").yes().file("s.rhai", script).run("s.rhai", &[]).fails(ErrorKind::Failed);
    let shown = error_of(&run).unwrap();
    let rehearsed = rehearse(script, &[]).fails(ErrorKind::Failed);
    assert_eq!(rehearsed.stderr, shown);
    assert!(shown.contains(" --> s.rhai:2:1\n") && shown.contains("2 | ensure(pumps()") && shown.contains("| ^"));
    rehearsed.stdout_contains("=== the script fails: four Pumps").stdout_contains("exit code 1");
}

#[test]
fn the_exit_code_is_that_of_the_run() {
    let scripts = [
        ("print(\"ok\")", 0),
        ("exit(3)", 3),
        ("fail(\"no\")", 1),
        ("pause_pump(\"pump-9\")", 1),
        ("pause_pump(3)", 2),
        ("let x = 1 / 0;", 2),
        ("pause_pump(\"pump-1\"); pause_pump(\"pump-0\"); pause_pump(\"pump-2\")", 3),
        ("fault(\"refuse\", \"pump-1\"); pause_pump(\"pump-1\")", 3),
        ("wait_for(\"pump-1\", \"paused\", \"30s\")", 4),
        ("wait_until(\"it is\", || false, \"10s\")", 4),
        ("kill(\"pump-1\"); pause_pump(\"pump-1\")", 4),
        ("fault(\"lose_answer\", \"pump-1\"); pause_pump(\"pump-1\")", 6),
        ("try { fail(\"no\") } catch { exit(42) }", 42),
    ];
    for (script, code) in scripts {
        let run = Shell::sandbox("default").yes().file("s.rhai", script).run("s.rhai", &[]).exits(code);
        let rehearsed = rehearse(script, &[]).exits(code).stdout_contains(&format!("exit code {code}\n"));
        assert_eq!(error_of(&rehearsed), error_of(&run), "{script}");
    }
}

#[test]
fn as_json_a_rehearsal_is_one_object_with_all_that_people_read() {
    let told = json(&rehearse("pause_drainer(\"drainer-0\", #{ wait: \"1m\" }); exit(3)", &["-o", "json"]).exits(3));
    assert_eq!((told["exit_code"].as_u64(), told["outcome"].as_str()), (Some(3), Some("exit 3")));
    assert_eq!(told["totals"]["writes"], 1);
    assert_eq!(told["totals"]["questions"], 1);
    let effect = told["told"].as_array().unwrap().iter().find(|one| one["kind"] == "effect").unwrap();
    assert_eq!(effect["place"]["line"], 1);
    assert_eq!(told["differences"][0]["after"], "paused");
    let failed = rehearse("fail(\"no\")", &["-o", "json"]).exits(1);
    assert_eq!(json(&failed)["error"], "no");
    let error: serde_json::Value = serde_json::from_str(&failed.stderr).unwrap();
    assert_eq!(error["error"]["kind"], "failed");
}

#[test]
fn a_drainer_that_was_paused_before_is_not_said_to_stand_still_through_the_script() {
    let ran = rehearse_on(Shell::sandbox("paused-drainer"), "sleep(\"1m\")", &[]).succeeds();
    assert!(!ran.stdout.contains("drainer-0 stood still"), "{}", ran.stdout);
    ran.stdout_contains("replication never stood still");
}

#[test]
fn what_happens_at_the_same_moment_is_told_in_the_order_of_the_script() {
    let script = r#"
print("first");
step("the step", || {
    confirm("in the step?");
    print("then");
    pause_drainer("drainer-0");
    print("last");
    manual("look");
});"#;
    let ran = rehearse(script, &[]).succeeds();
    let told = ran.stdout.lines().filter_map(|line| Some(line.split_once("s ")?.1.trim())).collect::<Vec<_>>();
    let at =
        |part: &str| told.iter().position(|line| line.contains(part)).unwrap_or_else(|| panic!("{part}: {told:?}"));
    let order = [
        "> first",
        "==> the step",
        "? would ask: in the step?",
        "> then",
        "? would ask: pause drainer",
        "- pause drainer-0",
        "drainer-0 writes paused",
        "> last",
        "- by hand: look",
        "=== the script is done",
    ];
    assert!(order.map(at).is_sorted(), "{}", ran.stdout);
}

#[test]
fn numbers_agree_with_their_words() {
    let ran = rehearse("confirm(\"well?\"); manual(\"look\", #{ takes: \"1m\" });", &[]).succeeds();
    ran.stdout_contains("replication never stood still; no changes, 1 task by hand, 1 question; exit code 0");
    let one = rehearse("print(1)", &["--futures", "1"]).succeeds();
    one.stdout_contains("1 future of s.rhai (1 from seed 1)");
    let none = rehearse("print(1)", &["--futures=2", "--shard=3/4"]).succeeds();
    none.stdout("no futures of s.rhai (2 from seed 1)");
}
