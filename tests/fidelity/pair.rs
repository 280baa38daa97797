//! The simulator and the doubles side by side, at the same virtual time from step to step.

use super::draw::{NAMES, Play, Sequence, Step};
use super::normal::{LOST, Normal};
use crate::support::held::HeldCluster;
use crate::support::live::LiveWorld;
use binlogsh::error::{ErrorKind, Result};
use binlogsh::node::{Kind, NodeRef, Record, State};
use binlogsh::sim::{Cluster, HttpOutcome, MILLISECOND, Signal, Simulated};
use binlogsh::world::{Acted, Action, Answer, Change, Listing, Probe, ProbeFinding, Read, Request, World};
use std::collections::BTreeSet;
use std::time::Duration;

/// How long `live` waits for those who are silent. What answers does so within milliseconds.
const HASTE: Duration = Duration::from_millis(300);
/// How long it waits otherwise, so that a busy host is no difference.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often somebody is asked again who was not heard in time: a probe waits for a second and no longer.
const AGAIN: usize = 10;

/// Something done to what `live` answered before it is compared: a test of the test.
pub(super) type Tamper = fn(&mut Result<Answer>);

/// The doubles, and `live` in front of them. They serve one sequence after the other.
pub(super) struct Doubles {
    pub(super) cluster: HeldCluster,
    patient: LiveWorld,
    hasty: LiveWorld,
    pub(super) tamper: Option<Tamper>,
    /// What sorts of answer were compared so far.
    pub(super) met: BTreeSet<&'static str>,
}

impl Doubles {
    pub(super) fn start() -> Self {
        let cluster = HeldCluster::start(super::draw::ADDRESSES);
        let world = |timeout| LiveWorld::new(&[cluster.url()], timeout);
        let (patient, hasty) = (world(PATIENCE), world(HASTE));
        Self { cluster, patient, hasty, tamper: None, met: BTreeSet::new() }
    }

    fn ask(&mut self, request: &Request) -> Result<Answer> {
        let waits = whom(request).iter().any(|node| self.is_silent(&node.address));
        let world = if waits { &mut self.hasty } else { &mut self.patient };
        let mut answer = world.world.apply(request, None);
        if let Some(tamper) = self.tamper {
            tamper(&mut answer);
        }
        answer
    }

    fn is_silent(&self, address: &str) -> bool {
        self.cluster.with(|cluster| cluster.clone().http(address, "GET", "/") == HttpOutcome::Silent)
    }
}

/// Both of them in the middle of a sequence.
pub(super) struct Pair<'a> {
    sim: Simulated,
    doubles: &'a mut Doubles,
    normal: [Normal; 2],
    /// What both listed so far.
    listed: Vec<[Listing; 2]>,
    happened: usize,
}

impl<'a> Pair<'a> {
    pub(super) fn begin(sequence: &Sequence, doubles: &'a mut Doubles) -> Self {
        let scenario = doubles.cluster.with_own_pd(sequence.scenario.clone());
        doubles.cluster.begin(&scenario);
        let sim = Simulated::new(&scenario).unwrap();
        Self { sim, doubles, normal: Default::default(), listed: Vec::new(), happened: 0 }
    }

    /// Takes one step in both; says how they differ.
    pub(super) fn step(&mut self, step: &Step) -> Result<(), String> {
        match step {
            Step::Pass(time) => {
                self.sim.apply(&Request::Read(Read::Sleep { time: *time }), None).unwrap();
            }
            Step::Play(play) => {
                apply(play, self.sim.cluster_mut());
                self.doubles.cluster.with(|cluster| apply(play, cluster));
            }
            request => {
                if let Some(requests) = self.requests(request) {
                    self.compare(requests)?;
                }
            }
        }
        self.compare_logs()
    }

    /// Something happens to one side alone: a test of the test.
    pub(super) fn only_in_the_doubles(&mut self, play: &Play) {
        self.doubles.cluster.with(|cluster| apply(play, cluster));
    }

