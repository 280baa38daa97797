//! Programs that a script runs: real processes on the live world, and none at all in a sandbox.

use crate::harness::Shell;
use crate::support::eventually;
use crate::support::live::pump;
use binlogsh::error::{Error, ErrorKind, Result};
use binlogsh::interrupt::Interrupt;
use binlogsh::live::{Live, LiveSettings};
use binlogsh::world::{Answer, Change, Exec, Notice, OutputStream, ProgramEnd, Read, Request, World};
use rustix::process::{Pid, Signal, Uid, geteuid, kill_process};
use rustix::thread::set_thread_uid;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A world without a cluster that runs programs, and what was shown meanwhile.
struct Host {
    live: Live,
    interrupt: Interrupt,
    shown: Arc<Mutex<Vec<(OutputStream, String)>>>,
}

impl Host {
    fn new() -> Self {
        let (interrupt, shown) = (Interrupt::default(), Arc::<Mutex<Vec<_>>>::default());
        let sink = shown.clone();
        let tell = Arc::new(move |notice| {
            if let Notice::Said { stream, line } = notice {
                sink.lock().unwrap().push((stream, line));
            }
        });
        let settings = LiveSettings::new(&["127.0.0.1:1"], None).unwrap();
        let live = Live::new(settings, tell, interrupt.clone(), None).allow_exec(true);
        Self { live, interrupt, shown }
    }

    fn run(&mut self, exec: Exec) -> Result<Answer> {
        self.live.apply(&Request::Change(Change::Exec(exec)), None)
    }

    fn shell(&mut self, code: &str) -> (i32, String, String) {
        match self.run(shell(code)) {
            Ok(Answer::Ran(ProgramEnd { status, stdout, stderr })) => (status, stdout, stderr),
            other => panic!("{other:?}"),
        }
    }

    fn fails(&mut self, exec: Exec) -> Error {
        match self.run(exec) {
            Err(error) => error,
            Ok(answer) => panic!("it did not fail: {answer:?}"),
        }
    }
}

fn program(program: &str, args: &[&str]) -> Exec {
    let args = args.iter().map(|arg| (*arg).to_owned()).collect();
    Exec { program: program.into(), args, ..Exec::default() }
}

/// A shell, since nothing else is on every host that can be told to behave badly.
fn shell(code: &str) -> Exec {
    program("/bin/sh", &["-c", code])
}

/// Whether the process in this file is gone (or a zombie that nobody reaps).
fn is_gone(file: &Path) -> bool {
    let pid = std::fs::read_to_string(file).unwrap();
    match std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())) {
        Ok(stat) => stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'),
        Err(_) => true,
    }
}

#[track_caller]
fn becomes_gone(file: &Path) {
    let gone = eventually(Duration::from_secs(5), || is_gone(file));
    assert!(gone, "the process of {} goes on", file.display());
}

#[test]
fn a_program_says_how_it_ended_and_both_things_that_it_said() {
    let mut host = Host::new();
    let said = host.shell("echo out; echo err >&2; printf half; exit 3");
    assert_eq!(said, (3, "out\nhalf".into(), "err\n".into()));
    let mut shown = host.shown.lock().unwrap().clone();
    shown.sort_by_key(|(stream, _)| *stream == OutputStream::Stderr);
    let expected = [(OutputStream::Stdout, "out"), (OutputStream::Stdout, "half"), (OutputStream::Stderr, "err")];
    assert_eq!(shown, expected.map(|(stream, line)| (stream, line.to_owned())));
}

#[test]
fn a_signal_is_no_exit_code() {
    assert_eq!(Host::new().shell("kill -9 $$").0, -9);
    assert_eq!(Host::new().shell("exit 137").0, 137);
}

#[test]
fn arguments_arrive_as_they_stand() {
    let odd = ["two words", "it's", "\"quoted\"", "$(touch never)", "*", "", "-n", "ü\n"];
    let answer = Host::new().run(program("printf", &[&["[%s]"], &odd[..]].concat())).unwrap();
    let expected: String = odd.iter().map(|arg| format!("[{arg}]")).collect();
    assert_eq!(answer, Answer::Ran(ProgramEnd { status: 0, stdout: expected, stderr: String::new() }));
}

#[test]
fn there_is_nothing_to_read_on_standard_input() {
    assert_eq!(Host::new().shell("cat; echo end").1, "end\n");
}

