//! Where Drainers stand: in a Pump, and downstream; and what downstream is.

use crate::downstream::{DbType, Downstream};
use crate::error::{Error, Result};
use crate::node::{Kind, State};
use crate::operations::look::{probes, reference};
use crate::operations::nodes::find;
use crate::operations::{Arguments, Example, Function, Group, Operation, Param, Returns, Type};
use crate::value::{Fields, Value};
use crate::world::{
    DownstreamCheckpoint, DownstreamReplication, Gate, ProbeFinding, Replication, SavedCheckpoint, StatusReport, read,
};

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
    Operation {
        function: Function {
            name: "replication",
            group: Group::Look,
            params: &[Param::new("drainer", Type::Node(Some(Kind::Drainer)))],
            returns: Returns::Map(&[
                ("known", Returns::Bool),
                ("db_type", Returns::Maybe(&Returns::Text)),
                ("host", Returns::Maybe(&Returns::Text)),
                ("port", Returns::Maybe(&Returns::Integer)),
                ("brokers", Returns::Maybe(&Returns::Text)),
                ("topic", Returns::Maybe(&Returns::Text)),
                ("sink", Returns::Maybe(&Returns::Text)),
                ("sync_mode", Returns::Maybe(&Returns::Integer)),
                ("filters", Returns::Maybe(&Returns::List(&Returns::Text))),
                ("renames", Returns::Maybe(&Returns::Bool)),
                ("source", Returns::Maybe(&Returns::Text)),
                ("why", Returns::Maybe(&Returns::Text)),
            ]),
            about: "What a Drainer writes to and what it leaves out, as a copy of its `drainer.toml` says, tiup's `meta.yaml` or the \
                    profile, in this order; `source` names it. Users and passwords in them are passed over.\n\n`db_type` is `mysql`, \
                    `tidb`, `kafka`, `file` (`pb` is the same) or `oracle`, or another word as it is written. `host` and `port` are the \
                    database's as the Drainer names it, `brokers` and `topic` Kafka's, as they are written. \
                    `sink` is the URI of a changefeed's sink that is the same, where there is one. `filters` names the settings that \
                    leave something out: `replicate-do-db`, `replicate-do-table`, `ignore-table`, `ignore-txn-commit-ts`, and `ignore-schemas` \
                    where it is not a Drainer's default. `renames` says whether there is a `table-migrate-rule`; `sync_mode` is 2 where only \
                    the columns that are downstream are written, else 1. A profile says the place only: then the last three are `()`, and \
                    `why` says so. Where nothing says it, `known` is false, and `why` says what is in the way. Options of the Drainer's \
                    command line are not seen.",
            example: Example::within(
                "ticdc",
                "let r = replication(\"10.0.1.21:8249\");\nr.known && r.db_type == \"mysql\" && r.filters.is_empty() && !r.renames",
            ),
            ..Function::BASE
        },
        call: replication,
    },
];

/// What the Drainer's configuration says, or why nobody can tell.
fn replication(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let node = reference(gate, args, "drainer", Some(Kind::Drainer))?;
    let found = gate.ask(read::Replication { nodes: vec![node] })?.pop();
    let (known, why) =
        match found.ok_or_else(|| Error::internal("nothing was said of the Drainer that was asked about"))? {
            DownstreamReplication::Known(known) => {
                let Replication { settings, unseen, source } = *known;
                (Some((settings, source, unseen.is_none())), unseen)
            }
            DownstreamReplication::Unknown(why) => (None, Some(why)),
        };
    let is_known = known.is_some();
    let (settings, source, is_whole) = known.unwrap_or_default();
    let whole = |value: Value| if is_known && is_whole { value } else { Value::Unit };
    let (db_type, port) = match settings.db_type() {
        DbType::Mysql => ("mysql", Some(settings.database_port())),
        DbType::Tidb => ("tidb", Some(settings.database_port())),
        DbType::Kafka => ("kafka", None),
        DbType::File => ("file", None),
        DbType::Oracle => ("oracle", settings.port),
        DbType::Other(word) => (word, settings.port),
    };
    let filters: Vec<Value> = settings.filters.iter().map(|filter| filter.name().into()).collect();
    let sync_mode = settings.sync_mode.filter(|mode| *mode != 0).unwrap_or(1);
    Ok(Value::map([
        ("known", is_known.into()),
        ("db_type", is_known.then_some(db_type).into()),
        ("host", settings.host.clone().into()),
        ("port", port.filter(|_| is_known).map(i64::from).into()),
        ("brokers", settings.kafka_addrs.clone().into()),
        ("topic", settings.topic_name.clone().into()),
        ("sink", Downstream::of_drainer(&settings).and_then(|place| place.sink()).into()),
        ("sync_mode", whole(sync_mode.into())),
        ("filters", whole(filters.into())),
        ("renames", whole(settings.renames.into())),
        ("source", is_known.then_some(source).into()),
        ("why", why.into()),
    ]))
}

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
    let name = args.node("pump").ok_or_else(|| Error::internal("`pump` is not required by its row"))?;
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
