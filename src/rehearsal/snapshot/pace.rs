//! How fast a Drainer consumes: what two looks at its record tell of it.

use super::observe::{Observed, ObservedNode, beat_ms};

/// A Drainer at most this far behind, in milliseconds, keeps up.
const BEHIND_MS: i64 = 10_000;

/// One this far behind consumes what it can: how fast it is shows. Where nobody writes, the record of one that keeps up is up
/// to fifteen seconds old, and moves in steps of up to nine.
const SHOWS_SPEED_MS: i64 = 20_000;

/// A Drainer this far behind that did not move at all is stalled; after the end of a Pump, one stands still for up to
/// nine seconds and goes on.
const STALLED_MS: i64 = 30_000;

/// How fast a Drainer was seen to consume.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum DrainerPace {
    /// It keeps up, or nothing shows how fast it could be.
    KeepsUp,
    /// So many seconds of binlog in a second.
    Speed(f64),
    /// It did not move, and no Pump explains it.
    Stands,
    /// It did not move, which need not mean anything yet.
    Unclear,
}

/// The pace of the Drainer `seen`, which is at `behind_ms` now. A Drainer that a Pump holds up (`held_up`) shows none.
pub(super) fn pace(observed: &Observed, seen: &ObservedNode, behind_ms: i64, held_up: bool) -> DrainerPace {
    let Some(before) = &seen.before else { return DrainerPace::KeepsUp };
    let behind_then = observed.began.physical_ms() - before.max_commit_ts.physical_ms();
    let beaten = seen.record.update_ts.physical_ms() - before.update_ts.physical_ms();
    let advanced = match beaten > 0 {
        true => seen.record.max_commit_ts.physical_ms() - before.max_commit_ts.physical_ms(),
        false => behind_then + observed.watched_ms() - behind_ms,
    };
    // Its own clock tells best how long it had between the two heartbeats.
    let time = if beaten > 0 { beaten } else { observed.watched_ms() };
    if behind_then.min(behind_ms) <= BEHIND_MS || time < beat_ms(seen.record.node.kind) {
        return DrainerPace::KeepsUp;
    }
    match (rounded(advanced as f64 / time as f64), held_up) {
        (speed, _) if speed > 0.0 && behind_then.min(behind_ms) <= SHOWS_SPEED_MS => DrainerPace::KeepsUp,
        (speed, _) if speed > 0.0 => DrainerPace::Speed(speed),
        (_, true) => DrainerPace::KeepsUp,
        _ if behind_ms > STALLED_MS => DrainerPace::Stands,
        _ => DrainerPace::Unclear,
    }
}

/// To a tenth; below one to a hundredth, where a tenth would be all of it.
fn rounded(speed: f64) -> f64 {
    let steps = if speed < 1.0 { 100.0 } else { 10.0 };
    (speed.clamp(0.0, 1e6) * steps).round() / steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_speed_is_not_rounded_to_none() {
        assert_eq!([0.04, 0.204, 1.26, 12.34, -1.0].map(rounded), [0.04, 0.2, 1.3, 12.3, 0.0]);
    }
}
