//! The type `Time`: a point in time, compared and subtracted as one expects.

use crate::error::{Error, Result};
use crate::language::running::host::Host;
use crate::language::types::{Property, TIME, unknown};
use crate::time::{Time, parse_duration};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString};
use std::rc::Rc;

/// Milliseconds from 1970 to the end of the year 9999.
const LAST_MS: f64 = 253_402_300_800_000.0;

/// Registers the type: properties, text (RFC 3339), comparison, `time - time` in seconds, `time + duration`.
pub(crate) fn register(engine: &mut Engine, host: &Rc<Host>) {
    engine.register_type_with_name::<Time>("Time");
    for Property { name, .. } in TIME {
        engine.register_get(name, |time: &mut Time| field(time, name).unwrap_or(Dynamic::UNIT));
    }
    let property = Rc::clone(host);
    engine.register_indexer_get(move |time: &mut Time, name: ImmutableString| {
        field(time, &name).ok_or_else(|| property.raise(unknown("a Time", TIME, &name)))
    });
    engine.register_fn("to_string", |time: &mut Time| time.to_string());
    engine.register_fn("to_debug", |time: &mut Time| time.to_string());
    engine.register_fn("==", |a: Time, b: Time| a.unix_ms == b.unix_ms);
    engine.register_fn("!=", |a: Time, b: Time| a.unix_ms != b.unix_ms);
    engine.register_fn("<", |a: Time, b: Time| a.unix_ms < b.unix_ms);
    engine.register_fn("<=", |a: Time, b: Time| a.unix_ms <= b.unix_ms);
    engine.register_fn(">", |a: Time, b: Time| a.unix_ms > b.unix_ms);
    engine.register_fn(">=", |a: Time, b: Time| a.unix_ms >= b.unix_ms);
    engine.register_fn("-", |a: Time, b: Time| a.unix_ms.saturating_sub(b.unix_ms) as f64 / 1000.0);
    for (operator, sign) in [("+", 1.0), ("-", -1.0)] {
        let (whole, float) = (Rc::clone(host), Rc::clone(host));
        let by = move |host: &Host, time, seconds| moved(time, sign * seconds).map_err(|error| host.raise(error));
        engine.register_fn(operator, move |time: Time, seconds: i64| by(&whole, time, seconds as f64));
        engine.register_fn(operator, move |time: Time, seconds: f64| by(&float, time, seconds));
    }
    let (plus, minus) = (Rc::clone(host), Rc::clone(host));
    // Rhai's own comparison of what is not alike is false without a word.
    for operator in ["==", "!=", "<", "<=", ">", ">="] {
        let (left, right) = (Rc::clone(host), Rc::clone(host));
        engine.register_fn(operator, move |_: Time, text: ImmutableString| unlike(&left, &text));
        engine.register_fn(operator, move |text: ImmutableString, _: Time| unlike(&right, &text));
    }
    engine.register_fn("+", move |time: Time, text: ImmutableString| by_text(&plus, time, &text, 1.0));
    engine.register_fn("-", move |time: Time, text: ImmutableString| by_text(&minus, time, &text, -1.0));
}

fn field(time: &Time, name: &str) -> Option<Dynamic> {
    match name {
        "unix_ms" => Some(time.unix_ms.into()),
        "zone" => Some(time.zone.name().into()),
        _ => None,
    }
}

/// The time so many seconds later.
fn moved(time: Time, seconds: f64) -> Result<Time> {
    // What a calendar shows: further away there are no dates.
    let ms = time.unix_ms as f64 + seconds * 1000.0;
    match ms.abs() < LAST_MS {
        true => Ok(Time::new(time.unix_ms.saturating_add((seconds * 1000.0) as i64), time.zone)),
        false => Err(Error::invalid(format!("{seconds} seconds from {time} is no point in time"))),
    }
}

fn unlike(host: &Host, text: &str) -> std::result::Result<bool, Box<EvalAltResult>> {
    let error = Error::invalid(format!("a point in time is compared with the text \"{text}\""));
    Err(host.raise(error.hint(format!("make a point in time of it: tso_time(tso_at(\"{text}\"))"))))
}

fn by_text(host: &Host, time: Time, text: &str, sign: f64) -> std::result::Result<Time, Box<EvalAltResult>> {
    let duration = parse_duration(text).map_err(|error| host.raise(error))?;
    moved(time, sign * duration.as_secs_f64()).map_err(|error| host.raise(error))
}
