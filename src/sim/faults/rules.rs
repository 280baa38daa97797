//! What each kind of fault does to a cluster: when it can strike, how it begins and how it ends.

use super::nodes::FLAP_DOWN;
use super::{Outside, Suffers};
use crate::node::State;
use crate::sim::clock::Micros;
use crate::sim::cluster::{Cluster, DueEvent};
use crate::sim::process::{NodeIndex, Signal};
use crate::sim::scenario::Fault;
use crate::sim::tikv::FeedState;
use crate::world::{Action, FaultKind};

/// What a kind of fault does.
pub(super) struct Rules {
    /// Whether it would change anything now. What lasts until somebody meets it always does.
    pub(super) strikes: fn(&Cluster, Option<NodeIndex>) -> bool,
    pub(super) begin: Begin,
    pub(super) end: FaultEnd,
}

/// How a fault begins.
#[derive(Clone, Copy)]
pub(super) enum Begin {
    /// It happens to a node: whom, the fault's place, when it ends.
    Node(fn(&mut Cluster, NodeIndex, usize, Micros)),
    /// A node meets it until then when it does something.
    Suffers(fn(&mut Suffers) -> &mut Micros),
    /// Whoever is outside of the nodes meets it until then.
    Outside(fn(&mut Outside) -> &mut Micros),
    /// It happens to the cluster.
    Cluster(fn(&mut Cluster, &Fault)),
}

/// How a fault is undone when it ends.
#[derive(Clone, Copy)]
pub(super) enum FaultEnd {
    /// It ended by its time, or is not undone.
    ByItself,
    /// The node is dealt with.
    Node(fn(&mut Cluster, NodeIndex)),
    /// The node is dealt with, if nobody has started or stopped its process meanwhile.
    Untouched(fn(&mut Cluster, NodeIndex)),
    /// The cluster is dealt with.
    Cluster(fn(&mut Cluster, &Fault)),
}

/// What a fault of `kind` does.
pub(super) fn rules(kind: FaultKind) -> &'static Rules {
    let (of, rules) = &RULES[kind as usize];
    debug_assert_eq!(*of, kind, "the rows are in the order of the kinds");
    rules
}

