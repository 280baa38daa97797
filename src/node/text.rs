//! The text of a record, byte for byte.

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// A record's JSON just as it stands in etcd. It may hold bytes that are no UTF-8, which other readers put up with.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct RecordText(Vec<u8>);

impl RecordText {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The bytes, for somebody to keep.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// It as text, with a replacement for what is no UTF-8.
    pub fn shown(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// It as text, where it is UTF-8 throughout.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<Vec<u8>> for RecordText {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for RecordText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.shown())
    }
}

/// As text where it is text, otherwise as an array of bytes: a journal gives back what it was given.
impl Serialize for RecordText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.as_text() {
            Some(text) => serializer.serialize_str(text),
            None => self.0.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for RecordText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrBytes)
    }
}

struct TextOrBytes;

impl<'de> Visitor<'de> for TextOrBytes {
    type Value = RecordText;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the text of a record, or its bytes")
    }

    fn visit_str<E>(self, text: &str) -> Result<RecordText, E> {
        Ok(RecordText(text.as_bytes().to_vec()))
    }

    fn visit_string<E>(self, text: String) -> Result<RecordText, E> {
        Ok(RecordText(text.into_bytes()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<RecordText, A::Error> {
        let mut found = Vec::with_capacity(bytes.size_hint().unwrap_or(0).min(1 << 16));
        while let Some(byte) = bytes.next_element()? {
            found.push(byte);
        }
        Ok(RecordText(found))
    }
}
