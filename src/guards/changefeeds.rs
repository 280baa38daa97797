//! Guards about TiKV's garbage collection and about changefeeds.

use crate::downstream::{Downstream, Sameness};
use crate::error::{Error, Result};
use crate::guards::Verdict;
use crate::guards::view::ClusterView;
use crate::text::on_one_line;
use crate::time::show_seconds;
use crate::tso::Tso;
use crate::world::{Change, Changefeed, Control, DownstreamReplication, HOLD_PREFIX, ServiceSafePoint, read};

/// A hold on what is older than this keeps much that nobody else needs.
const LONG: f64 = 24.0 * 3600.0;

/// A Drainer must not be started where a changefeed writes to its downstream: everything would be applied twice, in an order of
/// its own each time. What cannot be compared may be the same.
pub(super) fn changefeed_writes(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let Change::Control(Control { node, .. }) = change else { return Ok(Verdict::Clear) };
    let feeds: Vec<Changefeed> =
        scene.ask(read::Changefeeds)?.changefeeds.into_iter().filter(Changefeed::may_write).collect();
    if feeds.is_empty() {
        return Ok(Verdict::Clear);
    }
    let drainers = match scene.ask(read::Replication { nodes: vec![node.clone()] })?.pop() {
        Some(DownstreamReplication::Known(known)) => Downstream::of_drainer(&known.settings)
            .ok_or_else(|| format!("{} does not say all of where the Drainer writes to", on_one_line(&known.source))),
        Some(DownstreamReplication::Unknown(why)) => {
            Err(format!("where the Drainer writes to is not known here: {why}"))
        }
        None => return Err(Error::internal("nothing was said of the Drainer that was asked about")),
    };
    let (mut same, mut unknown) = (Vec::new(), Vec::new());
    for feed in &feeds {
        let sink = feed.sink.as_ref().map_or("somewhere that cannot be read", |sink| sink.as_str());
        let what = format!("{feed} ({}) writes to {}", feed.state, on_one_line(sink));
        match compared(drainers.as_ref(), feed.sink.as_ref().and_then(|sink| Downstream::of_sink(sink)).as_ref()) {
            Sameness::Same => same.push(what),
            Sameness::Unknown(why) => unknown.push(format!("{what}: {why}")),
            Sameness::Different => {}
        }
    }
    let id = &node.id;
    Ok(match (same.is_empty(), unknown.is_empty()) {
        (false, _) => Verdict::Trips(format!(
            "{}, as {id} does: both would apply everything, and neither in the order of the other; pause the changefeed first, or \
             leave {id} stopped",
            same.join("; ")
        )),
        (true, false) => Verdict::Unknown(format!(
            "whether a changefeed writes to the downstream of {id}: {}; compare them by hand",
            unknown.join("; ")
        )),
        (true, true) => Verdict::Clear,
    })
}

/// Whether a Drainer and a changefeed write to the same place, as far as either is known.
fn compared(drainers: std::result::Result<&Downstream, &String>, feeds: Option<&Downstream>) -> Sameness {
    match (drainers, feeds) {
        (Ok(drainers), Some(feeds)) => drainers.is_same(feeds),
        (Err(why), _) => Sameness::Unknown(why.clone()),
        (Ok(_), None) => Sameness::Unknown("its sink cannot be read".into()),
    }
}

/// What GC is held at long ago keeps every version since, of every table.
pub(super) fn holds_long(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let Change::HoldGc { ts, .. } = change else { return Ok(Verdict::Clear) };
    let behind = scene.pd_now()?.seconds_since(*ts);
    Ok(match behind > LONG {
        true => Verdict::Trips(format!(
            "it lies {} back: TiKV would keep every version of every row since then, on disks that fill and for reads that become slow; \
             let what is behind catch up first",
            show_seconds(behind)
        )),
        false => Verdict::Clear,
    })
}

/// What a hold kept for somebody who has not read it yet is collected soon after it is gone.
pub(super) fn not_taken_over(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let Change::ReleaseGc { service } = change else { return Ok(Verdict::Clear) };
    let held = scene.ask(read::GcSafePoints)?;
    let is_meant = |known: &&ServiceSafePoint| match service {
        Some(service) => known.service == *service,
        None => known.service.starts_with(HOLD_PREFIX),
    };
    let there = held.services.iter().filter(|known| known.expired != Some(true));
    let Some(hold) = there.filter(is_meant).map(|known| known.safe_point).min() else { return Ok(Verdict::Clear) };
    let feeds = scene.ask(read::Changefeeds)?.changefeeds;
    let is_past = |feed: &Changefeed| feed.state.as_str() == "normal" && feed.checkpoint_ts.is_some_and(|ts| ts > hold);
    Ok(match feeds.iter().any(is_past) {
        true => Verdict::Clear,
        false => Verdict::Trips(format!(
            "no changefeed that is normal has come past {}{}: whoever begins there later finds a hole",
            hold.0,
            most_advanced(&feeds)
        )),
    })
}

/// How far the changefeeds are, in words.
fn most_advanced(feeds: &[Changefeed]) -> String {
    let shown = |feed: &Changefeed| {
        let at = feed.checkpoint_ts.unwrap_or(Tso(0));
        format!("{feed} is {} at {}", feed.state, at.0)
    };
    match feeds {
        [] => " (there is none)".into(),
        feeds => format!(" ({})", feeds.iter().map(shown).collect::<Vec<_>>().join(", ")),
    }
}
