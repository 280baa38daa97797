//! The whole test suite, one binary: a file per promise.
mod session;
