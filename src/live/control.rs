//! Starting and stopping the processes of nodes by the commands of a profile, and seeing what came of it.
//!
//! What the commands say is not believed: tiup reports success for a node that it does not know, `systemctl` once a process
//! was begun. It is done when probe, record and start time say so. When they do not, the node's log and its supervisor are
//! asked why, and the other nodes whether one of them was started instead.

use crate::error::{Error, ErrorKind, Result};
use crate::live::clock::{Deadline, Stopwatch, unix_ms, wait};
use crate::live::seen::{CLOCKS_DIFFER, Expected};
use crate::live::{Live, nodes};
use crate::node::{NodeRef, RecordState, State};
use crate::node_control::{NodeControl, NodeInquiry, Preset};
use crate::text::on_one_line;
use crate::time::{Time, Zone};
use crate::world::{
    Ability, Acted, Answer, Control, Exec, Fence, Notice, Notices, ProbeFinding, ProcessVerb, ProgramEnd, Progress,
    Supervision,
};
use std::collections::BTreeMap;
use std::net::{IpAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// How often one looks.
const EVERY: Duration = Duration::from_millis(500);
/// How long a command may take that only tells something.
pub(super) const ASKING: Duration = Duration::from_secs(15);
/// How many lines of each answer are shown.
const LINES: usize = 5;
/// How long a line may be.
const LONGEST_LINE: usize = 300;
/// How ssh ends when it could not even log in.
const SSH_FAILED: i32 = 255;

/// When the process of each node began, by the node's own clock.
type StartTimes = BTreeMap<NodeRef, f64>;

impl Live {
    /// How each of `nodes` is started and stopped from here.
    ///
    /// # Errors
    /// `interrupted`, while a host's name is looked up.
    pub(super) fn supervisors(&mut self, nodes: &[NodeRef]) -> Result<Answer> {
        let Some(profile) = self.node_control.clone() else { return Ok(Answer::Supervision(vec![None; nodes.len()])) };
        let all = nodes.iter().map(|node| self.supervision(&profile, node).map(Some));
        Ok(Answer::Supervision(all.collect::<Result<_>>()?))
    }

    /// How `node` is started and stopped, and why not where its host is out of reach.
    fn supervision(&mut self, profile: &NodeControl, node: &NodeRef) -> Result<Supervision> {
        let between = self.settings.addresses.lead(&node.address).ok().flatten();
        let supervision = Supervision { between, ..profile.supervision(node) };
        let Some(host) = profile.host_of_this(node) else { return Ok(supervision) };
        if self.is_this_host(&host)? {
            return Ok(supervision);
        }
        let cannot = || Ability::Cannot(format!("its host {host} is not this one"));
        Ok(Supervision { start: cannot(), stop: cannot(), restart: cannot(), ..supervision })
    }

    /// Whether `host` is this host: only an address of one's own can be listened on.
    pub(super) fn is_this_host(&mut self, host: &str) -> Result<bool> {
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_own = |address: IpAddr| UdpSocket::bind((address, 0)).is_ok();
        match host.parse::<IpAddr>() {
            Ok(address) => Ok(is_own(address)),
            Err(_) => {
                self.run(|cluster| async move { Ok(cluster.nodes.addresses_of(&host).await.into_iter().any(is_own)) })
            }
        }
    }

    /// Does what `control` says, and waits until it is seen to be done.
    ///
    /// # Errors
    /// `refused` where nothing does that to this node; `not_found` or `local` when the command cannot be started, `failed` or
    /// `unreachable` when it ends otherwise than well, `timeout` when what it was to do is not seen, `lock_lost`,
    /// `interrupted`.
    pub(super) fn control(&mut self, control: &Control, fence: Option<&Fence>) -> Result<Answer> {
        let Control { node, verb, .. } = control;
        let cannot = |why: &str| Error::refused(format!("cannot {verb} {node}: {why}"));
        let nobody = || cannot("the profile does not say what starts and stops nodes");
        let profile = self.node_control.clone().ok_or_else(nobody)?;
        if let Ability::Cannot(why) = self.supervision(&profile, node)?.ability(*verb) {
            return Err(cannot(why));
        }
        let exec = profile.command(*verb, node).map_err(|why| cannot(&why))?;
        let (watch, began) = (Stopwatch::start(), unix_ms() as f64 / 1000.0);
        let others = self.start_times(node)?;
        let expected = self.look_at_one(Expected::of(node, *verb != ProcessVerb::Stop), true)?;
        if *verb == ProcessVerb::Start && expected.finding == Some(ProbeFinding::State(State::Online)) {
            return Ok(Answer::Acted(Acted::said("it runs already")));
        }
        if let Some(fence) = fence.cloned() {
            // What a supervisor is told cannot be fenced: the lock's key is looked at right before.
            self.run(|cluster| async move { cluster.lock.confirm(&fence).await })?;
        }
        (self.notices)(Notice::Changed(format!("{verb} {}: {exec}", node.id)));
        let notices = self.notices.clone();
        let deadline = Deadline::after(control.limit());
        let run = self.run_program(&Exec { timeout: Some(deadline.left()), ..exec.clone() }, &notices);
        self.ended_well(control, &profile, &exec, run)?;
        let seen = self.look_until_controlled(control, expected, (deadline, &watch));
        (self.notices)(Notice::ProgressEnd);
        match seen.map_err(|error| not_looked(control, error))? {
            Ok(seen) => Ok(Answer::Acted(Acted { message: seen.into(), waited: Some(watch.elapsed()) })),
            Err(missing) => {
                let mut more = self.started_instead(node, &others, began).unwrap_or_default();
                more.extend(self.inquire(&profile, node));
                Err(control.not_seen(watch.elapsed(), &missing, &more))
            }
        }
    }

    /// Makes sure that the command did its part. Where it ran and failed, or took too long, the node's own side is asked, too; one
    /// that ssh does not get to is not asked again.
    fn ended_well(
        &mut self,
        control: &Control,
        profile: &NodeControl,
        exec: &Exec,
        run: Result<ProgramEnd>,
    ) -> Result<()> {
        let Control { node, verb, .. } = control;
        match run {
            Ok(ended) if ended.status == 0 => Ok(()),
            Ok(ended) => {
                let is_away = ended.status == SSH_FAILED && profile.by == Preset::SystemdSsh;
                let more = if is_away { Vec::new() } else { self.inquire(profile, node) };
                Err(ended_badly(control, exec, (&ended, is_away), &more))
            }
            Err(error) if error.kind.is_fatal() => Err(error),
            Err(error) => {
                let more = if error.kind == ErrorKind::Timeout { self.inquire(profile, node) } else { Vec::new() };
                let message = format!("cannot {verb} {node}: {}{}", error.message, below(&more));
                Err(Error { message, ..error })
            }
        }
    }

    /// What was seen when it was done, or what is still missing when its time is over.
    fn look_until_controlled(
        &mut self,
        control: &Control,
        mut one: Expected,
        (deadline, watch): (Deadline, &Stopwatch),
    ) -> Result<std::result::Result<String, String>> {
        let Control { node, verb, .. } = control;
        loop {
            one = self.look_at_one(one, false)?;
            match missing(&one, *verb) {
                None => return Ok(Ok(seen(&one, *verb))),
                Some(missing) if deadline.is_over() => return Ok(Err(missing)),
                Some(missing) => {
                    let what = format!("waiting until {verb} {} is done", node.id);
                    let progress =
                        Progress { seen: missing, held_up_by: Some(node.id.to_string()), ..Progress::of(what) };
                    (self.notices)(Notice::Progress(progress.after(watch.elapsed(), control.limit())));
                }
            }
            wait(EVERY, &self.interrupt)?;
        }
    }

    /// When the process of every node but `except` began, as far as they say.
    fn start_times(&mut self, except: &NodeRef) -> Result<StartTimes> {
        let except = except.clone();
        self.run(|cluster| async move {
            let Some(listing) = cluster.list_soon().await else { return Ok(StartTimes::new()) };
            let others = listing.records.into_iter().map(|record| record.node);
            let others: Vec<NodeRef> =
                others.filter(|node| (node.kind, &node.id) != (except.kind, &except.id)).collect();
            let ask = |node: NodeRef| {
                let cluster = cluster.clone();
                async move {
                    let started = nodes::started_at(&cluster.nodes, &node).await;
                    started.ok().map(|started| (node, started.at))
                }
            };
            Ok(nodes::each(&others, ask).await?.into_iter().flatten().collect())
        })
    }

    /// The nodes that were started since it `began` (seconds since 1970, by our clock), though none of them was meant. Of one that said
    /// nothing before, its own clock tells.
    fn started_instead(&mut self, meant: &NodeRef, before: &StartTimes, began: f64) -> Result<Vec<String>> {
        let now = self.start_times(meant)?;
        let is_new = |(node, at): &(&NodeRef, &f64)| **at > *before.get(*node).unwrap_or(&(began - CLOCKS_DIFFER));
        let line = |(node, at): (&NodeRef, &f64)| {
            let at = Time::new((at * 1000.0) as i64, Zone::Utc);
            format!(
                "{node} was started instead, at {at}: what the command names is not what the profile means by {}",
                meant.id
            )
        };
        Ok(now.iter().filter(is_new).map(line).collect())
    }

    /// What the node's supervisor says of it, and what its log says last, a line each; also why they cannot be had.
    fn inquire(&mut self, profile: &NodeControl, node: &NodeRef) -> Vec<String> {
        let mut lines = Vec::new();
        for NodeInquiry { is_log, exec } in profile.inquiries(node) {
            let exec = Exec { timeout: Some(ASKING), ..exec };
            let unheard: Notices = Arc::new(|_| {});
            let what = if is_log { "its log" } else { "its supervisor" };
            match self.run_program(&exec, &unheard) {
                Ok(ProgramEnd { status: 0, stdout, .. }) => {
                    let is_error = |line: &&str| !is_log || line.contains("[FATAL]") || line.contains("[ERROR]");
                    let said: Vec<&str> =
                        stdout.lines().filter(|line| !line.trim().is_empty()).filter(is_error).collect();
                    match said.is_empty() {
                        true => lines.push(format!("{what} says nothing of an error")),
                        false if is_log => lines.extend(last(&said).map(|line| format!("{what}: {line}"))),
                        false => lines.push(format!("{what}: {}", last(&said).collect::<Vec<_>>().join(", "))),
                    }
                }
                Ok(ProgramEnd { stderr, .. }) => {
                    let said: Vec<&str> = stderr.lines().filter(|line| !line.trim().is_empty()).collect();
                    lines.push(format!("{what} could not be asked: {}", last(&said).collect::<Vec<_>>().join(" | ")));
                }
                Err(error) => lines.push(format!("{what} could not be asked: {}", error.message)),
            }
        }
        lines
    }
}

/// What is still missing until `verb` is done.
fn missing(one: &Expected, verb: ProcessVerb) -> Option<String> {
    if let Some(missing) = &one.missing {
        return Some(missing.text.clone());
    }
    let finding = one.finding.as_ref().map(ToString::to_string).unwrap_or_default();
    match (verb, &one.finding, &one.record) {
        (ProcessVerb::Stop, ..) => None,
        (
            ProcessVerb::Start | ProcessVerb::Restart,
            Some(ProbeFinding::State(State::Online)),
            Some(RecordState::Known(State::Online)),
        ) => None,
        (ProcessVerb::Start | ProcessVerb::Restart, _, Some(record)) => {
            Some(format!("a probe says {finding}, its record says {record}"))
        }
        (ProcessVerb::Start | ProcessVerb::Restart, _, None) => {
            Some(format!("a probe says {finding}, its record is not there or cannot be read"))
        }
    }
}

/// Whoever is stopped while they look is told what was done by then.
fn not_looked(control: &Control, error: Error) -> Error {
    let Control { node, verb, .. } = control;
    let message =
        format!("{}; the command to {verb} {node} had ended well, and what came of it was not seen", error.message);
    Error { message, ..error }.hint(format!("probe the node: `probe(\"{}\")`", on_one_line(&node.id)))
}

/// What was seen when it was done.
fn seen(one: &Expected, verb: ProcessVerb) -> String {
    match (verb, &one.record) {
        (ProcessVerb::Start | ProcessVerb::Restart, _) => "online".to_owned(),
        (ProcessVerb::Stop, None) if !one.is_listed => "stopped, its record cannot be read".to_owned(),
        (ProcessVerb::Stop, None) => "stopped, it has no record".to_owned(),
        (ProcessVerb::Stop, Some(record)) if *record == State::Online => {
            format!("stopped, its record says {record}: it was killed")
        }
        (ProcessVerb::Stop, Some(record)) => format!("stopped, its record says {record}"),
    }
}

/// Lines below a message.
fn below(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  {line}")).collect()
}

/// The error of a command that failed; it may not even have come to the node's host.
fn ended_badly(control: &Control, exec: &Exec, (ended, is_away): (&ProgramEnd, bool), more: &[String]) -> Error {
    let Control { node, verb, .. } = control;
    let said: Vec<&str> = ended.stderr.lines().filter(|line| !line.trim().is_empty()).collect();
    let (said, more) = (below(&last(&said).collect::<Vec<_>>()), below(more));
    let (kind, hint) = match is_away {
        true => (
            ErrorKind::Unreachable,
            "ssh must log in without a question: try this command by hand. A host's key that is not known, or has changed, is \
             never taken here: see that it is the right one, and add it to the known hosts",
        ),
        false => (ErrorKind::Failed, "what it had done by then stays done: look at the node before you try again"),
    };
    let how = match ended.status {
        status @ 0.. => format!("ended with exit code {status}"),
        signal => format!("was ended by signal {}", signal.saturating_neg()),
    };
    Error::new(kind, format!("cannot {verb} {node}: {exec} {how}{said}{more}")).hint(hint)
}

/// The last few lines, as a message may hold them.
fn last<'a>(lines: &'a [&'a str]) -> impl Iterator<Item = String> + 'a {
    let cut = |line: &&str| on_one_line(&line.chars().take(LONGEST_LINE).collect::<String>()).into_owned();
    lines[lines.len().saturating_sub(LINES)..].iter().map(cut)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interrupt::Interrupt;
    use crate::live::LiveSettings;
    use crate::node::Kind;

    fn live() -> Live {
        let settings = LiveSettings::new(&["127.0.0.1:1"], None).unwrap();
        Live::new(settings, Arc::new(|_| {}), Interrupt::default(), None)
    }

    #[test]
    fn only_an_address_of_our_own_is_this_host() {
        let mut live = live();
        for own in ["127.0.0.1", "127.9.9.9", "localhost"] {
            assert!(live.is_this_host(own).unwrap(), "{own}");
        }
        // Addresses that are for documentation, which nobody has.
        for other in ["192.0.2.1", "2001:db8::1", "[2001:db8::1]", "no-such-host.invalid"] {
            assert!(!live.is_this_host(other).unwrap(), "{other}");
        }
    }

    #[test]
    fn systemd_of_this_host_is_not_told_about_nodes_of_others() {
        let (mut live, control) = (live(), NodeControl::new(Preset::Systemd));
        let node = |address: &str| NodeRef { kind: Kind::Pump, id: "p".into(), address: address.into() };
        assert!(live.supervision(&control, &node("127.0.0.1:8250")).unwrap().can(ProcessVerb::Stop));
        let elsewhere = Ability::Cannot("its host 192.0.2.1 is not this one".to_owned());
        assert_eq!(live.supervision(&control, &node("192.0.2.1:8250")).unwrap().stop, elsewhere);
    }
}
