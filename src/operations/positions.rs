//! Where Drainers stand: in a Pump, and downstream.

use crate::error::Result;
use crate::node::{Kind, State};
use crate::operations::look::{probes, reference};
use crate::operations::nodes::find;
use crate::operations::{Arguments, Example, Function, Group, Operation, Param, Returns, Type};
use crate::value::{Fields, Value};
use crate::world::{DownstreamCheckpoint, Gate, ProbeFinding, SavedCheckpoint, StatusReport, read};

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "read_positions",
            group: Group::Look,
            params: &[Param::new("pump", Type::Node(Some(Kind::Pump)))],
            returns: Returns::MapOf(&Returns::Maybe(&Returns::Integer)),
            about: "Up to where each Drainer whose record says online has read a Pump, as the Drainers say themselves: a \
                map from Drainer to timestamp, `()` for one that does not read from it.\n\nAll Drainers are asked at \
                the same time. Errors: those of the first that does not answer, which it names.",
            example: Example::new("read_positions(\"pump-1\")[\"drainer-0\"] > 0"),
            ..Function::BASE
        },
        call: read_positions,
    },
    Operation {
        function: Function {
            name: "checkpoint",
            group: Group::Look,
            params: &[Param::new("drainer", Type::Node(Some(Kind::Drainer)))],
            returns: Returns::Map(&[
                ("known", Returns::Bool),
                ("commit_ts", Returns::Maybe(&Returns::Integer)),
                ("consistent", Returns::Maybe(&Returns::Bool)),
                ("schema_version", Returns::Maybe(&Returns::Integer)),
                ("source", Returns::Maybe(&Returns::Text)),
                ("read_at", Returns::Maybe(&Returns::Integer)),
                ("why", Returns::Maybe(&Returns::Text)),
            ]),
            about: "How far a Drainer has come, as what it writes to says: the row of this cluster in its table \
                    `tidb_binlog.checkpoint` (MySQL, MariaDB, TiDB), or its savepoint file (file, Kafka).\n\nEverything up to and \
                    including `commit_ts` is downstream; the record's `max_commit_ts` is what was once written, and older. `consistent` \
                    says that nothing beyond it is: `true` only where the last save says so and the process is gone, since a Drainer \
                    that runs shows the word of the process before until it saves; `()` while that cannot be told. `read_at` is PD's \
                    timestamp of that moment. Where it cannot be read, `known` is false, all others are `()`, and `why` says what is in \
                    the way: nothing is waited for that is not configured. The profile says where it is and how to log in; see the \
                    guide.",
            example: Example::new(
                "let c = checkpoint(\"drainer-0\");\nif c.known { c.commit_ts <= c.read_at } else { print(c.why) }",
            ),
            ..Function::BASE
        },
        call: checkpoint,
    },
];

/// What the downstream says; what it says of consistency counts only once the process was seen to be gone.
fn checkpoint(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let node = reference(gate, args, "drainer", Some(Kind::Drainer))?;
    // Before the row is read: what ends in between has not saved its last word, and is asked about again.
    let is_gone = probes(gate, vec![node.clone()])?.iter().all(|probe| probe.finding == ProbeFinding::Refused);
    let (known, why) = match gate.ask(read::Checkpoint { node })? {
        DownstreamCheckpoint::Known(known) => (Some(known), None),
        DownstreamCheckpoint::Unknown(why) => (None, Some(why)),
    };
    let of = |field: fn(&SavedCheckpoint) -> Value| known.as_ref().map_or(Value::Unit, field);
    let consistent = known.as_ref().and_then(|known| known.consistent).filter(|said| is_gone || !said);
    Ok(Value::map([
        ("known", known.is_some().into()),
        ("commit_ts", of(|known| known.commit_ts.into())),
        ("consistent", consistent.into()),
        ("schema_version", of(|known| known.schema_version.into())),
        ("source", of(|known| known.source.clone().into())),
        ("read_at", of(|known| known.read_at.into())),
        ("why", why.into()),
    ]))
}

fn read_positions(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let listing = gate.listing()?;
    let name = args.node("pump").ok_or_else(|| crate::error::Error::internal("`pump` is not required by its row"))?;
    let pump = find(&listing, &name, Some(Kind::Pump))?.node.id.clone();
    let online = listing.of(Kind::Drainer).filter(|drainer| drainer.state == State::Online);
    let nodes: Vec<_> = online.map(|drainer| drainer.node.clone()).collect();
    let ids: Vec<String> = nodes.iter().map(|node| node.id.as_str().to_owned()).collect();
    let reports = gate.ask(read::Status { nodes })?;
    let mut positions = Fields::new();
    for (id, report) in ids.into_iter().zip(reports) {
        let position = match report? {
            StatusReport::Drainer(drainer) => drainer.pump_positions.get(&*pump).copied().map(Value::from),
            StatusReport::Pump(_) => None,
        };
        positions.insert(id, position.unwrap_or(Value::Unit));
    }
    Ok(Value::Map(positions))
}
