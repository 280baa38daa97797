//! Waiting for a condition of the script's own.

use crate::error::{Error, ErrorKind, Result};
use crate::language::convert::to_value;
use crate::language::functions;
use crate::language::running::bindings::builtin::{closure, text, wrong};
use crate::language::running::bindings::{Builtin, CallResult};
use crate::language::running::host::{Host, OpenFor};
use crate::operations::{FunctionRow, fits_param};
use crate::time::show_seconds;
use crate::world::{Notice, Progress, WaitEnd, read};
use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};
use std::time::Duration;

/// How long to wait between two looks: a twentieth of the time waited so far, within these bounds.
const PAUSES: (f64, f64) = (1.0, 5.0);

/// After how many seconds of a wait it is asked at each look what is missing.
const WORTH_ASKING: f64 = 10.0;

pub(crate) const ROWS: &[Builtin] = &[FunctionRow { function: functions::WAIT_UNTIL, call: Some(wait_until) }];

fn wait_until(host: &Host, context: &NativeCallContext<'_>, arguments: &mut [&mut Dynamic]) -> CallResult {
    let taken = || -> Result<(String, FnPtr, Duration)> {
        let what = text("wait_until", "what", arguments[0])?;
        let condition = closure("wait_until", "closure", arguments[1])?;
        Ok((what, condition, timeout(arguments[2])?))
    };
    let (what, condition, timeout) = taken().map_err(|error| host.raise(error))?;
    let began = now(host).map_err(|error| host.raise(error))?;
    host.wait_begins().map_err(|error| host.raise(error))?;
    let outcome = poll(host, context, (&what, began), &condition, timeout);
    host.wait_ends();
    host.tell(Notice::ProgressEnd);
    outcome
}

fn poll(
    host: &Host,
    context: &NativeCallContext<'_>,
    (what, began): (&str, i64),
    condition: &FnPtr,
    timeout: Duration,
) -> CallResult {
    let raise = |error| host.raise(error);
    loop {
        let said = host.open_for(OpenFor::Looks, || condition.call_raw(context, None, []))?;
        let waited = (now(host).map_err(raise)? - began).max(0) as f64 / 1000.0;
        let left = timeout.as_secs_f64() - waited;
        let ends = match came(&said).map_err(raise)? {
            true => Some(WaitEnd::Came),
            false if left <= 0.0 => Some(WaitEnd::InVain(missing(host, context, said.clone())?)),
            false => None,
        };
        match host.wait_looked(ends).map_err(raise)? {
            Some(WaitEnd::Came) => return Ok(waited.into()),
            Some(WaitEnd::InVain(missing)) => return Err(host.raise(in_vain(what, waited, &missing))),
            None => {}
        }
        let missing = if said.is_string() { said.to_string() } else { meanwhile(host, context, waited, said)? };
        let progress = Progress::of(format!("waiting until {what}")).figures(missing);
        host.tell(Notice::Progress(progress.after(Duration::from_secs_f64(waited), timeout)));
        let time = Duration::from_secs_f64((waited / 20.0).clamp(PAUSES.0, PAUSES.1).min(left));
        host.ask(read::Sleep { time }).map_err(raise)?;
        host.wait_goes_on();
    }
}

/// Whether what its condition said ends the wait.
fn came(said: &Dynamic) -> Result<bool> {
    match said.as_bool() {
        Ok(came) => Ok(came),
        Err(_) if said.is_string() || said.is_fnptr() => Ok(false),
        Err(_) => {
            let wanted =
                "a closure that returns true or false, or what is missing: a text, or a closure that returns one";
            Err(wrong("wait_until", "closure", wanted, said))
        }
    }
}

/// What is missing, by what a condition said that is not met; empty if it only said false.
fn missing(host: &Host, context: &NativeCallContext<'_>, said: Dynamic) -> Result<String, Box<EvalAltResult>> {
    let said = match said.try_cast_result::<FnPtr>() {
        Ok(tells) => host.open_for(OpenFor::Nothing, || tells.call_raw(context, None, []))?,
        Err(said) => said,
    };
    host.room_to_write(std::iter::once(&said), 1)?;
    Ok(if said.is_bool() { String::new() } else { said.to_string() })
}

/// The same while the wait goes on: not in its first seconds, since most are over by then. That it cannot be said now ends
/// nothing.
fn meanwhile(
    host: &Host,
    context: &NativeCallContext<'_>,
    waited: f64,
    said: Dynamic,
) -> Result<String, Box<EvalAltResult>> {
    if waited < WORTH_ASKING {
        return Ok(String::new());
    }
    match missing(host, context, said) {
        Err(fatal) if host.must_stop() => Err(fatal),
        said => Ok(said.unwrap_or_default()),
    }
}

fn in_vain(what: &str, waited: f64, missing: &str) -> Error {
    let missing = if missing.is_empty() { String::new() } else { format!("; {missing}") };
    Error::new(ErrorKind::Timeout, format!("waited {} in vain: {what}{missing}", show_seconds(waited)))
        .hint("look at what it waits for with pumps(), drainers() and probe(id), or wait longer")
}

fn now(host: &Host) -> Result<i64> {
    Ok(host.ask(read::Now)?.monotonic_ms)
}

fn timeout(argument: &Dynamic) -> Result<Duration> {
    let given = to_value(argument, &std::cell::RefCell::default())?;
    fits_param(&functions::WAIT_UNTIL, 2, &given)?;
    given.duration()
}
