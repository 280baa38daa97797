//! Thousands of futures of one rehearsal, on several threads, with one answer whatever their number.

use crate::error::{Error, Result, ScriptError};
use crate::interrupt::Interrupt;
use crate::language::{self, Source, masked};
use crate::rehearsal::draw::Drawer;
use crate::rehearsal::harm::{Blame, Harm, HarmKind, Intended, judge};
use crate::rehearsal::play::Played;
use crate::rehearsal::stage::Stage;
use crate::rehearsal::tally::{Counts, HarmfulFuture, Shortest, Subject, Tally};
use crate::rehearsal::trace::Bounds;
use crate::rehearsal::truth::Truth;
use crate::sim::{Fault, HOUR, Scenario};
use crate::world::{FaultKind, Notice, Notices, Progress};
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

/// How many futures a thread takes at a time.
const CHUNK: u64 = 32;
/// The stack of a thread that plays scripts: enough for their deepest calls.
const STACK: usize = 128 << 20;
/// How far a future may go beyond the rehearsal without faults.
const BEYOND: i64 = 24 * HOUR;
/// How many requests a future may make at least, and how many times as many as the rehearsal without faults.
const CALLS: (u64, u64) = (200_000, 50);

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

    /// How far a future may go.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            time: self.played.ended_at().saturating_mul(4).saturating_add(BEYOND),
            calls: CALLS.0.max(self.calls.saturating_mul(CALLS.1)),
        }
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

    /// What an answer is about.
    pub fn subject(&self, order: &Order) -> Subject {
        let mut hasher = SipHasher13::new();
        masked(&self.source.text).hash(&mut hasher);
        for (name, value) in &self.settings.parameters {
            (name, value).hash(&mut hasher);
        }
        serde_json::to_string(&self.scenario).unwrap_or_default().hash(&mut hasher);
        Subject {
            script: self.source.name.clone(),
            hash: format!("{:016x}", hasher.finish()),
            futures: match order.which {
                Which::Drawn { seed, count } => format!("{count} from seed {seed}"),
                Which::Every => "every fault at every event".into(),
            },
            kinds: order.kinds.iter().map(|kind| kind.name().to_owned()).collect(),
        }
    }
}

/// The futures of an order: how many, and the faults of each.
enum Futures {
    Drawn { drawer: Drawer, seed: u64, count: u64 },
    Listed(Vec<Fault>),
}

impl Futures {
    fn of(order: &Order, drawer: Drawer) -> Self {
        match order.which {
            Which::Drawn { seed, count } => Self::Drawn { drawer, seed, count },
            Which::Every => Self::Listed(drawer.every()),
        }
    }

    fn count(&self) -> u64 {
        match self {
            Self::Drawn { count, .. } => *count,
            Self::Listed(faults) => faults.len() as u64,
        }
    }

    fn faults(&self, index: u64) -> Vec<Fault> {
        match self {
            Self::Drawn { drawer, seed, .. } => drawer.future(*seed, index),
            Self::Listed(faults) => {
                usize::try_from(index).ok().and_then(|index| faults.get(index)).cloned().into_iter().collect()
            }
        }
    }
}

/// Rehearses the futures of `order`, which `base` is the rehearsal without faults of.
///
/// # Errors
/// `interrupted`, and those of [`Stage::new`] on a thread.
pub fn rehearse(subjects: &Subjects, base: &Base, order: &Order) -> Result<Tally, ScriptError> {
    let mut stage = subjects.stage()?;
    let futures = Futures::of(order, Drawer::new(stage.start(), &base.played, order.kinds.clone()));
    let counts = count(subjects, base, order, &futures)?;
    let shortest = shortest(&mut stage, base, &counts)?;
    Ok(counts.tally(shortest))
}

/// Plays all futures of the part, on `jobs` threads.
fn count(subjects: &Subjects, base: &Base, order: &Order, futures: &Futures) -> Result<Counts, ScriptError> {
    let (part, of) = order.shard;
    // The part takes every `of`th future, so that all parts take about the same time.
    let mine = futures.count().saturating_sub(part - 1).div_ceil(of);
    let next = AtomicU64::new(0);
    let bounds = base.bounds();
    let nothing = Counts::new(subjects.subject(order), order.shard);
    let work = || -> Result<Counts, ScriptError> {
        let mut stage = subjects.stage()?;
        let mut counts = nothing.clone();
        loop {
            let from = next.fetch_add(CHUNK, Ordering::Relaxed);
            if from >= mine {
                return Ok(counts);
            }
            (order.notices)(Notice::Progress(Progress::of("playing futures").done((from, mine))));
            for place in from..mine.min(from + CHUNK) {
                let index = place * of + part - 1;
                let faults = futures.faults(index);
                let (played, truth, harms) = judged(&mut stage, &base.intended, &faults, bounds)?;
                counts.add(index, &faults, &played, truth.halted(played.ended_at()), &harms);
            }
        }
    };
    let counts = on_threads(order.jobs.max(1), nothing.clone(), &work);
    (order.notices)(Notice::ProgressEnd);
    counts
}

/// Does the same work on several threads, and adds up what they counted.
fn on_threads(
    jobs: usize,
    mut sum: Counts,
    work: &(impl Fn() -> Result<Counts, ScriptError> + Sync),
) -> Result<Counts, ScriptError> {
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for _ in 0..jobs {
            let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
            threads.push(thread.map_err(|e| Error::local("the system gives no thread").source(e))?);
        }
        for thread in threads {
            let counted = thread.join().map_err(|_| Error::internal("a thread that rehearsed futures panicked"))?;
            sum.merge(counted?);
        }
        Ok(sum)
    })
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

/// The shortest story of each harm: of the candidates with faults taken away one by one, the one that needs the fewest.
fn shortest(stage: &mut Stage, base: &Base, counts: &Counts) -> Result<Vec<Shortest>> {
    let mut found = Vec::new();
    for ((kind, blame), candidates) in &counts.candidates {
        let mut best: Option<Shortest> = None;
        for candidate in candidates {
            let Some(story) = shrink(stage, base, (*kind, *blame), candidate)? else { continue };
            if best.as_ref().is_none_or(|best| story.faults.len() < best.faults.len()) {
                best = Some(story);
            }
        }
        found.extend(best);
    }
    Ok(found)
}

/// Takes faults away one by one until every one that is left is needed.
fn shrink(
    stage: &mut Stage,
    base: &Base,
    (kind, blame): (HarmKind, Blame),
    candidate: &HarmfulFuture,
) -> Result<Option<Shortest>> {
    let mut harm_of = |faults: &[Fault]| -> Result<Option<Harm>> {
        let (_, _, harms) = judged(stage, &base.intended, faults, base.bounds())?;
        Ok(harms.into_iter().find(|harm| harm.kind == kind && harm.blame == blame))
    };
    let mut faults = candidate.faults.clone();
    let Some(mut harm) = harm_of(&faults)? else { return Ok(None) };
    let mut place = 0;
    while place < faults.len() {
        let mut fewer = faults.clone();
        fewer.remove(place);
        match harm_of(&fewer)? {
            Some(still) => (faults, harm, place) = (fewer, still, 0),
            None => place += 1,
        }
    }
    Ok(Some(Shortest { kind, blame, future: candidate.future, faults, text: harm.text }))
}
