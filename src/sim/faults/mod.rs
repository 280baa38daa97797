//! What a simulated cluster can be made to suffer, at times that are known before it runs.
//!
//! A fault that cannot happen when its time comes (it crashes a process, and there is none) does nothing at all, and
//! the log does not have it: see [`rules`]. One that happened is kept until it ends, so that what it did
//! is undone once, and only if nobody has done something about it meanwhile.

mod nodes;
mod pd;
mod rules;

use super::clock::{Micros, SECOND};
use super::cluster::{Cluster, DueEvent};
use super::log::LogEvent;
use super::process::NodeIndex;
use super::pump::UNMATCHED_AT_MOST;
use super::scenario::Fault;
use crate::error::{Error, Result};
use crate::nearest::did_you_mean;
use crate::node::Kind;
use crate::world::{FaultKind, Victim};
use rules::{Begin, FaultEnd, rules};

/// How long PD is without a leader when it moves, unless the fault says how long.
const LEADERLESS: Micros = 3 * SECOND;
/// How long a slow human takes, unless the fault says how long: a fault without end would be a script without end.
const SLOW_HUMAN: Micros = 4 * 3_600 * SECOND;

/// A fault that has begun and not ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    began: Micros,
    ends: Micros,
    /// How often its node's process had been started or stopped by somebody when it struck.
    handled: u32,
}

/// Until when a node suffers what; a time that is over means not at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suffers {
    /// HTTP requests that change something are refused.
    pub(crate) refuses: Micros,
    /// HTTP requests that change something are carried out and their answers lost.
    pub(crate) loses_answers: Micros,
    /// The state that it writes as it goes does not arrive.
    pub(crate) loses_record: Micros,
    /// A process that is started ends with an error.
    pub(crate) start_fails: Micros,
    /// A process that is started comes up only then.
    pub(crate) slow_start: Micros,
}

impl Suffers {
    pub(crate) const NOTHING: Self = Self {
        refuses: Micros::MIN,
        loses_answers: Micros::MIN,
        loses_record: Micros::MIN,
        start_fails: Micros::MIN,
        slow_start: Micros::MIN,
    };
}

/// Until when our host or its human suffer what. The cluster goes on meanwhile: only [`Simulated`] looks at it.
///
/// [`Simulated`]: crate::sim::Simulated
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outside {
    /// Every request of ours to PD or etcd takes longer.
    pub(crate) slow_etcd: Micros,
    /// Every request of ours to PD or etcd fails.
    pub(crate) etcd_fails: Micros,
    /// The human does nothing of what they are asked.
    pub(crate) slow_human: Micros,
    /// The human says no.
    pub(crate) human_refuses: Micros,
    /// What starts and stops nodes cannot be reached.
    pub(crate) control_fails: Micros,
    /// What starts and stops nodes says that it did, and does nothing.
    pub(crate) control_idles: Micros,
}

impl Outside {
    pub(crate) const NOTHING: Self = Self {
        slow_etcd: Micros::MIN,
        etcd_fails: Micros::MIN,
        slow_human: Micros::MIN,
        human_refuses: Micros::MIN,
        control_fails: Micros::MIN,
        control_idles: Micros::MIN,
    };
}

impl Cluster {
    /// Makes `fault` happen, its times counted from now.
    ///
    /// # Errors
    /// `invalid` when it needs a node and names none, or one of the other kind; `not_found` when there is no such
    /// node.
    pub fn add_fault(&mut self, fault: Fault) -> Result<()> {
        self.check_fault(&fault)?;
        self.add_fault_to_come(fault);
        Ok(())
    }

    /// Makes `fault` happen, its times counted from now, also to a node that is not there yet: what would last and meets
    /// nobody when it begins waits for its node for as long as it lasts.
    pub(crate) fn add_fault_to_come(&mut self, fault: Fault) {
        let begins = self.now.saturating_add(fault.after.micros());
        let ends = length(&fault).map(|length| begins.saturating_add(length));
        let at = self.faults.len();
        self.faults.push(fault);
        self.queue.schedule(begins, DueEvent::FaultBegins(at));
        if let Some(ends) = ends {
            self.queue.schedule(ends, DueEvent::FaultEnds(at));
        }
    }

