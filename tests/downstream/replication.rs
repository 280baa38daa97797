//! What a Drainer writes to and leaves out: a copy of its configuration, tiup, the profile; nobody is asked for it.

use crate::harness::Shell;
use crate::support::cluster::LiveCluster;
use crate::support::live::{LiveWorld, drainer};
use crate::support::tiup::{PASSWORD, meta_yaml};
use binlogsh::deployment::Deployment;
use binlogsh::downstream::{DbType, DownstreamProfile, Downstreams, DrainerSettings, ReplicationFilter};
use binlogsh::sim::Scenario;
use binlogsh::world::{Answer, DownstreamReplication, Read, Replication, Request};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

const ID: &str = "10.0.0.9:8249";

/// What is found of the Drainer, where the profile and tiup say this of it; nobody listens where PD should be.
fn found(profile: DownstreamProfile, config: Option<&str>) -> DownstreamReplication {
    let mut live = LiveWorld::new(&["http://127.0.0.1:1"], Duration::from_secs(1))
        .saving(Downstreams::new(None, BTreeMap::from([(ID.to_owned(), profile)])));
    if let Some(config) = config {
        let meta = format!(
            "user: tidb\ntopology:\n  pd_servers: [{{host: 10.0.0.1}}]\n  drainer_servers:\n  - {{host: 10.0.0.9, config: {config}}}\n  \
             monitoring_servers: []\n"
        );
        live = live.knowing(Deployment::parse("prod", Path::new("/t/meta.yaml"), &meta).unwrap());
    }
    let request = Request::Read(Read::Replication { nodes: vec![drainer(ID, ID)] });
    let Answer::Replication(found) = live.ask(request).unwrap() else { panic!("another answer") };
    let [found] = <[_; 1]>::try_from(found).unwrap();
    let kept = serde_json::to_string(&found).unwrap();
    assert!(!kept.contains("hunter2") && !format!("{found:?}").contains("hunter2"), "{kept}");
    found
}

#[track_caller]
fn known(found: DownstreamReplication) -> Replication {
    match found {
        DownstreamReplication::Known(known) => *known,
        DownstreamReplication::Unknown(why) => panic!("unknown: {why}"),
    }
}

#[track_caller]
fn unknown(found: DownstreamReplication, words: &[&str]) {
    match found {
        DownstreamReplication::Known(known) => panic!("it is known: {known:?}"),
        DownstreamReplication::Unknown(why) => {
            assert!(words.iter().all(|word| why.contains(word)), "{why}");
        }
    }
}

fn place(db_type: &str, host: &str) -> DownstreamProfile {
    let place = DrainerSettings {
        db_type: Some(db_type.into()),
        checkpoint_type: Some("mysql".into()),
        checkpoint_host: Some(host.into()),
        ..DrainerSettings::default()
    };
    DownstreamProfile { place: Some(place), ..DownstreamProfile::default() }
}

const TIUP: &str = "{syncer: {db-type: tidb, replicate-do-db: [a], to: {host: db-2, password: hunter2}}}";

#[test]
fn a_copy_of_the_configuration_comes_before_tiup_and_that_before_the_profile() {
    let dir = tempfile::tempdir().unwrap();
    let toml = dir.path().join("drainer.toml");
    std::fs::write(
        &toml,
        "[syncer]\nignore-txn-commit-ts = [1]\n[syncer.to]\nhost = \"db-1\"\npassword = \"hunter2\"\n",
    )
    .unwrap();
    let copied = DownstreamProfile { drainer_toml: Some(toml.clone()), ..place("mysql", "db-3") };
    let copy = known(found(copied.clone(), Some(TIUP)));
    assert_eq!((copy.settings.host.as_deref(), copy.unseen), (Some("db-1"), None));
    assert_eq!(copy.settings.filters, [ReplicationFilter::IgnoreTxnCommitTs]);
    assert!(copy.source.ends_with("drainer.toml"), "{}", copy.source);

    let tiup = known(found(place("mysql", "db-3"), Some(TIUP)));
    assert_eq!((tiup.settings.host.as_deref(), tiup.settings.db_type()), (Some("db-2"), DbType::Tidb));
    assert_eq!((tiup.source.as_str(), tiup.unseen), ("tiup's cluster prod", None));

    std::fs::write(&toml, "[syncer.to]\npassword = \"hunter2\n").unwrap();
    unknown(found(copied, Some(TIUP)), &["drainer.toml", "line 2"]);
}

