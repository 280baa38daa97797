//! Guards about the Drainers: binlog is kept for those that are not offline, and GC waits for none.

use crate::error::{Error, Result};
use crate::guards::Verdict;
use crate::guards::pumps::{pump_closing, target};
use crate::guards::view::ClusterView;
use crate::node::{Kind, NodeRef, Record, State};
use crate::text::Untrusted;
use crate::time::{Time, Zone, show_seconds};
use crate::tso::{Age, Tso};
use crate::world::{Change, ProbeFinding, read};
use std::collections::BTreeMap;
use std::time::Duration;

/// A Drainer that lags more than this is observed.
const LAG_SECONDS: f64 = 30.0;
/// A lagging Drainer whose position does not move for this long is stalled.
const STALLED_AFTER: Duration = Duration::from_secs(15);
/// How long Pumps keep binlog unless configured otherwise, in milliseconds.
const DEFAULT_RETENTION_MS: i64 = 7 * DAY_MS;
const DAY_MS: i64 = 86_400_000;
/// Pumps collect once an hour: what was removed is at most so much behind what may be.
const GC_INTERVAL_MS: i64 = 2 * 3_600_000;
/// Up to where a Pump has removed, in milliseconds since 1970.
const GC_TS: &str = "binlog_pump_storage_gc_ts";

