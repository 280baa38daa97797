//! A hand-over to TiCDC: whether a changefeed goes on just where a Drainer has stopped, does so alone, and finds all that it is to
//! read.
//!
//! What decides is derived from the sources of Drainer and TiCDC: a changefeed applies rows behind its start-ts and DDLs from its
//! start-ts on; a Drainer has applied everything up to and including its checkpoint.

use super::{Blame, Case, Harm, HarmKind, PROBE_WINDOW};
use crate::node::{Kind, State};
use crate::rehearsal::trace::AttemptedChange;
use crate::rehearsal::truth::{ProcessState, Timeline, since};
use crate::sim::{LogEvent, Micros, NodeIndex};
use crate::tso::Tso;
use crate::world::{Change, GcHold};
use std::collections::BTreeSet;

/// A changefeed that came to be.
struct CreatedFeed {
    feed: usize,
    start_ts: Tso,
    at: Micros,
    /// When the script asked for it; `None` where somebody else did.
    asked: Option<Micros>,
}

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Harm>) {
    for created in created(case) {
        for drainer in handed_over(case, &created) {
            let Some(timeline) = case.truth.node(NodeIndex::Drainer(drainer)) else { continue };
            match runs_beside(case, timeline, &created) {
                Some(harm) => found.push(harm),
                None => found.extend(between(case, drainer, &created)),
            }
            found.extend(ddl_of_both(case, drainer, &created));
        }
    }
    collected(case, found);
}

/// Whether a changefeed has gone on where the Drainer at this place has stopped for good: what that one has not consumed, the
/// changefeed has read.
pub(super) fn has_taken_over(case: &Case<'_>, drainer: usize) -> bool {
    let Some(timeline) = case.truth.node(NodeIndex::Drainer(drainer)) else { return false };
    let saved = case.played.after.saved_downstream(drainer).map(|saved| saved.commit_ts);
    created(case).any(|created| {
        handed_over(case, &created).contains(&drainer)
            && runs_beside(case, timeline, &created).is_none()
            && saved.is_some_and(|saved| created.start_ts <= saved)
    })
}

fn created<'a>(case: &'a Case<'_>) -> impl Iterator<Item = CreatedFeed> + 'a {
    case.played.after.log().iter().filter_map(|entry| {
        let LogEvent::ChangefeedCreated { feed, start_ts } = entry.what else { return None };
        let asks = |act: &&AttemptedChange| {
            act.begun <= entry.at
                && entry.at <= act.ended
                && act
                    .change
                    .outside()
                    .and_then(|outside| outside.changefeed)
                    .is_some_and(|new| new.id == *case.played.after.changefeed_id(feed))
        };
        let asked = case.played.acts.iter().find(asks).map(|act| act.begun);
        Some(CreatedFeed { feed, start_ts, at: entry.at, asked })
    })
}

/// The Drainers whose work it takes over: those that the script has stopped or retired, or else all that write when it begins.
fn handed_over(case: &Case<'_>, created: &CreatedFeed) -> BTreeSet<usize> {
    let place = |who: NodeIndex| match who {
        NodeIndex::Drainer(at) => Some(at),
        NodeIndex::Pump(_) => None,
    };
    let mut meant: BTreeSet<usize> = case.taken_out.iter().filter_map(|out| place(out.who)).collect();
    for act in &case.played.acts {
        if let Change::SwapRecord { seen, state: State::Offline } = &act.change
            && let Some(timeline) = case.truth.named(seen.node.kind, &seen.node.id)
        {
            meant.extend(place(timeline.who));
        }
    }
    if meant.is_empty() {
        let drainers = case.truth.nodes.iter().filter(|timeline| timeline.kind() == Kind::Drainer);
        meant.extend(
            drainers.filter(|drainer| writes(drainer.process_at(created.at))).filter_map(|drainer| place(drainer.who)),
        );
    }
    meant
}

/// Whether a process in this state writes downstream, now or when it goes on.
fn writes(process: ProcessState) -> bool {
    match process {
        ProcessState::Online | ProcessState::Hung => true,
        ProcessState::Down | ProcessState::Starting | ProcessState::Closing => false,
    }
}