#[test]
fn a_profile_says_the_place_and_nothing_of_what_is_left_out() {
    for config in [None, Some("{}")] {
        let said = known(found(place("mysql", "db-3"), config));
        assert_eq!((said.settings.host.as_deref(), said.source.as_str()), (Some("db-3"), "the profile"));
        assert!(said.unseen.unwrap().contains("only its configuration what it leaves out"));
    }
}

#[test]
fn a_drainer_that_tiup_gave_no_settings_has_its_defaults() {
    let said = known(found(DownstreamProfile::default(), Some("{}")));
    assert_eq!((said.settings.db_type(), &said.settings.host, &said.unseen), (DbType::Mysql, &None, &None));
}

#[test]
fn where_nothing_says_it_or_nobody_understands_it_it_is_unknown() {
    unknown(found(DownstreamProfile::default(), None), &["nothing says what drainer", "drainer.toml"]);
    let odd = Some("{syncer: {replicate-do-db: 7}}");
    unknown(found(DownstreamProfile::default(), odd), &["tiup's cluster prod does not say it"]);
}

#[test]
fn a_password_beside_it_is_neither_shown_traced_nor_kept() {
    let cluster = LiveCluster::sample("default");
    let pd = cluster.url();
    let (host, port) = pd.split("://").last().unwrap().rsplit_once(':').unwrap();
    let meta = format!(
        "user: tidb\ntopology:\n  pd_servers:\n  - host: {host}\n    client_port: {port}\n  drainer_servers:\n  - host: 10.0.1.22\n    \
         config: {{syncer: {{to: {{host: db-2, password: {PASSWORD}}}}}}}\n  server_configs:\n    drainer: \
         {{syncer.to.password: {PASSWORD}}}\n  monitoring_servers: []\n"
    );
    let toml = format!("[syncer]\ndb-type = \"file\"\n[syncer.to]\npassword = \"{PASSWORD}\"\n");
    let config = "default-profile = \"p\"\n[profiles.p]\ncluster = \"prod\"\n\
                  [profiles.p.downstreams.drainer-0]\ndrainer-toml = \"drainer.toml\"\n";
    let script = "print(replication(\"drainer-0\").db_type); print(json(replication(\"drainer-1\"))); pause_drainer(\"drainer-1\"); \
                  print(json(replication(\"drainer-0\")));";
    let shell = Shell::new(&["--config=c.toml", "-v", "--yes"]).file("c.toml", config).file("drainer.toml", &toml);
    let ran = shell.file(&meta_yaml("prod"), &meta).file("s.rhai", script).run("s.rhai", &[]).succeeds();
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("file") && !said.contains(PASSWORD), "{said}");
    for entry in walk(ran.dir()) {
        let is_theirs = entry.ends_with("drainer.toml") || entry.ends_with("meta.yaml");
        let bytes = std::fs::read(&entry).unwrap();
        let has_it = bytes.windows(PASSWORD.len()).any(|part| part == PASSWORD.as_bytes());
        assert!(is_theirs || !has_it, "{}", entry.display());
    }
}

/// All files beneath `dir`.
fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(walk(&path)),
            false => files.push(path),
        }
    }
    files
}

