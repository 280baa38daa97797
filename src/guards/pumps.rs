//! Guards about the other Pumps: TiDB needs one to write to, and merging needs all of them.

use crate::error::Result;
use crate::guards::Verdict;
use crate::guards::scene::Scene;
use crate::node::{Kind, NodeRef, State};
use crate::world::{ProbeFinding, Request};

/// The node that a request is about, if it is about one.
pub(super) fn target(request: &Request) -> Option<NodeRef> {
    match request {
        Request::Act { node, .. } | Request::TriggerGc { node } => Some(node.clone()),
        Request::SwapRecord { seen, .. } => Some(seen.node.clone()),
        _ => None,
    }
}

/// Another Pump must be online and answer: else TiDB stops, or silently skips binlog.
pub(super) fn last_pump(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let mut others = Vec::new();
    for pump in scene.others(Kind::Pump, target(request).as_ref())? {
        let probe = scene.probe(&pump.node)?;
        if pump.state == State::Online && probe == ProbeFinding::State(State::Online) {
            return Ok(Verdict::Clear);
        }
        others.push(format!("{} says {} and a probe {probe}", pump.node.id, pump.state));
    }
    let others = if others.is_empty() { "there is no other".to_owned() } else { others.join(", ") };
    Ok(Verdict::Trips(format!(
        "no other Pump is online and answers ({others}): TiDB would stop, or skip binlog without a word"
    )))
}

/// No Pump may be closing: it would never end, or end before its binlog was read.
pub(super) fn pump_closing(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let (mut closing, mut unknown) = (Vec::new(), Vec::new());
    for pump in scene.others(Kind::Pump, target(request).as_ref())? {
        match scene.probe(&pump.node)? {
            ProbeFinding::State(State::Closing) => closing.push(pump.node.id),
            finding @ (ProbeFinding::Silent | ProbeFinding::Unknown(_)) => {
                unknown.push(format!("{} ({finding})", pump.node.id));
            }
            _ => {}
        }
    }
    let consequence = match target(request).map(|node| node.kind) {
        Some(Kind::Drainer) if !pauses(request) => "it would be released, and what this Drainer has not read is lost",
        _ => "it could not finish while this node is down",
    };
    Ok(if !closing.is_empty() {
        Verdict::Trips(format!("{} is closing: {consequence}", closing.join(", ")))
    } else if !unknown.is_empty() {
        Verdict::Unknown(format!("whether a Pump is closing, since {} tells nothing", unknown.join(", ")))
    } else {
        Verdict::Clear
    })
}

fn pauses(request: &Request) -> bool {
    matches!(request, Request::Act { action: crate::world::Action::Pause, .. })
}

/// Every other Pump that is not offline must serve: while one does not, merging stands still and closing never ends.
pub(super) fn stuck_pump(scene: &mut Scene<'_>, request: &Request) -> Result<Verdict> {
    let mut stuck = Vec::new();
    for pump in scene.others(Kind::Pump, target(request).as_ref())? {
        let probe = scene.probe(&pump.node)?;
        // A closing Pump serves what it holds, but brings nothing new: one waits for the other.
        if probe != ProbeFinding::State(State::Online) {
            stuck.push(format!("{} (record {}, probe {probe})", pump.node.id, pump.state));
        }
    }
    Ok(match stuck.is_empty() {
        true => Verdict::Clear,
        false => Verdict::Trips(format!(
            "{} does not serve its binlog: merging stands still, so the Pump would wait in `closing` until it does",
            stuck.join(", ")
        )),
    })
}
