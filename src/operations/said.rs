//! What nodes say of themselves: status, positions, metrics. One node, or many at the same time.

use crate::error::{Error, ErrorKind, Result};
use crate::node::{Kind, NodeRef};
use crate::operations::look::{probe_fields, reference};
use crate::operations::nodes::references;
use crate::operations::{Arguments, Example, Function, Group, Operation, Opt, Param, Returns, Type};
use crate::time::{Time, Zone};
use crate::value::{Fields, Value};
use crate::world::{Gate, Inspected, StatusReport, metric_name, read};
use std::collections::BTreeMap;

const SAMPLES: Returns = Returns::MapOf(&Returns::Number);
const STATUS: Returns = Returns::Either(&[
    Returns::Map(&[("commit_ts", Returns::Integer), ("error", Returns::Text)]),
    Returns::Map(&[
        ("pump_positions", Returns::MapOf(&Returns::Integer)),
        ("synced", Returns::Bool),
        ("last_ts", Returns::Integer),
    ]),
]);
const EACH_STATUS: Returns = Returns::Map(&[
    ("kind", Returns::Kind),
    ("id", Returns::Text),
    ("address", Returns::Text),
    ("status", Returns::Maybe(&STATUS)),
    ("error", Returns::Text),
]);
const EACH_METRICS: Returns = Returns::Map(&[
    ("kind", Returns::Kind),
    ("id", Returns::Text),
    ("address", Returns::Text),
    ("metrics", Returns::Maybe(&SAMPLES)),
    ("error", Returns::Text),
]);
const INSPECTED: Returns = Returns::List(&Returns::Map(&[
    ("kind", Returns::Kind),
    ("id", Returns::Text),
    ("address", Returns::Text),
    ("answer", Returns::Text),
    ("detail", Returns::Text),
    ("status", Returns::Maybe(&STATUS)),
    ("metrics", Returns::Maybe(&SAMPLES)),
    ("error", Returns::Text),
]));

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "status",
            group: Group::Look,
            params: &[Param::new("nodes", Type::Nodes)],
            returns: Returns::OneOrEach(&STATUS, &EACH_STATUS),
            about: "What a node says under `/status`.\n\nA Pump: `#{ commit_ts, error }`, where `commit_ts` is a \
                    fresh timestamp and no position. A Drainer: `#{ pump_positions, synced, last_ts }`: up to where \
                    it has read each Pump; five minutes without a real binlog (not \"caught up\"); the last commit \
                    written downstream.\n\nOf an array: a map for each, all asked at once, with `status` `()` and the \
                    reason in `error` for one that does not say.",
            example: Example::new(
                "status(\"drainer-0\").pump_positions[\"pump-1\"] > 0 && status(drainers()).len() == 2",
            ),
            ..Function::BASE
        },
        call: status,
    },
    Operation {
        function: Function {
            name: "commit_ts",
            group: Group::Look,
            params: &[Param::new("drainer", Type::Node(Some(Kind::Drainer)))],
            returns: Returns::Integer,
            about: "The last commit timestamp that a Drainer has written downstream, as it says itself.",
            example: Example::new("tso_time(commit_ts(\"drainer-0\"))"),
            ..Function::BASE
        },
        call: |gate, args| {
            let node = reference(gate, args, "drainer", Some(Kind::Drainer))?;
            only(gate.ask(read::CommitTs { nodes: vec![node] })?).map(Value::from)
        },
    },
    Operation {
        function: Function {
            name: "inspect",
            group: Group::Look,
            params: &[Param::new("nodes", Type::Nodes), Param::new("metrics", Type::Texts)],
            returns: INSPECTED,
            about: "What nodes are and say of themselves, all asked at the same time: what `probe` tells of each, and \
                    of those that say a state the `metrics` of these names (without labels) and, of Drainers, the \
                    status.\n\nOne that is silent costs a second, and nobody else has to wait for it. `status` and \
                    `metrics` are `()` where there are none; `error` says why one that answers a probe does not say \
                    them.",
            example: Example::within(
                "lost-pump",
                "inspect(nodes(), [\"process_start_time_seconds\"]).filter(|n| n.metrics == ()).len() == 1",
            ),
            ..Function::BASE
        },
        call: inspect,
    },
    Operation {
        function: Function {
            name: "metrics",
            group: Group::Look,
            params: &[Param::new("nodes", Type::Nodes)],
            options: &[Opt::new("only", Type::Texts, "the names of those wanted, without labels (default all)")],
            returns: Returns::OneOrEach(&SAMPLES, &EACH_METRICS),
            about: "The samples of a node's `/metrics`, by name with labels as written.\n\nOf an array: a map for \
                    each, all asked at once, with `metrics` `()` and the reason in `error` for one that does not say.",
            example: Example::new("metrics(\"pump-0\")[\"process_start_time_seconds\"] > 0.0"),
            ..Function::BASE
        },
        call: metrics,
    },
    Operation {
        function: Function {
            name: "started_at",
            group: Group::Look,
            params: &[Param::new("node", Type::Node(None))],
            returns: Returns::Time,
            about: "When a node's process started, from its metrics: the proof of a restart. A state alone proves \
                    none, a supervisor may have restarted the process meanwhile.",
            example: Example::new("started_at(\"pump-1\") < now()"),
            ..Function::BASE
        },
        call: started_at,
    },
];

