//! What the command line can ask for, a file per command.

pub mod ctl;
