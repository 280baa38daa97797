//! Looking at the cluster: nothing here changes anything.

use crate::error::{Error, ErrorKind, Result};
use crate::node::{Kind, Node, NodeRef};
use crate::operations::nodes::{find, list, look, unexpected, view, views};
use crate::operations::{Arguments, Example, Group, NodeName, Operation, Param, Type};
use crate::time::{Time, Zone};
use crate::value::{Fields, Value};
use crate::world::{Answer, Gate, Listing, Probe, ProbeFinding, Request, StatusReport};
use std::collections::BTreeMap;

const NODE: &[Param] = &[Param::new("node", Type::Node(None))];

/// A row of this table: it reads.
const fn reads(
    name: &'static str,
    params: &'static [Param],
    returns: &'static str,
    about: &'static str,
    example: Example,
    run: fn(&mut dyn Gate, &Arguments) -> Result<Value>,
) -> Operation {
    Operation {
        name,
        group: Group::Look,
        params,
        options: &[],
        returns,
        changes: false,
        guards: &[],
        about,
        example,
        run,
    }
}

pub(super) const TABLE: &[Operation] = &[
    reads(
        "pumps",
        &[],
        "array of Node",
        "All Pumps, by id, offline ones too.\n\nFrom the records in PD's etcd, with lag and heartbeat age by PD's time. \
         A key that is no record is warned of and hides no other.",
        Example::new("for p in pumps() { print(`${p.id} is ${p.state}`); }"),
        |gate, _| Ok(views(list(gate)?, Some(Kind::Pump))),
    ),
    reads(
        "drainers",
        &[],
        "array of Node",
        "All Drainers, by id, offline ones too. See `pumps`.",
        Example::new("drainers().filter(|d| d.state == \"online\").len()"),
        |gate, _| Ok(views(list(gate)?, Some(Kind::Drainer))),
    ),
    reads(
        "nodes",
        &[],
        "array of Node",
        "All Pumps, then all Drainers. See `pumps`.",
        Example::new("nodes().len()"),
        |gate, _| Ok(views(list(gate)?, None)),
    ),
    reads(
        "pump",
        &[Param::new("id", Type::Node(Some(Kind::Pump)))],
        "Node",
        "One Pump, read afresh.\n\nErrors: `not_found` with the nearest ids.",
        Example::new("pump(\"pump-1\").state"),
        |gate, args| one(gate, args, Kind::Pump),
    ),
    reads(
        "drainer",
        &[Param::new("id", Type::Node(Some(Kind::Drainer)))],
        "Node",
        "One Drainer, read afresh.\n\nErrors: `not_found` with the nearest ids.",
        Example::new("drainer(\"drainer-0\").lag"),
        |gate, args| one(gate, args, Kind::Drainer),
    ),
    reads(
        "malformed",
        &[],
        "array of #{ key, reason }",
        "Keys beneath the Pumps' and Drainers' prefixes that are no records.\n\nEach of them breaks every listing by \
         binlogctl, Drainers, closing Pumps and TiDB: delete it with `forget_pump` or `forget_drainer`.",
        Example::within("malformed-record", "malformed()[0].key"),
        |gate, _| Ok(look(gate)?.malformed.into()),
    ),
    reads(
        "probe",
        &[Param::new("nodes", Type::Nodes)],
        "text, or an array of #{ kind, id, address, answer, detail }",
        "Asks nodes themselves, without side effects, what they really are.\n\nOf one node: its state (`online`, \
         `closing`, ...), `refused` (no process), `silent` (connected, no answer: starting or hung), `other` (another \
         node has its address) or `unknown`. Of an array: a map for each, all asked at once.",
        Example::within("closing-pump", "probe(\"pump-1\") == \"closing\" && pump(\"pump-1\").state == \"online\""),
        probe,
    ),
    reads(
        "status",
        NODE,
        "map",
        "What a node says under `/status`.\n\nA Pump: `#{ commit_ts, error }`, where `commit_ts` is a fresh timestamp and no \
         position. A Drainer: `#{ pump_positions, synced, last_ts }`: up to where it has read each Pump; five minutes \
         without a real binlog (not \"caught up\"); the last commit written downstream.",
        Example::new("status(\"drainer-0\").pump_positions[\"pump-1\"] > 0"),
        status,
    ),
    reads(
        "commit_ts",
        &[Param::new("drainer", Type::Node(Some(Kind::Drainer)))],
        "integer",
        "The last commit timestamp that a Drainer has written downstream, as it says itself.",
        Example::new("tso_time(commit_ts(\"drainer-0\"))"),
        |gate, args| {
            let node = reference(gate, args, "drainer", Some(Kind::Drainer))?;
            match gate.perform(Request::CommitTs { nodes: vec![node] }, &[])? {
                Answer::Timestamps(list) => only(list).map(Value::from),
                other => Err(unexpected("commit_ts", &other)),
            }
        },
    ),
    reads(
        "metrics",
        NODE,
        "map of number",
        "The samples of a node's `/metrics`, by name with labels as written.",
        Example::new("metrics(\"pump-0\")[\"process_start_time_seconds\"] > 0.0"),
        |gate, args| {
            let node = reference(gate, args, "node", None)?;
            let samples = samples(gate, node)?;
            Ok(Value::Map(samples.into_iter().map(|(name, value)| (name, value.into())).collect()))
        },
    ),
    reads(
        "started_at",
        NODE,
        "Time",
        "When a node's process started, from its metrics: the proof of a restart. A state alone proves none, a \
         supervisor may have restarted the process meanwhile.",
        Example::new("started_at(\"pump-1\") < now()"),
        started_at,
    ),
    reads(
        "binlog_at",
        &[Param::new("pump", Type::Node(Some(Kind::Pump))), Param::new("ts", Type::Ts)],
        "text",
        "What a Pump holds at a commit timestamp, in its own words (`/debug/binlog/{ts}`).",
        Example::new("binlog_at(\"pump-0\", pump(\"pump-0\").max_commit_ts)"),
        |gate, args| {
            let node = reference(gate, args, "pump", Some(Kind::Pump))?;
            let ts = args.ts("ts").unwrap_or_default();
            text(gate, Request::BinlogAt { node, ts })
        },
    ),
    reads(
        "pump_drainers",
        &[Param::new("pump", Type::Node(Some(Kind::Pump)))],
        "text",
        "The Drainers as a Pump sees them (its `/drainers`), as JSON.",
        Example::new("pump_drainers(\"pump-0\")"),
        |gate, args| {
            let node = reference(gate, args, "pump", Some(Kind::Pump))?;
            text(gate, Request::PumpDrainers { node })
        },
    ),
    reads(
        "tidbs",
        &[],
        "array of #{ address, version, binlog_status }",
        "The TiDB servers. `binlog_status` is `On`, `Off`, `Skipping` (it writes none until recovered by hand) or \
         `Unknown`.",
        Example::within("skipping-tidb", "tidbs().filter(|t| t.binlog_status == \"Skipping\").len() > 0"),
        tidbs,
    ),
    reads(
        "cluster",
        &[],
        "#{ id, members, leader }",
        "PD's cluster: its id, its members with their client URLs, the leader's name (or `()` during an election).",
        Example::new("cluster().members.len() > 0"),
        cluster,
    ),
];

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
    let listing = look(gate)?;
    Ok(named(&listing, args, param, kind)?.record.node)
}

