//! What operations return and take: plain data that scripts, tables and JSON are made of.

mod node_fields;

pub use node_fields::{NODE_FIELDS, node_field, node_fields};

use crate::error::{Error, Result};
use crate::node::{Malformed, Node};
use crate::secret::Secret;
use crate::text::Untrusted;
use crate::time::{Time, duration_of_seconds, parse_duration};
use crate::tso::Tso;
use indexmap::IndexMap;
use std::sync::Arc;
use std::time::Duration;

/// A map that keeps its order, so that tables have their columns where one expects them.
pub type Fields = IndexMap<String, Value>;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Unit,
    /// Yes or no.
    Bool(bool),
    /// A whole number; a timestamp of PD is one.
    Int(i64),
    /// A number; a duration is one, in seconds.
    Float(f64),
    /// Text.
    Text(String),
    /// Text that is never shown.
    Secret(Secret),
    /// A point in time.
    Time(Time),
    /// A Pump or Drainer; shared, since scripts copy their values at every turn.
    Node(Arc<Node>),
    /// Several values.
    List(Vec<Value>),
    /// Named values.
    Map(Fields),
}

impl Value {
    /// A map of these fields, in this order.
    pub fn map<const N: usize>(fields: [(&str, Value); N]) -> Value {
        Value::Map(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// As a length of time: seconds as a number, or a text such as `5m`.
    ///
    /// # Errors
    /// `invalid` when it is none.
    pub fn duration(&self) -> Result<Duration> {
        let seconds = match self {
            Self::Int(seconds) => *seconds as f64,
            Self::Float(seconds) => *seconds,
            Self::Text(text) => return parse_duration(text),
            Self::Unit
            | Self::Bool(_)
            | Self::Secret(_)
            | Self::Time(_)
            | Self::Node(_)
            | Self::List(_)
            | Self::Map(_) => {
                let message = format!("{} is no duration", self.type_name());
                return Err(Error::invalid(message).hint("seconds as a number, or text such as \"5m\""));
            }
        };
        duration_of_seconds(seconds).ok_or_else(|| Error::invalid("it is negative or beyond a hundred years"))
    }

    /// The word for its type in messages.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Unit => "nothing",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "text",
            Self::Secret(_) => "a secret",
            Self::Time(_) => "a time",
            Self::Node(_) => "a node",
            Self::List(_) => "an array",
            Self::Map(_) => "a map",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Untrusted> for Value {
    fn from(text: Untrusted) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<Tso> for Value {
    fn from(ts: Tso) -> Self {
        Self::Int(ts.0)
    }
}

impl From<Time> for Value {
    fn from(time: Time) -> Self {
        Self::Time(time)
    }
}

impl From<Secret> for Value {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl From<Node> for Value {
    fn from(node: Node) -> Self {
        Self::Node(Arc::new(node))
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Unit, Into::into)
    }
}

impl From<Malformed> for Value {
    fn from(key: Malformed) -> Self {
        Self::map([("key", key.key.into()), ("reason", key.reason.into())])
    }
}
