//! Who we are, as others are told, and whether a process is still there.
#![expect(clippy::disallowed_methods, reason = "what the kernel knows of a process stands in files of /proc")]

use rustix::process::{Pid, test_kill_process};
use std::fs::read_to_string;
use std::sync::OnceLock;

/// The name of this host; empty names become `unknown`.
pub fn name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    if name.is_empty() { "unknown".into() } else { name }
}

/// The user who works: whoever became root with sudo is named all the same.
pub fn user() -> String {
    let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let named = ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(variable);
    named.unwrap_or_else(|| format!("uid-{}", rustix::process::getuid().as_raw()))
}

/// What tells the process `pid` from all others that had or will have this number: when this host was started, and when
/// after that the process was. `None` when there is no such process, or this system has no `/proc`.
pub(crate) fn process_start(pid: u32) -> Option<String> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    let boot = BOOT.get_or_init(|| read_to_string("/proc/sys/kernel/random/boot_id").ok()).as_ref()?;
    let stat = read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the start time is the twentieth field after it.
    let ticks = stat.rsplit_once(") ")?.1.split(' ').nth(19)?;
    Some(format!("{}-{ticks}", boot.trim()))
}

/// Whether the process `pid`, which was started at `start` (see [`process_start`]), is there. Without `/proc` any process
/// of that number counts.
pub(crate) fn is_running(pid: u32, start: &str) -> bool {
    match process_start(std::process::id()) {
        Some(_) => process_start(pid).as_deref() == Some(start),
        None => i32::try_from(pid).ok().and_then(Pid::from_raw).is_some_and(|pid| test_kill_process(pid).is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_no_other_start_is_its_own() {
        let pid = std::process::id();
        let start = process_start(pid).unwrap();
        assert!(is_running(pid, &start));
        assert!(!is_running(pid, "another-1"));
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let start = process_start(child.id()).unwrap();
        child.wait().unwrap();
        assert!(!is_running(child.id(), &start));
    }
}
