//! The types of the language's own, as help, the reference, completion and `check` know them.

use crate::language::bindings;
use crate::operations::Returns;

/// A type of the language's own.
pub struct TypeDoc {
    /// Its name, as `type_of` says it.
    pub name: &'static str,
    /// What it is, how it prints and what can be done with it.
    pub about: &'static str,
    /// What stands behind a dot.
    pub properties: &'static [Property],
}

/// A property of a value.
pub struct Property {
    /// What stands behind the dot.
    pub name: &'static str,
    /// What it is.
    pub is: Returns,
    /// What it means.
    pub about: &'static str,
}

impl Property {
    pub(super) const fn new(name: &'static str, is: Returns, about: &'static str) -> Self {
        Self { name, is, about }
    }
}

/// The types, in the order of the reference.
pub const TYPES: &[TypeDoc] = &[
    TypeDoc {
        name: "Node",
        about: "A Pump or Drainer as it was read. Prints as its id.",
        properties: bindings::NODE_PROPERTIES,
    },
    TypeDoc {
        name: "Time",
        about: "A point in time. Prints as RFC 3339. Times compare with each other, and with nothing else: make one \
                of a text by `tso_time(tso_at(text))`. `a - b` is a number of seconds; `a + 90`, `a - \"5m\"` are \
                times.",
        properties: bindings::TIME_PROPERTIES,
    },
    TypeDoc {
        name: "Error",
        about: "What `catch (err)` gets from a function that failed. Thrown again it keeps all that it says; the line \
                that is shown is then that of the `throw`.",
        properties: bindings::ERROR_PROPERTIES,
    },
];

/// The type `name`.
pub(crate) fn find(name: &str) -> Option<&'static TypeDoc> {
    TYPES.iter().find(|known| known.name == name)
}
