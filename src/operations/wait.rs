//! Waiting for the truth: not for what a record says alone, but for what the node itself shows.

use crate::error::{Error, ErrorKind, Result};
use crate::node::{NodeRef, Record, RecordState, State};
use crate::operations::look::{probes, reference};
use crate::operations::{Course, Example, Function, Group, Operation, Param, Returns, Type};
use crate::time::show_seconds;
use crate::value::Value;
use crate::world::{Awaited, Gate, Listing, Notice, ProbeFinding, Progress, read};
use std::collections::VecDeque;
use std::time::Duration;

/// How long `wait_for` waits when it is not told.
pub(super) const DEFAULT_WAIT: Duration = Duration::from_secs(5 * 60);

/// A shorter sleep is over before anybody wonders.
const WORTH_TELLING: Duration = Duration::from_secs(2);

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "wait_for",
            group: Group::Wait,
            params: &[
                Param::new("node", Type::Node(None)),
                Param::new("state", Type::State),
                Param::optional("timeout", Type::Duration),
            ],
            returns: Returns::Number,
            course: &[Course::Probes, Course::Waits],
            about: "Waits until a node really is in a state, five minutes at most if not told otherwise.\n\nReturns \
                    the seconds that it waited. `online`: record and probe both say so. `paused`, `offline`: the \
                    record says so and the process is gone. `closing`, `pausing`: the probe says so. Errors: \
                    `timeout`, saying what record and probe show instead, and for a closing Pump which Drainer it \
                    waits for; `conflict` when the state cannot come any more, such as `paused` of a Pump that \
                    closes.",
            example: Example::new("pause_pump(\"pump-1\");\nwait_for(\"pump-1\", \"paused\", \"1m\")"),
            ..Function::BASE
        },
        call: |gate, args| {
            let node = reference(gate, args, "node", None)?;
            let state = args.state("state").ok_or_else(|| Error::internal("`state` is not required by its row"))?;
            let waited = until(gate, &Goal { node, state }, args.duration("timeout").unwrap_or(DEFAULT_WAIT))?;
            // By milliseconds: a fraction of so many digits would not be the same again.
            Ok((waited.as_millis() as f64 / 1000.0).into())
        },
    },
    Operation {
        function: Function {
            name: "sleep",
            group: Group::Wait,
            params: &[Param::new("time", Type::Duration)],
            course: &[Course::Waits],
            about: "Waits for a time. Prefer `wait_for` and `wait_until`, which know what they wait for.\n\nA run \
                    that is resumed sleeps again, whole, what it slept since its last change or answer.",
            example: Example::new("sleep(\"2s\")"),
            ..Function::BASE
        },
        call: |gate, args| {
            let time = args.duration("time").unwrap_or_default();
            let is_told = time >= WORTH_TELLING;
            if is_told {
                gate.tell(Notice::Sleeping(time));
            }
            let slept = gate.ask(read::Sleep { time });
            if is_told {
                gate.tell(Notice::ProgressEnd);
            }
            slept.map(|_| Value::Unit)
        },
    },
];

/// A node that is to be in a state.
pub(super) struct Goal {
    /// The node.
    pub node: NodeRef,
    /// The state.
    pub state: State,
}

impl Goal {
    fn met(&self, record: Option<&Record>, probe: &ProbeFinding) -> bool {
        let says = |state| record.is_some_and(|record| record.state == state);
        match self.state {
            State::Online => says(State::Online) && *probe == ProbeFinding::State(State::Online),
            State::Paused | State::Offline => says(self.state) && *probe == ProbeFinding::Refused,
            State::Pausing | State::Closing => *probe == ProbeFinding::State(self.state),
        }
    }

