//! Guards about starting and stopping processes from outside.

use crate::error::{Error, ErrorKind, Result};
use crate::guards::Verdict;
use crate::guards::view::ClusterView;
use crate::guards::watch::{how_fresh, is_beating};
use crate::node::{Kind, State};
use crate::world::{Ability, Change, Control, EndsBy, ProbeFinding, Supervision, read};

/// The control that a change is; these guards are of no other.
fn control(change: &Change) -> Result<&Control> {
    let Change::Control(control) = change else {
        return Err(Error::internal(format!("{change} starts and stops no process")));
    };
    Ok(control)
}

/// How the node's process is started and stopped from here.
pub(super) fn supervision(scene: &mut ClusterView<'_>, control: &Control) -> Result<Option<Supervision>> {
    Ok(scene.ask(read::Supervisors { nodes: vec![control.node.clone()] })?.pop().flatten())
}

/// How the node's process is ended.
fn ends_by(scene: &mut ClusterView<'_>, control: &Control) -> Result<EndsBy> {
    Ok(supervision(scene, control)?.map_or(EndsBy::Sigterm, |supervision| supervision.ends_by))
}

/// Why it cannot be done from here, and what to do instead; `None` where it can.
pub(super) fn unable(scene: &mut ClusterView<'_>, control: &Control) -> Result<Option<Error>> {
    let Control { node, verb, .. } = control;
    let Some(supervision) = supervision(scene, control)? else {
        return Ok(Some(
            Error::refused(format!("not done: {verb} {node}: nothing here starts or stops the processes of nodes"))
                .hint(
                    "say in config.toml what does: `[profiles.NAME.node-control]` with by = \"systemd-ssh\", \"systemd\", \"tiup\", \
                     \"kubernetes\" or \"commands\"; with another cluster's --pd-urls a profile starts and stops nothing",
                ),
        ));
    };
    if let ProbeFinding::Other(other) = scene.probe_again(node)? {
        let message = format!("not done: {verb} {node}: at its address answers {other}, whose process that would be");
        return Ok(Some(
            Error::new(ErrorKind::Rejected, message).hint("find out which of the two belongs there; probe both to see"),
        ));
    }
    Ok(match supervision.ability(*verb) {
        Ability::By(_) => None,
        Ability::Cannot(why) => {
            let message = format!("not done: {} cannot {verb} {node}: {why}", supervision.by);
            Some(Error::refused(message).hint("do it by hand, or change `[profiles.NAME.node-control]`"))
        }
    })
}

/// Whether a process is there that would be ended; one that cannot be asked may be, and a forwarded port or a firewall refuses
/// in the name of one that lives.
pub(super) fn has_process(scene: &mut ClusterView<'_>, control: &Control) -> bool {
    match scene.probe(&control.node) {
        Ok(ProbeFinding::Refused) => {
            scene.listing().is_ok_and(|listing| is_beating(&listing, &control.node))
                || !matches!(refused_in_its_name(scene, control), Ok(None))
        }
        Ok(ProbeFinding::State(_) | ProbeFinding::Silent | ProbeFinding::Other(_) | ProbeFinding::Unknown(_))
        | Err(_) => true,
    }
}

/// What may have refused a probe in the name of a Pump that is closing: its record says `online` meanwhile, and its heartbeat
/// is over as that of one that crashed.
fn refused_in_its_name(scene: &mut ClusterView<'_>, control: &Control) -> Result<Option<String>> {
    let node = &control.node;
    let may_be_closing = match node.kind {
        // A Drainer closes within seconds.
        Kind::Drainer => false,
        Kind::Pump => scene.listing()?.find(node.kind, &node.id).is_some_and(|record| record.state == State::Online),
    };
    Ok(if may_be_closing { supervision(scene, control)?.and_then(|supervision| supervision.between) } else { None })
}

/// A node that is closing must be left alone: it ends only when it is killed, and starts as if it had never been told to
/// close.
pub(super) fn forgets_close(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let control = control(change)?;
    let node = &control.node;
    let end = match ends_by(scene, control)? {
        EndsBy::Sigterm => "it ignores SIGTERM, would be killed after 90 s",
        EndsBy::Sigkill => "it would be killed",
    };
    let finding = scene.probe_again(node)?;
    Ok(match (finding, node.kind) {
        (ProbeFinding::State(State::Closing), _) => Verdict::Trips(format!(
            "{} is closing: {end}, and would come back online as if nobody had told it to close; instead wait: wait_for(\"{}\", \"offline\", \"2h\")",
            node.id, node.id
        )),
        (finding @ (ProbeFinding::Silent | ProbeFinding::Unknown(_)), Kind::Pump) => Verdict::Unknown(format!(
            "whether {} is closing, which it would forget: a probe is {finding}; look in its log for a close before you force this",
            node.id
        )),
        (ProbeFinding::Refused, Kind::Pump) => match refused_in_its_name(scene, control)? {
            None => Verdict::Clear,
            Some(between) => Verdict::Unknown(format!(
                "whether {} is closing, which it would forget: nobody answers at {between}, where the address map leads, and its record \
                 says online; see that the forwarded port works, and look in its log for a close before you force this",
                node.id
            )),
        },
        // A Drainer closes within seconds.
        (ProbeFinding::Refused | ProbeFinding::Silent | ProbeFinding::Unknown(_), Kind::Drainer)
        | (
            ProbeFinding::State(State::Online | State::Pausing | State::Paused | State::Offline)
            | ProbeFinding::Other(_),
            _,
        ) => Verdict::Clear,
    })
}

