//! Guards about starting and stopping processes from outside.

use super::situation::*;
use binlogsh::sim::{NodeControlSpec, Scenario};
use binlogsh::world::EndsBy;
use binlogsh::world::GuardName::*;

/// The sample `name`, whose nodes run in pods of start script v1: whoever deletes one kills its process.
fn in_pods(name: &str) -> Situation {
    let control = NodeControlSpec { by: "kubectl".into(), ends_by: EndsBy::Sigkill, ..NodeControlSpec::default() };
    Situation::on(Scenario { node_control: Some(control), ..Scenario::named(name).unwrap() })
}

#[test]
fn stopping_a_pump_has_the_guards_of_pausing_it() {
    let two_dead = Situation::sample("default").first(r#"kill("pump-0"); kill("pump-2")"#);
    two_dead.refuses(r#"stop("pump-1", #{$})"#, &[LastPump], &[]).says(&["stop pump pump-1 (10.0.1.12:8250)"]);
    two_dead.refuses(r#"restart("pump-1", #{$})"#, &[LastPump], &[]);
    let closing = Situation::sample("closing-pump");
    let waits = ["pump-1 is closing: it could not finish while this node is down"];
    closing.refuses(r#"stop("pump-0", #{$})"#, &[PumpClosing], &[]).says(&waits);
    closing.refuses(r#"stop("drainer-1", #{$})"#, &[PumpClosing], &[]).says(&waits);
    closing.allows(r#"restart("pump-0")"#);
    closing.allows(r#"restart("drainer-1")"#);
    let calm = Situation::sample("default");
    calm.allows(r#"stop("pump-1")"#);
    calm.allows(r#"stop("drainer-0")"#);
    assert!(calm.question(r#"stop("drainer-0")"#).contains("it must be back before"));
}

#[test]
fn forgets_close_leaves_a_closing_node_alone() {
    let closing = Situation::sample("closing-pump");
    for verb in ["stop", "restart"] {
        closing.refuses(&format!(r#"{verb}("pump-1", #{{$}})"#), &[ForgetsClose], &[]).says(&[
            "pump-1 is closing: it ignores SIGTERM, would be killed after 90 s, and would come back online as if nobody",
        ]);
    }
    let hung = Situation::sample("default").first(r#"hang("pump-1")"#);
    hung.refuses(r#"restart("pump-1", #{$ timeout: "5m"})"#, &[ForgetsClose], &[])
        .says(&["unknown, which refuses: whether pump-1 is closing, which it would forget"]);
    Situation::sample("default").first(r#"hang("drainer-1")"#).allows(r#"restart("drainer-1", #{ timeout: "5m" })"#);
}

#[test]
fn kills_protects_a_process_that_could_be_stopped_in_good_order() {
    let pods = in_pods("default");
    pods.refuses(r#"restart("pump-1", #{$})"#, &[Kills], &[]).says(&[
        "pump-1 would be killed, and not stopped in good order",
        r#"pause_pump("pump-1", #{ wait: "1m" }) first, then start it"#,
    ]);
    pods.refuses(r#"restart("drainer-0", #{$})"#, &[Kills], &[]);
    pods.allows(r#"pause_pump("pump-1", #{ wait: "1m" }); start("pump-1")"#);
    in_pods("default").first(r#"pause_pump("pump-1", #{ wait: "1m" })"#).allows(r#"restart("pump-1")"#);
    let closing = in_pods("closing-pump").refuses(r#"restart("pump-1", #{$})"#, &[ForgetsClose], &[]);
    closing.says(&["pump-1 is closing: it would be killed, and would come back online"]);
    let hangs = in_pods("default").first(r#"hang("drainer-1")"#);
    hangs.allows(r#"restart("drainer-1", #{ timeout: "5m" })"#);
}

#[test]
fn a_refused_port_is_no_proof_of_death_while_heartbeats_are_fresh() {
    let pods = in_pods("default").first(r#"kill("pump-1")"#);
    for verb in ["start", "restart"] {
        pods.refuses(&format!(r#"{verb}("pump-1", #{{$}})"#), &[Kills], &[]).says(&[
            "unknown, which refuses: whether pump-1 runs, which would be killed: nobody answers at 10.0.1.12:8250 from here",
            "its heartbeat is less than 10s old; see that its forwarded port or proxy works",
        ]);
    }
    in_pods("default").first(r#"kill("pump-1"); sleep("12s")"#).allows(r#"start("pump-1")"#);
    // Whoever stops the last Pump that answers is told so, though this one may not.
    let all = r#"kill("pump-0"); kill("pump-2"); sleep("12s"); kill("pump-1")"#;
    Situation::sample("default").first(all).refuses(r#"restart("pump-1", #{$})"#, &[LastPump], &[]);
    let all = format!(r#"{all}; sleep("12s")"#);
    Situation::sample("default").first(&all).allows(r#"restart("pump-1")"#);
}

#[test]
fn skips_binlog_keeps_an_offline_pump_from_simply_being_started() {
    let offline = Situation::sample("default").first(r#"offline_pump("pump-2", #{ wait: "2h" })"#);
    for verb in ["start", "restart"] {
        offline.refuses(&format!(r#"{verb}("pump-2", #{{$}})"#), &[], &[SkipsBinlog]).says(&[
            "pump-2 is offline: the Drainers take it in where they are by then, and skip for good what it holds",
        ]);
    }
}

#[test]
fn dead_drainer_keeps_a_pump_from_giving_up() {
    let situation = Situation::sample("default").first(r#"offline_pump("pump-2", #{ wait: "2h" }); kill("drainer-1")"#);
    situation.refuses(r#"start("pump-2", #{$ timeout: "1m"})"#, &[DeadDrainer], &[SkipsBinlog]).says(&[
        "drainer drainer-1 says online, and a probe says refused: pump-2 would wait for its answer, give up and go offline",
    ]);
    // A Pump that was paused or killed tells nobody.
    let killed = Situation::sample("default").first(r#"kill("pump-2"); kill("drainer-1")"#);
    killed.allows(r#"start("pump-2")"#);
}

#[test]
fn a_question_names_the_command_and_what_is_not_done_at_all_asks_nothing() {
    let asked = in_pods("paused-drainer").question(r#"start("drainer-0")"#);
    assert!(asked.contains("start drainer drainer-0 (10.0.1.21:8249), whose record says paused"), "{asked}");
    let calm = Situation::sample("default");
    assert_eq!(calm.question(r#"start("drainer-0")"#), "", "it runs already");
    let crashed = calm.question(r#"kill("pump-1"); stop("pump-1")"#);
    assert!(crashed.contains("stop pump pump-1"), "its supervisor may be about to start it: {crashed}");
}

#[test]
fn gc_overtaken_keeps_a_drainer_from_going_on_with_a_hole() {
    let old = Situation::sample("old-records");
    for verb in ["start", "restart"] {
        old.refuses(&format!(r#"{verb}("drainer-old", #{{$}})"#), &[], &[GcOvertaken]).says(&[
            "has passed the checkpoint of drainer-old by",
            "it would go on with a hole, and its downstream needs a new backup",
        ]);
    }
    Situation::sample("paused-drainer").allows(r#"start("drainer-0")"#);
}

#[test]
fn a_node_whose_address_another_one_answers_at_is_not_touched() {
    let taken = Situation::sample("duplicate-address");
    for call in [r#"stop("pump-old")"#, r#"restart("pump-old")"#, r#"start("pump-old")"#] {
        let error = taken.says_yes(call, &[]).outcome.unwrap_err();
        assert_eq!(error.kind, binlogsh::error::ErrorKind::Rejected, "{error}");
        assert!(error.message.contains("at its address answers pump-2, whose process that would be"), "{error}");
    }
    let closing = Situation::sample("closing-pump").says_yes(r#"start("pump-1")"#, &[]).outcome.unwrap_err();
    assert!(closing.message.contains("it runs, and is closing"), "{closing}");
}
