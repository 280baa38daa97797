//! A scriptable shell for operating TiDB-Binlog clusters.
//!
//! The rooms, from the values that everybody speaks of to the commands that put the parts together.
//! `docs/architecture.md` says what each is for and what it must not know; `tests/rooms.rs` holds them to it.

pub mod address_map;
pub mod check;
pub mod cli;
pub mod commands;
pub mod config;
pub mod deployment;
pub mod downstream;
pub mod error;
pub mod files;
pub mod guards;
pub mod held;
pub mod interrupt;
pub mod journal;
pub mod language;
pub mod live;
pub mod nearest;
pub mod node;
pub mod node_control;
pub mod operations;
pub mod output;
pub mod pd_url;
pub mod policy;
pub mod proxy_url;
pub mod recovery;
pub mod rehearsal;
pub mod savepoint;
pub mod secret;
pub mod session;
pub mod shell;
pub mod sim;
pub mod testing;
pub mod text;
pub mod time;
pub mod tso;
pub mod value;
mod watch;
pub mod world;
