//! What became of a change that began and is not known to be done.

use crate::error::{ErrorKind, Result};
use crate::node::{NodeRef, Record, RecordState, State, WRITES_WITHIN};
use crate::time::{Time, Zone};
use crate::world::{
    Acted, Action, Answer, Change, Control, Exec, Manual, NewChangefeed, ProbeFinding, ProcessVerb, ProgramEnd, World,
    read,
};

/// What became of a change that began.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It was done: with this answer it would have ended.
    Done {
        /// The answer, as far as it can still be known.
        answer: Answer,
        /// Why that is certain.
        evidence: String,
    },
    /// It was not done, or doing it again is the same as having done it once.
    Undone {
        /// Why that is certain.
        evidence: String,
    },
    /// Nobody can tell.
    Unclear {
        /// What can be seen.
        evidence: String,
    },
}

/// How a node truly stands.
struct NodeEvidence {
    record: Option<Record>,
    probe: ProbeFinding,
    /// When its process was started, in milliseconds since 1970.
    started_ms: Option<i64>,
}

/// Looks at what became of `change`, which began at `began_ms` (milliseconds since 1970, by this host's clock).
///
/// # Errors
/// Those of looking: without PD or the file nothing can be told.
pub fn fate(world: &mut dyn World, change: &Change, began_ms: i64) -> Result<Fate> {
    match change {
        Change::Act { node, action } => {
            let seen = look(world, node)?;
            Ok(match action {
                Action::Pause => paused(node, &seen, began_ms),
                Action::Close => closed(node, &seen, began_ms),
            })
        }
        Change::SwapRecord { seen, state } => swapped(world, seen, *state),
        Change::DeleteRecord { key, mod_revision } => deleted(world, key, *mod_revision),
        Change::WriteSavepoint { dir, content } => match world.ask(read::ReadSavepoint { dir: dir.clone() }) {
            Ok(text) if text == *content => Ok(done(Answer::Done, "the file holds what was to be written")),
            Ok(_) => Ok(undone("the file holds something else")),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(undone("there is no file")),
            Err(error) => Err(error),
        },
        Change::Manual(manual) => by_hand(world, manual, began_ms),
        Change::Control(control) => controlled(world, control, began_ms),
        Change::TriggerGc { .. } => Ok(undone("to trigger GC twice is the same as once")),
        Change::RecoverTidb { .. } => Ok(undone("to recover a TiDB server twice is the same as once")),
        Change::HoldGc { .. } => Ok(undone("to hold GC twice is the same as once")),
        Change::ReleaseGc { .. } => Ok(undone("to release GC twice is the same as once")),
        Change::Encrypt { .. } => Ok(undone("to encrypt a text twice is the same as once")),
        Change::Exec(Exec { changefeed: Some(new), .. }) if is_created(world, new)? => {
            Ok(done(Answer::Ran(ProgramEnd::default()), format!("{new} is there")))
        }
        Change::BreakLock { .. } | Change::Exec(_) => {
            Ok(Fate::Unclear { evidence: "nothing that can be seen tells whether it happened".into() })
        }
    }
}

fn done(answer: Answer, evidence: impl Into<String>) -> Fate {
    Fate::Done { answer, evidence: evidence.into() }
}

fn undone(evidence: impl Into<String>) -> Fate {
    Fate::Undone { evidence: evidence.into() }
}

fn look(world: &mut dyn World, node: &NodeRef) -> Result<NodeEvidence> {
    let record = world.listing()?.find(node.kind, &node.id).cloned();
    let node = record.as_ref().map_or(node, |record| &record.node).clone();
    let probe = world.ask(read::Probe { nodes: vec![node.clone()] })?.pop().map(|probe| probe.finding);
    let samples = world.ask(read::Metrics { nodes: vec![node] })?.pop().and_then(Result::ok);
    let started = samples.and_then(|samples| samples.get("process_start_time_seconds").copied());
    let started_ms = started.map(|seconds| (seconds * 1000.0) as i64);
    Ok(NodeEvidence { record, probe: probe.unwrap_or(ProbeFinding::Silent), started_ms })
}

/// What can be seen of a node, in words.
fn evidence(node: &NodeRef, seen: &NodeEvidence) -> String {
    let record = seen.record.as_ref().map_or("no record".to_owned(), |record| format!("record {}", record.state));
    let started = seen.started_ms.map_or(String::new(), |ms| format!(", process of {}", Time::new(ms, Zone::Utc)));
    format!("{node}: {record}, a probe says {}{started}", seen.probe)
}

/// Whether the process that runs is the one that ran when the change began; `None` when nobody can tell.
fn is_the_same(seen: &NodeEvidence, began_ms: i64) -> Option<bool> {
    seen.started_ms.map(|started| started < began_ms)
}

/// Whether a node whose port refuses has no process: its record says so, or stands still. A forward that ended refuses as well.
fn is_gone(world: &mut dyn World, node: &NodeRef, seen: &NodeEvidence) -> Result<bool> {
    let Some(record) = seen.record.as_ref().filter(|record| record.state == State::Online) else { return Ok(true) };
    world.ask(read::Sleep { time: WRITES_WITHIN })?;
    let listing = world.listing()?;
    let now = listing.find(node.kind, &node.id);
    Ok(now.is_none_or(|now| now.mod_revision == record.mod_revision))
}

