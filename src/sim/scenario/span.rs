//! Lengths of time in scenario files.

use crate::sim::clock::Micros;
use crate::time::parse_duration;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use std::time::Duration;

/// A length of time: seconds as a number, or text such as `"5m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// None at all.
    pub fn zero() -> Self {
        Self(Duration::ZERO)
    }

    /// It in microseconds.
    pub fn micros(self) -> Micros {
        Micros::try_from(self.0.as_micros()).unwrap_or(Micros::MAX)
    }

    /// So many seconds.
    pub fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.subsec_nanos() {
            0 => serializer.serialize_u64(self.0.as_secs()),
            _ => serializer.serialize_f64(self.0.as_secs_f64()),
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Json::deserialize(deserializer)? {
            Json::String(text) => text,
            Json::Number(number) => number.to_string(),
            other => return Err(serde::de::Error::custom(format!("{other} is no duration, write 90 or \"5m\""))),
        };
        parse_duration(&text).map(Self).map_err(|error| serde::de::Error::custom(error.message))
    }
}