    /// Why it cannot come any more, unless somebody does something else first: a node that closes never pauses, and one
    /// that is gone is in no other state than its record says, unless it is started.
    fn never(&self, record: Option<&Record>, probe: &ProbeFinding) -> Option<String> {
        let pauses = matches!(self.state, State::Pausing | State::Paused);
        let closes = matches!(self.state, State::Closing | State::Offline);
        match (probe, record.map(|record| &record.state)) {
            (ProbeFinding::State(State::Closing), _) if pauses => {
                Some("it is closing, and goes offline in the end".to_owned())
            }
            (ProbeFinding::Refused, Some(RecordState::Known(State::Offline)))
                if pauses || self.state == State::Closing =>
            {
                Some("it is offline already, and has no process".to_owned())
            }
            (ProbeFinding::Refused, Some(RecordState::Known(State::Paused)))
                if closes || self.state == State::Pausing =>
            {
                Some("it is paused, and has no process: only one that runs can close".to_owned())
            }
            _ => None,
        }
    }

    /// What somebody has to do before it comes, as far as that can be seen.
    fn needs(&self, probe: &ProbeFinding, blocked: Option<&Awaited>) -> Option<String> {
        let repair = self.node.kind.name();
        match probe {
            ProbeFinding::Refused if self.state == State::Online => {
                Some("it has no process, and has to be started".into())
            }
            ProbeFinding::Refused => Some(format!(
                "it has no process; start it and tell it again, or see help(\"update_{repair}\") if it is gone for good"
            )),
            ProbeFinding::State(State::Closing) if self.state == State::Online => {
                Some("it is closing, and goes offline in the end".into())
            }
            ProbeFinding::State(_) => {
                let stands = blocked.filter(|blocked| blocked.state != State::Online)?;
                Some(format!("{}, which is {}, has to be started and to read on", stands.drainer.id, stands.state))
            }
            ProbeFinding::Silent | ProbeFinding::Other(_) | ProbeFinding::Unknown(_) => None,
        }
    }
}

/// Waits until `goal` is met, `patience` at most; returns how long it took.
///
/// # Errors
/// `timeout` with what record and probe show, and those of looking; a listing that fails meanwhile is looked at again.
pub(super) fn until(gate: &mut dyn Gate, goal: &Goal, patience: Duration) -> Result<Duration> {
    let began = gate.monotonic_ms()?;
    let waited = |now: i64| Duration::from_millis(u64::try_from(now - began).unwrap_or(0));
    gate.wait_begins()?;
    let outcome = look_until(gate, goal, patience, waited);
    gate.wait_ends();
    gate.tell(Notice::ProgressEnd);
    outcome
}

/// Looks again and again, until `goal` is met or patience is over; `waited` says how long a time of the clock is.
fn look_until(
    gate: &mut dyn Gate,
    goal: &Goal,
    patience: Duration,
    waited: impl Fn(i64) -> Duration,
) -> Result<Duration> {
    let mut drain = Drain::default();
    let mut has_closed = false;
    loop {
        let mut glance = glance(gate, goal)?;
        if goal.state == State::Offline && has_closed && glance.is_online {
            let forgot = "it closed, was started again meanwhile, and has forgotten that it was to close";
            glance.never = Some(forgot.to_owned());
        }
        has_closed |= glance.closes;
        let elapsed = waited(gate.monotonic_ms()?);
        if glance.met {
            return Ok(elapsed);
        }
        let seen = &glance.seen;
        if elapsed >= patience {
            let waited = show_seconds(elapsed.as_secs_f64());
            let blocked = glance.blocked.map_or(Ok(String::new()), |blocked| told(gate, blocked))?;
            return Err(Error::new(
                ErrorKind::Timeout,
                format!("{} is not {} after {waited}: {seen}{blocked}", goal.node, goal.state),
            )
            .hint(match glance.needs {
                Some(needs) => format!("it does not get there by itself: {needs}"),
                None => format!("it may still get there: probe(\"{}\") tells what it is doing", goal.node.id),
            }));
        }
        if let Some(never) = &glance.never {
            let then = if has_closed { "close it again" } else { "find out who did that before you go on" };
            return Err(Error::new(ErrorKind::Conflict, format!("{} will not be {}: {never}", goal.node, goal.state))
                .hint(format!("{seen}: {then}")));
        }
        let held_up = glance.blocked.map(|blocked| {
            let nearer = drain.look(elapsed, blocked.behind);
            (blocked.drainer.id.to_string(), format!("{}{nearer}", blocked.text))
        });
        let (held_up_by, figures) = held_up.unzip();
        let what = format!("waiting for {} to be {}", goal.node.id, goal.state);
        let progress =
            Progress { seen: seen.clone(), held_up_by, figures: figures.unwrap_or_default(), ..Progress::of(what) };
        gate.tell(Notice::Progress(progress.after(elapsed, patience)));
        pause(gate, glance.revision, elapsed, patience - elapsed)?;
        gate.wait_goes_on();
    }
}

