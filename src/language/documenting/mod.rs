//! What people read about functions, the library and the procedures: help, the reference, definition files.

pub(crate) mod definitions;
pub(crate) mod help;
pub(crate) mod library_docs;
pub(crate) mod procedures;
pub(crate) mod reference;
pub(crate) mod shipped;
