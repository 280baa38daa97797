//! Which guards a change has, and what they find.
//!
//! Guards read afresh, right before a change. What cannot be read is unknown, and unknown refuses. Their reads are no
//! entries of the journal; their findings are part of the change's entry, so that a later version of a guard makes no
//! old journal diverge.

#![warn(
    clippy::wildcard_enum_match_arm,
    reason = "a new change, fault or answer is decided on here, and not by an arm that was written before it was thought of"
)]

mod changefeeds;
mod control;
mod drainers;
mod finding;
mod host;
mod pumps;
mod records;
mod standing;
mod view;
mod watch;

pub use finding::{GuardFinding, Verdict};
pub use watch::Watch;

use crate::error::Result;
use crate::node::{Kind, Record, State};
use crate::world::{Action, Change, Control, GuardClass, GuardName, ProcessVerb, World};
use view::ClusterView;

/// What the guards say to a change.
#[derive(Clone, Debug, PartialEq)]
pub struct Examination {
    /// What the change does, to whom and in which state: a sentence without a full stop.
    pub about: String,
    /// What every guard of it found.
    pub findings: Vec<GuardFinding>,
    /// What is not as it should be just now, a phrase each: of the node itself first, then of others.
    pub around: Vec<String>,
    /// How every node stands, a line each.
    pub nodes: Vec<String>,
}

