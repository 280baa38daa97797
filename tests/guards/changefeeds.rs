//! The guards about changefeeds, and about holding TiKV's garbage collection back.

use super::situation::Situation;
use crate::node_control::Commanded;
use binlogsh::downstream::DrainerSettings;
use binlogsh::error::ErrorKind;
use binlogsh::node::State;
use binlogsh::sim::{ProcessSpec, Scenario};
use binlogsh::world::GuardName::*;
use serde_json::{Value as Json, json};

/// The sample with TiCDC, whose Drainer is down, with these changefeeds in place of its own.
fn drainer_down(feeds: &Json, settings: &Json) -> Situation {
    let mut scenario = serde_json::to_value(Scenario::named("ticdc").unwrap()).unwrap();
    scenario["tikv"]["changefeeds"] = feeds.clone();
    scenario["drainers"][0]["process"] = json!("dead");
    scenario["drainers"][0]["record"] = json!("paused");
    scenario["drainers"][0]["settings"] = settings.clone();
    Situation::on(Scenario::parse(&scenario.to_string()).unwrap())
}

fn database(host: &str) -> Json {
    json!({"host": host, "port": 3306})
}

const START: &str = r#"start("10.0.1.21:8249", #{$})"#;

#[test]
fn changefeed_writes_keeps_a_drainer_from_what_a_changefeed_writes_to() {
    let feed = json!([{"id": "new", "sink": "mysql://10.0.2.7:3306/"}]);
    drainer_down(&feed, &database("10.0.2.7")).refuses(START, &[], &[ChangefeedWrites]).says(&[
        "changefeed new (normal) writes to mysql://10.0.2.7:3306/, as 10.0.1.21:8249 does",
        "pause the changefeed first",
    ]);
    for ended in ["stopped", "failed"] {
        let feed = json!([{"id": "new", "sink": "mysql://10.0.2.7:3306/", "state": ended}]);
        drainer_down(&feed, &database("10.0.2.7")).allows(START);
    }
    let elsewhere = json!([{"id": "new", "sink": "mysql://10.0.2.8:3306/"}]);
    drainer_down(&elsewhere, &database("10.0.2.7")).allows(START);
    let restarted = json!([{"id": "new", "sink": "mysql://10.0.2.7:3306/"}]);
    let call = r#"restart("10.0.1.21:8249", #{$})"#;
    drainer_down(&restarted, &database("10.0.2.7")).refuses(call, &[], &[ChangefeedWrites]);
}

#[test]
fn changefeed_writes_does_not_guess() {
    let named = json!([{"id": "new", "sink": "mysql://db-1:3306/"}]);
    drainer_down(&named, &database("10.0.2.7"))
        .refuses(START, &[], &[ChangefeedWrites])
        .says(&["unknown, which refuses", "one is an address and the other a name"]);
    let unread = json!([{"id": "new"}]);
    drainer_down(&unread, &database("10.0.2.7"))
        .refuses(START, &[], &[ChangefeedWrites])
        .says(&["its sink cannot be read"]);
    let known = json!([{"id": "new", "sink": "mysql://10.0.2.7:3306/"}]);
    let nowhere = json!({});
    drainer_down(&known, &nowhere).refuses(START, &[], &[ChangefeedWrites]).says(&["does not say all of where"]);
    let unseen = |feeds: &Json| {
        let mut scenario = Scenario::named("ticdc").unwrap();
        scenario.tikv.changefeeds = serde_json::from_value(feeds.clone()).unwrap();
        let drainer = &mut scenario.drainers[0];
        (drainer.process, drainer.record) = (ProcessSpec::Dead, Some(State::Paused));
        (drainer.settings, drainer.settings_unknown) = (DrainerSettings::default(), Some("no drainer.toml".into()));
        Situation::on(scenario)
    };
    unseen(&known).refuses(START, &[], &[ChangefeedWrites]).says(&["is not known here: no drainer.toml"]);
    // Without a changefeed nothing else need be known.
    drainer_down(&json!([]), &nowhere).allows(START);
    unseen(&json!([])).allows(START);
}

#[test]
fn changefeed_writes_goes_by_a_copy_of_the_configuration_and_by_the_profile() {
    let place = Commanded::sample("dead-drainer");
    let info = json!({"sink-uri": "mysql://root:hunter2@10.0.2.7:3306/", "start-ts": 5, "state": "normal"});
    place.cluster.kv().put("/tidb/cdc/default/default/changefeed/info/new", info.to_string());
    let toml = place.dir.path().join("drainer.toml");
    let start = |profile: &str| {
        let control = format!("{}[profiles.test.downstreams.drainer-1]\n{profile}\n", place.obedient());
        place.shell_with(&control).yes().arg("--allow-node-control").eval(r#"start("drainer-1").after"#)
    };
    let copy = |host: &str| {
        let text = format!("[syncer.to]\nhost = \"{host}\"\npassword = \"hunter3\"\n");
        std::fs::write(&toml, text).unwrap();
        format!("drainer-toml = \"{}\"", toml.display())
    };
    for (profile, says) in [
        (copy("10.0.2.7"), "as drainer-1 does"),
        ("db-type = \"mysql\"\nhost = \"10.0.2.7\"".to_owned(), "as drainer-1 does"),
        ("host = \"10.0.2.8\"".to_owned(), "nothing says what"),
        ("drainer-toml = \"/nowhere\"".to_owned(), "/nowhere"),
    ] {
        let ran = start(&profile).fails(ErrorKind::Refused);
        assert!(!ran.stderr.contains("hunter"), "{}", ran.stderr);
        ran.stderr_contains("  changefeed_writes: ").stderr_contains(says);
    }
    start(&copy("10.0.2.8")).succeeds().stdout("online");
}

#[test]
fn holds_long_keeps_gc_from_being_held_for_days() {
    let long = r#"hold_gc(tso() - (25 * 3600 * 1000 << 18), #{$})"#;
    let mut scenario = Scenario::named("ticdc").unwrap();
    scenario.tikv = serde_json::from_value(json!({"services": [{"service": "br", "behind": "3d"}]})).unwrap();
    Situation::on(scenario).refuses(long, &[HoldsLong], &[]).says(&["it lies 1d01h back"]);
    Situation::sample("default").allows("hold_gc(tso() - 1)");
}

#[test]
fn not_taken_over_keeps_what_nobody_has_read_from_being_collected() {
    let before = "hold_gc(tso() - 1)";
    Situation::sample("default")
        .first(before)
        .refuses("release_gc(#{$})", &[], &[NotTakenOver])
        .says(&["no changefeed that is normal has come past", "(there is none)"]);
    Situation::sample("ticdc").first("hold_gc(tso() - 1); sleep(\"5s\")").allows("release_gc()");
    Situation::sample("default").allows("release_gc()");
}