#[test]
fn of_much_output_the_end_is_kept_and_the_cut_is_told() {
    let mut host = Host::new();
    let (status, stdout, stderr) =
        host.shell("i=0; while [ $i -lt 40000 ]; do echo line-$i; i=$((i+1)); done; echo x >&2");
    assert_eq!((status, stderr.as_str()), (0, "x\n"));
    let (first, rest) = stdout.split_once('\n').unwrap();
    assert_eq!(rest.len(), 64 << 10);
    assert!(rest.ends_with("line-39998\nline-39999\n"));
    let cut: usize = first.strip_prefix('[').unwrap().split(' ').next().unwrap().parse().unwrap();
    let all: usize = (0..40000).map(|i| format!("line-{i}\n").len()).sum();
    assert_eq!(cut + rest.len(), all, "{first}");
    assert_eq!(host.shown.lock().unwrap().len(), 40001, "every line was shown");
}

#[test]
fn a_line_without_an_end_is_shown_in_pieces_and_what_is_no_text_is_replaced() {
    let mut host = Host::new();
    let (_, stdout, _) = host.shell("head -c 20000 /dev/zero | tr '\\0' a; printf '\\377'");
    assert!(stdout.len() == 20000 + '\u{fffd}'.len_utf8() && stdout.ends_with("a\u{fffd}"));
    assert!(host.shown.lock().unwrap().iter().all(|(_, line)| line.len() < 32 << 10));
}

#[test]
fn at_its_timeout_a_program_is_killed_with_all_that_it_started() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let code = format!("sh -c 'echo $$ > {}; sleep 60' & echo begun; wait", pid.display());
    let begin = Instant::now();
    let error = Host::new().fails(Exec { timeout: Some(Duration::from_millis(400)), ..shell(&code) });
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(error.message.contains("0.4s") && error.message.contains("/bin/sh -c"), "{error}");
    becomes_gone(&pid);
}

#[test]
fn a_program_that_ignores_being_told_to_end_is_killed() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let code = format!("trap '' TERM; echo $$ > {}; while true; do sleep 1; done", pid.display());
    let begin = Instant::now();
    let error = Host::new().fails(Exec { timeout: Some(Duration::from_millis(400)), ..shell(&code) });
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(begin.elapsed() < Duration::from_secs(15));
    becomes_gone(&pid);
}

#[test]
fn a_grandchild_that_ignores_being_told_to_end_is_killed_even_if_its_parent_obeys() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let code = format!("(trap '' TERM; sh -c 'echo $PPID > {}'; while true; do sleep 1; done) & wait", pid.display());
    Host::new().fails(Exec { timeout: Some(Duration::from_millis(500)), ..shell(&code) });
    becomes_gone(&pid);
}

#[test]
fn an_interrupt_kills_it_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let mut host = Host::new();
    let (interrupt, begun) = (host.interrupt.clone(), pid.clone());
    let raiser = std::thread::spawn(move || {
        eventually(Duration::from_secs(10), || begun.exists());
        interrupt.raise(15);
    });
    let error = host.fails(shell(&format!("echo $$ > {0}.new; mv {0}.new {0}; exec sleep 60", pid.display())));
    raiser.join().unwrap();
    assert_eq!(error.exit_code(), 143);
    assert!(error.message.contains("was killed"), "{error}");
    becomes_gone(&pid);
}

/// Runs a program in a thread that is another user's from the moment on at which the program says something: it may not end it
/// then, as nobody may end what runs by sudo. Only root can become another user: for anybody else `None`, and no test.
fn run_and_lose_the_right(exec: Exec, interrupt: Interrupt) -> Option<Error> {
    if !geteuid().is_root() {
        return None;
    }
    let become_another = Arc::new(|notice| {
        if matches!(notice, Notice::Said { .. }) {
            set_thread_uid(Uid::from_raw(65_534)).unwrap();
        }
    });
    let run = move || {
        let settings = LiveSettings::new(&["127.0.0.1:1"], None).unwrap();
        let mut live = Live::new(settings, become_another, interrupt, None).allow_exec(true);
        live.apply(&Request::Change(Change::Exec(exec)), None).unwrap_err()
    };
    Some(std::thread::spawn(run).join().unwrap())
}

/// The number in the file, whose process is ended.
fn end(file: &Path) -> String {
    let pid = std::fs::read_to_string(file).unwrap().trim().to_owned();
    kill_process(Pid::from_raw(pid.parse().unwrap()).unwrap(), Signal::KILL).unwrap();
    pid
}

#[test]
fn where_root_can_try_it_a_program_that_may_not_be_ended_is_left_in_time_with_its_number() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let code = format!("echo $$ > {}; echo begun; exec sleep 60", file.display());
    let begin = Instant::now();
    let exec = Exec { timeout: Some(Duration::from_secs(1)), ..shell(&code) };
    let Some(error) = run_and_lose_the_right(exec, Interrupt::default()) else { return };
    assert!(begin.elapsed() < Duration::from_secs(15));
    assert_eq!(error.kind, ErrorKind::Timeout);
    assert!(!is_gone(&file), "it runs");
    let pid = end(&file);
    let words =
        format!("had not ended after 1.0s and could not be ended (permission denied): it still runs, pid {pid}");
    assert!(error.message.ends_with(&words), "{error}");
    assert!(error.hint.unwrap().contains(&format!("`kill -- -{pid}`")));
    let is_reaped = || !Path::new("/proc").join(&pid).exists();
    assert!(eventually(Duration::from_secs(5), is_reaped), "it stays as a zombie");
}

