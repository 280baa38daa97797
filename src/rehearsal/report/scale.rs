//! Virtual time along a chart: mostly even, but long stretches in which nothing happens are shortened.

use crate::sim::{HOUR, MILLISECOND, MINUTE, Micros, SECOND};

/// A stretch in which nothing happens is shortened if it is so many times as long as all shorter ones together.
const LONG: Micros = 6;
/// Shorter ones never are.
const LONG_AT_LEAST: Micros = MINUTE;
/// Of the whole, at least this is shown evenly.
const EVEN_AT_LEAST: Micros = 10 * SECOND;
/// A chart is never shorter than this.
const LEAST: Micros = SECOND;

const DAY: Micros = 24 * HOUR;
/// Distances between the marks of an axis.
const STEPS: [Micros; 31] = [
    MILLISECOND,
    2 * MILLISECOND,
    5 * MILLISECOND,
    10 * MILLISECOND,
    20 * MILLISECOND,
    50 * MILLISECOND,
    100 * MILLISECOND,
    200 * MILLISECOND,
    500 * MILLISECOND,
    SECOND,
    2 * SECOND,
    5 * SECOND,
    10 * SECOND,
    15 * SECOND,
    30 * SECOND,
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
    30 * DAY,
    365 * DAY,
];

/// A stretch of time, and the length that it is shown with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ShownStretch {
    pub(super) from: Micros,
    pub(super) to: Micros,
    shown: Micros,
    begins: Micros,
}

impl ShownStretch {
    /// Whether it is shown shorter than it is.
    pub(super) fn is_shortened(&self) -> bool {
        self.shown < self.to - self.from
    }
}

/// Virtual time along a chart.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub(super) stretches: Vec<ShownStretch>,
    shown: Micros,
}

impl Scale {
    /// From 0 to `end`, where things happen at `instants`.
    pub(super) fn new(instants: impl Iterator<Item = Micros>, end: Micros) -> Self {
        let end = end.max(LEAST);
        let mut marks: Vec<Micros> = instants.filter(|at| (0..=end).contains(at)).chain([0, end]).collect();
        marks.sort_unstable();
        marks.dedup();
        let mut lengths: Vec<Micros> = marks.windows(2).map(|pair| pair[1] - pair[0]).collect();
        lengths.sort_unstable();
        let (longest, shown) = even(&lengths);
        let mut stretches: Vec<ShownStretch> = Vec::new();
        let mut begins = 0;
        for pair in marks.windows(2) {
            let length = pair[1] - pair[0];
            let is_long = length > longest;
            let shows = if is_long { shown } else { length };
            match stretches.last_mut().filter(|last| !is_long && !last.is_shortened()) {
                Some(last) => (last.to, last.shown) = (pair[1], last.shown + shows),
                None => stretches.push(ShownStretch { from: pair[0], to: pair[1], shown: shows, begins }),
            }
            begins += shows;
        }
        Self { stretches, shown: begins.max(1) }
    }

    /// Where a time is, as a share of the whole.
    pub(super) fn share(&self, at: Micros) -> f64 {
        let place = match self.stretches.iter().rev().find(|stretch| stretch.from <= at) {
            None => 0.0,
            Some(stretch) => {
                let into = at.min(stretch.to) - stretch.from;
                let share = into as f64 / (stretch.to - stretch.from).max(1) as f64;
                stretch.begins as f64 + share * stretch.shown as f64
            }
        };
        place / self.shown as f64
    }

    /// The marks of an axis that is so many pixels long and has room for one in so many of them.
    pub(super) fn marks(&self, pixels: f64, room: f64) -> Vec<Micros> {
        let step = step_for(self.shown, pixels / room);
        let mut marks = Vec::new();
        for stretch in self.stretches.iter().filter(|stretch| !stretch.is_shortened()) {
            let mut at = (stretch.from + step - 1).div_euclid(step) * step;
            while at <= stretch.to {
                marks.push(at);
                at += step;
            }
        }
        marks.dedup();
        marks
    }
}

/// The longest stretch that is shown as long as it is, and how long those are shown that are longer; of the lengths in
/// their order.
fn even(lengths: &[Micros]) -> (Micros, Micros) {
    let mut sum = 0;
    for (place, length) in lengths.iter().enumerate() {
        // Nothing is shortened if there is nothing else to show.
        if sum > 0 && *length > LONG_AT_LEAST.max(sum * LONG) {
            let count = Micros::try_from(lengths.len() - place).unwrap_or(Micros::MAX);
            let all = sum.max(EVEN_AT_LEAST);
            return (lengths[..place].last().copied().unwrap_or(0), (all / count).max(all / 6));
        }
        sum += length;
    }
    (Micros::MAX, 0)
}

/// The least of the usual distances of which no more than `count` go into `length`.
pub(super) fn step_for(length: Micros, count: f64) -> Micros {
    let fits = |step: &&Micros| length as f64 / **step as f64 <= count.max(1.0);
    STEPS.iter().find(fits).copied().unwrap_or(length.max(1))
}

/// A time as a mark of an axis: `0`, `200ms`, `1.5s`, `1m30s`, `4h`.
pub(super) fn mark_text(at: Micros) -> String {
    if at == 0 {
        return "0".into();
    }
    if at < SECOND {
        return format!("{}ms", at / MILLISECOND);
    }
    if at % SECOND != 0 {
        return format!("{}.{}s", at / SECOND, at % SECOND / (100 * MILLISECOND));
    }
    let units = [(DAY, "d"), (HOUR, "h"), (MINUTE, "m"), (SECOND, "s")];
    let mut rest = at;
    let mut text = String::new();
    for (unit, letter) in units {
        if rest / unit > 0 {
            text += &format!("{}{letter}", rest / unit);
            rest %= unit;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_wait_leaves_room_for_the_rest() {
        let scale = Scale::new(
            [0, 5 * SECOND, 10 * SECOND, 4 * HOUR, 4 * HOUR + 8 * SECOND].into_iter(),
            4 * HOUR + 10 * SECOND,
        );
        assert!(scale.share(10 * SECOND) > 0.2, "{scale:?}");
        assert!(scale.stretches.iter().any(ShownStretch::is_shortened));
        assert_eq!(scale.share(4 * HOUR + 10 * SECOND), 1.0);
    }

    #[test]
    fn even_steps_stay_even() {
        let scale = Scale::new((0..10).map(|at| at * 30 * SECOND), 270 * SECOND);
        assert_eq!(scale.share(135 * SECOND), 0.5);
        assert!(!scale.stretches.iter().any(ShownStretch::is_shortened));
    }

    #[test]
    fn marks_have_room() {
        let scale = Scale::new(std::iter::empty(), 102 * SECOND);
        assert_eq!(scale.marks(300.0, 60.0), vec![0, 30 * SECOND, 60 * SECOND, 90 * SECOND]);
        assert_eq!(mark_text(90 * SECOND), "1m30s");
    }

    #[test]
    fn nothing_at_all_has_an_axis_as_well() {
        let scale = Scale::new(std::iter::empty(), 0);
        assert_eq!(scale.share(0), 0.0);
        assert!(!scale.marks(300.0, 60.0).is_empty());
    }
}
