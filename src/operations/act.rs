//! Acting upon the cluster. Each function returns what it saw: `#{ id, before, answer, after, waited }`.

use crate::error::{Error, Result};
use crate::node::{Kind, NodeRef, Record, RecordState, State};
use crate::operations::nodes::{find, malformed};
use crate::operations::wait::{Goal, until};
use crate::operations::{Arguments, Changes, Example, Function, Group, NodeName, Operation, Opt, Param, Returns, Type};
use crate::text::on_one_line;
use crate::value::Value;
use crate::world::{Acted, Action, Gate, GuardName, Notice, change};
use std::time::Duration;

pub(super) const FORCE: Opt = Opt::new("force", Type::Guards, "names of guards to override, such as `[\"last_pump\"]`");
const WAIT: Opt = Opt::new("wait", Type::Duration, "wait this long at most for the node to get there");
const PUMP: &[Param] = &[PUMP_PARAM];
const DRAINER: &[Param] = &[DRAINER_PARAM];
const PUMP_STATE: &[Param] = &[PUMP_PARAM, Param::new("state", Type::State)];
const DRAINER_STATE: &[Param] = &[DRAINER_PARAM, Param::new("state", Type::State)];
const PUMP_PARAM: Param = Param::new("pump", Type::Node(Some(Kind::Pump)));
const DRAINER_PARAM: Param = Param::new("drainer", Type::Node(Some(Kind::Drainer)));

pub(super) const OUTCOME: Returns = Returns::Map(&[
    ("id", Returns::Text),
    ("before", Returns::Text),
    ("answer", Returns::Text),
    ("after", Returns::Maybe(&Returns::Text)),
    ("waited", Returns::Number),
]);

