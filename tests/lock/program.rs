//! The lock as whoever uses the program sees it, with the lease that it really has.

use super::{is_locked, until_locked};
use crate::harness::Shell;
use crate::support::cluster::LiveCluster;
use crate::support::{eventually, is_soak};
use binlogsh::error::ErrorKind;
use binlogsh::node::Kind;
use binlogsh::world::LOCK_KEY;
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Acts, waits until somebody writes the savepoint, and acts again.
const SCRIPT: &str = r#"
    step("first", || pause_drainer("drainer-1"));
    step("second", || {
        wait_until("somebody says so", || {
            let said = false;
            try { read_meta("go"); said = true; } catch { }
            said
        }, "90s");
        pause_drainer("drainer-0", #{ force: ["pump_closing"] });
    });
"#;

fn on(cluster: &LiveCluster) -> Shell {
    Shell::live(&cluster.url())
}

#[test]
fn others_are_told_who_works_and_can_take_the_lock_away() {
    let cluster = LiveCluster::sample("default");
    let shell = on(&cluster).env("USER", "ann").yes().file("work.rhai", SCRIPT).arg("run").arg("work.rhai");
    let dir = shell.dir().to_owned();
    let mut looked = false;
    let meanwhile = |line: &str| {
        if !line.contains("==> second") || looked {
            return;
        }
        looked = true;
        let act = r#"pause_pump("pump-1")"#;
        let error = on(&cluster).yes().eval(act).fails(ErrorKind::Locked).stderr_contains("held by ann@");
        let error = error.stderr_contains("script work.rhai, since 20").stderr_contains("last sign of life");
        let unlock = format!("`binlogsh --pd-urls {} runs unlock --why TEXT`", cluster.url());
        error.stderr_contains("--wait-lock 10m").stderr_contains(&unlock);
        on(&cluster).arg("--wait-lock").arg("1s").yes().eval(act).fails(ErrorKind::Locked).stderr_contains("(waited ");
        // As binlogctl, it knows one exit code for all that failed.
        let ctl = on(&cluster).arg("ctl").arg("-pd-urls").arg(cluster.url());
        ctl.arg("-cmd")
            .arg("pause-pump")
            .arg("-node-id")
            .arg("pump-1")
            .go()
            .exits(1)
            .stderr_contains("error[locked]")
            .stderr_contains(&unlock);
        on(&cluster).eval("pumps().len()").succeeds().stdout("3");
        on(&cluster).arg("--read-only").eval(act).fails(ErrorKind::Refused).stderr_contains("read-only");

        let unlock = || on(&cluster).arg("runs").arg("unlock");
        unlock().go().exits(2).stderr_contains("--why");
        unlock().arg("--why").arg(" ").go().fails(ErrorKind::Invalid).stderr_contains("--why says nothing");
        unlock()
            .arg("--why")
            .arg("gone home")
            .go()
            .fails(ErrorKind::Refused)
            .stderr_contains("nobody can be asked without a terminal");
        assert!(is_locked(&mut cluster.kv()));
        unlock().arg("--why=gone home").arg("--yes").go().succeeds().stderr_contains("taken away from ann@");
        unlock().arg("--why=again").arg("--yes").go().succeeds().stderr_contains("nobody holds the maintenance lock");
        std::fs::create_dir(dir.join("go")).unwrap();
        std::fs::write(dir.join("go/savepoint"), "commitTS = 1\n").unwrap();
    };
    let ran = shell.watched(meanwhile).fails(ErrorKind::LockLost).stderr_contains("is not ours any more");
    let ran = ran.stderr_contains("nothing more was changed").stderr_contains("through this run: drainer-1 is paused");
    assert!(!ran.stderr.contains("drainer-0 may"), "it was not sent: {}", ran.stderr);
    on(&cluster).eval(r#"probe("drainer-0")"#).succeeds().stdout("online");
}

#[test]
fn the_lock_is_free_after_a_script_a_line_and_ctl() {
    let cluster = LiveCluster::sample("default");
    let mut kv = cluster.kv();
    on(&cluster).yes().file("one.rhai", r#"pause_drainer("drainer-1");"#).run("one.rhai", &[]).succeeds();
    assert!(!is_locked(&mut kv));
    on(&cluster).yes().eval(r#"pause_pump("pump-1", #{ force: ["last_pump"] })"#).succeeds();
    assert!(!is_locked(&mut kv));
    let ctl = on(&cluster).arg("ctl").arg("-pd-urls").arg(cluster.url());
    ctl.arg("-cmd").arg("pause-pump").arg("-node-id").arg("pump-2").go().succeeds();
    assert!(!is_locked(&mut kv));
}

#[test]
fn a_foreign_key_is_shown_and_taken_away_only_when_asked_to() {
    let cluster = LiveCluster::sample("default");
    cluster.kv().put(LOCK_KEY, "whose?");
    on(&cluster).yes().eval(r#"pause_pump("pump-1")"#).fails(ErrorKind::Locked).stderr_contains(r#"value is "whose?""#);
    assert_eq!(cluster.kv().get(LOCK_KEY).unwrap().0, "whose?");
    on(&cluster).yes().arg("runs").arg("unlock").arg("--why=old").go().succeeds();
    on(&cluster).yes().eval(r#"pause_pump("pump-1")"#).succeeds();
}

/// The real lease lives for half a minute: this one takes two.
#[test]
fn the_program_stopped_for_a_minute_stops_before_its_next_write_and_killed_it_leaves_the_lock_to_its_lease() {
    if !is_soak() {
        return;
    }
    let cluster = LiveCluster::sample("default");
    let script = |name| on(&cluster).yes().file("work.rhai", SCRIPT).arg(name).arg("run").arg("work.rhai");
    let signal = |child: &Child, signal| kill_process(Pid::from_child(child), signal).unwrap();
    let shell = script("--color=never");
    let mut command = shell.command();
    let said = std::fs::File::create(shell.dir().join("said")).unwrap();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said).spawn().unwrap();
    // In the middle of its first change it would say what became of that.
    let is_waiting = || std::fs::read_to_string(shell.dir().join("said")).unwrap().contains("==> second");
    assert!(eventually(Duration::from_secs(30), is_waiting));
    signal(&child, Signal::STOP);
    std::thread::sleep(Duration::from_secs(60));
    assert!(!is_locked(&mut cluster.kv()));
    std::fs::create_dir(shell.dir().join("go")).unwrap();
    std::fs::write(shell.dir().join("go/savepoint"), "commitTS = 1\n").unwrap();
    signal(&child, Signal::CONT);
    let code = child.wait().unwrap().code();
    let said = std::fs::read_to_string(shell.dir().join("said")).unwrap();
    assert_eq!(code, Some(i32::from(ErrorKind::LockLost.exit_code())), "{said}");
    on(&cluster).eval(r#"probe("drainer-0")"#).succeeds().stdout("online");

    cluster.start_process(Kind::Drainer, "drainer-1");
    let shell = script("--color=never");
    let mut child = shell.command().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until_locked(&mut cluster.kv(), true);
    signal(&child, Signal::KILL);
    child.wait().unwrap();
    let began = Instant::now();
    on(&cluster).arg("--wait-lock=2m").yes().eval(r#"pause_pump("pump-1")"#).succeeds();
    assert!(began.elapsed() > Duration::from_secs(15) && began.elapsed() < Duration::from_secs(45));
}

#[test]
fn a_sandbox_has_a_lock_of_its_own() {
    Shell::sandbox("default").yes().eval(r#"pause_pump("pump-1")"#).succeeds();
    Shell::sandbox("default").yes().arg("runs").arg("unlock").arg("--why=x").go().succeeds().stderr_contains("nobody");
}
