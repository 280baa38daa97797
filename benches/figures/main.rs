//! The figures: both sides in the same run, medians of runs in pairs, a table, and `target/bench.json`.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads clocks, starts processes and prints its table"
)]

mod inside;
mod process;
mod row;

#[path = "../../tests/support/mod.rs"]
mod support;

use row::Row;

fn main() {
    // `cargo test --benches` and `cargo bench` both pass flags of their own; a process of ours asks for one thing.
    let args: Vec<String> = std::env::args().collect();
    if let Some(at) = args.iter().position(|arg| arg == process::PEAK_MEMORY) {
        println!("{}", process::peak_memory_of(&args[at + 1..]));
        return;
    }
    let cluster = process::Records::start();
    let rows: Vec<Row> = vec![
        process::list_3(&cluster),
        process::list_10000(&cluster),
        process::memory_list_3(&cluster),
        process::reads_200(&cluster),
        process::first_prompt(),
        inside::bound_call(),
        inside::gate_read(),
        inside::sim_events(),
    ];
    row::print(&rows);
    row::write(&rows);
}