/// What a human was asked to do is done once every process that they were to start was started since, and every one that
/// they were to stop is gone. What else they were asked for cannot be seen, and is asked for again.
fn by_hand(world: &mut dyn World, manual: &Manual, began_ms: i64) -> Result<Fate> {
    let (mut seen_done, mut starting, mut evidences) = (true, false, Vec::new());
    for node in &manual.starts {
        let seen = look(world, node)?;
        starting |= seen.probe == ProbeFinding::Silent;
        seen_done &= is_the_same(&seen, began_ms) == Some(false) && matches!(seen.probe, ProbeFinding::State(_));
        evidences.push(evidence(node, &seen));
    }
    for node in manual.stops.iter().filter(|node| !manual.starts.contains(node)) {
        let seen = look(world, node)?;
        seen_done &= seen.probe == ProbeFinding::Refused && is_gone(world, node, &seen)?;
        evidences.push(evidence(node, &seen));
    }
    if let Some(new) = &manual.changefeed {
        let is_there = is_created(world, new)?;
        seen_done &= is_there;
        evidences.push(if is_there { format!("{new} is there") } else { format!("{new} is not there") });
    }
    let evidence = evidences.join("; ");
    Ok(match seen_done && !evidences.is_empty() {
        true => done(Answer::Done, evidence),
        // A process that is just starting will say when it was started.
        false if starting => Fate::Unclear { evidence },
        false if evidences.is_empty() => undone("a human is asked again; if it was done meanwhile, say so"),
        false => undone(format!("{evidence}; a human is asked again")),
    })
}

/// A process that was to be started or restarted answers and was started since; one that was to be stopped is gone. Doing it
/// again is the same as doing it once, but for one that is just starting.
fn controlled(world: &mut dyn World, control: &Control, began_ms: i64) -> Result<Fate> {
    let Control { node, verb, .. } = control;
    let seen = look(world, node)?;
    let evidence = evidence(node, &seen);
    let is_new = is_the_same(&seen, began_ms) == Some(false);
    Ok(match (verb, &seen.probe) {
        (ProcessVerb::Start | ProcessVerb::Restart, ProbeFinding::State(State::Online)) if is_new => {
            done(acted("online"), evidence)
        }
        (ProcessVerb::Stop, ProbeFinding::Refused) if is_gone(world, node, &seen)? => done(acted("stopped"), evidence),
        (ProcessVerb::Stop, ProbeFinding::Refused) => Fate::Unclear { evidence },
        (_, ProbeFinding::Silent | ProbeFinding::Unknown(_)) => Fate::Unclear { evidence },
        (_, ProbeFinding::State(_) | ProbeFinding::Refused | ProbeFinding::Other(_)) => undone(evidence),
    })
}

/// Whether a changefeed is there that began where this one was to.
fn is_created(world: &mut dyn World, new: &NewChangefeed) -> Result<bool> {
    Ok(new.is_among(&world.ask(read::Changefeeds)?.changefeeds))
}

fn acted(message: &str) -> Answer {
    Answer::Acted(Acted::said(format!("{message} (found after an interruption)")))
}

/// A node that was told to pause writes `paused` and goes; one that runs on is either the same process, which was never
/// told, or another one, which somebody started since.
fn paused(node: &NodeRef, seen: &NodeEvidence, began_ms: i64) -> Fate {
    let evidence = evidence(node, seen);
    let state = seen.record.as_ref().map(|record| &record.state);
    match (&seen.probe, state, is_the_same(seen, began_ms)) {
        (ProbeFinding::Refused, Some(RecordState::Known(State::Paused | State::Pausing)), _) => {
            done(acted("paused"), evidence)
        }
        (ProbeFinding::State(State::Pausing), ..) => done(acted("pausing"), evidence),
        (ProbeFinding::State(State::Online), Some(RecordState::Known(State::Online)), Some(true)) => undone(evidence),
        _ => Fate::Unclear { evidence },
    }
}

fn closed(node: &NodeRef, seen: &NodeEvidence, began_ms: i64) -> Fate {
    let evidence = evidence(node, seen);
    let state = seen.record.as_ref().map(|record| &record.state);
    match (&seen.probe, state, is_the_same(seen, began_ms)) {
        (ProbeFinding::State(State::Closing), ..) => done(acted("closing"), evidence),
        (ProbeFinding::Refused, Some(RecordState::Known(State::Offline | State::Closing)), _) => {
            done(acted("closed"), evidence)
        }
        (ProbeFinding::State(State::Online), Some(RecordState::Known(State::Online)), Some(true)) => undone(evidence),
        _ => Fate::Unclear { evidence },
    }
}

fn swapped(world: &mut dyn World, before: &Record, state: State) -> Result<Fate> {
    let listing = world.listing()?;
    let now = listing.find(before.node.kind, &before.node.id);
    let says = now.map_or("there is no record".to_owned(), |record| format!("the record says {}", record.state));
    let evidence = format!("{}: {says}", before.node);
    Ok(match now {
        Some(record) if record.mod_revision == before.mod_revision => {
            undone(format!("{evidence}, and was not written"))
        }
        Some(record) if record.state == state && before.state != state => {
            done(Answer::Swapped(record.clone()), evidence)
        }
        Some(record) if before.differences(record)?.is_empty() => {
            undone(format!("{evidence}; nothing but heartbeats has changed it"))
        }
        _ => Fate::Unclear { evidence },
    })
}

fn deleted(world: &mut dyn World, key: &str, mod_revision: i64) -> Result<Fate> {
    let listing = world.listing()?;
    let record = listing.records.iter().find(|record| record.node.key() == key).map(|record| record.mod_revision);
    let malformed = listing.malformed.iter().find(|malformed| malformed.key == key).map(|key| key.mod_revision);
    Ok(match record.or(malformed) {
        None => done(Answer::Done, format!("{key} is gone")),
        Some(now) if now == mod_revision => undone(format!("{key} is there as it was")),
        Some(_) => Fate::Unclear { evidence: format!("{key} is there, and was written again since") },
    })
}
