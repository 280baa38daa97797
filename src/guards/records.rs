//! Guards about writing and deleting records by hand.

use crate::error::{Error, Result};
use crate::guards::Verdict;
use crate::guards::view::ClusterView;
use crate::node::{Kind, Record, State};
use crate::time::show_seconds;
use crate::tso::Age;
use crate::world::{Change, ProbeFinding, StatusReport, read};

/// A heartbeat that is older than this is not one of a clock that drifts: a clock that is a hundredth off needs a hundred
/// days for it.
const LONGEST_DRIFT_SECONDS: f64 = 86_400.0;

/// The record that a change is about, as it is now.
fn record(scene: &mut ClusterView<'_>, change: &Change) -> Result<Record> {
    let key = change.record_key().ok_or_else(|| Error::internal(format!("{change:?} is about no record")))?;
    scene.record_at(&key)?.ok_or_else(|| Error::not_found(format!("the key {key} is gone")))
}

/// Only a dead node's record may be touched: nobody behind the port, and a heartbeat seen to stand still.
pub(super) fn alive(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let record = record(scene, change)?;
    let finding = scene.probe(&record.node)?;
    if let Some(verdict) = against(&record, finding) {
        return Ok(verdict);
    }
    let doubtful = scene.out_of_reach(&record.node)?;
    if doubtful.is_empty() && is_long_gone(scene, &record)? {
        return Ok(Verdict::Clear);
    }
    if !scene.stands_still(&record, &doubtful)? {
        return Ok(Verdict::Trips(format!(
            "something still writes the record of {}: it may run elsewhere",
            record.node
        )));
    }
    // A supervisor may have started it while it was watched.
    let finding = scene.probe_again(&record.node)?;
    if finding != ProbeFinding::Refused {
        return Ok(Verdict::Trips(format!("{} came up while it was watched: a probe says {finding}", record.node)));
    }
    // Whoever goes on writing while a probe finds nobody there is out of reach from here, and others may be as well.
    let writing: Vec<&str> =
        doubtful.iter().filter(|other| !scene.is_known_still(other)).map(|other| other.node.id.as_str()).collect();
    Ok(match writing.is_empty() {
        true => Verdict::Clear,
        false => Verdict::Unknown(format!(
            "whether {} is dead: the heartbeat of {} goes on though nobody answers there from here, so that a refused \
             probe tells nothing; do this on a host that reaches the nodes",
            record.node,
            writing.join(", ")
        )),
    })
}

/// Whether its heartbeat is older than the drift of any clock explains, so that nothing need be watched.
fn is_long_gone(scene: &mut ClusterView<'_>, record: &Record) -> Result<bool> {
    let now = scene.listing()?.tso;
    Ok(now.is_some_and(
        |now| matches!(record.update_ts.heartbeat_age(now), Age::Seconds(age) if age > LONGEST_DRIFT_SECONDS),
    ))
}

/// What a probe has against it that the node is dead; `None` if it was refused.
fn against(record: &Record, finding: ProbeFinding) -> Option<Verdict> {
    let node = &record.node;
    Some(match finding {
        ProbeFinding::Refused => return None,
        ProbeFinding::State(state) => {
            let skips = match node.kind {
                Kind::Pump => ", and a Drainer that looks meanwhile may skip its binlog for good",
                Kind::Drainer => "",
            };
            let consequence = match state {
                State::Online => format!("it would write its record again within two seconds{skips}"),
                State::Pausing | State::Paused | State::Closing | State::Offline => {
                    "it writes its record itself when it ends".to_owned()
                }
            };
            Verdict::Trips(format!("{node} is alive, it answers as {state}: {consequence}"))
        }
        ProbeFinding::Silent => Verdict::Unknown(format!(
            "whether {node} is dead: it accepts connections and answers nothing (starting, or hung)"
        )),
        ProbeFinding::Other(id) => {
            Verdict::Unknown(format!("whether {node} is dead: at its address answers {id}, so it may run elsewhere"))
        }
        ProbeFinding::Unknown(why) => Verdict::Unknown(format!("whether {node} is dead: {why}")),
    })
}