#[test]
fn where_root_can_try_it_an_interrupt_does_not_wait_for_a_program_that_may_not_be_ended() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let (interrupt, begun) = (Interrupt::default(), file.clone());
    let code = format!("echo begun; echo $$ > {0}.new; mv {0}.new {0}; exec sleep 60", file.display());
    let raised = interrupt.clone();
    let raiser = std::thread::spawn(move || {
        if eventually(Duration::from_secs(10), || begun.exists()) {
            raised.raise(2);
        }
    });
    let begin = Instant::now();
    let error = run_and_lose_the_right(shell(&code), interrupt);
    let Some(error) = error else { return };
    raiser.join().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(20));
    assert_eq!(error.kind, ErrorKind::Interrupted);
    let words = format!("could not be ended (permission denied): it still runs, pid {}", end(&file));
    assert!(error.message.ends_with(&words), "{error}");
}

#[test]
fn where_root_can_try_it_what_a_program_leaves_running_that_may_not_be_ended_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("pid");
    let code = format!("sleep 60 & echo $! > {}; echo begun; sleep 2", file.display());
    let exec = Exec { timeout: Some(Duration::from_secs(1)), ..shell(&code) };
    let Some(error) = run_and_lose_the_right(exec, Interrupt::default()) else { return };
    end(&file);
    assert!(error.message.contains("has ended, but what it started could not be ended (permission denied)"), "{error}");
}

