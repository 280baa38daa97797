//! `runs`: a file for each of its commands.

mod unlock;

use crate::cli::RunsCommand;
use crate::commands::compose::House;
use crate::error::ScriptError;

/// Does what is said, and returns the exit code.
pub(super) fn main(house: &House, command: RunsCommand) -> Result<u8, ScriptError> {
    match command {
        RunsCommand::Unlock { why } => Ok(unlock::main(house, &why)?),
    }
}
