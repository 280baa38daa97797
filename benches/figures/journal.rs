//! The store of runs: reading a journal, writing a change, opening the store, listing ten thousand runs.

use crate::process::{ours, time};
use crate::row::{Row, median};
use binlogsh::error::Result;
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::store::{
    Claim, Holder, NewRun, RunEnding, RunFilter, RunHead, RunJournal, RunKind, RunState, Store, run_id,
};
use binlogsh::journal::{Entry, Journal, Keeps};
use binlogsh::language::{Interpreter, ScriptSettings, Source};
use binlogsh::node::{Kind, NodeRef, Record};
use binlogsh::policy::AskOperator;
use binlogsh::session::{Parts, Session};
use binlogsh::tso::Tso;
use binlogsh::world::{
    Acted, Action, Answer, Change, Clocks, Fence, Listing, Probe, ProbeFinding, Read, Request, World,
};
use indexmap::IndexMap;
use std::cell::RefCell;
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;

/// 2026-11-23 12:15:02 UTC.
const BEGUN: i64 = 1_795_436_102_000;

/// How many entries the journal has that is read.
const ENTRIES: u32 = 10_000;

/// How many changes are timed.
const CHANGES: usize = 60;

fn journal(file: &Path, n: u32) -> RunJournal {
    let begun_ms = BEGUN + i64::from(n) * 1000;
    let [a, b, c, d] = n.to_be_bytes();
    let head = RunHead {
        id: run_id(begun_ms, [0, a, b, c, d]).unwrap(),
        kind: RunKind::Script,
        script: "scripts/rolling_restart.rhai".into(),
        text: include_str!("../../scripts/rolling_restart.rhai").into(),
        whole: None,
        secrets: Default::default(),
        modules: Vec::new(),
        parameters: IndexMap::new(),
        cluster_id: Some(7_291_000_000_000_000_001),
        user: "ada".into(),
        host: "ops-1".into(),
        pid: 4711,
        begun_ms,
    };
    let holder = Holder { user: "ada".into(), host: "ops-1".into(), pid: 4711, mark: "4711".into() };
    let (keeps, clock) = (Keeps::Everything, Box::new(|| BEGUN));
    RunJournal::new(file, NewRun { head, holder, secret_key: [7; 16], keeps, clock })
}

fn node(kind: Kind, id: &str) -> NodeRef {
    NodeRef { kind, id: id.into(), address: format!("{id}.example.net:8250").into() }
}

fn pause() -> Change {
    Change::Act { node: node(Kind::Pump, "pump-1"), action: Action::Pause }
}

fn act(journal: &mut RunJournal) {
    journal.began(&pause(), &["last_pump: fine".into()], Some("ada")).unwrap();
    journal.done(Entry::new(pause().into(), Ok(Answer::Acted(Acted::said("success"))))).unwrap();
}

/// Three Pumps and two Drainers.
fn nodes() -> Vec<NodeRef> {
    let pump = |id| node(Kind::Pump, id);
    let drainer = |id| node(Kind::Drainer, id);
    vec![pump("pump-0"), pump("pump-1"), pump("pump-2"), drainer("drainer-0"), drainer("drainer-1")]
}

fn listing() -> Answer {
    let record = |node: &NodeRef| {
        let (id, host) = (&node.id, &node.address);
        let json = format!(
            r#"{{"nodeId":"{id}","host":"{host}","state":"online","isAlive":true,"score":0,"label":null,"maxCommitTS":400962745252184065,"updateTS":400962745252184065}}"#
        );
        Record::parse(&format!("{}{id}", node.kind.prefix()), json.into_bytes(), 7).unwrap()
    };
    let tso = Some(Tso(400_962_745_252_184_065));
    let records = nodes().iter().map(record).collect();
    Answer::Listing(Listing { revision: 1000, tso, tso_error: None, records, malformed: Vec::new() })
}

/// What a script that waits reads: the records, the nodes themselves, the clock.
fn reads(journal: &mut RunJournal, count: u32) {
    let listing = Ok(listing());
    let probe = |node: NodeRef| Probe { node, finding: ProbeFinding::State(binlogsh::node::State::Online) };
    let probes = Ok(Answer::Probes(nodes().into_iter().map(probe).collect()));
    let now = Ok(Answer::Now(Clocks { unix_ms: BEGUN, monotonic_ms: 1000 }));
    let all = [
        (Request::Read(Read::Nodes), listing),
        (Request::Read(Read::Probe { nodes: nodes() }), probes),
        (Request::Read(Read::Now), now),
    ];
    for (request, outcome) in all.iter().cycle().take(count as usize) {
        journal.note(request, outcome, None).unwrap();
    }
}

/// A directory on the disk that the program is built on.
fn on_disk() -> TempDir {
    tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap()
}

/// A directory whose files cost no disk: where only reading is timed.
fn in_memory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn milliseconds(work: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    work();
    begin.elapsed().as_secs_f64() * 1000.0
}

