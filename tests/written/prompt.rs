//! What a prompt writes: the history, and what `.save` keeps.

use super::*;
use crate::harness::screen::{Screen, key};
use std::process::Command;

const HISTORY: &str = ".local/state/binlogsh/history";

fn history(home: &Path) -> String {
    std::fs::read_to_string(home.join(HISTORY)).unwrap()
}

/// What an operator has entered before, in whole KiB.
fn earlier() -> String {
    let entries: String = (0..1900).map(|n| format!("pump(\"earlier-{n}\")\n")).collect();
    let open = 1024 - ("#V2\n\n".len() + entries.len()) % 1024;
    format!("#V2\n{}\n{entries}", "x".repeat(open))
}

/// A prompt where files may have so many KiB.
fn with_room(shell: Shell, kib: usize) -> Screen {
    let mut limited = Command::new("sh");
    let limit = format!("ulimit -f {}; exec \"$0\" \"$@\"", 2 * kib);
    limited.args(["-c", &limit, env!("CARGO_BIN_EXE_binlogsh"), "--sandbox"]);
    limited.current_dir(shell.dir()).env_clear().env("HOME", shell.dir()).env("TERM", "xterm").env("PAGER", "cat");
    limited.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let screen = Screen::of(shell, limited, 100, 30);
    screen.until(|text| text.ends_with("sandbox>"));
    screen
}

#[test]
fn a_history_on_a_full_disk_keeps_every_entry_and_says_so_once() {
    let before = earlier();
    let shell = Shell::new(&[]).file(HISTORY, &before);
    let mut screen = with_room(shell, before.len() / 1024);
    screen.keys("1000 + 1\r").shows("\n1001\n").shows("the history is kept for this prompt only");
    screen
        .keys("1000 + 2\r")
        .shows("\n1002\n")
        .keys(key::UP)
        .ends("sandbox> 1000 + 2")
        .keys(key::CTRL_C)
        .ends("sandbox>");
    assert_eq!(history(screen.shell.dir()), before, "not a byte of it");
    screen.keys(key::CTRL_D);
    assert_eq!(screen.code(), 0);
}

#[test]
fn an_entry_is_taken_out_of_the_history_also_on_a_full_disk() {
    let before = earlier();
    let mut screen = with_room(Shell::new(&[]).file(HISTORY, &before), before.len() / 1024);
    screen.keys(".redact\r").shows("taken out of the history").ends("sandbox>").keys(key::CTRL_D);
    assert_eq!(screen.code(), 0);
    let now = history(screen.shell.dir());
    assert_eq!(now.trim_end(), before.trim_end().strip_suffix("pump(\"earlier-1899\")").unwrap().trim_end());
}

#[test]
fn what_is_saved_on_a_full_disk_is_an_error_and_no_file() {
    let mut screen = with_room(Shell::new(&[]), 0);
    screen.keys("pump(\"pump-1\").state\r").shows("\nonline\n").keys(".save kept.rhai\r").shows("make room");
    screen.shows("error[local]: cannot write kept.rhai").ends("sandbox>").keys("40 + 2\r").shows("\n42\n");
    assert!(!screen.shell.dir().join("kept.rhai").exists());
    let left = names(screen.shell.dir());
    assert_eq!(left.iter().find(|name| name.starts_with(".binlogsh")), None, "{left:?}");
}

#[test]
fn a_prompt_that_is_killed_anywhere_leaves_a_history_with_every_earlier_entry() {
    let before = earlier();
    for round in 0..if is_soak() { 60 } else { 2 } {
        let shell = Shell::sandbox("default").file(HISTORY, &before);
        let mut screen = Screen::open(shell, 100, 30);
        screen.until(|text| text.ends_with("sandbox>"));
        // As many entries as come before it dies, each of which is kept.
        let entries: String = (0..40).map(|n| format!("{n} + {round}\r")).collect();
        screen.keys(&entries);
        std::thread::sleep(std::time::Duration::from_millis(5 * round));
        let pid = rustix::process::Pid::from_raw(screen.pid()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
        screen.is_over();
        let now = history(screen.shell.dir());
        assert!(now.starts_with(&before), "round {round}: an earlier entry is not there any more");
        for (n, entry) in now[before.len()..].lines().enumerate() {
            assert!(format!("{n} + {round}").starts_with(entry), "round {round}: {entry}");
        }
    }
}
