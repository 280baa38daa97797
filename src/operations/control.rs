//! Starting and stopping the processes of nodes from outside.

use crate::error::{Error, ErrorKind, Result};
use crate::node::{NodeRef, State};
use crate::operations::act::{FORCE, OUTCOME, outcome, state_now};
use crate::operations::look::probes;
use crate::operations::nodes::find;
use crate::operations::{Arguments, Changes, Course, Example, Function, Group, Operation, Opt, Param, Type};
use crate::text::on_one_line;
use crate::value::Value;
use crate::world::{Acted, Control, Gate, GuardName, Manual, Notice, ProbeFinding, ProcessVerb};

const NODE: &[Param] = &[Param::new("node", Type::Node(None))];
const OPTIONS: &[Opt] = &[
    Opt::new(
        "timeout",
        Type::Duration,
        "how long to wait until it is seen to be done (default ten times `takes`, at least 3m)",
    ),
    Opt::new("takes", Type::Duration, "how long the command usually takes (a rehearsal assumes 2s)"),
    FORCE,
];

const CONTROL: Function = Function {
    group: Group::Act,
    params: NODE,
    options: OPTIONS,
    returns: OUTCOME,
    changes: Changes::Cluster,
    course: &[Course::Waits],
    ..Function::BASE
};

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "start",
            guards: &[
                GuardName::SkipsBinlog,
                GuardName::DeadDrainer,
                GuardName::GcOvertaken,
                GuardName::ChangefeedWrites,
                GuardName::Kills,
            ],
            about: "Starts a node's process by what supervises it, and waits until it is there.\n\nOn a live cluster the \
                    profile says how, in `[profiles.NAME.node-control]`: `systemctl` by ssh or on this host, `tiup`, \
                    `kubectl`, or commands of one's own. The question shows the command; without a question it needs \
                    `--allow-node-control`. It is done once probe and record say `online` and the process is a new one, \
                    whatever the command says; a node that runs is left alone. Errors: `refused` by a guard, or where \
                    nothing starts this node; `failed` when the command fails, `unreachable` when ssh does; `timeout` \
                    with what is missing, the last errors of the node's log and what its supervisor says.",
            example: Example::within("paused-drainer", "start(\"drainer-0\").answer"),
            ..CONTROL
        },
        call: |gate, args| control(gate, args, ProcessVerb::Start),
    },
    Operation {
        function: Function {
            name: "stop",
            guards: &[GuardName::LastPump, GuardName::PumpClosing, GuardName::ForgetsClose, GuardName::Kills],
            about: "Stops a node's process by what supervises it, and waits until it is gone.\n\nThe process pauses, as \
                    `pause_pump` and `pause_drainer` have it do, and its supervisor leaves it alone then. A node that is \
                    closing is not stopped: it would forget that. Errors: as `start`.",
            example: Example::new("stop(\"drainer-0\").after"),
            ..CONTROL
        },
        call: |gate, args| control(gate, args, ProcessVerb::Stop),
    },
    Operation {
        function: Function {
            name: "restart",
            guards: &[
                GuardName::LastPump,
                GuardName::ForgetsClose,
                GuardName::Kills,
                GuardName::SkipsBinlog,
                GuardName::DeadDrainer,
                GuardName::GcOvertaken,
                GuardName::ChangefeedWrites,
            ],
            about: "Restarts a node's process by what supervises it, and waits until the new one is there.\n\nOf a node \
                    without a process it is the same as `start`. Errors: as `start`.",
            example: Example::new("restart(\"pump-1\").answer"),
            ..CONTROL
        },
        call: |gate, args| control(gate, args, ProcessVerb::Restart),
    },
];

