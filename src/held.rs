//! How many bytes the thread holds that it allocated itself: what a script takes is counted by that.
//!
//! Each thread is counted for itself. What comes from another one (an answer of the network's thread) was counted there and would be
//! taken off here when it is freed, and what is handed over the other way would never be. So whoever brings something across does that
//! within [`brought_here`].

use alloc_metrics::{MetricAlloc, thread_metrics};
use std::alloc::System;
use std::cell::Cell;

#[global_allocator]
static ALLOCATOR: MetricAlloc<System> = MetricAlloc::new(System);

thread_local! {
    /// What the thread's count has too much, or too little where it is negative.
    static FOREIGN: Cell<isize> = const { Cell::new(0) };
}

/// The bytes that this thread allocated and did not free.
pub fn held_by_thread() -> isize {
    thread_metrics().allocated_bytes - FOREIGN.get()
}

/// Does `work`, which has other threads do something, and returns what it gives as this thread's own: of all that the count has changed
/// by, only that stays.
pub fn brought_here<T: Clone>(work: impl FnOnce() -> T) -> T {
    let before = held_by_thread();
    let brought = work();
    let start = held_by_thread();
    let own = brought.clone();
    let size = held_by_thread() - start;
    drop(brought);
    FOREIGN.set(FOREIGN.get() + held_by_thread() - before - size);
    own
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        std::thread::spawn(work).join().unwrap()
    }

    #[test]
    fn what_another_thread_made_counts_while_it_is_held_here_and_no_longer() {
        let before = held_by_thread();
        let text = brought_here(|| elsewhere(|| "x".repeat(1_000_000)));
        assert_eq!(held_by_thread() - before, 1_000_000);
        drop(text);
        assert_eq!(held_by_thread(), before);
    }

    #[test]
    fn what_another_thread_frees_does_not_count() {
        let before = held_by_thread();
        brought_here(|| {
            let text = "x".repeat(1_000_000);
            elsewhere(move || drop(text));
        });
        assert_eq!(held_by_thread(), before);
    }
}
