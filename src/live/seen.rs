//! Whether a process that was to be started or stopped is seen to be, whoever did it.
//!
//! A process that was stopped refuses, and its record stands still; one that was started answers, and has begun later than before. A
//! state alone proves nothing: a supervisor may have started the process meanwhile. Nor does a port that refuses: a forward that ended
//! does so as well.

use crate::error::{Error, Result};
use crate::live::clock::{since_boot, unix_ms};
use crate::live::cluster::LiveCluster;
use crate::live::{Live, nodes};
use crate::node::{NodeRef, RecordState, State, WRITES_WITHIN};
use crate::time::{Time, Zone};
use crate::world::{Listing, ProbeFinding, Unseen};
use std::sync::Arc;
use std::time::Duration;

/// A node that is to be started or stopped, and what was seen of it.
#[derive(Clone)]
pub(super) struct Expected {
    pub(super) node: NodeRef,
    pub(super) starts: bool,
    /// Its start time before, by its own clock.
    before: Option<f64>,
    /// Whether it was seen without a process, or without a record.
    was_down: bool,
    /// When it had a process that gave no answer, by our clock in seconds since 1970: only a younger one is another.
    hung_at: Option<f64>,
    /// What a probe found last.
    pub(super) finding: Option<ProbeFinding>,
    /// What its record said last, if it could be read and there is one.
    pub(super) record: Option<RecordState>,
    /// Whether the records could be read last.
    pub(super) is_listed: bool,
    /// The revision at which its record was read last.
    revision: Option<i64>,
    /// The revision at which a record that says `online` has stood, and since when (time since the host was started), while its port
    /// refused.
    still: Option<(i64, Duration)>,
    /// What is still missing.
    pub(super) missing: Option<Unseen>,
}

impl Expected {
    /// A node that `starts`, or stops, and was not looked at yet.
    pub(super) fn of(node: &NodeRef, starts: bool) -> Self {
        let node = node.clone();
        let (before, hung_at, finding, record) = Default::default();
        let (revision, still, missing) = Default::default();
        Self {
            node,
            starts,
            before,
            was_down: false,
            hung_at,
            finding,
            record,
            is_listed: false,
            revision,
            still,
            missing,
        }
    }

    /// Takes over what its record says; in words.
    fn take_record(&mut self, listing: Option<&Listing>) -> String {
        (self.record, self.revision, self.is_listed) = (None, None, listing.is_some());
        match listing.map(|listing| listing.find(self.node.kind, &self.node.id)) {
            Some(Some(record)) => {
                self.record = Some(record.state.clone());
                self.revision = Some(record.mod_revision);
                // A node may come back at another address.
                self.node.address.clone_from(&record.node.address);
                format!("its record says {}", record.state)
            }
            Some(None) => {
                // It never ran: whoever answers later has been started.
                self.was_down = true;
                "it has no record".to_owned()
            }
            None => "its record cannot be read".to_owned(),
        }
    }

    /// Whether a process whose port refuses may write its record all the same: one that says `online` has not stood still for long
    /// enough.
    fn may_write(&mut self) -> bool {
        let says_online = self.record.as_ref().is_some_and(|record| *record == State::Online);
        let Some(revision) = self.revision.filter(|_| says_online) else { return false };
        let now = since_boot();
        let since = self.still.filter(|(at, _)| *at == revision).map_or(now, |(_, since)| since);
        self.still = Some((revision, since));
        now.saturating_sub(since) < WRITES_WITHIN
    }

    /// Whether another process answers than before. Where both start times are known they decide; a port that refused once proves
    /// nothing then.
    fn is_another(&self, started: Option<f64>) -> bool {
        match (started, self.before, self.hung_at) {
            (Some(started), Some(before), _) => started > before,
            (Some(started), None, Some(hung_at)) => started > hung_at - CLOCKS_DIFFER || self.was_down,
            (Some(_), None, None) => self.was_down,
            (None, Some(_), _) => false,
            (None, None, _) => self.was_down,
        }
    }
}

impl Live {
    /// Looks at one node, as [`Live::look`] does.
    ///
    /// # Errors
    /// `interrupted`.
    pub(super) fn look_at_one(&mut self, one: Expected, first: bool) -> Result<Expected> {
        self.look(vec![one], first)?.pop().ok_or_else(|| Error::internal("a look at one node found none"))
    }

