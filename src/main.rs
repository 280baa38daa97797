//! The program: see `binlogsh --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(binlogsh::commands::main(std::env::args_os()))
}
