//! Playing with a simulated cluster: what only the simulator can be told. A live cluster refuses.

use crate::error::{Error, Result};
use crate::node::NodeRef;
use crate::operations::look::reference;
use crate::operations::{Arguments, Example, Function, Group, Operation, Opt, Param, Type};
use crate::value::Value;
use crate::world::{Gate, Play};

const NODE: &[Param] = &[Param::new("node", Type::Node(None))];

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "kill",
            group: Group::Sandbox,
            params: NODE,
            about: "Kills a node's process (SIGKILL): its record goes on saying what it said.",
            example: Example::new("kill(\"pump-1\");\nprobe(\"pump-1\")"),
            ..Function::BASE
        },
        call: |gate, args| play(gate, args, |node| Play::Kill { node }),
    },
    Operation {
        function: Function {
            name: "hang",
            group: Group::Sandbox,
            params: NODE,
            about: "Stops a node's process without ending it (SIGSTOP): its port accepts and answers nothing.",
            example: Example::new("hang(\"pump-1\");\nprobe(\"pump-1\")"),
            ..Function::BASE
        },
        call: |gate, args| play(gate, args, |node| Play::Hang { node }),
    },
    Operation {
        function: Function {
            name: "fault",
            group: Group::Sandbox,
            params: &[Param::new("kind", Type::Fault), Param::optional("node", Type::Node(None))],
            options: &[
                Opt::new("after", Type::Duration, "how long from now it begins (default now)"),
                Opt::new("lasts", Type::Duration, "how long it lasts (default without end)"),
            ],
            about: "Makes something go wrong, now or later.\n\nTo a node: `crash` (started again when it ends), \
                    `flap` (down for 2 s every 20 s), `fail` (shuts down in good order, with an error), `hang`, \
                    `lose_record` (what it writes as it goes does not arrive), `start_fails`, `slow_start` (comes up \
                    when it ends), `refuse` (requests are refused), `lose_answer` (requests are carried out, the \
                    answer is lost), `new_address`, `other_pauses`, `other_writes_paused`, `other_writes_offline` \
                    (another operator does). To a Drainer: `stall` (its downstream takes nothing), `slow_drainer` \
                    (its downstream takes a tenth). To a Pump: `unmatched_prewrite`. To no node: `pd_gone`, \
                    `leader_moves`, `slow_etcd` (our requests take 3 s longer), `etcd_fails` (our requests fail), \
                    `malformed_key`, `slow_human` (`manual` is done when it ends), `human_refuses`, \
                    and where the scenario has node control `control_fails` and `control_does_nothing`.\n\nA fault that \
                    can do nothing when its time comes, such as a crash without a process, does nothing.",
            example: Example::new(
                "fault(\"crash\", \"pump-1\", #{ after: \"10s\" });\nsleep(\"11s\");\nprobe(\"pump-1\")",
            ),
            ..Function::BASE
        },
        call: fault,
    },
];

fn play(gate: &mut dyn Gate, args: &Arguments, what: fn(NodeRef) -> Play) -> Result<Value> {
    let node = reference(gate, args, "node", None)?;
    gate.ask(what(node)).map(|()| Value::Unit)
}

fn fault(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let kind = args.fault("kind").ok_or_else(|| Error::internal("`kind` is not required by its row"))?;
    let node = match args.node("node") {
        Some(_) => Some(reference(gate, args, "node", None)?),
        None => None,
    };
    let (after, lasts) = (args.duration("after").unwrap_or_default(), args.duration("lasts"));
    gate.ask(Play::Fault { kind, node, after, lasts }).map(|()| Value::Unit)
}
