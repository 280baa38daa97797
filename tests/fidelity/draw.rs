//! What is drawn from a seed before anything runs: a cluster, and what is asked of it and done to it.

use crate::dice::Dice;
use binlogsh::node::{Kind, NodeRef, State};
use binlogsh::sim::{DrainerSpec, Fault, GcRule, KeySpec, ProcessSpec, PumpSpec, Scenario, Signal, Span, TidbSpec};
use binlogsh::world::{Action, FaultKind, TidbBinlog};
use serde_json::json;
use std::time::Duration;

/// How many addresses a drawn cluster has.
pub(super) const ADDRESSES: usize = 5;
const PUMPS: usize = 3;
/// The ids of all nodes that can be drawn. Some have to be encoded in a path.
pub(super) const NAMES: [&str; 6] = ["pump-0", "host-1:8250", "pump 2, 50% é?#", "pump-old", "drainer-0", "drainer&1"];
/// How much is asked in a sequence.
const REQUESTS: usize = 12;

/// One step of a sequence. Plain data: records and revisions are those that were read when it comes to it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Time passes.
    Pass(Duration),
    Nodes,
    Tidbs,
    Cluster,
    Tso,
    Probe(Vec<NodeRef>),
    Status(Vec<NodeRef>),
    Metrics(Vec<NodeRef>),
    Inspect(Vec<NodeRef>),
    CommitTs(Vec<NodeRef>),
    PumpDrainers(NodeRef),
    /// At so long before now.
    BinlogAt(NodeRef, Duration),
    Act(NodeRef, Action),
    TriggerGc(NodeRef),
    /// Into the record `pick` of the listing that was read `age` listings ago.
    Swap {
        age: usize,
        pick: usize,
        state: State,
    },
    /// The key `pick` (records, then malformed ones) of that listing, at its revision or another one.
    Delete {
        age: usize,
        pick: usize,
        wrong: bool,
    },
    /// A key that is no node's.
    DeleteForeign,
    /// Something happens to the cluster.
    Play(Play),
}

/// What happens to the cluster from outside.
#[derive(Clone, Debug)]
pub(super) enum Play {
    Signal(Kind, String, Signal),
    /// Whoever is stopped goes on.
    ContinueAll,
    Start(Kind, String),
    Fault(Fault),
    Tidb(TidbBinlog),
    /// Somebody else writes a state into a record.
    Write(Kind, String, State),
    /// Somebody else writes a key.
    Put(String, String),
    /// Somebody else deletes a key.
    Remove(String),
}

/// A cluster and what is done with it.
pub(super) struct Sequence {
    pub(super) scenario: Scenario,
    pub(super) steps: Vec<Step>,
}

/// Draws the sequence of `seed` on nodes that listen at `addresses`.
pub(super) fn sequence(seed: u64, addresses: &[String]) -> Sequence {
    let mut dice = Dice::new(seed);
    let scenario = scenario(&mut dice, addresses);
    let mut draw = Draw { nodes: nodes(&scenario), addresses, dice: &mut dice, last: None, tells: false };
    let mut steps = vec![Step::Nodes];
    for _ in 0..REQUESTS {
        if draw.dice.chance(45) {
            let step = Step::Pass(draw.time());
            steps.push(step);
        }
        if draw.dice.chance(40) {
            let step = Step::Play(draw.play());
            steps.push(step);
        }
        steps.push(draw.request());
    }
    // The end is looked at whole, with nobody silent: that would only take time.
    steps.push(Step::Play(Play::ContinueAll));
    let all = &draw.nodes;
    steps.extend([Step::Nodes, Step::Probe(all.clone()), Step::Status(all.clone()), Step::Inspect(all.clone())]);
    Sequence { scenario, steps }
}

fn nodes(scenario: &Scenario) -> Vec<NodeRef> {
    let node = |kind, id: &str, address: &str| NodeRef { kind, id: id.into(), address: address.into() };
    let pumps = scenario.pumps.iter().map(|pump| node(Kind::Pump, &pump.id, &pump.address));
    let drainers = scenario.drainers.iter().map(|drainer| node(Kind::Drainer, &drainer.id, &drainer.address));
    pumps.chain(drainers).collect()
}

