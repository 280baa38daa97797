//! Looking at the cluster: nothing here changes anything.

use crate::error::{Error, Result};
use crate::node::{Kind, Node, NodeRef, Record};
use crate::operations::nodes::{find, list, view, views};
use crate::operations::{Arguments, Course, Example, Function, Group, NodeName, Operation, Param, Returns, Type};
use crate::text::Untrusted;
use crate::value::Value;
use crate::world::{Gate, Listing, Probe, ProbeFinding, read};

const NODES: Returns = Returns::List(&Returns::Node);
const MALFORMED: Returns = Returns::List(&Returns::Map(&[("key", Returns::Text), ("reason", Returns::Text)]));
const PROBES: Returns = Returns::Map(&[
    ("kind", Returns::Kind),
    ("id", Returns::Text),
    ("address", Returns::Text),
    ("answer", Returns::Text),
    ("detail", Returns::Text),
]);

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "pumps",
            group: Group::Look,
            returns: NODES,
            about: "All Pumps, by id, offline ones too.\n\nFrom the records in PD's etcd, with lag and heartbeat age \
                    by PD's time. A key that is no record is warned of and hides no other.",
            example: Example::new("for p in pumps() { print(`${p.id} is ${p.state}`); }"),
            ..Function::BASE
        },
        call: |gate, _| Ok(views(list(gate)?, Some(Kind::Pump))),
    },
    Operation {
        function: Function {
            name: "drainers",
            group: Group::Look,
            returns: NODES,
            about: "All Drainers, by id, offline ones too. See `pumps`.",
            example: Example::new("drainers().filter(|d| d.state == \"online\").len()"),
            ..Function::BASE
        },
        call: |gate, _| Ok(views(list(gate)?, Some(Kind::Drainer))),
    },
    Operation {
        function: Function {
            name: "nodes",
            group: Group::Look,
            returns: NODES,
            about: "All Pumps, then all Drainers. See `pumps`.",
            example: Example::new("nodes().len()"),
            ..Function::BASE
        },
        call: |gate, _| Ok(views(list(gate)?, None)),
    },
    Operation {
        function: Function {
            name: "pump",
            group: Group::Look,
            params: &[Param::new("id", Type::Node(Some(Kind::Pump)))],
            returns: Returns::Node,
            about: "One Pump, read afresh.\n\nErrors: `not_found` with the nearest ids.",
            example: Example::new("pump(\"pump-1\").state"),
            ..Function::BASE
        },
        call: |gate, args| one(gate, args, Kind::Pump),
    },
    Operation {
        function: Function {
            name: "drainer",
            group: Group::Look,
            params: &[Param::new("id", Type::Node(Some(Kind::Drainer)))],
            returns: Returns::Node,
            about: "One Drainer, read afresh.\n\nErrors: `not_found` with the nearest ids.",
            example: Example::new("drainer(\"drainer-0\").lag"),
            ..Function::BASE
        },
        call: |gate, args| one(gate, args, Kind::Drainer),
    },
    Operation {
        function: Function {
            name: "listing",
            group: Group::Look,
            returns: Returns::Map(&[
                ("nodes", NODES),
                ("malformed", MALFORMED),
                (
                    "misnamed",
                    Returns::List(&Returns::Map(&[
                        ("kind", Returns::Kind),
                        ("id", Returns::Text),
                        ("node_id", Returns::Text),
                    ])),
                ),
                ("ts", Returns::Maybe(&Returns::Integer)),
            ]),
            about: "Everything that stands in etcd, of one moment and without a warning: all Nodes, the keys that are \
                    no records, the records whose JSON names another id than their key (an array of `#{ kind, id, \
                    node_id }`), and PD's timestamp of that moment (`()` if PD gave none).",
            example: Example::new("listing().nodes.len()"),
            ..Function::BASE
        },
        call: listing,
    },
    Operation {
        function: Function {
            name: "malformed",
            group: Group::Look,
            returns: MALFORMED,
            about: "Keys beneath the Pumps' and Drainers' prefixes that are no records.\n\nEach of them breaks every \
                    listing by binlogctl, Drainers, closing Pumps and TiDB: delete it with `forget_pump` or \
                    `forget_drainer`.",
            example: Example::within("malformed-record", "malformed()[0].key"),
            ..Function::BASE
        },
        call: |gate, _| Ok(gate.listing()?.malformed.into()),
    },
    Operation {
        function: Function {
            name: "probe",
            group: Group::Look,
            params: &[Param::new("nodes", Type::Nodes)],
            returns: Returns::OneOrEach(&Returns::Text, &PROBES),
            course: &[Course::Probes],
            about: "Asks nodes themselves, without side effects, what they really are.\n\nOf one node: its state \
                    (`online`, `closing`, ...), `refused` (no process), `silent` (connected, no answer: starting or \
                    hung), `other` (another node has its address) or `unknown`. Of an array: a map for each, all \
                    asked at once.",
            example: Example::within(
                "closing-pump",
                "probe(\"pump-1\") == \"closing\" && pump(\"pump-1\").state == \"online\"",
            ),
            ..Function::BASE
        },
        call: probe,
    },
    Operation {
        function: Function {
            name: "binlog_at",
            group: Group::Look,
            params: &[Param::new("pump", Type::Node(Some(Kind::Pump))), Param::new("ts", Type::Ts)],
            returns: Returns::Text,
            about: "What a Pump holds at a commit timestamp, in its own words (`/debug/binlog/{ts}`).",
            example: Example::new("binlog_at(\"pump-0\", pump(\"pump-0\").max_commit_ts)"),
            ..Function::BASE
        },
        call: |gate, args| {
            let node = reference(gate, args, "pump", Some(Kind::Pump))?;
            let ts = args.ts("ts").unwrap_or_default();
            gate.ask(read::BinlogAt { node, ts }).map(Value::from)
        },
    },
    Operation {
        function: Function {
            name: "pump_drainers",
            group: Group::Look,
            params: &[Param::new("pump", Type::Node(Some(Kind::Pump)))],
            returns: Returns::Text,
            about: "The Drainers as a Pump sees them (its `/drainers`), as JSON.",
            example: Example::new("pump_drainers(\"pump-0\")"),
            ..Function::BASE
        },
        call: |gate, args| {
            let node = reference(gate, args, "pump", Some(Kind::Pump))?;
            gate.ask(read::PumpDrainers { node }).map(Value::from)
        },
    },
];