/// A process must not be killed that can be stopped: its record goes on saying `online`, and what it had not saved is done
/// again.
pub(super) fn kills(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let control = control(change)?;
    let ends_by = ends_by(scene, control)?;
    let (id, kind) = (&control.node.id, control.node.kind);
    let finding = scene.probe(&control.node)?;
    Ok(match (ends_by, finding) {
        (EndsBy::Sigkill, ProbeFinding::Refused) if is_beating(&scene.listing()?, &control.node) => {
            Verdict::Unknown(format!(
                "whether {id} runs, which would be killed: nobody answers at {} from here, though its heartbeat {}; see that its \
                 forwarded port or proxy works, and if it ended just now, look again in some seconds",
                control.node.address,
                how_fresh(&scene.listing()?)
            ))
        }
        (_, ProbeFinding::Refused) => Verdict::Clear,
        // That is for `forgets_close`: nobody can pause it.
        (EndsBy::Sigkill, ProbeFinding::State(State::Closing)) => Verdict::Clear,
        (EndsBy::Sigterm, ProbeFinding::Silent) => Verdict::Note(format!(
            "{id} gives no answer: if its process hangs, it ends only when it is killed, after 90 s where systemd does it"
        )),
        (EndsBy::Sigterm, ProbeFinding::State(_) | ProbeFinding::Other(_) | ProbeFinding::Unknown(_)) => Verdict::Clear,
        (EndsBy::Sigkill, ProbeFinding::Silent) => Verdict::Note(format!("{id} gives no answer, and is killed")),
        (EndsBy::Sigkill, ProbeFinding::State(_) | ProbeFinding::Other(_)) => Verdict::Trips(format!(
            "{id} would be killed, and not stopped in good order: its record would go on saying online; \
             pause_{kind}(\"{id}\", #{{ wait: \"1m\" }}) first, then start it"
        )),
        (EndsBy::Sigkill, finding @ ProbeFinding::Unknown(_)) => {
            Verdict::Unknown(format!("whether {id} runs, which would be killed: a probe is {finding}"))
        }
    })
}

/// A Pump that is `offline` must not simply be started: the Drainers have gone on without it.
pub(super) fn skips_binlog(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let node = &control(change)?.node;
    let listing = scene.listing()?;
    let is_offline = listing.find(node.kind, &node.id).is_some_and(|record| record.state == State::Offline);
    Ok(match is_offline {
        false => Verdict::Clear,
        true => Verdict::Trips(format!(
            "{} is offline: the Drainers take it in where they are by then, and skip for good what it holds from before",
            node.id
        )),
    })
}

/// A Pump that is new or was `offline` first tells every Drainer that says `online`: while one of them does not answer it
/// gives up, writes `offline` and ends.
pub(super) fn dead_drainer(scene: &mut ClusterView<'_>, change: &Change) -> Result<Verdict> {
    let node = &control(change)?.node;
    let listing = scene.listing()?;
    if listing.find(node.kind, &node.id).is_some_and(|record| record.state != State::Offline) {
        return Ok(Verdict::Clear);
    }
    let (mut dead, mut unknown) = (scene.unreadable(Kind::Drainer)?, Vec::new());
    for drainer in scene.others(Kind::Drainer, None)?.into_iter().filter(|drainer| drainer.state == State::Online) {
        let id = &drainer.node.id;
        match scene.probe(&drainer.node)? {
            ProbeFinding::State(_) => {}
            finding @ (ProbeFinding::Refused | ProbeFinding::Silent | ProbeFinding::Other(_)) => {
                dead.push(format!("drainer {id} says online, and a probe says {finding}"));
            }
            ProbeFinding::Unknown(why) => unknown.push(format!("a probe of {id} is unknown: {why}")),
        }
    }
    let consequence = format!("{} would wait for its answer, give up and go offline", node.id);
    Ok(match (dead.is_empty(), unknown.is_empty()) {
        (false, _) => Verdict::Trips(format!("{}: {consequence}", dead.join(", "))),
        (true, false) => Verdict::Unknown(format!(
            "whether every Drainer that says online answers (if not, {consequence}), since {}",
            unknown.join(", ")
        )),
        (true, true) => Verdict::Clear,
    })
}
