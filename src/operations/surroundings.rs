//! What is around the nodes: TiDB servers, PD, certificates.

use crate::error::Result;
use crate::operations::look::reads;
use crate::operations::nodes::references;
use crate::operations::{Arguments, Example, Operation, Param, Type};
use crate::time::{Time, Zone};
use crate::value::Value;
use crate::world::{Alarm, Certificate, Endpoint, Gate, Member, TidbServer, read};

pub(super) const TABLE: &[Operation] = &[
    reads(
        "tidbs",
        &[],
        "array of #{ address, version, binlog_status, status_address }",
        "The TiDB servers. `binlog_status` is `On`, `Off`, `Skipping` (it writes none until it is recovered, see \
         `recover_tidb`) or `Unknown`; `status_address` is `()` where it is not known.",
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
    reads(
        "endpoints",
        &[],
        "array of #{ url, member, given, answers, error }",
        "PD's endpoints: those that we were given, then those that only its members name. All are asked at once, for a \
         second at most. `member` is `()` for a URL that no member names; `error` says why one does not answer.",
        Example::new("endpoints().all(|e| e.answers)"),
        endpoints,
    ),
    reads(
        "alarms",
        &[],
        "array of #{ kind, member }",
        "The alarms that PD's etcd has raised and nobody has ended: `no_space` (a member's database has reached its quota) \
         and `corrupt` (its data differs from the others'). As long as there is one, etcd takes no write: no heartbeat, no \
         lock, no state.",
        Example::new("alarms().is_empty()"),
        alarms,
    ),
    reads(
        "certificates",
        &[Param::optional("nodes", Type::Nodes)],
        "array of #{ role, place, subject, expires }",
        "Until when certificates are valid: those in the files that we were given (`role` is `authority` or `own`), and \
         those that PD and `nodes` show us (`server`). None without TLS.\n\nA server's is the one of its chain that ends \
         first. One that shows none is left out.",
        Example::new("certificates(nodes()).filter(|c| c.expires - now() < 86400.0)"),
        certificates,
    ),
];

fn tidbs(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let servers = gate.ask(read::Tidbs)?;
    let fields = |server: TidbServer| {
        Value::map([
            ("address", server.address.into()),
            ("version", server.version.into()),
            ("binlog_status", server.binlog_status.into()),
            ("status_address", server.status_address.into()),
        ])
    };
    Ok(servers.into_iter().map(fields).collect::<Vec<_>>().into())
}

fn cluster(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let info = gate.ask(read::Cluster)?;
    let member =
        |member: Member| Value::map([("name", member.name.into()), ("client_urls", member.client_urls.into())]);
    let id = i64::try_from(info.id).map_or_else(|_| info.id.to_string().into(), Value::Int);
    let members: Vec<Value> = info.members.into_iter().map(member).collect();
    Ok(Value::map([("id", id), ("members", members.into()), ("leader", info.leader.into())]))
}

fn endpoints(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let endpoints = gate.ask(read::Endpoints)?;
    let fields = |endpoint: Endpoint| {
        Value::map([
            ("url", endpoint.url.into()),
            ("member", endpoint.member.into()),
            ("given", endpoint.given.into()),
            ("answers", endpoint.trouble.is_none().into()),
            ("error", endpoint.trouble.unwrap_or_default().into()),
        ])
    };
    Ok(endpoints.into_iter().map(fields).collect::<Vec<_>>().into())
}

fn alarms(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let alarms = gate.ask(read::Alarms)?;
    let fields = |alarm: Alarm| Value::map([("kind", alarm.kind.name().into()), ("member", alarm.member.into())]);
    Ok(alarms.into_iter().map(fields).collect::<Vec<_>>().into())
}

fn certificates(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let nodes = match args.given("nodes") {
        true => references(&gate.listing()?, args, "nodes")?,
        false => Vec::new(),
    };
    let certificates = gate.ask(read::Certificates { nodes })?;
    let fields = |certificate: Certificate| {
        Value::map([
            ("role", certificate.role.name().into()),
            ("place", certificate.place.into()),
            ("subject", certificate.subject.into()),
            ("expires", Time::new(certificate.expires_ms, Zone::Utc).into()),
        ])
    };
    Ok(certificates.into_iter().map(fields).collect::<Vec<_>>().into())
}
