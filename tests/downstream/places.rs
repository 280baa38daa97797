//! Where a Drainer saves: what the profile says, a copy of its configuration, tiup, a my.cnf of its own.

use super::*;
use crate::support::live::LiveWorld;
use binlogsh::deployment::Deployment;
use std::path::Path;

#[test]
fn a_copy_of_the_drainers_configuration_says_it_and_its_password_is_not_taken() {
    let (place, schema) = with_row();
    let toml = place.dir.path().join("drainer.toml");
    let text = format!(
        "[syncer]\ndb-type = \"mysql\"\n[syncer.to]\nhost = \"127.0.0.1\"\nport = {}\nuser = \"reader\"\npassword = \"hunter2\"\n\
         [syncer.to.checkpoint]\nschema = \"{schema}\"\n",
        mariadb().port()
    );
    std::fs::write(&toml, text).unwrap();
    let profile = DownstreamProfile {
        my_cnf: Some(place.reader("")),
        drainer_toml: Some(toml.clone()),
        ..DownstreamProfile::default()
    };
    // A loopback address is one of the Drainer's host, which is not this one.
    let far = place.asks_within(Duration::from_millis(400), profile.clone());
    unknown(far, &["192.0.2.1"]);
    let near = DownstreamProfile { my_cnf: Some(place.reader("host = 127.0.0.1")), ..profile.clone() };
    known(place.asks(near));
    std::fs::write(&toml, "[syncer.to]\npassword = \"hunter2\nport = 1").unwrap();
    unknown(place.asks(profile), &["drainer.toml", "line 2"]);
}

#[test]
fn a_my_cnf_of_its_own_is_enough() {
    let (server, place) = (mariadb(), Place::start());
    server.make_table("tidb_binlog");
    server.save("tidb_binlog", ID, r#"{"commitTS":7}"#);
    let own = |more: &str| DownstreamProfile { my_cnf: Some(place.reader(more)), ..DownstreamProfile::default() };
    let by_port = known(place.asks(own(&format!("host = 127.0.0.1\nport = {}", server.port()))));
    assert_eq!(by_port.commit_ts.0, 7);
    let by_socket = known(place.asks(own(&format!("socket = {}", server.socket().display()))));
    assert!(by_socket.source.contains(&server.socket().display().to_string()), "{}", by_socket.source);
    unknown(place.asks(own("")), &["nothing says on which host"]);
}

#[test]
fn what_a_my_cnf_of_all_says_of_a_host_is_not_taken() {
    let (place, schema) = with_row();
    let mut profile = in_table(mariadb(), &schema, PathBuf::new());
    profile.my_cnf = None;
    let all = place.reader("host = 192.0.2.9\nport = 1\nsocket = /nowhere");
    let of = |profile| Downstreams::new(Some(all.clone()), BTreeMap::from([("d".to_owned(), profile)]));
    let ask = |profile| asked(&mut LiveWorld::new(&[place.pd.url()], Duration::from_secs(5)).saving(of(profile)));
    known(ask(profile));
    unknown(ask(DownstreamProfile::default()), &["nothing says where"]);
}

#[test]
fn tiup_knows_it_by_the_settings_of_all_and_by_a_drainers_own() {
    let (place, schema) = with_row();
    for config in [
        format!(
            "config: {{syncer: {{db-type: mysql, to: {{host: 127.0.0.1, port: {}, password: hunter2}}}}}}",
            mariadb().port()
        ),
        format!("config: {{syncer.db-type: mysql, syncer.to.host: 127.0.0.1, syncer.to.port: {}}}", mariadb().port()),
    ] {
        let meta = format!(
            "user: tidb\ntopology:\n  server_configs:\n    drainer: {{syncer.to.checkpoint.schema: {schema}, syncer.to.password: \
             hunter2}}\n  pd_servers: [{{host: 10.0.0.1}}]\n  drainer_servers:\n  - {{host: 127.0.0.1, \
             port: 8249, {config}}}\n  monitoring_servers: []\n"
        );
        let deployment = Deployment::parse("prod", Path::new("/t/meta.yaml"), &meta).unwrap();
        assert!(!format!("{deployment:?}").contains("hunter2"));
        let mut live = LiveWorld::new(&[place.pd.url()], Duration::from_secs(5)).knowing(deployment);
        live = live.saving(Downstreams::new(Some(place.reader("")), BTreeMap::new()));
        let node = drainer("127.0.0.1:8249", "127.0.0.1:8249");
        let Answer::Checkpoint(found) = live.ask(Request::Read(Read::Checkpoint { node })).unwrap() else { panic!() };
        known(found);
    }
}

#[test]
fn a_database_is_reached_by_the_map_of_addresses() {
    let (place, schema) = with_row();
    let mut addresses = binlogsh::address_map::AddressMap::default();
    addresses.add("db.inside:3306", &format!("127.0.0.1:{}", mariadb().port())).unwrap();
    let mut profile = in_table(mariadb(), &schema, place.reader(""));
    let settings = profile.place.as_mut().unwrap();
    (settings.checkpoint_host, settings.checkpoint_port) = (Some("db.inside".into()), None);
    let live = LiveSettings::new(&[place.pd.url()], None).unwrap().reached_by(addresses, None);
    assert!(known(place.asks_with(live, profile)).source.ends_with("at db.inside:3306"));
}

#[test]
fn oracle_and_what_is_not_known_are_unknown_with_the_reason() {
    let place = Place::start();
    for (db_type, words) in [("oracle", "Oracle"), ("flash", "db-type")] {
        let settings = DrainerSettings { db_type: Some(db_type.into()), ..DrainerSettings::default() };
        let profile = DownstreamProfile { place: Some(settings), ..DownstreamProfile::default() };
        unknown(place.asks(profile), &[words]);
    }
}
