//! A script cut off at every point at which it asks the world for something or notes something, as if its process had
//! been killed just there, and then gone on with: nothing is done twice, nothing is lost, and it ends as it would have.
//!
//! What a kill leaves is copied at that moment: the files of the store, and the cluster, which goes on for a while before
//! somebody resumes. Real kills of a real process are in `kills.rs`.

use crate::harness::project;
use crate::support::is_soak;
use binlogsh::error::{Error, Result};
use binlogsh::interrupt::Interrupt;
use binlogsh::journal::store::{
    Claim, Holder, NewRun, RunEnding, RunHead, RunJournal, RunKind, RunState, Store, StoredModule,
};
use binlogsh::journal::{Entry, Journal, Keeps, Mark, Outcome};
use binlogsh::language::{Interpreter, PinnedModule, ScriptSettings, Source};
use binlogsh::node::RecordState;
use binlogsh::policy::Yes;
use binlogsh::recovery::{Knowledge, settle};
use binlogsh::session::{LockPlan, LockSpan, Parts, Session};
use binlogsh::sim::{LogEvent, NodeControlSpec, ProcessStage, Scenario, Simulated, Span};
use binlogsh::world::{Action, Answer, Change, Fence, LockHolder, Notices, Read, Request, World};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

const ID: &str = "20261123-121502-11111";

/// Counts the points, and is dead from one of them on.
#[derive(Default)]
pub(super) struct Points {
    next: usize,
    /// The points of requests that change something, with what they are.
    changes: Vec<(usize, Request)>,
    cut: Option<usize>,
    dead: bool,
    /// The directory of the store, and the one that gets what a kill leaves of it.
    dirs: Option<(PathBuf, PathBuf)>,
}

pub(super) type Shared<T> = Rc<RefCell<T>>;

impl Points {
    /// How many points there were.
    pub(super) fn asked(&self) -> usize {
        self.next
    }

    fn pass(&mut self) -> Result<()> {
        if self.dead {
            return Err(Error::internal("killed"));
        }
        self.next += 1;
        if self.cut != Some(self.next - 1) {
            return Ok(());
        }
        self.dead = true;
        let (from, to) = self.dirs.as_ref().unwrap();
        copy_store(from, to);
        Err(Error::internal("killed"))
    }
}

