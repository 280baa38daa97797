//! What a value is, as far as a script shows it without running.

use crate::language::Returns;
use std::rc::Rc;

/// What a value is, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KnownType {
    /// Nothing is known.
    Unknown,
    /// There is no value: the elements of an empty array.
    Nothing,
    /// A type of the language's own: `Node`, `Time`.
    Named(&'static str),
    Text,
    Number,
    /// The text of a Node's property that has few values: `state`, `kind`.
    Word(&'static str),
    /// Elements of one type.
    Array(Rc<KnownType>),
    /// Either elements of one type, or something else.
    Several(Rc<KnownType>),
    /// A map with these fields, which the function of ours in front returns.
    Returned(&'static str, &'static [(&'static str, Returns)]),
    /// A map that a script wrote.
    Written(Rc<Vec<(String, KnownType)>>),
}

/// How deep types are known: to compare two costs as many steps as they have parts.
const DEPTH: usize = 3;

impl KnownType {
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

    /// What the function `name` of ours returns, or a property of such a value is.
    pub(super) fn of(name: &'static str, returns: &'static Returns) -> Self {
        match returns {
            Returns::Node => Self::Named("Node"),
            Returns::Time => Self::Named("Time"),
            Returns::Text => Self::Text,
            Returns::State => Self::Word("state"),
            Returns::Kind => Self::Word("kind"),
            Returns::Integer | Returns::Number => Self::Number,
            Returns::Maybe(one) => Self::of(name, one),
            Returns::List(of) => Self::array(Self::of(name, of)),
            Returns::Map(fields) => Self::Returned(name, fields),
            Returns::OneOrEach(_, each) => Self::Several(Rc::new(Self::of(name, each))),
            Returns::Nothing
            | Returns::Never
            | Returns::Bool
            | Returns::Either(_)
            | Returns::MapOf(_)
            | Returns::OfClosure
            | Returns::OfParameter => Self::Unknown,
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
    use crate::language::function;

    #[test]
    fn what_a_row_says_that_its_function_returns_is_a_type() {
        let returned = |name| KnownType::of(name, &function(name).unwrap().returns);
        assert_eq!(returned("pumps").element(), KnownType::Named("Node"));
        assert!(matches!(returned("probe").element(), KnownType::Returned("probe", fields) if fields[0].0 == "kind"));
        assert_eq!(returned("metrics"), KnownType::Several(Rc::new(returned("metrics").element())));
        assert_eq!(returned("read_positions"), KnownType::Unknown);
    }
}