/// The Drainer works while the changefeed does: both apply what is committed by then.
fn runs_beside(case: &Case<'_>, drainer: &Timeline, created: &CreatedFeed) -> Option<Harm> {
    let harm = |at, blame| {
        let feed = case.played.after.changefeed_id(created.feed);
        let text = format!("{} works beside the changefeed {feed}: both apply what is committed", drainer.id);
        Harm::new(HarmKind::AppliedTwice, at, blame, text)
    };
    if writes(drainer.process_at(created.at)) {
        let works_since = since(&drainer.process, created.at);
        return Some(harm(created.at, Blame::of(created.asked, works_since, PROBE_WINDOW)));
    }
    let (at, _) = drainer.process.iter().find(|(at, process)| *at > created.at && writes(*process))?;
    let starts = |act: &&AttemptedChange| {
        let is_it = |node: &crate::node::NodeRef| node.kind == Kind::Drainer && node.id == drainer.id;
        act.begun >= created.at && act.begun <= *at && act.change.nodes().into_iter().any(is_it)
    };
    let by_script = case.played.acts.iter().any(|act| starts(&act));
    Some(harm(*at, if by_script { Blame::Script } else { Blame::BadLuck }))
}

/// The changefeed begins behind more than the Drainer has applied: what lies between nobody applies.
fn between(case: &Case<'_>, drainer: usize, created: &CreatedFeed) -> Option<Harm> {
    let saved = case.played.after.saved_downstream(drainer)?.commit_ts;
    if created.start_ts <= saved {
        return None;
    }
    let size = (created.start_ts.seconds_since(saved) * 1e6) as Micros;
    let text = format!(
        "the changefeed {} begins behind {}, and {} has applied everything up to {} only: what lies between is applied by nobody",
        case.played.after.changefeed_id(created.feed),
        created.start_ts.0,
        case.id(NodeIndex::Drainer(drainer)),
        saved.0
    );
    let blame = if created.asked.is_some() { Blame::Script } else { Blame::BadLuck };
    Some(Harm { size: Some(size.max(1)), ..Harm::new(HarmKind::BinlogLost, created.at, blame, text) })
}

/// A DDL that the Drainer has applied, and that lies where the changefeed begins or behind it.
fn ddl_of_both(case: &Case<'_>, drainer: usize, created: &CreatedFeed) -> Option<Harm> {
    let end = &case.played.after;
    let saved = end.saved_downstream(drainer)?.commit_ts;
    let (ddl, at) =
        end.ddls().map(|at| (end.ts_at(at), at)).find(|(ddl, _)| created.start_ts <= *ddl && *ddl <= saved)?;
    let text = format!(
        "the DDL at {} was applied by {}, and is again by the changefeed {}, which begins at {}",
        ddl.0,
        case.id(NodeIndex::Drainer(drainer)),
        end.changefeed_id(created.feed),
        created.start_ts.0
    );
    Some(Harm::new(HarmKind::AppliedTwice, created.at, Blame::of(created.asked, at, PROBE_WINDOW), text))
}

/// TiKV collected what a changefeed was to begin behind, before it was there.
fn collected(case: &Case<'_>, found: &mut Vec<Harm>) {
    for act in &case.played.acts {
        let Some(new) = act.change.outside().and_then(|outside| outside.changefeed) else { continue };
        let gone = case.played.after.log().iter().filter(|entry| entry.at <= act.ended).find_map(|entry| {
            let LogEvent::TikvCollected(until) = entry.what else { return None };
            (until >= new.start_ts).then_some((entry.at, until))
        });
        let Some((at, until)) = gone else { continue };
        let text = format!(
            "TiKV had collected up to {} before the changefeed {} was there, which was to begin behind {}: it cannot have what lies between",
            until.0, new.id, new.start_ts.0
        );
        let blame = if is_held(case, new.start_ts, at) { Blame::BadLuck } else { Blame::Script };
        found.push(Harm::new(HarmKind::RangeCollected, at, blame, text));
    }
}

/// Whether the script had GC held below `start` at `time`.
fn is_held(case: &Case<'_>, start: Tso, time: Micros) -> bool {
    let done = case.played.acts.iter().filter(|act| act.ended <= time);
    let held = done.fold(None, |held, act| GcHold::after(held, &act.change, &act.outcome));
    held.is_some_and(|hold| hold.safe_point < start)
}