/// What there is of a store at this moment.
pub(super) fn copy_store(from: &Path, to: &Path) {
    for name in ["runs.db", "runs.db-wal"] {
        if from.join(name).exists() {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    }
}

/// The simulated cluster as a process sees it that may be killed.
struct Mortal {
    world: Shared<Simulated>,
    points: Shared<Points>,
}

impl World for Mortal {
    fn apply(&mut self, request: &Request, fence: Option<&Fence>) -> Result<Answer> {
        if matches!(request, Request::Read(Read::Now)) && !self.points.borrow().dead {
            return self.world.borrow_mut().apply(request, fence);
        }
        if !request.is_look() {
            let mut points = self.points.borrow_mut();
            let next = points.next;
            points.changes.push((next, request.clone()));
        }
        self.points.borrow_mut().pass()?;
        let answer = self.world.borrow_mut().apply(request, fence);
        if !request.is_look() {
            self.points.borrow_mut().pass()?;
        }
        answer
    }
}

/// The journal of that process.
struct Pen {
    journal: Shared<RunJournal>,
    points: Shared<Points>,
}

impl Journal for Pen {
    fn secret_key(&self) -> [u8; 16] {
        self.journal.secret_key()
    }

    fn next_replayed(&mut self) -> Option<Entry> {
        self.journal.next_replayed()
    }

    fn take_expected(&mut self) -> Option<Change> {
        self.journal.take_expected()
    }

    fn foreseen(&self) -> Option<Request> {
        self.journal.foreseen()
    }

    fn note(&mut self, request: &Request, outcome: &Outcome, by: Option<&str>) -> Result<()> {
        self.points.borrow_mut().pass()?;
        self.journal.note(request, outcome, by)
    }

    fn began(&mut self, change: &Change, findings: &[String], by: Option<&str>) -> Result<()> {
        self.points.borrow_mut().pass()?;
        self.journal.began(change, findings, by)?;
        self.points.borrow_mut().pass()
    }

    fn done(&mut self, entry: Entry) -> Result<()> {
        self.points.borrow_mut().pass()?;
        self.journal.done(entry)?;
        self.points.borrow_mut().pass()
    }

    fn mark(&mut self) -> Result<Mark> {
        self.journal.mark()
    }

    fn forget(&mut self, mark: Mark) {
        self.journal.forget(mark);
    }

    fn wants_cluster(&self) -> bool {
        self.journal.wants_cluster()
    }

    fn on_cluster(&mut self, id: u64) {
        self.journal.on_cluster(id);
    }

    fn step(&mut self, name: Option<&str>) {
        self.journal.step(name);
    }
}

/// A script and the cluster that it works on.
pub(super) struct Case {
    source: Source,
    parameters: &'static [(&'static str, &'static str)],
    scenario: Scenario,
}

/// What a run comes to.
#[derive(Debug, PartialEq)]
struct End {
    /// Each node's process and record.
    nodes: BTreeMap<String, (Option<ProcessStage>, Option<RecordState>)>,
    /// How often each node did what it was told, how often its process was started, and how often a changefeed was created.
    effects: BTreeMap<(String, &'static str), usize>,
}

impl End {
    fn of(world: &Simulated) -> Self {
        let cluster = world.cluster();
        let mut effects = BTreeMap::new();
        for entry in cluster.log() {
            let (who, what) = match entry.what {
                LogEvent::Acted { who, action: Action::Pause } => (who, "told to pause"),
                LogEvent::Acted { who, action: Action::Close } => (who, "told to close"),
                LogEvent::Started(who) => (who, "started"),
                LogEvent::Recorded { who, by_hand: true, .. } => (who, "written by hand"),
                LogEvent::Forgotten(who) => (who, "forgotten"),
                LogEvent::ChangefeedCreated { .. } => {
                    *effects.entry(("TiCDC".to_owned(), "changefeed created")).or_insert(0) += 1;
                    continue;
                }
                _ => continue,
            };
            *effects.entry((cluster.id_of(who).to_owned(), what)).or_insert(0) += 1;
        }
        let nodes = cluster
            .everybody()
            .map(|who| (cluster.id_of(who).to_owned(), (cluster.stage(who), cluster.recorded_state(who).cloned())));
        Self { nodes: nodes.collect(), effects }
    }
}

impl Case {
    fn new(name: &'static str, parameters: &'static [(&'static str, &'static str)], scenario: Scenario) -> Self {
        let dir = project("scripts");
        let text = std::fs::read_to_string(dir.join(name)).unwrap();
        Self { parameters, ..Self::of(Source { root: Some(dir), ..Source::new(name, text) }, scenario) }
    }

    /// A script without parameters.
    pub(super) fn of(source: Source, scenario: Scenario) -> Self {
        Self { source, parameters: &[], scenario }
    }

    fn settings(&self) -> ScriptSettings {
        let given = self.parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        ScriptSettings { parameters: given.collect(), ..ScriptSettings::default() }
    }

    fn world(&self) -> Shared<Simulated> {
        Rc::new(RefCell::new(Simulated::new(&self.scenario).unwrap()))
    }

    /// Runs the script over `journal` until its end or the cut.
    fn play(&self, world: &Shared<Simulated>, journal: &Shared<RunJournal>, points: &Shared<Points>) -> Result<()> {
        let source = match journal.borrow().head().modules.is_empty() {
            true => self.source.clone(),
            // From here on the files are of no interest.
            false => Source::new(self.source.name.clone(), journal.borrow().head().text.clone()),
        };
        self.play_instead(&source, world, journal, points)
    }

    /// Runs this script over `journal`, whatever it was begun with.
    pub(super) fn play_instead(
        &self,
        source: &Source,
        world: &Shared<Simulated>,
        journal: &Shared<RunJournal>,
        points: &Shared<Points>,
    ) -> Result<()> {
        let notices: Notices = Arc::new(|_| {});
        let (user, host) = ("ada".to_owned(), "ops-1".to_owned());
        let holder = LockHolder {
            user: user.into(),
            host: host.into(),
            pid: 1,
            run: Some(ID.into()),
            script: None,
            version: "1".into(),
        };
        let wait = Some(Duration::from_secs(120));
        let session = Session::new(Parts {
            world: Box::new(Mortal { world: world.clone(), points: points.clone() }),
            journal: Box::new(Pen { journal: journal.clone(), points: points.clone() }),
            policy: Box::new(Yes { notices: notices.clone() }),
            notices,
            interrupt: Interrupt::default(),
            lock: Some(LockPlan { holder, wait, span: LockSpan::Session, predecessor: None }),
        });
        let session = Rc::new(RefCell::new(session));
        let settings = self.settings();
        let modules = journal.borrow().head().modules.clone();
        let pinned = match modules.is_empty() {
            true => self.pin(&session, journal),
            false => modules.into_iter().map(pinned).collect(),
        };
        let mut interpreter = Interpreter::new(session.clone(), ScriptSettings { pinned: Some(pinned), ..settings });
        let ended = interpreter.run(source).map(drop).map_err(|error| error.error);
        session.borrow_mut().give_lock_back();
        ended
    }

    fn pin(&self, session: &Shared<Session>, journal: &Shared<RunJournal>) -> Vec<PinnedModule> {
        let mut interpreter = Interpreter::new(session.clone(), self.settings());
        let prepared = interpreter.prepare(&self.source).unwrap();
        let modules = interpreter.pin(&prepared).unwrap();
        let modules_kept = modules.iter().cloned().map(kept).collect();
        journal.borrow_mut().set_texts(self.source.text.clone(), None, modules_kept);
        modules
    }

    fn begin(&self, dir: &Path, world: &Shared<Simulated>) -> Shared<RunJournal> {
        let head = RunHead {
            id: ID.into(),
            kind: RunKind::Script,
            script: self.source.name.clone(),
            text: self.source.text.clone(),
            whole: None,
            modules: Vec::new(),
            parameters: self.settings().parameters,
            secrets: Default::default(),
            cluster_id: None,
            user: "ada".into(),
            host: "ops-1".into(),
            pid: 1,
            begun_ms: 0,
        };
        let run =
            NewRun { head, holder: holder(1), secret_key: [7; 16], keeps: Keeps::Everything, clock: clock(world) };
        Rc::new(RefCell::new(RunJournal::new(&dir.join("runs.db"), run)))
    }

    /// The run without any cut: what it comes to, and how many points it has.
    fn undisturbed(&self) -> (End, usize) {
        let dir = tempfile::tempdir().unwrap();
        let (world, points) = (self.world(), Shared::<Points>::default());
        let journal = self.begin(dir.path(), &world);
        self.play(&world, &journal, &points).unwrap();
        let end = End::of(&world.borrow());
        let points = points.borrow().next;
        (end, points)
    }

    /// Cuts the run off at a point, and lets `gap` seconds pass: the cluster, and the directory of what is left of the store.
    pub(super) fn cut_off(&self, point: usize, gap: u64) -> (Shared<Simulated>, tempfile::TempDir) {
        let about = format!("{} cut at point {point}", self.source.name);
        let (dir, left) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (world, points) = (self.world(), Shared::<Points>::default());
        points.borrow_mut().cut = Some(point);
        points.borrow_mut().dirs = Some((dir.path().to_owned(), left.path().to_owned()));
        let journal = self.begin(dir.path(), &world);
        let cut = self.play(&world, &journal, &points);
        assert!(points.borrow().dead, "{about}: {cut:?}");
        drop(journal);
        world.borrow_mut().apply(&Request::Read(Read::Sleep { time: Duration::from_secs(gap) }), None).unwrap();
        (world, left)
    }

    /// The first point at which the world is about to be asked for this change, of a run without a cut.
    pub(super) fn first_point_of(&self, what: impl Fn(&Request) -> bool) -> usize {
        let dir = tempfile::tempdir().unwrap();
        let (world, points) = (self.world(), Shared::<Points>::default());
        self.play(&world, &self.begin(dir.path(), &world), &points).unwrap();
        let points = points.borrow();
        points.changes.iter().find(|(_, request)| what(request)).unwrap().0
    }

    /// Cuts the run off at a point, lets `gap` seconds pass, and goes on.
    fn cut(&self, point: usize, gap: u64, expected: &End) {
        let about = format!("{} on {} Pumps, cut at point {point}", self.source.name, self.scenario.pumps.len());
        let (world, left) = self.cut_off(point, gap);
        let journal = self.take_up(left.path(), &world, &about);
        let resumed = self.play(&world, &journal, &Shared::<Points>::default());
        assert!(resumed.is_ok(), "{about}: {resumed:?}");
        let ending = RunEnding { state: RunState::Done, exit_code: 0, error: None };
        journal.borrow_mut().finish(ending).unwrap();
        drop(journal);
        assert_eq!(End::of(&world.borrow()), *expected, "{about}");
        told_the_truth(left.path(), expected, &about);
    }

    /// The journal of the run that was stopped, settled; or of a new one if nothing had begun.
    pub(super) fn take_up(&self, dir: &Path, world: &Shared<Simulated>, about: &str) -> Shared<RunJournal> {
        let Some(store) = Store::open_if_there(&dir.join("runs.db")).unwrap() else { return self.begin(dir, world) };
        let loaded = store.load(ID).unwrap();
        let claim = Claim { holder: holder(2), is_alive: &|_| false, clock: clock(world) };
        let mut journal = store.resume(ID, claim).unwrap();
        let mut live = Mortal { world: world.clone(), points: Shared::default() };
        settle(&mut journal, &mut live, None, &mut |_, question| panic!("{about}: {}", question.text)).unwrap();
        if let Some(known) = Knowledge::of(&loaded.entries, loaded.unfinished.as_ref())
            && let Answer::Listing(now) = live.apply(&Request::Read(Read::Nodes), None).unwrap()
        {
            assert_eq!(known.differences(&now), Vec::<String>::new(), "{about}: nobody else did anything");
        }
        Rc::new(RefCell::new(journal))
    }
}

/// What the journal says was done is what was done.
fn told_the_truth(dir: &Path, expected: &End, about: &str) {
    let loaded = Store::open_if_there(&dir.join("runs.db")).unwrap().unwrap().load(ID).unwrap();
    let told = loaded.entries.iter().filter(|entry| matches!(entry.request, Request::Change(Change::Act { .. })));
    assert!(loaded.entries.iter().all(|entry| entry.outcome.is_ok() || entry.request.is_look()), "{about}");
    let truly: usize = expected.effects.iter().filter(|((_, what), _)| what.starts_with("told")).map(|(_, n)| n).sum();
    assert_eq!(told.count(), truly, "{about}");
}

fn holder(pid: u32) -> Holder {
    Holder { user: "ada".into(), host: "ops-1".into(), pid, mark: format!("started-{pid}") }
}

fn clock(world: &Shared<Simulated>) -> Box<dyn Fn() -> i64> {
    let world = world.clone();
    Box::new(move || {
        let world = world.borrow();
        world.cluster().unix_ms(world.now())
    })
}

fn kept(PinnedModule { importer, path, name, text }: PinnedModule) -> StoredModule {
    StoredModule { importer, path, name, text, whole: None }
}

fn pinned(StoredModule { importer, path, name, text, .. }: StoredModule) -> PinnedModule {
    PinnedModule { importer, path, name, text }
}

/// A cluster of another size and with other delays for each seed.
fn cluster(seed: usize) -> Scenario {
    let mut scenario = Scenario::named("default").unwrap();
    scenario.pumps.truncate(3 - seed % 2);
    scenario.drainers.truncate(2 - seed / 2 % 2);
    for (place, drainer) in scenario.drainers.iter_mut().enumerate() {
        drainer.lag = Span::seconds((seed * 7 + place * 3) as u64 % 20);
    }
    scenario
}

/// Cuts the script at every `stride`-th point of the cluster of each seed; every one in a soak, of twice as many.
fn is_cut_everywhere(
    script: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    seeds: usize,
    stride: usize,
    node_control: Option<&NodeControlSpec>,
) {
    let (seeds, stride) = if is_soak() { (seeds * 2, 1) } else { (seeds, stride) };
    let mut cuts = 0;
    for seed in 0..seeds {
        let scenario = Scenario { node_control: node_control.cloned(), ..cluster(seed) };
        let case = Case::new(script, parameters, scenario);
        let (expected, points) = case.undisturbed();
        for point in (seed % stride..points).step_by(stride) {
            case.cut(point, (point * 13 % 90) as u64, &expected);
            cuts += 1;
        }
    }
    tell(script, cuts);
}

#[expect(clippy::print_stdout, reason = "a figure for whoever asks with --nocapture")]
fn tell(script: &str, cuts: usize) {
    println!("{script}: cut off at {cuts} points");
}

#[test]
fn a_rolling_restart_that_is_cut_off_anywhere_ends_as_it_should() {
    is_cut_everywhere("rolling_restart.rhai", &[("takes", "5s")], 4, 16, None);
}

#[test]
fn a_decommissioning_that_is_cut_off_anywhere_ends_as_it_should() {
    is_cut_everywhere("decommission_pump.rhai", &[("pump", "pump-1")], 4, 16, None);
}

#[test]
fn a_rolling_restart_by_node_control_that_is_cut_off_anywhere_ends_as_it_should() {
    let control = NodeControlSpec { by: "systemd over ssh".into(), ..NodeControlSpec::default() };
    is_cut_everywhere("rolling_restart.rhai", &[("takes", "5s")], 4, 48, Some(&control));
}

#[test]
fn work_by_hand_that_is_cut_off_anywhere_creates_its_changefeed_once() {
    let text = r#"
        let feed = #{ id: "new", start_ts: tso(), sink: "mysql://10.0.2.7:3306/" };
        step("create", || manual("create the changefeed new", #{ changefeed: feed, takes: "5s" }));
        step("pause", || pause_drainer("10.0.1.21:8249", #{ wait: "1m" }));
        sleep("1m");
    "#;
    let case = Case::of(Source::new("create.rhai", text), Scenario::named("ticdc").unwrap());
    let (expected, points) = case.undisturbed();
    assert_eq!(expected.effects[&("TiCDC".to_owned(), "changefeed created")], 1);
    (0..points).for_each(|point| case.cut(point, (point * 13 % 90) as u64, &expected));
}
