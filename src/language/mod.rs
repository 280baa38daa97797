//! The language: Rhai as it is, bound to the operations.
//!
//! An [`Interpreter`] runs scripts and lines of a prompt. Every function that it knows is a row: the operations' rows
//! ([`crate::operations::all`]) and a few of its own for what a script needs beside them (steps, parameters, output).
//! Documentation stands in the same row as the function, so that `help`, completion and the reference cannot differ
//! from what runs.
//!
//! Three parts: `reading` (texts, their words, places and trees, what is wrong with one), `documenting` (help, the
//! reference, the library's and the procedures' pages), and `running`, which alone knows the gate. Nothing here knows what
//! is behind that: no terminal, no network, no particular world. Files are opened in `running/library` only, to import
//! modules.

mod convert;
mod documenting;
mod extent;
mod failure;
mod functions;
mod reading;
mod running;
mod settings;
mod shapes;
mod stdlib;
mod types;
mod value_type;

pub use crate::operations::{Called, Changes, Course, Example, Function, Group, Opt, Param, Returns, Type, takes_word};
pub use documenting::definitions::definitions;
pub use documenting::help::{known as pages, overview, page};
pub use documenting::library_docs::{LibraryFunction, library_functions, usual_alias};
pub use documenting::procedures::procedures_markdown;
pub use documenting::reference::reference_markdown;
pub use documenting::shipped::{Shipped, shipped};
pub use functions::{function, functions};
pub use reading::complete::{Completeness, is_open};
pub use reading::describe::{ScriptDoc, about_module as header};
pub use reading::imported::{Imported, ImportedFunction};
pub use reading::masking::{Masking, masked, text_values};
pub(crate) use reading::parameter::shown;
pub use reading::parameter::{ParamDoc, ParamType};
pub use reading::sources::Source;
pub use reading::{lexer, tree};
pub use running::interpreter::{Ending, Interpreter, Names, Prepared};
pub use running::library::find_module;
pub use running::replaced::replaces;
pub use running::thrown::{from_script, thrown, to_script};
pub use settings::{Limits, PinnedModule, ScriptSettings, Topic};
pub use stdlib::stdlib;
pub use types::{Property, TYPES, TypeDoc};
pub use value_type::ValueType;