    /// The step as a request to each of them; `None` where nothing was listed that it could mean.
    fn requests(&self, step: &Step) -> Option<[Request; 2]> {
        let both = |request: Request| Some([request.clone(), request]);
        match step.clone() {
            Step::Nodes => both(Request::Read(Read::Nodes)),
            Step::Tidbs => both(Request::Read(Read::Tidbs)),
            Step::Cluster => both(Request::Read(Read::Cluster)),
            Step::Tso => both(Request::Read(Read::Tso)),
            Step::Probe(nodes) => both(Request::Read(Read::Probe { nodes })),
            Step::Status(nodes) => both(Request::Read(Read::Status { nodes })),
            Step::Metrics(nodes) => both(Request::Read(Read::Metrics { nodes })),
            Step::Inspect(nodes) => {
                let metrics =
                    ["process_start_time_seconds", "binlog_pump_storage_gc_ts", "binlog_drainer_checkpoint_tso"];
                both(Request::Read(Read::Inspect { nodes, metrics: metrics.map(str::to_owned).to_vec() }))
            }
            Step::CommitTs(nodes) => both(Request::Read(Read::CommitTs { nodes })),
            Step::PumpDrainers(node) => both(Request::Read(Read::PumpDrainers { node })),
            Step::BinlogAt(node, ago) => {
                let ago = i64::try_from(ago.as_micros()).unwrap();
                both(Request::Read(Read::BinlogAt { node, ts: self.sim.cluster().ts_at(self.sim.now() - ago) }))
            }
            Step::Act(node, action) => both(Request::Change(Change::Act { node, action })),
            Step::TriggerGc(node) => both(Request::Change(Change::TriggerGc { node })),
            Step::Swap { age, pick, state } => self.of_listing(age, |listing| {
                let seen: Record = listing.records.get(pick.checked_rem(listing.records.len())?)?.clone();
                Some(Request::Change(Change::SwapRecord { seen, state }))
            }),
            Step::Delete { age, pick, wrong } => self.of_listing(age, |listing| {
                let records = listing.records.iter().map(|record| (record.node.key(), record.mod_revision));
                let malformed = listing.malformed.iter().map(|key| (key.key.clone().into(), key.mod_revision));
                let keys: Vec<_> = records.chain(malformed).collect();
                let (key, revision) = keys.get(pick.checked_rem(keys.len())?)?.clone();
                Some(Request::Change(Change::DeleteRecord { key, mod_revision: revision - i64::from(wrong) }))
            }),
            Step::DeleteForeign => both(Request::Change(Change::DeleteRecord {
                key: "/tidb/server/info/tidb-0".into(),
                mod_revision: 1_000_000,
            })),
            Step::Pass(_) | Step::Play(_) => None,
        }
    }

    fn of_listing(&self, age: usize, request: impl Fn(&Listing) -> Option<Request>) -> Option<[Request; 2]> {
        let listed = self.listed.get(self.listed.len().checked_sub(1)?.saturating_sub(age))?;
        Some([request(&listed[0])?, request(&listed[1])?])
    }

