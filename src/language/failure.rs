//! An error as a script sees it in `catch (err)`: a value of type `Error` that keeps what was raised.

use crate::error::Error;
use std::rc::Rc;

/// The error that a script caught. Thrown again, it is what it was.
#[derive(Clone, Debug)]
pub(crate) struct Failure(pub(crate) Rc<Error>);

impl Failure {
    /// A value that carries `error`.
    pub(crate) fn new(error: Error) -> Self {
        Self(Rc::new(error))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.0.kind.name(), self.0)
    }
}
