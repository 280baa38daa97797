//! The real clock: how long something took, how long it may still take, and waiting.
//!
//! The only file that reads the clock of this host or sleeps; the simulator has a clock of its own. Durations go by
//! the monotonic clock, the wall clock is only ever shown.
#![expect(clippy::disallowed_methods, reason = "the one owner of the real clock")]

use crate::error::Result;
use crate::interrupt::Interrupt;
use crate::world::{Answer, Clocks};
use std::future::Future;
use std::time::{Duration, Instant, SystemTime};

/// How often something that waits looks whether it should stop.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Measures time from its making.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since it was started.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// This host's clocks, as requests see them.
pub(super) struct HostClocks(Stopwatch);

impl HostClocks {
    /// The monotonic one begins now.
    pub(super) fn start() -> Self {
        Self(Stopwatch::start())
    }

    /// Both clocks.
    pub(super) fn now(&self) -> Answer {
        let monotonic_ms = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        Answer::Now(Clocks { unix_ms: unix_ms(), monotonic_ms })
    }
}

/// The moment by which something must have ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline(Instant);

impl Deadline {
    /// `time` from now.
    pub(super) fn after(time: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(time).unwrap_or(now + Duration::from_secs(100 * 365 * 86_400)))
    }

    /// The time until then; zero once it is over.
    pub(super) fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether the time is over.
    pub(super) fn is_over(&self) -> bool {
        self.left().is_zero()
    }

    /// The earlier of this one and `time` from now.
    pub(super) fn at_most(self, time: Duration) -> Self {
        Self(self.0.min(Self::after(time).0))
    }
}

/// Milliseconds since 1970 by this host's wall clock.
pub fn unix_ms() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The time since this host was started, by a clock that goes on while the host sleeps and that nobody can set.
pub(super) fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    // Elsewhere than on Linux the monotonic clock goes on during sleep.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let clock = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let clock = ClockId::Monotonic;
    Duration::try_from(clock_gettime(clock)).unwrap_or_default()
}

/// What `work` gives, or `None` if the deadline comes first.
pub(super) async fn within<F: Future>(deadline: Deadline, work: F) -> Option<F::Output> {
    tokio::time::timeout(deadline.left(), work).await.ok()
}

/// Waits on the runtime's thread. No time is none at all: a timer would round it up to a millisecond.
pub(super) async fn pause(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Rests on the caller's thread, whatever comes.
pub(super) fn rest(time: Duration) {
    std::thread::sleep(time);
}

/// Waits on the caller's thread, and looks at `interrupt` meanwhile.
///
/// # Errors
/// `interrupted`.
pub(super) fn wait(time: Duration, interrupt: &Interrupt) -> Result<()> {
    let deadline = Deadline::after(time);
    loop {
        interrupt.check()?;
        let left = deadline.left();
        if left.is_zero() {
            return Ok(());
        }
        std::thread::sleep(left.min(TICK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_ends_when_it_is_interrupted() {
        let interrupt = Interrupt::default();
        interrupt.raise(2);
        let watch = Stopwatch::start();
        assert!(wait(Duration::from_secs(60), &interrupt).is_err());
        assert!(watch.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn the_clock_of_leases_is_the_one_that_counts_sleep() {
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        assert!((since_boot().as_secs_f64() - uptime).abs() < 5.0, "the kernel's uptime counts sleep, as this must");
    }

    #[test]
    fn a_deadline_too_far_to_count_is_none_that_has_passed() {
        assert!(!Deadline::after(Duration::MAX).is_over());
        assert!(Deadline::after(Duration::MAX).at_most(Duration::ZERO).is_over());
    }
}
