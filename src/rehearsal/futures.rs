//! Thousands of futures of one rehearsal, on several threads, with one answer whatever their number.

use crate::error::{ErrorKind, Result, ScriptError};
use crate::interrupt::Interrupt;
use crate::language::{self, Source, masked};
use crate::rehearsal::draw::Drawer;
use crate::rehearsal::harm::{Harm, Intended, judge};
use crate::rehearsal::pairs::Singles;
use crate::rehearsal::play::Played;
use crate::rehearsal::stage::Stage;
use crate::rehearsal::tally::{Counts, HarmfulFuture, Shortest, Subject, Tally};
use crate::rehearsal::threads::{AllThreads, on_threads, spread};
use crate::rehearsal::trace::Bounds;
use crate::rehearsal::truth::Truth;
use crate::sim::{Cluster, Fault, HOUR, Scenario};
use crate::world::{FaultKind, Notice, Notices, Progress};
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many futures a thread takes at a time at most, and how many times it comes for more at least.
const CHUNK: (u64, u64) = (32, 8);
/// After how many requests at most it is told how many futures are played.
const TOLD_AFTER: u64 = 20_000;
/// How far a future may go beyond the rehearsal without faults.
const BEYOND: i64 = 24 * HOUR;
/// How many requests a future may make at least, and how many times as many as the rehearsal without faults.
const CALLS: (u64, u64) = (200_000, 50);
/// How many requests may be made to take faults away from one future, in the same way.
const SHRINKING: (u64, u64) = (100_000, 50);

/// What is rehearsed.
#[derive(Clone)]
pub struct Subjects {
    /// The script.
    pub source: Source,
    /// Its parameters, and where its modules are.
    pub settings: language::ScriptSettings,
    /// The cluster.
    pub scenario: Scenario,
    /// The wish that we stop.
    pub interrupt: Interrupt,
}

/// Which futures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// So many, drawn from a seed.
    Drawn {
        /// The seed.
        seed: u64,
        /// How many.
        count: u64,
    },
    /// Every fault at every event, one at a time.
    Every,
    /// Every two of these, as far as each of them comes to something of its own.
    EveryPair,
}

/// How they are rehearsed.
#[derive(Clone)]
pub struct Order {
    /// Which futures.
    pub which: Which,
    /// The kinds of faults.
    pub kinds: Vec<FaultKind>,
    /// The part of them that is done here, from 1, and the number of parts.
    pub shard: (u64, u64),
    /// How many threads.
    pub jobs: usize,
    /// Where people see how it goes.
    pub notices: Notices,
}

/// The rehearsal without faults, and what the script is meant to come to.
pub struct Base {
    /// How it went.
    pub played: Played,
    /// What truly became of the nodes.
    pub(crate) truth: Truth,
    /// The harm it does already.
    pub harms: Vec<Harm>,
    /// What it comes to.
    pub intended: Intended,
    calls: u64,
}

impl Base {
    /// Plays the script on `stage` without faults.
    ///
    /// # Errors
    /// Those of [`Stage::play`].
    pub fn play(stage: &mut Stage, bounds: Bounds) -> Result<Self> {
        let played = stage.play(&[], bounds)?;
        let truth = Truth::of(stage.start(), &played);
        let harms = judge(stage.start(), &played, &truth, None);
        let intended = Intended::of(&played, &truth);
        let calls = played.calls;
        Ok(Self { played, truth, harms, intended, calls })
    }

    /// The harm that it does as one of the futures.
    fn harms_as_future(&self, start: &Cluster) -> Vec<Harm> {
        judge(start, &self.played, &self.truth, Some(&self.intended))
    }

    /// How far a future may go. What does not end without faults is no measure of how long it may take: a day is enough to see
    /// what else it does.
    pub fn bounds(&self) -> Bounds {
        let usual = if self.played.is_over { 0 } else { self.played.ended_at() };
        Bounds { time: usual.saturating_mul(4).saturating_add(BEYOND), calls: self.at_least(CALLS) }
    }

    /// `least`, or so many `times` what the script asks for without faults.
    fn at_least(&self, (least, times): (u64, u64)) -> u64 {
        if self.played.is_over { least } else { least.max(self.calls.saturating_mul(times)) }
    }
}

