//! Binlog that a Drainer still needed and did not get, or that TiDB never wrote.

use super::handover::has_taken_over;
use super::pumps::{blame_for_block, blocked};
use super::{Blame, Case, Harm, HarmKind, PROBE_WINDOW, forced_or};
use crate::node::{Kind, RecordState, State};
use crate::rehearsal::trace::AttemptedChange;
use crate::sim::{LogEvent, Micros, NodeIndex, SECOND};
use crate::time::show_seconds;
use crate::world::{Action, Change};

/// How binlog is lost to GC.
const COLLECTED: &str = "had collected before it had read";

/// What a Drainer without a process has forgotten to have read: a Pump's last binlog of its own, at most.
const READ_AHEAD: Micros = 3 * SECOND;

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Harm>) {
    let mut told = Vec::new();
    for entry in case.played.after.log() {
        let (drainer, pump, from, to, how) = match entry.what {
            LogEvent::LeftBehind { drainer, pump, from, to } => {
                (drainer, pump, from, to, "was gone before it had read")
            }
            LogEvent::Skipped { drainer, pump, from, to } => {
                (drainer, pump, from, to, "was dropped and taken back without")
            }
            LogEvent::Hole { drainer, pump, from, to } => (drainer, pump, from, to, COLLECTED),
            LogEvent::Started(_)
            | LogEvent::Notifying(_)
            | LogEvent::Online(_)
            | LogEvent::Closing(_)
            | LogEvent::Exited { .. }
            | LogEvent::Acted { .. }
            | LogEvent::Hung(_)
            | LogEvent::Continued(_)
            | LogEvent::Recorded { .. }
            | LogEvent::Retired(_)
            | LogEvent::Forgotten(_)
            | LogEvent::Ddl
            | LogEvent::TidbSkips(_)
            | LogEvent::TidbRecovers(_)
            | LogEvent::TidbStopped(_)
            | LogEvent::Halted(_)
            | LogEvent::Flowing(_)
            | LogEvent::Writable(_)
            | LogEvent::TidbWrites(_)
            | LogEvent::TikvCollected(_)
            | LogEvent::ChangefeedCreated { .. }
            | LogEvent::ChangefeedTurned { .. }
            | LogEvent::FaultBegan(_)
            | LogEvent::FaultEnded(_)
            | LogEvent::PdGone
            | LogEvent::PdBack => continue,
        };
        lost(case, Loss { at: entry.at, drainer, pump, from, size: to - from, how }, &mut told, found);
    }
    unread_in_the_end(case, &mut told, found);
    skipped_by_tidb(case, found);
}

/// The losses that were told: of one Drainer in one Pump, once for each who is to blame.
type Losses = Vec<(usize, usize, Blame)>;

struct Loss<'a> {
    at: Micros,
    drainer: usize,
    pump: usize,
    /// Up to where the Drainer had read.
    from: Micros,
    size: Micros,
    how: &'a str,
}

fn lost(case: &Case<'_>, loss: Loss<'_>, told: &mut Losses, found: &mut Vec<Harm>) {
    let blame = blame(case, &loss);
    if loss.size <= 0 || is_retired(case, loss.drainer) || told.contains(&(loss.drainer, loss.pump, blame)) {
        return;
    }
    told.push((loss.drainer, loss.pump, blame));
    let (drainer, pump) = (case.id(NodeIndex::Drainer(loss.drainer)), case.id(NodeIndex::Pump(loss.pump)));
    let text = format!("{pump} {} {} of binlog: lost to {drainer}", loss.how, show_seconds(loss.size as f64 / 1e6));
    found.push(Harm { size: Some(loss.size), ..Harm::new(HarmKind::BinlogLost, loss.at, blame, text) });
}

/// Whether nobody needs the Drainer's progress any more: its record says `offline` in the end or is gone, the script said so, or a
/// changefeed has gone on where it stopped.
fn is_retired(case: &Case<'_>, drainer: usize) -> bool {
    let who = NodeIndex::Drainer(drainer);
    let end = &case.played.after;
    has_taken_over(case, drainer)
        || matches!(end.recorded_state(who), None | Some(RecordState::Known(State::Offline)))
        || end.log().iter().any(|entry| entry.what == LogEvent::Retired(who))
}

