//! Questions to the operator, and what they do outside.

use crate::error::{Error, Result};
use crate::operations::act::FORCE;
use crate::operations::control::in_place_of;
use crate::operations::nodes::references;
use crate::operations::wait::look_patiently;
use crate::operations::{Arguments, Changes, Course, Example, Function, Group, Operation, Opt, Param, Type};
use crate::value::Value;
use crate::world::{Choice, Gate, GuardName, Manual, Question};

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "confirm",
            group: Group::Steps,
            params: &[Param::new("text", Type::Text)],
            course: &[Course::Gates],
            about: "Asks the operator, and goes on only with a yes.\n\n`--yes` answers it, at once. Errors: `refused` \
                    when they say no, or nobody can be asked.",
            example: Example::new("confirm(\"Is the backup finished?\")"),
            ..Function::BASE
        },
        call: |gate, args| {
            let text = args.required_text("text")?.to_owned();
            match gate.ask(Question::new(text.clone()))? {
                Choice::Yes | Choice::All => Ok(Value::Unit),
                Choice::No => Err(Error::refused(format!("you said no: {text}"))),
            }
        },
    },
    Operation {
        function: Function {
            name: "manual",
            group: Group::Steps,
            params: &[Param::new("text", Type::Text)],
            options: &[
                Opt::new("starts", Type::Nodes, "nodes whose process it starts or replaces"),
                Opt::new("stops", Type::Nodes, "nodes whose process it stops"),
                Opt::new("retires", Type::Nodes, "nodes that nobody needs any more afterwards"),
                Opt::new("frees", Type::Nodes, "Pumps on whose disks it makes room"),
                Opt::new(
                    "by_hand",
                    Type::Bool,
                    "more is to be done than to start and stop: it takes a human in any case",
                ),
                FORCE,
                Opt::new("tidb", Type::TidbBinlog, "whether TiDB writes binlog afterwards"),
                Opt::new("changefeed", Type::Changefeed, "the changefeed of TiCDC that it creates"),
                Opt::new("takes", Type::Duration, "how long it usually takes"),
                Opt::new(
                    "timeout",
                    Type::Duration,
                    "how long to wait until it is seen (default ten times `takes`, or an hour)",
                ),
            ],
            changes: Changes::Outside,
            guards: &[
                GuardName::LastPump,
                GuardName::PumpClosing,
                GuardName::ForgetsClose,
                GuardName::Kills,
                GuardName::SkipsBinlog,
                GuardName::DeadDrainer,
                GuardName::GcOvertaken,
                GuardName::ChangefeedWrites,
            ],
            about: "Asks a human to do something outside, such as to start a process with a new binary, and waits \
                    until probes and start times show that the declared `starts` and `stops` happened, and `changefeeds()` \
                    that the declared changefeed is there.\n\nWhere the \
                    profile says how nodes are started and stopped, and nothing else is to be done, that is done at once \
                    and nobody is asked to: as `start`, `stop` and, of what runs, `restart`, with their guards. `--yes` \
                    does not cover it, and without a terminal nobody is asked: where neither is declared, it is \
                    `refused` then. While it waits it names what it sees of each node. Errors: `timeout` when that is \
                    not done in time; a run that ended so can be resumed, and finds out whether it was done \
                    meanwhile. In a rehearsal and in the sandbox the simulator does it. A node that has no record \
                    yet, or is to move to another host, is given as `#{ kind: \"pump\", id: \"pump-3\", address: \
                    \"10.0.1.14:8250\" }`.",
            example: Example::new(
                "pause_pump(\"pump-1\", #{ wait: \"1m\" });\n\
             manual(\"Start pump-1 again\", #{ starts: [\"pump-1\"], takes: \"30s\" })",
            ),
            ..Function::BASE
        },
        call: manual,
    },
];

fn manual(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let listing = match ["starts", "stops", "retires", "frees"].iter().all(|name| args.nodes(name).is_empty()) {
        true => None,
        false => Some(look_patiently(gate)?),
    };
    let nodes = |name| listing.as_ref().map_or(Ok(Vec::new()), |listing| references(listing, args, name));
    let work = Manual {
        text: args.required_text("text")?.to_owned(),
        starts: nodes("starts")?,
        stops: nodes("stops")?,
        retires: nodes("retires")?,
        frees: nodes("frees")?,
        tidb: args.tidb("tidb"),
        changefeed: args.changefeed("changefeed"),
        takes: args.duration("takes"),
        timeout: args.duration("timeout"),
    };
    if !args.flag("by_hand").unwrap_or(false) && gate.stands_in(&work)? {
        return in_place_of(gate, &work, &args.force()).map(|()| Value::Unit);
    }
    gate.ask(work).map(|()| Value::Unit)
}