#[test]
fn what_it_leaves_in_the_background_is_not_waited_for() {
    let dir = tempfile::tempdir().unwrap();
    let pid = dir.path().join("pid");
    let begin = Instant::now();
    let said = Host::new().shell(&format!("sleep 60 & echo $! > {}; echo done", pid.display()));
    assert_eq!(said, (0, "done\n".into(), String::new()));
    assert!(begin.elapsed() < Duration::from_secs(10));
    assert!(!is_gone(&pid), "what was started on purpose goes on");
    let left = std::fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    kill_process(Pid::from_raw(left).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_program_that_cannot_be_started_is_named_with_what_to_do() {
    let mut host = Host::new();
    let missing = host.fails(program("binlogsh-has-no-such-program", &[]));
    assert_eq!(missing.kind, ErrorKind::NotFound);
    assert!(missing.message.contains("binlogsh-has-no-such-program") && missing.hint.unwrap().contains("PATH"));
    let dir = tempfile::tempdir().unwrap();
    let text = dir.path().join("text");
    std::fs::write(&text, "no program").unwrap();
    let error = host.fails(program(text.to_str().unwrap(), &[]));
    assert_eq!(error.kind, ErrorKind::Local);
    assert!(error.hint.unwrap().contains("executable"));
    assert_eq!(host.fails(program("/bin/echo", &["a\0b"])).kind, ErrorKind::Invalid);
}

#[test]
fn a_world_runs_no_program_unless_it_was_allowed_to() {
    let dir = tempfile::tempdir().unwrap();
    let made = dir.path().join("made");
    let mut host = Host::new();
    host.live = host.live.allow_exec(false);
    let error = host.fails(program("touch", &[made.to_str().unwrap()]));
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.hint.unwrap().contains("--allow-exec") && !made.exists());
}

#[test]
fn without_allow_exec_a_script_runs_nothing_and_nobody_is_asked() {
    for yes in [true, false] {
        let shell = Shell::live("http://127.0.0.1:1");
        let shell = if yes { shell.yes() } else { shell };
        let ran = shell.eval(r#"exec("touch", ["made"])"#).fails(ErrorKind::Refused).stderr_contains("--allow-exec");
        assert!(!ran.dir().join("made").exists());
        assert!(!ran.stderr.contains("[y/N/"), "{}", ran.stderr);
    }
}

#[test]
fn with_allow_exec_consent_is_still_needed() {
    let shell = Shell::live("http://127.0.0.1:1").arg("--allow-exec");
    let ran = shell.eval(r#"exec("touch", ["made"])"#).fails(ErrorKind::Refused).stderr_contains("touch made");
    assert!(!ran.dir().join("made").exists());
    let shell = Shell::live("http://127.0.0.1:1").arg("--allow-exec").arg("--read-only");
    let ran = shell.eval(r#"exec("touch", ["made"])"#).fails(ErrorKind::Refused).stderr_contains("read-only");
    assert!(!ran.dir().join("made").exists());
}

#[test]
fn a_script_gets_what_the_program_said_and_the_operator_sees_it() {
    let shell = Shell::live("http://127.0.0.1:1").arg("--allow-exec").yes();
    let ran = shell.eval(r#"let r = exec("sh", ["-c", "echo hello; echo oops >&2"]); `${r.status} ${r.stdout}`"#);
    ran.succeeds().stdout_contains("0 hello").stderr_contains("    | hello\n").stderr_contains("    ! oops\n");
}

#[test]
fn a_program_that_fails_fails_the_script_with_its_last_words() {
    let eval = |code: &str| {
        Shell::live("http://127.0.0.1:1").arg("--allow-exec").yes().eval(&format!(r#"exec("sh", ["-c", "{code}"])"#))
    };
    let code = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo word-$i- >&2; done; exit 7";
    let ran = eval(code).fails(ErrorKind::Failed).stderr_contains("ended with exit code 7");
    let error = ran.stderr.split("said last").nth(1).unwrap();
    assert!(error.contains("word-12-") && error.contains("word-3-") && !error.contains("word-2-"), "{error}");
    eval("kill -9 $$").fails(ErrorKind::Failed).stderr_contains("was ended by SIGKILL");
}

#[test]
fn in_a_sandbox_no_program_is_run() {
    for shell in [Shell::sandbox("default"), Shell::sandbox("default").arg("--allow-exec")] {
        let code = r#"pause_pump("pump-1", #{ wait: "1m" });
            let r = exec("touch", ["made"], #{ starts: ["pump-1"], takes: "2s" });
            ensure(r == #{ status: 0, stdout: "", stderr: "" }, "it said something");
            wait_for("pump-1", "online", "10s")"#;
        let ran = shell.yes().eval(code).succeeds();
        assert!(!ran.dir().join("made").exists());
    }
}

#[test]
fn in_a_sandbox_the_declared_effect_happens_after_the_declared_time() {
    use binlogsh::sim::{Scenario, Simulated};
    let mut world = Simulated::new(&Scenario::named("default").unwrap()).unwrap();
    let listing = |world: &mut Simulated| match world.apply(&Request::Read(Read::Nodes), None).unwrap() {
        Answer::Listing(listing) => listing,
        other => panic!("{other:?}"),
    };
    let node = listing(&mut world).records[0].node.clone();
    let (takes, before) = (Some(Duration::from_secs(90)), world.now());
    world
        .apply(&Request::Change(Change::Exec(Exec { stops: vec![node.clone()], takes, ..shell("true") })), None)
        .unwrap();
    assert!((90_000_000..91_000_000).contains(&(world.now() - before)));
    world.apply(&Request::Read(Read::Sleep { time: Duration::from_secs(5) }), None).unwrap();
    assert_eq!(listing(&mut world).records[0].state.name(), "paused");
    let unknown = Exec { stops: vec![pump("pump-9", "h:1")], ..shell("true") };
    assert_eq!(world.apply(&Request::Change(Change::Exec(unknown)), None).unwrap_err().kind, ErrorKind::NotFound);
}

#[test]
fn arguments_of_exec_are_checked_before_anything_runs() {
    let fails = |code: &str| Shell::sandbox("default").yes().eval(code).fails(ErrorKind::Invalid);
    fails(r#"exec("true", ["a", 1])"#).stderr_contains("an array of text, not an integer in it");
    fails(r#"exec("true", "a b")"#).stderr_contains("an array of text, not text");
    fails(r#"exec("true", [], #{ takes: "1h" })"#).stderr_contains("is killed after 10m");
    fails(r#"exec("true", [], #{ tkes: "1h" })"#).stderr_contains("did you mean `takes`?");
}

#[test]
fn a_program_gets_no_variable_of_ours_but_those_that_are_named() {
    let key = "00112233445566778899aabbccddeeff";
    let eval = |env: &str| {
        let shell = Shell::live("http://127.0.0.1:1").arg("--allow-exec").yes();
        let shell = shell.env("BINLOG_SECRET_KEY", key).env("BINLOGSH_TIMEOUT", "4s").env("OTHER", "seen");
        shell.eval(&format!(r#"exec("sh", ["-c", "export -p"], #{{ env: [{env}] }}).stdout"#))
    };
    let ran = eval("").succeeds().stdout_contains("OTHER='seen'");
    assert!(!ran.stdout.contains("BINLOG"), "{}", ran.stdout);
    let ran = eval("\"BINLOG_SECRET_KEY\"").succeeds().stdout_contains(key);
    assert!(!ran.stdout.contains("BINLOGSH"), "{}", ran.stdout);
    eval("\"BINLOG_NONE\"").fails(ErrorKind::Invalid).stderr_contains("the variable BINLOG_NONE, which is not set");
}
