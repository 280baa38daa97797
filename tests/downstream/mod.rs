//! How far Drainers have come, as what they write to says: a real MariaDB, servers that are none, savepoint files, the simulator.

mod bad;
mod drainer;
mod files;
mod hostile;
mod places;
mod replication;
mod secrets;
mod simulated;
mod tls;

use crate::support::etcd::Etcd;
use crate::support::live::{LiveWorld, drainer};
use crate::support::mariadb::{MariaDb, PASSWORD, mariadb};
use crate::support::pd_double::PdDouble;
use binlogsh::downstream::{DownstreamProfile, Downstreams, DrainerSettings};
use binlogsh::live::LiveSettings;
use binlogsh::world::{Answer, DownstreamCheckpoint, Read, Request, SavedCheckpoint};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// The cluster whose row it is.
const ID: u64 = crate::support::pd_double::CLUSTER_ID;

/// A PD, and a schema in which the row of its cluster is.
fn with_row() -> (Place, String) {
    let (server, place) = (mariadb(), Place::start());
    let schema = server.schema();
    server.make_table(&schema);
    server.save(&schema, ID, r#"{"commitTS":5}"#);
    (place, schema)
}

/// A PD, and files for whoever asks a database.
struct Place {
    pd: PdDouble,
    dir: TempDir,
    _etcd: Etcd,
}

impl Place {
    fn start() -> Self {
        let etcd = Etcd::start();
        let pd = PdDouble::start(&etcd);
        Self { pd, dir: TempDir::new().unwrap(), _etcd: etcd }
    }

    /// A my.cnf that says this below `[client]`.
    fn my_cnf(&self, text: &str) -> PathBuf {
        let path = self.dir.path().join("my.cnf");
        std::fs::write(&path, format!("[client]\n{text}\n")).unwrap();
        path
    }

    /// Whoever logs in as `reader`, with more lines.
    fn reader(&self, more: &str) -> PathBuf {
        self.my_cnf(&format!("user = reader\npassword = {}\n{more}", my_cnf_quoted(PASSWORD)))
    }

    /// What is found of a Drainer that the profile says this of.
    fn asks(&self, profile: DownstreamProfile) -> DownstreamCheckpoint {
        self.asks_within(Duration::from_secs(5), profile)
    }

    fn asks_within(&self, timeout: Duration, profile: DownstreamProfile) -> DownstreamCheckpoint {
        let settings = LiveSettings::new(&[self.pd.url()], None).unwrap().timeout(timeout).unwrap();
        self.asks_with(settings, profile)
    }

    fn asks_with(&self, settings: LiveSettings, profile: DownstreamProfile) -> DownstreamCheckpoint {
        let downstreams = Downstreams::new(None, BTreeMap::from([("d".to_owned(), profile)]));
        asked(&mut LiveWorld::of(settings).saving(downstreams))
    }
}

/// What is found of the Drainer `d`.
fn asked(live: &mut LiveWorld) -> DownstreamCheckpoint {
    let node = drainer("d", "192.0.2.1:8249");
    match live.ask(Request::Read(Read::Checkpoint { node })).unwrap() {
        Answer::Checkpoint(found) => found,
        other => panic!("no checkpoint: {other:?}"),
    }
}

/// A value as a my.cnf has it.
fn my_cnf_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What a profile says of a table of the server.
fn in_table(server: &MariaDb, schema: &str, my_cnf: PathBuf) -> DownstreamProfile {
    at(server.port(), schema, my_cnf)
}

fn at(port: u16, schema: &str, my_cnf: PathBuf) -> DownstreamProfile {
    let place = DrainerSettings {
        checkpoint_type: Some("mysql".into()),
        checkpoint_host: Some("127.0.0.1".into()),
        checkpoint_port: Some(port),
        checkpoint_schema: Some(schema.into()),
        ..DrainerSettings::default()
    };
    DownstreamProfile { my_cnf: Some(my_cnf), place: Some(place), ..DownstreamProfile::default() }
}

#[track_caller]
fn known(found: DownstreamCheckpoint) -> SavedCheckpoint {
    match found {
        DownstreamCheckpoint::Known(saved) => saved,
        DownstreamCheckpoint::Unknown(why) => panic!("unknown: {why}"),
    }
}

/// Why it is unknown, which has all these words in it.
#[track_caller]
fn unknown(found: DownstreamCheckpoint, words: &[&str]) -> String {
    match found {
        DownstreamCheckpoint::Known(saved) => panic!("it is known: {saved:?}"),
        DownstreamCheckpoint::Unknown(why) => {
            for word in words {
                assert!(why.contains(word), "no `{word}` in: {why}");
            }
            assert!(!why.contains("hunter2"), "{why}");
            why.as_str().to_owned()
        }
    }
}
