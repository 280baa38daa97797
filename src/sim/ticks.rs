//! When a Pump comes to hold newer binlog: at regular times, from one change to the next.
//!
//! Whoever reads binlog of a while ago needs to know which there was before the last change, so the stretches before are
//! kept as far back as a Drainer's checkpoint lags behind in a cluster where all is well.

use super::clock::{MILLISECOND, Micros};

/// How many stretches are kept beside the one that goes on.
const KEPT: usize = 3;
/// By how much at most a fake binlog comes later than its clock says. Whether it comes a little more or a little less than
/// three seconds after the one before decides whether a Drainer takes it into account.
const WOBBLE: Micros = 8 * MILLISECOND;

/// A time in which binlog came at regular intervals: at `first`, and then every `interval` up to `last`.
#[derive(Clone, Copy, Debug)]
struct TickStretch {
    first: Micros,
    interval: Micros,
    last: Micros,
    wobbles: bool,
}

impl TickStretch {
    const NONE: Self = Self { first: 0, interval: 1, last: Micros::MIN, wobbles: false };

    fn tick(&self, number: Micros) -> Micros {
        let regular = self.first.saturating_add(number.saturating_mul(self.interval));
        if self.wobbles { regular.saturating_add(wobble(self.first, number)) } else { regular }
    }

    /// The last tick by `now`.
    fn last_by(&self, now: Micros) -> Option<Micros> {
        let until = now.min(self.last);
        if until < self.first {
            return None;
        }
        let number = (until - self.first) / self.interval;
        let tick = self.tick(number);
        if tick <= until {
            return Some(tick);
        }
        (number > 0).then(|| self.tick(number - 1))
    }

    /// The first tick after `time`.
    fn first_after(&self, time: Micros) -> Option<Micros> {
        let number = (time.saturating_sub(self.first) / self.interval).max(0);
        let tick = self.tick(number);
        let tick = if tick > time { tick } else { self.tick(number + 1) };
        (tick <= self.last).then_some(tick)
    }
}

/// How much later than regular a tick comes: another for every Pump (its first tick) and every tick, the same each time
/// that it is asked.
fn wobble(first: Micros, number: Micros) -> Micros {
    let mixed =
        (first as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number as u64).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let mixed = (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((mixed >> 33) % (WOBBLE as u64)) as Micros
}

/// When a Pump came, and comes, to hold newer binlog.
#[derive(Clone, Debug)]
pub(crate) struct Ticks {
    now: TickStretch,
    /// Those before, the latest first.
    before: [TickStretch; KEPT],
}

impl Ticks {
    /// None at all.
    pub(crate) fn none() -> Self {
        Self { now: TickStretch::NONE, before: [TickStretch::NONE; KEPT] }
    }

    /// Whether it goes on every `interval`.
    pub(crate) fn goes_every(&self, interval: Micros) -> bool {
        self.now.last == Micros::MAX && self.now.interval == interval
    }

    /// Whether it goes on.
    pub(crate) fn goes_on(&self) -> bool {
        self.now.last == Micros::MAX
    }

    /// From `first` on it goes every `interval`; until then, as before up to `now`.
    pub(crate) fn begin(&mut self, now: Micros, first: Micros, interval: Micros, wobbles: bool) {
        self.end(now);
        self.push(TickStretch { first, interval: interval.max(1), last: Micros::MAX, wobbles });
    }

    /// Whether it comes a little later than regular, each time otherwise.
    pub(crate) fn wobbles(&mut self, wobbles: bool) {
        self.now.wobbles = wobbles;
    }

    /// A single tick at `now`, the last one for the time being.
    pub(crate) fn once(&mut self, now: Micros) {
        self.end(now - 1);
        self.push(TickStretch { first: now, interval: 1, last: now, wobbles: false });
    }

    /// No more after `now`.
    pub(crate) fn end(&mut self, now: Micros) {
        self.now.last = self.now.last.min(now);
    }

    fn push(&mut self, stretch: TickStretch) {
        if self.now.last >= self.now.first {
            self.before.rotate_right(1);
            self.before[0] = self.now;
        }
        self.now = stretch;
    }

    /// The last tick by `now`.
    pub(crate) fn last_by(&self, now: Micros) -> Option<Micros> {
        self.now.last_by(now)
    }

    /// The last tick by `time`, also where that was before the last change.
    pub(crate) fn newest_by(&self, time: Micros) -> Option<Micros> {
        [&self.now].into_iter().chain(&self.before).find_map(|stretch| stretch.last_by(time))
    }

    /// The first tick after `time`, whether it has come already or will; `None` if none will.
    pub(crate) fn first_after(&self, time: Micros) -> Option<Micros> {
        // Most look for what comes next.
        if time >= self.before[0].last {
            return self.now.first_after(time);
        }
        self.before.iter().rev().chain([&self.now]).find_map(|stretch| stretch.first_after(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::clock::SECOND;

    #[test]
    fn what_was_before_a_change_is_still_known() {
        let mut ticks = Ticks::none();
        assert_eq!((ticks.last_by(5), ticks.first_after(0)), (None, None));
        ticks.begin(0, 10, 100, false);
        ticks.once(350);
        ticks.begin(350, 500, 50, false);
        assert_eq!(
            [0, 10, 210, 310, 350, 499, 549].map(|at| ticks.first_after(at)),
            [10, 110, 310, 350, 500, 500, 550].map(Some)
        );
        assert_eq!((ticks.last_by(499), ticks.last_by(560)), (None, Some(550)));
        ticks.end(560);
        assert_eq!((ticks.first_after(549), ticks.first_after(550)), (Some(550), None));
    }

    #[test]
    fn fake_binlog_comes_every_three_seconds_and_a_little_more_or_less() {
        let mut ticks = Ticks::none();
        ticks.begin(0, 700_000, 3 * SECOND, true);
        let mut at = 0;
        let (mut longer, mut steps) = (0, Vec::new());
        while steps.len() < 1_000 {
            let next = ticks.first_after(at).unwrap();
            assert_eq!((ticks.last_by(next), ticks.first_after(next - 1)), (Some(next), Some(next)));
            steps.push(next - at);
            at = next;
        }
        for step in &steps[1..] {
            assert!((step - 3 * SECOND).abs() < WOBBLE, "{step}");
            longer += i32::from(*step > 3 * SECOND);
        }
        assert!((400..600).contains(&longer), "{longer}");
    }
}
