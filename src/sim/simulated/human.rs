//! The human: what they are asked, and what they are asked to do; and programs, of which only the declared effect happens.

use super::Simulated;
use crate::error::{Error, Result};
use crate::node::{NodeRef, Record};
use crate::secret::{IV_LENGTH, Secret, encrypt};
use crate::sim::clock::{Micros, SECOND};
use crate::sim::log::LogEvent;
use crate::sim::process::{NodeIndex, Signal};
use crate::sim::scenario::{Fault, Span};
use crate::time::show_seconds;
use crate::world::{
    Answer, Choice, Exec, FaultKind, Manual, Play, ProbeFinding, ProgramEnd, Question, TidbBinlog, Unseen,
};
use std::time::Duration;

/// What a human takes for what they are asked, where the script does not say.
const MANUAL: Duration = Duration::from_secs(60);
/// What a program takes, where the script does not say.
const EXEC: Duration = Duration::from_secs(10);
/// How often it is looked whether what the human did can be seen.
const EVERY: Micros = SECOND;

/// What the simulator did of `manual`, for those who sit at the sandbox and can do nothing by hand.
fn in_your_place(manual: &Manual) -> String {
    let ids = |nodes: &[NodeRef]| nodes.iter().map(|node| node.id.as_str()).collect::<Vec<_>>().join(", ");
    let nodes = [("stops", &manual.stops), ("starts", &manual.starts), ("frees disk space on", &manual.frees)];
    let mut done: Vec<String> = nodes
        .iter()
        .filter(|(_, nodes)| !nodes.is_empty())
        .map(|(what, nodes)| format!("{what} {}", ids(nodes)))
        .collect();
    if let Some(binlog) = manual.tidb {
        done.push(format!("turns TiDB's binlog {}", if binlog == TidbBinlog::Off { "off" } else { "on" }));
    }
    let took = show_seconds(manual.takes.unwrap_or(MANUAL).as_secs_f64());
    if let Some(new) = &manual.changefeed {
        done.push(format!("creates {new}"));
    }
    match done.is_empty() {
        true => format!("(the sandbox takes it as done after {took}: nothing is declared that it would start or stop)"),
        false => format!("(the sandbox does it for you, in {took}: it {})", done.join(", ")),
    }
}

impl Simulated {
    pub(super) fn ask(&mut self, question: &Question) -> Result<Answer> {
        match &mut self.console {
            Some(console) => console.ask(question).map(Answer::Chosen),
            None if self.cluster.outside.human_refuses > self.cluster.now() => Ok(Answer::Chosen(Choice::No)),
            None => Ok(Answer::Chosen(Choice::Yes)),
        }
    }

    pub(super) fn read_secret(&mut self, prompt: &str) -> Result<Answer> {
        match &mut self.console {
            Some(console) => console.secret(prompt).map(Answer::Secret),
            None => Ok(Answer::Secret(Secret::Plain(Secret::MADE_UP.to_owned()))),
        }
    }

    pub(super) fn encrypt(&mut self, text: &Secret) -> Result<Answer> {
        self.encrypted = self.encrypted.wrapping_add(1);
        let spread = self.encrypted.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        let iv: [u8; IV_LENGTH] = spread.to_be_bytes();
        encrypt(self.secret_key.as_deref(), iv, text).map(Answer::Text)
    }

    /// Does what the human is asked: nothing for a while, then everything at once. It is over, as in a run, when a look
    /// finds those that were started answering and those that were stopped gone.
    pub(super) fn manual(&mut self, manual: &Manual) -> Result<Answer> {
        let (outside, now) = (self.cluster.outside, self.cluster.now());
        if outside.human_refuses > now {
            return Err(Error::refused(format!("you said that it is not done: {}", manual.text)));
        }
        let takes = Micros::try_from(manual.takes.unwrap_or(MANUAL).as_micros()).unwrap_or(Micros::MAX);
        self.pass_until(now.saturating_add(takes).max(outside.slow_human), |_| false)?;
        self.restart(&manual.stops, &manual.starts)?;
        for node in &manual.retires {
            let who = self.who(node)?;
            self.cluster.note(LogEvent::Retired(who));
        }
        for node in &manual.frees {
            if let NodeIndex::Pump(pump) = self.who(node)? {
                self.cluster.free_disk(pump);
            }
        }
        if let Some(binlog) = manual.tidb {
            self.cluster.set_tidb_binlog(binlog);
        }
        let refused = manual.changefeed.as_ref().and_then(|new| self.cluster.create_changefeed(new).err());
        self.wait_until_seen(manual, refused.as_deref())?;
        if let Some(console) = &mut self.console {
            console.tell(&in_your_place(manual));
        }
        Ok(Answer::Done)
    }

