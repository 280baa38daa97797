//! The language: Rhai as it is, bound to the operations.
//!
//! An [`Interpreter`] runs scripts and lines of a prompt. Every function that it knows is a row: the operations' rows
//! ([`crate::operations::all`]) and a few of its own for what a script needs beside them (steps, parameters, output).
//! Documentation stands in the same row as the function, so that `help`, completion and the reference cannot differ
//! from what runs.
//!
//! This room knows the gate and nothing behind it: no terminal, no network, no particular world. It opens files only in
//! [`library`], to import modules.

mod bindings;
mod complete;
mod convert;
mod definitions;
mod describe;
mod docs;
mod engine;
mod failure;
mod help;
mod host;
mod interpreter;
pub mod lexer;
mod library;
mod library_docs;
mod masking;
mod parameter;
mod pin;
mod place;
mod procedures;
mod reach;
mod reference;
mod settings;
mod shapes;
mod shipped;
mod signs;
mod slips;
mod sources;
mod thrown;
mod translate;
pub mod tree;
mod types;

pub use crate::operations::{Called, Changes, Course, Example, Function, Group, Opt, Param, Returns, Type};
pub use complete::Completeness;
pub use definitions::definitions;
pub use describe::{ScriptDoc, about_module as header};
pub use docs::{function, functions, overview};
pub use help::{Topic, page};
pub use interpreter::{Ending, Imported, ImportedFunction, Interpreter, Names, Prepared};
pub use library::{find_module, stdlib};
pub use library_docs::{LibraryFunction, library_functions, usual_alias};
pub use masking::{Masking, masked};
pub use parameter::{ParamDoc, ParamType};
pub use pin::PinnedModule;
pub use procedures::procedures_markdown;
pub use reference::reference_markdown;
pub use settings::{Limits, Settings};
pub use shipped::{Shipped, shipped};
pub use sources::Source;
pub use thrown::{from_script, thrown, to_script};
pub use types::{Property, TYPES, TypeDoc};
