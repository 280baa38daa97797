//! What it means: how long replication stands still, how many Pumps TiDB can write to.

use super::words::{NOTICED, span};
use super::{StoryLine, StoryLineKind};
use crate::node::Kind;
use crate::rehearsal::play::Played;
use crate::rehearsal::truth::Truth;
use crate::sim::{Cluster, Micros, NodeIndex};
use crate::text::Untrusted;

pub(super) fn told(start: &Cluster, played: &Played, truth: &Truth) -> Vec<StoryLine> {
    let end = played.ended_at();
    let mut told = writable(start, truth, end);
    told.extend(replication(played, truth, end));
    told
}

/// How many Pumps TiDB could write to, and for how long.
fn writable(start: &Cluster, truth: &Truth, end: Micros) -> Vec<StoryLine> {
    let all = start.everybody().filter(|who| who.kind() == Kind::Pump).count();
    let first = truth.writable.first().map_or(0, |(_, count)| *count);
    let mut told = Vec::new();
    let changes = truth.writable_to_tidb();
    let less = Truth::stretches(&changes, end, |count| count.is_some_and(|count| count < first));
    for (from, to) in less {
        let least = changes.iter().filter(|(at, _)| *at >= from && *at < to).filter_map(|(_, count)| *count).min();
        let (least, length) = (least.unwrap_or(first), span(to - from));
        if to - from < NOTICED {
            continue;
        }
        let text = match least {
            0 => format!("TiDB could write to no Pump, or to few of them, for {length}"),
            _ => format!("TiDB could write to {least} of {all} Pumps for {length}"),
        };
        told.push(StoryLine::new(to, StoryLineKind::Meaning, text));
    }
    told
}

/// Which Drainers stood still, and for how long.
fn replication(played: &Played, truth: &Truth, end: Micros) -> Vec<StoryLine> {
    let mut stretches: Vec<(Micros, Micros, Vec<String>)> = Vec::new();
    // One that never replicated, paused before the script began, was not stopped by anything that is told here.
    let replicating = || truth.flows.iter().filter(|(_, changes)| changes.iter().any(|(_, flows)| *flows));
    for (place, changes) in replicating() {
        let id = Untrusted::from(played.after.id_of(NodeIndex::Drainer(*place))).to_string();
        for (from, to) in Truth::stretches(changes, end, |flows| !flows) {
            match stretches.iter_mut().find(|(f, t, _)| (*f - from).abs() < NOTICED && (*t - to).abs() < NOTICED) {
                Some((_, last, ids)) => {
                    *last = to.max(*last);
                    ids.push(id.clone());
                }
                None => stretches.push((from, to, vec![id.clone()])),
            }
        }
    }
    let all = replicating().count();
    let noticed = stretches.into_iter().filter(|(from, to, _)| to - from >= NOTICED);
    noticed
        .map(|(from, to, ids)| {
            let whose = if ids.len() == all && all > 1 { "every Drainer".to_owned() } else { ids.join(", ") };
            let so_far = if to == end { " so far" } else { "" };
            let text = format!("replication of {whose} stood still for {}{so_far}", span(to - from));
            StoryLine::new(to, StoryLineKind::Meaning, text)
        })
        .collect()
}