/// Who is to blame: what made the Drainer go on without it?
fn blame(case: &Case<'_>, loss: &Loss<'_>) -> Blame {
    if loss.how == COLLECTED {
        return blame_for_hole(case, loss);
    }
    let pump = NodeIndex::Pump(loss.pump);
    let gone = |what: &LogEvent| {
        if let LogEvent::Recorded { who, state: RecordState::Known(State::Offline), by_hand } = what {
            return (*who == pump).then_some(*by_hand);
        }
        (*what == LogEvent::Forgotten(pump)).then_some(true)
    };
    let log = case.played.after.log().iter().rev().filter(|entry| entry.at <= loss.at);
    let cause = log.filter_map(|entry| gone(&entry.what).map(|by_hand| (entry.at, by_hand))).next();
    let id = case.id(pump);
    let by_hand = written(case, Kind::Pump, &id);
    match cause {
        Some((at, true)) => match by_hand.filter(|act| act.begun <= at && at <= act.ended).last() {
            // Nobody can prove that what a Pump holds was read: no fault is needed for this to lose it.
            Some(act) => forced_or(act, Blame::Script),
            None => Blame::BadLuck,
        },
        Some((at, false)) => blame_for_close(case, loss, at),
        None => Blame::BadLuck,
    }
}

/// The states that the script wrote by hand into this node's record, and its deletions of it.
fn written<'a>(case: &'a Case<'_>, kind: Kind, id: &'a str) -> impl Iterator<Item = &'a AttemptedChange> {
    let is_its = move |key: &str| Kind::of_key(key) == Some((kind, id));
    case.played.acts.iter().filter(move |act| act.change.record_key().is_some_and(|key| is_its(&key)))
}

/// A Pump went of itself before the Drainer had read it: it was told to close, and did not wait for that Drainer.
fn blame_for_close(case: &Case<'_>, loss: &Loss<'_>, gone: Micros) -> Blame {
    let (drainer, pump) = (case.id(NodeIndex::Drainer(loss.drainer)), case.id(NodeIndex::Pump(loss.pump)));
    let closes = |act: &&AttemptedChange| {
        let Change::Act { node, action: Action::Close } = &act.change else { return false };
        node.id == pump || node.id == drainer
    };
    let closed = case.played.acts.iter().filter(closes);
    let acts = closed.chain(written(case, Kind::Drainer, &drainer)).filter(|act| act.begun <= gone);
    let Some(act) = acts.max_by_key(|act| act.begun) else { return Blame::BadLuck };
    if had_read_all(case, loss, act.begun) {
        return Blame::BadLuck;
    }
    let by_script = Blame::of(Some(act.begun), last_fault(case, loss, act.begun), PROBE_WINDOW);
    forced_or(act, by_script)
}

/// Whether the Drainer had read all that the Pump held when it closed: what is lost came into it later, through a process
/// that somebody started once it was `offline`.
fn had_read_all(case: &Case<'_>, loss: &Loss<'_>, told: Micros) -> bool {
    let pump = NodeIndex::Pump(loss.pump);
    let log = case.played.after.log().iter().filter(|entry| told <= entry.at && entry.at <= loss.at);
    let mut closed = log.filter(|entry| entry.what == LogEvent::Closing(pump));
    // A closing Pump takes no more writes: its newest binlog is the one that it makes as it begins to close.
    closed.next().is_some_and(|closed| closed.at <= loss.from)
}

/// A Pump collected what the Drainer had not read: the script made it, or kept the Drainer down too long.
fn blame_for_hole(case: &Case<'_>, loss: &Loss<'_>) -> Blame {
    let (drainer, pump) = (case.id(NodeIndex::Drainer(loss.drainer)), case.id(NodeIndex::Pump(loss.pump)));
    let collects = |act: &&AttemptedChange| {
        let Change::TriggerGc { node } = &act.change else { return false };
        node.id == pump && act.begun <= loss.at && loss.at <= act.ended
    };
    if let Some(act) = case.played.acts.iter().find(collects) {
        return forced_or(act, Blame::Script);
    }
    let kept_down = |out: &&super::taken_out::TakenOut| case.id(out.who) == drainer && out.from <= loss.at;
    match case.taken_out.iter().rev().find(kept_down) {
        Some(out) => Blame::of(Some(out.asked), last_fault(case, loss, out.asked), PROBE_WINDOW),
        None => Blame::BadLuck,
    }
}

