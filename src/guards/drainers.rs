//! Guards about the Drainers: binlog is kept for those that are not offline, and GC waits for none.

use crate::error::{Error, Result};
use crate::guards::Verdict;
use crate::guards::pumps::{pump_closing, target};
use crate::guards::scene::Scene;
use crate::node::{Kind, NodeRef, Record, State};
use crate::time::{Time, Zone, show_seconds};
use crate::world::{Answer, ProbeFinding, Request};
use std::time::Duration;

/// A Drainer that lags more than this is observed.
const LAG_SECONDS: f64 = 30.0;
/// A lagging Drainer whose position does not move for this long is stalled.
const STALLED_AFTER: Duration = Duration::from_secs(15);
/// How long Pumps keep binlog unless configured otherwise, in milliseconds.
const DEFAULT_RETENTION_MS: i64 = 7 * DAY_MS;
const DAY_MS: i64 = 86_400_000;

/// Every Drainer that is not offline must answer and advance: a closing Pump waits for all of them.
pub(super) fn stuck_drainer(scene: &mut Scene<'_>, _request: &Request) -> Result<Verdict> {
    let (mut stuck, mut lagging) = (Vec::new(), Vec::new());
    for drainer in scene.others(Kind::Drainer, None)? {
        let probe = scene.probe(&drainer.node)?;
        if drainer.state != State::Online || probe != ProbeFinding::State(State::Online) {
            stuck.push(format!("{} (record {}, probe {probe})", drainer.node.id, drainer.state));
        } else if scene.pd_now()?.seconds_since(drainer.max_commit_ts) > LAG_SECONDS {
            lagging.push(drainer);
        }
    }
    for drainer in stalled(scene, lagging)? {
        stuck.push(format!("{} (stands still at {})", drainer.node.id, drainer.max_commit_ts));
    }
    Ok(match stuck.is_empty() {
        true => Verdict::Clear,
        false => Verdict::Trips(format!(
            "{} does not read on: the Pump would wait for it in `closing`, without end",
            stuck.join(", ")
        )),
    })
}

/// Those of `lagging` whose position does not move while they are watched.
fn stalled(scene: &mut Scene<'_>, mut lagging: Vec<Record>) -> Result<Vec<Record>> {
    if lagging.is_empty() {
        return Ok(lagging);
    }
    scene.observe(STALLED_AFTER, |listing| {
        let unmoved = |old: &Record| {
            listing.find(Kind::Drainer, &old.node.id).is_some_and(|now| now.max_commit_ts <= old.max_commit_ts)
        };
        lagging.retain(unmoved);
        lagging.is_empty()
    })?;
    Ok(lagging)
}

/// Without a Drainer that is not offline a closing Pump waits for nobody.
pub(super) fn no_drainer(scene: &mut Scene<'_>, _request: &Request) -> Result<Verdict> {
    Ok(match scene.others(Kind::Drainer, None)?.is_empty() {
        false => Verdict::Clear,
        true => Verdict::Trips("no Drainer is registered that is not offline: what was not consumed is lost".into()),
    })
}

/// The last Drainer that is not offline is what binlog is kept for.
pub(super) fn last_drainer(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    Ok(match scene.others(Kind::Drainer, target(request).as_ref())?.is_empty() {
        false => Verdict::Clear,
        true => Verdict::Trips(
            "no other Drainer is registered: nothing keeps binlog from being dropped when a Pump closes".into(),
        ),
    })
}

/// As `pump_closing`, and otherwise names the time by which the Drainer must be back.
pub(super) fn pause_deadline(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    match pump_closing(scene, request)? {
        Verdict::Clear => {}
        other => return Ok(other),
    }
    let listing = scene.listing()?;
    let drainer = target(request).and_then(|node| listing.find(node.kind, &node.id).cloned());
    Ok(match drainer {
        None => Verdict::Clear,
        Some(drainer) => {
            let until = Time::new(drainer.max_commit_ts.physical_ms() + DEFAULT_RETENTION_MS, Zone::Utc);
            Verdict::Note(format!(
                "it must be back before {until} (its checkpoint plus 7 days, if the Pumps' gc is the default): GC does \
                 not wait for it"
            ))
        }
    })
}

/// No Drainer that is not offline may be within a day of what GC removes.
pub(super) fn behind_gc(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let pump = target(request).ok_or_else(|| Error::internal("trigger_gc names no Pump"))?;
    let horizon = gc_horizon_ms(scene, &pump)?;
    let mut behind = Vec::new();
    for drainer in scene.others(Kind::Drainer, None)? {
        let spare = drainer.max_commit_ts.physical_ms() - horizon;
        if spare < DAY_MS {
            let distance = show_seconds(spare.abs() as f64 / 1000.0);
            behind.push(match spare {
                0.. => format!("{} is only {distance} ahead of what GC removes", drainer.node.id),
                _ => format!("{} is {distance} behind what GC removes", drainer.node.id),
            });
        }
    }
    Ok(match behind.is_empty() {
        true => Verdict::Clear,
        false => Verdict::Trips(format!("{}: it would go on with a hole, silently", behind.join(", "))),
    })
}

/// Up to where GC of `pump` removes, in milliseconds since 1970: what it has removed already, or seven days ago.
fn gc_horizon_ms(scene: &mut Scene<'_>, pump: &NodeRef) -> Result<i64> {
    const METRIC: &str = "binlog_pump_storage_gc_ts";
    let samples = match scene.ask(&Request::Metrics { nodes: vec![pump.clone()] })? {
        Answer::Metrics(mut list) => list.pop().unwrap_or_else(|| Err(Error::internal("no metrics in the answer")))?,
        other => return Err(Error::internal(format!("the world answered a request for metrics with {other:?}"))),
    };
    let by_age = scene.pd_now()?.physical_ms() - DEFAULT_RETENTION_MS;
    let removed = samples.get(METRIC).map_or(0, |ms| *ms as i64);
    Ok(by_age.max(removed))
}
