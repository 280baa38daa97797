//! The text of a record, byte for byte.

use super::{Record, RecordState};
use crate::text::Untrusted;
use crate::tso::Tso;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// A record's JSON just as it stands in etcd. It may hold bytes that are no UTF-8, which other readers put up with.
#[derive(Clone)]
pub struct RecordText(Form);

#[derive(Clone)]
enum Form {
    /// As it was read. A clone is a copy: what a thread holds of an answer is counted by that.
    Read(Vec<u8>),
    /// As a node writes it itself: put into words when somebody looks.
    Own(Arc<(OwnFields, OnceLock<Vec<u8>>)>),
}

/// What a node writes of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OwnFields {
    pub(crate) id: Untrusted,
    pub(crate) address: Untrusted,
    pub(crate) state: RecordState,
    pub(crate) max_commit_ts: Tso,
    pub(crate) update_ts: Tso,
}

impl OwnFields {
    /// What `record` says of them.
    pub(crate) fn of(record: &Record) -> Self {
        Self {
            id: record.node.id.clone(),
            address: record.node.address.clone(),
            state: record.state.clone(),
            max_commit_ts: record.max_commit_ts,
            update_ts: record.update_ts,
        }
    }

    /// The fields in the order of the real ones.
    pub(crate) fn members(&self) -> [(&'static str, Json); 8] {
        [
            ("nodeId", self.id.as_str().into()),
            ("host", self.address.as_str().into()),
            ("state", self.state.name().into()),
            ("isAlive", false.into()),
            ("score", 0.into()),
            ("label", Json::Null),
            ("maxCommitTS", self.max_commit_ts.0.into()),
            ("updateTS", self.update_ts.0.into()),
        ]
    }

    /// The object, without spaces as Go writes it.
    fn text(&self) -> Vec<u8> {
        let members: Vec<String> = self.members().iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    }
}

impl RecordText {
    /// As a node writes it itself.
    pub(crate) fn own(fields: OwnFields) -> Self {
        Self(Form::Own(Arc::new((fields, OnceLock::new()))))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        match &self.0 {
            Form::Read(bytes) => bytes,
            Form::Own(own) => own.1.get_or_init(|| own.0.text()),
        }
    }

    /// It as text, with a replacement for what is no UTF-8.
    pub fn shown(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.bytes())
    }

    /// It as text, where it is UTF-8 throughout.
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes()).ok()
    }
}

impl Default for RecordText {
    fn default() -> Self {
        Vec::new().into()
    }
}

impl From<Vec<u8>> for RecordText {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Form::Read(bytes))
    }
}

impl Eq for RecordText {}

impl PartialEq for RecordText {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Form::Own(mine), Form::Own(others)) => mine.0 == others.0,
            (Form::Read(_), _) | (_, Form::Read(_)) => self.bytes() == other.bytes(),
        }
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
            None => self.bytes().serialize(serializer),
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
        Ok(text.as_bytes().to_vec().into())
    }

    fn visit_string<E>(self, text: String) -> Result<RecordText, E> {
        Ok(text.into_bytes().into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<RecordText, A::Error> {
        let mut found = Vec::with_capacity(bytes.size_hint().unwrap_or(0).min(1 << 16));
        while let Some(byte) = bytes.next_element()? {
            found.push(byte);
        }
        Ok(found.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::State;

    #[test]
    fn a_record_has_the_fields_of_a_real_one_in_their_order() {
        let fields = OwnFields {
            id: "host:8250".into(),
            address: "10.0.0.5:8250".into(),
            state: State::Online.into(),
            max_commit_ts: Tso(405_197_570_529_820_673),
            update_ts: Tso(7),
        };
        let text = RecordText::own(fields.clone());
        let written = r#"{"nodeId":"host:8250","host":"10.0.0.5:8250","state":"online","isAlive":false,"score":0,"label":null,"maxCommitTS":405197570529820673,"updateTS":7}"#;
        assert_eq!(text.as_text(), Some(written));
        assert_eq!(text, written.as_bytes().to_vec().into(), "it is the same, whoever has written it");
        assert_eq!(text, RecordText::own(fields.clone()));
        assert_ne!(text, RecordText::own(OwnFields { update_ts: Tso(8), ..fields }));
    }
}