/// The only element of an answer about one node.
fn only<T>(mut list: Vec<Result<T>>) -> Result<T> {
    list.pop().unwrap_or_else(|| Err(Error::internal("the world answered about no node")))
}

/// What one node said, or a map for each of an array, with what it said in `field`.
fn one_or_each<T>(
    args: &Arguments,
    nodes: Vec<NodeRef>,
    said: Vec<Result<T>>,
    field: &str,
    show: impl Fn(T) -> Value,
) -> Result<Value> {
    if args.node("nodes").is_some() {
        return only(said).map(show);
    }
    let each = |(node, said): (NodeRef, Result<T>)| {
        let (value, error) = match said {
            Ok(said) => (show(said), String::new()),
            Err(error) => (Value::Unit, error.to_string()),
        };
        Value::map([
            ("kind", node.kind.name().into()),
            ("id", node.id.into()),
            ("address", node.address.into()),
            (field, value),
            ("error", error.into()),
        ])
    };
    Ok(nodes.into_iter().zip(said).map(each).collect::<Vec<_>>().into())
}

fn status(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let nodes = references(&gate.listing()?, args, "nodes")?;
    let said = gate.ask(read::Status { nodes: nodes.clone() })?;
    one_or_each(args, nodes, said, "status", status_fields)
}

fn status_fields(report: StatusReport) -> Value {
    match report {
        StatusReport::Pump(pump) => Value::map([("commit_ts", pump.commit_ts.into()), ("error", pump.error.into())]),
        StatusReport::Drainer(drainer) => {
            let positions: Fields =
                drainer.pump_positions.into_iter().map(|(id, ts)| (id.to_string(), ts.into())).collect();
            Value::map([
                ("pump_positions", Value::Map(positions)),
                ("synced", drainer.synced.into()),
                ("last_ts", drainer.last_ts.into()),
            ])
        }
    }
}

/// The metrics of `nodes`, all asked at once.
fn samples(gate: &mut dyn Gate, nodes: Vec<NodeRef>) -> Result<Vec<Result<BTreeMap<String, f64>>>> {
    gate.ask(read::Metrics { nodes })
}

fn sample_fields(samples: BTreeMap<String, f64>) -> Value {
    Value::Map(samples.into_iter().map(|(sample, value)| (sample, value.into())).collect())
}

fn inspect(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let nodes = references(&gate.listing()?, args, "nodes")?;
    let metrics = args.texts("metrics");
    let inspected = gate.ask(read::Inspect { nodes, metrics })?;
    let fields = |one: Inspected| {
        let Value::Map(mut fields) = probe_fields(one.probe) else { return Value::Unit };
        let mut errors = Vec::new();
        let mut told = |said: Option<Result<Value>>| match said {
            Some(Ok(value)) => value,
            Some(Err(error)) => {
                errors.push(error.to_string());
                Value::Unit
            }
            None => Value::Unit,
        };
        fields.insert("status".into(), told(one.status.map(|said| said.map(status_fields))));
        fields.insert("metrics".into(), told(one.metrics.map(|said| said.map(sample_fields))));
        fields.insert("error".into(), errors.join("; ").into());
        Value::Map(fields)
    };
    Ok(inspected.into_iter().map(fields).collect::<Vec<_>>().into())
}

fn metrics(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let wanted = args.given("only").then(|| args.texts("only"));
    let is_wanted =
        |sample: &str| wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|name| name == metric_name(sample)));
    let show = |mut samples: BTreeMap<String, f64>| {
        samples.retain(|sample, _| is_wanted(sample));
        sample_fields(samples)
    };
    let nodes = references(&gate.listing()?, args, "nodes")?;
    let said = samples(gate, nodes.clone())?;
    one_or_each(args, nodes, said, "metrics", show)
}

fn started_at(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    const METRIC: &str = "process_start_time_seconds";
    let node = reference(gate, args, "node", None)?;
    let samples = only(samples(gate, vec![node.clone()])?)?;
    let seconds = samples.get(METRIC).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("{node} has no `{METRIC}` in its metrics"))
            .hint("it cannot be told when it started: look at the process on its host")
    })?;
    Ok(Time::new((seconds * 1000.0).round() as i64, Zone::Utc).into())
}
