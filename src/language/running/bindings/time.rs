//! The type `Time`: a point in time, compared and subtracted as one expects.

use crate::error::Error;
use crate::language::running::host::Host;
use crate::language::types::TIME;
use crate::nearest::did_you_mean;
use crate::time::{Time, parse_duration};
use rhai::{Dynamic, Engine, EvalAltResult, ImmutableString};
use std::rc::Rc;

/// Registers the type: properties, text (RFC 3339), comparison, `time - time` in seconds, `time + duration`.
pub(crate) fn register(engine: &mut Engine, host: &Rc<Host>) {
    engine.register_type_with_name::<Time>("Time");
    engine.register_get("unix_ms", |time: &mut Time| time.unix_ms);
    engine.register_get("zone", |time: &mut Time| time.zone.name());
    let property = Rc::clone(host);
    engine.register_indexer_get(move |_: &mut Time, name: ImmutableString| {
        let hint = did_you_mean(&name, TIME.iter().map(|known| known.name));
        let error = Error::invalid(format!("a Time has no property `{name}`"));
        Err::<Dynamic, _>(property.raise(error.hint(hint.unwrap_or_else(|| "it has unix_ms and zone".into()))))
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
    engine.register_fn("+", |time: Time, seconds: i64| moved(time, seconds as f64));
    engine.register_fn("-", |time: Time, seconds: i64| moved(time, -(seconds as f64)));
    engine.register_fn("+", |time: Time, seconds: f64| moved(time, seconds));
    engine.register_fn("-", |time: Time, seconds: f64| moved(time, -seconds));
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

fn moved(time: Time, seconds: f64) -> Time {
    Time::new(time.unix_ms.saturating_add((seconds * 1000.0) as i64), time.zone)
}

fn unlike(host: &Host, text: &str) -> Result<bool, Box<EvalAltResult>> {
    let error = Error::invalid(format!("a point in time is compared with the text \"{text}\""));
    Err(host.raise(error.hint(format!("make a point in time of it: tso_time(tso_at(\"{text}\"))"))))
}

fn by_text(host: &Host, time: Time, text: &str, sign: f64) -> Result<Time, Box<EvalAltResult>> {
    let duration = parse_duration(text).map_err(|error| host.raise(error))?;
    Ok(moved(time, sign * duration.as_secs_f64()))
}
