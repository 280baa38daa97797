//! Fidelity of the transport: whatever is asked, in whatever order, the simulator answers what `live` makes of sockets
//! behind which the same model stands.
//!
//! Sequences are drawn from a seed. Both sides are at the same virtual time at every step: the doubles' time stands
//! still while they are asked. What must differ stands in `normal.rs`, each with its reason. That the model is true,
//! only the recordings show (`recorded.rs`).
//!
//! `BINLOGSH_TEST_SEED=N` replays the one sequence of a failure; `BINLOGSH_SOAK=N` draws N times as many.

mod draw;
mod normal;
mod pair;

use binlogsh::error::ErrorKind;
use binlogsh::node::{Kind, State};
use binlogsh::world::{Answer, ProbeFinding};
use draw::{Play, Sequence, Step};
use pair::{Doubles, Pair, Tamper};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::panic::resume_unwind;

/// The first seed; sequence `n` of all is drawn from this plus `n`.
const SEED: u64 = 20_261_123;
/// How many sequences one test draws.
const SEQUENCES: u64 = 20;
/// How many of them are played at the same time: they wait for sockets that say nothing, most of the time.
const AT_ONCE: usize = 8;

/// What must come up in every share, or agreement means little.
const MET: [&str; 14] = [
    "acted",
    "closing",
    "conflict",
    "done",
    "found out",
    "in_doubt",
    "invalid",
    "malformed",
    "other",
    "probes",
    "read",
    "rejected",
    "swapped",
    "unreachable",
];

/// Each a test of its own with its share of the seeds, so that they run at the same time.
macro_rules! shares {
    ($($name:ident: $share:literal),+ $(,)?) => {
        mod the_simulator_answers_as_sockets_do {
            $(#[test] fn $name() { super::agree($share); })+
        }
    };
}

shares! { first: 0, second: 1, third: 2, fourth: 3 }

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Runs one share of the sequences, or the one that the environment names.
fn agree(share: u64) {
    let seeds: Vec<u64> = match number("BINLOGSH_TEST_SEED") {
        Some(seed) => [seed].into_iter().filter(|_| share == 0).collect(),
        None => (0..SEQUENCES * times()).map(|at| SEED + share * 1_000_000 + at).collect(),
    };
    if seeds.is_empty() {
        return;
    }
    let alone = seeds.len() == 1;
    let met: BTreeSet<&str> = std::thread::scope(|scope| {
        let parts = (0..AT_ONCE.min(seeds.len())).map(|part| seeds.iter().copied().skip(part).step_by(AT_ONCE));
        let playing: Vec<_> = parts.map(|part| scope.spawn(|| play(part))).collect();
        let played = playing.into_iter().map(|part| part.join().unwrap_or_else(|panic| resume_unwind(panic)));
        played.flatten().collect()
    });
    let missed: Vec<_> = MET.into_iter().filter(|sort| !met.contains(sort)).collect();
    assert!(alone || missed.is_empty(), "agreement means little: no sequence of share {share} met {missed:?}");
}

/// Runs these sequences, on doubles of their own, and says what sorts of answers came up.
fn play(seeds: impl Iterator<Item = u64>) -> BTreeSet<&'static str> {
    let mut doubles = Doubles::start();
    for seed in seeds {
        if let Err(difference) = run(seed, &mut doubles) {
            panic!("{difference}");
        }
    }
    doubles.met
}

/// How many times as many sequences as usual.
fn times() -> u64 {
    match number("BINLOGSH_SOAK") {
        None | Some(0) => 1,
        // Just "soak", without saying how long.
        Some(1) => 20,
        Some(times) => times,
    }
}

/// Runs the sequence of `seed`, until the two differ: says how, after what, and how to see it again.
fn run(seed: u64, doubles: &mut Doubles) -> Result<(), String> {
    let sequence = draw::sequence(seed, doubles.cluster.addresses());
    let mut pair = Pair::begin(&sequence, doubles);
    for (at, step) in sequence.steps.iter().enumerate() {
        if let Err(difference) = pair.step(step) {
            return Err(story(seed, &sequence, at, &difference));
        }
    }
    Ok(())
}

fn story(seed: u64, sequence: &Sequence, at: usize, difference: &str) -> String {
    let mut story = format!("the simulator and the doubles differ in step {at} of the sequence of seed {seed}\n");
    let scenario = serde_json::to_string(&sequence.scenario).unwrap();
    let _ = writeln!(story, "cluster: {scenario}");
    for (at, step) in sequence.steps[..=at].iter().enumerate() {
        let _ = writeln!(story, "{at:>3} {step:?}");
    }
    let again = "cargo test --test suite -- the_simulator_answers_as_sockets_do";
    let _ = write!(story, "{difference}\nto see it again: BINLOGSH_TEST_SEED={seed} {again}");
    story
}

/// What a sequence of the usual seeds says when the answers of `live` are tampered with.
fn tampered(tamper: Tamper) -> String {
    let mut doubles = Doubles::start();
    doubles.tamper = Some(tamper);
    let said = (0..SEQUENCES).find_map(|at| run(SEED + at, &mut doubles).err());
    said.unwrap_or_else(|| panic!("a difference was not noticed"))
}

#[test]
fn a_state_that_differs_in_a_listing_is_noticed() {
    let said = tampered(|answer| {
        if let Ok(Answer::Listing(listing)) = answer
            && let Some(record) = listing.records.last_mut()
        {
            record.state = State::Pausing.into();
        }
    });
    assert!(said.contains("differ in step 0 of the sequence of seed 20261123"), "{said}");
    assert!(said.contains("BINLOGSH_TEST_SEED=20261123") && said.contains("  0 Nodes"), "{said}");
    assert!(said.contains("state: Pausing"), "{said}");
}

#[test]
fn a_timestamp_that_is_a_little_off_is_noticed() {
    tampered(|answer| {
        if let Ok(Answer::Listing(listing)) = answer
            && let Some(record) = listing.records.first_mut()
        {
            record.max_commit_ts.0 += 1;
        }
    });
}

#[test]
fn a_probe_that_finds_something_else_is_noticed() {
    tampered(|answer| {
        if let Ok(Answer::Probes(probes)) = answer
            && let Some(probe) = probes.iter_mut().find(|probe| probe.finding == ProbeFinding::Refused)
        {
            probe.finding = ProbeFinding::Silent;
        }
    });
}

#[test]
fn other_words_of_a_node_that_says_no_are_noticed() {
    let said = tampered(|answer| {
        if let Err(error) = answer
            && error.kind == ErrorKind::Rejected
        {
            error.message = error.message.replace("state is", "state was");
        }
    });
    assert!(said.contains("state was"), "{said}");
}

#[test]
fn an_effect_that_no_answer_shows_is_noticed() {
    let mut doubles = Doubles::start();
    let sequence = draw::sequence(SEED, doubles.cluster.addresses());
    let mut pair = Pair::begin(&sequence, &mut doubles);
    pair.step(&Step::Nodes).unwrap();
    pair.only_in_the_doubles(&Play::Start(Kind::Pump, "pump-0".into()));
    let said = pair.step(&Step::Cluster).unwrap_err();
    assert!(said.starts_with("what happened differs") && said.contains("Started"), "{said}");
}