/// A row for each kind, in their order.
static RULES: [(FaultKind, Rules); FaultKind::ALL.len()] = [
    (
        FaultKind::Crash,
        node(runs, |cluster, who, _, _| cluster.signal(who, Signal::Kill), FaultEnd::Untouched(Cluster::bring_back)),
    ),
    (
        FaultKind::Flap,
        node(
            runs,
            |cluster, who, at, _| {
                cluster.signal(who, Signal::Kill);
                cluster.queue.schedule(cluster.now + FLAP_DOWN, DueEvent::FaultTurns(at));
            },
            FaultEnd::Untouched(Cluster::bring_back),
        ),
    ),
    (
        FaultKind::Fail,
        node(
            |cluster, who| who.is_some_and(|who| cluster.node(who).beats()),
            |cluster, who, _, _| cluster.fail(who),
            FaultEnd::Untouched(Cluster::bring_back),
        ),
    ),
    (
        FaultKind::Hang,
        node(
            |cluster, who| who.and_then(|who| cluster.node(who).process).is_some_and(|process| !process.hung),
            |cluster, who, _, _| cluster.signal(who, Signal::Stop),
            FaultEnd::Untouched(|cluster, who| cluster.signal(who, Signal::Cont)),
        ),
    ),
    (FaultKind::LoseRecord, suffers(|suffers| &mut suffers.loses_record)),
    (FaultKind::StartFails, suffers(|suffers| &mut suffers.start_fails)),
    (FaultKind::SlowStart, suffers(|suffers| &mut suffers.slow_start)),
    (FaultKind::Stall, node(always, Cluster::stall, FaultEnd::Node(Cluster::stall_is_over))),
    (
        FaultKind::SlowDrainer,
        node(
            always,
            |cluster, who, _, _| cluster.slow_down(who, true),
            FaultEnd::Node(|cluster, who| cluster.slow_down(who, false)),
        ),
    ),
    (FaultKind::Refuse, suffers(|suffers| &mut suffers.refuses)),
    (FaultKind::LoseAnswer, suffers(|suffers| &mut suffers.loses_answers)),
    (
        FaultKind::NewAddress,
        node(
            runs,
            |cluster, who, _, _| {
                let address = format!("moved-{}", cluster.address_of(who));
                cluster.signal(who, Signal::Kill);
                cluster.start(who, Some(&address));
            },
            FaultEnd::ByItself,
        ),
    ),
    (FaultKind::UnmatchedPrewrite, node(always, Cluster::leave_unmatched, FaultEnd::ByItself)),
    (
        FaultKind::OtherPauses,
        node(
            |cluster, who| {
                who.map(|who| cluster.node(who)).is_some_and(|node| {
                    node.true_state() == Some(State::Online)
                        && node.suffers.refuses <= cluster.now
                        && !cluster.pd_gone()
                })
            },
            |cluster, who, _, _| cluster.act(who, Action::Pause),
            FaultEnd::Untouched(Cluster::bring_back),
        ),
    ),
    (
        FaultKind::OtherWritesPaused,
        node(has_record, |cluster, who, _, _| cluster.other_writes(who, State::Paused), FaultEnd::ByItself),
    ),
    (
        FaultKind::OtherWritesOffline,
        node(has_record, |cluster, who, _, _| cluster.other_writes(who, State::Offline), FaultEnd::ByItself),
    ),
    (FaultKind::PdGone, cluster(always, |cluster, _| cluster.pd_goes(), |cluster, _| cluster.pd_comes_back())),
    (
        FaultKind::LeaderMoves,
        cluster(
            always,
            |cluster, _| cluster.pd_goes(),
            |cluster, _| {
                cluster.next_member_leads();
                cluster.pd_comes_back();
            },
        ),
    ),
    (FaultKind::SlowEtcd, outside(|outside| &mut outside.slow_etcd)),
    (FaultKind::EtcdFails, outside(|outside| &mut outside.etcd_fails)),
    (
        FaultKind::MalformedKey,
        cluster(|cluster, _| !cluster.pd_gone(), Cluster::put_malformed_key, Cluster::delete_malformed_key),
    ),
    (
        FaultKind::Ddl,
        Rules {
            strikes: |cluster, _| cluster.can_run_ddl(),
            begin: Begin::Cluster(|cluster, _| cluster.run_ddl()),
            end: FaultEnd::ByItself,
        },
    ),
    (FaultKind::SlowHuman, outside(|outside| &mut outside.slow_human)),
    (FaultKind::HumanRefuses, outside(|outside| &mut outside.human_refuses)),
    (FaultKind::ControlFails, outside(|outside| &mut outside.control_fails)),
    (FaultKind::ControlDoesNothing, outside(|outside| &mut outside.control_idles)),
    (
        FaultKind::GcRunsAhead,
        cluster(|cluster, _| !cluster.pd_gone(), |cluster, _| cluster.shorten_gc(), |cluster, _| cluster.gc_as_usual()),
    ),
    (FaultKind::ChangefeedFails, feeds_fail()),
    (FaultKind::ChangefeedStops, feeds_stop()),
];

const fn node(
    strikes: fn(&Cluster, Option<NodeIndex>) -> bool,
    begin: fn(&mut Cluster, NodeIndex, usize, Micros),
    end: FaultEnd,
) -> Rules {
    Rules { strikes, begin: Begin::Node(begin), end }
}

const fn suffers(until: fn(&mut Suffers) -> &mut Micros) -> Rules {
    Rules { strikes: always, begin: Begin::Suffers(until), end: FaultEnd::ByItself }
}

const fn outside(until: fn(&mut Outside) -> &mut Micros) -> Rules {
    Rules { strikes: always, begin: Begin::Outside(until), end: FaultEnd::ByItself }
}

const fn cluster(
    strikes: fn(&Cluster, Option<NodeIndex>) -> bool,
    begin: fn(&mut Cluster, &Fault),
    end: fn(&mut Cluster, &Fault),
) -> Rules {
    Rules { strikes, begin: Begin::Cluster(begin), end: FaultEnd::Cluster(end) }
}

fn has_normal_feed(cluster: &Cluster, _: Option<NodeIndex>) -> bool {
    cluster.has_normal_feed()
}

const fn feeds_fail() -> Rules {
    cluster(
        has_normal_feed,
        |cluster, _| cluster.turn_feeds(FeedState::Failed),
        |cluster, _| cluster.resume_feeds(FeedState::Failed),
    )
}

const fn feeds_stop() -> Rules {
    cluster(
        has_normal_feed,
        |cluster, _| cluster.turn_feeds(FeedState::Stopped),
        |cluster, _| cluster.resume_feeds(FeedState::Stopped),
    )
}

fn always(_: &Cluster, _: Option<NodeIndex>) -> bool {
    true
}

fn runs(cluster: &Cluster, who: Option<NodeIndex>) -> bool {
    who.is_some_and(|who| cluster.node(who).process.is_some())
}

fn has_record(cluster: &Cluster, who: Option<NodeIndex>) -> bool {
    !cluster.pd_gone() && who.is_some_and(|who| cluster.record(who).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_row() {
        assert_eq!(RULES.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), FaultKind::ALL);
    }
}