/// Waits until a record changes, or a while that grows with the time already waited.
fn pause(gate: &mut dyn Gate, revision: Option<i64>, elapsed: Duration, left: Duration) -> Result<()> {
    let while_ = (elapsed / 20).clamp(Duration::from_millis(250), Duration::from_secs(5)).min(left);
    let paused = match revision {
        Some(after) => gate.ask(read::Changes { after, patience: while_ }).map(drop),
        None => gate.ask(read::Sleep { time: while_ }),
    };
    match paused {
        Err(error) if !passing(&error) => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Faults of a moment, which a wait outlives.
fn passing(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Timeout)
}

/// How long PD may be gone for a moment, before the work of a human begins.
const MOMENT: Duration = Duration::from_secs(60);

/// All records; a moment without an answer is outlived.
///
/// # Errors
/// Those of the listing.
pub(super) fn look_patiently(gate: &mut dyn Gate) -> Result<Listing> {
    match gate.listing() {
        Err(error) if passing(&error) => {}
        looked => return looked,
    }
    let began = gate.monotonic_ms()?;
    gate.wait_begins()?;
    let looked = look_again(gate, began);
    gate.wait_ends();
    gate.tell(Notice::ProgressEnd);
    looked
}

fn look_again(gate: &mut dyn Gate, began: i64) -> Result<Listing> {
    loop {
        let error = match gate.listing() {
            Err(error) if passing(&error) => error,
            looked => return looked,
        };
        let waited = Duration::from_millis(u64::try_from(gate.monotonic_ms()? - began).unwrap_or(0));
        if waited >= MOMENT {
            return Err(error);
        }
        let progress = Progress::of("waiting for an answer").figures(error.to_string());
        gate.tell(Notice::Progress(progress.after(waited, MOMENT)));
        gate.ask(read::Sleep { time: Duration::from_secs(1) })?;
        gate.wait_goes_on();
    }
}

/// How fast the one that a Pump waits for comes nearer, by the looks of the last minute.
#[derive(Default)]
struct Drain(VecDeque<(Duration, f64)>);

/// How long a way is looked at, and from which length on something is said of it.
const LAST_MINUTE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(10));

impl Drain {
    /// It is so far `behind` just now, in seconds. What is to be said of its way, to be put behind how far it is.
    fn look(&mut self, elapsed: Duration, behind: f64) -> String {
        self.0.push_back((elapsed, behind));
        while self.0.front().is_some_and(|(at, _)| elapsed - *at > LAST_MINUTE.0) {
            self.0.pop_front();
        }
        let Some(rate) = self.rate(0).filter(|_| elapsed - self.0[0].0 >= LAST_MINUTE.1) else { return String::new() };
        if rate <= 0.0 {
            return ", and comes no nearer".to_owned();
        }
        // An estimate is worth something where the way is even.
        let later = self.rate(self.0.len() / 2).unwrap_or(rate);
        let is_even = (later / rate - 1.0).abs() < 0.25;
        let left =
            if is_even { format!(": about {} left", show_seconds((behind / rate).round())) } else { String::new() };
        format!(", {rate:.1}s nearer each second{left}")
    }

    /// Seconds nearer in a second, from the look at `from` on.
    fn rate(&self, from: usize) -> Option<f64> {
        let (first, last) = (self.0.get(from)?, self.0.back()?);
        let time = (last.0 - first.0).as_secs_f64();
        (time > 0.0).then(|| (first.1 - last.1) / time)
    }
}

