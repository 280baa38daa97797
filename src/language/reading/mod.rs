//! Scripts as texts: their words, places and trees, what they say of themselves, what is wrong with one, and what in them is
//! secret.

pub(crate) mod complete;
pub(crate) mod describe;
pub(crate) mod dialect;
pub(crate) mod imported;
pub mod lexer;
pub(crate) mod masking;
pub(crate) mod parameter;
pub(crate) mod place;
pub(crate) mod signs;
pub(crate) mod slips;
pub(crate) mod sources;
pub(crate) mod spot;
mod stream;
pub(crate) mod translate;
pub mod tree;
