//! What stands in the place of a file and is none: a pipe, a socket, a directory, a device that never ends. Where a file is
//! meant it is an error at once; where the operator names it, a pipe is read as their shell's `<(program)`.

use crate::harness::Shell;
use binlogsh::error::ErrorKind;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// What somebody has put in the place of a file.
#[derive(Clone, Copy, Debug)]
enum Odd {
    Pipe,
    Socket,
    Directory,
    Endless,
}

impl Odd {
    const ALL: [Self; 4] = [Self::Pipe, Self::Socket, Self::Directory, Self::Endless];

    /// Puts it at `path`, and says how it is called.
    fn put(self, path: &Path) -> &'static str {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        match self {
            Self::Pipe => {
                pipe(path);
                "it is a pipe"
            }
            Self::Socket => {
                drop(UnixListener::bind(path).unwrap());
                "it is a socket"
            }
            Self::Directory => {
                std::fs::create_dir(path).unwrap();
                "it is a directory"
            }
            Self::Endless => {
                symlink("/dev/zero", path).unwrap();
                "it is a device"
            }
        }
    }
}

fn pipe(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

/// Whatever is put at `odd` for this command line, it is an error at once that names it.
#[track_caller]
fn refuses(odd: &str, args: &[&str]) {
    // A module that is a link elsewhere is refused for that.
    let is_module = args.contains(&"imports.rhai");
    for kind in Odd::ALL.into_iter().filter(|kind| !(is_module && matches!(kind, Odd::Endless))) {
        let shell = Shell::new(args)
            .file("imports.rhai", "import \"odd\" as odd;")
            .file("s.rhai", "1")
            .file("own.rhai", "fn check(facts) { [] }");
        let what = kind.put(&shell.dir().join(odd));
        let begun = Instant::now();
        let ran = shell.go().stderr_contains(what);
        let ran = ran.stderr_contains(odd).stderr_contains("hint: ");
        assert!(ran.code != 0, "{kind:?} {args:?}: {}", ran.stderr);
        assert!(begun.elapsed() < Duration::from_secs(20), "{kind:?} {args:?} took {:?}", begun.elapsed());
    }
}

#[test]
fn what_is_no_file_is_refused_at_once_wherever_a_script_or_a_file_of_the_program_is_meant() {
    refuses("odd.rhai", &["--sandbox", "run", "imports.rhai"]);
    refuses("c.toml", &["--sandbox", "--config", "c.toml", "-e", "1"]);
    refuses("c.json", &["--sandbox=c.json", "-e", "1"]);
    refuses("plan.json", &["--sandbox", "run", "s.rhai", "--plan", "plan.json"]);
    refuses("shot.json", &["rehearse", "s.rhai", "--snapshot", "shot.json"]);
    refuses("part.json", &["rehearse", "--merge", "part.json"]);
    refuses("odd.rhai", &["--sandbox", "doctor", "--checks", "odd.rhai"]);
}

#[test]
fn what_is_no_savepoint_is_refused_at_once() {
    for kind in Odd::ALL {
        let shell = Shell::live("http://127.0.0.1:9");
        let what = kind.put(&shell.dir().join("d/savepoint"));
        let ran = shell.eval("read_meta(\"d\")").fails(ErrorKind::Invalid);
        ran.stderr_contains("cannot read the savepoint d/savepoint").stderr_contains(what);
    }
    let large = Shell::live("http://127.0.0.1:9").file("d/savepoint", &"# nothing\n".repeat(200_000));
    large.eval("read_meta(\"d\")").fails(ErrorKind::Invalid).stderr_contains("larger than 1 MiB");
}

#[test]
fn no_certificate_is_read_from_what_is_no_file() {
    for kind in [Odd::Pipe, Odd::Socket, Odd::Endless] {
        let shell = Shell::new(&["--pd-urls=https://127.0.0.1:9", "--ca=ca.pem"]);
        kind.put(&shell.dir().join("ca.pem"));
        shell.eval("pumps()").fails(ErrorKind::Invalid).stderr_contains("the TLS CA").stderr_contains("regular file");
    }
}

#[test]
fn a_socket_a_directory_or_a_device_named_as_a_script_is_refused() {
    for kind in [Odd::Socket, Odd::Directory, Odd::Endless] {
        for command in [&["--sandbox", "run", "./odd.rhai"][..], &["--sandbox", "rehearse", "./odd.rhai"]] {
            let shell = Shell::new(command);
            let what = kind.put(&shell.dir().join("odd.rhai"));
            shell.go().fails(ErrorKind::Invalid).stderr_contains("./odd.rhai").stderr_contains(what);
        }
        let parameter = Shell::new(&["--sandbox", "run", "s.rhai", "--param-file", "n=odd"]);
        let parameter = parameter.file("s.rhai", "print(param(\"n\", #{ default: \"\" }))");
        let what = kind.put(&parameter.dir().join("odd"));
        parameter.go().fails(ErrorKind::Invalid).stderr_contains("--param-file n").stderr_contains(what);
    }
}

#[test]
fn a_pipe_that_the_operator_names_is_read_to_its_end() {
    for args in [
        &["--sandbox", "run", "/dev/stdin"][..],
        &["--sandbox", "run", "/dev/fd/0"],
        &["--sandbox", "run", "/proc/self/fd/0"],
        &["--sandbox", "rehearse", "/dev/stdin"],
    ] {
        Shell::new(args).pipe("print(6 * 7)").succeeds().stdout_contains("42");
    }
    Shell::new(&["check", "/dev/stdin"]).pipe("//! Shows.\nprint(42);").succeeds();
    let secret = Shell::sandbox("default").file("s.rhai", "print(param(\"n\", #{ default: \"\" }))");
    secret.arg("run").arg("s.rhai").arg("--param-file").arg("n=/dev/stdin").pipe("word\n").succeeds().stdout("word");
    // Its writer has gone before it is opened.
    Shell::new(&["--sandbox", "run", "/dev/stdin"]).pipe("").succeeds();
}

#[test]
fn a_pipe_with_a_name_waits_for_its_writer() {
    let shell = Shell::new(&["--sandbox", "run", "odd.rhai"]);
    let path = shell.dir().join("odd.rhai");
    pipe(&path);
    let writer = std::thread::spawn(move || std::fs::write(path, "print(6 * 7)").unwrap());
    shell.go().succeeds().stdout("42");
    writer.join().unwrap();
}

#[test]
fn a_file_is_read_whatever_the_system_says_of_its_size() {
    let shell = Shell::sandbox("default").file("s.rhai", "print(param(\"n\", #{ default: \"\" }))");
    shell.arg("run").arg("s.rhai").arg("--param-file").arg("n=/proc/version").go().succeeds().stdout_contains("Linux");
    Shell::new(&["--sandbox", "--config=/dev/null", "-e", "6 * 7"]).go().succeeds().stdout("42");
}

/// Ends what it began, whatever happens.
struct Begun(Child);

impl Drop for Begun {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Begun {
    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// Its exit code, if it ends within `limit`.
    fn code_within(&mut self, limit: Duration) -> Option<i32> {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            if let Some(status) = self.0.try_wait().unwrap() {
                return Some(status.code().unwrap_or(-1));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        None
    }

    /// Waits until it listens to signals.
    fn is_ready(&self) {
        let status = format!("/proc/{}/status", self.0.id());
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(60) {
            let text = std::fs::read_to_string(&status).unwrap();
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap().trim();
            let asked = 1_u64 << (15 - 1);
            if u64::from_str_radix(caught, 16).unwrap() & asked != 0 {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("it never listened to signals");
    }
}

/// What a loaded machine may add to a second.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_wait_for_a_script_that_does_not_come_ends_with_the_first_signal() {
    for (args, signal, code) in [
        (&["--sandbox", "run", "-"][..], Signal::TERM, 143),
        (&["check", "-"], Signal::HUP, 129),
        (&["--sandbox"], Signal::INT, 130),
        (&["--sandbox", "rehearse", "-"], Signal::TERM, 143),
        (&["runs", "import", "-"], Signal::TERM, 143),
        (&["--sandbox", "run", "./odd"], Signal::TERM, 143),
        (&["check", "./odd"], Signal::INT, 130),
        (&["runs", "import", "./odd"], Signal::TERM, 143),
        (&["--sandbox", "run", "s.rhai", "--param-file", "n=odd"], Signal::TERM, 143),
        (&["--sandbox", "run", "/dev/stdin"], Signal::TERM, 143),
        (&["--sandbox", "run", "secret.rhai"], Signal::TERM, 143),
    ] {
        let shell = Shell::new(args).file("s.rhai", "print(param(\"n\", #{ default: \"\" }))");
        let shell = shell.file("secret.rhai", "print(param(\"pw\", #{ type: \"secret\" }).len())");
        pipe(&shell.dir().join("odd"));
        let mut command = shell.command();
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut begun = Begun(command.spawn().unwrap());
        begun.is_ready();
        begun.signal(signal);
        assert_eq!(begun.code_within(SOON), Some(code), "{args:?}");
    }
}

#[test]
fn an_output_that_nobody_reads_holds_nobody_up_once_a_signal_comes() {
    for code in ["loop { print(\"a line that nobody reads\"); }", "let t = \"\"; t.pad(400000, 'x'); t"] {
        let shell = Shell::sandbox("default").arg("-e").arg(code);
        let mut command = shell.command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut begun = Begun(command.spawn().unwrap());
        let waits = eventually_full(begun.0.stdout.as_ref().unwrap());
        assert!(waits, "the pipe is never full: {code}");
        begun.signal(Signal::TERM);
        assert_eq!(begun.code_within(SOON), Some(143), "{code}");
    }
}

/// Whether somebody has written as much as a pipe holds.
fn eventually_full(pipe: impl std::os::fd::AsFd) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if rustix::io::ioctl_fionread(&pipe).unwrap() > 60_000 {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    false
}

#[test]
fn whoever_reads_slowly_gets_everything() {
    let shell = Shell::sandbox("default").arg("-e").arg("for i in 0..20000 { print(`line ${i}`); }");
    let mut command = shell.command();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut begun = Begun(command.spawn().unwrap());
    assert!(eventually_full(begun.0.stdout.as_ref().unwrap()));
    let mut text = String::new();
    std::io::Read::read_to_string(begun.0.stdout.as_mut().unwrap(), &mut text).unwrap();
    assert_eq!((text.lines().count(), text.lines().last()), (20_000, Some("line 19999")));
    assert_eq!(begun.code_within(SOON), Some(0));
}
