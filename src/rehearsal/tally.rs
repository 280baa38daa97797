//! What many futures came to: counts, distributions, and the shortest story of each kind of harm.

use crate::error::{Error, ErrorKind, Result};
use crate::rehearsal::files::FileFormat;
use crate::rehearsal::harm::{Blame, Harm, HarmKind};
use crate::rehearsal::play::Played;
use crate::sim::{Fault, MILLISECOND, Micros};
use crate::world::FaultKind;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The version of the format in which an answer is kept.
const VERSION: u32 = 2;

/// How finely lengths of time are counted.
const GRAIN: Micros = 100 * MILLISECOND;

/// A kind of fault stands out where it is so many times as frequent as elsewhere.
const STANDS_OUT: f64 = 1.5;

/// How many futures are kept for each kind of harm, as candidates for its shortest story.
const CANDIDATES: usize = 8;

/// What a rehearsal of many futures is about: answers to the same question can be added up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The script's name.
    pub script: String,
    /// A hash of the script, its parameters and the cluster.
    pub hash: String,
    /// How the futures were made: `seed N`, or `every fault`.
    pub futures: String,
    /// The kinds of faults.
    pub kinds: Vec<String>,
}

/// What many futures came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// The format's version, `VERSION`.
    pub version: u32,
    /// What it is about.
    pub subject: Subject,
    /// Which part of how many it is; all parts that were added up.
    pub shards: BTreeSet<(u64, u64)>,
    /// How many futures.
    pub futures: u64,
    /// How many more there are of these parts, which were not played because somebody wanted it to stop.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub unplayed: u64,
    /// How many ended how.
    pub outcomes: BTreeMap<String, u64>,
    /// Of those that ended so, how many had a fault of which kind in them.
    pub faults: BTreeMap<String, BTreeMap<FaultKind, u64>>,
    /// How many did harm that counts against the script.
    pub harmful: u64,
    /// How many did other harm only.
    pub unlucky: u64,
    /// In how many futures which harm was done, and who is to blame.
    pub harms: BTreeMap<HarmKind, BTreeMap<Blame, u64>>,
    /// The binlog that was given up knowingly, in microseconds of it.
    pub accepted: Distribution,
    /// How long they took.
    pub duration: Distribution,
    /// How long replication stood still.
    pub halted: Distribution,
    /// The shortest story of each harm.
    pub shortest: Vec<Shortest>,
    /// Those it was chosen from, so that parts which are added up choose as the whole does.
    pub candidates: Vec<HarmfulFuture>,
}

/// A future that did harm, among those that had the fewest faults to begin with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HarmfulFuture {
    /// How many faults it had.
    pub of: usize,
    /// What is left of it.
    pub story: Shortest,
}

impl HarmfulFuture {
    /// The harm, and the order in which futures that did it are kept.
    fn rank(&self) -> (HarmKind, Blame, usize, u64) {
        let Shortest { kind, blame, future, .. } = self.story;
        (kind, blame, self.of, future)
    }
}

/// The fewest faults that do a harm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortest {
    /// Which harm.
    pub kind: HarmKind,
    /// Who is to blame.
    pub blame: Blame,
    /// The future it was found in.
    pub future: u64,
    /// The faults, every one of which is needed: all of them where it took too long to find out.
    pub faults: Vec<Fault>,
    /// The harm in a sentence.
    pub text: String,
}

/// Lengths of time, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution(BTreeMap<Micros, u64>);

impl Distribution {
    /// Counts one more.
    pub fn add(&mut self, length: Micros) {
        *self.0.entry(length.div_euclid(GRAIN) * GRAIN).or_insert(0) += 1;
    }

    fn merge(&mut self, other: &Self) {
        for (length, count) in &other.0 {
            add(self.0.entry(*length).or_insert(0), *count);
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.values().fold(0, |all, count| all.saturating_add(*count))
    }

    /// The least length that at least so many of a thousand do not exceed: 0 the least, 500 the median, 1000 the
    /// greatest. `None` when nothing was counted.
    pub(crate) fn quantile(&self, permille: u64) -> Option<Micros> {
        let rank = (u128::from(self.count()) * u128::from(permille)).div_ceil(1_000).max(1);
        let mut seen = 0_u128;
        self.0
            .iter()
            .find(|(_, count)| {
                seen += u128::from(**count);
                seen >= rank
            })
            .map(|(length, _)| *length)
    }

    /// All lengths and how often each came.
    pub fn all(&self) -> impl Iterator<Item = (Micros, u64)> + '_ {
        self.0.iter().map(|(length, count)| (*length, *count))
    }
}

/// What is counted while futures run: by each thread, then added up.
#[derive(Clone)]
pub(super) struct Counts {
    /// What they came to so far, without the shortest stories.
    tally: Tally,
    candidates: BTreeMap<(HarmKind, Blame), Vec<HarmfulFuture>>,
}

