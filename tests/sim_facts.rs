//! What the model does beyond the recordings, fact by fact; `docs/simulator.md` numbers them.

#![expect(clippy::panic, reason = "a node that does not answer ends the test")]

use binlogsh::node::{Kind, State};
use binlogsh::sim::{Cluster, HOUR, HttpOutcome, LogEvent, MINUTE, Micros, NodeIndex, SECOND, Scenario, Signal};
use binlogsh::world::TidbBinlog;
use serde_json::{Value as Json, json};

/// Three Pumps and one Drainer, with whatever `change` makes of them.
fn cluster(change: impl FnOnce(&mut Json)) -> Cluster {
    let node = |id: &str, address: &str| json!({"id": id, "address": address});
    let mut scenario = json!({
        "version": 1,
        "pumps": [node("p0", "h0:8250"), node("p1", "h1:8250"), node("p2", "h2:8250")],
        "drainers": [node("d0", "h3:8249")],
        "tidb": [{"address": "h4:4000", "writes_per_second": 10}],
    });
    change(&mut scenario);
    Cluster::new(&Scenario::parse(&scenario.to_string()).unwrap()).unwrap()
}

fn who(cluster: &Cluster, id: &str) -> NodeIndex {
    Kind::ALL.iter().copied().find_map(|kind| cluster.find(kind, id)).unwrap()
}

fn record(cluster: &Cluster, id: &str) -> State {
    State::from_name(cluster.record(who(cluster, id)).unwrap().state.name()).unwrap()
}

fn put(cluster: &mut Cluster, id: &str, action: &str) -> String {
    let address = cluster.address_of(who(cluster, id)).to_owned();
    match cluster.http(&address, "PUT", &format!("/state/{id}/{action}")) {
        HttpOutcome::Response { body, .. } => {
            serde_json::from_str::<Json>(&body).unwrap()["message"].as_str().unwrap().to_owned()
        }
        other => format!("{other:?}").to_lowercase(),
    }
}

fn wait(cluster: &mut Cluster, time: Micros) {
    cluster.advance_to(cluster.now() + time);
}

fn write_state(cluster: &mut Cluster, id: &str, state: State) {
    let record = cluster.record(who(cluster, id)).unwrap();
    cluster.put(&record.node.key(), record.with_state(state).unwrap().bytes());
}

fn happened(cluster: &Cluster, what: impl Fn(&LogEvent) -> bool) -> Vec<Micros> {
    cluster.log().iter().filter(|entry| what(&entry.what)).map(|entry| entry.at).collect()
}

/// Whether everything that the Drainer has consumed moves on within 12 s.
fn advances(cluster: &mut Cluster, id: &str) -> bool {
    let before = cluster.position(who(cluster, id));
    wait(cluster, 12 * SECOND);
    cluster.position(who(cluster, id)) > before
}

#[test]
fn a_node_answers_in_the_words_of_the_real_ones() {
    let mut cluster = cluster(|_| {});
    assert_eq!(put(&mut cluster, "p0", "probe"), "invalide action probe");
    assert_eq!(put(&mut cluster, "d0", "probe"), "invalid action probe");
    let HttpOutcome::Response { status, body, .. } = cluster.http("h0:8250", "PUT", "/state/p9/pause") else {
        panic!("no answer");
    };
    assert_eq!(status, 200);
    let words =
        "{\n  \"message\": \"invalide nodeID p9, this pump's nodeID is p0\",\n  \"code\": 3,\n  \"data\": null\n}";
    assert_eq!(body, words);
    assert_eq!(put(&mut cluster, "p0", "close"), "apply action close success!");
    assert_eq!(put(&mut cluster, "p0", "pause"), "this pump's state is closing, apply pause failed!");
}

#[test]
fn host_names_of_nodes_have_no_case() {
    let mut cluster = cluster(|scenario| scenario["pumps"][1]["address"] = json!("H0:8250"));
    assert!(matches!(cluster.http("h0:8250", "GET", "/status"), HttpOutcome::Response { .. }));
    wait(&mut cluster, 2 * SECOND);
    let p1 = who(&cluster, "p1");
    cluster.signal(p1, Signal::Kill);
    cluster.start(p1, None);
    wait(&mut cluster, MINUTE);
    assert!(happened(&cluster, |what| *what == LogEvent::Online(p1)).is_empty(), "nothing took its port");
}

