//! Whether a process that was to be started or stopped is seen to be, whoever did it.
//!
//! A process that was stopped refuses; one that was started answers, and has begun later than before. A state alone
//! proves nothing: a supervisor may have started the process meanwhile.

use crate::error::{Error, Result};
use crate::live::clock::unix_ms;
use crate::live::cluster::LiveCluster;
use crate::live::{Live, nodes};
use crate::node::{NodeRef, RecordState};
use crate::time::{Time, Zone};
use crate::world::{Listing, ProbeFinding, Unseen};
use std::sync::Arc;

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
    /// What is still missing.
    pub(super) missing: Option<Unseen>,
}

impl Expected {
    /// A node that `starts`, or stops, and was not looked at yet.
    pub(super) fn of(node: &NodeRef, starts: bool) -> Self {
        let node = node.clone();
        Self { node, starts, before: None, was_down: false, hung_at: None, finding: None, record: None, missing: None }
    }

    /// Takes over what its record says; in words.
    fn take_record(&mut self, listing: Option<&Listing>) -> String {
        self.record = None;
        match listing.map(|listing| listing.find(self.node.kind, &self.node.id)) {
            Some(Some(record)) => {
                self.record = Some(record.state.clone());
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
const CLOCKS_DIFFER: f64 = 10.0;

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
    let before = one.before.or(one.hung_at.map(|at| at - CLOCKS_DIFFER));
    let later = started.zip(before).is_some_and(|(started, before)| started > before);
    let id = format!("{} {}", one.node.kind, one.node.id);
    let missing = |text: String, can_be_seen| Some(Unseen { text: format!("{text} ({seen})"), can_be_seen });
    one.missing = match (&finding, one.starts) {
        (ProbeFinding::State(_), true) if later || one.was_down => None,
        (ProbeFinding::State(_), true) => {
            missing(format!("{id} was not started again"), started.is_some() && before.is_some())
        }
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