/// An entry read, its chain checked, and decoded.
pub(crate) fn journal_read() -> Row {
    let dir = in_memory();
    let file = dir.path().join("runs.db");
    let mut run = journal(&file, 1);
    reads(&mut run, ENTRIES - 1);
    act(&mut run);
    drop(run);
    let id = Store::open(&file).unwrap().runs(&RunFilter::default()).unwrap().remove(0).id;
    let load = || milliseconds(|| drop(black_box(Store::open(&file).unwrap().load(&id).unwrap())));
    let times = (0..9).map(|_| load() * 1000.0 / f64::from(ENTRIES)).collect();
    Row::time("journal_read", "us/entry", median(times)).at_most(5.0)
}

/// A change, *began* and *done*, over three writes of a page made durable on the same disk, in turn.
pub(crate) fn journal_write() -> Row {
    let dir = on_disk();
    let mut run = journal(&dir.path().join("runs.db"), 1);
    act(&mut run);
    let mut peer = File::create(dir.path().join("peer")).unwrap();
    let mut sync = || {
        peer.write_all(&[1; 4096]).unwrap();
        peer.sync_data().unwrap();
    };
    let mut pair = || {
        reads(&mut run, 5);
        let ours = milliseconds(|| act(&mut run));
        (ours, milliseconds(|| (0..3).for_each(|_| sync())))
    };
    let pairs: Vec<(f64, f64)> = (0..CHANGES).map(|_| pair()).collect();
    let median_of = |figure: fn(&(f64, f64)) -> f64| median(pairs.iter().map(figure).collect());
    let (ours, peer) = (median_of(|(ours, _)| *ours), median_of(|(_, peer)| *peer));
    Row::paired("journal_write", "ms", (ours, peer, ours / peer)).at_most(1.0)
}

/// How much longer the first change of a run takes than the second: the store is opened for it.
pub(crate) fn journal_open() -> Row {
    let dir = on_disk();
    let file = dir.path().join("runs.db");
    // As at an operator's: the store is there.
    let mut earlier = journal(&file, 0);
    act(&mut earlier);
    let more = |n: u32| {
        let mut run = journal(&file, n);
        let first = milliseconds(|| act(&mut run));
        first - milliseconds(|| act(&mut run))
    };
    Row::time("journal_open", "ms", median((1..=31).map(more).collect())).at_most(3.0)
}

/// `binlogsh runs` with ten thousand stored runs, each read and checked, the latest shown: the whole process.
pub(crate) fn runs_list_10000() -> Row {
    let dir = in_memory();
    let file = dir.path().join("binlogsh/runs.db");
    for n in 0..10_000 {
        let mut run = journal(&file, n);
        act(&mut run);
        // As at an operator's: a few of them were stopped.
        if n % 100 != 0 {
            run.finish(RunEnding { state: RunState::Done, exit_code: 0, error: None }).unwrap();
        }
    }
    assert_eq!(Store::open(&file).unwrap().runs(&RunFilter::default()).unwrap().len(), 10_000);
    let list = || {
        let mut command = ours();
        command.env("XDG_DATA_HOME", dir.path()).arg("runs");
        time(command) * 1000.0
    };
    list();
    Row::time("runs_list_10000", "ms", median((0..9).map(|_| list()).collect())).at_most(50.0)
}

/// A world in which nothing happens: it gives the same listing, and does what it is told.
struct Still(Answer);

impl World for Still {
    fn apply(&mut self, request: &Request, _fence: Option<&Fence>) -> Result<Answer> {
        Ok(match request {
            Request::Read(Read::Nodes) => self.0.clone(),
            Request::Read(Read::Now) => Answer::Now(Clocks { unix_ms: BEGUN, monotonic_ms: 1000 }),
            _ => Answer::Done,
        })
    }
}

/// A run with ten thousand entries is taken up again: loaded, its script compiled and run over its journal, until the
/// first request that goes to the world.
pub(crate) fn resume_10000() -> Row {
    const READS: u32 = ENTRIES - 1;
    let script = format!("for i in 0..{READS} {{ pumps(); }} manual(\"look\"); pumps();");
    let dir = in_memory();
    let file = dir.path().join("runs.db");
    let run = journal(&file, 1);
    let id = run.head().id.clone();
    play(&script, run);
    let holder = || Holder { user: "ada".into(), host: "ops-1".into(), pid: 4711, mark: "4711".into() };
    let resume = || {
        let claim = Claim { holder: holder(), is_alive: &|_| false, clock: Box::new(|| BEGUN) };
        let run = Store::open(&file).unwrap().resume(&id, claim).unwrap();
        assert!(run.to_replay() >= ENTRIES as usize);
        play(&script, run);
    };
    Row::time("resume_10000", "ms", median((0..9).map(|_| milliseconds(resume)).collect())).at_most(300.0)
}

/// Runs the script over its journal, and then in the still world.
fn play(script: &str, run: RunJournal) {
    let session = Session::new(Parts {
        world: Box::new(Still(listing())),
        journal: Box::new(Rc::new(RefCell::new(run))),
        policy: Box::new(AskOperator::default()),
        notices: Arc::new(|_| {}),
        interrupt: Interrupt::default(),
        lock: None,
    });
    let mut interpreter = Interpreter::new(Rc::new(RefCell::new(session)), ScriptSettings::default());
    interpreter.run(&Source::new("long.rhai", script)).unwrap();
}