#[test]
fn status_commit_ts_and_metrics_have_the_fields_of_the_real_ones() {
    let mut cluster = cluster(|_| {});
    let mut get = |address: &str, path: &str| match cluster.http(address, "GET", path) {
        HttpOutcome::Response { body, .. } => body,
        other => panic!("{other:?}"),
    };
    let pump: Json = serde_json::from_str(&get("h0:8250", "/status")).unwrap();
    assert_eq!(pump["status"]["p0"]["state"], "online");
    assert!(pump["CommitTS"].is_i64() && pump["ErrMsg"] == "");
    let drainer: Json = serde_json::from_str(&get("h3:8249", "/status")).unwrap();
    assert!(drainer["PumpPos"]["p2"].is_i64() && drainer["LastTS"].is_i64() && drainer["Synced"] == false);
    let ts: Json = serde_json::from_str(&get("h3:8249", "/commit_ts")).unwrap();
    assert_eq!((&ts["code"], &ts["data"]["ts"]), (&json!(200), &drainer["LastTS"]));
    let metrics = get("h0:8250", "/metrics");
    for sample in
        ["process_start_time_seconds ", "binlog_pump_storage_gc_ts ", "storage_size_bytes{type=\"available\"} "]
    {
        assert!(metrics.contains(sample), "{sample} in {metrics}");
    }
}

#[test]
fn a_new_pump_is_silent_and_gives_up_while_an_online_drainer_is_hung() {
    let mut cluster = cluster(|scenario| {
        scenario["pumps"][2]["record"] = Json::Null;
        scenario["pumps"][2]["process"] = "dead".into();
    });
    let (pump, drainer) = (who(&cluster, "p2"), who(&cluster, "d0"));
    cluster.signal(drainer, Signal::Stop);
    cluster.start(pump, None);
    wait(&mut cluster, 5 * SECOND);
    assert_eq!((record(&cluster, "p2"), put(&mut cluster, "p2", "probe")), (State::Online, "silent".into()));
    wait(&mut cluster, 6 * SECOND);
    assert_eq!((record(&cluster, "p2"), put(&mut cluster, "p2", "probe")), (State::Offline, "refused".into()));
}

#[test]
fn a_new_pump_that_reaches_the_drainer_at_last_comes_up() {
    let mut cluster = cluster(|scenario| {
        scenario["pumps"][2]["record"] = "offline".into();
        scenario["pumps"][2]["process"] = "dead".into();
    });
    let (pump, drainer) = (who(&cluster, "p2"), who(&cluster, "d0"));
    cluster.signal(drainer, Signal::Stop);
    cluster.start(pump, None);
    wait(&mut cluster, 4 * SECOND);
    cluster.signal(drainer, Signal::Cont);
    wait(&mut cluster, 5 * SECOND);
    assert_eq!(put(&mut cluster, "p2", "probe"), "invalide action probe");
    assert!(advances(&mut cluster, "d0"));
}

#[test]
fn a_paused_pump_starts_whatever_the_drainers_say() {
    let mut cluster = cluster(|scenario| {
        scenario["pumps"][2]["record"] = "paused".into();
        scenario["pumps"][2]["process"] = "dead".into();
        scenario["drainers"][0]["process"] = "dead".into();
    });
    cluster.start(who(&cluster, "p2"), None);
    wait(&mut cluster, SECOND);
    assert_eq!(put(&mut cluster, "p2", "probe"), "invalide action probe");
}

#[test]
fn nodes_outlive_a_short_absence_of_pd() {
    let fault = json!([{"kind": "pd_gone", "after": 10, "lasts": 8}]);
    let mut cluster = cluster(|scenario| scenario["faults"] = fault);
    cluster.advance_to(12 * SECOND);
    let frozen = cluster.record(who(&cluster, "p0")).unwrap();
    cluster.advance_to(17 * SECOND);
    assert_eq!(cluster.record(who(&cluster, "p0")).unwrap(), frozen);
    cluster.advance_to(20 * SECOND + SECOND / 10);
    assert!(cluster.record(who(&cluster, "p0")).unwrap().mod_revision > frozen.mod_revision);
    assert!(advances(&mut cluster, "d0"));
}

