//! Timestamps of PD and points in time.

use crate::error::{Error, Result};
use crate::operations::{Arguments, Example, Function, Group, Operation, Param, Returns, Type};
use crate::time::{Time, Zone, show_seconds};
use crate::tso::Tso;
use crate::value::Value;
use crate::world::{Gate, read};

pub(super) const TABLE: &[Operation] = &[
    Operation {
        function: Function {
            name: "tso",
            group: Group::Time,
            returns: Returns::Integer,
            about: "A timestamp from PD: `physical milliseconds << 18 | logical`.",
            example: Example::new("tso_time(tso())"),
            ..Function::BASE
        },
        call: |gate, _| Ok(fresh(gate)?.into()),
    },
    Operation {
        function: Function {
            name: "now",
            group: Group::Time,
            returns: Returns::Time,
            about: "This host's wall clock. Ages of the cluster go by `tso()`, not by this.",
            example: Example::new("now() - 60"),
            ..Function::BASE
        },
        call: now,
    },
    Operation {
        function: Function {
            name: "tso_time",
            group: Group::Time,
            params: &[Param::new("ts", Type::Stamp), Param::optional("zone", Type::Zone)],
            returns: Returns::Time,
            about: "The point in time of a timestamp, shown in UTC or in `zone`. A negative one, as some record may \
                    have it, is before 1970.",
            example: Example::new("tso_time(400962745252184065, \"Asia/Shanghai\")"),
            ..Function::BASE
        },
        call: |_, args| {
            let ts = args.ts("ts").unwrap_or_default();
            Ok(Time::of_tso(ts, args.zone("zone").unwrap_or_default()).into())
        },
    },
    Operation {
        function: Function {
            name: "tso_at",
            group: Group::Time,
            params: &[Param::new("text", Type::Text), Param::optional("zone", Type::Zone)],
            returns: Returns::Integer,
            about: "The first timestamp of a point in time, written as `2026-11-22 13:32:53` (in UTC or in `zone`), \
                    as RFC 3339, or as binlogctl prints it: `2018-12-25 14:23:37 +0800 CST`, where the offset \
                    decides.\n\nErrors: `invalid` when the text is none, a wall time that the zone skips, or in a \
                    zone that is not known: `CST` alone is several, 14 hours apart.",
            example: Example::new("tso_at(\"2026-11-22 13:32:53\", \"Europe/Berlin\")"),
            ..Function::BASE
        },
        call: tso_at,
    },
    Operation {
        function: Function {
            name: "show_duration",
            group: Group::Time,
            params: &[Param::new("seconds", Type::Number)],
            returns: Returns::Text,
            about: "A length of time as tables show it: `0.4s`, `42s`, `3m07s`, `2h05m`, `6d18h`.",
            example: Example::new("show_duration(583283) == \"6d18h\""),
            ..Function::BASE
        },
        call: |_, args| Ok(show_seconds(args.number("seconds").unwrap_or_default()).into()),
    },
];

/// A timestamp from PD.
pub(super) fn fresh(gate: &mut dyn Gate) -> Result<Tso> {
    gate.ask(read::Tso)
}

fn now(gate: &mut dyn Gate, _args: &Arguments) -> Result<Value> {
    Ok(Time::new(gate.ask(read::Now)?.unix_ms, Zone::Utc).into())
}

fn tso_at(_gate: &mut dyn Gate, args: &Arguments) -> Result<Value> {
    let time = Time::parse(args.required_text("text")?, args.zone("zone").unwrap_or_default())?;
    match time.unix_ms {
        0..=Tso::LAST_MS => Ok(Tso::from_parts(time.unix_ms, 0).into()),
        ..0 => Err(Error::invalid(format!("{time} is before 1970, where timestamps begin"))),
        _ => Err(Error::invalid(format!("{time} is later than any timestamp can be"))
            .hint(format!("the last is of {}", Time::new(Tso::LAST_MS, Zone::Utc)))),
    }
}
