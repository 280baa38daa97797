//! Virtual time: microseconds since the scenario's start, and the queue of what is due.
//!
//! A queue entry is a real change of state. What repeats by the clock alone (heartbeats, fake binlog, positions) is
//! computed when somebody looks, see [`last_tick`].

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Microseconds since the scenario's start; negative before it.
pub type Micros = i64;

/// A millisecond.
pub const MILLISECOND: Micros = 1_000;
/// A second.
pub const SECOND: Micros = 1_000_000;
/// A minute.
pub const MINUTE: Micros = 60 * SECOND;
/// An hour.
pub const HOUR: Micros = 60 * MINUTE;

/// The last time not after `now` that is `phase` plus a multiple of `interval`; before `phase` there is none.
pub(crate) fn last_tick(phase: Micros, interval: Micros, now: Micros) -> Option<Micros> {
    (now >= phase).then(|| now - (now - phase) % interval)
}

/// The first time after `now` that is `phase` plus a multiple of `interval`.
pub(crate) fn next_tick(phase: Micros, interval: Micros, now: Micros) -> Micros {
    match last_tick(phase, interval, now) {
        Some(last) => last + interval,
        None => phase,
    }
}

/// What is due when. What was scheduled first among what is due at the same time comes first.
#[derive(Clone, Debug)]
pub(crate) struct Queue<E> {
    heap: BinaryHeap<Reverse<(Micros, u64, E)>>,
    scheduled: u64,
}

impl<E: Ord> Queue<E> {
    /// Nothing is due.
    pub(crate) fn new() -> Self {
        Self { heap: BinaryHeap::new(), scheduled: 0 }
    }

    /// Adds `event`, due at `at`.
    pub(crate) fn schedule(&mut self, at: Micros, event: E) {
        self.scheduled += 1;
        self.heap.push(Reverse((at, self.scheduled, event)));
    }

    /// Takes the first event that is due by `until`, with its time.
    pub(crate) fn pop(&mut self, until: Micros) -> Option<(Micros, E)> {
        match self.heap.peek() {
            Some(Reverse((at, ..))) if *at <= until => self.heap.pop().map(|Reverse((at, _, event))| (at, event)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_first_comes_first_and_ties_keep_their_order() {
        let mut queue = Queue::new();
        for (at, event) in [(5, 'c'), (1, 'a'), (5, 'b')] {
            queue.schedule(at, event);
        }
        assert_eq!(queue.pop(4), Some((1, 'a')));
        assert_eq!(queue.pop(4), None);
        assert_eq!((queue.pop(5), queue.pop(5)), (Some((5, 'c')), Some((5, 'b'))));
    }

    #[test]
    fn ticks_count_from_their_phase() {
        assert_eq!(last_tick(-3, 10, 16), Some(7));
        assert_eq!(last_tick(5, 10, 4), None);
        assert_eq!(next_tick(5, 10, 4), 5);
        assert_eq!(next_tick(5, 10, 5), 15);
    }
}