#[test]
fn a_drainer_exits_after_twenty_failed_heartbeats_and_stays_online_in_its_record() {
    let fault = json!([{"kind": "pd_gone", "after": 10, "lasts": 25}]);
    let mut cluster = cluster(|scenario| scenario["faults"] = fault);
    cluster.advance_to(29 * SECOND);
    assert_eq!(put(&mut cluster, "d0", "probe"), "invalid action probe");
    cluster.advance_to(40 * SECOND);
    assert_eq!((record(&cluster, "d0"), put(&mut cluster, "d0", "probe")), (State::Online, "refused".into()));
}

#[test]
fn a_supervisor_restarts_what_failed_and_leaves_what_was_stopped() {
    let mut cluster = cluster(|scenario| {
        scenario["pumps"][0]["supervisor"] = true.into();
        scenario["pumps"][1]["supervisor"] = true.into();
    });
    let (killed, paused) = (who(&cluster, "p0"), who(&cluster, "p1"));
    cluster.signal(killed, Signal::Kill);
    cluster.signal(paused, Signal::Term);
    wait(&mut cluster, 14 * SECOND);
    assert_eq!(put(&mut cluster, "p0", "probe"), "refused");
    wait(&mut cluster, 2 * SECOND);
    assert_eq!(put(&mut cluster, "p0", "probe"), "invalide action probe");
    wait(&mut cluster, MINUTE);
    assert_eq!((record(&cluster, "p1"), put(&mut cluster, "p1", "probe")), (State::Paused, "refused".into()));
}

#[test]
fn a_closing_pump_ignores_sigterm_and_forgets_the_close_when_killed() {
    let mut cluster = cluster(|scenario| {
        scenario["drainers"][0] =
            json!({"id": "d0", "address": "h3:8249", "record": "paused", "process": "dead", "lag": "1h"});
    });
    let pump = who(&cluster, "p1");
    put(&mut cluster, "p1", "close");
    cluster.signal(pump, Signal::Term);
    wait(&mut cluster, HOUR);
    assert_eq!(put(&mut cluster, "p1", "close"), "this pump's state is closing, apply close failed!");
    cluster.signal(pump, Signal::Kill);
    cluster.start(pump, None);
    wait(&mut cluster, 3 * SECOND);
    assert_eq!(
        (record(&cluster, "p1"), put(&mut cluster, "p1", "probe")),
        (State::Online, "invalide action probe".into())
    );
}

#[test]
fn an_unmatched_prewrite_holds_up_a_close_for_at_most_ten_minutes() {
    let mut cluster = cluster(|scenario| {
        scenario["faults"] = json!([{"kind": "unmatched_prewrite", "node": "p1"}]);
    });
    cluster.advance_to(SECOND);
    put(&mut cluster, "p1", "close");
    wait(&mut cluster, 9 * MINUTE);
    assert_eq!(record(&cluster, "p1"), State::Online);
    wait(&mut cluster, 2 * MINUTE);
    assert_eq!(record(&cluster, "p1"), State::Offline);
}

#[test]
fn a_request_to_a_hung_node_is_carried_out_when_it_goes_on() {
    let mut cluster = cluster(|_| {});
    let pump = who(&cluster, "p1");
    cluster.signal(pump, Signal::Stop);
    assert_eq!(put(&mut cluster, "p1", "pause"), "silent");
    wait(&mut cluster, MINUTE);
    assert_eq!(record(&cluster, "p1"), State::Online);
    cluster.signal(pump, Signal::Cont);
    wait(&mut cluster, SECOND);
    assert_eq!(record(&cluster, "p1"), State::Paused);
}

#[test]
fn one_paused_pump_halts_every_drainer() {
    let mut cluster = cluster(|_| {});
    assert!(advances(&mut cluster, "d0"));
    put(&mut cluster, "p1", "pause");
    wait(&mut cluster, SECOND);
    assert!(!advances(&mut cluster, "d0"));
    cluster.start(who(&cluster, "p1"), None);
    assert!(advances(&mut cluster, "d0"));
}

#[test]
fn a_live_pump_labelled_offline_loses_binlog_for_good() {
    let mut cluster = cluster(|scenario| {
        scenario["pumps"][1]["phases"] = json!({"heartbeat_ms": 1500});
        scenario["drainers"][0]["phases"] = json!({"look_ms": 1000});
    });
    cluster.advance_to(SECOND / 2);
    write_state(&mut cluster, "p1", State::Offline);
    cluster.advance_to(2 * SECOND);
    assert_eq!(record(&cluster, "p1"), State::Online, "its next heartbeat");
    cluster.advance_to(10 * SECOND);
    let skipped = happened(&cluster, |what| matches!(what, LogEvent::Skipped { pump: 1, drainer: 0, .. }));
    assert_eq!(skipped, [6 * SECOND], "at its next look but one");
}