/// When the last fault began, before the loss, that could have had a part in it: at one of the two nodes, or at PD.
/// `Micros::MIN` if there was none.
fn last_fault(case: &Case<'_>, loss: &Loss<'_>, act: Micros) -> Micros {
    let end = &case.played.after;
    let (drainer, pump) = (case.id(NodeIndex::Drainer(loss.drainer)), case.id(NodeIndex::Pump(loss.pump)));
    let concerns = |fault: usize| {
        let node = end.faults()[fault].node.as_ref();
        node.is_none_or(|node| *node == drainer || *node == pump)
    };
    let began = end.log().iter().filter(|entry| entry.at <= loss.at).filter_map(|entry| {
        let LogEvent::FaultBegan(fault) = entry.what else { return None };
        concerns(fault).then_some(entry.at)
    });
    // Faults that were over long before the act have nothing to do with it, and condemn nobody.
    began.filter(|at| *at > act - PROBE_WINDOW).max().unwrap_or(Micros::MIN)
}

/// What is gone for good although no Drainer has noticed yet: it is down, and will find the Pump `offline`.
fn unread_in_the_end(case: &Case<'_>, told: &mut Losses, found: &mut Vec<Harm>) {
    let end = &case.played.after;
    let nodes: Vec<NodeIndex> = end.everybody().collect();
    let gone_at_start = |who: &NodeIndex| {
        case.start.has(*who)
            && matches!(case.start.recorded_state(*who), None | Some(RecordState::Known(State::Offline)))
    };
    for pump in nodes.iter().filter(|who| who.kind() == Kind::Pump && !gone_at_start(who)) {
        let NodeIndex::Pump(place) = *pump else { continue };
        if !matches!(end.recorded_state(*pump), None | Some(RecordState::Known(State::Offline))) {
            continue;
        }
        let gone = case.truth.node(*pump).and_then(|node| node.record.last()).map_or(end.now(), |(at, _)| *at);
        for drainer in nodes.iter().filter_map(|who| match who {
            NodeIndex::Drainer(place) => Some(*place),
            NodeIndex::Pump(_) => None,
        }) {
            if was_retired_until(case, NodeIndex::Drainer(drainer), gone) {
                continue;
            }
            if let Some((from, to)) = end.unread(drainer, place).filter(|(from, to)| to - from > READ_AHEAD) {
                let how = "is gone, and nobody has read of it";
                lost(case, Loss { at: gone, drainer, pump: place, from, size: to - from, how }, told, found);
            }
        }
    }
}

/// Whether the Drainer was `offline` from the beginning until `time`: nobody kept binlog for it, whatever somebody writes
/// into its record later.
fn was_retired_until(case: &Case<'_>, drainer: NodeIndex, time: Micros) -> bool {
    case.truth.node(drainer).is_some_and(|node| {
        let mut before = node.record.iter().filter(|(at, _)| *at <= time);
        before.all(|(_, state)| state.as_ref().is_some_and(|record| *record == State::Offline))
    })
}

/// TiDB servers that found no Pump and skip binlog, or stopped.
fn skipped_by_tidb(case: &Case<'_>, found: &mut Vec<Harm>) {
    for entry in case.played.after.log() {
        if !matches!(entry.what, LogEvent::TidbSkips(_)) {
            continue;
        }
        let stretch = blocked(case).into_iter().find(|(from, to)| *from <= entry.at && entry.at <= *to);
        let blame = stretch.map_or(Blame::BadLuck, |(from, _)| blame_for_block(case, from));
        let text = "a TiDB server found no Pump, and skips binlog from now on";
        found.push(Harm::new(HarmKind::BinlogLost, entry.at, blame, text));
    }
}
