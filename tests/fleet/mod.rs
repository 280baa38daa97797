//! What the cluster of programs promises to the tests that stand on it.

mod disobedient;
mod pods;
mod processes;
mod programs;
mod ssh;
mod unattended;

use crate::support::fleet::{Fleet, node};
use binlogsh::node::Kind;
use std::process::Command;

/// The other processes of the tests beside it; by itself it does nothing.
#[test]
fn the_node() {
    node::run_if_asked();
}

/// What a program said, and its exit status.
#[derive(Debug)]
struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Said {
    fn said(&self) -> (i32, &str, &str) {
        (self.code, &self.stdout, &self.stderr)
    }
}

fn output(command: &mut Command) -> Said {
    let out = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: out.status.code().unwrap_or(-1), stdout: text(out.stdout), stderr: text(out.stderr) }
}

/// Runs `what` on the node's host, as an operator does.
fn ssh(fleet: &Fleet, node: (Kind, &str), what: &str) -> Said {
    ssh_within(30, fleet, node, what)
}

/// The same, if the host lets one in within so many seconds.
fn ssh_within(seconds: u32, fleet: &Fleet, (kind, id): (Kind, &str), what: &str) -> Said {
    let known = format!("UserKnownHostsFile={}", fleet.known_hosts().display());
    let limit = format!("ConnectTimeout={seconds}");
    let mut command = Command::new("ssh");
    command.args(["-F", "none", "-o", "BatchMode=yes", "-o", &limit, "-o", &known]);
    command.args(["-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes", "-i"]).arg(fleet.key());
    command.args(["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-p", &fleet.ssh_port(kind, id).to_string()]);
    output(command.arg(format!("{}@{}", fleet.user(), fleet.address(kind, id).ip())).arg(what))
}
