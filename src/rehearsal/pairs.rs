//! Pairs of faults: of all single ones those that come to something of their own, each with each other one.

use crate::error::{ErrorKind, ScriptError};
use crate::rehearsal::futures::{Base, Order, Subjects};
use crate::rehearsal::play::Played;
use crate::rehearsal::threads::spread;
use crate::rehearsal::truth::{Truth, at};
use crate::sim::Fault;
use crate::world::{Notice, Progress};
use std::collections::HashSet;

/// The single faults that pairs are made of, and what they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Singles {
    /// One of those that come to the same, in the order in which they are listed.
    pub(super) faults: Vec<Fault>,
    /// How many come to the same as no fault.
    without_effect: usize,
    /// How many come to the same as one before them.
    alike: usize,
}

impl Singles {
    /// Plays each of `all` by itself, and keeps those that come to something of their own.
    ///
    /// # Errors
    /// `interrupted`: what pairs there are is not known then. Those of playing.
    pub(super) fn of(subjects: &Subjects, base: &Base, order: &Order, all: Vec<Fault>) -> Result<Self, ScriptError> {
        let bounds = base.bounds();
        let tell = |done: usize| {
            let share = (done as u64, all.len() as u64);
            (order.notices)(Notice::Progress(Progress::of("playing each by itself").done(share, "faults")));
        };
        let marks = spread(
            order.jobs,
            all.len(),
            || subjects.stage(),
            |stage, at| {
                tell(at);
                let played = stage.play(&all[at..=at], bounds)?;
                let truth = Truth::of(stage.start(), &played);
                Ok(mark(&played, &truth))
            },
        );
        (order.notices)(Notice::ProgressEnd);
        let marks = marks.map_err(nothing_played)?;
        let usual = mark(&base.played, &base.truth);
        let (mut found, mut known) = (Self::default(), HashSet::new());
        for (fault, mark) in all.iter().zip(marks) {
            if mark == usual {
                found.without_effect += 1;
            } else if known.insert(mark) {
                found.faults.push(fault.clone());
            } else {
                found.alike += 1;
            }
        }
        Ok(found)
    }

    /// How many pairs there are.
    pub(super) fn pairs(&self) -> u64 {
        let count = self.faults.len() as u64;
        count * count.saturating_sub(1) / 2
    }

    /// The pair `index`, in the order of time.
    pub(super) fn pair(&self, index: u64) -> Vec<Fault> {
        // Before those with the fault `later` there are later * (later - 1) / 2.
        let later = (1 + 8 * index).isqrt().div_ceil(2);
        let earlier = index - later * (later - 1) / 2;
        let fault = |at: u64| usize::try_from(at).ok().and_then(|at| self.faults.get(at)).cloned();
        let mut pair: Vec<Fault> = [earlier, later].into_iter().filter_map(fault).collect();
        pair.sort_by_key(|fault| fault.after);
        pair
    }

    /// What was left out, and why.
    pub(super) fn about(&self) -> String {
        let Self { faults, without_effect, alike } = self;
        let kept = faults.len();
        let all = kept + without_effect + alike;
        format!(
            "every pair of {kept} faults, which stand for {all}: {without_effect} come to the same as no fault, and {alike} to the same \
             as another"
        )
    }
}

/// A stop at the single faults says what it costs.
fn nothing_played(stop: ScriptError) -> ScriptError {
    if stop.error.kind != ErrorKind::Interrupted {
        return stop;
    }
    let hint = "no pair was played until then: each fault is played by itself first";
    ScriptError { error: stop.error.hint(hint), ..stop }
}

/// What came of a play, without times: what the script did and what came of each, how it ended, and how it left the cluster.
fn mark(played: &Played, truth: &Truth) -> String {
    let end = played.ended_at();
    let acts = played.acts.iter().filter_map(|act| {
        let failed = act.outcome.as_ref().err().map(|error| error.kind);
        Some(format!("{}: {failed:?}", act.change.planned()?))
    });
    let nodes = truth
        .nodes
        .iter()
        .map(|node| format!("{} {} {:?} {:?}", node.kind(), node.id, node.process_at(end), node.record_at(end)));
    let flows = truth.flows.iter().map(|(drainer, flows)| format!("{drainer} {:?}", at(flows, end)));
    let found = played.at_end.changefeeds();
    let feeds = found.changefeeds.iter().map(|feed| format!("{feed} {}", feed.state));
    let step = played.ending.as_ref().err().and_then(|error| error.step.as_deref());
    let rest = format!(
        "{} in {step:?}, {} faults go on, TiDB writes: {:?}",
        played.outcome(),
        played.at_end.active.len(),
        at(&truth.tidb_writes, end)
    );
    acts.chain(nodes).chain(flows).chain(feeds).chain([rest]).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Span;
    use crate::world::FaultKind;

    #[test]
    fn every_pair_comes_once_in_the_order_of_time() {
        let fault = |seconds| Fault {
            kind: FaultKind::Crash,
            node: Some("pump-0".into()),
            node_kind: None,
            after: Span::seconds(seconds),
            lasts: None,
        };
        let singles = Singles { faults: [5, 3, 9, 1].map(fault).to_vec(), ..Singles::default() };
        let seconds = |index| -> Vec<u64> {
            singles.pair(index).iter().map(|fault| fault.after.micros() as u64 / 1_000_000).collect()
        };
        assert_eq!(singles.pairs(), 6);
        let all: Vec<Vec<u64>> = (0..6).map(seconds).collect();
        assert_eq!(all, [[3, 5], [5, 9], [3, 9], [1, 5], [1, 3], [1, 9]]);
    }
}
