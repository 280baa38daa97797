//! What a value is, as far as a script shows it without running.

use crate::check::vocabulary::maps_in;
use std::rc::Rc;

/// What a value is, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Nothing is known.
    Unknown,
    /// There is no value: the elements of an empty array.
    Nothing,
    /// A type of the language's own: `Node`, `Time`.
    Named(&'static str),
    /// Text.
    Text,
    /// A number.
    Number,
    /// The text of a Node's property that has few values: `state`, `kind`.
    Word(&'static str),
    /// Elements of one type.
    Array(Rc<Type>),
    /// Either elements of one type, or something else.
    Several(Rc<Type>),
    /// A map with these fields, which the function of ours in front returns.
    Returned(&'static str, Rc<Vec<&'static str>>),
    /// A map that a script wrote.
    Written(Rc<Vec<(String, Type)>>),
}

/// How deep types are known: to compare two costs as many steps as they have parts.
const DEPTH: usize = 3;

impl Type {
    /// An array of such elements.
    pub(super) fn array(element: Self) -> Self {
        if element.depth() < DEPTH { Self::Array(Rc::new(element)) } else { Self::Unknown }
    }

    /// A map with these fields, which a script wrote.
    pub(super) fn written(fields: Vec<(String, Self)>) -> Self {
        let is_flat = fields.iter().all(|(_, value)| value.depth() < DEPTH);
        if is_flat { Self::Written(Rc::new(fields)) } else { Self::Unknown }
    }

    fn depth(&self) -> usize {
        match self {
            Self::Array(element) | Self::Several(element) => 1 + element.depth(),
            Self::Written(fields) => 1 + fields.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }

    /// What the function `name` of ours returns, in the words of its documentation.
    pub(super) fn returned_by(name: &'static str, returns: &'static str) -> Self {
        let returns = returns.trim();
        if let Some((_, several)) = returns.split_once(", or an array of ") {
            return Self::Several(Rc::new(Self::returned_by(name, several)));
        }
        if let Some(elements) = returns.strip_prefix("array of ") {
            return Self::array(Self::returned_by(name, elements));
        }
        match returns {
            "Node" => Self::Named("Node"),
            "Time" => Self::Named("Time"),
            "text" => Self::Text,
            map if map.starts_with("#{") => match maps_in(map).next() {
                Some(fields) => Self::Returned(name, Rc::new(fields)),
                None => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }

    /// What the property `name` of a value of the type `of` is, in the words of its documentation.
    pub(super) fn of_property(of: &str, name: &'static str, words: &str) -> Self {
        match words.trim_end_matches(" or ()") {
            "integer" | "number" => Self::Number,
            "Time" => Self::Named("Time"),
            "text" if of == "Node" && ["state", "kind"].contains(&name) => Self::Word(name),
            "text" => Self::Text,
            _ => Self::Unknown,
        }
    }

    /// What is in it.
    pub(super) fn element(&self) -> Self {
        match self {
            Self::Array(element) | Self::Several(element) => (**element).clone(),
            _ => Self::Unknown,
        }
    }

    /// What is either this or `other`.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Nothing, one) | (one, Self::Nothing) => one,
            (Self::Array(one) | Self::Several(one), Self::Array(other) | Self::Several(other)) => {
                Self::array((*one).clone().or((*other).clone()))
            }
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_the_documentation_are_types() {
        assert_eq!(Type::returned_by("pumps", "array of Node").element(), Type::Named("Node"));
        let probes = Type::returned_by("probe", "text, or an array of #{ kind, id }");
        assert_eq!(probes.element(), Type::Returned("probe", Rc::new(vec!["kind", "id"])));
        assert_eq!(Type::returned_by("metrics", "map of number"), Type::Unknown);
    }
}