    /// Looks each second until what was done is seen, as a run does once it was said to be done.
    fn wait_until_seen(&mut self, manual: &Manual, refused: Option<&str>) -> Result<()> {
        let said = self.cluster.now();
        let limit = Micros::try_from(manual.limit().as_micros()).unwrap_or(Micros::MAX);
        loop {
            let mut unseen = self.unseen(manual)?;
            let there = self.cluster.changefeeds().changefeeds;
            unseen.extend(manual.changefeed.as_ref().and_then(|new| new.missing(&there, refused)));
            let waited = self.cluster.now() - said;
            let time = Duration::from_micros(u64::try_from(waited).unwrap_or(0));
            if unseen.is_empty() || (time >= Manual::AFTER_WORD && Unseen::word_has_to_do(&unseen)) {
                return Ok(());
            }
            if waited >= limit {
                return Err(manual.not_seen(time, &unseen));
            }
            self.pass(EVERY.min(limit - waited))?;
        }
    }

    /// Those that probes, one after the other, do not find started or stopped.
    fn unseen(&mut self, manual: &Manual) -> Result<Vec<Unseen>> {
        let starts = manual.starts.iter().map(|node| (node, true));
        let mut unseen = Vec::new();
        for (node, starts) in starts.chain(manual.stops.iter().map(|node| (node, false))) {
            let finding = self.finding_in_time(node)?;
            let what = match (&finding, starts) {
                (ProbeFinding::State(_), true) | (ProbeFinding::Refused, false) => continue,
                (_, true) => "does not answer yet",
                (_, false) => "still has a process",
            };
            let key = node.key();
            let record = self.cluster.get(&key);
            let record = record.and_then(|found| Record::parse(&key, found.value, found.mod_revision).ok());
            let says =
                record.map_or("it has no record".to_owned(), |record| format!("its record says {}", record.state));
            let text = format!("{} {} {what} (a probe says {finding}, {says})", node.kind, node.id);
            unseen.push(Unseen { text, can_be_seen: !matches!(finding, ProbeFinding::Unknown(_)) });
        }
        Ok(unseen)
    }

    /// Executes nothing: what the program is said to do happens after the time that it is said to take.
    pub(super) fn exec(&mut self, exec: &Exec) -> Result<Answer> {
        self.pass(Micros::try_from(exec.takes.unwrap_or(EXEC).as_micros()).unwrap_or(Micros::MAX))?;
        self.restart(&exec.stops, &exec.starts)?;
        if let Some(Err(stderr)) = exec.changefeed.as_ref().map(|new| self.cluster.create_changefeed(new)) {
            return Ok(Answer::Ran(ProgramEnd { status: 1, stdout: String::new(), stderr }));
        }
        Ok(Answer::Ran(ProgramEnd { status: 0, stdout: String::new(), stderr: String::new() }))
    }

    /// Stops and starts these processes.
    fn restart(&mut self, stops: &[NodeRef], starts: &[NodeRef]) -> Result<()> {
        for node in stops {
            let who = self.who(node)?;
            self.cluster.stop(who);
        }
        for node in starts {
            let who = self.cluster.find_or_add(node);
            self.cluster.start(who, Some(&node.address));
        }
        Ok(())
    }

    pub(super) fn play(&mut self, play: &Play) -> Result<Answer> {
        match play {
            Play::Kill { node } => self.signal(node, Signal::Kill)?,
            Play::Hang { node } => self.signal(node, Signal::Stop)?,
            Play::Fault { kind, node, after, lasts } => {
                let of_key = *kind == FaultKind::MalformedKey;
                self.cluster.add_fault(Fault {
                    kind: *kind,
                    node: node.as_ref().filter(|_| !of_key).map(|node| node.id.clone()),
                    node_kind: node.as_ref().map(|node| node.kind),
                    after: Span(*after),
                    lasts: lasts.map(Span),
                })?;
            }
        }
        Ok(Answer::Done)
    }

    fn signal(&mut self, node: &NodeRef, signal: Signal) -> Result<()> {
        let who = self.who(node)?;
        if self.cluster.node(who).process.is_none() {
            return Err(
                Error::invalid(format!("{node} has no process")).hint(format!("start(\"{}\") starts it", node.id))
            );
        }
        self.cluster.signal(who, signal);
        Ok(())
    }

    pub(super) fn who(&self, node: &NodeRef) -> Result<NodeIndex> {
        self.cluster.find(node.kind, &node.id).ok_or_else(|| {
            Error::not_found(format!("the simulated cluster has no {} {}", node.kind, node.id))
                .hint("pumps() and drainers() list what it has")
        })
    }
}
