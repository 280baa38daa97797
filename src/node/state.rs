//! The states of a node, and what a record says of one.

use crate::nearest::named;
use crate::text::quoted;
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use strum::{IntoStaticStr, VariantArray};

/// The five states that a node can be in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum State {
    /// Running.
    Online,
    /// Stopping; practically never reaches etcd.
    Pausing,
    /// Stopped.
    Paused,
    /// Going offline; a Pump's record does not show it, only a probe does.
    Closing,
    /// Gone for good.
    Offline,
}

impl State {
    /// All states.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word in records, probes and scripts.
    pub fn name(self) -> &'static str {
        self.into()
    }

    /// The state called `name`, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        named(name)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What a record says of its node's state. Whoever reads records takes any text there: what is none of the five is
/// neither `online` nor `offline` to them, and so it is to us.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordState {
    /// One of the five.
    Known(State),
    /// Any other text, as it stands; empty where the record does not say.
    Other(String),
}

impl RecordState {
    /// The word as it stands in the record. In messages show the state itself, which escapes what is odd.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(state) => state.name(),
            Self::Other(text) => text,
        }
    }
}

impl std::fmt::Debug for RecordState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(state) => write!(f, "{state:?}"),
            Self::Other(text) => write!(f, "{text:?}"),
        }
    }
}

impl PartialEq<State> for RecordState {
    fn eq(&self, state: &State) -> bool {
        match self {
            Self::Known(known) => known == state,
            Self::Other(_) => false,
        }
    }
}

impl From<State> for RecordState {
    fn from(state: State) -> Self {
        Self::Known(state)
    }
}

impl From<String> for RecordState {
    fn from(text: String) -> Self {
        State::from_name(&text).map_or(Self::Other(text), Self::Known)
    }
}

/// `"online"`, and `{"other": "Online"}` for what is none: so a slip in a file that somebody edits stays an error.
impl Serialize for RecordState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(state) => state.serialize(serializer),
            Self::Other(text) => OtherText { other: text.clone() }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RecordState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KnownOrOther)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OtherText {
    other: String,
}

struct KnownOrOther;

impl<'de> Visitor<'de> for KnownOrOther {
    type Value = RecordState;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a state")
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<RecordState, E> {
        State::deserialize(StrDeserializer::new(name)).map(RecordState::Known)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RecordState, A::Error> {
        OtherText::deserialize(MapAccessDeserializer::new(map)).map(|text| text.other.into())
    }
}

impl std::fmt::Display for RecordState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(state) => write!(f, "{state}"),
            Self::Other(text) => f.write_str(&quoted(text)),
        }
    }
}