#[test]
fn a_drainer_waits_for_a_pump_whose_key_was_deleted() {
    let mut cluster = cluster(|_| {});
    put(&mut cluster, "p1", "pause");
    assert!(cluster.delete("/tidb-binlog/v1/pumps/p1"));
    wait(&mut cluster, 20 * SECOND);
    assert!(!advances(&mut cluster, "d0"));
}

#[test]
fn a_live_node_whose_key_was_deleted_writes_it_again() {
    let mut cluster = cluster(|_| {});
    assert!(cluster.delete("/tidb-binlog/v1/pumps/p1"));
    assert!(cluster.record(who(&cluster, "p1")).is_none());
    wait(&mut cluster, 3 * SECOND);
    assert_eq!(record(&cluster, "p1"), State::Online);
}

#[test]
fn with_a_malformed_pump_key_drainers_never_learn_that_a_pump_went() {
    let mut cluster = cluster(|_| {});
    cluster.put("/tidb-binlog/v1/pumps/broken", b"{not json");
    assert!(advances(&mut cluster, "d0"), "while every Pump is there");
    put(&mut cluster, "p1", "close");
    wait(&mut cluster, MINUTE);
    assert_eq!(record(&cluster, "p1"), State::Offline);
    assert!(!advances(&mut cluster, "d0"));
    cluster.delete("/tidb-binlog/v1/pumps/broken");
    assert!(advances(&mut cluster, "d0"));
}

#[test]
fn a_drainer_never_takes_over_the_new_address_of_a_known_pump() {
    let mut cluster = cluster(|_| {});
    let pump = who(&cluster, "p1");
    cluster.start(pump, Some("elsewhere:8250"));
    wait(&mut cluster, MINUTE);
    assert_eq!(cluster.record(pump).unwrap().node.address, "elsewhere:8250");
    assert!(!advances(&mut cluster, "d0"));
    cluster.start(who(&cluster, "d0"), None);
    assert!(advances(&mut cluster, "d0"));
}

fn lagging(gc: &str) -> Cluster {
    cluster(|scenario| {
        scenario["gc"] = gc.into();
        scenario["drainers"][0]["lag"] = "6d22h".into();
        scenario["drainers"][0]["speed"] = json!(0.1);
    })
}

#[test]
fn a_drainer_that_gc_overtakes_goes_on_with_a_hole() {
    let mut cluster = lagging("age");
    cluster.advance_to(6 * HOUR);
    let holes = happened(&cluster, |what| matches!(what, LogEvent::Hole { drainer: 0, .. }));
    assert!(holes.first().is_some_and(|at| *at > HOUR && *at < 4 * HOUR), "{holes:?}");
    assert!(advances(&mut cluster, "d0"), "silently");
}

#[test]
fn a_restarted_drainer_begins_at_its_checkpoint() {
    let mut cluster = cluster(|scenario| scenario["tidb"] = json!([]));
    let drainer = who(&cluster, "d0");
    cluster.advance_to(MINUTE);
    // Where it has consumed more than it has saved.
    let mut saved = cluster.record(drainer).unwrap().max_commit_ts;
    while cluster.position(drainer) < cluster.time_of(saved) + 2 * SECOND {
        wait(&mut cluster, SECOND / 10);
        saved = cluster.record(drainer).unwrap().max_commit_ts;
    }
    let put = put(&mut cluster, "d0", "pause");
    assert!(put.contains("success"), "{put}");
    wait(&mut cluster, SECOND);
    let saved = cluster.record(drainer).unwrap().max_commit_ts;
    assert_eq!(cluster.position(drainer), cluster.time_of(saved), "what it consumed beyond that is forgotten");
    cluster.start(drainer, None);
    wait(&mut cluster, 2 * SECOND);
    assert_eq!(cluster.record(drainer).unwrap().max_commit_ts, saved, "its first save comes more than 3 s later");
    wait(&mut cluster, 8 * SECOND);
    assert!(cluster.record(drainer).unwrap().max_commit_ts > saved);
}

