//! The one door to files that are read and written whole.
//!
//! What is read is looked at once it is open, never before, and bounded by the bytes that come, never by what the system says
//! of its size: a pipe, a device or a file that grows holds nobody up. What is written is there
//! completely, or as it was.
#![expect(clippy::disallowed_methods, reason = "this room opens the files")]

mod reading;
mod writing;

pub use reading::{ReadFault, read, read_given, read_stream};
pub use writing::{FileMode, IfThere, WriteFault, check_target, write};
