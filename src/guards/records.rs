//! Guards about writing and deleting records by hand.

use crate::error::{Error, Result};
use crate::guards::Verdict;
use crate::guards::scene::Scene;
use crate::node::{Kind, Record, State};
use crate::time::show_seconds;
use crate::world::{Answer, ProbeFinding, Request, StatusReport};
use std::time::Duration;

/// A record that was not written for this long, while it was watched, is frozen.
const FROZEN_AFTER: Duration = Duration::from_secs(10);

/// The record that a request is about, as it is now.
fn record(scene: &mut Scene<'_>, request: &Request) -> Result<Record> {
    let key = match request {
        Request::SwapRecord { seen, .. } => seen.node.key(),
        Request::DeleteRecord { key, .. } => key.clone(),
        other => return Err(Error::internal(format!("{other:?} is about no record"))),
    };
    scene.record_at(&key)?.ok_or_else(|| Error::not_found(format!("the key {key} is gone")))
}

/// Only a dead node's record may be touched: nobody behind the port, and a heartbeat seen to stand still.
pub(super) fn alive(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let record = record(scene, request)?;
    match scene.probe(&record.node)? {
        ProbeFinding::Refused => {}
        ProbeFinding::State(state) => {
            return Ok(Verdict::Trips(format!(
                "{} is alive: it answers as {state} and would write its record again within two seconds",
                record.node
            )));
        }
        ProbeFinding::Silent => {
            return Ok(Verdict::Unknown(format!(
                "whether {} is dead: it accepts connections and answers nothing (starting, or hung)",
                record.node
            )));
        }
        ProbeFinding::Other(id) => {
            return Ok(Verdict::Unknown(format!(
                "whether {} is dead: at its address answers {id}, so it may run elsewhere",
                record.node
            )));
        }
        ProbeFinding::Unknown(why) => {
            return Ok(Verdict::Unknown(format!("whether {} is dead: {why}", record.node)));
        }
    }
    let moved = scene.observe(FROZEN_AFTER, |listing| {
        listing.find(record.node.kind, &record.node.id).is_none_or(|now| now.mod_revision != record.mod_revision)
    })?;
    Ok(match moved {
        false => Verdict::Clear,
        true => Verdict::Trips(format!("something still writes the record of {}: it may run elsewhere", record.node)),
    })
}

/// States that a hand-written record never makes true.
pub(super) fn pointless(_scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let Request::SwapRecord { state, .. } = request else {
        return Ok(Verdict::Clear);
    };
    let why = match state {
        State::Online => "a record that says online starts nothing, and others then wait for a node that is not there",
        State::Pausing | State::Closing => "no node ever acts upon it",
        State::Paused | State::Offline => return Ok(Verdict::Clear),
    };
    Ok(Verdict::Trips(format!("writing {state} by hand is pointless: {why}")))
}

/// `offline` for a Pump by hand: no record can prove that all was consumed.
pub(super) fn lose_binlog(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let pump = record(scene, request)?;
    let mut known = Vec::new();
    for drainer in scene.others(Kind::Drainer, None)? {
        let gap = pump.max_commit_ts.seconds_since(drainer.max_commit_ts);
        known.push(match gap > 0.0 {
            true => format!("{} is {} behind its record", drainer.node.id, show_seconds(gap)),
            false => format!("{} has passed its record", drainer.node.id),
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
pub(super) fn not_offline(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let record = record(scene, request)?;
    Ok(match record.state {
        State::Offline => Verdict::Clear,
        other => Verdict::Trips(format!("the record of {} says {other}: take it offline first", record.node)),
    })
}

/// No Drainer may still pull from a Pump that is forgotten.
pub(super) fn still_pulled(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let pump = record(scene, request)?;
    let online: Vec<_> = scene.others(Kind::Drainer, None)?.into_iter().filter(|d| d.state == State::Online).collect();
    let nodes: Vec<_> = online.iter().map(|drainer| drainer.node.clone()).collect();
    let reports = match scene.ask(&Request::Status { nodes: nodes.clone() })? {
        Answer::Statuses(reports) => reports,
        other => return Err(Error::internal(format!("the world answered a request for status with {other:?}"))),
    };
    let (mut pulling, mut silent) = (Vec::new(), Vec::new());
    for (node, report) in nodes.into_iter().zip(reports) {
        match report {
            Ok(StatusReport::Drainer(status)) if status.pump_positions.contains_key(&pump.node.id) => {
                pulling.push(node.id)
            }
            Ok(_) => {}
            Err(error) => silent.push(format!("{} ({error})", node.id)),
        }
    }
    Ok(if !pulling.is_empty() {
        Verdict::Trips(format!("{} still pulls from {}", pulling.join(", "), pump.node.id))
    } else if !silent.is_empty() {
        Verdict::Unknown(format!("whether a Drainer still pulls from it, since it could not ask {}", silent.join(", ")))
    } else {
        Verdict::Clear
    })
}

/// The last Pump's record: without any, TiDB with binlog enabled does not start.
pub(super) fn last_key(scene: &mut Scene<'_>, _request: &Request) -> Result<Verdict> {
    let count = scene.listing()?.of(Kind::Pump).count();
    Ok(match count {
        0 | 1 => {
            Verdict::Trips("it is the last Pump's record: TiDB with binlog enabled does not start without one".into())
        }
        _ => Verdict::Clear,
    })
}
