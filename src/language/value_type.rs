//! What a value is, as far as completion needs it: what can stand behind its dot.

use crate::language::types;
use crate::node::Node;
use crate::operations::Returns;
use crate::time::Time;
use rhai::{Dynamic, Map};
use std::sync::Arc;

/// What a value is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ValueType {
    /// Nobody knows.
    #[default]
    Unknown,
    /// Text.
    Text,
    /// A number.
    Number,
    /// An array of it.
    Array(Box<ValueType>),
    /// A map with these fields.
    Map(Vec<(String, ValueType)>),
    /// A type of the language's own.
    Named(&'static str),
}

/// How deep values are looked into.
const DEPTH: usize = 4;

/// What can be asked of a text.
const OF_TEXT: [&str; 15] = [
    "contains",
    "ends_with",
    "index_of",
    "is_empty",
    "len",
    "make_lower",
    "make_upper",
    "replace",
    "split",
    "starts_with",
    "sub_string",
    "to_float",
    "to_lower",
    "to_upper",
    "trim",
];
const OF_NUMBER: [&str; 6] = ["abs", "ceiling", "floor", "round", "to_float", "to_int"];
const OF_ARRAY: [&str; 21] = [
    "all", "clear", "contains", "dedup", "drain", "extract", "filter", "find", "index_of", "insert", "is_empty", "len",
    "map", "pop", "push", "reduce", "remove", "retain", "reverse", "some", "sort",
];
const OF_MAP: [&str; 9] = ["clear", "contains", "get", "is_empty", "keys", "len", "remove", "set", "values"];

impl ValueType {
    /// Of a value that is there.
    pub(crate) fn of(value: &Dynamic) -> Self {
        Self::within(value, DEPTH)
    }

    fn within(value: &Dynamic, depth: usize) -> Self {
        if depth == 0 {
            return Self::Unknown;
        }
        let below = |value: &Dynamic| Self::within(value, depth - 1);
        if value.is_string() {
            return Self::Text;
        }
        if value.is_int() || value.is_float() {
            return Self::Number;
        }
        if value.type_id() == std::any::TypeId::of::<Arc<Node>>() {
            return Self::Named("Node");
        }
        if value.type_id() == std::any::TypeId::of::<Time>() {
            return Self::Named("Time");
        }
        if let Ok(array) = value.as_array_ref() {
            return Self::Array(Box::new(array.first().map_or(Self::Unknown, below)));
        }
        match value.read_lock::<Map>() {
            Some(map) => Self::Map(map.iter().map(|(name, value)| (name.to_string(), below(value))).collect()),
            None => Self::Unknown,
        }
    }

    /// Its name for people.
    pub fn name(&self) -> String {
        match self {
            Self::Unknown => "a value".into(),
            Self::Text => "text".into(),
            Self::Number => "number".into(),
            Self::Array(of) if **of == Self::Unknown => "array".into(),
            Self::Array(of) => format!("array of {}", of.name()),
            Self::Map(_) => "map".into(),
            Self::Named(name) => (*name).into(),
        }
    }

    /// What stands behind a dot: name, and whether it is called.
    pub fn members(&self) -> Vec<(String, bool)> {
        let methods = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), true)).collect::<Vec<_>>();
        match self {
            Self::Unknown => Vec::new(),
            Self::Text => methods(&OF_TEXT),
            Self::Number => methods(&OF_NUMBER),
            Self::Array(_) => methods(&OF_ARRAY),
            Self::Map(fields) => fields.iter().map(|(name, _)| (name.clone(), false)).chain(methods(&OF_MAP)).collect(),
            Self::Named(name) => {
                let properties = types::find(name).map_or(&[][..], |known| known.properties);
                properties.iter().map(|known| (known.name.to_owned(), false)).collect()
            }
        }
    }

    /// What the property `name` is, or what the method of that name returns.
    pub fn member(&self, name: &str) -> Self {
        match (self, name) {
            (Self::Map(fields), name) => {
                fields.iter().find(|(field, _)| field == name).map_or(Self::Unknown, |(_, value)| value.clone())
            }
            (Self::Named(named), name) => {
                let property = types::find(named).and_then(|known| known.properties.iter().find(|p| p.name == name));
                property.map_or(Self::Unknown, |property| Self::from(&property.is))
            }
            (Self::Array(_), "filter" | "extract" | "drain") => self.clone(),
            (Self::Array(of), "find" | "pop" | "shift") => (**of).clone(),
            (Self::Array(_) | Self::Text, "len" | "index_of") => Self::Number,
            (Self::Text, "to_lower" | "to_upper" | "sub_string") => Self::Text,
            (Self::Text, "split") => Self::Array(Box::new(Self::Text)),
            (Self::Number, "round" | "floor" | "abs" | "to_float" | "to_int" | "ceiling") => Self::Number,
            _ => Self::Unknown,
        }
    }

    /// What is in it.
    pub fn element(&self) -> Self {
        match self {
            Self::Array(of) => (**of).clone(),
            _ => Self::Unknown,
        }
    }
}

impl From<&Returns> for ValueType {
    fn from(returns: &Returns) -> Self {
        match returns {
            Returns::Text | Returns::State | Returns::Kind => Self::Text,
            Returns::Integer | Returns::Number => Self::Number,
            Returns::Node => Self::Named("Node"),
            Returns::Time => Self::Named("Time"),
            Returns::Maybe(one) => Self::from(*one),
            Returns::List(of) => Self::Array(Box::new(Self::from(*of))),
            Returns::Map(fields) => {
                Self::Map(fields.iter().map(|(name, of)| ((*name).to_owned(), Self::from(of))).collect())
            }
            Returns::MapOf(_) => Self::Map(Vec::new()),
            Returns::Nothing
            | Returns::Never
            | Returns::Bool
            | Returns::Either(_)
            | Returns::OneOrEach(..)
            | Returns::OfClosure
            | Returns::OfParameter => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::reading::tree::functions_of_rhai;

    #[test]
    fn every_method_that_is_offered_is_there() {
        let there: std::collections::HashSet<String> = functions_of_rhai().into_iter().map(|(name, _)| name).collect();
        for name in OF_TEXT.iter().chain(&OF_NUMBER).chain(&OF_ARRAY).chain(&OF_MAP) {
            assert!(there.contains(*name), "{name}");
        }
    }

    #[test]
    fn a_value_and_a_row_tell_what_stands_behind_the_dot() {
        let pumps = ValueType::from(&crate::language::function("pumps").unwrap().returns);
        assert_eq!(pumps.element().member("state"), ValueType::Text);
        assert!(pumps.element().members().iter().any(|(name, _)| name == "max_commit_ts"));
        let map: Map = [("a".into(), Dynamic::from("x"))].into_iter().collect();
        assert_eq!(ValueType::of(&Dynamic::from(map)).member("a"), ValueType::Text);
    }
}