impl Counts {
    /// Nothing so far, of this part of the futures.
    pub(super) fn new(subject: Subject, shard: (u64, u64)) -> Self {
        let tally = Tally {
            version: VERSION,
            subject,
            shards: BTreeSet::from([shard]),
            futures: 0,
            unplayed: 0,
            outcomes: BTreeMap::new(),
            faults: BTreeMap::new(),
            harmful: 0,
            unlucky: 0,
            harms: BTreeMap::new(),
            accepted: Distribution::default(),
            duration: Distribution::default(),
            halted: Distribution::default(),
            shortest: Vec::new(),
            candidates: Vec::new(),
        };
        Self { tally, candidates: BTreeMap::new() }
    }

    /// Counts one future.
    pub(super) fn add(&mut self, future: u64, faults: &[Fault], played: &Played, halted: Micros, harms: &[Harm]) {
        let tally = &mut self.tally;
        tally.futures += 1;
        let outcome = played.outcome();
        let with = tally.faults.entry(outcome.clone()).or_default();
        for kind in faults.iter().map(|fault| fault.kind).collect::<BTreeSet<_>>() {
            *with.entry(kind).or_insert(0) += 1;
        }
        *tally.outcomes.entry(outcome).or_insert(0) += 1;
        tally.duration.add(played.ended_at());
        tally.halted.add(halted);
        let mut kinds: BTreeMap<(HarmKind, Blame), &str> = BTreeMap::new();
        for harm in harms {
            kinds.entry((harm.kind, harm.blame)).or_insert(&harm.text);
        }
        match kinds.keys().any(|(_, blame)| *blame == Blame::Script) {
            true => tally.harmful += 1,
            false => tally.unlucky += u64::from(!kinds.is_empty()),
        }
        let given_up = harms.iter().filter(|harm| harm.blame == Blame::Accepted).filter_map(|harm| harm.size);
        if let Some(size) = given_up.max() {
            tally.accepted.add(size);
        }
        for ((kind, blame), text) in kinds {
            *tally.harms.entry(kind).or_default().entry(blame).or_insert(0) += 1;
            let kept = self.candidates.entry((kind, blame)).or_default();
            let rank = (kind, blame, faults.len(), future);
            if kept.len() < CANDIDATES || kept.last().is_some_and(|last| rank < last.rank()) {
                let story = Shortest { kind, blame, future, faults: faults.to_vec(), text: text.to_owned() };
                kept.push(HarmfulFuture { of: faults.len(), story });
                keep_first(kept);
            }
        }
    }

    /// Adds what another thread has counted.
    pub(super) fn merge(&mut self, other: Self) {
        self.tally.add(other.tally);
        for (what, mut candidates) in other.candidates {
            let kept = self.candidates.entry(what).or_default();
            kept.append(&mut candidates);
            keep_first(kept);
        }
    }

    /// The futures among which the shortest stories are to be found.
    pub(super) fn candidates(&self) -> Vec<HarmfulFuture> {
        self.candidates.values().flatten().cloned().collect()
    }

    /// The answer for a part of `all` futures, with these candidates for the shortest stories.
    pub(super) fn tally(self, all: u64, candidates: Vec<HarmfulFuture>) -> Tally {
        let unplayed = all - self.tally.futures;
        let mut tally = Tally { unplayed, candidates, ..self.tally };
        tally.choose_shortest();
        tally
    }
}

/// Keeps those of one harm that are looked at more closely.
fn keep_first(candidates: &mut Vec<HarmfulFuture>) {
    candidates.sort_by_key(HarmfulFuture::rank);
    candidates.truncate(CANDIDATES);
}

fn is_nothing(count: &u64) -> bool {
    *count == 0
}

/// An answer that is added up comes from a file, which may say anything.
fn add(count: &mut u64, more: u64) {
    *count = count.saturating_add(more);
}

fn merge_counts<K: Ord + Clone>(counts: &mut BTreeMap<K, u64>, more: &BTreeMap<K, u64>) {
    for (key, count) in more {
        add(counts.entry(key.clone()).or_insert(0), *count);
    }
}

fn merge_tables<R: Ord + Clone, C: Ord + Clone>(
    table: &mut BTreeMap<R, BTreeMap<C, u64>>,
    more: &BTreeMap<R, BTreeMap<C, u64>>,
) {
    for (row, counts) in more {
        merge_counts(table.entry(row.clone()).or_default(), counts);
    }
}

impl Tally {
    /// Reads an answer that was written as JSON.
    ///
    /// # Errors
    /// `invalid`: not JSON, truncated, of another version, a field that does not exist (with the nearest name).
    pub fn parse(text: &str) -> Result<Self> {
        let again = "make it again with `binlogsh rehearse SCRIPT --futures N --shard I/N --output json`";
        FileFormat { what: "answer of a rehearsal", version: VERSION, again }.parse(text)
    }