impl Subjects {
    /// A stage for them, on this thread.
    ///
    /// # Errors
    /// Those of [`Stage::new`].
    pub fn stage(&self) -> Result<Stage, ScriptError> {
        Stage::new(&self.source, self.settings.clone(), &self.scenario, self.interrupt.clone())
    }

    /// What an answer about `futures` of these is about.
    fn subject(&self, order: &Order, futures: &Futures) -> Subject {
        let mut hasher = SipHasher13::new();
        masked(&self.source.text).hash(&mut hasher);
        for (name, value) in &self.settings.parameters {
            (name, value).hash(&mut hasher);
        }
        serde_json::to_string(&self.scenario).unwrap_or_default().hash(&mut hasher);
        Subject {
            script: self.source.name.clone(),
            hash: format!("{:016x}", hasher.finish()),
            futures: futures.about(),
            kinds: order.kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        }
    }
}

/// The futures of an order: how many, and the faults of each.
enum Futures {
    Drawn { drawer: Drawer, seed: u64, count: u64 },
    Listed(Vec<Fault>),
    Paired(Singles),
}

impl Futures {
    fn of(subjects: &Subjects, base: &Base, order: &Order) -> Result<Self, ScriptError> {
        let cluster = Cluster::new(&subjects.scenario)?;
        let drawer = Drawer::new(&cluster, &base.played, order.kinds.clone());
        Ok(match order.which {
            Which::Drawn { seed, count } => Self::Drawn { drawer, seed, count },
            Which::Every => Self::Listed(drawer.every()),
            Which::EveryPair => Self::Paired(Singles::of(subjects, base, order, drawer.every_length())?),
        })
    }

    fn about(&self) -> String {
        match self {
            Self::Drawn { seed, count, .. } => format!("{count} from seed {seed}"),
            Self::Listed(_) => "every fault at every event".into(),
            Self::Paired(singles) => singles.about(),
        }
    }

    fn count(&self) -> u64 {
        match self {
            Self::Drawn { count, .. } => *count,
            Self::Listed(faults) => faults.len() as u64,
            Self::Paired(singles) => singles.pairs(),
        }
    }

    /// How many a part has: it takes every `of`th, so that all parts take about the same time.
    fn of_part(&self, (part, of): (u64, u64)) -> u64 {
        self.count().saturating_sub(part - 1).div_ceil(of)
    }

    fn faults(&self, index: u64) -> Vec<Fault> {
        match self {
            Self::Drawn { drawer, seed, .. } => drawer.future(*seed, index),
            Self::Listed(faults) => {
                usize::try_from(index).ok().and_then(|index| faults.get(index)).cloned().into_iter().collect()
            }
            Self::Paired(singles) => singles.pair(index),
        }
    }
}

/// Rehearses the futures of `order`, which `base` is the rehearsal without faults of. Stopped by a signal, it returns what was found
/// until then: [`Tally::unplayed`] says how many futures are missing.
///
/// # Errors
/// Those of [`Stage::new`] on a thread; `interrupted` before it is known which pairs there are.
pub fn rehearse(subjects: &Subjects, base: &Base, order: &Order) -> Result<Tally, ScriptError> {
    let futures = Futures::of(subjects, base, order)?;
    let mine = futures.of_part(order.shard);
    let counts = count(subjects, base, order, &futures)?;
    let candidates = shrunk(subjects, base, order, &counts.candidates())?;
    Ok(counts.tally(mine, candidates))
}

/// Plays all futures of the part, on `jobs` threads.
fn count(subjects: &Subjects, base: &Base, order: &Order, futures: &Futures) -> Result<Counts, ScriptError> {
    let part = PartPlayed { subjects, base, order, futures, next: AtomicU64::new(0), done: AtomicU64::new(0) };
    let counted = on_threads(order.jobs, |all| part.play(all));
    (order.notices)(Notice::ProgressEnd);
    let mut sum = part.nothing();
    counted?.into_iter().for_each(|counts| sum.merge(counts));
    Ok(sum)
}

/// The futures that are played here, and how far all threads have come with them.
struct PartPlayed<'a> {
    subjects: &'a Subjects,
    base: &'a Base,
    order: &'a Order,
    futures: &'a Futures,
    next: AtomicU64,
    done: AtomicU64,
}

