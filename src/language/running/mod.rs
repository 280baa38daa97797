//! Scripts as they run: the engine with everything bound to it, and what is between a script and the gate.

pub(crate) mod bindings;
pub(crate) mod engine;
pub(crate) mod host;
pub(crate) mod interpreter;
pub(crate) mod library;
mod memory;
pub(crate) mod pin;
pub(crate) mod reach;
pub(crate) mod replaced;
pub(crate) mod thrown;
