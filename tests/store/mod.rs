//! The store of runs: what it promises, and what it survives.

mod damage;
mod faults;
mod journal;
mod kill;
mod runs;

use binlogsh::error::Error;
use binlogsh::journal::store::{
    Claim, Holder, NewRun, RunEnding, RunHead, RunJournal, RunKind, RunState, Store, StoredModule, run_id,
};
use binlogsh::journal::{Entry, Journal, Keeps};
use binlogsh::node::{Kind, NodeRef, Record};
use binlogsh::tso::Tso;
use binlogsh::world::{Acted, Action, Answer, Change, Listing, Read, Request};
use std::path::{Path, PathBuf};

/// 2026-11-23 12:15:02 UTC.
const BEGUN: i64 = 1_795_436_102_000;

/// A directory of our own with a store that is not there yet.
fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("data").join("runs.db");
    (dir, file)
}

fn holder(pid: u32) -> Holder {
    Holder { user: "ada".into(), host: "ops-1".into(), pid, mark: format!("started-{pid}") }
}

/// The id of the run number `n`.
fn id(n: u8) -> String {
    run_id(BEGUN + i64::from(n) * 1000, [n; 5]).unwrap()
}

fn head(n: u8, kind: RunKind) -> RunHead {
    RunHead {
        id: id(n),
        kind,
        script: "scripts/rolling_restart.rhai".into(),
        text: format!("// run {n}\nimport \"stdlib:pumps\" as pumps;\n"),
        whole: None,
        modules: vec![StoredModule {
            importer: "scripts/rolling_restart.rhai".into(),
            path: "pumps".into(),
            name: "stdlib:pumps".into(),
            text: "fn restart(pump) {}".into(),
            whole: None,
        }],
        parameters: [("only".to_owned(), "pump-1".to_owned())].into_iter().collect(),
        secrets: Default::default(),
        cluster_id: Some(7_291_000_000_000_000_001),
        user: "ada".into(),
        host: "ops-1".into(),
        pid: 4711,
        begun_ms: BEGUN + i64::from(n) * 1000,
    }
}

fn new_run(n: u8) -> NewRun {
    let clock = Box::new(|| BEGUN);
    NewRun {
        head: head(n, RunKind::Script),
        holder: holder(u32::from(n)),
        secret_key: [n; 16],
        keeps: Keeps::Everything,
        clock,
    }
}

fn script(file: &Path, n: u8) -> RunJournal {
    RunJournal::new(file, new_run(n))
}

fn pump(id: &str) -> NodeRef {
    NodeRef { kind: Kind::Pump, id: id.into(), address: format!("{id}:8250").into() }
}

/// The change number `n` of a run.
fn change(n: u64) -> Change {
    Change::Act { node: pump(&format!("pump-{n}")), action: Action::Pause }
}

fn acted() -> Answer {
    Answer::Acted(Acted::said("success"))
}

/// The read number `n` of a run: a listing of three nodes.
fn listing(n: u64) -> Answer {
    let record = |kind: Kind, id: &str| {
        let json = format!(
            r#"{{"nodeId":"{id}","host":"{id}:1","state":"online","isAlive":true,"score":0,"label":null,"maxCommitTS":{n},"updateTS":{n}}}"#
        );
        Record::parse(&format!("{}{id}", kind.prefix()), json.into_bytes(), 7).unwrap()
    };
    Answer::Listing(Listing {
        revision: i64::try_from(n).unwrap(),
        tso: Some(Tso(n.try_into().unwrap())),
        tso_error: None,
        records: vec![record(Kind::Pump, "pump-0"), record(Kind::Pump, "pump-1"), record(Kind::Drainer, "drainer-0")],
        malformed: Vec::new(),
    })
}

fn read(journal: &mut RunJournal, n: u64) {
    journal.note(&Request::Read(Read::Nodes), &Ok(listing(n)), None).unwrap();
}

fn begin(journal: &mut RunJournal, n: u64) {
    journal.began(&change(n), &["last_pump: another one is online".into()], Some("ada")).unwrap();
}

fn finish_change(journal: &mut RunJournal, n: u64) {
    journal.done(Entry::new(change(n).into(), Ok(acted()))).unwrap();
}

fn act(journal: &mut RunJournal, n: u64) {
    begin(journal, n);
    finish_change(journal, n);
}

fn done() -> RunEnding {
    RunEnding { state: RunState::Done, exit_code: 0, error: None }
}

fn failed() -> RunEnding {
    RunEnding { state: RunState::Failed, exit_code: 4, error: Some(Error::refused("no")) }
}

fn claim<'c>(pid: u32, is_alive: &'c dyn Fn(&Holder) -> bool) -> Claim<'c> {
    Claim { holder: holder(pid), is_alive, clock: Box::new(|| BEGUN + 60_000) }
}

fn nobody(_: &Holder) -> bool {
    false
}

fn open(file: &Path) -> Store {
    Store::open_if_there(file).unwrap().unwrap()
}

/// What came back, one after the other, of the reads and changes of a run.
fn outcomes(entries: &[Entry]) -> Vec<String> {
    let word = |entry: &Entry| match (&entry.request, &entry.outcome) {
        (_, Ok(Answer::Listing(listing))) => format!("read {}", listing.revision),
        (Request::Change(Change::Act { node, .. }), Ok(_)) => format!("did {}", node.id),
        (_, outcome) => format!("{outcome:?}"),
    };
    entries.iter().map(word).collect()
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}