fn control(gate: &mut dyn Gate, args: &Arguments, verb: ProcessVerb) -> Result<Value> {
    let name = args.node("node").ok_or_else(|| Error::internal("`node` is not required by its row"))?;
    let before = find(&gate.listing()?, &name, None)?.clone();
    let finding = finding_of(gate, &before.node)?;
    let (answer, waited) = match settled(&before.node, verb, &finding)? {
        Some(answer) => (answer.to_owned(), None),
        None => {
            let (takes, timeout) = (args.duration("takes"), args.duration("timeout"));
            let control = Control { takes, timeout, ..Control::new(before.node.clone(), verb) };
            let Acted { message, waited } = gate.force(control, &args.force())?;
            gate.tell(Notice::Changed(format!("{}: {message}", before.node.id)));
            (message.to_string(), waited)
        }
    };
    let after = state_now(gate, &before.node)?;
    Ok(outcome(&before, &answer, after.as_ref(), waited.unwrap_or_default()))
}

/// Does what a human would be asked: stops what is to be stopped, then starts or replaces what is to be started.
pub(super) fn in_place_of(gate: &mut dyn Gate, work: &Manual, force: &[GuardName]) -> Result<()> {
    for (node, starts) in work.stops.iter().map(|node| (node, false)).chain(work.starts.iter().map(|node| (node, true)))
    {
        let finding = finding_of(gate, node)?;
        let verb = match (starts, &finding) {
            (false, _) => ProcessVerb::Stop,
            (true, ProbeFinding::Refused | ProbeFinding::Unknown(_)) => ProcessVerb::Start,
            // A process that is there is to be replaced.
            (true, ProbeFinding::State(_) | ProbeFinding::Silent | ProbeFinding::Other(_)) => ProcessVerb::Restart,
        };
        let control = Control { takes: work.takes, timeout: work.timeout, ..Control::new(node.clone(), verb) };
        let Acted { message, .. } = gate.force(control, force)?;
        gate.tell(Notice::Changed(format!("{}: {message}", node.id)));
    }
    Ok(())
}

fn finding_of(gate: &mut dyn Gate, node: &NodeRef) -> Result<ProbeFinding> {
    let found = probes(gate, vec![node.clone()])?.pop();
    Ok(found.ok_or_else(|| Error::internal(format!("a probe of {node} has no finding")))?.finding)
}

/// What there is to say where nothing is left to do. A node without a process is stopped all the same: its supervisor may be about
/// to start it again.
///
/// # Errors
/// `rejected` where it could come to nothing.
fn settled(node: &NodeRef, verb: ProcessVerb, finding: &ProbeFinding) -> Result<Option<&'static str>> {
    let id = on_one_line(&node.id);
    let rejected = |why: String, hint: String| {
        Err(Error::new(ErrorKind::Rejected, format!("not done: start {node}: {why}")).hint(hint))
    };
    match (verb, finding) {
        (ProcessVerb::Start, ProbeFinding::State(State::Online)) => Ok(Some("it runs already")),
        (ProcessVerb::Start, ProbeFinding::State(state @ State::Closing)) => rejected(
            format!("it runs, and is {state}"),
            format!("wait until it is gone: wait_for(\"{id}\", \"offline\", \"2h\")"),
        ),
        (ProcessVerb::Start, ProbeFinding::State(state @ (State::Pausing | State::Paused | State::Offline))) => {
            rejected(
                format!("its process is still there, and says {state}"),
                "it is on its way out: try again in some seconds".to_owned(),
            )
        }
        (ProcessVerb::Start, ProbeFinding::Silent) => rejected(
            "it has a process that gives no answer".to_owned(),
            format!(
                "wait a little if it is just starting: probe(\"{id}\"); if it hangs, and its log does not say that it was told to \
                 close: restart(\"{id}\", #{{ force: [\"forgets_close\"] }})"
            ),
        ),
        (ProcessVerb::Start, ProbeFinding::Refused | ProbeFinding::Other(_) | ProbeFinding::Unknown(_))
        | (
            ProcessVerb::Stop | ProcessVerb::Restart,
            ProbeFinding::State(_)
            | ProbeFinding::Refused
            | ProbeFinding::Silent
            | ProbeFinding::Other(_)
            | ProbeFinding::Unknown(_),
        ) => Ok(None),
    }
}
