//! What the judge of rehearsals calls harm, and whom it blames: for each kind a play that does it, one that nearly does,
//! and one in which nobody could have known.

use binlogsh::interrupt::Interrupt;
use binlogsh::language::{ScriptSettings, Source};
use binlogsh::rehearsal::{Base, Blame, Bounds, Harm, HarmKind, Played, Subjects, judged};
use binlogsh::sim::{Fault, HOUR, MILLISECOND, MINUTE, Micros, SECOND, Scenario};
use binlogsh::world::{Change, FaultKind};
use serde_json::{Value as Json, json};

/// A script on a sample, with what goes wrong.
struct Rehearsal {
    subjects: Subjects,
    faults: Vec<Fault>,
}

fn rehearse(code: &str) -> Rehearsal {
    let (source, settings) = (Source::new("script.rhai", code), ScriptSettings::default());
    let scenario = Scenario::named("default").unwrap();
    Rehearsal { subjects: Subjects { source, settings, scenario, interrupt: Interrupt::default() }, faults: Vec::new() }
}

impl Rehearsal {
    fn with(mut self, kind: &str, node: &str, after: Micros, lasts: Option<u64>) -> Self {
        let mut fault = json!({"kind": kind, "node": node, "after": after as f64 / 1e6});
        if let Some(lasts) = lasts {
            fault["lasts"] = Json::from(lasts);
        }
        let fault: Fault = serde_json::from_value(fault).unwrap();
        assert!(FaultKind::ALL.contains(&fault.kind));
        self.faults.push(fault);
        self
    }

    fn on(mut self, sample: &str) -> Self {
        self.subjects.scenario = Scenario::named(sample).unwrap();
        self
    }

    fn in_cluster(mut self, scenario: &Json) -> Self {
        self.subjects.scenario = Scenario::parse(&scenario.to_string()).unwrap();
        self
    }

    fn play(&self) -> (Played, Vec<Harm>) {
        let mut stage = self.subjects.stage().unwrap();
        let bounds = Bounds { time: 40 * 24 * HOUR, calls: 200_000 };
        let base = Base::play(&mut stage, bounds).unwrap();
        let (played, _, harms) = judged(&mut stage, &base.intended, &self.faults, bounds).unwrap();
        (played, harms)
    }

    /// Who is to blame for each harm of this kind.
    fn blames(&self, kind: HarmKind) -> Vec<Blame> {
        let (_, harms) = self.play();
        harms.iter().filter(|harm| harm.kind == kind).map(|harm| harm.blame).collect()
    }

    /// When it ends.
    fn ends_at(&self) -> Micros {
        self.play().0.ended_at()
    }
}

