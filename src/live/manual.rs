//! Something that a human does outside, and how we see that it was done.
//!
//! A process that was stopped refuses; one that was started answers, and has begun later than before. A state alone
//! proves nothing: a supervisor may have started the process meanwhile.

use crate::error::{Error, Result};
use crate::live::clock::{Deadline, Stopwatch, unix_ms, wait};
use crate::live::cluster::LiveCluster;
use crate::live::{Live, nodes};
use crate::node::NodeRef;
use crate::time::{Time, Zone};
use crate::world::{Manual, Notice, ProbeFinding, Progress, Unseen};
use std::time::Duration;

/// How often one looks.
const EVERY: Duration = Duration::from_secs(1);

/// A node that is to be started or stopped, and what was seen of it.
#[derive(Clone)]
struct Expected {
    node: NodeRef,
    starts: bool,
    /// Its start time before, by its own clock.
    before: Option<f64>,
    /// Whether it was seen without a process, or without a record.
    was_down: bool,
    /// When it had a process that gave no answer, by our clock in seconds since 1970: only a younger one is another.
    hung_at: Option<f64>,
    /// What is still missing.
    missing: Option<Unseen>,
}

impl Live {
    /// Has the human do `task`, and waits until it was done.
    ///
    /// # Errors
    /// `refused` when they say no, or without a console when nothing could show that it was done; `timeout` naming what
    /// was not seen; `interrupted`.
    pub(super) fn manual(&mut self, task: &Manual) -> Result<()> {
        let expected = task.starts.iter().map(|node| (node, true)).chain(task.stops.iter().map(|node| (node, false)));
        let mut expected: Vec<_> = expected
            .map(|(node, starts)| Expected {
                node: node.clone(),
                starts,
                before: None,
                was_down: false,
                hung_at: None,
                missing: None,
            })
            .collect();
        if !expected.is_empty() {
            expected = self.look(expected, true)?;
        }
        match self.console.as_mut().filter(|console| console.is_attended()) {
            Some(console) => {
                console.manual(&task.text)?;
                self.wait_until_seen(task, expected, true)
            }
            None if expected.is_empty() => Err(Error::refused(format!("nobody is here to do this: {}", task.text))
                .hint("run it in a terminal: nothing that it starts or stops could show that it was done")),
            None => self.wait_until_seen(task, expected, false),
        }
    }

    /// Looks each second until nothing is missing. Where somebody `said` that it was done, what cannot be seen from here is
    /// only worth a warning; what can be seen and is otherwise is waited for all the same.
    fn wait_until_seen(&mut self, task: &Manual, expected: Vec<Expected>, said: bool) -> Result<()> {
        let (deadline, watch) = (Deadline::after(task.limit()), Stopwatch::start());
        let seen = self.look_until_seen(task, expected, said, (&deadline, &watch));
        (self.notices)(Notice::ProgressEnd);
        match seen? {
            missing if missing.is_empty() => Ok(()),
            missing if said && Unseen::word_has_to_do(&missing) => {
                let text =
                    format!("it was said to be done, but cannot be seen from here: {}", Unseen::listed(&missing));
                (self.notices)(Notice::Warning(text));
                Ok(())
            }
            missing => Err(task.not_seen(watch.elapsed(), &missing)),
        }
    }

    /// What is still missing in the end.
    fn look_until_seen(
        &mut self,
        task: &Manual,
        mut expected: Vec<Expected>,
        said: bool,
        (deadline, watch): (&Deadline, &Stopwatch),
    ) -> Result<Vec<Unseen>> {
        while !expected.is_empty() {
            expected = self.look(expected, false)?;
            let missing: Vec<Unseen> = expected.iter().filter_map(|one| one.missing.clone()).collect();
            let by_word = said && watch.elapsed() >= Manual::AFTER_WORD && Unseen::word_has_to_do(&missing);
            if missing.is_empty() || deadline.is_over() || by_word {
                return Ok(missing);
            }
            let (what, seen) = (format!("waiting for \"{}\"", task.text), Unseen::listed(&missing));
            let held_up_by = expected.iter().find(|one| one.missing.is_some()).map(|one| one.node.id.to_string());
            let progress = Progress { seen, held_up_by, ..Progress::of(what) };
            (self.notices)(Notice::Progress(progress.after(watch.elapsed(), task.limit())));
            wait(EVERY, &self.interrupt)?;
        }
        Ok(Vec::new())
    }