impl PartPlayed<'_> {
    fn nothing(&self) -> Counts {
        Counts::new(self.subjects.subject(self.order, self.futures), self.order.shard)
    }

    /// Plays futures until none is left, or somebody wants us to stop.
    fn play(&self, all: &AllThreads) -> Result<Counts, ScriptError> {
        let mut stage = self.subjects.stage()?;
        let mut counts = self.nothing();
        let (Base { played, truth, intended, .. }, bounds) = (self.base, self.base.bounds());
        let without_faults = self.base.harms_as_future(stage.start());
        let ((part, of), mine) = (self.order.shard, self.futures.of_part(self.order.shard));
        let chunk = (mine / (self.order.jobs.max(1) as u64 * CHUNK.1)).clamp(1, CHUNK.0);
        loop {
            let from = self.next.fetch_add(chunk, Ordering::Relaxed);
            if from >= mine {
                return Ok(counts);
            }
            let mut untold = TOLD_AFTER;
            for place in from..mine.min(from + chunk) {
                if untold >= TOLD_AFTER {
                    self.tell(mine);
                    untold = 0;
                }
                if all.is_over() || self.subjects.interrupt.check().is_err() {
                    return Ok(counts);
                }
                let index = place * of + part - 1;
                let faults = self.futures.faults(index);
                if faults.is_empty() && !played.is_over {
                    // It is the rehearsal itself.
                    counts.add(index, &faults, played, truth.halted(played.ended_at()), &without_faults);
                } else {
                    let judged = unless_stopped(judged(&mut stage, intended, &faults, bounds))?;
                    let Some((played, truth, harms)) = judged else { return Ok(counts) };
                    counts.add(index, &faults, &played, truth.halted(played.ended_at()), &harms);
                    untold += played.calls;
                }
                self.done.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn tell(&self, all: u64) {
        let share = (self.done.load(Ordering::Relaxed), all);
        (self.order.notices)(Notice::Progress(Progress::of("playing").done(share, "futures")));
    }
}

/// `None` when somebody wants us to stop: what was found until then is an answer as well.
fn unless_stopped<T>(outcome: Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == ErrorKind::Interrupted => Ok(None),
        Err(error) => Err(error),
    }
}

/// Plays one future, and judges it.
///
/// # Errors
/// Those of [`Stage::play`].
pub fn judged(
    stage: &mut Stage,
    intended: &Intended,
    faults: &[Fault],
    bounds: Bounds,
) -> Result<(Played, Truth, Vec<Harm>)> {
    let played = stage.play(faults, bounds)?;
    let truth = Truth::of(stage.start(), &played);
    let harms = judge(stage.start(), &played, &truth, Some(intended));
    Ok((played, truth, harms))
}

/// The candidates for the shortest story of each harm, with the faults taken away that are not needed. Each is shrunk for itself, so
/// that it becomes the same whatever else was found, and by whom.
fn shrunk(
    subjects: &Subjects,
    base: &Base,
    order: &Order,
    candidates: &[HarmfulFuture],
) -> Result<Vec<HarmfulFuture>, ScriptError> {
    let begin = || {
        let stage = subjects.stage()?;
        let without_faults = base.harms_as_future(stage.start());
        Ok((stage, without_faults))
    };
    spread(order.jobs, candidates.len(), begin, |(stage, without_faults), at| {
        let mut candidate = candidates[at].clone();
        shrink(stage, base, without_faults, &mut candidate.story)?;
        Ok(candidate)
    })
}

/// Takes faults away one by one until every one that is left is needed, or nobody wants to wait for it.
fn shrink(stage: &mut Stage, base: &Base, without_faults: &[Harm], story: &mut Shortest) -> Result<()> {
    let (kind, blame) = (story.kind, story.blame);
    let is_it = |harm: &Harm| harm.kind == kind && harm.blame == blame;
    if let Some(harm) = without_faults.iter().find(|harm| is_it(harm)) {
        (story.faults, story.text) = (Vec::new(), harm.text.clone());
        return Ok(());
    }
    let (mut place, mut calls) = (0, 0);
    while story.faults.len() > 1 && place < story.faults.len() && calls < base.at_least(SHRINKING) {
        let mut fewer = story.faults.clone();
        fewer.remove(place);
        let judged = unless_stopped(judged(stage, &base.intended, &fewer, base.bounds()))?;
        let Some((played, _, harms)) = judged else { break };
        calls += played.calls;
        match harms.into_iter().find(is_it) {
            Some(still) => (story.faults, story.text, place) = (fewer, still.text, 0),
            None => place += 1,
        }
    }
    Ok(())
}
