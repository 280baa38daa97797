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

    /// The same, unless PD cannot have given it out.
    pub fn given(physical: i64, logical: i64) -> Option<Self> {
        let can_be = (1..=Self::LAST_MS).contains(&physical) && (0..1 << LOGICAL_BITS).contains(&logical);
        can_be.then(|| Self::from_parts(physical, logical))
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

    /// How old the position that a record tells was at PD's `now`. Positions are PD's own timestamps.
    pub fn position_age(self, now: Tso) -> Age {
        self.age(now, 60.0)
    }

    /// How old the heartbeat that a record tells was at PD's `now`, by the node's own clock, which drifts.
    pub fn heartbeat_age(self, now: Tso) -> Age {
        self.age(now, 3600.0)
    }

    /// How old it was at `now`; up to `slack` seconds ahead are nothing odd.
    fn age(self, now: Tso, slack: f64) -> Age {
        let seconds = now.seconds_since(self);
        match self.0 {
            0 => Age::Nothing,
            ..0 => Age::Negative,
            1.. if seconds < -slack => Age::Ahead(-seconds),
            1.. => Age::Seconds(seconds),
        }
    }

    /// Seconds from `earlier` to this one, negative if `earlier` is later.
    pub fn seconds_since(self, earlier: Tso) -> f64 {
        (self.physical_ms() - earlier.physical_ms()) as f64 / 1000.0
    }
}

/// What a timestamp that somebody wrote tells, seen at PD's now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Age {
    /// It is 0: there is nothing to say yet.
    Nothing,
    /// It is negative, which no timestamp is.
    Negative,
    /// By so many seconds it lies ahead of PD's now, more than clocks explain.
    Ahead(f64),
    /// It lies so many seconds back, or (negative) a little ahead.
    Seconds(f64),
}

impl Age {
    /// The seconds, where it tells any.
    pub fn seconds(self) -> Option<f64> {
        match self {
            Self::Seconds(seconds) => Some(seconds),
            Self::Nothing | Self::Negative | Self::Ahead(_) => None,
        }
    }
}

impl std::fmt::Display for Tso {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
