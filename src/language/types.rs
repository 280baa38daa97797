//! The types of the language's own, as help, the reference, completion and `check` know them.

use crate::error::Error;
use crate::nearest::did_you_mean;
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
    pub(crate) const fn new(name: &'static str, is: Returns, about: &'static str) -> Self {
        Self { name, is, about }
    }
}

/// The types, in the order of the reference.
pub const TYPES: &[TypeDoc] = &[
    TypeDoc { name: "Node", about: "A Pump or Drainer as it was read. Prints as its id.", properties: NODE },
    TypeDoc {
        name: "Time",
        about: "A point in time. Prints as RFC 3339. Times compare with each other, and with nothing else: make one \
                of a text by `tso_time(tso_at(text))`. `a - b` is a number of seconds; `a + 90`, `a - \"5m\"` are \
                times.",
        properties: TIME,
    },
    TypeDoc {
        name: "Error",
        about: "What `catch (err)` gets from a function that failed. Thrown again it keeps all that it says; the line \
                that is shown is then that of the `throw`.",
        properties: ERROR,
    },
];

/// The type `name`.
pub(crate) fn find(name: &str) -> Option<&'static TypeDoc> {
    TYPES.iter().find(|known| known.name == name)
}

/// What is wrong with `name` behind the dot of `one`, which has `properties`.
pub(crate) fn unknown(one: &str, properties: &[Property], name: &str) -> Error {
    let known = properties.iter().map(|known| known.name);
    let hint = did_you_mean(name, known.clone())
        .unwrap_or_else(|| format!("{one} has {}", known.collect::<Vec<_>>().join(", ")));
    Error::invalid(format!("{one} has no property `{name}`")).hint(hint)
}

/// Of a `Node`.
pub(crate) const NODE: &[Property] = &[
    Property::new("id", Returns::Text, "the id in its key"),
    Property::new("kind", Returns::Kind, "`pump` or `drainer`"),
    Property::new(
        "state",
        Returns::State,
        "the record's state, which is what others act upon; `probe` tells the node's own",
    ),
    Property::new("address", Returns::Text, "`host:port`"),
    Property::new(
        "max_commit_ts",
        Returns::Integer,
        "Pump: the newest commit it holds. Drainer: everything up to it was consumed",
    ),
    Property::new("updated", Returns::Time, "the last heartbeat, by a clock of the node's own that drifts"),
    Property::new(
        "heartbeat_age",
        Returns::Maybe(&Returns::Number),
        "seconds from the last heartbeat to PD's now; () where PD's time is unknown or the record tells no time",
    ),
    Property::new(
        "lag",
        Returns::Maybe(&Returns::Number),
        "seconds from `max_commit_ts` to PD's now; () where PD's time is unknown or the record tells no position (0: nothing yet)",
    ),
    Property::new("odd", Returns::List(&Returns::Text), "what is odd about it"),
];

/// Of a `Time`.
pub(crate) const TIME: &[Property] = &[
    Property::new("unix_ms", Returns::Integer, "milliseconds since 1970, UTC"),
    Property::new("zone", Returns::Text, "the time zone in which it is shown"),
];

/// Of a `Error`.
pub(crate) const ERROR: &[Property] = &[
    Property::new("kind", Returns::Text, "what sort of thing went wrong, such as `refused` or `unreachable`"),
    Property::new("message", Returns::Text, "what, where and why"),
    Property::new("hint", Returns::Maybe(&Returns::Text), "what to do next"),
];