/// States that a hand-written record never makes true, or that only make others wait.
pub(super) fn pointless(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let Change::SwapRecord { seen, state } = change else {
        return Ok(Verdict::Clear);
    };
    let why = match (state, seen.node.kind) {
        (State::Offline, _) => return Ok(Verdict::Clear),
        (State::Paused, _) if record(scene, change)?.state != State::Offline => return Ok(Verdict::Clear),
        (State::Paused, Kind::Pump) => {
            "it is offline, and every Drainer would wait for it again: replication would stand still"
        }
        (State::Paused, Kind::Drainer) => "it is offline, and a Pump that closes would wait for it again, without end",
        (State::Online, _) => {
            "a record that says online starts nothing, and others then wait for a node that is not there"
        }
        (State::Pausing | State::Closing, _) => "no node ever acts upon it",
    };
    Ok(Verdict::Trips(format!("writing {state} by hand into the record of {} is pointless: {why}", seen.node.id)))
}

/// `offline` for a Pump by hand: no record can prove that all was consumed.
pub(super) fn lose_binlog(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let pump = record(scene, change)?;
    let mut known = Vec::new();
    let now = scene.listing()?.tso;
    for drainer in scene.others(Kind::Drainer, None)? {
        let (id, gap) = (&drainer.node.id, pump.max_commit_ts.seconds_since(drainer.max_commit_ts));
        known.push(match drainer.max_commit_ts.position_age(now.unwrap_or(drainer.max_commit_ts)) {
            Age::Nothing => format!("{id} has read nothing yet"),
            Age::Negative | Age::Ahead(_) => format!("where {id} stands cannot be told from its record"),
            Age::Seconds(_) if gap > 0.0 => format!("{id} is {} behind its record", show_seconds(gap)),
            Age::Seconds(_) => format!("{id} has passed its record"),
        });
    }
    let known = if known.is_empty() { "no Drainer is registered".to_owned() } else { known.join(", ") };
    Ok(Verdict::Trips(format!(
        "what the Drainers have not read of {} is lost for good, and no record can prove that they read all of it \
         ({known}; what came after its last heartbeat and unmatched prewrites are in no record)",
        pump.node
    )))
}

/// Only an offline node's record may be forgotten.
pub(super) fn not_offline(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let record = record(scene, change)?;
    Ok(match record.state == State::Offline {
        true => Verdict::Clear,
        false => Verdict::Trips(format!("the record of {} says {}: take it offline first", record.node, record.state)),
    })
}

/// No Drainer may still pull from a Pump that is forgotten.
pub(super) fn still_pulled(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let pump = record(scene, change)?;
    let (mut nodes, mut unknown) = (Vec::new(), scene.unreadable(Kind::Drainer)?);
    for drainer in scene.others(Kind::Drainer, None)?.into_iter().filter(|drainer| drainer.state != State::Paused) {
        // Whoever took over its address would answer with positions of their own.
        match scene.probe(&drainer.node)? {
            ProbeFinding::State(_) => nodes.push(drainer.node),
            finding @ (ProbeFinding::Refused
            | ProbeFinding::Silent
            | ProbeFinding::Other(_)
            | ProbeFinding::Unknown(_)) => unknown.push(format!("a probe of {} is {finding}", drainer.node.id)),
        }
    }
    let reports = scene.ask(read::Status { nodes: nodes.clone() })?;
    let mut pulling = Vec::new();
    for (node, report) in nodes.into_iter().zip(reports) {
        match report {
            Ok(StatusReport::Drainer(status)) if status.pump_positions.contains_key(&*pump.node.id) => {
                pulling.push(node.id.to_string())
            }
            Ok(_) => {}
            Err(error) => unknown.push(error.to_string()),
        }
    }
    let name = &pump.node.id;
    Ok(if !pulling.is_empty() {
        let pulling = pulling.join(", ");
        Verdict::Trips(format!("{name} is still pulled by {pulling}, which would wait for it without end"))
    } else if !unknown.is_empty() {
        Verdict::Unknown(format!("whether a Drainer still pulls from {name}, since {}", unknown.join(", ")))
    } else {
        Verdict::Clear
    })
}

/// The last Pump's record: without any, TiDB with binlog enabled does not start.
pub(super) fn last_key(scene: &mut ClusterView<'_>, _change: &Change) -> Result<Verdict> {
    let count = scene.listing()?.of(Kind::Pump).count();
    Ok(match count {
        0 | 1 => {
            Verdict::Trips("it is the last Pump's record: TiDB with binlog enabled does not start without one".into())
        }
        _ => Verdict::Clear,
    })
}
