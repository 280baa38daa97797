//! The terminal as it was, however the view ends.

use crate::harness::Shell;
use crate::harness::screen::{Screen, key, set_size};
use crate::support::eventually;
use binlogsh::output::FullScreen;
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::process::Command;
use std::time::Duration;

/// Set in a process of this test that is to take a screen and to panic.
const PANICS: &str = "BINLOGSH_TEST_PANICS_ON_SCREEN";

/// A shell that has noted how the terminal is set.
fn shell() -> Screen {
    let shell = Shell::sandbox("default");
    let program = shell.command().get_program().to_owned();
    let mut command = Command::new("bash");
    command.args(["--noprofile", "--norc", "-i"]).current_dir(shell.dir()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", shell.dir());
    command.env("PS1", "$ ").env("TERM", "xterm-256color").env("BINLOGSH", program);
    command.env("TEST", std::env::current_exe().unwrap());
    let mut screen = Screen::of(shell, command, 100, 24);
    screen.keys("before=$(stty -g); echo rea\"\"dy\r").shows("\nready\n");
    screen
}

/// The program has ended with this code, the terminal is set as before, and what the shell wrote is still there.
fn is_as_it_was(screen: &mut Screen, code: i32) {
    screen.keys("echo code=$?; [ \"$(stty -g)\" = \"$before\" ] && echo as it \"\"was\r").shows("\nas it was\n");
    let text = screen.text();
    assert!(text.contains(&format!("\ncode={code}\n")) && text.contains("\nready\n"), "{text}");
}

#[test]
fn a_key_leaves_the_terminal_as_it_was() {
    for end in ["q", key::CTRL_C] {
        let mut screen = shell();
        screen.keys("$BINLOGSH --sandbox watch\r").shows("? help").keys(end).ends("$");
        is_as_it_was(&mut screen, 0);
    }
}

#[test]
fn a_signal_leaves_the_terminal_as_it_was() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129)] {
        let mut screen = shell();
        screen.keys("(echo $BASHPID >pid; exec $BINLOGSH --sandbox watch)\r").shows("? help");
        let pid = std::fs::read_to_string(screen.shell.dir().join("pid")).unwrap();
        let killed = Command::new("bash").args(["-c", &format!("kill -{signal} {pid}")]).status().unwrap();
        assert!(killed.success());
        if signal != "HUP" {
            screen.shows("error[interrupted]");
        }
        screen.ends("$");
        is_as_it_was(&mut screen, code);
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_for_a_while() {
    let mut screen = shell();
    screen.keys("$BINLOGSH --sandbox watch\r").shows("? help").keys(key::CTRL_Z).shows("Stopped").ends("$");
    screen.keys("echo in bet\"\"ween\r").shows("\nin between\n");
    screen.keys("fg\r").shows("? help").keys("j").shows("pump-1 at ").keys("q").ends("$");
    is_as_it_was(&mut screen, 0);
}

#[test]
fn a_panic_leaves_the_terminal_as_it_was() {
    if std::env::var_os(PANICS).is_some() {
        let mut screen = FullScreen::open().unwrap();
        let style = ratatui::style::Style::new();
        screen.draw(|area, buffer| buffer.set_string(area.x, area.y, "about to panic", style)).unwrap();
        panic!("as a test wants it");
    }
    let mut screen = shell();
    let name = "watch::terminal::a_panic_leaves_the_terminal_as_it_was";
    screen.keys(&format!("{PANICS}=1 $TEST --exact {name} --nocapture\r")).shows("as a test wants it");
    is_as_it_was(&mut screen, 101);
}

/// A terminal whose two ends are ours.
fn terminal() -> (File, File) {
    let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let slave = File::options().read(true).write(true).open(ptsname_r(&master).unwrap()).unwrap();
    let master = File::from(OwnedFd::from(master));
    set_size(&master, 100, 24);
    (master, slave)
}

#[test]
fn the_process_ends_when_its_terminal_is_closed() {
    for code in [&[][..], &["now()"]] {
        let (mut master, slave) = terminal();
        let shell = Shell::sandbox("default").arg("watch");
        let command = code.iter().fold(shell, |shell, code| shell.arg(*code)).command();
        let mut leader = Command::new("setsid");
        leader.arg("--ctty").arg(command.get_program()).args(command.get_args()).env("TERM", "xterm");
        // The program takes no variable of its own that it does not know.
        leader.env_remove("BINLOGSH_SOAK");
        let streams = [(); 3].map(|()| slave.try_clone().unwrap());
        let [stdin, stdout, stderr] = streams;
        let mut process = leader.stdin(stdin).stdout(stdout).stderr(stderr).spawn().unwrap();
        drop((slave, leader));
        let (mut seen, mut buffer) = (String::new(), [0; 4096]);
        while !seen.contains("UTC") {
            let count = master.read(&mut buffer).unwrap_or_else(|fault| panic!("{fault}: {seen}"));
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        drop(master);
        let mut ended = None;
        let has_ended = eventually(Duration::from_secs(10), || {
            ended = process.try_wait().unwrap();
            ended.is_some()
        });
        if !has_ended {
            process.kill().unwrap();
        }
        // Either the signal is heard first, or that there is no terminal any more.
        let code = ended.and_then(|status| status.code());
        assert!(matches!(code, Some(129 | 8)), "without a terminal it is to end, and not with {code:?}");
    }
}
