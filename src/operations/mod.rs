//! What an operator can do: a table with a row per operation, and what each does through the gate.
//!
//! The bindings of the language, `ctl`, `help`, completion and the reference all come from this table. This room
//! knows no script, no terminal and no particular world.

mod act;
mod arguments;
mod clock;
mod control;
mod deployment;
mod exec;
mod gc;
mod human;
mod look;
mod meta;
pub mod nodes;
mod positions;
mod returns;
mod row;
mod said;
mod sandbox;
mod shown;
mod surroundings;
mod tidb;
mod wait;

pub use arguments::{Arguments, NodeName, fits_param, takes_word};
pub use deployment::deployment_value;
pub use meta::DEFAULT_DATA_DIR;
pub use returns::Returns;
pub use row::{Called, Changes, Course, Example, Function, FunctionRow, Group, Operation, Opt, Param, Type};

/// Every operation, in the order of the reference.
pub fn all() -> impl Iterator<Item = &'static Operation> {
    TABLES.iter().copied().flatten()
}

/// The operation called `name`.
pub fn find(name: &str) -> Option<&'static Operation> {
    all().find(|operation| operation.function.name == name)
}

/// One table per domain, each in the file that implements it.
const TABLES: &[&[Operation]] = &[
    look::TABLE,
    said::TABLE,
    positions::TABLE,
    surroundings::TABLE,
    gc::TABLE,
    deployment::TABLE,
    act::TABLE,
    control::TABLE,
    tidb::TABLE,
    wait::TABLE,
    clock::TABLE,
    meta::TABLE,
    human::TABLE,
    exec::TABLE,
    sandbox::TABLE,
    shown::TABLE,
];