fn text(gate: &mut dyn Gate, request: Request) -> Result<Value> {
    match gate.perform(request, &[])? {
        Answer::Text(text) => Ok(text.into()),
        other => Err(unexpected("text", &other)),
    }
}

/// Probes `nodes`, all at once, in the order asked.
pub(super) fn probes(gate: &mut dyn Gate, nodes: Vec<NodeRef>) -> Result<Vec<Probe>> {
    match gate.perform(Request::Probe { nodes }, &[])? {
        Answer::Probes(probes) => Ok(probes),
        other => Err(unexpected("probes", &other)),
    }
}

/// The word for what a probe found.
fn word(finding: &ProbeFinding) -> &'static str {
    match finding {
        ProbeFinding::State(state) => state.name(),
        ProbeFinding::Refused => "refused",
        ProbeFinding::Silent => "silent",
        ProbeFinding::Other(_) => "other",
        ProbeFinding::Unknown(_) => "unknown",
    }
}

fn probe(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let listing = look(gate)?;
    let resolve = |name: &NodeName| find(&listing, name, None).map(|record| record.node.clone());
    let nodes = args.nodes("nodes").iter().map(resolve).collect::<Result<Vec<_>>>()?;
    let found = probes(gate, nodes)?;
    match (args.node("nodes"), found.as_slice()) {
        (Some(_), [one]) => Ok(word(&one.finding).into()),
        _ => Ok(found.into_iter().map(probe_fields).collect::<Vec<_>>().into()),
    }
}