const ACT: Function = Function { group: Group::Act, returns: OUTCOME, changes: Changes::Cluster, ..Function::BASE };

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "pause_pump",
            params: PUMP,
            options: &[WAIT, FORCE],
            guards: &[GuardName::LastPump, GuardName::PumpClosing],
            about: "Stops a Pump for a while.\n\nSends `PUT /state/{id}/pause`. It rejects writes and serves no \
                    binlog until it is started again, and replication of every Drainer stands still meanwhile. \
                    Errors: `refused` by a guard, `rejected` with the Pump's own words, `unreachable`, `in_doubt`.",
            example: Example::new("pause_pump(\"pump-1\", #{ wait: \"1m\" })"),
            ..ACT
        },
        call: |gate, args| tell(gate, args, "pump", Kind::Pump, Action::Pause),
    },
    Operation {
        function: Function {
            name: "pause_drainer",
            params: DRAINER,
            options: &[WAIT, FORCE],
            guards: &[GuardName::PumpClosing],
            about: "Stops a Drainer for a while.\n\nPumps delete binlog by age and do not wait for it: the question \
                    names the time by which it must be back. Errors: as `pause_pump`.",
            example: Example::new("pause_drainer(\"drainer-0\").after"),
            ..ACT
        },
        call: |gate, args| tell(gate, args, "drainer", Kind::Drainer, Action::Pause),
    },
    Operation {
        function: Function {
            name: "offline_pump",
            params: PUMP,
            options: &[WAIT, FORCE],
            guards: &[GuardName::LastPump, GuardName::StuckDrainer, GuardName::StuckPump, GuardName::NoDrainer],
            about: "Takes a Pump out of the cluster for good, once every Drainer has read what it holds.\n\nSends \
                    `PUT /state/{id}/close`. Its record stays `online` with a frozen heartbeat until it turns \
                    `offline`; only a probe shows `closing`. With `wait` the progress names the Drainer that it waits \
                    for. Errors: as `pause_pump`.",
            example: Example::new("offline_pump(\"pump-2\", #{ wait: \"2h\" }).after"),
            ..ACT
        },
        call: |gate, args| tell(gate, args, "pump", Kind::Pump, Action::Close),
    },
    Operation {
        function: Function {
            name: "offline_drainer",
            params: DRAINER,
            options: &[WAIT, FORCE],
            guards: &[GuardName::PumpClosing, GuardName::LastDrainer],
            about: "Takes a Drainer out of the cluster for good: nobody keeps binlog for it any more.\n\nTo stop it \
                    for a while use `pause_drainer`. Errors: as `pause_pump`.",
            example: Example::new("offline_drainer(\"drainer-1\", #{ wait: \"1m\" }).after"),
            ..ACT
        },
        call: |gate, args| tell(gate, args, "drainer", Kind::Drainer, Action::Close),
    },
    Operation {
        function: Function {
            name: "update_pump",
            params: PUMP_STATE,
            options: &[FORCE],
            guards: &[GuardName::Alive, GuardName::Pointless, GuardName::LoseBinlog],
            about: "Writes a state into a Pump's record: a repair of the record of a dead process, never a way to \
                    stop or start one.\n\nCompare-and-swap: only heartbeats may have changed it meanwhile, else \
                    `conflict` shows what did. Unknown fields of the record are kept.",
            example: Example::within("lost-pump", "update_pump(\"pump-2\", \"paused\").after"),
            ..ACT
        },
        call: |gate, args| relabel(gate, args, "pump", Kind::Pump),
    },
    Operation {
        function: Function {
            name: "update_drainer",
            params: DRAINER_STATE,
            options: &[FORCE],
            guards: &[GuardName::Alive, GuardName::Pointless, GuardName::PumpClosing, GuardName::LastDrainer],
            about: "Writes a state into a Drainer's record: a repair of the record of a dead process. See \
                    `update_pump`.",
            example: Example::within("dead-drainer", "update_drainer(\"drainer-1\", \"paused\").after"),
            ..ACT
        },
        call: |gate, args| relabel(gate, args, "drainer", Kind::Drainer),
    },
    Operation {
        function: Function {
            name: "forget_pump",
            params: PUMP,
            options: &[FORCE],
            guards: &[
                GuardName::NotOffline,
                GuardName::Alive,
                GuardName::LoseBinlog,
                GuardName::StillPulled,
                GuardName::LastKey,
            ],
            about: "Deletes a Pump's record, or a key beneath the Pumps' prefix that is no \
                    record, by the name that `malformed()` shows.\n\nCompare-and-delete of just what was read. TiDB's client does not cope with the key of \
                    a Pump it knows being gone: let `offline` Pumps rest for some days first.",
            example: Example::within("malformed-record", "forget_pump(\"broken\").after"),
            ..ACT
        },
        call: |gate, args| forget(gate, args, "pump", Kind::Pump),
    },
    Operation {
        function: Function {
            name: "forget_drainer",
            params: DRAINER,
            options: &[FORCE],
            guards: &[GuardName::NotOffline, GuardName::Alive, GuardName::PumpClosing, GuardName::LastDrainer],
            about: "Deletes a Drainer's record, or a key beneath the Drainers' prefix that is no record. See \
                    `forget_pump`.",
            example: Example::new(
                "offline_drainer(\"drainer-1\", #{ wait: \"1m\" });\nwait_for(\"drainer-1\", \"offline\");\n\
             forget_drainer(\"drainer-1\").after",
            ),
            ..ACT
        },
        call: |gate, args| forget(gate, args, "drainer", Kind::Drainer),
    },
    Operation {
        function: Function {
            name: "trigger_gc",
            params: PUMP,
            options: &[FORCE],
            guards: &[GuardName::BehindGc],
            about: "Makes a Pump delete binlog that is older than its retention now, instead of within the \
                    hour.\n\nIt waits for no Drainer: one that is behind goes on with a hole, silently.",
            example: Example::new("trigger_gc(\"pump-0\").answer"),
            ..ACT
        },
        call: trigger_gc,
    },
];

/// What an action did, as the script gets it.
pub(super) fn outcome(before: &Record, answer: &str, after: Option<&RecordState>, waited: Duration) -> Value {
    Value::map([
        ("id", before.node.id.as_str().into()),
        ("before", before.state.name().into()),
        ("answer", answer.into()),
        ("after", after.map(RecordState::name).into()),
        ("waited", waited.as_secs_f64().into()),
    ])
}