    fn look(&mut self, expected: Vec<Expected>, first: bool) -> Result<Vec<Expected>> {
        self.run(|cluster| async move {
            let mut seen = Vec::with_capacity(expected.len());
            // A node may come back at another address.
            let listing = cluster.list_soon().await;
            for mut one in expected {
                let record = listing.as_ref().map(|listing| listing.find(one.node.kind, &one.node.id));
                let says = match record {
                    Some(Some(record)) => {
                        one.node.address.clone_from(&record.node.address);
                        format!("its record says {}", record.state)
                    }
                    Some(None) => {
                        // It never ran: whoever answers later has been started.
                        one.was_down = true;
                        "it has no record".to_owned()
                    }
                    None => "its record cannot be read".to_owned(),
                };
                look_at(&cluster, &mut one, &says, first).await;
                seen.push(one);
            }
            Ok(seen)
        })
    }
}

/// How far a node's clock may be from ours, in seconds. A process that hangs was started long before.
const CLOCKS_DIFFER: f64 = 10.0;

/// Looks at one node, of which a record `says` something: what is missing, or (the first time) how it was before.
async fn look_at(cluster: &LiveCluster, one: &mut Expected, says: &str, first: bool) {
    let finding = nodes::probe(&cluster.nodes, &one.node).await;
    one.was_down |= finding == ProbeFinding::Refused;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::interrupt::Interrupt;
    use crate::live::LiveSettings;
    use crate::node::Kind;
    use std::sync::{Arc, Mutex};

    /// Waits for a node of which nothing is known but this, on a cluster without PD.
    fn waits_for(address: &str, said: bool, timeout: Duration) -> (Result<()>, Vec<Notice>) {
        let node = NodeRef { kind: Kind::Pump, id: "pump-0".into(), address: address.into() };
        let timeout = Some(timeout);
        let task = Manual { text: "start pump-0".into(), starts: vec![node.clone()], timeout, ..Manual::default() };
        let notices = Arc::<Mutex<Vec<Notice>>>::default();
        let sink = notices.clone();
        let settings = LiveSettings::new(&["127.0.0.1:1"], None).unwrap();
        let tell = Arc::new(move |notice| sink.lock().unwrap().push(notice));
        let mut live = Live::new(settings, tell, Interrupt::default(), None);
        let expected =
            vec![Expected { node, starts: true, before: None, was_down: false, hung_at: None, missing: None }];
        let result = live.wait_until_seen(&task, expected, said);
        let notices = notices.lock().unwrap().clone();
        (result, notices)
    }

    #[test]
    fn what_is_seen_not_to_be_done_is_a_failure_whatever_somebody_said() {
        // Nothing listens on port 1: the node does not come up, and PD is not there.
        for said in [false, true] {
            let (result, notices) = waits_for("127.0.0.1:1", said, Duration::ZERO);
            let error = result.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Timeout);
            let seen = "pump pump-0 does not answer yet (a probe says refused, its record cannot be read)";
            assert!(error.message.contains(seen), "{error}");
            assert!(!notices.iter().any(|notice| matches!(notice, Notice::Warning(_))));
        }
    }

    #[test]
    fn what_cannot_be_seen_from_here_is_done_by_the_word_of_whoever_did_it() {
        let (result, notices) = waits_for("no-such-host.invalid:8250", true, Duration::ZERO);
        result.unwrap();
        let warns =
            |notice: &Notice| matches!(notice, Notice::Warning(text) if text.contains("cannot be seen from here"));
        assert!(notices.iter().any(warns), "{notices:?}");
        let (result, _) = waits_for("no-such-host.invalid:8250", false, Duration::ZERO);
        assert_eq!(result.unwrap_err().kind, ErrorKind::Timeout, "nobody gave their word");
    }
}
