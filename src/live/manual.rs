//! Something that a human does outside, and how we see that it was done.
//!
//! A process that was stopped refuses; one that was started answers, and has begun later than before. A state alone
//! proves nothing: a supervisor may have started the process meanwhile.

use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::{Deadline, Stopwatch, wait};
use crate::live::cluster::Cluster;
use crate::live::{Live, nodes};
use crate::node::NodeRef;
use crate::time::show_seconds;
use crate::world::{Manual, Notice, ProbeFinding};
use std::time::Duration;

/// How often one looks.
const EVERY: Duration = Duration::from_secs(1);

/// Nobody at a console: a human may take an hour to see it, or ten times what it usually takes.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Once somebody at the console has said that it was done, it should soon be seen.
const AFTER_WORD: Duration = Duration::from_secs(15);

/// A node that is to be started or stopped, and what was seen of it.
#[derive(Clone)]
struct Expected {
    node: NodeRef,
    starts: bool,
    /// Its start time before, by its own clock.
    before: Option<f64>,
    /// Whether it was seen without a process, or without a record.
    was_down: bool,
    /// What is still missing.
    missing: Option<String>,
}

/// Whether somebody has said that it was done.
enum Word {
    /// Yes: what cannot be seen is only worth a warning.
    Given,
    /// No: it must be seen within this time.
    Missing(Duration),
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
            .map(|(node, starts)| Expected { node: node.clone(), starts, before: None, was_down: false, missing: None })
            .collect();
        if !expected.is_empty() {
            expected = self.look(expected, true)?;
        }
        match self.console.as_mut().filter(|console| console.is_attended()) {
            Some(console) => {
                console.manual(&task.text)?;
                self.wait_until_seen(task, expected, &Word::Given)
            }
            None if expected.is_empty() => Err(Error::refused(format!("nobody is here to do this: {}", task.text))
                .hint("run it in a terminal: nothing that it starts or stops could show that it was done")),
            None => {
                let patience = PATIENCE.max(task.takes.unwrap_or_default() * 10);
                self.wait_until_seen(task, expected, &Word::Missing(patience))
            }
        }
    }

    /// Looks each second until nothing is missing.
    fn wait_until_seen(&mut self, task: &Manual, mut expected: Vec<Expected>, word: &Word) -> Result<()> {
        let patience = match word {
            Word::Given => AFTER_WORD,
            Word::Missing(patience) => *patience,
        };
        let (deadline, watch) = (Deadline::after(patience), Stopwatch::start());
        let result = loop {
            if expected.is_empty() {
                break Ok(());
            }
            expected = self.look(expected, false)?;
            let missing: Vec<_> = expected.iter().filter_map(|e| e.missing.as_deref()).collect();
            if missing.is_empty() {
                break Ok(());
            }
            let missing = missing.join(", ");
            let waited = show_seconds(watch.elapsed().as_secs_f64());
            if deadline.is_over() {
                break Err((missing, waited));
            }
            (self.notices)(Notice::Progress(format!("waiting ({waited}) for: {}; {missing}", task.text)));
            wait(EVERY, &self.interrupt)?;
        };
        (self.notices)(Notice::ProgressEnd);
        match result {
            Ok(()) => Ok(()),
            Err((missing, _)) if matches!(word, Word::Given) => {
                (self.notices)(Notice::Warning(format!("it was said to be done, but: {missing}")));
                Ok(())
            }
            Err((missing, waited)) => Err(Error::new(
                ErrorKind::Timeout,
                format!("\"{}\" was not seen to be done in {waited}: {missing}", task.text),
            )
            .hint("do it, then run this again")),
        }
    }

    fn look(&mut self, expected: Vec<Expected>, first: bool) -> Result<Vec<Expected>> {
        self.run(|cluster| async move {
            let mut seen = Vec::with_capacity(expected.len());
            // A node may come back at another address.
            let listing = cluster.list_soon().await;
            for mut one in expected {
                match listing.as_ref().map(|listing| listing.find(one.node.kind, &one.node.id)) {
                    Some(Some(record)) => one.node.address.clone_from(&record.node.address),
                    // It never ran: whoever answers later has been started.
                    Some(None) => one.was_down = true,
                    None => {}
                }
                look_at(&cluster, &mut one, first).await;
                seen.push(one);
            }
            Ok(seen)
        })
    }
}

/// Looks at one node: what is missing, or (the first time) how it was before.
async fn look_at(cluster: &Cluster, one: &mut Expected, first: bool) {
    let finding = nodes::probe(&cluster.nodes, &one.node).await;
    one.was_down |= finding == ProbeFinding::Refused;
    let id = format!("{} {}", one.node.kind, one.node.id);
    if !one.starts {
        let gone = finding == ProbeFinding::Refused;
        one.missing = (!gone).then(|| format!("{id} still has a process (a probe says {finding})"));
        return;
    }
    let started = match finding {
        ProbeFinding::State(_) => nodes::started_at(&cluster.nodes, &one.node).await.ok(),
        _ => None,
    };
    if first {
        one.before = started.map(|started| started.at);
        return;
    }
    let later = started.is_some_and(|started| one.before.is_some_and(|before| started.at > before));
    one.missing = match finding {
        ProbeFinding::State(_) if later || one.was_down => None,
        ProbeFinding::State(_) => Some(format!("{id} was not started again (it runs as before)")),
        other => Some(format!("{id} does not answer yet (a probe says {other})")),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::Interrupt;
    use crate::live::Settings;
    use crate::node::Kind;
    use std::sync::{Arc, Mutex};

    #[test]
    fn what_was_not_seen_is_a_failure_where_nobody_gave_their_word() {
        // Nothing listens on port 1: the node does not come up, and PD is not there.
        let node = NodeRef { kind: Kind::Pump, id: "pump-0".into(), address: "127.0.0.1:1".into() };
        let task = Manual { text: "start pump-0".into(), starts: vec![node.clone()], ..Manual::default() };
        let notices = Arc::<Mutex<Vec<Notice>>>::default();
        let sink = notices.clone();
        let settings = Settings::new(&["127.0.0.1:1"], None).unwrap();
        let tell = Arc::new(move |notice| sink.lock().unwrap().push(notice));
        let mut live = Live::new(settings, tell, Interrupt::default(), None);
        let expected = vec![Expected { node, starts: true, before: None, was_down: false, missing: None }];
        let error = live.wait_until_seen(&task, expected, &Word::Missing(Duration::ZERO)).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Timeout);
        assert!(error.message.contains("pump-0 does not answer yet"), "{error}");
        assert!(!notices.lock().unwrap().iter().any(|notice| matches!(notice, Notice::Warning(_))));
    }
}