fn keeps_a_drainer_down(time: &str) -> String {
    format!(
        r#"pause_drainer("drainer-0", #{{ wait: "1m" }}); sleep("{time}");
           manual("Start it", #{{ starts: ["drainer-0"] }}); wait_for("drainer-0", "online")"#
    )
}

#[test]
fn binlog_that_gc_took_from_a_drainer_that_the_script_kept_down_is_lost_by_the_script() {
    let lost = rehearse(&keeps_a_drainer_down("8d")).blames(HarmKind::BinlogLost);
    assert!(!lost.is_empty() && lost.iter().all(|blame| *blame == Blame::Script), "{lost:?}");
}

#[test]
fn a_drainer_that_is_back_before_gc_has_lost_nothing() {
    assert_eq!(rehearse(&keeps_a_drainer_down("6d")).blames(HarmKind::BinlogLost), []);
}

#[test]
fn binlog_of_a_drainer_that_somebody_else_kept_down_is_bad_luck() {
    let lost = rehearse(r#"sleep("8d 1h")"#).with("other_pauses", "drainer-0", SECOND, Some(8 * 86_400));
    let lost = lost.blames(HarmKind::BinlogLost);
    assert!(!lost.is_empty() && lost.iter().all(|blame| *blame == Blame::BadLuck), "{lost:?}");
}

#[test]
fn binlog_that_was_given_up_by_the_guards_name_is_accepted_with_its_size() {
    let code = r#"sleep("7h 50m"); trigger_gc("pump-1", #{ force: ["behind_gc"] })"#;
    let (_, harms) = rehearse(code).on("lagging-drainer").play();
    let lost: Vec<_> = harms.iter().filter(|harm| harm.kind == HarmKind::BinlogLost).collect();
    assert!(lost.iter().any(|harm| harm.blame == Blame::Accepted && harm.size > Some(MINUTE)), "{lost:?}");
}

#[test]
fn what_a_closed_pump_got_after_somebody_started_it_again_is_not_lost_by_the_close() {
    let code = r#"offline_pump("pump-1", #{ wait: "1m" }); sleep("1m")"#;
    let lost = rehearse(code).with("flap", "pump-1", SECOND, Some(50)).with("hang", "drainer-0", 10 * SECOND, None);
    assert!(!lost.blames(HarmKind::BinlogLost).contains(&Blame::Script), "{:?}", lost.play().1);
}

fn pauses_all(takes: &str) -> String {
    format!(
        r#"let ids = pumps().map(|p| p.id);
           for id in ids {{ pause_pump(id, #{{ force: ["last_pump"] }}); }}
           manual("Start them", #{{ starts: ids, takes: "{takes}" }});
           for id in ids {{ wait_for(id, "online"); }}"#
    )
}

#[test]
fn tidb_without_a_pump_through_the_script_is_blocked_by_it() {
    let slow = rehearse(&pauses_all("30s")).with("slow_start", "pump-0", 40 * SECOND, Some(1));
    let blamed = rehearse(&pauses_all("30s").replace("pause_pump(id", "sleep(\"3s\"); pause_pump(id"));
    assert_eq!(slow.blames(HarmKind::TidbBlocked).len(), 1);
    assert_eq!(blamed.blames(HarmKind::TidbBlocked), [Blame::Script]);
}

#[test]
fn tidb_bears_less_than_its_write_timeout() {
    assert_eq!(rehearse(&pauses_all("10s")).blames(HarmKind::TidbBlocked), []);
}

#[test]
fn pumps_that_crash_while_one_is_paused_are_bad_luck() {
    let code = r#"pause_pump("pump-0"); manual("Start it", #{ starts: ["pump-0"], takes: "2m" })"#;
    let blocked =
        rehearse(code).with("crash", "pump-1", 5 * SECOND, Some(60)).with("hang", "pump-2", 5 * SECOND, Some(60));
    assert_eq!(blocked.blames(HarmKind::TidbBlocked), [Blame::BadLuck]);
}

#[test]
fn a_second_pump_that_is_paused_at_once_is_the_scripts_doing() {
    let code =
        r#"pause_pump("pump-0"); pause_pump("pump-1"); manual("Start both", #{ starts: ["pump-0", "pump-1"] });"#;
    assert_eq!(rehearse(code).blames(HarmKind::TwoDown), [Blame::Script]);
}

#[test]
fn a_second_pump_that_is_left_paused_beside_the_first_is_the_scripts_doing() {
    let code = r#"pause_pump("pump-0"); pause_pump("pump-1");"#;
    assert_eq!(rehearse(code).blames(HarmKind::TwoDown), [Blame::Script]);
}

#[test]
fn one_pump_after_the_other_is_not_two_down() {
    let one = |id: &str| {
        format!(r#"pause_pump("{id}"); manual("Start it", #{{ starts: ["{id}"] }}); wait_for("{id}", "online");"#)
    };
    assert_eq!(rehearse(&([one("pump-0"), one("pump-1")].concat())).blames(HarmKind::TwoDown), []);
}

#[test]
fn a_pause_that_is_carried_out_late_is_bad_luck() {
    let code = r#"sleep("2s"); try { pause_pump("pump-0"); } catch {}
        pause_pump("pump-1", #{ force: ["pump_closing"] }); sleep("1m");
        manual("Start both", #{ starts: ["pump-0", "pump-1"] });"#;
    let late = rehearse(code).with("hang", "pump-0", SECOND, Some(30));
    assert_eq!(late.blames(HarmKind::TwoDown), [Blame::BadLuck]);
}

const RELABELS: &str = r#"sleep("20s"); if probe("pump-1") != "online" { update_pump("pump-1", "paused") }"#;

#[test]
fn a_state_forced_over_a_node_that_hangs_is_accepted() {
    let code = RELABELS.replace(r#""paused")"#, r#""paused", #{ force: ["alive"] })"#);
    assert_eq!(
        rehearse(&code).with("hang", "pump-1", SECOND, None).blames(HarmKind::RelabelledLive),
        [Blame::Accepted]
    );
}

#[test]
fn a_state_over_a_live_node_is_refused_and_a_dead_ones_record_may_be_mended() {
    assert_eq!(rehearse(RELABELS).with("hang", "pump-1", SECOND, None).blames(HarmKind::RelabelledLive), []);
    assert_eq!(rehearse(RELABELS).with("fail", "pump-1", 19 * SECOND, None).blames(HarmKind::RelabelledLive), []);
}

#[test]
fn a_process_that_comes_up_while_its_record_is_mended_is_bad_luck() {
    let written = |crash: Micros| {
        let mends = rehearse(RELABELS).with("crash", "pump-1", crash, None);
        let (played, harms) = mends.play();
        let act = played.acts.iter().find(|act| matches!(act.change, Change::SwapRecord { .. }));
        (act.map(|act| act.begun), harms)
    };
    let begun = written(19 * SECOND).0.unwrap();
    // The supervisor starts it 15 s after its death; for 300 ms nobody answers yet.
    let (_, harms) = written(begun - 15 * SECOND - 100 * MILLISECOND);
    let blames: Vec<_> =
        harms.iter().filter(|harm| harm.kind == HarmKind::RelabelledLive).map(|harm| harm.blame).collect();
    assert_eq!(blames, [Blame::BadLuck], "{harms:?}");
}

fn fails_with(text: &str) -> Rehearsal {
    let code = format!(
        r#"pause_pump("pump-0", #{{ wait: "1m" }});
           try {{
               manual("Start it", #{{ starts: ["pump-0"], timeout: "1m" }});
               wait_for("pump-0", "online", "20s");
           }} catch {{ fail("{text}"); }}"#
    );
    rehearse(&code).with("start_fails", "pump-0", SECOND, None)
}

#[test]
fn a_failure_that_does_not_name_what_it_leaves_down_is_harm() {
    assert_eq!(fails_with("failed").blames(HarmKind::UnnamedLeftover), [Blame::Script]);
    assert_eq!(fails_with("pump-01 is down").blames(HarmKind::UnnamedLeftover), [Blame::Script]);
}

#[test]
fn a_failure_that_names_it_is_none() {
    assert_eq!(fails_with("pump-0 is down").blames(HarmKind::UnnamedLeftover), []);
}

#[test]
fn a_drainer_of_ours_that_stands_still_only_just_is_bad_luck() {
    let code = r#"pause_drainer("drainer-0", #{ wait: "1m" }); manual("Start it", #{ starts: ["drainer-0"] });
        wait_for("drainer-0", "online"); sleep("1m"); fail("failed")"#;
    let end = rehearse(code).ends_at();
    let stalls = |before: Micros| rehearse(code).with("stall", "drainer-0", end - before, None);
    assert_eq!(stalls(3 * SECOND).blames(HarmKind::UnnamedLeftover), [Blame::BadLuck]);
    assert_eq!(stalls(30 * SECOND).blames(HarmKind::UnnamedLeftover), [Blame::Script]);
}

const CLOSES: &str = r#"sleep("1s"); offline_pump("pump-1")"#;

#[test]
fn success_while_the_pump_still_closes_is_false() {
    assert_eq!(
        rehearse(CLOSES).with("unmatched_prewrite", "pump-1", SECOND / 2, Some(600)).blames(HarmKind::FalseSuccess)[0],
        Blame::Script
    );
}

#[test]
fn success_is_true_when_the_goal_comes_about_in_a_moment() {
    assert_eq!(rehearse(CLOSES).blames(HarmKind::FalseSuccess), []);
}

#[test]
fn a_node_that_hangs_as_the_script_ends_is_bad_luck() {
    let code = r#"pause_pump("pump-0", #{ wait: "1m" }); manual("Start it", #{ starts: ["pump-0"] });
        wait_for("pump-0", "online"); sleep("30s")"#;
    let end = rehearse(code).ends_at();
    let hangs =
        |before: Micros| rehearse(code).with("hang", "pump-0", end - before, None).blames(HarmKind::FalseSuccess);
    assert!(hangs(SECOND).iter().all(|blame| *blame == Blame::BadLuck) && !hangs(SECOND).is_empty());
    assert!(hangs(10 * SECOND).contains(&Blame::Script));
}

#[test]
fn success_after_a_refusal_that_was_ignored_is_false() {
    let code = r#"try { offline_pump("pump-1"); } catch {} sleep("1m")"#;
    let refused = rehearse(code).with("refuse", "pump-1", 0, Some(30));
    assert_eq!(refused.blames(HarmKind::FalseSuccess), [Blame::Script]);
}

/// Pauses a Pump, and once more `later` if the first answer was in doubt.
fn pauses_again(later: &str) -> Rehearsal {
    let code = format!(
        r#"let sure = false; try {{ pause_pump("pump-0"); sure = true; }} catch {{}}
           manual("Start it", #{{ starts: ["pump-0"], takes: "10s" }});
           sleep("{later}");
           if !sure {{ pause_pump("pump-0"); manual("Start it again", #{{ starts: ["pump-0"] }}); }}"#
    );
    rehearse(&code)
}

#[test]
fn a_pause_of_a_process_that_was_replaced_since_is_done_twice() {
    assert_eq!(pauses_again("10s").with("lose_answer", "pump-0", 0, Some(2)).blames(HarmKind::Twice), [Blame::Script]);
}

#[test]
fn a_second_pause_that_was_not_needed_is_not_made() {
    assert_eq!(pauses_again("10s").blames(HarmKind::Twice), []);
    assert_eq!(pauses_again("10s").with("refuse", "pump-0", 0, Some(2)).blames(HarmKind::Twice), []);
}

#[test]
fn a_process_replaced_too_lately_to_be_seen_is_bad_luck() {
    assert_eq!(
        pauses_again("0.5s").with("lose_answer", "pump-0", 0, Some(2)).blames(HarmKind::Twice),
        [Blame::BadLuck]
    );
}

#[test]
fn a_loop_without_an_end_is_harm() {
    let code = r#"pause_pump("pump-0"); while pump("pump-0").state != "paused" { sleep("1h"); }"#;
    assert_eq!(rehearse(code).with("lose_record", "pump-0", 0, None).blames(HarmKind::NoEnd), [Blame::Script]);
}

#[test]
fn who_says_what_it_waits_for_may_wait_long() {
    let code = r#"pause_pump("pump-0"); wait_until("it is paused", || pump("pump-0").state == "paused", "400d");"#;
    let waits = rehearse(code).with("lose_record", "pump-0", 0, None);
    assert_eq!(waits.blames(HarmKind::NoEnd), []);
    assert_eq!(waits.play().0.waits_for.as_ref().map(|wait| wait.what.contains("it is paused")), Some(true));
}

#[test]
fn a_drainer_whose_record_went_on_until_just_now_was_seen_to_advance() {
    // It has stood for 16 s when the script ends: first for pump-0, then for pump-1, of which it does not know where it went.
    // When pump-0 came back in between, it saved what it had of both.
    let node = |id: &str, address: &str| json!({"id": id, "address": address, "supervisor": true});
    let cluster = json!({
        "version": 1,
        "pumps": [node("pump-0", "10.0.1.11:8250"), node("pump-1", "10.0.1.12:8250")],
        "drainers": [node("drainer-0", "10.0.1.21:8249")],
        "tidb": [{"address": "10.0.1.41:4000", "writes_per_second": 20}],
    });
    let restarts = rehearse(include_str!("../scripts/rolling_restart.rhai"))
        .in_cluster(&cluster)
        .with("fail", "pump-0", 68_104 * MILLISECOND, Some(15))
        .with("new_address", "pump-1", 72_677 * MILLISECOND, None);
    assert_eq!(restarts.blames(HarmKind::FalseSuccess), [Blame::BadLuck]);
}

/// The sample's only Drainer is stopped, and a changefeed begins where it stopped.
fn hands_over(then: &str) -> Rehearsal {
    let code = format!(
        r#"import "ticdc" as ticdc;
           let id = "10.0.1.21:8249";
           hold_gc(ticdc::saved(id).commit_ts - 1);
           ticdc::wait_until_past_ddl(id, "10m");
           pause_drainer(id, #{{ wait: "5m" }});
           let last = ticdc::saved(id).commit_ts;
           manual("Create the changefeed", #{{
               changefeed: #{{ id: "copy", start_ts: last, sink: "mysql://10.0.2.7:3306/" }},
               takes: "1m",
           }});
           ticdc::wait_until_past("copy", last, "10m");
           release_gc();
           {then}"#
    );
    rehearse(&code).on("ticdc")
}

#[test]
fn what_a_changefeed_has_taken_over_is_lost_to_nobody() {
    let closes = r#"update_drainer(id, "offline", #{ force: ["last_drainer"] });
        manual("Switch binlog off", #{ tidb: "off" });
        for pump in pumps() { offline_pump(pump.id, #{ force: ["no_drainer", "last_pump"], wait: "5m" }); }"#;
    let (played, harms) = hands_over(closes).play();
    assert_eq!((played.outcome().as_str(), &harms), ("done", &Vec::new()));
    // The Drainer is in nobody's way whatever somebody writes into its record in the end.
    let late = hands_over(closes).with("other_writes_paused", "10.0.1.21:8249", 13 * MINUTE, None);
    assert_eq!(late.blames(HarmKind::BinlogLost), []);
}

#[test]
fn a_drainer_that_somebody_else_starts_beside_its_changefeed_is_bad_luck_and_ones_own_doing_otherwise() {
    let started = hands_over(r#"manual("Start it", #{ starts: [id], takes: "1m" })"#);
    assert_eq!(started.blames(HarmKind::AppliedTwice), [Blame::Script]);
    let another = hands_over("sleep(\"10m\")").with("other_pauses", "10.0.1.21:8249", 4 * SECOND, Some(180));
    let blames = another.blames(HarmKind::AppliedTwice);
    assert!(blames.iter().all(|blame| *blame == Blame::BadLuck), "{blames:?}");
}

#[test]
fn a_pause_of_a_node_that_the_script_itself_has_started_again_is_meant() {
    let code = r#"
        pause_drainer("drainer-0", #{ wait: "1m" });
        sleep("2s");
        if probe("drainer-1") != "online" {
            manual("Start it again", #{ starts: ["drainer-0"], takes: "30s" });
            wait_for("drainer-0", "online", "5m");
            pause_drainer("drainer-0", #{ wait: "1m" });
        }
        manual("Start it", #{ starts: ["drainer-0"], takes: "30s" });
        wait_for("drainer-0", "online", "5m");"#;
    let again = rehearse(code).with("crash", "drainer-1", SECOND / 2, None);
    assert!(again.play().0.acts.len() > 3, "{:?}", again.play().0.acts);
    assert_eq!(again.blames(HarmKind::Twice), []);
}