fn record(gate: &mut dyn Gate, args: &Arguments, param: &str, kind: Kind) -> Result<Record> {
    let name = args.node(param).ok_or_else(|| Error::internal(format!("`{param}` is not required by its row")))?;
    let listing = gate.listing()?;
    find(&listing, &name, Some(kind)).cloned()
}

/// The state in the node's record just now; `None` without a record, or when it cannot be read: what was done is done,
/// and is no failure because of that.
pub(super) fn state_now(gate: &mut dyn Gate, node: &NodeRef) -> Result<Option<RecordState>> {
    match gate.listing() {
        Ok(listing) => Ok(listing.find(node.kind, &node.id).map(|record| record.state.clone())),
        Err(error) if error.kind.is_fatal() => Err(error),
        Err(_) => Ok(None),
    }
}

fn tell(gate: &mut dyn Gate, args: &Arguments, param: &str, kind: Kind, action: Action) -> Result<Value> {
    let before = record(gate, args, param, kind)?;
    let Acted { message, .. } = gate.force(change::Act { node: before.node.clone(), action }, &args.force())?;
    gate.tell(Notice::Changed(format!("{}: {message}", before.node.id)));
    let goal = match action {
        Action::Pause => State::Paused,
        Action::Close => State::Offline,
    };
    let (after, waited) = match args.duration("wait") {
        Some(patience) => (Some(goal.into()), until(gate, &Goal { node: before.node.clone(), state: goal }, patience)?),
        None => (state_now(gate, &before.node)?, Duration::ZERO),
    };
    if after.as_ref().is_some_and(|after| *after != goal) {
        let id = on_one_line(&before.node.id).into_owned();
        gate.tell(Notice::Begun(format!("it has only begun: wait_for(\"{id}\", \"{goal}\") waits for it")));
    }
    Ok(outcome(&before, &message, after.as_ref(), waited))
}

fn relabel(gate: &mut dyn Gate, args: &Arguments, param: &str, kind: Kind) -> Result<Value> {
    let state = args.state("state").ok_or_else(|| Error::internal("`state` is not required by its row"))?;
    let seen = record(gate, args, param, kind)?;
    let swapped = gate.force(change::SwapRecord { seen: seen.clone(), state }, &args.force())?;
    gate.tell(Notice::Changed(format!("{}: its record says {} (was {})", seen.node.id, swapped.state, seen.state)));
    Ok(outcome(&seen, "record written", Some(&swapped.state), Duration::ZERO))
}

fn forget(gate: &mut dyn Gate, args: &Arguments, param: &str, kind: Kind) -> Result<Value> {
    let name = args.node(param).ok_or_else(|| Error::internal(format!("`{param}` is not required by its row")))?;
    let listing = gate.listing()?;
    let (id, before, key, mod_revision) = match (find(&listing, &name, Some(kind)), &name) {
        (Ok(found), _) => (found.node.id.clone(), found.state.name(), found.node.key(), found.mod_revision),
        (Err(error), NodeName::Node(_) | NodeName::New(_)) => return Err(error),
        (Err(error), NodeName::Text(text)) => {
            let Some(found) = malformed(&listing, text, kind) else { return Err(error) };
            let rest = found.key.strip_prefix(kind.prefix()).unwrap_or(text);
            (rest.into(), "malformed", found.key.as_str().to_owned(), found.mod_revision)
        }
    };
    gate.force(change::DeleteRecord { key: key.clone(), mod_revision }, &args.force())?;
    gate.tell(Notice::Changed(format!("{id}: deleted {}", on_one_line(&key))));
    Ok(Value::map([
        ("id", id.into()),
        ("before", before.into()),
        ("answer", "key deleted".into()),
        ("after", "gone".into()),
        ("waited", 0.0.into()),
    ]))
}

fn trigger_gc(gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let before = record(gate, args, "pump", Kind::Pump)?;
    let Acted { message, .. } = gate.force(change::TriggerGc { node: before.node.clone() }, &args.force())?;
    gate.tell(Notice::Changed(format!("{}: {message}", before.node.id)));
    let after = state_now(gate, &before.node)?;
    Ok(outcome(&before, &message, after.as_ref(), Duration::ZERO))
}