/// A guard as a change has it: its name, what is at stake, and how it looks.
struct Guard {
    name: GuardName,
    class: GuardClass,
    look: fn(&mut ClusterView<'_>, &Change) -> Result<Verdict>,
}

const fn halt(name: GuardName, look: fn(&mut ClusterView<'_>, &Change) -> Result<Verdict>) -> Guard {
    Guard { name, class: GuardClass::Halt, look }
}

const fn loss(name: GuardName, look: fn(&mut ClusterView<'_>, &Change) -> Result<Verdict>) -> Guard {
    Guard { name, class: GuardClass::Loss, look }
}

/// Looks at `change` with all its guards, in `world` as it is just now; `watch` knows what was watched before.
///
/// # Errors
/// `unreachable`, `rejected` or `refused` where it can come to nothing, with what to do instead; else fatal ones only: a guard
/// that cannot read what it needs finds `Unknown`.
pub fn examine(world: &mut dyn World, change: &Change, watch: &mut Watch) -> Result<Examination> {
    let mut scene = ClusterView::new(world, watch);
    let about = scene.describe(change)?;
    if let Some(obstacle) = standing::obstacle(&mut scene, change)? {
        return Err(obstacle);
    }
    let mut findings = Vec::new();
    for guard in guards_of(&mut scene, change)? {
        let verdict = match (guard.look)(&mut scene, change) {
            Ok(verdict) => verdict,
            Err(error) if error.kind.is_fatal() => return Err(error),
            Err(error) => Verdict::Unknown(error.to_string()),
        };
        findings.push(GuardFinding { guard: guard.name, class: guard.class, verdict });
    }
    Ok(Examination { about, findings, around: scene.around(change), nodes: scene.standings() })
}

/// The table of `docs/guide.md`: an operation refuses, unless forced by the guard's name.
fn guards_of(scene: &mut ClusterView<'_>, change: &Change) -> Result<Vec<Guard>> {
    use GuardName as G;
    Ok(match change {
        Change::Act { node, action } => match (node.kind, action) {
            (Kind::Pump, Action::Pause) => {
                vec![halt(G::LastPump, pumps::last_pump), halt(G::PumpClosing, pumps::pump_closing)]
            }
            (Kind::Pump, Action::Close) => vec![
                halt(G::LastPump, pumps::last_pump),
                halt(G::StuckDrainer, drainers::stuck_drainer),
                halt(G::StuckPump, pumps::stuck_pump),
                loss(G::NoDrainer, drainers::no_drainer),
            ],
            (Kind::Drainer, Action::Pause) => vec![halt(G::PumpClosing, drainers::pause_deadline)],
            (Kind::Drainer, Action::Close) => {
                vec![loss(G::PumpClosing, pumps::pump_closing), loss(G::LastDrainer, drainers::last_drainer)]
            }
        },
        Change::Control(control) => of_control(scene, control),
        Change::SwapRecord { seen, state } => {
            let mut guards = vec![loss(G::Alive, records::alive)];
            match state {
                State::Offline => guards.extend(of_retiring(seen.node.kind)),
                State::Online | State::Pausing | State::Paused | State::Closing => {
                    guards.push(halt(G::Pointless, records::pointless));
                }
            }
            guards
        }
        // What is no record may be deleted.
        Change::DeleteRecord { key, .. } => scene.record_at(key)?.map_or_else(Vec::new, |record| of_deleting(&record)),
        Change::TriggerGc { .. } => vec![loss(G::BehindGc, drainers::behind_gc)],
        Change::RecoverTidb { .. } => vec![halt(G::NoPump, pumps::no_pump)],
        Change::WriteSavepoint { dir, .. } => vec![match host::is_a_bare_savepoint(scene, dir) {
            true => halt(G::Exists, host::exists),
            false => loss(G::Exists, host::exists),
        }],
        Change::HoldGc { .. } => vec![halt(G::HoldsLong, changefeeds::holds_long)],
        Change::ReleaseGc { .. } => vec![loss(G::NotTakenOver, changefeeds::not_taken_over)],
        Change::Encrypt { .. } => vec![halt(G::PublicKey, host::public_key)],
        Change::Manual(_) | Change::Exec(_) | Change::BreakLock { .. } => Vec::new(),
    })
}

/// A process is ended, which is something else where there is one, and it is started.
fn of_control(scene: &mut ClusterView<'_>, control: &Control) -> Vec<Guard> {
    use GuardName as G;
    let (kind, verb) = (control.node.kind, control.verb);
    let mut guards = vec![halt(G::Kills, control::kills)];
    if verb.ends() && control::has_process(scene, control) {
        guards.push(halt(G::ForgetsClose, control::forgets_close));
        match (kind, verb) {
            (Kind::Pump, ProcessVerb::Stop) => {
                guards.extend([halt(G::LastPump, pumps::last_pump), halt(G::PumpClosing, pumps::pump_closing)]);
            }
            (Kind::Drainer, ProcessVerb::Stop) => guards.push(halt(G::PumpClosing, drainers::pause_deadline)),
            // It is back in a moment: TiDB needs another Pump until then, and whoever waits for it goes on afterwards.
            (Kind::Pump, ProcessVerb::Start | ProcessVerb::Restart) => {
                guards.push(halt(G::LastPump, pumps::last_pump));
            }
            (Kind::Drainer, ProcessVerb::Start | ProcessVerb::Restart) => {}
        }
    }
    match (kind, verb) {
        (Kind::Pump, ProcessVerb::Start | ProcessVerb::Restart) => {
            guards.push(loss(G::SkipsBinlog, control::skips_binlog));
            guards.push(halt(G::DeadDrainer, control::dead_drainer));
        }
        // One that runs goes on where it is.
        (Kind::Drainer, ProcessVerb::Start | ProcessVerb::Restart) => {
            guards.push(loss(G::GcOvertaken, drainers::gc_overtaken));
            guards.push(loss(G::ChangefeedWrites, changefeeds::changefeed_writes));
        }
        (Kind::Pump | Kind::Drainer, ProcessVerb::Stop) => {}
    }
    guards
}

/// From now on nobody waits for the node: for what it holds, or for what it has not read.
fn of_retiring(kind: Kind) -> Vec<Guard> {
    match kind {
        Kind::Pump => vec![loss(GuardName::LoseBinlog, records::lose_binlog)],
        Kind::Drainer => vec![
            loss(GuardName::PumpClosing, pumps::pump_closing),
            loss(GuardName::LastDrainer, drainers::last_drainer),
        ],
    }
}

/// Nobody waits for a node without a record either.
fn of_deleting(record: &Record) -> Vec<Guard> {
    let mut guards = vec![halt(GuardName::NotOffline, records::not_offline), loss(GuardName::Alive, records::alive)];
    if record.state != State::Offline {
        guards.extend(of_retiring(record.node.kind));
    }
    if record.node.kind == Kind::Pump {
        guards.push(loss(GuardName::StillPulled, records::still_pulled));
        guards.push(halt(GuardName::LastKey, records::last_key));
    }
    guards
}