#[test]
fn drainers_go_on_while_a_pump_closes_for_long() {
    for tidb in [json!([]), json!([{"address": "h4:4000", "writes_per_second": 10}])] {
        let mut cluster = cluster(|scenario| {
            scenario["tidb"] = tidb;
            scenario["pumps"][1]["process"] = "closing".into();
            scenario["pumps"][1]["lag"] = "10m".into();
            let paused = json!({"id": "d1", "address": "h5:8249", "record": "paused", "process": "dead", "lag": "1h"});
            scenario["drainers"].as_array_mut().unwrap().push(paused);
        });
        for _ in 0..10 {
            let recorded = |cluster: &Cluster| cluster.record(who(cluster, "d0")).unwrap().max_commit_ts;
            let before = recorded(&cluster);
            wait(&mut cluster, 10 * SECOND);
            assert!(recorded(&cluster) > before, "a closing Pump goes on making fake binlog");
        }
        assert_eq!(record(&cluster, "p1"), State::Online);
        write_state(&mut cluster, "d1", State::Offline);
        wait(&mut cluster, 2 * SECOND);
        assert_eq!(record(&cluster, "p1"), State::Offline);
        wait(&mut cluster, MINUTE);
        assert_eq!(
            happened(&cluster, |what| matches!(what, LogEvent::LeftBehind { drainer: 0, .. })),
            Vec::<Micros>::new(),
            "fakes are no loss"
        );
    }
}

#[test]
fn a_key_of_a_node_without_a_record_can_be_seen_and_forgotten() {
    for value in ["{not json", r#"{"nodeId":"p1","host":"h1:8250","state":"paused"}"#] {
        let mut cluster = cluster(|scenario| {
            scenario["pumps"][1]["record"] = Json::Null;
            scenario["pumps"][1]["process"] = "dead".into();
            scenario["keys"] = json!([{"key": "/tidb-binlog/v1/pumps/p1", "value": value}]);
        });
        assert_eq!(cluster.get("/tidb-binlog/v1/pumps/p1").unwrap().value, value.as_bytes());
        assert!(cluster.delete("/tidb-binlog/v1/pumps/p1"));
        assert!(cluster.get("/tidb-binlog/v1/pumps/p1").is_none());
        assert!(!cluster.key_values().iter().any(|pair| pair.key == "/tidb-binlog/v1/pumps/p1"));
    }
}

#[test]
fn the_uptime_of_a_dead_node_is_the_age_of_its_record() {
    let age = |id: &str, spec: Json| {
        let cluster = cluster(|scenario| {
            let list = if id == "p1" { &mut scenario["pumps"][1] } else { &mut scenario["drainers"][0] };
            list.as_object_mut().unwrap().extend(spec.as_object().unwrap().clone());
        });
        let record = cluster.record(who(&cluster, id)).unwrap();
        assert!(record.max_commit_ts <= record.update_ts, "nobody writes of a commit before it is there");
        -cluster.time_of(record.update_ts) / SECOND
    };
    for id in ["p1", "d0"] {
        for process in ["dead", "hung"] {
            assert_eq!(age(id, json!({"process": process, "uptime": "2d"})), 2 * 86_400);
            assert_eq!(age(id, json!({"process": process, "uptime": "2h", "lag": "3d"})), 7_200);
            assert!(age(id, json!({"process": process})) < 3, "just now, where nothing is said");
        }
    }
}

#[test]
fn gc_of_old_versions_waits_for_the_drainers() {
    let mut cluster = lagging("consumed");
    cluster.advance_to(24 * HOUR);
    assert!(happened(&cluster, |what| matches!(what, LogEvent::Hole { .. })).is_empty());
}

fn without_pumps(ignore_error: bool) -> Cluster {
    let mut cluster = cluster(|scenario| scenario["tidb"][0]["ignore_error"] = ignore_error.into());
    for id in ["p0", "p1", "p2"] {
        put(&mut cluster, id, "pause");
    }
    wait(&mut cluster, 14 * SECOND);
    assert_eq!(cluster.tidb_servers()[0].binlog_status, "On", "until its write timeout");
    wait(&mut cluster, 2 * SECOND);
    cluster
}

#[test]
fn tidb_without_a_writable_pump_skips_binlog_from_then_on() {
    let mut cluster = without_pumps(true);
    assert_eq!(cluster.tidb_servers()[0].binlog_status, "Skipping");
    cluster.start(who(&cluster, "p0"), None);
    wait(&mut cluster, MINUTE);
    assert_eq!(cluster.tidb_servers()[0].binlog_status, "Skipping", "until somebody recovers it");
    cluster.set_tidb_binlog(TidbBinlog::On);
    assert_eq!(cluster.tidb_servers()[0].binlog_status, "On");
}

