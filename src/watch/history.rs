//! How far a node was behind during the last minutes.

use std::collections::VecDeque;

/// How long one number stands for.
const SLOT_MS: i64 = 15_000;

/// How many are kept: five minutes.
const SLOTS: usize = 20;

/// The largest lag of each quarter of a minute.
#[derive(Debug, Default)]
pub(super) struct LagHistory {
    /// The newest last.
    slots: VecDeque<Option<f64>>,
    /// Which one the last is, counted since the clock began.
    newest: i64,
}

impl LagHistory {
    /// At `at_ms` of a clock that only goes forward the node was `lag` seconds behind, if that is known.
    pub(super) fn note(&mut self, at_ms: i64, lag: Option<f64>) {
        let slot = at_ms / SLOT_MS;
        if self.slots.is_empty() {
            self.newest = slot;
            self.slots.push_back(None);
        }
        let passed = usize::try_from(slot - self.newest).unwrap_or(0).min(SLOTS);
        self.slots.extend(std::iter::repeat_n(None, passed));
        self.newest = self.newest.max(slot);
        while self.slots.len() > SLOTS {
            self.slots.pop_front();
        }
        if let Some(last) = self.slots.back_mut() {
            *last = match (*last, lag) {
                (Some(one), Some(other)) => Some(one.max(other)),
                (one, other) => one.or(other),
            };
        }
    }

    /// The largest lag of each quarter of a minute, the oldest first.
    pub(super) fn seconds(&self) -> Vec<Option<f64>> {
        self.slots.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_keeps_the_largest_of_each_slot_and_forgets_what_is_old() {
        let mut history = LagHistory::default();
        history.note(1_000, Some(2.0));
        history.note(14_000, Some(1.0));
        history.note(15_000, None);
        history.note(46_000, Some(7.0));
        assert_eq!(history.seconds(), [Some(2.0), None, None, Some(7.0)]);
        for at in 4..40 {
            history.note(at * SLOT_MS, Some(at as f64));
        }
        assert_eq!(history.seconds().len(), SLOTS);
        assert_eq!(history.seconds()[0], Some(20.0));
        history.note(100_000_000, Some(1.0));
        assert_eq!(
            history.seconds(),
            [vec![None; SLOTS - 1], vec![Some(1.0)]].concat(),
            "a long silence leaves nothing"
        );
    }
}
