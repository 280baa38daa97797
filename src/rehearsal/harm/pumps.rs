//! TiDB without a Pump that takes its writes, and more than one Pump down at a time.

use super::taken_out::{Removal, TakenOut, is_pump};
use super::{Blame, Case, Harm, HarmKind, PROBE_WINDOW};
use crate::node::{RecordState, State};
use crate::rehearsal::truth::{ProcessState, since};
use crate::sim::{Micros, SECOND};
use crate::time::show_seconds;

/// TiDB's write timeout: what is over sooner, it does not notice.
const WRITE_TIMEOUT: Micros = 15 * SECOND;

pub(super) fn look(case: &Case<'_>, found: &mut Vec<Harm>) {
    for (from, to) in blocked(case) {
        let blame = blame_for_block(case, from);
        let text = format!("no Pump accepted TiDB's writes for {}", show_seconds((to - from) as f64 / 1e6));
        found.push(Harm::new(HarmKind::TidbBlocked, from, blame, text));
    }
    two_down(case, found);
}

/// The stretches, longer than TiDB's patience, in which no Pump accepted writes although TiDB was to write.
pub(super) fn blocked(case: &Case<'_>) -> Vec<(Micros, Micros)> {
    let end = case.played.after.now();
    let none = case.truth.blocked(end);
    none.into_iter().filter(|(from, to)| to - from > WRITE_TIMEOUT && *from > 0).collect()
}

/// Who is to blame that no Pump was left at `time`.
pub(super) fn blame_for_block(case: &Case<'_>, time: Micros) -> Blame {
    let ours = case.taken_out.iter().filter(|out| is_pump(out.who) && out.is_out_at(time));
    let Some(last) = ours.max_by_key(|out| out.asked) else { return Blame::BadLuck };
    // The others were gone before: had the last of them been seen to be gone, this one would not have been taken out.
    let others = case.truth.nodes.iter().filter(|node| is_pump(node.who) && node.who != last.who);
    let gone = others.map(|node| not_online_since(&node.process, time)).max().unwrap_or(Micros::MIN);
    Blame::of(Some(last.asked), gone, PROBE_WINDOW)
}

/// Since when a process that does not work at `time` has not worked.
fn not_online_since(process: &[(Micros, ProcessState)], time: Micros) -> Micros {
    let works: Vec<(Micros, bool)> = process.iter().map(|(at, being)| (*at, *being == ProcessState::Online)).collect();
    since(&works, time)
}

/// Pumps that are to come back, down through us at the same time.
fn two_down(case: &Case<'_>, found: &mut Vec<Harm>) {
    let returns = |out: &&TakenOut| is_pump(out.who) && out.how != Removal::Closed && is_to_return(case, out);
    let pumps: Vec<&TakenOut> = case.taken_out.iter().filter(returns).collect();
    for (place, second) in pumps.iter().enumerate() {
        let first = pumps[..place].iter().find(|first| first.who != second.who && first.is_out_at(second.from));
        let Some(first) = first else { continue };
        let text = format!("{} went down while {} was not back", case.id(second.who), case.id(first.who));
        // Our own pause needs no probe to be known of; one that was carried out late is another matter.
        let blame = Blame::of(Some(second.asked), first.from, 0);
        found.push(Harm::new(HarmKind::TwoDown, second.from, blame, text));
    }
}

/// Whether it is to come back: unless the rehearsal without faults ends with it offline or gone. One that a script leaves
/// paused is missing all the same.
fn is_to_return(case: &Case<'_>, out: &TakenOut) -> bool {
    let Some(intended) = case.intended else { return true };
    let end = intended.ends.get(&(out.who.kind(), case.id(out.who).to_owned()));
    end.is_none_or(|(_, record)| !matches!(record, None | Some(RecordState::Known(State::Offline))))
}