fn listing(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let mut listing = gate.listing()?;
    let (malformed, ts) = (std::mem::take(&mut listing.malformed), listing.tso);
    let misnamed = listing.records.iter().filter_map(misnamed).collect();
    Ok(Value::map([
        ("nodes", views(listing, None)),
        ("malformed", malformed.into()),
        ("misnamed", Value::List(misnamed)),
        ("ts", ts.into()),
    ]))
}

/// The id that the JSON of `record` names, where it is another than its key's.
fn misnamed(record: &Record) -> Option<Value> {
    let node_id = record.other_id.as_deref()?;
    let (kind, id) = (record.node.kind.name(), record.node.id.as_str());
    Some(Value::map([("kind", kind.into()), ("id", id.into()), ("node_id", node_id.into())]))
}

fn one(gate: &mut dyn Gate, args: &Arguments, kind: Kind) -> Result<Value> {
    let listing = list(gate)?;
    named(&listing, args, "id", Some(kind)).map(Value::from)
}

fn named(listing: &Listing, args: &Arguments, param: &str, kind: Option<Kind>) -> Result<Node> {
    let name = args.node(param).ok_or_else(|| Error::internal(format!("`{param}` is not required by its row")))?;
    Ok(view(find(listing, &name, kind)?, listing))
}

/// The node that the parameter means, as requests name it.
pub(super) fn reference(gate: &mut dyn Gate, args: &Arguments, param: &str, kind: Option<Kind>) -> Result<NodeRef> {
    let listing = gate.listing()?;
    Ok(named(&listing, args, param, kind)?.record.node)
}

/// Probes `nodes`, all at once, in the order asked.
pub(super) fn probes(gate: &mut dyn Gate, nodes: Vec<NodeRef>) -> Result<Vec<Probe>> {
    gate.ask(read::Probe { nodes })
}

fn probe(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let listing = gate.listing()?;
    let resolve = |name: &NodeName| find(&listing, name, None).map(|record| record.node.clone());
    let nodes = args.nodes("nodes").iter().map(resolve).collect::<Result<Vec<_>>>()?;
    let found = probes(gate, nodes)?;
    match (args.node("nodes"), found.as_slice()) {
        (Some(_), [one]) => Ok(one.finding.word().into()),
        _ => Ok(found.into_iter().map(probe_fields).collect::<Vec<_>>().into()),
    }
}

/// What a probe found, as a map.
pub(super) fn probe_fields(probe: Probe) -> Value {
    let detail = match &probe.finding {
        ProbeFinding::Other(text) | ProbeFinding::Unknown(text) => text.clone(),
        _ => Untrusted::default(),
    };
    Value::map([
        ("kind", probe.node.kind.name().into()),
        ("id", probe.node.id.into()),
        ("address", probe.node.address.into()),
        ("answer", probe.finding.word().into()),
        ("detail", detail.into()),
    ])
}
