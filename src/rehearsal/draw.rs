//! Which faults happen when: drawn from a seed before a future runs, or every one of them in turn.
//!
//! Each kind of fault has a random stream of its own, so that leaving one kind out does not change what is drawn for the
//! others; streams are integers only, so that a seed gives the same future on every machine.

use crate::node::Kind;
use crate::rehearsal::play::Played;
use crate::rehearsal::story::is_told;
use crate::sim::{Cluster, Fault, Micros, NodeIndex, SECOND, Span};
use crate::text::Untrusted;
use crate::world::{FaultKind, Notice, Victim};
use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::Rng;
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};
use std::time::Duration;

/// How many faults a future has on average, in tenths.
const FAULTS_TIMES_TEN: u64 = 18;
/// Of ten times, so many lie at an event of the rehearsal or shortly after one; the others lie anywhere.
const AT_EVENTS_OF_TEN: u64 = 7;
/// How long after an event is shortly.
const SHORTLY: u64 = 3 * SECOND as u64;

/// What faults are drawn from: the rehearsal without any.
#[derive(Clone, Debug)]
pub struct Drawer {
    kinds: Vec<FaultKind>,
    pumps: Vec<String>,
    drainers: Vec<String>,
    instants: Vec<Micros>,
    end: Micros,
}

/// A random stream.
struct RandomStream(Pcg64Mcg);

impl RandomStream {
    fn new(seed: u64, index: u64, kind: FaultKind) -> Self {
        let half = |salt: u8| {
            let mut hasher = SipHasher13::new();
            (seed, index, kind.name(), salt).hash(&mut hasher);
            u128::from(hasher.finish())
        };
        Self(Pcg64Mcg::new(half(0) << 64 | half(1)))
    }

    /// A number below `limit`; 0 if that is 0.
    fn below(&mut self, limit: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(limit);
        (wide >> 64) as u64
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let place = self.below(all.len() as u64);
        all.get(usize::try_from(place).unwrap_or(0))
    }
}

impl Drawer {
    /// Draws from `kinds`, for the cluster that began as `start` and the rehearsal `base`, which had no faults.
    pub fn new(start: &Cluster, base: &Played, kinds: Vec<FaultKind>) -> Self {
        let ids = |kind: Kind| {
            let of_kind = base.at_end.everybody().filter(move |who: &NodeIndex| who.kind() == kind);
            let known = of_kind.filter(|who| start.has(*who));
            known.map(|who| start.id_of(who).to_owned()).collect()
        };
        let end = base.ended_at();
        let mut instants = vec![0, end];
        instants.extend(base.acts.iter().flat_map(|act| [act.begun, act.ended]));
        let steps = base.said.iter().filter(|said| matches!(said.notice, Notice::StepBegan(_) | Notice::Progress(_)));
        instants.extend(steps.map(|said| said.at));
        let log = base.at_end.log().iter().filter(|entry| is_told(&entry.what));
        instants.extend(log.map(|entry| entry.at).filter(|at| *at > 0));
        instants.sort_unstable();
        instants.dedup();
        let kinds = kinds.into_iter().filter(|kind| start.can_meet(*kind) || base.at_end.can_meet(*kind)).collect();
        Self { kinds, pumps: ids(Kind::Pump), drainers: ids(Kind::Drainer), instants, end }
    }

    /// The faults of the future `index` of `seed`, in the order of time.
    pub fn future(&self, seed: u64, index: u64) -> Vec<Fault> {
        let mut faults = Vec::new();
        for kind in &self.kinds {
            let mut stream = RandomStream::new(seed, index, *kind);
            if stream.below(10 * self.kinds.len() as u64) >= FAULTS_TIMES_TEN {
                continue;
            }
            let victims = self.victims(*kind);
            let Some((node, node_kind)) = stream.one_of(&victims).cloned() else { continue };
            let lasts = stream.one_of(kind.row().lengths).copied().flatten();
            let after = self.time(&mut stream);
            faults.push(fault(*kind, node, node_kind, after, lasts));
        }
        faults.sort_by_key(|fault| fault.after);
        faults
    }

    fn time(&self, stream: &mut RandomStream) -> Micros {
        let at_event = stream.below(10) < AT_EVENTS_OF_TEN;
        let within = |limit: u64, stream: &mut RandomStream| Micros::try_from(stream.below(limit)).unwrap_or(0);
        match stream.one_of(&self.instants).copied().filter(|_| at_event) {
            Some(instant) if stream.below(2) == 0 => instant,
            Some(instant) => instant + within(SHORTLY, stream),
            None => within(u64::try_from(self.end).unwrap_or(0), stream),
        }
    }

    /// To whom a fault of this kind can happen: an id and its kind.
    fn victims(&self, kind: FaultKind) -> Vec<(Option<String>, Option<Kind>)> {
        let of = |kind: Kind| {
            let ids = if kind == Kind::Pump { &self.pumps } else { &self.drainers };
            ids.iter().map(move |id| (Some(id.clone()), Some(kind)))
        };
        match kind.row().victim {
            Victim::Nobody if kind == FaultKind::MalformedKey => {
                Kind::ALL.iter().map(|kind| (None, Some(*kind))).collect()
            }
            Victim::Nobody => vec![(None, None)],
            Victim::Node(Some(kind)) => of(kind).collect(),
            Victim::Node(None) => Kind::ALL.iter().copied().flat_map(of).collect(),
        }
    }

    /// Every kind of fault, for everybody it can happen to, with its shortest and its longest length, at every event
    /// of the rehearsal and in the middle between two of them; one at a time.
    pub fn every(&self) -> Vec<Fault> {
        self.singles(|lengths| {
            let mut ends: Vec<Option<u64>> = lengths.first().into_iter().chain(lengths.last()).copied().collect();
            ends.dedup();
            ends
        })
    }

    /// The same with each length, for pairs.
    pub(super) fn every_length(&self) -> Vec<Fault> {
        self.singles(<[_]>::to_vec)
    }

    fn singles(&self, chosen: impl Fn(&[Option<u64>]) -> Vec<Option<u64>>) -> Vec<Fault> {
        let between = self.instants.windows(2).map(|pair| pair[0] + (pair[1] - pair[0]) / 2);
        let mut instants: Vec<Micros> = self.instants.iter().copied().chain(between).collect();
        instants.sort_unstable();
        instants.dedup();
        let mut all = Vec::new();
        for kind in &self.kinds {
            let lengths = chosen(kind.row().lengths);
            for (node, node_kind) in self.victims(*kind) {
                for lasts in &lengths {
                    all.extend(instants.iter().map(|at| fault(*kind, node.clone(), node_kind, *at, *lasts)));
                }
            }
        }
        all
    }
}

fn fault(kind: FaultKind, node: Option<String>, node_kind: Option<Kind>, after: Micros, lasts: Option<u64>) -> Fault {
    let after = Span(Duration::from_micros(u64::try_from(after).unwrap_or(0)));
    Fault { kind, node: node.map(Untrusted::from), node_kind, after, lasts: lasts.map(Span::seconds) }
}
