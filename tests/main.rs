//! The whole test suite, one binary: a file per promise.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test may panic, and needs clocks, files and processes to look from outside"
)]

mod bad_input;
mod check;
mod clusters;
mod compatibility;
mod config_files;
mod consent;
mod contract;
mod ctl_answers;
mod ctl_flags;
mod ctl_options;
mod dice;
mod docs_files;
mod doctor;
mod end_to_end;
mod examples;
mod fidelity;
mod fleet;
mod forged_lines;
mod fresh_machine;
mod fuzz;
mod guarantees;
mod guards;
mod hangs;
mod harm;
mod harness;
mod hostile_records;
mod language_errors;
mod language_fixture;
mod language_modules;
mod language_prompt;
mod language_scripts;
mod language_steps;
mod live_answers;
mod live_etcd;
mod live_exec;
mod live_host;
mod live_http;
mod live_members;
mod live_names;
mod live_pd;
mod live_tls;
mod lock;
mod node_control;
mod odd_files;
mod output_streams;
mod outside;
mod plans;
mod prompt;
mod prompt_screen;
mod prompt_stop;
mod recorded;
mod records;
mod recovery;
mod rehearse;
mod report;
mod rooms;
mod runs;
mod schema;
mod script_memory;
mod scripts;
mod secrets;
mod session;
mod shell_completion;
mod shipped;
mod sim_facts;
mod sim_faults;
mod sim_world;
mod snapshot;
mod store;
mod support;
mod tables;
mod testing;
mod text_files;
mod tidb;
mod variants;
mod version;
mod waits;
mod watch;
mod whereabouts;
mod written;