    /// The parts that are not among those that were added up, in order.
    pub fn missing(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        let of = self.shards.first().map_or(0, |(_, of)| *of);
        (1..=of).map(move |part| (part, of)).filter(|shard| !self.shards.contains(shard))
    }

    /// The answers added up: of all parts, what one process finds that plays all futures.
    ///
    /// # Errors
    /// `conflict` when one is about something else, or a part is there twice; `invalid` when there is none.
    pub fn merge(answers: Vec<Self>) -> Result<Self> {
        let mut answers = answers.into_iter();
        let mut sum = answers.next().ok_or_else(|| Error::invalid("there is no answer to add up"))?;
        for answer in answers {
            if answer.subject != sum.subject {
                return Err(Error::new(ErrorKind::Conflict, "the answers are not about the same rehearsal")
                    .hint("add up what the same script, parameters, cluster, seed and faults gave"));
            }
            if let Some(shard) = answer.shards.iter().find(|shard| sum.overlaps(**shard)) {
                return Err(sum.twice(*shard));
            }
            sum.add(answer);
        }
        if sum.missing().next().is_none() {
            // What is whole is the same, however it was divided.
            sum.shards = BTreeSet::from([(1, 1)]);
        }
        Ok(sum)
    }

    /// Whether futures of this part are counted already.
    fn overlaps(&self, (part, of): (u64, u64)) -> bool {
        self.shards.iter().any(|(known, parts)| *parts != of || *known == part)
    }

    /// What is wrong with adding a part that overlaps.
    fn twice(&self, (part, of): (u64, u64)) -> Error {
        let what = match self.shards.first() {
            Some((_, parts)) if *parts != of => format!("the part {part}/{of} has futures of parts of {parts} in it"),
            _ => format!("the part {part}/{of} is there twice"),
        };
        Error::new(ErrorKind::Conflict, what).hint("give each part once, all of the same number of parts")
    }

    fn add(&mut self, other: Self) {
        self.shards.extend(other.shards);
        add(&mut self.futures, other.futures);
        add(&mut self.unplayed, other.unplayed);
        add(&mut self.harmful, other.harmful);
        add(&mut self.unlucky, other.unlucky);
        merge_counts(&mut self.outcomes, &other.outcomes);
        merge_tables(&mut self.faults, &other.faults);
        merge_tables(&mut self.harms, &other.harms);
        self.accepted.merge(&other.accepted);
        self.duration.merge(&other.duration);
        self.halted.merge(&other.halted);
        self.candidates.extend(other.candidates);
        self.choose_shortest();
    }

    /// Of the candidates for each harm that would have been kept if all had been found here, the one with the fewest faults.
    fn choose_shortest(&mut self) {
        let mut by_harm: BTreeMap<(HarmKind, Blame), Vec<HarmfulFuture>> = BTreeMap::new();
        for candidate in std::mem::take(&mut self.candidates) {
            by_harm.entry((candidate.story.kind, candidate.story.blame)).or_default().push(candidate);
        }
        self.shortest.clear();
        for mut candidates in by_harm.into_values() {
            keep_first(&mut candidates);
            let shortest = candidates.iter().map(|candidate| &candidate.story).min_by_key(|story| story.faults.len());
            self.shortest.extend(shortest.cloned());
            self.candidates.append(&mut candidates);
        }
    }

    /// The kinds of faults that stand out among the futures that ended with `outcome`: those that are in them more than
    /// [`STANDS_OUT`] times as often as in all, the most out of the ordinary first, three at most; and in how many they are.
    pub(crate) fn standing_out(&self, outcome: &str) -> Vec<(FaultKind, u64)> {
        let Some((with, futures)) = self.faults.get(outcome).zip(self.outcomes.get(outcome)) else { return Vec::new() };
        let in_all = |kind| {
            self.faults
                .values()
                .filter_map(|with| with.get(&kind))
                .fold(0, |all: u64, count| all.saturating_add(*count))
        };
        let ratio = |(kind, count): (FaultKind, u64)| {
            let (here, everywhere) = (count as f64 / *futures as f64, in_all(kind) as f64 / self.futures as f64);
            here / everywhere
        };
        let mut kinds: Vec<(FaultKind, u64)> = with.iter().map(|(kind, count)| (*kind, *count)).collect();
        kinds.retain(|kind| ratio(*kind) > STANDS_OUT);
        kinds.sort_by(|a, b| ratio(*b).total_cmp(&ratio(*a)));
        kinds.truncate(3);
        kinds
    }

    /// Whether some future did harm that counts against the script.
    pub fn did_harm(&self) -> bool {
        self.harmful > 0
    }
}
