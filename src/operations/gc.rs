//! TiKV's garbage collection, and TiCDC's changefeeds: looking at them, and holding GC back.

use crate::downstream::{Downstream, Sameness};
use crate::error::Result;
use crate::operations::act::FORCE;
use crate::operations::{Arguments, Changes, Example, Function, Group, Operation, Opt, Param, Returns, Type};
use crate::text::Untrusted;
use crate::time::{Time, Zone, show_seconds};
use crate::tso::Tso;
use crate::value::Value;
use crate::world::{
    Capture, Changefeed, Gate, GcHold, GuardName, Notice, ServiceSafePoint, USUAL_HOLD, change, check_ttl, read,
};

const SERVICE: Returns = Returns::Map(&[
    ("service", Returns::Text),
    ("safe_point", Returns::Integer),
    ("expires", Returns::Maybe(&Returns::Time)),
    ("expired", Returns::Maybe(&Returns::Bool)),
]);

const CHANGEFEED: Returns = Returns::Map(&[
    ("id", Returns::Text),
    ("namespace", Returns::Text),
    ("cluster", Returns::Text),
    ("state", Returns::Text),
    ("start_ts", Returns::Maybe(&Returns::Integer)),
    ("checkpoint_ts", Returns::Maybe(&Returns::Integer)),
    ("target_ts", Returns::Maybe(&Returns::Integer)),
    ("sink", Returns::Maybe(&Returns::Text)),
    ("error", Returns::Maybe(&Returns::Text)),
]);

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "gc_safepoints",
            group: Group::Look,
            returns: Returns::Map(&[
                ("safe_point", Returns::Maybe(&Returns::Integer)),
                ("smallest", Returns::Maybe(&SERVICE)),
                ("services", Returns::List(&SERVICE)),
                ("unread", Returns::List(&Returns::Text)),
            ]),
            about: "Up to where TiKV's garbage collection has come, and who holds it back.\n\n`safe_point` is what TiKV may have \
                    collected, as PD's leader says (`()` where it does not); `services` has the safe point of everybody who needs old \
                    versions, the smallest first, from PD's etcd: `gc_worker` is TiDB's own, `ticdc-..` TiCDC's, `binlogsh-..` a \
                    `hold_gc`. During a round of GC what is collected is decided before `safe_point` moves, so what matters is \
                    `smallest`: the smallest that has not `expired`. `expires` is `()` for one that never does; `expired` is `()` \
                    where PD's time is not known. `unread` says what could not be read. Errors: `unreachable`, `timeout`.",
            example: Example::new("gc_safepoints().smallest.service"),
            ..Function::BASE
        },
        call: gc_safepoints,
    },
    Operation {
        function: Function {
            name: "changefeeds",
            group: Group::Look,
            returns: Returns::List(&CHANGEFEED),
            about: "TiCDC's changefeeds, as they stand in PD's etcd: of all its clusters and namespaces, and of versions up to 6.1 \
                    (whose cluster and namespace are `default`).\n\n`state` is `normal`, `warning`, `pending`, `error`, `failed`, \
                    `stopped`, `finished`, `removed`, what a later version says, or `unreadable`: then `error` says why. Everything \
                    up to `checkpoint_ts` is downstream; `()` where nothing is written yet. `sink` is the URI of the downstream \
                    without user, password and options, and `()` where it is not certain which part of it is which; the password \
                    is never read into a value. Errors: `unreachable`, `timeout`.",
            example: Example::within("ticdc", "changefeeds().filter(|c| c.state == \"normal\").len()"),
            ..Function::BASE
        },
        call: changefeeds,
    },
    Operation {
        function: Function {
            name: "same_downstream",
            group: Group::Look,
            params: &[Param::new("sink", Type::Text), Param::new("other", Type::Text)],
            returns: Returns::Map(&[("same", Returns::Maybe(&Returns::Bool)), ("why", Returns::Maybe(&Returns::Text))]),
            about: "Whether two sinks are one downstream, by host, port and database or topic: the URIs without user, password and \
                    options, as `changefeeds()` and `replication(id)` have them.\n\n`same` is `()` where that cannot be told, and `why` \
                    says what is in the way: a name here and an address there, a loopback address. Two names that are written \
                    differently are two hosts. Nobody is asked. Errors: `invalid` for what is no such URI.",
            example: Example::new("same_downstream(\"mysql://10.0.2.7/\", \"tidb://10.0.2.7:3306/\").same"),
            ..Function::BASE
        },
        call: same_downstream,
    },
    Operation {
        function: Function {
            name: "captures",
            group: Group::Look,
            returns: Returns::List(&Returns::Map(&[
                ("id", Returns::Text),
                ("cluster", Returns::Text),
                ("address", Returns::Maybe(&Returns::Text)),
                ("version", Returns::Maybe(&Returns::Text)),
            ])),
            about: "TiCDC's servers that are there, as they registered themselves in PD's etcd. `address` and `version` are `()` where \
                    a server does not say them.",
            example: Example::within("ticdc", "captures().len() > 0"),
            ..Function::BASE
        },
        call: captures,
    },
    Operation {
        function: Function {
            name: "hold_gc",
            group: Group::Act,
            params: &[Param::new("ts", Type::Ts)],
            options: &[
                Opt::new("ttl", Type::Duration, "for how long it outlives this run (default 1h; 15s to 24h)"),
                FORCE,
            ],
            returns: Returns::Map(&[
                ("service", Returns::Text),
                ("safe_point", Returns::Integer),
                ("ttl", Returns::Number),
            ]),
            changes: Changes::Cluster,
            guards: &[GuardName::HoldsLong],
            about: "Holds TiKV's garbage collection at `ts`: whatever was committed later stays readable.\n\nPD knows the hold as \
                    `binlogsh-` and the run's id, and forgets it `ttl` after the last sign of life; three of these come in that \
                    time for as long as the run, or the prompt, goes on. A run that ends without `release_gc` leaves it to its \
                    end, since whoever goes on with what it did may need it; so does one that is killed. A run that is resumed \
                    takes it again before anything else, and ends with `hold_lost` where PD refuses that. Another `hold_gc` \
                    replaces it. For a changefeed hold at one less than its start-ts: TiCDC takes none that is not greater than \
                    the smallest safe point. Errors: `invalid` for a timestamp of the future; `rejected` when GC has passed it, \
                    naming who holds the smallest safe point; later `hold_lost`, which ends the run, once PD heeds it no more.",
            example: Example::within(
                "ticdc",
                "let hold = hold_gc(tso() - 1, #{ ttl: \"30m\" });\n\
             wait_until(\"the changefeed is past it\", || changefeeds().some(|c| c.checkpoint_ts > hold.safe_point), \"1m\");\n\
             release_gc()",
            ),
            ..Function::BASE
        },
        call: hold_gc,
    },
    Operation {
        function: Function {
            name: "release_gc",
            group: Group::Act,
            options: &[
                Opt::new("service", Type::Text, "the hold of another run of binlogsh, as `gc_safepoints()` shows it"),
                FORCE,
            ],
            changes: Changes::Cluster,
            guards: &[GuardName::NotTakenOver],
            about: "Gives up the hold on TiKV's garbage collection that this run has, or that another run of binlogsh left.\n\nA hold \
                    that is not there is no error. Errors: `invalid` for a service that is none of binlogsh's; `refused` by a \
                    guard; `unreachable`, `timeout`: it ends by itself then.",
            example: Example::new("hold_gc(tso() - 1);\nrelease_gc(#{ force: [\"not_taken_over\"] })"),
            ..Function::BASE
        },
        call: release_gc,
    },
];

