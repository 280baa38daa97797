//! Something that a human does outside, and how we wait until it is seen to be done.

use crate::error::{Error, Result};
use crate::live::Live;
use crate::live::clock::{Deadline, Stopwatch, wait};
use crate::live::seen::Expected;
use crate::world::{Answer, Manual, Notice, Progress, Read, Unseen};
use std::time::Duration;

/// How often one looks.
const EVERY: Duration = Duration::from_secs(1);

impl Live {
    /// Has the human do `task`, and waits until it was done.
    ///
    /// # Errors
    /// `refused` when they say no, or without a console when nothing could show that it was done; `timeout` naming what
    /// was not seen; `interrupted`.
    pub(super) fn manual(&mut self, task: &Manual) -> Result<()> {
        let expected = task.starts.iter().map(|node| (node, true)).chain(task.stops.iter().map(|node| (node, false)));
        let mut expected: Vec<_> = expected.map(|(node, starts)| Expected::of(node, starts)).collect();
        if !expected.is_empty() {
            expected = self.look(expected, true)?;
        }
        match self.console.as_mut().filter(|console| console.is_attended()) {
            Some(console) => {
                console.manual(&task.text)?;
                self.wait_until_seen(task, expected, true)
            }
            None if expected.is_empty() && task.changefeed.is_none() => {
                Err(Error::refused(format!("nobody is here to do this: {}", task.text))
                    .hint("run it in a terminal: nothing that it starts or stops could show that it was done"))
            }
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

    /// The changefeed that is to be created, while it is not there, or PD's etcd does not tell.
    fn missing_changefeed(&mut self, task: &Manual) -> Result<Option<Unseen>> {
        let Some(new) = task.changefeed.clone() else { return Ok(None) };
        match self.run(|cluster| async move { cluster.read(Read::Changefeeds).await }) {
            Ok(Answer::Changefeeds(there)) => Ok(new.missing(&there.changefeeds, None)),
            Ok(other) => Err(Error::internal(format!("a look at the changefeeds was answered with {other:?}"))),
            Err(error) if error.kind.is_fatal() => Err(error),
            Err(error) => Ok(Some(new.unknown(&error))),
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
        while !expected.is_empty() || task.changefeed.is_some() {
            if !expected.is_empty() {
                expected = self.look(expected, false)?;
            }
            let nodes = expected.iter().filter_map(|one| one.missing.clone());
            let missing: Vec<Unseen> = nodes.chain(self.missing_changefeed(task)?).collect();
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::interrupt::Interrupt;
    use crate::live::LiveSettings;
    use crate::node::{Kind, NodeRef};
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
        let expected = vec![Expected::of(&node, true)];
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