/// Every Drainer that is not offline must answer and advance: a closing Pump waits for all of them.
pub(super) fn stuck_drainer(scene: &mut ClusterView<'_>, _change: &Change) -> Result<Verdict> {
    let (mut stuck, mut lagging, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for drainer in scene.others(Kind::Drainer, None)? {
        let probe = scene.probe(&drainer.node)?;
        let id = &drainer.node.id;
        if let ProbeFinding::Unknown(_) = probe
            && drainer.state == State::Online
        {
            unknown.push(format!("a probe of {id} is {probe}"));
        } else if drainer.state != State::Online || probe != ProbeFinding::State(State::Online) {
            stuck.push(format!("{id} (record {}, probe {probe})", drainer.state));
        } else {
            match drainer.max_commit_ts.position_age(scene.pd_now()?) {
                Age::Seconds(lag) if lag <= LAG_SECONDS => {}
                Age::Seconds(_) | Age::Nothing | Age::Negative | Age::Ahead(_) => lagging.push(drainer),
            }
        }
    }
    for drainer in stalled(scene, lagging)? {
        let behind = match drainer.max_commit_ts.position_age(scene.pd_now()?) {
            Age::Seconds(lag) => format!("{} behind", show_seconds(lag)),
            Age::Nothing | Age::Negative | Age::Ahead(_) => "its record tells no position".to_owned(),
        };
        stuck.push(format!("{} (stands still, {behind})", drainer.node.id));
    }
    let mut reasons = Vec::new();
    if !stuck.is_empty() {
        let stuck = stuck.join(", ");
        reasons.push(format!("the Pump would wait in `closing`, without end, for what does not read on: {stuck}"));
    }
    for key in scene.unreadable(Kind::Drainer)? {
        reasons.push(format!("{key}: the Pump would wait in `closing` until it is forgotten"));
    }
    Ok(match (reasons.is_empty(), unknown.is_empty()) {
        (false, _) => Verdict::Trips([reasons, unknown].concat().join("; ")),
        (true, false) => Verdict::Unknown(format!("whether every Drainer reads on, since {}", unknown.join(", "))),
        (true, true) => Verdict::Clear,
    })
}

/// Those of `lagging` whose position does not move while they are watched.
fn stalled(scene: &mut ClusterView<'_>, mut lagging: Vec<Record>) -> Result<Vec<Record>> {
    if lagging.is_empty() {
        return Ok(lagging);
    }
    let ids: Vec<&str> = lagging.iter().map(|record| record.node.id.as_str()).collect();
    let what = format!("watching whether {} comes nearer", ids.join(", "));
    scene.observe(&what, STALLED_AFTER, |listing| {
        let unmoved = |old: &Record| {
            listing.find(Kind::Drainer, &old.node.id).is_some_and(|now| now.max_commit_ts <= old.max_commit_ts)
        };
        lagging.retain(unmoved);
        lagging.is_empty()
    })?;
    Ok(lagging)
}

/// Without a Drainer that is not offline a closing Pump waits for nobody; nor does it wait for one whose record says that it
/// has read more than there is.
pub(super) fn no_drainer(scene: &mut ClusterView<'_>, _change: &Change) -> Result<Verdict> {
    let mut ahead = Vec::new();
    for drainer in scene.others(Kind::Drainer, None)? {
        match drainer.max_commit_ts.position_age(scene.pd_now()?) {
            Age::Ahead(by) => ahead.push(format!("{} (by {})", drainer.node.id, show_seconds(by))),
            Age::Nothing | Age::Negative | Age::Seconds(_) => {}
        }
    }
    if !ahead.is_empty() {
        return Ok(Verdict::Trips(format!(
            "the maxCommitTS of {} is ahead of PD's time: the Pump would not wait for it, and what it has not consumed is lost",
            ahead.join(", ")
        )));
    }
    let none = "no Drainer is registered that is not offline: the Pump would wait for nobody, and what was not consumed \
                is lost";
    nobody_left(scene, None, none)
}

/// The last Drainer that is not offline is what binlog is kept for.
pub(super) fn last_drainer(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let none = "no other Drainer is registered that is not offline: the next Pump that closes waits for nobody, and what \
                was not consumed is lost";
    nobody_left(scene, target(change).as_ref(), none)
}

/// Trips with `none` unless a Drainer that is not offline is registered beside `except`. A key that is no record is
/// not counted on.
fn nobody_left(scene: &mut ClusterView<'_>, except: Option<&(Kind, Untrusted)>, none: &str) -> Result<Verdict> {
    if !scene.others(Kind::Drainer, except)?.is_empty() {
        return Ok(Verdict::Clear);
    }
    let mut reasons = vec![none.to_owned()];
    reasons.extend(
        scene.unreadable(Kind::Drainer)?.into_iter().map(|key| format!("{key} of a Drainer, and counts for none")),
    );
    Ok(Verdict::Trips(reasons.join("; ")))
}

/// As `pump_closing`, and otherwise names the time by which the Drainer must be back.
pub(super) fn pause_deadline(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    match pump_closing(scene, change)? {
        Verdict::Clear => {}
        verdict @ (Verdict::Note(_) | Verdict::Trips(_) | Verdict::Unknown(_)) => return Ok(verdict),
    }
    let listing = scene.listing()?;
    let drainer = target(change).and_then(|(kind, id)| listing.find(kind, &id).cloned());
    let checkpoint = drainer.map(|drainer| scene.checkpoint(&drainer)).transpose()?;
    Ok(match checkpoint {
        None => Verdict::Clear,
        Some(checkpoint) if checkpoint.position_age(scene.pd_now()?).seconds().is_none() => {
            Verdict::Note("its record tells no checkpoint, so that nobody knows how long GC leaves it".to_owned())
        }
        Some(checkpoint) => {
            let until = checkpoint.physical_ms() + DEFAULT_RETENTION_MS;
            let time = Time::new(until, Zone::Utc);
            let when = match scene.pd_now().map(|now| until - now.physical_ms()) {
                Ok(left @ 1..) => format!("it must be back before {time}, in {}", show_seconds(left as f64 / 1000.0)),
                Ok(_) => format!("GC may be past it already, since {time}"),
                Err(_) => format!("it must be back before {time}"),
            };
            Verdict::Note(format!(
                "{when} (its checkpoint plus 7 days, if the Pumps' gc is the default): GC does not wait for it"
            ))
        }
    })
}

/// No Drainer that is not offline may be within a day of what GC removes.
pub(super) fn behind_gc(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let Change::TriggerGc { node: pump } = change else {
        return Ok(Verdict::Clear);
    };
    if let ProbeFinding::Other(id) = scene.probe(pump)? {
        // A node does not look for its id in this request.
        return Ok(Verdict::Trips(format!("at the address of {pump} answers {id}: its GC would run instead")));
    }
    let answer = horizons(scene, std::slice::from_ref(pump))?.pop();
    let Some(horizon) = answer.unwrap_or_else(|| Err(Error::internal("no metrics in the answer")))? else {
        return Ok(Verdict::Unknown(format!(
            "what GC would remove, since the metrics of {pump} have no {GC_TS} that makes sense"
        )));
    };
    let mut behind = Vec::new();
    for drainer in scene.others(Kind::Drainer, None)? {
        let checkpoint = scene.checkpoint(&drainer)?;
        if checkpoint.position_age(scene.pd_now()?).seconds().is_none() {
            let (id, ts) = (&drainer.node.id, drainer.max_commit_ts);
            behind.push(format!("{id} tells no checkpoint in its record (maxCommitTS {ts})"));
            continue;
        }
        let spare = checkpoint.physical_ms() - horizon.ms;
        if spare < DAY_MS {
            let distance = show_seconds(spare.abs() as f64 / 1000.0);
            behind.push(match spare {
                0.. => format!("{} is only {distance} ahead of what GC removes", drainer.node.id),
                _ => format!("{} is {distance} behind what GC removes", drainer.node.id),
            });
        }
    }
    if !behind.is_empty() {
        let basis = if horizon.assumed { " (if the Pump's gc is the default of 7 days)" } else { "" };
        let behind = behind.join(", ");
        return Ok(Verdict::Trips(format!("{behind}{basis}: it would go on with a hole, silently")));
    }
    let unreadable = scene.unreadable(Kind::Drainer)?;
    Ok(match (unreadable.is_empty(), horizon.is_first) {
        (false, _) => Verdict::Unknown(format!("whether a Drainer is behind, since {}", unreadable.join(", "))),
        (true, true) => Verdict::Note(format!(
            "{} has collected nothing since it was started: that it removes what is older than 7 days holds if its gc is \
             the default",
            pump.id
        )),
        (true, false) => Verdict::Clear,
    })
}

/// No Pump may have removed what a Drainer that is started has not read; one that runs goes on where it is.
pub(super) fn gc_overtaken(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let listing = scene.listing()?;
    let drainer = target(change).and_then(|(kind, id)| listing.find(kind, &id).cloned());
    let Some(drainer) = drainer else { return Ok(Verdict::Clear) };
    let id = drainer.node.id.clone();
    if matches!(scene.probe(&drainer.node)?, ProbeFinding::State(State::Online)) {
        return Ok(Verdict::Clear);
    }
    let checkpoint = scene.checkpoint(&drainer)?;
    let pumps: Vec<NodeRef> = scene.others(Kind::Pump, None)?.into_iter().map(|pump| pump.node).collect();
    let (mut near, mut past, mut cannot_tell) = (Vec::new(), Vec::new(), Vec::new());
    for (pump, horizon) in pumps.iter().zip(horizons(scene, &pumps)?) {
        let Ok(Some(horizon)) = horizon else {
            cannot_tell.push(pump.id.to_string());
            continue;
        };
        let spare = checkpoint.physical_ms() - horizon.ms;
        if spare < 0 && horizon.assumed {
            past.push(pump.id.to_string());
            continue;
        }
        if spare < 0 {
            let gap = show_seconds(spare.abs() as f64 / 1000.0);
            return Ok(Verdict::Trips(format!(
                "GC of {} has passed the checkpoint of {id} by {gap}: it would go on with a hole, and its downstream needs a new backup",
                pump.id
            )));
        }
        if spare < DAY_MS {
            near.push(format!("{}{}", pump.id, if horizon.assumed { " (if its gc is the default)" } else { "" }));
        }
    }
    if !past.is_empty() {
        return Ok(Verdict::Unknown(format!(
            "whether GC of {} has passed the checkpoint of {id}: it has if gc is the default of 7 days, and {id} would go on with a hole",
            past.join(", ")
        )));
    }
    if !cannot_tell.is_empty() && !is_young(scene, checkpoint) {
        return Ok(Verdict::Unknown(format!(
            "whether GC has passed the checkpoint of {id}, since the metrics of {} cannot be read",
            cannot_tell.join(", ")
        )));
    }
    Ok(match (near.is_empty(), cannot_tell.is_empty()) {
        (false, _) => {
            Verdict::Note(format!("the checkpoint of {id} is within a day of what GC removes on {}", near.join(", ")))
        }
        (true, false) => Verdict::Note(format!("how far GC is on {} cannot be seen from here", cannot_tell.join(", "))),
        (true, true) => Verdict::Clear,
    })
}

/// Whether GC is far from a Drainer's checkpoint wherever gc is no less than the default.
fn is_young(scene: &mut ClusterView<'_>, checkpoint: Tso) -> bool {
    let age = scene.pd_now().ok().and_then(|now| checkpoint.position_age(now).seconds());
    age.is_some_and(|age| age * 1000.0 < (DEFAULT_RETENTION_MS - DAY_MS) as f64)
}

/// Up to where GC removes.
struct Horizon {
    /// Milliseconds since 1970.
    ms: i64,
    /// Whether it follows from the default retention, and not from what the Pump has removed already.
    assumed: bool,
    /// Whether the Pump has collected nothing yet since it was started: it does so every hour.
    is_first: bool,
}

/// Up to where GC of each Pump removes: what it has removed already, or seven days ago, whatever is later. `None` when it
/// does not say what it has removed: its retention may be anything then. It says 0 until it collects for the first time.
fn horizons(scene: &mut ClusterView<'_>, pumps: &[NodeRef]) -> Result<Vec<Result<Option<Horizon>>>> {
    let answers = scene.ask(read::Metrics { nodes: pumps.to_vec() })?;
    let now = scene.pd_now()?.physical_ms();
    let horizon = |samples: BTreeMap<String, f64>| {
        // What lies ahead of now, or before 1970, was not collected.
        let removed = samples.get(GC_TS).map(|ms| *ms as i64).filter(|ms| (0..=now).contains(ms))?;
        let by_age = now - DEFAULT_RETENTION_MS;
        let (is_first, assumed) = (removed == 0, by_age > removed + GC_INTERVAL_MS);
        Some(Horizon { ms: by_age.max(removed), assumed, is_first })
    };
    Ok(answers.into_iter().map(|samples| samples.map(horizon)).collect())
}