#[test]
fn tidb_that_does_not_ignore_errors_stops_without_a_writable_pump() {
    assert_eq!(without_pumps(false).tidb_servers(), []);
}

#[test]
fn a_failed_drainer_writes_paused_though_nobody_paused_it() {
    let mut cluster = cluster(|_| {});
    let drainer = who(&cluster, "d0");
    cluster.fail(drainer);
    assert_eq!(record(&cluster, "d0"), State::Paused);
    assert_eq!(put(&mut cluster, "d0", "probe"), "refused");
}

#[test]
fn the_second_process_on_an_address_fails() {
    let mut cluster = cluster(|scenario| {
        scenario["pumps"][1]["address"] = "h0:8250".into();
        scenario["pumps"][1]["process"] = "dead".into();
        scenario["pumps"][1]["record"] = "paused".into();
    });
    cluster.start(who(&cluster, "p1"), None);
    wait(&mut cluster, SECOND);
    assert_eq!(put(&mut cluster, "p1", "probe"), "invalide nodeID p1, this pump's nodeID is p0");
}

#[test]
fn the_same_scenario_always_goes_the_same_way() {
    let run = || {
        let faults = json!([
            {"kind": "crash", "node": "p1", "after": 20},
            {"kind": "pd_gone", "after": 60, "lasts": 30},
            {"kind": "hang", "node": "d0", "after": 100, "lasts": 20},
        ]);
        let mut cluster = cluster(|scenario| {
            scenario["faults"] = faults;
            for at in 0..3 {
                scenario["pumps"][at]["supervisor"] = true.into();
            }
        });
        cluster.advance_to(10 * MINUTE);
        (cluster.key_values(), cluster.log().to_vec())
    };
    assert!(run() == run());
}

#[test]
fn looking_often_changes_nothing_of_what_is_seen() {
    let mut rarely = cluster(|_| {});
    let mut often = rarely.clone();
    for cluster in [&mut rarely, &mut often] {
        put(cluster, "p1", "pause");
    }
    for _ in 0..10_000 {
        wait(&mut often, 3_001);
        often.key_values();
    }
    rarely.advance_to(often.now());
    assert_eq!(rarely.key_values(), often.key_values());
}

#[test]
fn the_documented_scenario_is_one() {
    let page = include_str!("../docs/simulator.md");
    let example = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let mut cluster = Cluster::new(&Scenario::parse(example).unwrap()).unwrap();
    cluster.advance_to(HOUR);
    assert_eq!(happened(&cluster, |what| matches!(what, LogEvent::PdGone)), [10 * MINUTE]);
    for (name, _) in binlogsh::sim::scenario_names() {
        assert!(page.contains(&format!("`{name}`")), "{name} is not documented");
    }
}

#[test]
fn a_drainer_set_offline_for_a_moment_releases_a_closing_pump_that_it_never_read() {
    let mut cluster = cluster(|scenario| {
        scenario["drainers"][0] =
            json!({"id": "d0", "address": "h3:8249", "record": "paused", "process": "dead", "lag": "1h"});
    });
    put(&mut cluster, "p1", "close");
    wait(&mut cluster, MINUTE);
    assert_eq!(record(&cluster, "p1"), State::Online);
    write_state(&mut cluster, "d0", State::Offline);
    wait(&mut cluster, 2 * SECOND);
    write_state(&mut cluster, "d0", State::Paused);
    assert_eq!(record(&cluster, "p1"), State::Offline);
    cluster.start(who(&cluster, "d0"), None);
    assert!(advances(&mut cluster, "d0"));
    assert_eq!(happened(&cluster, |what| matches!(what, LogEvent::LeftBehind { drainer: 0, pump: 1, .. })).len(), 1);
}

#[test]
fn a_pump_that_closed_in_good_order_leaves_nothing_behind() {
    let mut cluster = cluster(|_| {});
    put(&mut cluster, "p1", "close");
    wait(&mut cluster, MINUTE);
    cluster.start(who(&cluster, "p1"), None);
    wait(&mut cluster, MINUTE);
    let lost = |what: &LogEvent| matches!(what, LogEvent::LeftBehind { .. } | LogEvent::Skipped { .. });
    assert!(happened(&cluster, lost).is_empty(), "{:?}", cluster.log());
    assert!(advances(&mut cluster, "d0"));
}