    /// Looks at all of them: how they are, and what is missing (the first time: how they were before).
    ///
    /// # Errors
    /// `interrupted`; what cannot be looked at is missing.
    pub(super) fn look(&mut self, expected: Vec<Expected>, first: bool) -> Result<Vec<Expected>> {
        self.run(|cluster| async move {
            let listing = Arc::new(cluster.list_soon().await);
            let look = |mut one: Expected| {
                let (cluster, listing) = (cluster.clone(), listing.clone());
                async move {
                    let says = one.take_record(listing.as_ref().as_ref());
                    look_at(&cluster, &mut one, &says, first).await;
                    one
                }
            };
            nodes::each(&expected, look).await
        })
    }
}

/// How far a node's clock may be from ours, in seconds. A process that hangs was started long before.
pub(super) const CLOCKS_DIFFER: f64 = 10.0;

/// Looks at one node, of which a record `says` something: what is missing, or (the first time) how it was before.
async fn look_at(cluster: &LiveCluster, one: &mut Expected, says: &str, first: bool) {
    let finding = nodes::probe(&cluster.nodes, &one.node).await;
    one.was_down |= finding == ProbeFinding::Refused;
    one.finding = Some(finding.clone());
    let started = match finding {
        ProbeFinding::State(_) => nodes::started_at(&cluster.nodes, &one.node).await.ok().map(|started| started.at),
        _ => None,
    };
    if first {
        one.before = started;
        one.hung_at = (finding == ProbeFinding::Silent).then(|| unix_ms() as f64 / 1000.0);
        return;
    }
    let since = match started {
        Some(at) => format!(", its process started at {}", Time::new((at * 1000.0) as i64, Zone::Utc)),
        None => String::new(),
    };
    let seen = format!("a probe says {finding}, {says}{since}");
    let can_tell = started.is_some() && (one.before.is_some() || one.hung_at.is_some());
    if finding != ProbeFinding::Refused {
        one.still = None;
    }
    let id = format!("{} {}", one.node.kind, one.node.id);
    let missing = |text: String, can_be_seen| Some(Unseen { text: format!("{text} ({seen})"), can_be_seen });
    one.missing = match (&finding, one.starts) {
        (ProbeFinding::State(_), true) if one.is_another(started) => None,
        (ProbeFinding::State(_), true) if started.is_none() && one.before.is_some() => {
            missing(format!("{id} does not say when its process was started"), false)
        }
        (ProbeFinding::State(_), true) => missing(format!("{id} was not started again"), can_tell),
        (ProbeFinding::Refused, false) if one.may_write() => missing(format!("{id} may write its record yet"), true),
        (ProbeFinding::Refused, false) => None,
        (ProbeFinding::Unknown(_), _) => missing(format!("{id} cannot be asked"), false),
        (ProbeFinding::Refused | ProbeFinding::Silent | ProbeFinding::Other(_), true) => {
            missing(format!("{id} does not answer yet"), true)
        }
        (ProbeFinding::State(_) | ProbeFinding::Silent | ProbeFinding::Other(_), false) => {
            missing(format!("{id} still has a process"), true)
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Kind;

    fn expected(starts: bool) -> Expected {
        Expected::of(&NodeRef { kind: Kind::Pump, id: "pump-0".into(), address: "h:8250".into() }, starts)
    }

    #[test]
    fn where_both_start_times_are_known_they_decide_whatever_a_port_said_meanwhile() {
        let known = Expected { before: Some(100.5), was_down: true, ..expected(true) };
        for (started, is_another) in [(Some(100.5), false), (Some(100.6), true), (None, false)] {
            assert_eq!(known.is_another(started), is_another, "{started:?}");
        }
        let down = Expected { was_down: true, ..expected(true) };
        assert!(down.is_another(Some(1.0)) && down.is_another(None));
        let unknown = expected(true);
        assert!(!unknown.is_another(Some(1.0)) && !unknown.is_another(None));
        let hung = Expected { hung_at: Some(1000.0), ..expected(true) };
        assert!(!hung.is_another(Some(980.0)) && hung.is_another(Some(995.0)));
    }

    #[test]
    fn a_record_that_is_still_written_belongs_to_a_process_that_is_not_gone() {
        let mut one =
            Expected { record: Some(RecordState::Known(State::Online)), revision: Some(7), ..expected(false) };
        assert!(one.may_write());
        one.still = Some((7, since_boot().saturating_sub(WRITES_WITHIN)));
        assert!(!one.may_write(), "it stood still for long enough");
        one.revision = Some(8);
        assert!(one.may_write(), "it was written again");
        one.record = Some(RecordState::Known(State::Paused));
        assert!(!one.may_write(), "it has written its last");
    }
}