/// What one look shows.
#[derive(Default)]
struct Glance {
    /// Whether the goal is met.
    met: bool,
    /// What record and probe show.
    seen: String,
    /// For whom a closing Pump has to wait.
    blocked: Option<Awaited>,
    /// Why it cannot come any more, unless it is begun anew.
    never: Option<String>,
    /// Whether the node itself says that it closes, or that it is online.
    closes: bool,
    is_online: bool,
    /// What somebody has to do before it comes.
    needs: Option<String>,
    /// The revision of the listing.
    revision: Option<i64>,
}

fn glance(gate: &mut dyn Gate, goal: &Goal) -> Result<Glance> {
    let listing = match gate.listing() {
        Ok(listing) => listing,
        Err(error) if passing(&error) => {
            return Ok(Glance { seen: error.to_string(), ..Glance::default() });
        }
        Err(error) => return Err(error),
    };
    let record = listing.find(goal.node.kind, &goal.node.id);
    let asked = record.map_or_else(|| goal.node.clone(), |record| record.node.clone());
    let probe = probe_of(gate, asked)?;
    let says = record.map_or("there is no record".to_owned(), |record| format!("its record says {}", record.state));
    let closing = record.filter(|_| probe == ProbeFinding::State(State::Closing));
    let blocked = closing.and_then(|pump| Awaited::by(pump, &listing));
    Ok(Glance {
        met: goal.met(record, &probe),
        needs: goal.needs(&probe, blocked.as_ref()),
        never: goal.never(record, &probe),
        seen: format!("{says}, a probe {}", probe_words(&probe)),
        closes: probe == ProbeFinding::State(State::Closing),
        is_online: probe == ProbeFinding::State(State::Online),
        blocked,
        revision: Some(listing.revision),
    })
}

fn probe_of(gate: &mut dyn Gate, node: NodeRef) -> Result<ProbeFinding> {
    let nobody = || Error::internal("a probe of one node has no finding");
    Ok(probes(gate, vec![node])?.pop().ok_or_else(nobody)?.finding)
}

fn probe_words(probe: &ProbeFinding) -> String {
    match probe {
        ProbeFinding::State(state) => format!("says {state}"),
        ProbeFinding::Refused => "is refused (no process)".into(),
        ProbeFinding::Silent => "gets no answer (starting or hung)".into(),
        ProbeFinding::Other(id) => format!("is answered by another node ({id})"),
        ProbeFinding::Unknown(why) => format!("tells nothing ({why})"),
    }
}

/// For whom a Pump waited in vain, and what a probe of it shows.
fn told(gate: &mut dyn Gate, blocked: Awaited) -> Result<String> {
    let probe = probe_of(gate, blocked.drainer)?;
    Ok(format!("; {}; a probe of it {}", blocked.text, probe_words(&probe)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said at the last of these looks, each some seconds after the wait began and so far behind.
    fn said(looks: &[(u64, f64)]) -> String {
        let mut drain = Drain::default();
        looks.iter().map(|(at, behind)| drain.look(Duration::from_secs(*at), *behind)).last().unwrap()
    }

    #[test]
    fn the_way_of_who_is_waited_for_is_told_once_it_can_be_seen() {
        assert_eq!(said(&[(0, 300.0), (5, 290.0)]), "");
        let even: Vec<(u64, f64)> = (0..=40).map(|at| (at * 5, 1000.0 - at as f64 * 10.0)).collect();
        assert_eq!(said(&even), ", 2.0s nearer each second: about 5m00s left");
        assert_eq!(said(&[(0, 300.0), (10, 290.0), (20, 100.0)]), ", 10.0s nearer each second");
        assert_eq!(said(&[(0, 300.0), (10, 300.0), (20, 310.0)]), ", and comes no nearer");
        // What was long ago says nothing of now.
        assert_eq!(
            said(&[(0, 9000.0), (100, 60.0), (110, 50.0), (120, 40.0)]),
            ", 1.0s nearer each second: about 40s left"
        );
    }
}