fn known(ts: Option<Tso>) -> Value {
    ts.map_or(Value::Unit, Value::from)
}

fn text(text: Option<&Untrusted>) -> Value {
    text.map_or(Value::Unit, |text| text.as_str().into())
}

fn service(service: &ServiceSafePoint) -> Value {
    let expires = service.expires_ms.map(|ms| Time::new(ms, Zone::Utc).into());
    Value::map([
        ("service", service.service.as_str().into()),
        ("safe_point", service.safe_point.into()),
        ("expires", expires.unwrap_or(Value::Unit)),
        ("expired", service.expired.map_or(Value::Unit, Value::from)),
    ])
}

fn gc_safepoints(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let found = gate.ask(read::GcSafePoints)?;
    let unread: Vec<Value> = found.unread.iter().map(|what| what.as_str().into()).collect();
    Ok(Value::map([
        ("safe_point", known(found.safe_point)),
        ("smallest", found.smallest().map_or(Value::Unit, service)),
        ("services", found.services.iter().map(service).collect::<Vec<_>>().into()),
        ("unread", unread.into()),
    ]))
}

fn changefeeds(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let fields = |feed: &Changefeed| {
        Value::map([
            ("id", feed.id.as_str().into()),
            ("namespace", feed.namespace.as_str().into()),
            ("cluster", feed.cluster.as_str().into()),
            ("state", feed.state.as_str().into()),
            ("start_ts", known(feed.start_ts)),
            ("checkpoint_ts", known(feed.checkpoint_ts)),
            ("target_ts", known(feed.target_ts)),
            ("sink", text(feed.sink.as_ref())),
            ("error", text(feed.error.as_ref())),
        ])
    };
    Ok(gate.ask(read::Changefeeds)?.changefeeds.iter().map(fields).collect::<Vec<_>>().into())
}

fn same_downstream(_gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let read = |name| Downstream::of_bare_sink(args.text(name).unwrap_or_default());
    let (same, why) = match read("sink")?.is_same(&read("other")?) {
        Sameness::Same => (Some(true), None),
        Sameness::Different => (Some(false), None),
        Sameness::Unknown(why) => (None, Some(why)),
    };
    Ok(Value::map([("same", same.into()), ("why", why.into())]))
}

fn captures(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    let fields = |capture: &Capture| {
        Value::map([
            ("id", capture.id.as_str().into()),
            ("cluster", capture.cluster.as_str().into()),
            ("address", text(capture.address.as_ref())),
            ("version", text(capture.version.as_ref())),
        ])
    };
    Ok(gate.ask(read::Changefeeds)?.captures.iter().map(fields).collect::<Vec<_>>().into())
}

fn hold_gc(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let ttl = args.duration("ttl").unwrap_or(USUAL_HOLD);
    check_ttl(ttl)?;
    let ts = args.ts("ts").unwrap_or_default();
    let GcHold { service, safe_point, ttl } = gate.force(change::HoldGc { ts, ttl }, &args.force())?;
    let (time, outlives) = (Time::of_tso(safe_point, Zone::Utc), show_seconds(ttl.as_secs_f64()));
    gate.tell(Notice::Changed(format!(
        "TiKV's garbage collection is held at {} ({time}) by {service}, until release_gc() or {outlives} after this ends",
        safe_point.0
    )));
    Ok(Value::map([
        ("service", service.as_str().into()),
        ("safe_point", safe_point.into()),
        ("ttl", ttl.as_secs_f64().into()),
    ]))
}

fn release_gc(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let service = args.text("service").map(Untrusted::from);
    if let Some(service) = &service {
        GcHold::check_service(service)?;
    }
    gate.force(change::ReleaseGc { service }, &args.force())?;
    gate.tell(Notice::Changed("TiKV's garbage collection is no longer held from here".to_owned()));
    Ok(Value::Unit)
}
