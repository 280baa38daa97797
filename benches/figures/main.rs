//! The figures: both sides in the same run, medians of runs in pairs, a table, and `target/bench.json`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench reads clocks, starts processes and prints its table"
)]

mod doctor;
mod failover;
mod inside;
mod journal;
mod no_hang;
mod process;
mod prompt;
mod rehearsals;
mod row;
mod tables;
mod watch;
mod yardstick;

#[path = "../../tests/support/mod.rs"]
mod support;

use row::Row;
use std::rc::Rc;

/// A row, made when it is asked for.
type Make = Box<dyn Fn() -> Row>;

fn main() {
    // `cargo bench -- list` makes the rows whose name has `list` in it; cargo adds flags of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let small = Rc::new(process::Records::start(3));
    let (list, memory, reads) = (small.clone(), small.clone(), small);
    let figures: Vec<(&str, Make)> = vec![
        ("list_3", Box::new(move || process::list(&list, "list_3", 0.35))),
        ("list_10000", Box::new(|| process::list(&process::Records::start(10_000), "list_10000", 0.6))),
        ("memory_list_3", Box::new(move || process::memory_list_3(&memory))),
        ("reads_200", Box::new(move || process::reads_200(&reads))),
        ("doctor_200", Box::new(doctor::doctor_200)),
        ("doctor_200_silent", Box::new(doctor::doctor_200_silent)),
        ("failover_refused", Box::new(failover::failover_refused)),
        ("failover_frozen", Box::new(failover::failover_frozen)),
        ("failover_freezes", Box::new(failover::failover_freezes)),
        ("failover_after", Box::new(failover::failover_after)),
        ("no_hang", Box::new(no_hang::no_hang)),
        ("no_hang_interrupted", Box::new(no_hang::no_hang_interrupted)),
        ("watch_200_cpu", Box::new(watch::watch_200_cpu)),
        ("first_prompt", Box::new(process::first_prompt)),
        ("complete_shell", Box::new(process::complete_shell)),
        ("prompt_vs_bash", Box::new(prompt::prompt_vs_bash)),
        ("completion_10000", Box::new(prompt::completion_10000)),
        ("keystroke_200_lines", Box::new(prompt::keystroke_200_lines)),
        ("paste_1000_lines", Box::new(prompt::paste_1000_lines)),
        ("test_all", Box::new(process::test_all)),
        ("check_all", Box::new(process::check_all)),
        ("table_10000", Box::new(tables::table_10000)),
        ("bound_call", Box::new(inside::bound_call)),
        ("gate_read", Box::new(inside::gate_read)),
        ("sim_events", Box::new(inside::sim_events)),
        ("futures_10000", Box::new(rehearsals::futures_10000)),
        ("futures_two_cores", Box::new(rehearsals::futures_two_cores)),
        ("futures_memory", Box::new(rehearsals::futures_memory)),
        ("rehearse_250_nodes", Box::new(rehearsals::rehearse_250_nodes)),
        // They make this process large, and a child begins as large as the process that starts it.
        ("journal_read", Box::new(journal::journal_read)),
        ("journal_write", Box::new(journal::journal_write)),
        ("journal_open", Box::new(journal::journal_open)),
        ("runs_list_10000", Box::new(journal::runs_list_10000)),
        ("resume_10000", Box::new(journal::resume_10000)),
    ];
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let rows: Vec<Row> = figures.iter().filter(|(name, _)| is_wanted(name)).map(|(_, make)| make()).collect();
    row::print(&rows);
    if wanted.is_empty() {
        row::write(&rows);
    }
}
