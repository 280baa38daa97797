//! Timestamps of PD: `physical milliseconds << 18 | logical`.

use serde::{Deserialize, Serialize};

const LOGICAL_BITS: u32 = 18;

/// A timestamp given out by PD. Always fits a positive `i64` in our lifetime, which is what scripts see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tso(pub i64);

impl Tso {
    /// The last millisecond since 1970 that a timestamp can hold.
    pub const LAST_MS: i64 = i64::MAX >> LOGICAL_BITS;

    /// The timestamp of `physical` milliseconds since 1970 and the counter `logical` (below 2^18).
    pub fn from_parts(physical: i64, logical: i64) -> Self {
        Self((physical << LOGICAL_BITS) | logical)
    }

    /// Milliseconds since 1970, UTC.
    pub fn physical_ms(self) -> i64 {
        self.0 >> LOGICAL_BITS
    }

    /// The counter within the millisecond.
    pub fn logical(self) -> i64 {
        self.0 & ((1 << LOGICAL_BITS) - 1)
    }

    /// Whether PD can have given it out. A record says 0 while there is nothing to say yet.
    pub fn is_given(self) -> bool {
        self.0 > 0
    }

    /// Seconds from `earlier` to this one, negative if `earlier` is later.
    pub fn seconds_since(self, earlier: Tso) -> f64 {
        (self.physical_ms() - earlier.physical_ms()) as f64 / 1000.0
    }
}

impl std::fmt::Display for Tso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