fn scenario(dice: &mut Dice, addresses: &[String]) -> Scenario {
    let mut scenario = Scenario::parse(r#"{"version": 1}"#).unwrap();
    for (at, address) in addresses.iter().enumerate() {
        match at < PUMPS {
            true => scenario.pumps.push(pump(dice, NAMES[at], address)),
            false => scenario.drainers.push(drainer(dice, NAMES[at + 1], address)),
        }
    }
    if dice.chance(20) {
        let (record, process) = (Some(State::Online), ProcessSpec::Dead);
        let old = PumpSpec { record, process, ..PumpSpec::new(NAMES[PUMPS], dice.one(addresses)) };
        scenario.pumps.push(old);
    }
    for at in 0..dice.below(3) {
        let text = json!({
            "address": format!("10.0.1.3{at}:4000"),
            "ignore_error": dice.chance(50),
            "writes_per_second": dice.one(&[0, 1, 20, 700]),
            "binlog": dice.weighted(&[(8, "On"), (1, "Off"), (1, "Skipping"), (1, "Unknown")]),
        });
        scenario.tidb.push(serde_json::from_value::<TidbSpec>(text).unwrap());
    }
    for (key, value) in [
        ("/tidb-binlog/v1/pumps/broken", "{not json"),
        ("/tidb-binlog/v1/drainers/old/drainer-9", "{}"),
        ("/tidb-binlog/v1/pumps/nobody", r#"{"nodeId":"nobody","host":"10.9.9.9:8250","state":"paused"}"#),
    ] {
        if dice.chance(12) {
            scenario.keys.push(KeySpec { key: key.into(), value: value.into() });
        }
    }
    scenario.gc = dice.one(&[GcRule::Age, GcRule::Consumed]);
    scenario
}

/// What its record says, and what its process does.
fn standing(dice: &mut Dice, kind: Kind) -> (Option<State>, ProcessSpec) {
    let online = Some(State::Online);
    let closing = if kind == Kind::Pump { ProcessSpec::Closing } else { ProcessSpec::Running };
    dice.weighted(&[
        (24, (online, ProcessSpec::Running)),
        (3, (online, ProcessSpec::Dead)),
        (3, (Some(State::Paused), ProcessSpec::Dead)),
        (2, (Some(State::Offline), ProcessSpec::Dead)),
        (1, (None, ProcessSpec::Dead)),
        (3, (online, closing)),
        (1, (online, ProcessSpec::Hung)),
    ])
}

fn span(dice: &mut Dice) -> Span {
    let seconds = dice.weighted(&[(4, 0), (2, 9), (2, 400), (1, 90_000), (1, 900_000)]);
    Span(Duration::from_millis(dice.from(0, seconds * 1000)))
}

fn pump(dice: &mut Dice, id: &str, address: &str) -> PumpSpec {
    let (record, process) = standing(dice, Kind::Pump);
    let mut pump = PumpSpec { record, process, ..PumpSpec::new(id, address) };
    pump.lag = span(dice);
    pump.supervisor = dice.chance(30);
    pump.drift_ppm = dice.one(&[0, 0, 300, -40]);
    if dice.chance(15) {
        pump.unmatched = span(dice);
    }
    if process == ProcessSpec::Dead && dice.chance(30) {
        pump.extra = json!({"zone": "a", "later": {"x": [1]}}).as_object().cloned().unwrap();
    }
    pump
}

fn drainer(dice: &mut Dice, id: &str, address: &str) -> DrainerSpec {
    let (record, process) = standing(dice, Kind::Drainer);
    let mut drainer = DrainerSpec { record, process, ..DrainerSpec::new(id, address) };
    drainer.lag = span(dice);
    drainer.supervisor = dice.chance(30);
    drainer.speed = dice.one(&[None, None, Some(0.5), Some(2.5)]);
    drainer
}

struct Draw<'a> {
    dice: &'a mut Dice,
    nodes: Vec<NodeRef>,
    addresses: &'a [String],
    /// To whom something happened last.
    last: Option<NodeRef>,
    /// What happened to it shows only when it is told something.
    tells: bool,
}

impl Draw<'_> {
    fn time(&mut self) -> Duration {
        let most = self.dice.weighted(&[(5, 900), (8, 7_000), (3, 40_000), (1, 4_000_000)]);
        Duration::from_millis(self.dice.from(1, most))
    }

    /// A node as its record names it, or as one that has gone stale: the address has another one's process by now, or
    /// none.
    fn of(&mut self, kind: Option<Kind>) -> NodeRef {
        let fits = |node: &NodeRef| kind.is_none_or(|kind| node.kind == kind);
        let fit: Vec<NodeRef> = self.nodes.iter().filter(|node| fits(node)).cloned().collect();
        let any = self.dice.one(&fit);
        // Whoever has just been hit is asked more often than others.
        let again = self.dice.chance(50);
        let node = self.last.clone().filter(|node| again && fits(node)).unwrap_or(any);
        match self.dice.below(20) {
            0 => NodeRef { id: format!("{}-9", node.kind).into(), ..node },
            1 | 2 => NodeRef { address: self.dice.one(self.addresses).into(), ..node },
            3 => NodeRef { address: "127.0.0.1:1".into(), ..node },
            _ => node,
        }
    }

    fn some(&mut self) -> Vec<NodeRef> {
        (0..self.dice.below(5)).map(|_| self.of(None)).collect()
    }

    fn drainers(&mut self) -> Vec<NodeRef> {
        (0..self.dice.below(3)).map(|_| self.of(Some(Kind::Drainer))).collect()
    }

    fn request(&mut self) -> Step {
        let (age, pick) = (self.dice.weighted(&[(3, 0), (1, 1), (1, 2)]), self.dice.below(64));
        if std::mem::take(&mut self.tells)
            && let Some(node) = self.last.clone()
        {
            return Step::Act(node, self.dice.one(&[Action::Pause, Action::Close]));
        }
        match self.dice.below(100) {
            0..=17 => Step::Nodes,
            18..=29 => Step::Probe(self.some()),
            30..=36 => Step::Status(self.some()),
            37..=39 => Step::Metrics(self.some()),
            40..=41 => Step::Inspect(self.some()),
            42..=45 => Step::CommitTs(self.drainers()),
            46..=48 => Step::PumpDrainers(self.of(Some(Kind::Pump))),
            49..=52 => Step::BinlogAt(self.of(Some(Kind::Pump)), span(self.dice).0),
            53..=55 => Step::Tidbs,
            56..=57 => Step::Cluster,
            58..=59 => Step::Tso,
            60..=76 => Step::Act(self.of(None), self.dice.one(&[Action::Pause, Action::Close])),
            77..=81 => Step::TriggerGc(self.of(Some(Kind::Pump))),
            82..=91 => Step::Swap { age, pick, state: self.dice.one(State::ALL) },
            92..=97 => Step::Delete { age, pick, wrong: self.dice.chance(25) },
            _ => Step::DeleteForeign,
        }
    }

    fn play(&mut self) -> Play {
        let node = self.dice.one(&self.nodes);
        self.last = Some(node.clone());
        let (kind, id) = (node.kind, String::from(node.id));
        match self.dice.below(100) {
            0..=13 => Play::Signal(kind, id, Signal::Kill),
            14..=17 => Play::Signal(kind, id, Signal::Term),
            18..=22 => Play::Signal(kind, id, Signal::Stop),
            23..=30 => Play::ContinueAll,
            31..=52 => Play::Start(kind, id),
            53..=84 => Play::Fault(self.fault(kind, id)),
            85..=87 => Play::Tidb(self.dice.one(&[TidbBinlog::On, TidbBinlog::Off])),
            88..=93 => Play::Write(kind, id, self.dice.one(State::ALL)),
            94..=96 => Play::Put(format!("{}{id}", kind.prefix()), "[]".into()),
            _ => Play::Remove(format!("{}{id}", kind.prefix())),
        }
    }

    fn fault(&mut self, node_kind: Kind, id: String) -> Fault {
        use FaultKind::{Crash, LoseAnswer, MalformedKey, PdGone, Refuse, Stall, UnmatchedPrewrite};
        let kind = self.dice.weighted(&[
            (12, LoseAnswer),
            (8, Refuse),
            (4, MalformedKey),
            (4, PdGone),
            (2, Crash),
            (1, Stall),
            (1, UnmatchedPrewrite),
        ]);
        // These happen to one kind only.
        let kind = match (kind, node_kind) {
            (Stall, Kind::Pump) => UnmatchedPrewrite,
            (UnmatchedPrewrite, Kind::Drainer) => Stall,
            _ => kind,
        };
        self.tells = matches!(kind, LoseAnswer | Refuse);
        let alone = matches!(kind, PdGone | MalformedKey);
        let longest = if kind == PdGone { 12_000 } else { 120_000 };
        let lasts = Span(Duration::from_millis(self.dice.from(500, longest)));
        let after = Span(Duration::from_millis(self.dice.weighted(&[(4, 0), (1, 1500)])));
        Fault { kind, node: (!alone).then(|| id.into()), node_kind: Some(node_kind), after, lasts: Some(lasts) }
    }
}