/// What a script sees of the Drainer of the sample `ticdc` with these settings, in the simulator.
fn evaluated(settings: &str, unknown: Option<&str>, code: &str) -> String {
    let mut scenario = Scenario::named("ticdc").unwrap();
    let drainer = &mut scenario.drainers[0];
    drainer.settings = serde_json::from_str(settings).unwrap();
    drainer.settings_unknown = unknown.map(str::to_owned);
    let shell =
        Shell::new(&["--sandbox=s.json", "--output=json"]).file("s.json", &serde_json::to_string(&scenario).unwrap());
    shell.eval(code).succeeds().stdout
}

#[test]
fn a_script_sees_the_drainers_defaults_and_what_is_not_known() {
    let seen = |settings: &str, unknown| -> serde_json::Value {
        serde_json::from_str(&evaluated(settings, unknown, "replication(\"10.0.1.21:8249\")")).unwrap()
    };
    let plain = seen("{}", None);
    let expected = serde_json::json!({
        "known": true, "db_type": "mysql", "host": null, "port": 3306, "brokers": null, "topic": null, "sync_mode": 1,
        "filters": [], "renames": false, "sink": null, "source": "the scenario", "why": null,
    });
    assert_eq!(plain, expected);
    let placed = seen(r#"{"db_type": "pb"}"#, Some("only the place is said"));
    assert_eq!((&placed["db_type"], &placed["known"]), (&"file".into(), &true.into()));
    for unseen in ["filters", "renames", "sync_mode"] {
        assert!(placed[unseen].is_null(), "{placed}");
    }
    let nothing = seen("{}", Some("nobody says it"));
    assert_eq!((&nothing["known"], &nothing["why"]), (&false.into(), &"nobody says it".into()));
    assert!(["db_type", "port", "filters", "source"].iter().all(|field| nothing[*field].is_null()), "{nothing}");
}

#[test]
fn what_ticdc_does_not_take_over_is_a_sentence_each_and_what_cannot_be_seen_is_asked() {
    let of = |settings: &str, unknown, function: &str| -> Vec<String> {
        let code = format!("import \"ticdc\" as ticdc; ticdc::{function}(\"10.0.1.21:8249\")");
        serde_json::from_str(&evaluated(settings, unknown, &code)).unwrap()
    };
    for (settings, word) in [
        (r#"{"db_type": "oracle"}"#, "Oracle"),
        (r#"{"db_type": "pb"}"#, "Reparo"),
        (r#"{"db_type": "kafka"}"#, "protobuf to Kafka"),
        (r#"{"sync_mode": 2}"#, "sync-mode = 2"),
        (r#"{"renames": true}"#, "table-migrate-rule"),
    ] {
        let said = of(settings, None, "not_taken_over");
        assert!(said.len() == 1 && said[0].contains(word), "{said:?}");
        assert!(of(settings, None, "to_be_asked").is_empty(), "{settings}");
    }
    assert!(of("{}", Some("nobody says it"), "not_taken_over").is_empty());
    let all = of("{}", Some("nobody says it"), "to_be_asked");
    let words = ["nobody says it", "Oracle", "Reparo", "Kafka", "sync-mode", "table-migrate-rule", "replicate-do-db"];
    assert!(all.len() == 1 && words.iter().all(|word| all[0].contains(word)), "{all:?}");
    let placed = of(r#"{"host": "db-1"}"#, Some("only the place is said"), "to_be_asked");
    assert!(placed.len() == 1 && !placed[0].contains("Oracle") && placed[0].contains("only the place"), "{placed:?}");
    let filters = of(r#"{"filters": ["ignore-table", "ignore-txn-commit-ts"]}"#, None, "to_be_asked");
    assert!(filters[0].contains("(ignore-table, ignore-txn-commit-ts)"), "{filters:?}");
    assert!(filters.len() == 2 && filters[1].contains("start timestamp"), "{filters:?}");
    assert!(of(r#"{"db_type": "flash"}"#, None, "to_be_asked")[0].contains("flash"));
}
