//! Savepoint files: on this host, and on a Drainer's own by what starts and stops it.

use super::*;
use crate::support::live::LiveWorld;
use binlogsh::node::NodeRef;
use binlogsh::node_control::{NodeControl, Preset};
use binlogsh::world::World;
use std::os::unix::fs::PermissionsExt;

fn in_file(data_dir: &str) -> DownstreamProfile {
    let settings = DrainerSettings { db_type: Some("kafka".into()), ..DrainerSettings::default() };
    DownstreamProfile { place: Some(settings), data_dir: Some(data_dir.to_owned()), ..DownstreamProfile::default() }
}

fn asks(
    place: &Place,
    address: &str,
    profile: DownstreamProfile,
    control: Option<NodeControl>,
) -> DownstreamCheckpoint {
    let node = drainer("d", address);
    let downstreams = Downstreams::new(None, BTreeMap::from([("d".to_owned(), profile)]));
    let live = LiveWorld::new(&[place.pd.url()], Duration::from_secs(5)).saving(downstreams);
    let mut world = live.world.with_node_control(control);
    match world.apply(&Request::Read(Read::Checkpoint { node }), None).unwrap() {
        Answer::Checkpoint(found) => found,
        other => panic!("no checkpoint: {other:?}"),
    }
}

const SAVED: &str = "commitTS = 414529105591271429\nconsistent = true\nschema-version = 52\n";

#[test]
fn a_savepoint_of_this_host_is_read_here() {
    let place = Place::start();
    let dir = place.dir.path().to_str().unwrap().to_owned();
    let ask = |profile| asks(&place, "127.0.0.1:8249", profile, None);
    unknown(ask(in_file(&dir)), &["there is no savepoint"]);
    std::fs::write(place.dir.path().join("savepoint"), SAVED).unwrap();
    let saved = known(ask(in_file(&dir)));
    assert_eq!(
        (saved.commit_ts.0, saved.consistent, saved.schema_version),
        (414_529_105_591_271_429, Some(true), Some(52))
    );
    assert_eq!(saved.source, format!("{dir}/savepoint"));
    for (text, words) in [
        ("commitTS = 0\n", "nothing was saved"),
        ("", "no savepoint"),
        ("commitTS = 5\n2018-06-22 08:35:10 +0000 UTC\n", "no savepoint that a Drainer wrote"),
        ("commitTS = 9000000000000000000\n", "ahead of PD's time"),
    ] {
        std::fs::write(place.dir.path().join("savepoint"), text).unwrap();
        unknown(ask(in_file(&dir)), &[words]);
    }
    unknown(ask(in_file("data.drainer")), &["relative"]);
    unknown(ask(DownstreamProfile { data_dir: None, ..in_file("") }), &["which data directory"]);
}

#[test]
fn a_savepoint_of_another_host_is_fetched_by_what_the_profile_says() {
    let place = Place::start();
    // A program in the place of ssh that writes down how it was called.
    let program = |text: &str| {
        let path = place.dir.path().join("program");
        std::fs::write(
            &path,
            format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {}/called\n{text}", place.dir.path().display()),
        )
        .unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Some(path.display().to_string())
    };
    let called = || std::fs::read_to_string(place.dir.path().join("called")).unwrap();
    let control = |preset, program| Some(NodeControl { program, ..NodeControl::new(preset) });
    let ask = |control| asks(&place, "192.0.2.1:8249", in_file("/data/my drainer"), control);
    let prints = format!("printf '{}'", SAVED.replace('\n', "\\n"));

    let saved = known(ask(control(Preset::SystemdSsh, program(&prints))));
    assert_eq!(
        (saved.commit_ts.0, saved.source.as_str()),
        (414_529_105_591_271_429, "/data/my drainer/savepoint of 192.0.2.1")
    );
    assert!(called().ends_with("--\n192.0.2.1\ncat -- '/data/my drainer/savepoint'\n"), "{}", called());

    unknown(ask(control(Preset::SystemdSsh, program("echo denied >&2; exit 255"))), &["denied", "255"]);
    unknown(ask(control(Preset::SystemdSsh, program("yes | head -c 300000"))), &["no savepoint"]);
    unknown(ask(control(Preset::Systemd, None)), &["its host is not this one"]);
    unknown(ask(control(Preset::Commands, None)), &["fetch no files"]);
    unknown(ask(None), &["no node control"]);

    let pod = |data_dir: Option<&str>| {
        let profile = DownstreamProfile { data_dir: data_dir.map(str::to_owned), ..in_file("") };
        let node = NodeRef { id: "basic-drainer-0:8249".into(), ..drainer("d", "basic-drainer-0.basic-drainer:8249") };
        let downstreams = Downstreams::new(None, BTreeMap::from([(node.id.to_string(), profile)]));
        let live = LiveWorld::new(&[place.pd.url()], Duration::from_secs(5)).saving(downstreams);
        let mut world = live.world.with_node_control(control(Preset::Kubernetes, program(&prints)));
        match world.apply(&Request::Read(Read::Checkpoint { node }), None).unwrap() {
            Answer::Checkpoint(found) => found,
            other => panic!("no checkpoint: {other:?}"),
        }
    };
    known(pod(None));
    assert_eq!(called(), "exec\nbasic-drainer-0\n--\ncat\n--\n/data/savepoint\n");
}
