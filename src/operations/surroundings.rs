//! What is around the nodes: TiDB servers, PD, certificates.

use crate::error::Result;
use crate::operations::nodes::references;
use crate::operations::{Arguments, Example, Function, Group, Operation, Param, Returns, Type};
use crate::time::{Time, Zone};
use crate::value::Value;
use crate::world::{Alarm, Certificate, Endpoint, Gate, PdMember, RunSummary, TidbServer, read};

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "tidbs",
            group: Group::Look,
            returns: Returns::List(&Returns::Map(&[
                ("address", Returns::Text),
                ("version", Returns::Text),
                ("binlog_status", Returns::Text),
                ("status_address", Returns::Maybe(&Returns::Text)),
            ])),
            about: "The TiDB servers. `binlog_status` is `On`, `Off`, `Skipping` (it writes none until it is \
                    recovered, see `recover_tidb`) or `Unknown`; `status_address` is `()` where it is not known.",
            example: Example::within("skipping-tidb", "tidbs().filter(|t| t.binlog_status == \"Skipping\").len() > 0"),
            ..Function::BASE
        },
        call: tidbs,
    },
    Operation {
        function: Function {
            name: "cluster",
            group: Group::Look,
            returns: Returns::Map(&[
                ("id", Returns::Either(&[Returns::Integer, Returns::Text])),
                (
                    "members",
                    Returns::List(&Returns::Map(&[
                        ("name", Returns::Text),
                        ("client_urls", Returns::List(&Returns::Text)),
                    ])),
                ),
                ("leader", Returns::Maybe(&Returns::Text)),
            ]),
            about: "PD's cluster: its id, its members with their client URLs, the leader's name (or `()` during an \
                    election).",
            example: Example::new("cluster().members.len() > 0"),
            ..Function::BASE
        },
        call: cluster,
    },
    Operation {
        function: Function {
            name: "endpoints",
            group: Group::Look,
            returns: Returns::List(&Returns::Map(&[
                ("url", Returns::Text),
                ("member", Returns::Maybe(&Returns::Text)),
                ("given", Returns::Bool),
                ("answers", Returns::Bool),
                ("error", Returns::Text),
            ])),
            about: "PD's endpoints: those that we were given, then those that only its members name. All are asked at \
                    once, for a second at most. `member` is `()` for a URL that no member names; `error` says why one \
                    does not answer.",
            example: Example::new("endpoints().all(|e| e.answers)"),
            ..Function::BASE
        },
        call: endpoints,
    },
    Operation {
        function: Function {
            name: "alarms",
            group: Group::Look,
            returns: Returns::List(&Returns::Map(&[("kind", Returns::Text), ("member", Returns::Text)])),
            about: "The alarms that PD's etcd has raised and nobody has ended: `no_space` (a member's database has \
                    reached its quota) and `corrupt` (its data differs from the others'). As long as there is one, \
                    etcd takes no write: no heartbeat, no lock, no state.",
            example: Example::new("alarms().is_empty()"),
            ..Function::BASE
        },
        call: alarms,
    },
    Operation {
        function: Function {
            name: "runs",
            group: Group::Look,
            returns: Returns::List(&Returns::Map(&[
                ("id", Returns::Text),
                ("script", Returns::Text),
                ("state", Returns::Text),
                ("changes", Returns::Integer),
                ("in_doubt", Returns::Bool),
                ("step", Returns::Maybe(&Returns::Text)),
                ("begun", Returns::Time),
                ("cluster_id", Returns::Maybe(&Returns::Text)),
                ("user", Returns::Text),
                ("host", Returns::Text),
            ])),
            about: "What was done by this user on any cluster, the latest first: `binlogsh runs` as values. `state` is \
                    `running`, `done`, `failed`, `interrupted`, `abandoned`, or `cut-off` where a run has no end and nobody is at it; `in_doubt` says that \
                    nobody knows what became of its last change. Sandboxes and rehearsals keep no runs.",
            example: Example::new("runs().filter(|r| r.in_doubt).len() == 0"),
            ..Function::BASE
        },
        call: runs,
    },
    Operation {
        function: Function {
            name: "certificates",
            group: Group::Look,
            params: &[Param::optional("nodes", Type::Nodes)],
            returns: Returns::List(&Returns::Map(&[
                ("role", Returns::Text),
                ("place", Returns::Text),
                ("subject", Returns::Text),
                ("expires", Returns::Time),
            ])),
            about: "Until when certificates are valid: those in the files that we were given (`role` is `authority` \
                    or `own`), and those that PD and `nodes` show us (`server`). None without TLS.\n\nA server's is \
                    the one of its chain that ends first. One that shows none is left out.",
            example: Example::new("certificates(nodes()).filter(|c| c.expires - now() < 86400.0)"),
            ..Function::BASE
        },
        call: certificates,
    },
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
        |member: PdMember| Value::map([("name", member.name.into()), ("client_urls", member.client_urls.into())]);
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

fn runs(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let fields = |run: RunSummary| {
        Value::map([
            ("id", run.id.into()),
            ("script", run.script.into()),
            ("state", run.state.into()),
            ("changes", i64::try_from(run.changes).unwrap_or(i64::MAX).into()),
            ("in_doubt", run.in_doubt.into()),
            ("step", run.step.into()),
            ("begun", Time::new(run.begun_ms, Zone::Utc).into()),
            ("cluster_id", run.cluster_id.map(|id| id.to_string()).into()),
            ("user", run.user.into()),
            ("host", run.host.into()),
        ])
    };
    Ok(gate.ask(read::Runs)?.into_iter().map(fields).collect::<Vec<_>>().into())
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
