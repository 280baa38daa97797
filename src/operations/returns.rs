//! What a function returns, as a type that checkers read and people see.

use std::fmt::{Display, Formatter, Result};

/// What a function returns, or a property of a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// `()`.
    Nothing,
    /// It does not come back.
    Never,
    /// True or false.
    Bool,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// Text.
    Text,
    /// The text of a state.
    State,
    /// The text `pump` or `drainer`.
    Kind,
    /// A `Node`.
    Node,
    /// A `Time`.
    Time,
    /// It, or `()`.
    Maybe(&'static Returns),
    /// One of these.
    Either(&'static [Returns]),
    /// An array of it.
    List(&'static Returns),
    /// A map with these fields.
    Map(&'static [(&'static str, Returns)]),
    /// A map of it, by names that only a call knows.
    MapOf(&'static Returns),
    /// The first of one node, and an array of the second of an array.
    OneOrEach(&'static Returns, &'static Returns),
    /// What the closure returns that it is given.
    OfClosure,
    /// The value of the parameter, which says its type.
    OfParameter,
}

impl Display for Returns {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Never => f.write_str("never"),
            Self::Bool => f.write_str("bool"),
            Self::Integer => f.write_str("integer"),
            Self::Number => f.write_str("number"),
            Self::Text | Self::State | Self::Kind => f.write_str("text"),
            Self::Node => f.write_str("Node"),
            Self::Time => f.write_str("Time"),
            Self::Maybe(one) => write!(f, "{one} or ()"),
            Self::Either(all) => f.write_str(&all.iter().map(Self::to_string).collect::<Vec<_>>().join(" or ")),
            Self::List(of) => write!(f, "array of {of}"),
            Self::Map(fields) => {
                write!(f, "#{{ {} }}", fields.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", "))
            }
            Self::MapOf(of) => write!(f, "map of {of}"),
            Self::OneOrEach(one, each) => write!(f, "{one}, or an array of {each}"),
            Self::OfClosure => f.write_str("what the closure returns"),
            Self::OfParameter => f.write_str("the value, of the parameter's type"),
        }
    }
}
