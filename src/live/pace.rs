//! How long an endpoint may think before another is asked beside it.
//!
//! Whoever takes twice as long as any of the last answers is most likely frozen, and who has been waiting should not wait
//! much longer. A healthy cluster is hardly asked anything twice so: at most one answer in as many as are remembered is
//! the slowest of them.

use std::collections::VecDeque;
use std::time::Duration;

/// The longest that one may think.
pub(super) const LONGEST: Duration = Duration::from_millis(250);

/// The shortest: a host that has other things to do as well is no slow endpoint.
const SHORTEST: Duration = Duration::from_millis(40);

/// How many answers are remembered.
const REMEMBERED: usize = 32;

/// How long the last answers took.
#[derive(Debug, Default)]
pub(super) struct Pace(VecDeque<Duration>);

impl Pace {
    /// An answer took so long.
    pub(super) fn note(&mut self, took: Duration) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// How long the next one may take; the longest, while there was none.
    pub(super) fn patience(&self) -> Duration {
        self.0.iter().max().map_or(LONGEST, |slowest| (*slowest * 2).clamp(SHORTEST, LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(millis: &[u64]) -> Duration {
        let mut pace = Pace::default();
        millis.iter().for_each(|took| pace.note(Duration::from_millis(*took)));
        pace.patience()
    }

    #[test]
    fn whoever_takes_twice_as_long_as_any_answer_lately_is_not_waited_for() {
        assert_eq!(after(&[30, 60, 25]), Duration::from_millis(120));
        assert_eq!(after(&[1, 2, 3]), SHORTEST);
        assert_eq!(after(&[5_000, 3]), LONGEST);
        assert_eq!(after(&[]), LONGEST);
    }

    #[test]
    fn one_slow_answer_is_forgotten_after_a_while() {
        let fast = [10; REMEMBERED - 1];
        assert_eq!(after(&[&[100], &fast[..]].concat()), Duration::from_millis(200));
        assert_eq!(after(&[&[100, 10], &fast[..]].concat()), SHORTEST);
    }
}