fn probe_fields(probe: Probe) -> Value {
    let detail = match &probe.finding {
        ProbeFinding::Other(text) | ProbeFinding::Unknown(text) => text.clone(),
        _ => String::new(),
    };
    Value::map([
        ("kind", probe.node.kind.name().into()),
        ("id", probe.node.id.into()),
        ("address", probe.node.address.into()),
        ("answer", word(&probe.finding).into()),
        ("detail", detail.into()),
    ])
}

/// The only element of an answer about one node.
fn only<T>(mut list: Vec<Result<T>>) -> Result<T> {
    list.pop().unwrap_or_else(|| Err(Error::internal("the world answered about no node")))
}

fn status(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let node = reference(gate, args, "node", None)?;
    let report = match gate.perform(Request::Status { nodes: vec![node] }, &[])? {
        Answer::Statuses(list) => only(list)?,
        other => return Err(unexpected("status", &other)),
    };
    Ok(match report {
        StatusReport::Pump(pump) => Value::map([("commit_ts", pump.commit_ts.into()), ("error", pump.error.into())]),
        StatusReport::Drainer(drainer) => {
            let positions: Fields = drainer.pump_positions.into_iter().map(|(id, ts)| (id, ts.into())).collect();
            Value::map([
                ("pump_positions", Value::Map(positions)),
                ("synced", drainer.synced.into()),
                ("last_ts", drainer.last_ts.into()),
            ])
        }
    })
}

/// The metrics of one node.
pub(super) fn samples(gate: &mut dyn Gate, node: NodeRef) -> Result<BTreeMap<String, f64>> {
    match gate.perform(Request::Metrics { nodes: vec![node] }, &[])? {
        Answer::Metrics(list) => only(list),
        other => Err(unexpected("metrics", &other)),
    }
}

fn started_at(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    const METRIC: &str = "process_start_time_seconds";
    let node = reference(gate, args, "node", None)?;
    let samples = samples(gate, node.clone())?;
    let seconds = samples.get(METRIC).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("{node} has no `{METRIC}` in its metrics"))
            .hint("it cannot be told when it started: look at the process on its host")
    })?;
    Ok(Time::new((seconds * 1000.0).round() as i64, Zone::Utc).into())
}

fn tidbs(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let servers = match gate.perform(Request::Tidbs, &[])? {
        Answer::Tidbs(servers) => servers,
        other => return Err(unexpected("tidbs", &other)),
    };
    let fields = |server: crate::world::TidbServer| {
        Value::map([
            ("address", server.address.into()),
            ("version", server.version.into()),
            ("binlog_status", server.binlog_status.into()),
        ])
    };
    Ok(servers.into_iter().map(fields).collect::<Vec<_>>().into())
}

fn cluster(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let info = match gate.perform(Request::Cluster, &[])? {
        Answer::Cluster(info) => info,
        other => return Err(unexpected("cluster", &other)),
    };
    let member = |member: crate::world::Member| {
        Value::map([("name", member.name.into()), ("client_urls", member.client_urls.into())])
    };
    let id = i64::try_from(info.id).map_or_else(|_| info.id.to_string().into(), Value::Int);
    let members: Vec<Value> = info.members.into_iter().map(member).collect();
    Ok(Value::map([("id", id), ("members", members.into()), ("leader", info.leader.into())]))
}
