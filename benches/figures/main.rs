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
    let (small, large) = (process::Records::start(3), process::Records::start(10_000));
    let rows: Vec<Row> = vec![
        process::list(&small, "list_3", 0.35),
        process::list(&large, "list_10000", 0.6),
        process::memory_list_3(&small),
        process::reads_200(&small),
        process::first_prompt(),
        inside::bound_call(),
        inside::gate_read(),
        inside::sim_events(),
    ];
    row::print(&rows);
    row::write(&rows);
}
