//! What starts and stops nodes from outside: it does what it is told, and it is done once that can be seen.

use super::Simulated;
use crate::error::{Error, ErrorKind, Result};
use crate::node::{NodeRef, Record, State};
use crate::sim::clock::{Micros, SECOND};
use crate::sim::process::{NodeIndex, Signal};
use crate::world::{Ability, Acted, Answer, Control, EndsBy, Fence, ProbeFinding, ProcessVerb};
use std::time::Duration;

/// What it takes until the supervisor is told, where the script does not say.
const TELLING: Duration = Duration::from_secs(2);
/// After how long systemd kills what does not end.
const STOP_TIMEOUT: Micros = 90 * SECOND;
/// For how long a pod is left alone until it is killed.
const GRACE: Micros = 30 * SECOND;
/// How often it is looked whether it can be seen.
const EVERY: Micros = SECOND;

impl Simulated {
    pub(super) fn supervisors(&self, nodes: &[NodeRef]) -> Answer {
        Answer::Supervision(nodes.iter().map(|node| Some(self.cluster.supervision(node))).collect())
    }

    pub(super) fn control(&mut self, control: &Control, fence: Option<&Fence>) -> Result<Answer> {
        self.read_lock(fence)?;
        let Control { node, verb, .. } = control;
        let supervision = self.cluster.supervision(node);
        if let Ability::Cannot(why) = supervision.ability(*verb) {
            return Err(Error::refused(format!("{} cannot {verb} {node}: {why}", supervision.by)));
        }
        let began = self.cluster.now();
        self.pass(micros(control.takes.unwrap_or(TELLING)))?;
        if self.cluster.outside.control_fails > self.cluster.now() {
            let message = format!("cannot {verb} {node}: {} does not answer", supervision.by);
            return Err(Error::new(ErrorKind::Unreachable, message)
                .hint("nothing was done; look after the way to the node's host"));
        }
        if self.cluster.outside.control_idles > self.cluster.now() {
            return self.seen(control, began);
        }
        let who = match verb {
            ProcessVerb::Start => self.cluster.find_or_add(node),
            ProcessVerb::Stop | ProcessVerb::Restart => self.who(node)?,
        };
        if verb.ends() || supervision.ends_by == EndsBy::Sigkill {
            self.end(who, supervision.ends_by)?;
        }
        match verb {
            ProcessVerb::Start | ProcessVerb::Restart if self.cluster.node(who).process.is_none() => {
                self.cluster.start(who, None);
            }
            // It runs, and is left alone.
            ProcessVerb::Start | ProcessVerb::Restart => {}
            // Whatever restarts what fails leaves alone what was stopped.
            ProcessVerb::Stop => self.cluster.stop(who),
        }
        self.seen(control, began)
    }

    fn seen(&mut self, control: &Control, began: Micros) -> Result<Answer> {
        let seen = self.wait_until_controlled(control, began)?;
        let waited = u64::try_from(self.cluster.now() - began).ok().map(Duration::from_micros);
        Ok(Answer::Acted(Acted { message: seen.into(), waited }))
    }

    /// Ends a process as its supervisor does, and waits until it is gone.
    fn end(&mut self, who: NodeIndex, by: EndsBy) -> Result<()> {
        if self.cluster.node(who).process.is_none() {
            return Ok(());
        }
        let patience = match by {
            EndsBy::Sigterm => {
                self.cluster.signal(who, Signal::Term);
                STOP_TIMEOUT
            }
            EndsBy::Sigkill => GRACE,
        };
        let until = self.cluster.now().saturating_add(patience);
        while self.cluster.node(who).process.is_some() && self.cluster.now() < until {
            self.pass_until(until, |cluster| cluster.node(who).process.is_none())?;
        }
        self.cluster.signal(who, Signal::Kill);
        Ok(())
    }

    /// Looks each second until record and probe say that it is done, and says what they say then.
    fn wait_until_controlled(&mut self, control: &Control, began: Micros) -> Result<String> {
        let limit = micros(control.limit());
        loop {
            let finding = self.finding_in_time(&control.node)?;
            let record = self.recorded(&control.node);
            // A process that was to be replaced is there until it is.
            let is_new = control.verb != ProcessVerb::Restart || self.began_since(&control.node, began);
            let is_online = is_new && record.as_ref().is_none_or(|record| record.state == State::Online);
            let says =
                record.map_or("it has no record".to_owned(), |record| format!("its record says {}", record.state));
            match (control.verb, &finding) {
                (ProcessVerb::Start | ProcessVerb::Restart, ProbeFinding::State(State::Online)) if is_online => {
                    return Ok("online".to_owned());
                }
                (ProcessVerb::Stop, ProbeFinding::Refused) => return Ok(format!("stopped, {says}")),
                (
                    ProcessVerb::Start | ProcessVerb::Restart | ProcessVerb::Stop,
                    ProbeFinding::State(_)
                    | ProbeFinding::Refused
                    | ProbeFinding::Silent
                    | ProbeFinding::Other(_)
                    | ProbeFinding::Unknown(_),
                ) => {}
            }
            let waited = self.cluster.now() - began;
            if waited >= limit {
                let time = Duration::from_micros(u64::try_from(waited).unwrap_or(0));
                return Err(control.not_seen(time, &format!("a probe says {finding}, {says}"), &[]));
            }
            self.pass(EVERY.min(limit - waited))?;
        }
    }

    fn began_since(&self, node: &NodeRef, time: Micros) -> bool {
        let who = self.cluster.find(node.kind, &node.id);
        who.and_then(|who| self.cluster.node(who).process).is_some_and(|process| process.started >= time)
    }

    fn recorded(&self, node: &NodeRef) -> Option<Record> {
        let key = node.key();
        let found = self.cluster.get(&key)?;
        Record::parse(&key, found.value, found.mod_revision).ok()
    }
}

fn micros(time: Duration) -> Micros {
    Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX)
}