    /// All faults that it was given, those to come too; the log names them by their places.
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }

    /// Calls off the faults that have not begun yet; those that have go on to their ends.
    pub(crate) fn cancel_faults(&mut self) {
        self.no_more_faults = true;
    }

    fn check_fault(&self, fault: &Fault) -> Result<()> {
        let kind = fault.kind.name();
        let Victim::Node(needs) = fault.kind.row().victim else { return Ok(()) };
        let whose = needs.map_or("a node".to_owned(), |kind| format!("a {}", kind.title()));
        let Some(id) = &fault.node else {
            return Err(Error::invalid(format!("the fault `{kind}` happens to {whose}, and none is named"))
                .hint("name the node by its id"));
        };
        match self.victim(fault) {
            Some(who) if needs.is_none_or(|kind| kind == who.kind()) => Ok(()),
            Some(_) => Err(Error::invalid(format!("the fault `{kind}` happens to {whose}, and {id} is none"))),
            None => {
                let error = Error::not_found(format!("the fault `{kind}` happens to {id}, and there is no such node"));
                let ids = self.everybody().map(|who| self.id_of(who));
                Err(error.hint(did_you_mean(id, ids).unwrap_or_else(|| "name one of the cluster's nodes".into())))
            }
        }
    }

    fn victim(&self, fault: &Fault) -> Option<NodeIndex> {
        let id = fault.node.as_deref()?;
        match (fault.node_kind, fault.kind.row().victim) {
            (Some(kind), _) => self.find(kind, id),
            (None, Victim::Node(Some(Kind::Drainer))) => {
                self.find(Kind::Drainer, id).or_else(|| self.find(Kind::Pump, id))
            }
            (None, _) => self.find(Kind::Pump, id).or_else(|| self.find(Kind::Drainer, id)),
        }
    }

    pub(crate) fn fault_begins(&mut self, at: usize) {
        let fault = &self.faults[at];
        let ends = length(fault).map_or(Micros::MAX, |length| self.now.saturating_add(length));
        match (fault.kind.row().victim, self.victim(fault)) {
            (Victim::Node(_), None) => self.awaited.push((at, ends)),
            (_, victim) => self.befall(at, victim, ends),
        }
    }

    /// A node is there now: what began before, and lasts still, happens to it.
    pub(crate) fn faults_meet(&mut self, who: NodeIndex) {
        let waiting = std::mem::take(&mut self.awaited);
        let mine = |(at, _): &(usize, Micros)| self.victim(&self.faults[*at]) == Some(who);
        let (met, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(mine);
        self.awaited = others;
        for (at, ends) in met {
            if ends > self.now && !self.no_more_faults {
                self.befall(at, Some(who), ends);
            }
        }
    }

    fn befall(&mut self, at: usize, victim: Option<NodeIndex>, ends: Micros) {
        let fault = self.faults[at].clone();
        let fits = match fault.kind.row().victim {
            Victim::Node(Some(kind)) => victim.is_some_and(|who| who.kind() == kind),
            Victim::Node(None) | Victim::Nobody => true,
        };
        let rules = rules(fault.kind);
        if !fits || !(rules.strikes)(self, victim) {
            return;
        }
        self.settle();
        self.active.insert(at, Active { began: self.now, ends, handled: 0 });
        self.note(LogEvent::FaultBegan(at));
        match (rules.begin, victim) {
            (Begin::Node(begin), Some(who)) => begin(self, who, at, ends),
            (Begin::Suffers(until), Some(who)) => {
                let until = until(&mut self.node_mut(who).suffers);
                *until = ends.max(*until);
            }
            (Begin::Node(_) | Begin::Suffers(_), None) => {}
            (Begin::Outside(until), _) => {
                let until = until(&mut self.outside);
                *until = ends.max(*until);
            }
            (Begin::Cluster(begin), _) => begin(self, &fault),
        }
        if let Some(who) = victim {
            let handled = self.node(who).handled;
            self.active.entry(at).and_modify(|active| active.handled = handled);
        }
    }

    pub(crate) fn fault_ends(&mut self, at: usize) {
        let Some(active) = self.active.remove(&at) else { return };
        self.settle();
        let fault = self.faults[at].clone();
        self.note(LogEvent::FaultEnded(at));
        match (rules(fault.kind).end, self.victim(&fault)) {
            (FaultEnd::Untouched(end), Some(who)) if self.node(who).handled == active.handled => end(self, who),
            (FaultEnd::Node(end), Some(who)) => end(self, who),
            (FaultEnd::Cluster(end), _) => end(self, &fault),
            (FaultEnd::Untouched(_) | FaultEnd::Node(_) | FaultEnd::ByItself, _) => {}
        }
    }
}

/// How long a fault lasts; `None`: without end.
fn length(fault: &Fault) -> Option<Micros> {
    let lasts = fault.lasts.map(super::scenario::Span::micros);
    match fault.kind {
        FaultKind::LeaderMoves => Some(lasts.unwrap_or(LEADERLESS)),
        FaultKind::SlowHuman => Some(lasts.unwrap_or(SLOW_HUMAN)),
        FaultKind::UnmatchedPrewrite => Some(lasts.map_or(UNMATCHED_AT_MOST, |lasts| lasts.min(UNMATCHED_AT_MOST))),
        FaultKind::Crash
        | FaultKind::Flap
        | FaultKind::Fail
        | FaultKind::Hang
        | FaultKind::LoseRecord
        | FaultKind::StartFails
        | FaultKind::SlowStart
        | FaultKind::Stall
        | FaultKind::SlowDrainer
        | FaultKind::Refuse
        | FaultKind::LoseAnswer
        | FaultKind::NewAddress
        | FaultKind::OtherPauses
        | FaultKind::OtherWritesPaused
        | FaultKind::OtherWritesOffline
        | FaultKind::PdGone
        | FaultKind::SlowEtcd
        | FaultKind::EtcdFails
        | FaultKind::MalformedKey
        | FaultKind::Ddl
        | FaultKind::HumanRefuses
        | FaultKind::ControlFails
        | FaultKind::ControlDoesNothing
        | FaultKind::GcRunsAhead
        | FaultKind::ChangefeedFails
        | FaultKind::ChangefeedStops => lasts,
    }
}