    fn compare(&mut self, [ask_sim, ask_live]: [Request; 2]) -> Result<(), String> {
        // The simulator lets so much time pass before it looks.
        let at = self.sim.now() + MILLISECOND;
        self.doubles.cluster.hold(at);
        let live = self.doubles.ask(&ask_live);
        let sim = self.sim.apply(&ask_sim, None);
        let reads = ask_sim.is_look();
        if !reads {
            // What it wrote to etcd, the model hears before time goes on.
            self.doubles.cluster.hold(at);
        }
        if let (Ok(Answer::Listing(sim)), Ok(Answer::Listing(live))) = (&sim, &live) {
            self.listed.push([sim.clone(), live.clone()]);
        }
        if let (Request::Change(Change::Act { node, action }), Ok(Answer::Acted(Acted { message, .. }))) =
            (&ask_live, &live)
            && message.starts_with(LOST)
        {
            self.doubles.met.insert("found out");
            if !is_so(self.sim.cluster(), node, *action) {
                return Err(format!("`live` found out that {node} did {}, and it is not so: {message}", action.name()));
            }
        }
        self.doubles.met.insert(sort(&sim));
        let sim = self.normal[0].result(&ask_sim, sim);
        let mut live = self.normal[1].result(&ask_live, live);
        if sim != live && reads && self.sim.now() > at {
            // Somebody was silent, and time passed meanwhile in the simulator, not for the doubles: whoever woke up in
            // it answers at the end.
            self.doubles.cluster.hold(self.sim.now());
            let later = self.doubles.ask(&ask_live);
            let later = self.normal[1].result(&ask_live, later);
            live = either(&sim, live, later);
        }
        for _ in 0..AGAIN {
            if sim == live || !reads || !is_late(&live) {
                break;
            }
            // Time stands still, so that an answer is another one only where a busy host gave none.
            let again = self.doubles.ask(&ask_live);
            let again = self.normal[1].result(&ask_live, again);
            live = either(&sim, live, again);
        }
        match sim == live {
            true => Ok(()),
            false => Err(format!("asked {ask_sim:?}\nthe simulator: {sim:#?}\nthe doubles:   {live:#?}")),
        }
    }

    /// The same must have happened in both models, whatever was answered.
    fn compare_logs(&mut self) -> Result<(), String> {
        let now = self.sim.now();
        let sim = self.sim.cluster_mut();
        sim.advance_to(now);
        let log = sim.log();
        let live = self.doubles.cluster.with(|cluster| {
            cluster.advance_to(now);
            cluster.log().to_vec()
        });
        let before = std::mem::replace(&mut self.happened, log.len());
        match log == live {
            true => Ok(()),
            false => Err(format!(
                "what happened differs\nthe simulator: {:#?}\nthe doubles:   {:#?}",
                &log[before..],
                &live[before.min(live.len())..]
            )),
        }
    }
}

/// Whom a request asks over HTTP.
fn whom(request: &Request) -> Vec<NodeRef> {
    match request {
        Request::Read(Read::Probe { nodes })
        | Request::Read(Read::Status { nodes })
        | Request::Read(Read::Metrics { nodes })
        | Request::Read(Read::Inspect { nodes, .. })
        | Request::Read(Read::CommitTs { nodes }) => nodes.clone(),
        Request::Read(Read::PumpDrainers { node })
        | Request::Read(Read::BinlogAt { node, .. })
        | Request::Change(Change::Act { node, .. })
        | Request::Change(Change::TriggerGc { node }) => vec![node.clone()],
        _ => Vec::new(),
    }
}

/// Whether somebody who was asked was not heard in time.
fn is_late(answer: &Result<Answer>) -> bool {
    fn late<T>(one: &Result<T>) -> bool {
        one.as_ref().is_err_and(|error| error.kind == ErrorKind::Timeout)
    }
    match answer {
        answer @ Err(_) => late(answer),
        Ok(Answer::Probes(probes)) => probes.iter().any(|probe| probe.finding == ProbeFinding::Silent),
        Ok(Answer::Inspected(all)) => all.iter().any(|one| {
            let (status, metrics) = (one.status.as_ref().is_some_and(late), one.metrics.as_ref().is_some_and(late));
            one.probe.finding == ProbeFinding::Silent || status || metrics
        }),
        Ok(Answer::Statuses(all)) => all.iter().any(late),
        Ok(Answer::Metrics(all)) => all.iter().any(late),
        Ok(Answer::Timestamps(all)) => all.iter().any(late),
        Ok(_) => false,
    }
}

