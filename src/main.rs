//! The program: see `binlogsh --help`.

fn main() {}
