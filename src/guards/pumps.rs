//! Guards about the other Pumps: TiDB needs one to write to, and merging needs all of them.

use crate::error::Result;
use crate::guards::Verdict;
use crate::guards::view::ClusterView;
use crate::node::{Kind, State};
use crate::text::Untrusted;
use crate::world::{Action, Change, Control, ProbeFinding};

/// The node that a change is about, if it is about one.
pub(super) fn target(change: &Change) -> Option<(Kind, Untrusted)> {
    match change {
        Change::Act { node, .. } | Change::TriggerGc { node } | Change::Control(Control { node, .. }) => {
            Some((node.kind, node.id.clone()))
        }
        Change::SwapRecord { seen, .. } => Some((seen.node.kind, seen.node.id.clone())),
        Change::DeleteRecord { key, .. } => Kind::of_key(key).map(|(kind, id)| (kind, id.into())),
        Change::RecoverTidb { .. }
        | Change::WriteSavepoint { .. }
        | Change::Encrypt { .. }
        | Change::HoldGc { .. }
        | Change::ReleaseGc { .. }
        | Change::BreakLock { .. }
        | Change::Manual(_)
        | Change::Exec(_) => None,
    }
}

/// Another Pump must be online and answer: else TiDB stops, or silently skips binlog.
pub(super) fn last_pump(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let (mut others, mut cannot_tell) = (Vec::new(), false);
    for pump in scene.others(Kind::Pump, target(change).as_ref())? {
        let probe = scene.probe(&pump.node)?;
        if pump.state == State::Online && probe == ProbeFinding::State(State::Online) {
            return Ok(Verdict::Clear);
        }
        cannot_tell |= pump.state == State::Online && matches!(probe, ProbeFinding::Unknown(_));
        others.push(format!("{} (record {}, probe {probe})", pump.node.id, pump.state));
    }
    let others = if others.is_empty() { "there is no other".to_owned() } else { others.join(", ") };
    if cannot_tell {
        return Ok(Verdict::Unknown(format!("whether another Pump is online and takes writes: {others}")));
    }
    Ok(Verdict::Trips(format!(
        "no other Pump is online and answers: {others}; TiDB would stop, or skip binlog without a word"
    )))
}

/// A Pump must take what the TiDB server would write: else it waits for one, and skips again. What it has skipped is lost in
/// any case.
pub(super) fn no_pump(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    Ok(match last_pump(scene, change)? {
        Verdict::Clear => Verdict::Note(
            "what it has skipped is lost to every Drainer: each downstream needs a new full backup, taken once no \
             transaction that skipped is under way, and a checkpoint of that time"
                .to_owned(),
        ),
        Verdict::Note(_) | Verdict::Trips(_) | Verdict::Unknown(_) => Verdict::Trips(
            "no Pump is online and answers: the server would wait 15 s for one, and then skip binlog again".to_owned(),
        ),
    })
}

/// No Pump may be closing: it would never end, or end before its binlog was read.
pub(super) fn pump_closing(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let (mut closing, mut unknown) = (Vec::new(), scene.unreadable(Kind::Pump)?);
    for pump in scene.others(Kind::Pump, target(change).as_ref())? {
        match scene.probe(&pump.node)? {
            ProbeFinding::State(State::Closing) => closing.push(pump.node.id.to_string()),
            finding @ (ProbeFinding::Silent | ProbeFinding::Unknown(_)) => {
                unknown.push(format!("a probe of {} is {finding}", pump.node.id));
            }
            ProbeFinding::State(State::Online | State::Pausing | State::Paused | State::Offline)
            | ProbeFinding::Refused
            | ProbeFinding::Other(_) => {}
        }
    }
    let consequence = match target(change).map(|(kind, _)| kind) {
        Some(Kind::Drainer) if !pauses(change) => "it would be released, and what this Drainer has not read is lost",
        _ => "it could not finish while this node is down",
    };
    Ok(if !closing.is_empty() {
        Verdict::Trips(format!("{} is closing: {consequence}", closing.join(", ")))
    } else if !unknown.is_empty() {
        Verdict::Unknown(format!("whether a Pump is closing (if so, {consequence}), since {}", unknown.join(", ")))
    } else {
        Verdict::Clear
    })
}

fn pauses(change: &Change) -> bool {
    matches!(change, Change::Act { action: Action::Pause, .. } | Change::Control(_))
}

/// Every other Pump that is not offline must serve: while one does not, merging stands still and closing never ends.
pub(super) fn stuck_pump(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let mut stuck = Vec::new();
    for pump in scene.others(Kind::Pump, target(change).as_ref())? {
        let probe = scene.probe(&pump.node)?;
        // A closing Pump serves what it holds, but brings nothing new: one waits for the other.
        if probe != ProbeFinding::State(State::Online) {
            stuck.push(format!("{} (record {}, probe {probe})", pump.node.id, pump.state));
        }
    }
    let mut reasons = Vec::new();
    if !stuck.is_empty() {
        reasons.push(format!(
            "while a Pump does not serve, or closes, merging stands still, and the Pump would wait in `closing`: {}",
            stuck.join(", ")
        ));
    }
    for key in scene.unreadable(Kind::Pump)? {
        reasons.push(format!(
            "{key}: the Drainers would never learn that the Pump went offline, and stand still; forget that key first"
        ));
    }
    Ok(match reasons.is_empty() {
        true => Verdict::Clear,
        false => Verdict::Trips(reasons.join("; ")),
    })
}