/// What sort of answer it is, by what is rarest in it.
fn sort(answer: &Result<Answer>) -> &'static str {
    let probed = |probes: &[Probe], wanted: fn(&ProbeFinding) -> bool| probes.iter().any(|p| wanted(&p.finding));
    match answer {
        Err(error) => error.kind.name(),
        Ok(Answer::Probes(probes)) if probed(probes, |found| *found == ProbeFinding::Silent) => "silent",
        Ok(Answer::Probes(probes)) if probed(probes, |found| matches!(found, ProbeFinding::Other(_))) => "other",
        Ok(Answer::Probes(probes)) if probed(probes, |found| *found == ProbeFinding::State(State::Closing)) => {
            "closing"
        }
        Ok(Answer::Probes(_)) => "probes",
        Ok(Answer::Listing(listing)) if !listing.malformed.is_empty() => "malformed",
        Ok(Answer::Swapped(_)) => "swapped",
        Ok(Answer::Acted { .. }) => "acted",
        Ok(Answer::Done) => "done",
        Ok(_) => "read",
    }
}

/// Whether a node stands as one does that did what it was told.
fn is_so(cluster: &Cluster, node: &NodeRef, action: Action) -> bool {
    let record = cluster.find(node.kind, &node.id).and_then(|who| cluster.record(who));
    let state = record.map(|record| record.state);
    let probe = format!("/state/{}/probe", node.id);
    let said = cluster.clone().http(&node.address, "PUT", &probe);
    match action {
        Action::Pause => state == Some(State::Paused.into()),
        Action::Close => state == Some(State::Offline.into()) || format!("{said:?}").contains("state is closing"),
    }
}

/// Of what each node said at the start and at the end of a wait, what fits.
fn either(sim: &Result<Answer>, first: Result<Answer>, later: Result<Answer>) -> Result<Answer> {
    fn each<T: PartialEq + Clone>(sim: &[T], first: &[T], later: &[T]) -> Vec<T> {
        let pairs = first.iter().zip(later).zip(sim);
        pairs.map(|((first, later), sim)| if later == sim { later.clone() } else { first.clone() }).collect()
    }
    use Answer::{Inspected, Metrics, Probes, Statuses, Timestamps};
    match (sim, first, later) {
        (Ok(Probes(sim)), Ok(Probes(first)), Ok(Probes(later))) => Ok(Probes(each::<Probe>(sim, &first, &later))),
        (Ok(Statuses(sim)), Ok(Statuses(first)), Ok(Statuses(later))) => Ok(Statuses(each(sim, &first, &later))),
        (Ok(Metrics(sim)), Ok(Metrics(first)), Ok(Metrics(later))) => Ok(Metrics(each(sim, &first, &later))),
        (Ok(Inspected(sim)), Ok(Inspected(first)), Ok(Inspected(later))) => Ok(Inspected(each(sim, &first, &later))),
        (Ok(Timestamps(sim)), Ok(Timestamps(first)), Ok(Timestamps(later))) => {
            Ok(Timestamps(each(sim, &first, &later)))
        }
        (_, _, later) => later,
    }
}

/// Does something to a cluster from outside.
fn apply(play: &Play, cluster: &mut Cluster) {
    match play {
        Play::Signal(kind, id, signal) => {
            let who = cluster.find(*kind, id).unwrap();
            cluster.signal(who, *signal);
        }
        Play::ContinueAll => {
            let everybody = Kind::ALL.iter().copied().flat_map(|kind| NAMES.iter().map(move |id| (kind, id)));
            for who in everybody.filter_map(|(kind, id)| cluster.find(kind, id)).collect::<Vec<_>>() {
                cluster.signal(who, Signal::Cont);
            }
        }
        Play::Start(kind, id) => {
            let who = cluster.find(*kind, id).unwrap();
            cluster.start(who, None);
        }
        Play::Fault(fault) => cluster.add_fault(fault.clone()).unwrap(),
        Play::Tidb(binlog) => cluster.set_tidb_binlog(*binlog),
        Play::Write(kind, id, state) => {
            let who = cluster.find(*kind, id).unwrap();
            if let Some(record) = cluster.record(who) {
                cluster.put(&record.node.key(), record.with_state(*state).unwrap().bytes());
            }
        }
        Play::Put(key, value) => {
            cluster.put(key, value.as_bytes());
        }
        Play::Remove(key) => {
            cluster.delete(key);
        }
    }
}
